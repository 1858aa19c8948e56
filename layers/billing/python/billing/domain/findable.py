"""The words under which documents and products are found."""

from __future__ import annotations

from billing.domain.invoice import DraftInvoice, IssuedInvoice
from billing.domain.money import to_minor
from billing.domain.parties import Product
from billing.domain.quote import Quote
from billing.domain.search import document_words


def draft_words(draft: DraftInvoice) -> tuple[str, ...]:
    content = draft.content
    return document_words(
        names=(draft.customer_name,),
        total_minor=draft.totals.total_minor,
        references=(content.purchase_order, content.particulars.buyer_reference),
    )


def issued_words(invoice: IssuedInvoice) -> tuple[str, ...]:
    """A credit note is found by the number of its invoice, too."""
    document = invoice.document
    origins = document.preceding if document.document_type.is_credit_note else ()
    return document_words(
        number=document.number,
        names=(document.buyer.name,),
        total_minor=document.totals.total_minor,
        references=(
            *(one.number for one in origins),
            document.purchase_order,
            document.particulars.buyer_reference,
        ),
    )


def quote_words(quote: Quote) -> tuple[str, ...]:
    content = quote.content
    return document_words(
        number=quote.number,
        names=(quote.customer_name,),
        total_minor=quote.totals.total_minor,
        references=(content.purchase_order, content.particulars.buyer_reference),
    )


def product_words(product: Product) -> tuple[str, ...]:
    described = product.description
    return document_words(
        names=(described.name,), total_minor=to_minor(described.unit_price), references=(described.reference,)
    )
