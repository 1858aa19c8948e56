"""The receipt of a payment, on one page: twenty invoices fit, and a few refunds or their sum."""

from __future__ import annotations

import hashlib

from billing.adapters.pdf import archive, wording
from billing.adapters.pdf.archive import Archival
from billing.adapters.pdf.fonts import REGULAR, SEMIBOLD
from billing.adapters.pdf.logo import PreparedLogo, prepare_logo
from billing.adapters.pdf.sheet import HEIGHT, WIDTH, Colour, Page, Style, draw, one_line, wrap, wrap_parts
from billing.domain.canonical import canonical_json
from billing.domain.dates import format_french
from billing.domain.parties import CompanyDescription
from billing.domain.payments import Payment
from billing.domain.tongue import Tongue

_INK, _GREY = Colour(0.11, 0.14, 0.18), Colour(0.38, 0.42, 0.47)
_ACCENT, _RULE = Colour(0.04, 0.36, 0.37), Colour(0.87, 0.89, 0.90)
_PANEL, _WHITE = Colour(0.955, 0.967, 0.967), Colour(1, 1, 1)
_TITLE = Style(SEMIBOLD, 22, 26, _INK)
_SELLER = Style(SEMIBOLD, 15, 18, _ACCENT)
_NAME = Style(SEMIBOLD, 9.5, 13, _INK)
_BODY = Style(REGULAR, 9, 14, _INK)
_STRONG = Style(SEMIBOLD, 9, 14, _INK)
_SOFT = Style(REGULAR, 8, 11.5, _GREY)
_LABEL = Style(SEMIBOLD, 7, 10, _GREY)
_HEADING = Style(SEMIBOLD, 7.5, 11, _ACCENT)
_FOOTER = Style(REGULAR, 6.5, 9, _GREY)
_AMOUNT = Style(SEMIBOLD, 15, 18, _WHITE)
_LEFT, _RIGHT, _TOP = 45.0, WIDTH - 45.0, 40.0
_CONTENT = _RIGHT - _LEFT
_MIDDLE = 310.0
_BAND = 58.0
_IDENTIFIER_BYTES = 16
_REFUNDS_SHOWN = 6


class PdfReceiptRenderer:
    """Port ReceiptRenderer."""

    def render(self, payment: Payment, seller: CompanyDescription, *, logo: bytes | None) -> bytes:
        """A PDF/A-3b; the same payment, seller and logo give the same bytes.

        Raises:
            InvalidInput: a character that the fonts lack, or a logo that cannot be read.
        """
        pages = _Receipt(payment, seller, prepare_logo(logo) if logo is not None else None).pages()
        title = f"Reçu de paiement du {format_french(payment.paid_on)}"
        text = canonical_json([payment, seller])
        return archive.write(
            draw(pages)._doc,  # noqa: SLF001 - ReportLab writes no PDF/A, so its document is written here
            Archival(
                title=title,
                author=one_line(seller.display_name),
                subject=f"{title} à {one_line(payment.customer_name)}",
                creator="ZenBilling",
                producer="ZenBilling (ReportLab)",
                at=payment.recorded_at,
                identifier=hashlib.sha256(text.encode()).digest()[:_IDENTIFIER_BYTES],
                attachments=(),
                xmp=(),
            ),
        )


