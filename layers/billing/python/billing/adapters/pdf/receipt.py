"""The receipt of a payment, on one page: twenty invoices fit, and a few refunds or their sum."""

from __future__ import annotations

import hashlib

from billing.adapters.pdf import archive, wording
from billing.adapters.pdf.archive import Archival
from billing.adapters.pdf.letterhead import draw_letterhead, draw_seller
from billing.adapters.pdf.logo import PreparedLogo, prepare_logo
from billing.adapters.pdf.sheet import HEIGHT, Page, Style, draw, one_line, width_of, wrap, wrap_parts
from billing.adapters.pdf.theme import BUYER_X, theme_today
from billing.domain.canonical import canonical_json
from billing.domain.dates import format_french
from billing.domain.parties import CompanyDescription
from billing.domain.payments import Payment
from billing.domain.tongue import Tongue

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
        pages = ReceiptLayout(payment, seller, prepare_logo(logo) if logo is not None else None).pages()
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


class ReceiptLayout:
    def __init__(self, payment: Payment, seller: CompanyDescription, logo: PreparedLogo | None) -> None:
        self._payment = payment
        self._seller = seller
        self._logo = logo
        self._theme = theme_today(seller.design, seller.accent_colour)
        self._page = Page()
        self._y = self._theme.top
        self._money = Tongue(currency=payment.currency).money

    def pages(self) -> list[Page]:
        theme = self._theme
        self._heading()
        self._band()
        self._settled()
        self._corrections()
        footer = wrap_parts(wording.legal_parts(self._seller), theme.footer, theme.content)
        y = HEIGHT - 28 - len(footer) * theme.footer.leading
        theme.foot(self._page, y - 12)
        for text in footer:
            self._page.text(theme.left + (theme.content - width_of(text, theme.footer)) / 2, y, text, theme.footer)
            y += theme.footer.leading
        return [self._page]

    def _heading(self) -> None:
        page, theme = self._page, self._theme
        seller_top, buyer_top = draw_letterhead(
            page, theme, titles=["Reçu"], subtitle="de paiement", name=self._seller.display_name, logo=self._logo
        )
        y = draw_seller(page, theme, self._seller, seller_top)
        page.text(BUYER_X, buyer_top + 8, "Reçu de", theme.heading)
        width = theme.right - BUYER_X
        beside = self._lines(BUYER_X, buyer_top + 22, width, [self._payment.customer_name], theme.name)
        address = self._payment.customer_address
        if address is not None:
            beside = self._lines(BUYER_X, beside, width, wording.address_lines(address), theme.address)
        self._y = max(y, beside) + 18

    def _band(self) -> None:
        page, theme, payment, y = self._page, self._theme, self._payment, self._y
        amount = self._money(payment.amount_minor)
        facts = [("Date du paiement", format_french(payment.paid_on)), ("Moyen", wording.payment_means(payment.method))]
        theme.facts(page, y, _BAND, max(150, width_of(amount, theme.facts_due) + 2 * theme.pad))
        for rank, (label, value) in enumerate(facts):
            page.text(theme.left + theme.pad + rank * 130, y + 22, label, theme.label)
            page.text(theme.left + theme.pad + rank * 130, y + 38, value, theme.strong)
        page.text_right(theme.right - theme.inset, y + 20, "Montant reçu", theme.facts_note)
        page.text_right(theme.right - theme.inset, y + 42, amount, theme.facts_due)
        self._y += _BAND + 24

    def _settled(self) -> None:
        theme, payment = self._theme, self._payment
        rows = [(f"Facture {part.number}", part.amount_minor) for part in payment.allocations]
        if payment.credited_minor:
            rows.append(("Conservé à votre crédit", payment.credited_minor))
        self._page.text(theme.left, self._y, "Affecté à", theme.heading)
        self._y += 8
        for label, amount in rows:
            self._y += 16
            self._page.text(theme.left, self._y, label, theme.body)
            self._page.text_right(theme.right, self._y, self._money(amount), theme.strong)
            theme.row_end(self._page, self._y + 5)
        self._y += 26
        if payment.reference:
            self._y = (
                self._lines(theme.left, self._y, theme.content, [f"Référence : {payment.reference}"], theme.soft) + 8
            )

    def _corrections(self) -> None:
        """What the receipt no longer says: it stands, and the correction beside it."""
        theme, payment = self._theme, self._payment
        texts = [
            f"Remboursé le {format_french(refund.refunded_on)} : {self._money(refund.amount_minor)}."
            for refund in payment.refunds
        ]
        texts += [
            f"Remboursement revenu de la banque le {format_french(returned.returned_on)} : "
            f"{self._money(returned.amount_minor)}."
            for returned in payment.returns
        ]
        if len(texts) > _REFUNDS_SHOWN:
            less = ", moins ce que la banque a renvoyé" if payment.returns else ""
            texts = [f"Remboursé en {len(payment.refunds)} fois{less} : {self._money(payment.refunded_minor)}."]
        if payment.reversal is not None:
            day = format_french(payment.reversal.reversed_on)
            texts.append(f"Paiement annulé le {day} : {payment.reversal.reason}. Ce reçu ne vaut plus acquit.")
        self._y = self._lines(theme.left, self._y, theme.content, texts, theme.strong)

    def _lines(self, x: float, y: float, width: float, texts: list[str], style: Style) -> float:
        for text in texts:
            for line in wrap(one_line(text), style, width):
                self._page.text(x, y, line, style)
                y += style.leading
        return y
