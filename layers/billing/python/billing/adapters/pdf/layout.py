"""Where everything stands on the pages of an invoice.

Blocks follow each other from top to bottom and open a page when they no longer fit. A very long line of the table may
break over pages; totals, payment and the mentions stay whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from billing.adapters.pdf import wording
from billing.adapters.pdf.fonts import REGULAR, SEMIBOLD
from billing.adapters.pdf.logo import PreparedLogo
from billing.adapters.pdf.qr import QUIET_ZONE, code_of
from billing.adapters.pdf.sheet import (
    HEIGHT,
    WIDTH,
    Colour,
    Page,
    Pattern,
    Style,
    one_line,
    width_of,
    wrap,
    wrap_parts,
)
from billing.domain.epc import transfer_code
from billing.domain.quote import QuoteDocument
from billing.domain.situation import Situation
from billing.domain.totals import ComputedLine

_INK = Colour(0.11, 0.14, 0.18)
_GREY = Colour(0.38, 0.42, 0.47)
_ACCENT = Colour(0.04, 0.36, 0.37)
_RULE = Colour(0.87, 0.89, 0.90)
_PANEL = Colour(0.955, 0.967, 0.967)
_WHITE = Colour(1, 1, 1)

_TITLE = Style(SEMIBOLD, 22, 26, _INK)
_NUMBER = Style(SEMIBOLD, 11, 15, _ACCENT)
_SELLER = Style(SEMIBOLD, 15, 18, _ACCENT)
_NAME = Style(SEMIBOLD, 9.5, 13, _INK)
_BODY = Style(REGULAR, 8.5, 12, _INK)
_STRONG = Style(SEMIBOLD, 8.5, 12, _INK)
_SOFT = Style(REGULAR, 8, 11.5, _GREY)
_LABEL = Style(SEMIBOLD, 7, 10, _GREY)
_HEADING = Style(SEMIBOLD, 7.5, 11, _ACCENT)
_SMALL = Style(REGULAR, 7, 10, _GREY)
_FOOTER = Style(REGULAR, 6.5, 9, _GREY)
_DUE_LABEL = Style(SEMIBOLD, 9.5, 13, _WHITE)
_DUE = Style(SEMIBOLD, 12.5, 16, _WHITE)

_LEFT = 45.0
_RIGHT = WIDTH - 45.0
_CONTENT = _RIGHT - _LEFT
_TOP = 40.0
_BUYER_X = 310.0  # the window of a French envelope (DL) shows what stands here
_BUYER_Y = 122.0
_COLUMN_GAP = 24.0
_BLOCK_GAP = 12.0
_CELL_GAP = 10.0
_ROW_PAD = 4.5
_LONGEST_FOOTER = 4  # lines; a longer text of the company stands once, below the mentions
_LARGE_NAME_LINES = 2
_LEAST_DESCRIPTION = 150.0
_TABLE_SIZES = (8.5, 7.5, 6.5)
_TABLE_GAP = 10.0
_UNBROKEN_NOTE = 4  # lines
_TOTALS_WIDTH = 208.0
_SUM_HEIGHT = 16.0
_PAYMENT_LEADING = 13.5
_MOST_OF_A_PANEL = 0.62
_CODE_LABEL = "Virement par QR code"
_CODE_WIDTH = 64.0  # 23 mm: half a millimetre a module, which any phone reads
_WIDEST_UNIT = 62.0
_AGREEMENT_HEIGHT = 84.0
_TALL = 0.4 * HEIGHT  # what is taller may break over pages, what is not stays whole

_TITLES = ("Quantité", "Unité", "Prix unitaire HT", "Remise", "TVA", "Total HT")
_UNIT, _DISCOUNT, _NET = 1, 3, 5


class _Column(NamedTuple):
    """A column of the table: where it ends when its cells align right, else where it begins."""

    title: list[str]
    x: float
    width: float
    right: bool


@dataclass(slots=True)
class _Row:
    """A line of the table, wrapped. ``cells`` stand on its first line; those of the unit may take several."""

    item: ComputedLine
    texts: list[tuple[str, Style]]
    unit: list[str]
    cells: list[str]

    def height(self, unit_leading: float) -> float:
        described = sum(style.leading for _, style in self.texts)
        return max(described, len(self.unit) * unit_leading) + 2 * _ROW_PAD


class InvoiceLayout:
    """Lays one document out, once; ``instead_of_code`` stands where the code of a transfer would."""

    def __init__(
        self, document: wording.PrintedDocument, logo: PreparedLogo | None, *, instead_of_code: list[str] | None = None
    ) -> None:
        self._instead_of_code = instead_of_code
        self._document = document
        self._logo = logo
        self._tongue = document.particulars.tongue
        self._title = wording.title(document)
        self._due_label = wording.due_label(document)
        own = document.seller.footer_text
        footer = wrap(own, _FOOTER, _CONTENT) if own else []
        self._closing = wrap(own, _SMALL, _CONTENT) if len(footer) > _LONGEST_FOOTER else []
        legal = wrap_parts(wording.legal_parts(document.seller, self._tongue), _FOOTER, _CONTENT)
        self._footer = legal if self._closing else [*legal, *footer]
        self._bottom = HEIGHT - 37 - len(self._footer) * _FOOTER.leading
        self._pages: list[Page] = []
        self._y = _TOP
        self._carried_minor = 0
        self._page_has_rows = False
        self._cells = [wording.line_cells(item, self._tongue) for item in document.totals.lines]
        self._measure_table()

    def pages(self) -> list[Page]:
        self._first_page()
        self._table()
        self._totals()
        self._payment()
        if isinstance(self._document, QuoteDocument):
            self._agreement(self._document)
        elif self._document.situation is not None:
            self._situation(self._document.situation)
        self._notes()
        self._mentions()
        for rank, page in enumerate(self._pages, start=1):
            self._finish(page, f"Page {rank}/{len(self._pages)}")
        return self._pages

    @property
    def _page(self) -> Page:
        return self._pages[-1]

    # Pages

    def _first_page(self) -> None:
        self._pages.append(Page())
        below_title = max(self._heading(), _BUYER_Y)
        seller = self._seller(self._sign())
        self._y = max(seller, self._buyer(below_title)) + _BLOCK_GAP
        self._facts()
        self._introduction()

    def _next_page(self) -> None:
        """Further pages repeat who issues which document."""
        self._pages.append(Page())
        name = one_line(self._document.seller.display_name)
        title = f"{self._title} {self._document.number}"
        self._page.text_right(_RIGHT, _TOP, title, _STRONG)
        room = _CONTENT - width_of(title, _STRONG) - _COLUMN_GAP
        shown, *cut = wrap(name, _STRONG, room - width_of("…", _STRONG))
        self._page.text(_LEFT, _TOP, f"{shown}…" if cut else shown, _STRONG)
        self._page.box(_LEFT, _TOP + 8, _CONTENT, 0.6, _RULE)
        self._y = _TOP + 26
        self._page_has_rows = False

    def _ensure(self, height: float) -> None:
        """Open a page unless this much room is left on the current one."""
        if self._y + height > self._bottom:
            self._next_page()

    def _finish(self, page: Page, numbering: str) -> None:
        y = self._bottom + 9
        page.box(_LEFT, y, _CONTENT, 0.6, _RULE)
        y += 12
        for text in self._footer:
            page.text(_LEFT + (_CONTENT - width_of(text, _FOOTER)) / 2, y, text, _FOOTER)
            y += _FOOTER.leading
        page.text(_LEFT, y + 2, self._document.number, _FOOTER)
        page.text_right(_RIGHT, y + 2, numbering, _FOOTER)

    # Head of the first page

    def _heading(self) -> float:
        """Title and number on the right; returns where the buyer may begin."""
        self._page.text(_BUYER_X, _TOP + 17, self._title, _TITLE)
        return self._lines(_BUYER_X, _TOP + 17 + 18, _RIGHT - _BUYER_X, [self._document.number], _NUMBER) + 6

    def _sign(self) -> float:
        """Logo or name on the left; returns where the seller may begin."""
        if self._logo is not None:
            self._page.logo = (_LEFT, _TOP, self._logo)
            return _TOP + self._logo.height + 8
        y = _TOP + 17
        width = _BUYER_X - _LEFT - _COLUMN_GAP
        style = _SELLER
        name = self._document.seller.display_name
        if len(wrap(one_line(name), style, width)) > _LARGE_NAME_LINES:
            style = _NAME
        return self._lines(_LEFT, y, width, [name], style)

    def _seller(self, top: float) -> float:
        seller = self._document.seller
        width = _BUYER_X - _LEFT - _COLUMN_GAP
        y = self._block(_LEFT, top, width, self._tongue.say("Émetteur"), [(seller.display_name, _NAME)])
        y = self._lines(_LEFT, y, width, wording.seller_lines(seller, self._tongue), _SOFT)
        for parts in (wording.seller_identifiers(seller, self._tongue), wording.seller_contacts(seller)):
            y = self._lines(_LEFT, y, width, wrap_parts(parts, _SOFT, width), _SOFT)
        return y

    def _buyer(self, top: float) -> float:
        buyer = self._document.buyer
        width = _RIGHT - _BUYER_X
        y = self._block(_BUYER_X, top, width, wording.buyer_title(self._document), [(buyer.name, _NAME)])
        y = self._lines(_BUYER_X, y, width, wording.buyer_lines(buyer), _BODY)
        y = self._lines(_BUYER_X, y + 2, width, wording.buyer_identifiers(buyer, self._tongue), _SOFT)
        delivery = buyer.delivery_address
        if delivery is not None and delivery != buyer.billing_address:
            name = self._document.particulars.delivery_name
            y = self._block(_BUYER_X, y + 8, width, self._tongue.say("Livré à"), [(name, _SOFT)] if name else [])
            y = self._lines(_BUYER_X, y, width, wording.address_lines(delivery), _SOFT)
        return y

    def _block(self, x: float, top: float, width: float, heading: str, texts: list[tuple[str, Style]]) -> float:
        self._page.text(x, top + 8, heading, _HEADING)
        y = top + 8 + 14
        for text, style in texts:
            y = self._lines(x, y, width, [text], style)
        return y

    def _lines(self, x: float, y: float, width: float, texts: list[str], style: Style) -> float:
        for text in texts:
            for line in wrap(one_line(text), style, width):
                self._page.text(x, y, line, style)
                y += style.leading
        return y

    def _facts(self) -> None:
        """A band with the dates and, largest, the amount due."""
        due = self._tongue.money(wording.payable_minor(self._document))
        found = wording.facts(self._document)
        due_width = max(width_of(due, _DUE), *(width_of(label, _LABEL) for label in self._due_label)) + 28
        each = (_CONTENT - due_width - 14) / len(found)
        cells = [
            (wrap(label, _LABEL, each - _CELL_GAP), wrap(value, _STRONG, each - _CELL_GAP)) for label, value in found
        ]
        labels = max(len(label) for label, _ in cells)
        height = 20 + labels * _LABEL.leading + max(len(value) for _, value in cells) * _STRONG.leading
        self._ensure(height)
        self._page.box(_LEFT, self._y, _CONTENT, height, _PANEL, radius=4)
        self._page.box(_RIGHT - due_width, self._y, due_width, height, _ACCENT, radius=4)
        x = _LEFT + 14
        for label, value in cells:
            y = self._y + 17
            for text in label:
                self._page.text(x, y, text, _LABEL)
                y += _LABEL.leading
            y = self._y + 19 + labels * _LABEL.leading
            for text in value:
                self._page.text(x, y, text, _STRONG)
                y += _STRONG.leading
            x += each
        middle = self._y + height / 2
        y = middle - 4 - (len(self._due_label) - 1) * _LABEL.leading / 2
        for named in self._due_label:
            self._page.text_right(_RIGHT - 14, y, named, _LABEL._replace(colour=_WHITE))
            y += _LABEL.leading
        self._page.text_right(_RIGHT - 14, y + 6, due, _DUE)
        self._y += height + _BLOCK_GAP

    def _introduction(self) -> None:
        """The buyer's references, then what the seller says before the lines."""
        lines = [(text, _SOFT) for text in wrap_parts(wording.references(self._document), _SOFT, _CONTENT)]
        said = self._document.particulars.header_text
        lines += [(text, _BODY) for text in wrap(said, _BODY, _CONTENT)] if said.strip() else []
        for text, style in lines:
            self._ensure(style.leading)
            self._page.text(_LEFT, self._y + style.size, text, style)
            self._y += style.leading
        self._y += _BLOCK_GAP if lines else 0

    # Table of lines

    def _table(self) -> None:
        rows = [self._row(item, cells) for item, cells in zip(self._document.totals.lines, self._cells, strict=True)]
        self._ensure(3 * self._body.leading + 60)
        self._table_head()
        closing = self._totals_height()
        for rank, row in enumerate(rows, start=1):
            is_last = rank == len(rows)
            self._place(row, below=closing if is_last else self._carry_height)
        self._page.box(_LEFT, self._y - 0.4, _CONTENT, 0.8, _ACCENT)
        self._y += _TABLE_GAP

    def _measure_table(self) -> None:
        """Choose the largest type at which the figures leave room for the descriptions."""
        widths: list[float] = []
        description = 0.0
        for size in _TABLE_SIZES:
            self._body = _BODY._replace(size=size, leading=size + 3.5)
            self._strong = self._body._replace(font=SEMIBOLD)
            widths = self._column_widths()
            description = _CONTENT - sum(widths) - _CELL_GAP * len([width for width in widths if width])
            if description >= _LEAST_DESCRIPTION:
                break
        self._detail = self._body._replace(size=self._body.size - 1, leading=self._body.leading - 1.5, colour=_GREY)
        self._description_width = description
        self._columns: list[tuple[int, _Column]] = []
        x = _LEFT + description
        for position, (title, width) in enumerate(zip(_TITLES, widths, strict=True)):
            if width:
                x += _CELL_GAP
                right = position != _UNIT
                self._columns.append(
                    (position, _Column(self._tongue.lines(title), x + width if right else x, width, right))
                )
                x += width

    def _column_widths(self) -> list[float]:
        """What each column needs; nothing for discounts when there is none."""
        widths = [
            max(
                *(width_of(text, _LABEL) for text in self._tongue.lines(title)),
                *(width_of(cells[position], self._body) for cells in self._cells),
            )
            for position, title in enumerate(_TITLES)
        ]
        widths[_UNIT] = min(widths[_UNIT], _WIDEST_UNIT)
        widths[_NET] = max(widths[_NET], width_of(self._tongue.amount(self._document.totals.lines_minor), self._strong))
        if not any(cells[_DISCOUNT] for cells in self._cells):
            widths[_DISCOUNT] = 0.0
        return widths

    def _row(self, item: ComputedLine, cells: list[str]) -> _Row:
        texts = [(text, self._body) for text in wrap(item.line.description, self._body, self._description_width)]
        details = wording.line_details(item, self._tongue)
        if details:
            texts += [(text, self._detail) for text in wrap(details, self._detail, self._description_width)]
        unit_width = next(column.width for position, column in self._columns if position == _UNIT)
        return _Row(item=item, texts=texts, unit=wrap(cells[_UNIT], self._body, unit_width), cells=cells)

    @property
    def _carry_height(self) -> float:
        return self._body.leading + 2 * _ROW_PAD

    def _table_head(self) -> None:
        heads = [(self._tongue.lines("Désignation"), _LEFT, False)]
        heads += [(column.title, column.x, column.right) for _, column in self._columns]
        for title, x, right in heads:
            for rank, text in enumerate(title):
                y = self._y + 8 + rank * _LABEL.leading
                if right:
                    self._page.text_right(x, y, text, _LABEL)
                else:
                    self._page.text(x, y, text, _LABEL)
        self._y += 16 + (max(len(title) for title, *_ in heads) - 1) * _LABEL.leading
        self._page.box(_LEFT, self._y - 0.4, _CONTENT, 0.8, _ACCENT)

    def _place(self, row: _Row, *, below: float) -> None:
        """Draw a row; ``below`` is the room that must stay free under it."""
        height = row.height(self._body.leading)
        if self._y + height + below > self._bottom:
            room = self._bottom - self._carry_height - self._y
            splits = height > _TALL and room > 6 * self._body.leading
            if not splits and self._page_has_rows:
                self._carry_over()
        self._figures(row)
        self._carried_minor += row.item.net_minor
        self._texts(row)
        self._page_has_rows = True
        self._page.box(_LEFT, self._y - 0.3, _CONTENT, 0.6, _RULE)

    def _figures(self, row: _Row) -> None:
        y = self._y + _ROW_PAD + self._body.size
        for position, column in self._columns:
            if position == _UNIT:
                for rank, text in enumerate(row.unit):
                    self._page.text(column.x, y + rank * self._body.leading, text, self._body)
            else:
                style = self._strong if position == _NET else self._body
                self._page.text_right(column.x, y, row.cells[position], style)

    def _texts(self, row: _Row) -> None:
        """The description, over as many pages as it takes."""
        page = self._page
        floor = self._y + _ROW_PAD + len(row.unit) * self._body.leading
        self._y += _ROW_PAD
        for text, style in row.texts:
            if self._y + style.leading + _ROW_PAD > self._bottom - self._carry_height:
                self._carry_over()
                self._y += _ROW_PAD
            self._page.text(_LEFT, self._y + style.size, text, style)
            self._y += style.leading
        if self._page is page:
            self._y = max(self._y, floor)
        self._y += _ROW_PAD

    def _carry_over(self) -> None:
        """Close the table with what it came to, and go on from there on the next page."""
        self._carried(self._tongue.say("À reporter"))
        self._next_page()
        self._table_head()
        self._carried(self._tongue.say("Report"))
        self._page.box(_LEFT, self._y - 0.3, _CONTENT, 0.6, _RULE)

    def _carried(self, label: str) -> None:
        y = self._y + _ROW_PAD + self._body.size
        column = self._columns[-1][1]
        amount = self._tongue.amount(self._carried_minor)
        style = self._strong._replace(colour=_GREY)
        self._page.text_right(column.x - width_of(amount, style) - _CELL_GAP, y, label, style)
        self._page.text_right(column.x, y, amount, style)
        self._y += self._carry_height

    # Totals

    def _totals_height(self) -> float:
        """Room for the sums, and for the VAT groups unless they are so many that they may break."""
        sums = sum(_SUM_HEIGHT + (len(label) - 1) * _BODY.leading for label, *_ in self._sum_rows()) + 31
        return min(max(sums, self._vat_height()), _TALL) + _TABLE_GAP

    def _sum_rows(self) -> list[tuple[list[str], str, Style]]:
        rows = []
        for label, amount in wording.totals(self._document):
            style = _STRONG if label == wording.total_label(self._document) else _BODY
            room = _TOTALS_WIDTH - width_of(amount, style) - _CELL_GAP
            rows.append((wrap(label, style, room), amount, style))
        return rows

    def _vat_height(self) -> float:
        more = (len(self._tongue.lines("Taux de TVA")) - 1) * _LABEL.leading
        return 22 + more + sum(self._vat_row_height(wordings) for *_, wordings in self._vat_rows())

    def _totals(self) -> None:
        """VAT per rate on the left, sums on the right, the amount due last and largest."""
        self._ensure(self._totals_height() - _TABLE_GAP)
        top, page = self._y, self._page
        sums = self._sums(top)
        self._vat(top)
        self._y = (max(self._y, sums) if page is self._page else self._y) + _BLOCK_GAP

    def _sums(self, top: float) -> float:
        page = self._page
        x = _RIGHT - _TOTALS_WIDTH
        y = top + 9
        for label, amount, style in self._sum_rows():
            for rank, text in enumerate(label):
                y += style.leading if rank else 0
                page.text(x, y, text, style)
            page.text_right(_RIGHT, y, amount, style)
            y += _SUM_HEIGHT
        page.box(x, y - 8, _TOTALS_WIDTH, 30, _ACCENT, radius=4)
        style = _DUE_LABEL if len(self._due_label) == 1 else _LABEL._replace(colour=_WHITE)
        baseline = y + 10.5 - (len(self._due_label) - 1) * style.leading / 2
        for rank, named in enumerate(self._due_label):
            page.text(x + 12, baseline + rank * style.leading, named, style)
        page.text_right(_RIGHT - 12, y + 11.5, self._tongue.money(wording.payable_minor(self._document)), _DUE)
        return y + 22

    def _vat_rows(self) -> list[tuple[str, str, str, list[str]]]:
        rows = []
        for group in self._document.totals.vat_breakdown:
            reason = [
                line
                for text in wording.vat_reasons(group.vat, self._tongue)
                for line in wrap(text, _SMALL, self._vat_width)
            ]
            rows.append(
                (
                    wording.vat_group(group.vat, self._tongue),
                    self._tongue.amount(group.taxable_minor),
                    self._tongue.amount(group.vat_minor),
                    reason,
                )
            )
        return rows

    @property
    def _vat_width(self) -> float:
        return _CONTENT - _TOTALS_WIDTH - 40

    def _vat_row_height(self, reason: list[str]) -> float:
        return 16 + len(reason) * _SMALL.leading + (3 if reason else 0)

    def _vat(self, top: float) -> None:
        self._y = top
        self._vat_head()
        for rate, taxable, vat, reason in self._vat_rows():
            if self._y + self._vat_row_height(reason) > self._bottom:
                self._next_page()
                self._vat_head()
            y = self._y + 12
            self._vat_cells(y, rate, taxable, vat, _BODY)
            for text in reason:
                y += _SMALL.leading
                self._page.text(_LEFT, y, text, _SMALL)
            self._y += self._vat_row_height(reason)
            self._page.box(_LEFT, self._y, self._vat_width, 0.6, _RULE)

    def _vat_head(self) -> None:
        rates, bases, amounts = (self._tongue.lines(title) for title in ("Taux de TVA", "Base HT", "Montant de TVA"))
        for rate, base, amount in zip(rates, bases, amounts, strict=True):
            self._vat_cells(self._y + 8, rate, base, amount, _LABEL)
            self._y += _LABEL.leading
        self._y += 16 - _LABEL.leading
        self._page.box(_LEFT, self._y - 0.4, self._vat_width, 0.8, _ACCENT)

    def _vat_cells(self, y: float, rate: str, taxable: str, vat: str, style: Style) -> None:
        self._page.text(_LEFT, y, rate, style)
        self._page.text_right(_LEFT + self._vat_width * 0.62, y, taxable, style)
        self._page.text_right(_LEFT + self._vat_width, y, vat, style)

    # What follows the totals

    def _payment(self) -> None:
        """When to pay on the left, where to on the right."""
        columns = wording.payment_columns(self._document)
        code = None if isinstance(self._document, QuoteDocument) else transfer_code(self._document)
        code_height = _CODE_WIDTH + 15 + len(self._tongue.lines(_CODE_LABEL)) * _FOOTER.leading if code else 0.0
        widths = _shared(_CONTENT - 28 - (_CODE_WIDTH if code else 0), columns[1])
        placed = []
        height = 0.0
        for rank, rows in enumerate(columns):
            x = _LEFT + 14 + rank * widths[0]
            label_width = max((width_of(label, _SOFT) for label, _ in rows), default=0.0) + 10
            y = 0.0
            for label, value in rows:
                placed.append((x, y, label, _SOFT))
                for text in wrap(value, _STRONG, widths[rank] - label_width - _CELL_GAP):
                    placed.append((x + label_width, y, text, _STRONG))
                    y += _PAYMENT_LEADING
            height = max(height, y)
        height = max(height + 28, code_height)
        self._ensure(height)
        self._page.box(_LEFT, self._y, _CONTENT, height, _PANEL, radius=4)
        if code:
            self._code(code, _RIGHT - 14 - _CODE_WIDTH, self._y + 10)
        title = wording.payment_title(self._document)
        self._page.text(_LEFT + 14, self._y + 15, title, _HEADING)
        for x, y, text, style in placed:
            self._page.text(x, self._y + 30 + y, text, style)
        self._y += height + _BLOCK_GAP

    def _code(self, text: str, x: float, y: float) -> None:
        """What a banking app reads, on white, with what it is for below."""
        if self._instead_of_code is not None:
            self._no_code(self._instead_of_code, x, y)
            return
        code = code_of(text)
        module = _CODE_WIDTH / (code.size + 2 * QUIET_ZONE)
        self._page.box(x, y, _CODE_WIDTH, _CODE_WIDTH, _WHITE)
        self._page.pattern = Pattern(x + QUIET_ZONE * module, y + QUIET_ZONE * module, module, code)
        for rank, said in enumerate(self._tongue.lines(_CODE_LABEL)):
            below = y + _CODE_WIDTH + 8 + rank * _FOOTER.leading
            self._page.text(x + (_CODE_WIDTH - width_of(said, _FOOTER)) / 2, below, said, _FOOTER)

    def _no_code(self, said: list[str], x: float, y: float) -> None:
        """Why there is none, in its place: the page is laid out as the one that has it."""
        lines = [line for text in said for line in wrap(text, _FOOTER, _CODE_WIDTH - 8)]
        self._page.box(x, y, _CODE_WIDTH, _CODE_WIDTH, _WHITE)
        y += (_CODE_WIDTH - len(lines) * _FOOTER.leading) / 2 + _FOOTER.size
        for line in lines:
            self._page.text(x + (_CODE_WIDTH - width_of(line, _FOOTER)) / 2, y, line, _FOOTER)
            y += _FOOTER.leading

    def _agreement(self, document: QuoteDocument) -> None:
        """Where the customer signs; paper and link are worth the same."""
        self._ensure(_AGREEMENT_HEIGHT)
        self._page.box(_LEFT, self._y, _CONTENT, _AGREEMENT_HEIGHT, _RULE, radius=4)
        self._page.box(_LEFT + 0.8, self._y + 0.8, _CONTENT - 1.6, _AGREEMENT_HEIGHT - 1.6, _WHITE, radius=3.4)
        self._page.text(_LEFT + 14, self._y + 16, "Bon pour accord", _HEADING)
        y = self._y + 30
        for text in wording.agreement(document):
            for line in wrap(text, _SOFT, _CONTENT / 2 - 28):
                self._page.text(_LEFT + 14, y, line, _SOFT)
                y += _SOFT.leading
        for rank, label in enumerate(("Date", "Nom et qualité", "Signature")):
            y = self._y + 20 + rank * 22
            self._page.text(_LEFT + _CONTENT / 2, y, self._tongue.lines(label)[0], _LABEL)
            self._page.box(_LEFT + _CONTENT / 2 + 66, y + 2, _CONTENT / 2 - 80, 0.6, _RULE)
        self._y += _AGREEMENT_HEIGHT + _BLOCK_GAP

    def _situation(self, situation: Situation) -> None:
        """What of each line of the quote is done: its worth, what was billed before, what is billed now."""
        rows = wording.situation_rows(situation, self._tongue)
        several = len(rows) > 1
        sums = wording.situation_sums(situation, self._tongue)
        widths = self._situation_widths([cells for _, cells in rows] + [sums])
        room = _CONTENT - sum(widths) - _CELL_GAP * len(widths)
        self._ensure(64)
        self._page.text(_LEFT, self._y + 6, wording.situation_title(situation, self._tongue), _HEADING)
        self._y += 16
        self._situation_head(widths)
        for label, cells in rows:
            texts = wrap(one_line(label), _BODY, room)
            height = len(texts) * _BODY.leading + 6
            if self._y + height > self._bottom:
                self._next_page()
                self._situation_head(widths)
            for rank, text in enumerate(texts):
                self._page.text(_LEFT, self._y + 11.5 + rank * _BODY.leading, text, _BODY)
            self._situation_cells(self._y + 11.5, cells, widths, _BODY)
            self._y += height
            self._page.box(_LEFT, self._y - 0.3, _CONTENT, 0.6, _RULE)
        if several:
            self._ensure(17)
            self._page.text(_LEFT, self._y + 11.5, self._tongue.say("Total"), _STRONG)
            self._situation_cells(self._y + 11.5, sums, widths, _STRONG)
            self._y += 17
        self._y += _BLOCK_GAP

    def _situation_widths(self, rows: list[list[str]]) -> list[float]:
        return [
            max(
                *(width_of(text, _LABEL) for text in self._tongue.lines(title)),
                *(width_of(cells[place], _STRONG) for cells in rows),
            )
            for place, title in enumerate(wording.SITUATION_TITLES)
        ]

    def _situation_head(self, widths: list[float]) -> None:
        titles = [self._tongue.lines(title) for title in wording.SITUATION_TITLES]
        work = self._tongue.lines("Ouvrage")
        for rank in range(max(len(title) for title in titles)):
            if rank < len(work):
                self._page.text(_LEFT, self._y + 8, work[rank], _LABEL)
            cells = [title[rank] if rank < len(title) else "" for title in titles]
            self._situation_cells(self._y + 8, cells, widths, _LABEL)
            self._y += _LABEL.leading
        self._y += 4
        self._page.box(_LEFT, self._y - 0.4, _CONTENT, 0.8, _ACCENT)

    def _situation_cells(self, y: float, cells: list[str], widths: list[float], style: Style) -> None:
        x = _RIGHT - sum(widths) - _CELL_GAP * (len(widths) - 1)
        for text, width in zip(cells, widths, strict=True):
            x += width
            if text:
                self._page.text_right(x, y, text, style)
            x += _CELL_GAP

    def _notes(self) -> None:
        if not self._document.notes.strip():
            return
        lines = wrap(self._document.notes, _BODY, _CONTENT)
        self._ensure(15 + min(len(lines), _UNBROKEN_NOTE) * _BODY.leading)
        self._page.text(_LEFT, self._y + 6, self._tongue.say("Notes"), _HEADING)
        self._y += 14
        for text in lines:
            self._ensure(_BODY.leading)
            self._page.text(_LEFT, self._y + 8, text, _BODY)
            self._y += _BODY.leading
        self._y += 6

    def _mentions(self) -> None:
        """All of them on one page, but for those that stand with their VAT group already."""
        mentions = wording.printed_mentions(self._document)
        mentions = [*wording.exchange_lines(self._document), *mentions]
        self._small([line for text in mentions for line in wrap(text, _SMALL, _CONTENT)])
        self._small(self._closing)
        last = self._document.particulars.footer_text
        self._small(wrap(last, _SMALL, _CONTENT) if last.strip() else [])

    def _small(self, lines: list[str]) -> None:
        self._ensure(min(len(lines) * _SMALL.leading, _TALL))
        for text in lines:
            self._ensure(_SMALL.leading)
            self._page.text(_LEFT, self._y + 7, text, _SMALL)
            self._y += _SMALL.leading


def _shared(width: float, rows: list[tuple[str, str]]) -> tuple[float, float]:
    """Half to each of two columns, or more to the second where its rows would not fit: an IBAN stays in one piece."""
    labels = max((width_of(label, _SOFT) for label, _ in rows), default=0.0)
    values = max((width_of(value, _STRONG) for _, value in rows), default=0.0)
    second = min(max(width / 2, labels + values + 10 + _CELL_GAP + 1), _MOST_OF_A_PANEL * width)
    return width - second, second