class _Receipt:
    def __init__(self, payment: Payment, seller: CompanyDescription, logo: PreparedLogo | None) -> None:
        self._payment = payment
        self._seller = seller
        self._logo = logo
        self._page = Page()
        self._y = _TOP
        self._money = Tongue(currency=payment.currency).money

    def pages(self) -> list[Page]:
        self._heading()
        self._band()
        self._settled()
        self._corrections()
        footer = wrap_parts(wording.legal_parts(self._seller), _FOOTER, _CONTENT)
        y = HEIGHT - 28 - len(footer) * _FOOTER.leading
        self._page.box(_LEFT, y - 12, _CONTENT, 0.6, _RULE)
        for text in footer:
            self._page.text(_LEFT, y, text, _FOOTER)
            y += _FOOTER.leading
        return [self._page]

    def _heading(self) -> None:
        page, seller = self._page, self._seller
        page.text(_MIDDLE, _TOP + 17, "Reçu", _TITLE)
        page.text(_MIDDLE, _TOP + 35, "de paiement", _STRONG)
        y = _TOP + 17
        if self._logo is not None:
            page.logo = (_LEFT, _TOP, self._logo)
            y = _TOP + self._logo.height + 20
        width = _MIDDLE - _LEFT - 24
        y = self._lines(_LEFT, y, width, [seller.display_name], _SELLER)
        y = self._lines(_LEFT, y + 4, width, wording.seller_lines(seller), _SOFT)
        y = self._lines(_LEFT, y, width, wrap_parts(wording.seller_identifiers(seller), _SOFT, width), _SOFT)
        page.text(_MIDDLE, _TOP + 82, "Reçu de", _HEADING)
        beside = self._lines(_MIDDLE, _TOP + 97, _RIGHT - _MIDDLE, [self._payment.customer_name], _NAME)
        address = self._payment.customer_address
        if address is not None:
            beside = self._lines(_MIDDLE, beside, _RIGHT - _MIDDLE, wording.address_lines(address), _SOFT)
        self._y = max(y, beside) + 18

    def _band(self) -> None:
        page, payment, y = self._page, self._payment, self._y
        facts = [("Date du paiement", format_french(payment.paid_on)), ("Moyen", wording.payment_means(payment.method))]
        page.box(_LEFT, y, _CONTENT, _BAND, _PANEL, radius=4)
        page.box(_RIGHT - 150, y, 150, _BAND, _ACCENT, radius=4)
        for rank, (label, value) in enumerate(facts):
            page.text(_LEFT + 14 + rank * 130, y + 22, label, _LABEL)
            page.text(_LEFT + 14 + rank * 130, y + 38, value, _STRONG)
        page.text_right(_RIGHT - 14, y + 20, "Montant reçu", _LABEL._replace(colour=_WHITE))
        page.text_right(_RIGHT - 14, y + 42, self._money(payment.amount_minor), _AMOUNT)
        self._y += _BAND + 24

    def _settled(self) -> None:
        payment = self._payment
        rows = [(f"Facture {part.number}", part.amount_minor) for part in payment.allocations]
        if payment.credited_minor:
            rows.append(("Conservé à votre crédit", payment.credited_minor))
        self._page.text(_LEFT, self._y, "Affecté à", _HEADING)
        self._y += 8
        for label, amount in rows:
            self._y += 16
            self._page.text(_LEFT, self._y, label, _BODY)
            self._page.text_right(_RIGHT, self._y, self._money(amount), _STRONG)
            self._page.box(_LEFT, self._y + 5, _CONTENT, 0.6, _RULE)
        self._y += 26
        if payment.reference:
            self._y = self._lines(_LEFT, self._y, _CONTENT, [f"Référence : {payment.reference}"], _SOFT) + 8

    def _corrections(self) -> None:
        """What the receipt no longer says: it stands, and the correction beside it."""
        payment = self._payment
        texts = [
            f"Remboursé le {format_french(refund.refunded_on)} : {self._money(refund.amount_minor)}."
            for refund in payment.refunds
        ]
        if len(texts) > _REFUNDS_SHOWN:
            texts = [f"Remboursé en {len(texts)} fois : {self._money(payment.refunded_minor)}."]
        if payment.reversal is not None:
            day = format_french(payment.reversal.reversed_on)
            texts.append(f"Paiement annulé le {day} : {payment.reversal.reason}. Ce reçu ne vaut plus acquit.")
        self._y = self._lines(_LEFT, self._y, _CONTENT, texts, _STRONG)

    def _lines(self, x: float, y: float, width: float, texts: list[str], style: Style) -> float:
        for text in texts:
            for line in wrap(one_line(text), style, width):
                self._page.text(x, y, line, style)
                y += style.leading
        return y
