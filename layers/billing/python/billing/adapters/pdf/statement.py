"""A statement of account: a table per currency over as many pages as it takes, and what is overdue by age."""

from __future__ import annotations

import hashlib
from datetime import datetime, time, timedelta

from billing.adapters.pdf import archive, wording
from billing.adapters.pdf.archive import Archival
from billing.adapters.pdf.fonts import REGULAR, SEMIBOLD
from billing.adapters.pdf.logo import PreparedLogo, prepare_logo
from billing.adapters.pdf.sheet import HEIGHT, WIDTH, Colour, Page, Style, draw, one_line, wrap, wrap_parts
from billing.domain.canonical import canonical_json
from billing.domain.currency import EURO
from billing.domain.customer_account import AccountMovement, CurrencyStatement, MovementKind, Statement, StatementLine
from billing.domain.dates import PARIS, format_french
from billing.domain.ledger import PaymentMethod
from billing.domain.tongue import Tongue
from billing.domain.typography import format_amount

_INK, _GREY = Colour(0.11, 0.14, 0.18), Colour(0.38, 0.42, 0.47)
_ACCENT, _RULE = Colour(0.04, 0.36, 0.37), Colour(0.87, 0.89, 0.90)
_PANEL, _WHITE, _ALERT = Colour(0.955, 0.967, 0.967), Colour(1, 1, 1), Colour(0.70, 0.18, 0.12)
_TITLE = Style(SEMIBOLD, 22, 26, _INK)
_SELLER = Style(SEMIBOLD, 15, 18, _ACCENT)
_NAME = Style(SEMIBOLD, 9.5, 13, _INK)
_BODY = Style(REGULAR, 8.5, 11.5, _INK)
_STRONG = Style(SEMIBOLD, 8.5, 11.5, _INK)
_SOFT = Style(REGULAR, 8, 11.5, _GREY)
_LABEL = Style(SEMIBOLD, 7, 10, _GREY)
_HEADING = Style(SEMIBOLD, 7.5, 11, _ACCENT)
_HEAD = Style(SEMIBOLD, 7.5, 11, _WHITE)
_FOOTER = Style(REGULAR, 6.5, 9, _GREY)
_AMOUNT = Style(SEMIBOLD, 15, 18, _WHITE)
_FIGURE = Style(SEMIBOLD, 10, 13, _INK)
_LEFT, _RIGHT, _TOP = 45.0, WIDTH - 45.0, 40.0
_CONTENT = _RIGHT - _LEFT
_MIDDLE = 310.0
_BAND, _HEAD_HEIGHT, _ROW_PAD, _AGEING = 58.0, 21.0, 5.0, 66.0
_DATE_X, _TEXT_X, _DUE_X = _LEFT + 8, _LEFT + 66, _LEFT + 246
_DEBIT_RIGHT, _CREDIT_RIGHT, _BALANCE_RIGHT = _RIGHT - 150, _RIGHT - 80, _RIGHT - 8
_TEXT_WIDTH = _DUE_X - _TEXT_X - 8
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
        pages = _Sheets(statement, prepare_logo(logo) if logo is not None else None).pages()
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


