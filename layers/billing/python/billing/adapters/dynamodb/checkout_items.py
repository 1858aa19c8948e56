"""The item of the attempts to pay an invoice online."""

from __future__ import annotations

from billing.adapters.dynamodb.codec import Item, load, text
from billing.domain.checkout import CheckoutBook

CHECKOUT_BOOK = "checkout_book"


def book_of(tenant_id: str, invoice_id: str, stored: Item | None) -> CheckoutBook:
    return (
        load(CheckoutBook, text(stored, "body")) if stored else CheckoutBook(tenant_id=tenant_id, invoice_id=invoice_id)
    )
