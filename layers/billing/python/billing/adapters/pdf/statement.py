"""A statement of account: a table per currency over as many pages as it takes, and what is overdue by age."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, time, timedelta

from billing.adapters.pdf import archive, wording
from billing.adapters.pdf.archive import Archival
from billing.adapters.pdf.letterhead import draw_letterhead, draw_seller
from billing.adapters.pdf.logo import PreparedLogo, prepare_logo
from billing.adapters.pdf.sheet import HEIGHT, Page, Style, draw, one_line, width_of, wrap, wrap_parts
from billing.adapters.pdf.theme import BUYER_X, theme_today
from billing.domain.canonical import canonical_json
from billing.domain.currency import EURO
from billing.domain.customer_account import AccountMovement, CurrencyStatement, MovementKind, Statement, StatementLine
from billing.domain.dates import PARIS, format_french
from billing.domain.ledger import PaymentMethod
from billing.domain.tongue import Tongue
from billing.domain.typography import format_amount

_BAND, _HEAD_HEIGHT, _AGEING, _CELL_GAP = 58.0, 21.0, 66.0, 10.0
_IDENTIFIER_BYTES = 16
_DAY = timedelta(days=1)
_LABELS = {
    MovementKind.INVOICE: "Facture",
    MovementKind.CREDIT_NOTE: "Avoir",
    MovementKind.PAYMENT: "Règlement",
    MovementKind.CREDIT_APPLIED: "Crédit imputé",
    MovementKind.CREDIT_RESTORED: "Imputation de crédit annulée",
    MovementKind.REVERSAL: "Règlement annulé",
    MovementKind.REFUND: "Remboursement",
    MovementKind.REFUND_RETURNED: "Remboursement revenu",
}
_NUMBERED = frozenset({MovementKind.INVOICE, MovementKind.CREDIT_NOTE})
_BY_MEANS = frozenset({MovementKind.PAYMENT, MovementKind.REFUND})


class PdfStatementRenderer:
    """Port StatementRenderer."""

    def render(self, statement: Statement, *, logo: bytes | None) -> bytes:
        """A PDF/A-3b; the same statement and logo give the same bytes.

        Raises:
            InvalidInput: a character that the fonts lack, or a logo that cannot be read.
        """
        pages = StatementLayout(statement, prepare_logo(logo) if logo is not None else None).pages()
        period = statement.period
        title = f"Relevé de compte du {format_french(period.first)} au {format_french(period.last)}"
        return archive.write(
            draw(pages)._doc,  # noqa: SLF001 - ReportLab writes no PDF/A, so its document is written here
            Archival(
                title=title,
                author=one_line(statement.company.description.display_name),
                subject=f"{title} – {one_line(statement.customer.description.name)}",
                creator="ZenBilling",
                producer="ZenBilling (ReportLab)",
                at=datetime.combine(statement.today, time(), PARIS),
                identifier=hashlib.sha256(canonical_json(statement).encode()).digest()[:_IDENTIFIER_BYTES],
                attachments=(),
                xmp=(),
            ),
        )


class StatementLayout:
    def __init__(self, statement: Statement, logo: PreparedLogo | None) -> None:
        self._statement = statement
        self._seller = statement.company.description
        self._logo = logo
        theme = self._theme = theme_today(self._seller.design, self._seller.accent_colour)
        self._rank = 0
        self._footer = wrap_parts(wording.legal_parts(self._seller), theme.footer, theme.content)
        self._bottom = HEIGHT - 28 - len(self._footer) * theme.footer.leading - 18
        self._page = Page()
        self._pages = [self._page]
        self._y = theme.top

    def pages(self) -> list[Page]:
        theme = self._theme
        self._heading()
        self._band()
        for account in self._statement.accounts:
            self._account(account)
        for rank, page in enumerate(self._pages, start=1):
            y = HEIGHT - 28 - len(self._footer) * theme.footer.leading
            theme.foot(page, y - 12)
            for text in self._footer:
                page.text(theme.left + (theme.content - width_of(text, theme.footer)) / 2, y, text, theme.footer)
                y += theme.footer.leading
            if len(self._pages) > 1:
                page.text_right(theme.right, HEIGHT - 28, f"Page {rank}/{len(self._pages)}", theme.footer)
        return self._pages

    def _heading(self) -> None:
        page, theme, customer = self._page, self._theme, self._statement.customer.description
        seller_top, buyer_top = draw_letterhead(
            page, theme, titles=["Relevé"], subtitle="de compte", name=self._seller.display_name, logo=self._logo
        )
        y = draw_seller(page, theme, self._seller, seller_top)
        page.text(BUYER_X, buyer_top + 8, "Client", theme.heading)
        width = theme.right - BUYER_X
        beside = self._lines(BUYER_X, buyer_top + 22, width, [customer.name], theme.name)
        beside = self._lines(BUYER_X, beside, width, wording.buyer_lines(customer), theme.address)
        self._y = max(y, beside) + 18

    def _band(self) -> None:
        page, theme, period, y = self._page, self._theme, self._statement.period, self._y
        account = self._statement.accounts[0]
        days = f"du {format_french(period.first)} au {format_french(period.last)}"
        facts = [("Période", days), ("Établi le", format_french(self._statement.today))]
        amount = _money(account, abs(account.closing_minor))
        theme.facts(page, y, _BAND, max(160, width_of(amount, theme.facts_due) + 2 * theme.pad))
        for rank, (label, value) in enumerate(facts):
            page.text(theme.left + theme.pad + rank * 190, y + 22, label, theme.label)
            page.text(theme.left + theme.pad + rank * 190, y + 38, value, theme.strong)
        favour = account.closing_minor < 0
        label = "Solde en votre faveur" if favour else f"Solde dû au {format_french(period.last)}"
        page.text_right(theme.right - theme.inset, y + 20, label, theme.facts_note)
        page.text_right(theme.right - theme.inset, y + 42, amount, theme.facts_due)
        self._y += _BAND + 24

    def _account(self, account: CurrencyStatement) -> None:
        theme = self._theme
        period = self._statement.period
        self._room(_HEAD_HEIGHT + 80)
        if len(self._statement.accounts) > 1:
            name = "Compte en euros" if account.currency == EURO else f"Compte en {account.currency}"
            self._page.text(theme.left, self._y, name, theme.heading)
            self._y += 9
        self._place_columns(account)
        self._head()
        self._total(f"Solde au {format_french(period.first - _DAY)}", account.opening_minor)
        for line in account.lines:
            self._row(line)
        if not account.lines:
            self._page.text(self._operations, self._y + 15, "Aucun mouvement pendant la période.", theme.soft)
            self._y += 24
        closing = (account.charged_minor, account.settled_minor)
        self._total(f"Solde au {format_french(period.last)}", account.closing_minor, closing)
        self._y += 24
        self._ageing(account)

    def _place_columns(self, account: CurrencyStatement) -> None:
        """Figures as wide as they are, at least as in an ordinary account; the operations have the rest."""
        theme = self._theme

        def width(amounts: Iterable[int]) -> float:
            return max(width_of(format_amount(amount), theme.strong) for amount in amounts) + _CELL_GAP

        self._dates = theme.left + theme.cell_inset
        self._operations = self._dates + 58
        self._balances = theme.right - theme.cell_inset
        balances = (line.balance_minor for line in account.lines)
        self._credits = self._balances - max(72, width((account.opening_minor, account.closing_minor, *balances)))
        self._debits = self._credits - max(70, width((account.settled_minor,)))
        self._due_dates = min(self._dates + 238, self._debits - width((account.charged_minor,)) - 48)
        self._operation_width = self._due_dates - self._operations - 8

    def _head(self) -> None:
        page, theme, y = self._page, self._theme, self._y
        theme.column_titles(page, y + 5, y + _HEAD_HEIGHT, theme.content)
        for x, text in ((self._dates, "Date"), (self._operations, "Opération"), (self._due_dates, "Échéance")):
            page.text(x, y + 13, text, theme.column)
        for x, text in ((self._debits, "Débit"), (self._credits, "Crédit"), (self._balances, "Solde")):
            page.text_right(x, y + 13, text, theme.column)
        self._y += _HEAD_HEIGHT

    def _row(self, line: StatementLine) -> None:
        theme, movement = self._theme, line.movement
        texts = wrap(one_line(_operation(movement)), theme.body, self._operation_width)
        height = len(texts) * theme.body.leading + 2 * theme.row_pad
        if self._y + height > self._bottom:
            self._new_page()
            self._head()
        page, y = self._page, self._y + theme.row_pad + theme.body.size
        page.text(self._dates, y, format_french(movement.day), theme.body)
        for rank, text in enumerate(texts):
            page.text(self._operations, y + rank * theme.body.leading, text, theme.body)
        if movement.due_date is not None:
            page.text(self._due_dates, y, format_french(movement.due_date), theme.soft)
        if movement.owed_minor:
            right = self._debits if movement.owed_minor > 0 else self._credits
            page.text_right(right, y, format_amount(abs(movement.owed_minor)), theme.body)
        page.text_right(self._balances, y, format_amount(line.balance_minor), theme.body)
        self._rank += 1
        theme.row(page, self._y, self._y + height, self._rank)
        self._y += height

    def _total(self, label: str, balance_minor: int, moved: tuple[int, int] | None = None) -> None:
        theme = self._theme
        height = theme.strong.leading + 2 * theme.row_pad
        if self._y + height > self._bottom:
            self._new_page()
            self._head()
        page, y = self._page, self._y + theme.row_pad + theme.strong.size
        theme.sum_row(page, self._y, height)
        page.text(self._operations, y, label, theme.strong)
        if moved is not None:
            page.text_right(self._debits, y, format_amount(moved[0]), theme.strong)
            page.text_right(self._credits, y, format_amount(moved[1]), theme.strong)
        page.text_right(self._balances, y, format_amount(balance_minor), theme.strong)
        self._y += height

    def _ageing(self, account: CurrencyStatement) -> None:
        """Five boxes; what is overdue stands out."""
        theme = self._theme
        self._room(_AGEING + 22 + (14 if account.credit_minor else 0))
        ageing, page = account.ageing, self._page
        page.text(
            theme.left, self._y, f"Factures restant dues au {format_french(self._statement.today)}", theme.heading
        )
        self._y += 8
        boxes = (
            ("Non échu", ageing.not_due_minor),
            ("1 à 30 jours", ageing.until_30_minor),
            ("31 à 60 jours", ageing.until_60_minor),
            ("61 à 90 jours", ageing.until_90_minor),
            ("Plus de 90 jours", ageing.beyond_90_minor),
        )
        width = (theme.content - 4 * 8) / 5
        figure = theme.strong._replace(size=10)
        if any(width_of(_money(account, amount), figure) > width - 16 for _, amount in boxes):
            figure = figure._replace(size=7.5)
        for rank, (label, amount_minor) in enumerate(boxes):
            x = theme.left + rank * (width + 8)
            theme.tile(page, x, self._y, width, 44)
            page.text(x + 9, self._y + 17, label, theme.label)
            colour = theme.alert if rank and amount_minor else theme.ink
            page.text(x + 9, self._y + 34, _money(account, amount_minor), figure._replace(colour=colour))
        self._y += 44 + 16
        if ageing.overdue_minor:
            text = f"Total échu : {_money(account, ageing.overdue_minor)}"
            page.text(theme.left, self._y, text, theme.strong._replace(colour=theme.alert))
        if account.credit_minor:
            # Without it the invoices would not make the balance.
            left_minor = ageing.total_minor - account.credit_minor
            texts = (
                f"Crédit du client, non utilisé : {_money(account, -account.credit_minor)}",
                f"Solde, crédit déduit : {_money(account, left_minor)}",
            )
            for rank, text in enumerate(texts):
                page.text_right(theme.left + theme.content, self._y + rank * 14, text, theme.strong)
            self._y += 14
        self._y += 24

    def _room(self, height: float) -> None:
        if self._y + height > self._bottom:
            self._new_page()

    def _new_page(self) -> None:
        self._page = Page()
        self._pages.append(self._page)
        y, self._y = self._theme.running_head(self._page)
        title = f"Relevé de compte au {format_french(self._statement.period.last)}"
        style = self._theme.running
        self._page.text_right(self._theme.right, y, title, style)
        room = self._theme.content - width_of(title, style) - 24
        name, *cut = wrap(one_line(self._seller.display_name), style, room - width_of("…", style))
        self._page.text(self._theme.left, y, f"{name}…" if cut else name, style)

    def _lines(self, x: float, y: float, width: float, texts: list[str], style: Style) -> float:
        for text in texts:
            for line in wrap(one_line(text), style, width):
                self._page.text(x, y, line, style)
                y += style.leading
        return y


def _money(account: CurrencyStatement, amount_minor: int) -> str:
    return Tongue(currency=account.currency).money(amount_minor)


def _operation(movement: AccountMovement) -> str:
    """``Règlement par chèque – F2026-00001``; the amount of what moves nothing is told here."""
    text = _LABELS[movement.kind]
    if movement.kind in _NUMBERED:
        return f"{text} {movement.reference}"
    if movement.kind in _BY_MEANS and movement.method is not None:
        text = f"{text} {_BY[movement.method]}"
    if not movement.owed_minor:
        text = f"{text} ({format_amount(movement.amount_minor)})"
    return f"{text} – {movement.reference}" if movement.reference else text


_BY = {
    PaymentMethod.TRANSFER: "par virement",
    PaymentMethod.CHEQUE: "par chèque",
    PaymentMethod.CASH: "en espèces",
    PaymentMethod.CARD: "par carte",
    PaymentMethod.DIRECT_DEBIT: "par prélèvement",
}