class _Sheets:
    def __init__(self, statement: Statement, logo: PreparedLogo | None) -> None:
        self._statement = statement
        self._seller = statement.company.description
        self._logo = logo
        self._footer = wrap_parts(wording.legal_parts(self._seller), _FOOTER, _CONTENT)
        self._bottom = HEIGHT - 28 - len(self._footer) * _FOOTER.leading - 18
        self._page = Page()
        self._pages = [self._page]
        self._y = _TOP

    def pages(self) -> list[Page]:
        self._heading()
        self._band()
        for account in self._statement.accounts:
            self._account(account)
        for rank, page in enumerate(self._pages, start=1):
            y = HEIGHT - 28 - len(self._footer) * _FOOTER.leading
            page.box(_LEFT, y - 12, _CONTENT, 0.6, _RULE)
            for text in self._footer:
                page.text(_LEFT, y, text, _FOOTER)
                y += _FOOTER.leading
            if len(self._pages) > 1:
                page.text_right(_RIGHT, HEIGHT - 28, f"Page {rank}/{len(self._pages)}", _FOOTER)
        return self._pages

    def _heading(self) -> None:
        page, seller, customer = self._page, self._seller, self._statement.customer.description
        page.text(_MIDDLE, _TOP + 17, "Relevé", _TITLE)
        page.text(_MIDDLE, _TOP + 35, "de compte", _STRONG)
        y = _TOP + 17
        if self._logo is not None:
            page.logo = (_LEFT, _TOP, self._logo)
            y = _TOP + self._logo.height + 20
        width = _MIDDLE - _LEFT - 24
        y = self._lines(_LEFT, y, width, [seller.display_name], _SELLER)
        y = self._lines(_LEFT, y + 4, width, wording.seller_lines(seller), _SOFT)
        y = self._lines(_LEFT, y, width, wrap_parts(wording.seller_identifiers(seller), _SOFT, width), _SOFT)
        page.text(_MIDDLE, _TOP + 66, "Client", _HEADING)
        beside = self._lines(_MIDDLE, _TOP + 81, _RIGHT - _MIDDLE, [customer.name], _NAME)
        beside = self._lines(_MIDDLE, beside, _RIGHT - _MIDDLE, wording.buyer_lines(customer), _SOFT)
        self._y = max(y, beside) + 18

    def _band(self) -> None:
        page, period, y = self._page, self._statement.period, self._y
        account = self._statement.accounts[0]
        days = f"du {format_french(period.first)} au {format_french(period.last)}"
        facts = [("Période", days), ("Établi le", format_french(self._statement.today))]
        page.box(_LEFT, y, _CONTENT, _BAND, _PANEL, radius=4)
        page.box(_RIGHT - 160, y, 160, _BAND, _ACCENT, radius=4)
        for rank, (label, value) in enumerate(facts):
            page.text(_LEFT + 14 + rank * 190, y + 22, label, _LABEL)
            page.text(_LEFT + 14 + rank * 190, y + 38, value, _STRONG)
        favour = account.closing_minor < 0
        label = "Solde en votre faveur" if favour else f"Solde dû au {format_french(period.last)}"
        page.text_right(_RIGHT - 14, y + 20, label, _LABEL._replace(colour=_WHITE))
        page.text_right(_RIGHT - 14, y + 42, _money(account, abs(account.closing_minor)), _AMOUNT)
        self._y += _BAND + 24

    def _account(self, account: CurrencyStatement) -> None:
        period = self._statement.period
        self._room(_HEAD_HEIGHT + 80)
        if len(self._statement.accounts) > 1:
            name = "Compte en euros" if account.currency == EURO else f"Compte en {account.currency}"
            self._page.text(_LEFT, self._y, name, _HEADING)
            self._y += 9
        self._head()
        self._total(f"Solde au {format_french(period.first - _DAY)}", account.opening_minor)
        for line in account.lines:
            self._row(line)
        if not account.lines:
            self._page.text(_TEXT_X, self._y + 15, "Aucun mouvement pendant la période.", _SOFT)
            self._y += 24
        closing = (account.charged_minor, account.settled_minor)
        self._total(f"Solde au {format_french(period.last)}", account.closing_minor, closing)
        self._y += 24
        self._ageing(account)

    def _head(self) -> None:
        page, y = self._page, self._y
        page.box(_LEFT, y, _CONTENT, _HEAD_HEIGHT, _ACCENT, radius=3)
        for x, text in ((_DATE_X, "Date"), (_TEXT_X, "Opération"), (_DUE_X, "Échéance")):
            page.text(x, y + 14, text, _HEAD)
        for x, text in ((_DEBIT_RIGHT, "Débit"), (_CREDIT_RIGHT, "Crédit"), (_BALANCE_RIGHT, "Solde")):
            page.text_right(x, y + 14, text, _HEAD)
        self._y += _HEAD_HEIGHT

    def _row(self, line: StatementLine) -> None:
        movement = line.movement
        texts = wrap(one_line(_operation(movement)), _BODY, _TEXT_WIDTH)
        height = len(texts) * _BODY.leading + 2 * _ROW_PAD
        if self._y + height > self._bottom:
            self._new_page()
            self._head()
        page, y = self._page, self._y + _ROW_PAD + _BODY.size
        page.text(_DATE_X, y, format_french(movement.day), _BODY)
        for rank, text in enumerate(texts):
            page.text(_TEXT_X, y + rank * _BODY.leading, text, _BODY)
        if movement.due_date is not None:
            page.text(_DUE_X, y, format_french(movement.due_date), _SOFT)
        if movement.owed_minor:
            right = _DEBIT_RIGHT if movement.owed_minor > 0 else _CREDIT_RIGHT
            page.text_right(right, y, format_amount(abs(movement.owed_minor)), _BODY)
        page.text_right(_BALANCE_RIGHT, y, format_amount(line.balance_minor), _BODY)
        self._y += height
        page.box(_LEFT, self._y, _CONTENT, 0.6, _RULE)

    def _total(self, label: str, balance_minor: int, moved: tuple[int, int] | None = None) -> None:
        height = _STRONG.leading + 2 * _ROW_PAD
        if self._y + height > self._bottom:
            self._new_page()
            self._head()
        page, y = self._page, self._y + _ROW_PAD + _STRONG.size
        page.box(_LEFT, self._y, _CONTENT, height, _PANEL)
        page.text(_TEXT_X, y, label, _STRONG)
        if moved is not None:
            page.text_right(_DEBIT_RIGHT, y, format_amount(moved[0]), _STRONG)
            page.text_right(_CREDIT_RIGHT, y, format_amount(moved[1]), _STRONG)
        page.text_right(_BALANCE_RIGHT, y, format_amount(balance_minor), _STRONG)
        self._y += height

    def _ageing(self, account: CurrencyStatement) -> None:
        """Five boxes; what is overdue stands out."""
        self._room(_AGEING + 22 + (14 if account.credit_minor else 0))
        ageing, page = account.ageing, self._page
        page.text(_LEFT, self._y, f"Factures restant dues au {format_french(self._statement.today)}", _HEADING)
        self._y += 8
        boxes = (
            ("Non échu", ageing.not_due_minor),
            ("1 à 30 jours", ageing.until_30_minor),
            ("31 à 60 jours", ageing.until_60_minor),
            ("61 à 90 jours", ageing.until_90_minor),
            ("Plus de 90 jours", ageing.beyond_90_minor),
        )
        width = (_CONTENT - 4 * 8) / 5
        for rank, (label, amount_minor) in enumerate(boxes):
            x = _LEFT + rank * (width + 8)
            page.box(x, self._y, width, 44, _PANEL, radius=4)
            page.text(x + 9, self._y + 17, label, _LABEL)
            colour = _ALERT if rank and amount_minor else _INK
            page.text(x + 9, self._y + 34, _money(account, amount_minor), _FIGURE._replace(colour=colour))
        self._y += 44 + 16
        if ageing.overdue_minor:
            text = f"Total échu : {_money(account, ageing.overdue_minor)}"
            page.text(_LEFT, self._y, text, _STRONG._replace(colour=_ALERT))
        if account.credit_minor:
            # Without it the invoices would not make the balance.
            left_minor = ageing.total_minor - account.credit_minor
            texts = (
                f"Crédit du client, non utilisé : {_money(account, -account.credit_minor)}",
                f"Solde, crédit déduit : {_money(account, left_minor)}",
            )
            for rank, text in enumerate(texts):
                page.text_right(_LEFT + _CONTENT, self._y + rank * 14, text, _STRONG)
            self._y += 14
        self._y += 24

    def _room(self, height: float) -> None:
        if self._y + height > self._bottom:
            self._new_page()

    def _new_page(self) -> None:
        self._page = Page()
        self._pages.append(self._page)
        self._y = _TOP

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
