"""Whatever the product prints, as samples: invoices and credit notes with their XML, quotes, receipts, statements."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from billing.adapters.facturx.embedding import factur_x
from billing.adapters.pdf.receipt import PdfReceiptRenderer
from billing.adapters.pdf.renderer import PdfDocumentRenderer
from billing.adapters.pdf.statement import PdfStatementRenderer
from billing.domain.customer_account import MovementKind
from billing.domain.invoice import InvoiceContent
from billing.domain.numbering import DEFAULT_PATTERNS, Series, SeriesState, allocate
from billing.domain.particulars import Particulars
from billing.domain.payments import PaymentReversal
from billing.domain.quote import Quote, finalise
from billing.domain.tongue import DocumentLanguage
from tests import factories, logos
from tests.adapters.pdf.test_receipt import PAYMENT, SELLER
from tests.adapters.pdf.test_statement import FIRST, movement, statement
from tests.documents import all_samples
from tests.factories import issued

_RENDERER = PdfDocumentRenderer(factur_x)


class Paper(NamedTuple):
    group: str  # in French, as the index of the gallery says it
    name: str
    pdf: bytes
    xml: bytes | None = None


def papers() -> Iterator[Paper]:
    for name, document in all_samples():
        group = "Avoirs" if document.document.document_type.is_credit_note else "Factures"
        yield Paper(group, name, _RENDERER.render(document, logo=None), factur_x(document.document).content)
    for name, quote in _quotes().items():
        yield Paper("Devis", name, _RENDERER.render(quote, logo=None))
    for name, logo in _logos().items():
        yield Paper("Logos", name, _RENDERER.render(issued(), logo=logo), factur_x(issued().document).content)
    yield from _receipts()
    yield from _statements()


def _quotes() -> dict[str, Quote]:
    two = Particulars(language=DocumentLanguage.FRENCH_AND_ENGLISH)
    return {
        "quote-of-services": quote_of(factories.content(*factories.sample_lines())),
        "quote-of-forty-lines": quote_of(factories.content(*factories.many_lines(40), particulars=two)),
    }


def quote_of(content: InvoiceContent) -> Quote:
    draft = Quote(
        tenant_id=factories.TENANT_ID,
        quote_id="quo_1",
        version=1,
        content=content,
        valid_until=None,
        customer_name="Atelier Modèle SAS",
        totals=content.computed(),
        created_at=factories.ISSUED_AT,
        updated_at=factories.ISSUED_AT,
    )
    allocation = allocate(SeriesState.untouched(Series.QUOTE), DEFAULT_PATTERNS[Series.QUOTE], factories.ISSUED_ON)
    return finalise(
        draft,
        company=factories.company(),
        customer=factories.customer(),
        allocation=allocation,
        issued_at=factories.ISSUED_AT,
    )


def _logos() -> dict[str, bytes]:
    kinds = {f"logo-{kind}": logos.encoded(logos.wide(), kind) for kind in logos.FORMATS}
    return {
        **kinds,
        "logo-tall": logos.encoded(logos.tall(), "png"),
        "logo-small": logos.encoded(logos.mark(36), "gif"),
    }


def _receipts() -> Iterator[Paper]:
    reversal = PaymentReversal(
        reason="Chèque impayé", reversed_on=date(2026, 11, 30), reversed_at=factories.ISSUED_AT, reversed_by="usr"
    )
    logo = logos.encoded(logos.wide(), "png")
    for name, payment, shown in (
        ("receipt", PAYMENT, None),
        ("receipt-with-a-logo", PAYMENT, logo),
        ("receipt-of-a-reversed-payment", PAYMENT.reversed(reversal), None),
    ):
        yield Paper("Reçus", name, PdfReceiptRenderer().render(payment, SELLER, logo=shown))


def _statements() -> Iterator[Paper]:
    many = tuple(
        movement(MovementKind.INVOICE, FIRST + timedelta(days=rank % 80), 12_345, f"F2026-{rank + 1:05d}")
        for rank in range(90)
    )
    logo = logos.encoded(logos.wide(), "png")
    for name, stated, shown in (
        ("statement", statement(), None),
        ("statement-with-a-logo", statement(), logo),
        ("statement-over-several-pages", statement(many), None),
        ("statement-without-movements", statement(()), None),
    ):
        yield Paper("Relevés", name, PdfStatementRenderer().render(stated, logo=shown))
