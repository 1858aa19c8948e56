"""A draft like an existing invoice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from billing.domain.access import Caller, Role
from billing.domain.errors import FieldErrors, Forbidden, NotDuplicable, NotFound
from billing.domain.invoice import DocumentType, DraftInvoice
from billing.domain.particulars import BillingPeriod, Particulars
from billing.domain.payment_terms import PaymentTerms
from billing.domain.totals import Adjustment, Charge, Discount
from billing.ports.drafts import LineInput
from billing.ports.idempotency import AlreadyAnswered, IdempotentRequest
from billing.usecases import invoices
from tests import factories
from tests.usecases.conftest import TAXED, Shop

PARTICULARS = Particulars(buyer_reference="SERVICE-7", contract="C-1", header_text="Bonjour", footer_text="Merci")


def rich(shop: Shop) -> DraftInvoice:
    line = LineInput(
        description="Prestation",
        quantity=Decimal("2.5"),
        unit_price=Decimal("19.99"),
        vat=TAXED,
        discount=Discount(percent=Decimal(5)),
        charge=Charge(amount_minor=150),
    )
    return shop.draft(
        shop.wanted(
            shop.customer().customer_id,
            line,
            discount=Discount(percent=Decimal(2)),
            charges=(Adjustment(amount_minor=500, reason="Port", reason_code="FC"),),
            payment_terms=PaymentTerms.net(12),
            purchase_order="BC-1",
            notes="Public",
            private_notes="Entre nous",
            supply_date=date(2026, 11, 2),
            particulars=replace(PARTICULARS, period=BillingPeriod(start=date(2026, 10, 1), end=date(2026, 10, 31))),
        )
    )


def duplicate(
    shop: Shop, invoice_id: str, once: IdempotentRequest | None = None, caller: Caller | None = None
) -> DraftInvoice:
    return invoices.duplicate_invoice(
        caller or shop.caller,
        invoice_id,
        once=once or shop.once("duplicateInvoice"),
        invoices=shop.repositories.invoices,
        clock=shop.clock,
        ids=shop.ids,
    )


@pytest.mark.parametrize("issue_first", [False, True])
def test_a_duplicate_has_the_lines_terms_and_texts_but_no_date_and_no_order(shop: Shop, issue_first: bool) -> None:
    original = rich(shop)
    if issue_first:
        shop.issue(original)

    copy = duplicate(shop, original.invoice_id)

    assert copy.invoice_id != original.invoice_id
    assert copy.totals == original.totals
    assert copy.content == replace(original.content, supply_date=None, purchase_order="", particulars=PARTICULARS)
    assert shop.events(copy.invoice_id)[0].data["duplicate_of"] == original.invoice_id


def test_the_same_request_makes_one_duplicate(shop: Shop) -> None:
    original, once = rich(shop), shop.once("duplicateInvoice")
    duplicate(shop, original.invoice_id, once)

    with pytest.raises(AlreadyAnswered):
        duplicate(shop, original.invoice_id, once)


def test_an_archived_product_stays_on_the_duplicate(shop: Shop) -> None:
    product = shop.product()
    original = shop.draft(
        shop.wanted(shop.customer().customer_id, LineInput(product_id=product.product_id, quantity=Decimal(1)))
    )
    shop.archive(product.product_id)

    assert duplicate(shop, original.invoice_id).totals == original.totals


def test_what_belongs_to_another_document_is_not_duplicated(shop: Shop) -> None:
    original = rich(shop)
    deposit = replace(original, content=replace(original.content, document_type=DocumentType.DEPOSIT))
    shop.repositories.store.invoices[shop.caller.tenant_id, original.invoice_id] = deposit

    with pytest.raises(NotDuplicable):
        duplicate(shop, original.invoice_id)


def test_a_stranger_and_a_viewer_duplicate_nothing(shop: Shop) -> None:
    original, stranger = rich(shop), factories.caller("ten_02EXEMPLE", user_id="usr_02EXEMPLE")
    shop.repositories.memberships.found(factories.membership(stranger), at=shop.clock.now())

    with pytest.raises(Forbidden):
        duplicate(shop, original.invoice_id, caller=shop.person(Role.VIEWER))
    with pytest.raises(NotFound):
        duplicate(shop, original.invoice_id, caller=stranger)


def test_the_billed_establishment_belongs_to_the_customer(shop: Shop) -> None:
    customer = shop.customer()
    other = Particulars(buyer_siret="73282932000074")

    with pytest.raises(FieldErrors) as refused:
        shop.draft(shop.wanted(customer.customer_id, particulars=other))

    assert [error.pointer for error in refused.value.errors] == ["/buyer_siret"]
