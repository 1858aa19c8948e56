"""Whatever the product prints, as samples: invoices and credit notes with their XML, quotes, receipts, statements."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from billing.adapters.facturx.embedding import factur_x
from billing.adapters.pdf.receipt import PdfReceiptRenderer
from billing.adapters.pdf.renderer import PdfDocumentRenderer
from billing.adapters.pdf.statement import PdfStatementRenderer
from billing.domain.acquittal import Acquittal
from billing.domain.colours import DEFAULT_ACCENT
from billing.domain.customer_account import MovementKind
from billing.domain.ledger import PaymentMethod
from billing.domain.particulars import Particulars
from billing.domain.payments import PaymentReversal
from billing.domain.quote import Quote
from billing.domain.template import Design
from billing.domain.tongue import DocumentLanguage
from billing.ports.delivery import DRAFT_MARK, Mark, MarkKind
from tests import factories, logos
from tests.adapters.pdf.test_receipt import PAYMENT, SELLER
from tests.adapters.pdf.test_statement import FIRST, movement, statement
from tests.documents import QUOTES, SAMPLES, all_samples, in_design, quoted
from tests.factories import issued

_RENDERER = PdfDocumentRenderer(factur_x)


PAY_URL = f"https://app.zenbilling.example/factures/ten_{'0' * 32}.inv_{'0' * 26}.{'s' * 43}"


class Paper(NamedTuple):
    group: str  # in French, as the index of the gallery says it
    name: str
    pdf: bytes
    xml: bytes | None = None


def papers() -> Iterator[Paper]:
    for name, document in all_samples():
        group = "Avoirs" if document.document.document_type.is_credit_note else "Factures"
        yield Paper(group, name, _RENDERER.render(document, logo=None), factur_x(document.document).content)
    for design in Design:
        one = in_design(issued(), design, DEFAULT_ACCENT)
        pdf = _RENDERER.render(one, logo=None, pay_url=PAY_URL)
        yield Paper("Factures", f"paid-online-{design}", pdf, factur_x(one.document).content)
    for name, quote in _quotes().items():
        yield Paper("Devis", name, _RENDERER.render(quote, logo=None))
    for name, logo in _logos().items():
        yield Paper("Logos", name, _RENDERER.render(issued(), logo=logo), factur_x(issued().document).content)
    for design in Design:
        one = in_design(issued(), design, DEFAULT_ACCENT)
        pdf = _RENDERER.render(one, logo=logos.encoded(logos.wide(), "png"))
        yield Paper("Logos", f"logo-{design}", pdf, factur_x(one.document).content)
    yield from _marked()
    yield from _receipts()
    yield from _statements()


def _quotes() -> dict[str, Quote]:
    two = Particulars(language=DocumentLanguage.FRENCH_AND_ENGLISH)
    return {
        **{name: made() for name, made in QUOTES.items()},
        "quote-of-forty-lines": quoted(lines=factories.many_lines(40), particulars=two),
    }


def _marked() -> Iterator[Paper]:
    """Drafts and duplicates as they are looked at."""
    settled = Acquittal(on=date(2026, 12, 14), methods=(PaymentMethod.TRANSFER,))
    paid = Mark(kind=MarkKind.DUPLICATE, acquittal=settled, settled=True)
    for group, prefix, mark in (("Brouillons", "preview", DRAFT_MARK), ("Duplicatas", "duplicate", paid)):
        for name in ("several-rates", "bilingual", "in-english", "credit-note-by-line", "two-hundred-lines"):
            yield Paper(group, f"{prefix}-{name}", _RENDERER.render_marked(SAMPLES[name](), mark, logo=None))
    logo = logos.encoded(logos.wide(), "png")
    for design in Design:
        one = in_design(SAMPLES["several-rates"](), design, DEFAULT_ACCENT)
        yield Paper("Duplicatas", f"duplicate-with-a-logo-{design}", _RENDERER.render_marked(one, paid, logo=logo))


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
