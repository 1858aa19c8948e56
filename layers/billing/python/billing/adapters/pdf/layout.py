"""Where everything stands on the pages of an invoice.

Blocks follow each other from top to bottom and open a page when they no longer fit. A very long line of the table may
break over pages; totals, payment and the mentions stay whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from billing.adapters.pdf import wording
from billing.adapters.pdf.fitting import FITTING, Closing, Drawn, head_titles, tighter
from billing.adapters.pdf.fonts import SEMIBOLD
from billing.adapters.pdf.letterhead import draw_letterhead, draw_seller
from billing.adapters.pdf.logo import PreparedLogo
from billing.adapters.pdf.qr import QUIET_ZONE, code_of
from billing.adapters.pdf.sheet import (
    HEIGHT,
    Address,
    Page,
    Pattern,
    Style,
    one_line,
    width_of,
    wrap,
    wrap_parts,
)
from billing.adapters.pdf.theme import BUYER_X, Theme
from billing.domain.epc import transfer_code
from billing.domain.invoice import InvoiceDocument
from billing.domain.quote import QuoteDocument
from billing.domain.totals import ComputedLine

_COLUMN_GAP = 24.0
_CELL_GAP = 10.0
_LONGEST_FOOTER = 4  # lines; a longer text of the company stands once, below the mentions
_LEAST_DESCRIPTION = 150.0
_UNBROKEN_NOTE = 4  # lines
_TOTALS_WIDTH = 208.0
_MOST_OF_A_PANEL = 0.62
_WORD_OF_A_VALUE = 80.0  # beside a long label of a panel; a longer one breaks
_CODE_LABEL = "Virement par QR code"
_CODE_WIDTH = 64.0  # 23 mm: half a millimetre a module, which any phone reads
_PAY_LABEL = "Payer en ligne"
_CODE_GAP = 2.0  # beside the white that each has around it
_WIDEST_UNIT = 62.0
_AGREEMENT_HEIGHT = 84.0
_SIGNING_HEIGHT = 46.0
_CERTIFICATION = "Certification du client pour le taux réduit de TVA"
_CARRY_ROW = 17.0  # of the table of a situation
_SITUATION_HEAD = 46.0
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

    def height(self, unit_leading: float, pad: float) -> float:
        described = sum(style.leading for _, style in self.texts)
        return max(described, len(self.unit) * unit_leading) + 2 * pad


class InvoiceLayout:
    """Lays one document out, once; ``instead_of_code`` stands where the code of a transfer would.

    ``pay_url``: where it can be paid online.
    """

    def __init__(
        self,
        document: wording.PrintedDocument,
        theme: Theme,
        logo: PreparedLogo | None,
        *,
        instead_of_code: list[str] | None = None,
        pay_url: str = "",
    ) -> None:
        self._instead_of_code = instead_of_code
        self._pay_url = pay_url
        self._document = document
        self._theme = theme
        self._logo = logo
        self._tongue = document.particulars.tongue
        self._title = wording.numbered_title(document)
        self._gap, self._fine = theme.block_gap, theme.small
        self._due_label = wording.due_label(document)
        own = document.seller.footer_text
        footer = wrap(own, theme.footer, theme.content) if own else []
        self._closing = wrap(own, theme.small, theme.content) if len(footer) > _LONGEST_FOOTER else []
        legal = wrap_parts(wording.legal_parts(document.seller, self._tongue), theme.footer, theme.content)
        self._footer = legal if self._closing else [*legal, *footer]
        self._bottom = HEIGHT - 37 - len(self._footer) * theme.footer.leading
        self._pages: list[Page] = []
        self._y = theme.top
        self._carried_minor = 0
        self._page_has_rows = False
        self._cells = [wording.line_cells(item, self._tongue) for item in document.totals.lines]
        self._measure_table()

    def pages(self) -> list[Page]:
        self._first_page()
        self._table()
        self._close()
        for rank, page in enumerate(self._pages, start=1):
            self._finish(page, f"Page {rank}/{len(self._pages)}")
        return self._pages

    def _close(self) -> None:
        """What follows the table: set closer, or with a block moved along, where small print would stand alone."""
        blocks = [self._totals, self._payment]
        if isinstance(self._document, QuoteDocument) or self._document.situation is not None:
            blocks.append(self._agreement if isinstance(self._document, QuoteDocument) else self._situation)
        if wording.certification(self._document):
            blocks.append(self._certification)
        blocks.append(self._notes)
        roomy = Closing(self._theme.block_gap, self._theme.small)
        mark = Drawn.of(self._pages, self._y)
        if self._closed(blocks, roomy) or self._document.generation < FITTING:
            return
        moved = (roomy._replace(opens_page=place) for place in (*range(len(blocks) - 2, 0, -1), len(blocks) - 1))
        for closing in (*tighter(roomy), *moved):
            self._y = mark.take_back(self._pages)
            if self._closed(blocks, closing):
                return
        self._y = mark.take_back(self._pages)
        self._closed(blocks, roomy)

    def _closed(self, blocks: list[Callable[[], None]], closing: Closing) -> bool:
        """Draw what follows the table; False when the last page holds small print alone."""
        self._gap, self._fine = closing.gap, closing.small
        for place, block in enumerate(blocks):
            if place == closing.opens_page:
                self._next_page()
            block()
        before = len(self._pages)
        self._mentions()
        return len(self._pages) == before

    @property
    def _page(self) -> Page:
        return self._pages[-1]

    # Pages

    def _first_page(self) -> None:
        self._pages.append(Page())
        seller_top, buyer_top = draw_letterhead(
            self._page,
            self._theme,
            titles=head_titles(self._document),
            subtitle=self._document.number,
            name=self._document.seller.display_name,
            logo=self._logo,
        )
        seller = draw_seller(
            self._page, self._theme, self._document.seller, seller_top, tongue=self._tongue, contacts=True
        )
        self._y = max(seller, self._buyer(buyer_top)) + self._theme.block_gap
        self._facts()
        self._introduction()

    def _next_page(self) -> None:
        """Further pages repeat who issues which document."""
        self._pages.append(Page())
        theme, style = self._theme, self._theme.running
        name = one_line(self._document.seller.display_name)
        title = self._title
        y, self._y = theme.running_head(self._page)
        self._page.text_right(theme.right, y, title, style)
        room = theme.content - width_of(title, style) - _COLUMN_GAP
        shown, *cut = wrap(name, style, room - width_of("…", style))
        self._page.text(theme.left, y, f"{shown}…" if cut else shown, style)
        self._page_has_rows = False

    def _ensure(self, height: float) -> None:
        """Open a page unless this much room is left on the current one."""
        if self._y + height > self._bottom:
            self._next_page()

    def _finish(self, page: Page, numbering: str) -> None:
        theme, style = self._theme, self._theme.footer
        y = self._bottom + 9
        theme.foot(page, y)
        y += 12
        for text in self._footer:
            page.text(theme.left + (theme.content - width_of(text, style)) / 2, y, text, style)
            y += style.leading
        page.text(theme.left, y + 2, self._document.number, style)
        page.text_right(theme.right, y + 2, numbering, style)

    # Head of the first page

    def _buyer(self, top: float) -> float:
        theme = self._theme
        buyer = self._document.buyer
        width = theme.right - BUYER_X
        y = self._block(BUYER_X, top, width, wording.buyer_title(self._document), [(buyer.name, theme.name)])
        y = self._lines(BUYER_X, y, width, wording.buyer_lines(buyer), theme.address)
        y = self._lines(BUYER_X, y + 2, width, wording.buyer_identifiers(buyer, self._tongue), theme.soft)
        delivery = buyer.delivery_address
        if delivery is not None and delivery != buyer.billing_address:
            name = self._document.particulars.delivery_name
            y = self._block(BUYER_X, y + 8, width, self._tongue.say("Livré à"), [(name, theme.soft)] if name else [])
            y = self._lines(BUYER_X, y, width, wording.address_lines(delivery), theme.soft)
        return y

    def _block(self, x: float, top: float, width: float, heading: str, texts: list[tuple[str, Style]]) -> float:
        self._page.text(x, top + 8, heading, self._theme.heading)
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
        theme = self._theme
        due = self._tongue.money(wording.payable_minor(self._document))
        found = wording.facts(self._document)
        due_width = max(width_of(due, theme.facts_due), *(width_of(one, theme.facts_note) for one in self._due_label))
        due_width += 28
        each = (theme.content - due_width - theme.pad) / len(found)
        cells = [
            (wrap(label, theme.label, each - _CELL_GAP), wrap(value, theme.strong, each - _CELL_GAP))
            for label, value in found
        ]
        labels = max(len(label) for label, _ in cells)
        height = 20 + labels * theme.label.leading + max(len(value) for _, value in cells) * theme.strong.leading
        self._ensure(height)
        theme.facts(self._page, self._y, height, due_width)
        x = theme.left + theme.pad
        for label, value in cells:
            y = self._y + 10 + theme.label.size
            for text in label:
                self._page.text(x, y, text, theme.label)
                y += theme.label.leading
            y = self._y + 10.5 + theme.strong.size + labels * theme.label.leading
            for text in value:
                self._page.text(x, y, text, theme.strong)
                y += theme.strong.leading
            x += each
        middle = self._y + height / 2
        right = theme.right - theme.inset
        y = middle - 4 - (len(self._due_label) - 1) * theme.facts_note.leading / 2
        for named in self._due_label:
            self._page.text_right(right, y, named, theme.facts_note)
            y += theme.facts_note.leading
        self._page.text_right(right, y + 6, due, theme.facts_due)
        self._y += height + theme.block_gap

    def _introduction(self) -> None:
        """The buyer's references, then what the seller says before the lines."""
        theme = self._theme
        lines = [
            (text, theme.soft) for text in wrap_parts(wording.references(self._document), theme.soft, theme.content)
        ]
        for said in (self._document.seller.header_text, self._document.particulars.header_text):
            if said.strip():
                lines += [(text, theme.body) for text in wrap(said, theme.body, theme.content)]
        for text, style in lines:
            self._ensure(style.leading)
            self._page.text(theme.left, self._y + style.size, text, style)
            self._y += style.leading
        self._y += theme.block_gap if lines else 0

    # Table of lines

    def _table(self) -> None:
        theme = self._theme
        rows = [self._row(item, cells) for item, cells in zip(self._document.totals.lines, self._cells, strict=True)]
        self._ensure(3 * self._body.leading + 60)
        self._table_head()
        closing = self._totals_height()
        for rank, row in enumerate(rows, start=1):
            is_last = rank == len(rows)
            self._place(row, rank, below=closing if is_last else self._carry_height)
        theme.table_end(self._page, self._y)
        self._y += theme.table_gap

    def _measure_table(self) -> None:
        """Choose the largest type at which the figures leave room for the descriptions."""
        theme = self._theme
        widths: list[float] = []
        description = 0.0
        for size in theme.table_sizes:
            self._body = theme.body._replace(size=size, leading=size + theme.line_gap)
            self._strong = self._body._replace(font=SEMIBOLD)
            widths = self._column_widths()
            description = theme.content - sum(widths) - _CELL_GAP * len([width for width in widths if width])
            if description >= _LEAST_DESCRIPTION:
                break
        self._detail = self._body._replace(
            size=self._body.size - 1, leading=self._body.leading - 1.5, colour=theme.grey
        )
        self._description_width = description
        self._columns: list[tuple[int, _Column]] = []
        x = theme.left + description
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
                *(width_of(text, self._theme.column) for text in self._tongue.lines(title)),
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
        return self._body.leading + 2 * self._theme.row_pad

    def _table_head(self) -> None:
        theme = self._theme
        top, style = self._y, theme.column
        heads = [(self._tongue.lines("Désignation"), theme.left, False)]
        heads += [(column.title, column.x, column.right) for _, column in self._columns]
        for title, x, right in heads:
            for rank, text in enumerate(title):
                y = top + 8 + rank * style.leading
                if right:
                    self._page.text_right(x, y, text, style)
                else:
                    self._page.text(x, y, text, style)
        self._y += 16 + (max(len(title) for title, *_ in heads) - 1) * style.leading
        theme.column_titles(self._page, top, self._y, theme.content)

    def _place(self, row: _Row, rank: int, *, below: float) -> None:
        """Draw a row; ``below`` is the room that must stay free under it."""
        height = row.height(self._body.leading, self._theme.row_pad)
        if self._y + height + below > self._bottom:
            room = self._bottom - self._carry_height - self._y
            splits = height > _TALL and room > 6 * self._body.leading
            if not splits and self._page_has_rows:
                self._carry_over()
        self._figures(row)
        self._carried_minor += row.item.net_minor
        self._texts(row, rank)
        self._page_has_rows = True

    def _figures(self, row: _Row) -> None:
        y = self._y + self._theme.row_pad + self._body.size
        for position, column in self._columns:
            if position == _UNIT:
                for rank, text in enumerate(row.unit):
                    self._page.text(column.x, y + rank * self._body.leading, text, self._body)
            else:
                style = self._strong if position == _NET else self._body
                self._page.text_right(column.x, y, row.cells[position], style)

    def _texts(self, row: _Row, rank: int) -> None:
        """The description, over as many pages as it takes."""
        theme = self._theme
        page, top, pad = self._page, self._y, theme.row_pad
        floor = top + pad + len(row.unit) * self._body.leading
        self._y += pad
        for text, style in row.texts:
            if self._y + style.leading + pad > self._bottom - self._carry_height:
                theme.row(self._page, top, self._y, rank, ends=False)
                self._carry_over()
                top = self._y
                self._y += pad
            self._page.text(theme.left, self._y + style.size, text, style)
            self._y += style.leading
        if self._page is page:
            self._y = max(self._y, floor)
        self._y += pad
        theme.row(self._page, top, self._y, rank)

    def _carry_over(self) -> None:
        """Close the table with what it came to, and go on from there on the next page."""
        self._carried(self._tongue.say("À reporter"))
        self._next_page()
        self._table_head()
        self._carried(self._tongue.say("Report"))
        self._theme.row_end(self._page, self._y)

    def _carried(self, label: str) -> None:
        theme = self._theme
        y = self._y + theme.row_pad + self._body.size
        column = self._columns[-1][1]
        amount = self._tongue.amount(self._carried_minor)
        style = self._strong._replace(colour=theme.grey)
        self._page.text_right(column.x - width_of(amount, style) - _CELL_GAP, y, label, style)
        self._page.text_right(column.x, y, amount, style)
        self._y += self._carry_height

    # Totals

    def _totals_height(self) -> float:
        """Room for the sums, and for the VAT groups unless they are so many that they may break."""
        theme = self._theme
        sums = sum(theme.sum_height + (len(label) - 1) * theme.body.leading for label, *_ in self._sum_rows())
        sums += theme.due_height + theme.sum_height / 2 - 7
        return min(max(sums, self._vat_height()), _TALL) + self._theme.table_gap

    def _sum_rows(self) -> list[tuple[list[str], str, Style]]:
        theme = self._theme
        rows = []
        for label, amount in wording.totals(self._document):
            style = theme.strong if label == wording.total_label(self._document) else theme.body
            room = _TOTALS_WIDTH - width_of(amount, style) - _CELL_GAP
            rows.append((wrap(label, style, room), amount, style))
        return rows

    def _vat_height(self) -> float:
        more = (len(self._tongue.lines("Taux de TVA")) - 1) * self._theme.column.leading
        return 22 + more + sum(self._vat_row_height(wordings) for *_, wordings in self._vat_rows())

    def _totals(self) -> None:
        """VAT per rate on the left, sums on the right, the amount due last and largest."""
        theme = self._theme
        self._ensure(self._totals_height() - theme.table_gap)
        top, page = self._y, self._page
        sums = self._sums(top)
        self._vat(top)
        self._y = (max(self._y, sums) if page is self._page else self._y) + self._gap

    def _sums(self, top: float) -> float:
        theme = self._theme
        page = self._page
        x = theme.right - _TOTALS_WIDTH
        y = top + 9
        for label, amount, style in self._sum_rows():
            for rank, text in enumerate(label):
                y += style.leading if rank else 0
                page.text(x, y, text, style)
            page.text_right(theme.right, y, amount, style)
            y += theme.sum_height
        y += theme.sum_height / 2 - 16  # from the baseline of a row that is no more
        theme.band(page, y, theme.due_height, _TOTALS_WIDTH, x)
        style = theme.due_label if len(self._due_label) == 1 else theme.due_note
        middle = y + (theme.due_height - theme.band_foot) / 2
        baseline = middle + 3.5 - (len(self._due_label) - 1) * style.leading / 2
        for rank, named in enumerate(self._due_label):
            page.text(x + theme.band_inset, baseline + rank * style.leading, named, style)
        due = self._tongue.money(wording.payable_minor(self._document))
        page.text_right(theme.right - theme.band_inset, middle + 4.5, due, theme.due)
        return y + theme.due_height

    def _vat_rows(self) -> list[tuple[str, str, str, list[str]]]:
        rows = []
        for group in self._document.totals.vat_breakdown:
            reason = [
                line
                for text in wording.vat_reasons(group.vat, self._tongue)
                for line in wrap(text, self._theme.small, self._vat_width)
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
        return self._theme.content - _TOTALS_WIDTH - 40

    def _vat_row_height(self, reason: list[str]) -> float:
        theme = self._theme
        return theme.sum_height + len(reason) * theme.small.leading + (3 if reason else 0)

    def _vat(self, top: float) -> None:
        theme = self._theme
        self._y = top
        self._vat_head()
        for rate, taxable, vat, reason in self._vat_rows():
            if self._y + self._vat_row_height(reason) > self._bottom:
                self._next_page()
                self._vat_head()
            y = self._y + 0.75 * theme.sum_height
            self._vat_cells(y, rate, taxable, vat, theme.body)
            for text in reason:
                y += theme.small.leading
                self._page.text(theme.left, y, text, theme.small)
            self._y += self._vat_row_height(reason)
            self._page.box(theme.left, self._y, self._vat_width, theme.hairline, theme.rule)

    def _vat_head(self) -> None:
        theme = self._theme
        top, style = self._y, theme.column
        rates, bases, amounts = (self._tongue.lines(title) for title in ("Taux de TVA", "Base HT", "Montant de TVA"))
        for rate, base, amount in zip(rates, bases, amounts, strict=True):
            self._vat_cells(self._y + 8, rate, base, amount, style)
            self._y += style.leading
        self._y += 16 - style.leading
        theme.column_titles(self._page, top, self._y, self._vat_width)

    def _vat_cells(self, y: float, rate: str, taxable: str, vat: str, style: Style) -> None:
        theme = self._theme
        self._page.text(theme.left, y, rate, style)
        self._page.text_right(theme.left + self._vat_width * 0.62, y, taxable, style)
        self._page.text_right(theme.left + self._vat_width, y, vat, style)

    # What follows the totals

    def _payment(self) -> None:
        """When to pay on the left, where to on the right."""
        theme = self._theme
        columns = wording.payment_columns(self._document)
        code = None if isinstance(self._document, QuoteDocument) else transfer_code(self._document)
        code_height = self._code_height(_CODE_LABEL) if code else 0.0
        taken = _CODE_WIDTH if code else 0.0
        if self._pay_url:
            code_height = max(code_height, self._code_height(_PAY_LABEL))
            taken += _CODE_WIDTH + (_CODE_GAP if code else 0)
        widths = _shared(theme.content - 2 * theme.pad - taken, columns[1], self._theme)
        placed = []
        height = 0.0
        for rank, rows in enumerate(columns):
            x = theme.left + theme.pad + rank * widths[0]
            longest = max((width_of(label, theme.soft) for label, _ in rows), default=0.0) + 10
            words = (width_of(word, theme.strong) for _, value in rows for word in value.split())
            label_width = min(longest, widths[rank] - _CELL_GAP - min(max(words, default=0.0), _WORD_OF_A_VALUE))
            y = 0.0
            for label, value in rows:
                labels = wrap(label, theme.soft, label_width - 10)
                values = wrap(value, theme.strong, widths[rank] - label_width - _CELL_GAP)
                placed += [(x, y + line * theme.payment_leading, text, theme.soft) for line, text in enumerate(labels)]
                x_value = x + label_width
                placed += [
                    (x_value, y + line * theme.payment_leading, text, theme.strong) for line, text in enumerate(values)
                ]
                y += max(len(labels), len(values)) * theme.payment_leading
            height = max(height, y)
        height = max(height + 28, code_height)
        self._ensure(height)
        theme.section(self._page, self._y, height)
        if code:
            self._code(code, theme.right - theme.pad - _CODE_WIDTH, self._y + 10)
        if self._pay_url:
            self._pay_code(theme.right - theme.pad - taken, self._y + 10)
        title = wording.payment_title(self._document)
        self._page.text(theme.left + theme.pad, self._y + 15, title, theme.heading)
        for x, y, text, style in placed:
            self._page.text(x, self._y + 30 + y, text, style)
        self._y += height + self._gap

    def _code(self, text: str, x: float, y: float) -> None:
        """What a banking app reads, on white, with what it is for below."""
        if self._instead_of_code is not None:
            self._no_code(self._instead_of_code, x, y)
            return
        self._drawn_code(text, x, y, _CODE_LABEL)

    def _pay_code(self, x: float, y: float) -> None:
        """What a camera reads, and a pointer follows."""
        self._drawn_code(self._pay_url, x, y, _PAY_LABEL)
        height = self._code_height(_PAY_LABEL) - 15
        self._page.addresses.append(Address(x, y, _CODE_WIDTH, height, self._pay_url))

    def _code_height(self, label: str) -> float:
        return _CODE_WIDTH + 15 + len(self._tongue.lines(label)) * self._theme.footer.leading

    def _drawn_code(self, text: str, x: float, y: float, label: str) -> None:
        theme, width = self._theme, _CODE_WIDTH
        code = code_of(text)
        module = width / (code.size + 2 * QUIET_ZONE)
        self._page.box(x, y, width, width, theme.white)
        self._page.patterns.append(Pattern(x + QUIET_ZONE * module, y + QUIET_ZONE * module, module, code))
        for rank, said in enumerate(self._tongue.lines(label)):
            below = y + width + 8 + rank * theme.footer.leading
            self._page.text(x + (width - width_of(said, theme.footer)) / 2, below, said, theme.footer)

    def _no_code(self, said: list[str], x: float, y: float) -> None:
        """Why there is none, in its place: the page is laid out as the one that has it."""
        theme = self._theme
        lines = [line for text in said for line in wrap(text, theme.footer, _CODE_WIDTH - 8)]
        self._page.box(x, y, _CODE_WIDTH, _CODE_WIDTH, theme.white)
        y += (_CODE_WIDTH - len(lines) * theme.footer.leading) / 2 + theme.footer.size
        for line in lines:
            self._page.text(x + (_CODE_WIDTH - width_of(line, theme.footer)) / 2, y, line, theme.footer)
            y += theme.footer.leading

    def _agreement(self) -> None:
        """Where the customer signs; paper and link are worth the same."""
        theme = self._theme
        document = self._document
        assert isinstance(document, QuoteDocument)  # noqa: S101 - asked for a quote only
        self._ensure(_AGREEMENT_HEIGHT)
        theme.frame(self._page, self._y, _AGREEMENT_HEIGHT)
        left, middle = theme.left + 14 - theme.bleed, theme.left + theme.content / 2
        self._page.text(left, self._y + 16, "Bon pour accord", theme.heading)
        y = self._y + 30
        for text in wording.agreement(document):
            for line in wrap(text, theme.soft, theme.content / 2 - 28):
                self._page.text(left, y, line, theme.soft)
                y += theme.soft.leading
        for rank, label in enumerate(("Date", "Nom et qualité", "Signature")):
            y = self._y + 20 + rank * 22
            self._page.text(middle, y, self._tongue.lines(label)[0], theme.label)
            self._page.box(middle + 66, y + 2, theme.content / 2 - 80, 0.6, theme.rule)
        self._y += _AGREEMENT_HEIGHT + self._gap

    def _certification(self) -> None:
        """What the customer certifies for a reduced rate of VAT, with room for date, name and signature."""
        theme = self._theme
        left, inner = theme.left + 14 - theme.bleed, theme.content - 2 * (14 - theme.bleed)
        said = [wrap(text, theme.soft, inner) for text in wording.certification(self._document)]
        height = 26 + sum(len(lines) * theme.soft.leading + 3 for lines in said) + _SIGNING_HEIGHT
        self._ensure(height)
        theme.frame(self._page, self._y, height)
        self._page.text(left, self._y + 16, self._tongue.say(_CERTIFICATION), theme.heading)
        y = self._y + 31
        for lines in said:
            for line in lines:
                self._page.text(left, y, line, theme.soft)
                y += theme.soft.leading
            y += 3
        x, y = left, self._y + height - 12
        for label, width in (("Date", 96.0), ("Nom", 168.0), ("Signature", inner - 96 - 168 - 2 * _CELL_GAP)):
            named = self._tongue.say(label)
            used = width_of(named, theme.label) + 6
            self._page.text(x, y - 2, named, theme.label)
            self._page.box(x + used, y, width - used, 0.6, theme.rule)
            x += width + _CELL_GAP
        self._y += height + self._gap

    def _situation(self) -> None:
        """What of each line of the quote is done: its worth, what was billed before, what is billed now."""
        theme = self._theme
        assert isinstance(self._document, InvoiceDocument)  # noqa: S101 - asked for such an invoice only
        situation = self._document.situation
        assert situation is not None  # noqa: S101
        rows = wording.situation_rows(situation, self._tongue)
        several = len(rows) > 1
        sums = wording.situation_sums(situation, self._tongue)
        widths = self._situation_widths([cells for _, cells in rows] + [sums])
        room = theme.content - sum(widths) - _CELL_GAP * len(widths)
        carries = self._document.generation >= FITTING
        heights = [len(wrap(one_line(label), theme.body, room)) * theme.body.leading + 6 for label, _ in rows]
        whole = _SITUATION_HEAD + sum(heights) + _CARRY_ROW
        if not carries:
            self._ensure(_SITUATION_HEAD + 18)
        elif whole <= _TALL:
            self._ensure(whole)
        else:
            self._ensure(_SITUATION_HEAD + sum(heights[:3]) + _CARRY_ROW)
        self._page.text(theme.left, self._y + 6, wording.situation_title(situation, self._tongue), theme.heading)
        self._y += 16
        self._situation_head(widths)
        for place, (label, cells) in enumerate(rows):
            texts = wrap(one_line(label), theme.body, room)
            height = len(texts) * theme.body.leading + 6
            if self._y + height + (_CARRY_ROW if carries and several else 0) > self._bottom:
                carried = wording.situation_sums(situation, self._tongue, until=place) if carries and place else None
                if carried:
                    self._situation_sums("À reporter", carried, widths, theme.strong._replace(colour=theme.grey))
                self._next_page()
                self._situation_head(widths)
                if carried:
                    self._situation_sums("Report", carried, widths, theme.strong._replace(colour=theme.grey))
                    theme.row_end(self._page, self._y)
            for rank, text in enumerate(texts):
                self._page.text(theme.left, self._y + 11.5 + rank * theme.body.leading, text, theme.body)
            self._situation_cells(self._y + 11.5, cells, widths, theme.body)
            self._y += height
            theme.row_end(self._page, self._y)
        if several:
            self._ensure(_CARRY_ROW)
            self._situation_sums("Total", sums, widths, theme.strong)
        self._y += self._gap

    def _situation_sums(self, label: str, sums: list[str], widths: list[float], style: Style) -> None:
        self._page.text(self._theme.left, self._y + 11.5, self._tongue.say(label), style)
        self._situation_cells(self._y + 11.5, sums, widths, style)
        self._y += _CARRY_ROW

    def _situation_widths(self, rows: list[list[str]]) -> list[float]:
        theme = self._theme
        return [
            max(
                *(width_of(text, theme.column) for text in self._tongue.lines(title)),
                *(width_of(cells[place], theme.strong) for cells in rows),
            )
            for place, title in enumerate(wording.SITUATION_TITLES)
        ]

    def _situation_head(self, widths: list[float]) -> None:
        theme = self._theme
        top, style = self._y, theme.column
        titles = [self._tongue.lines(title) for title in wording.SITUATION_TITLES]
        work = self._tongue.lines("Ouvrage")
        for rank in range(max(len(title) for title in titles)):
            if rank < len(work):
                self._page.text(theme.left, self._y + 8, work[rank], style)
            cells = [title[rank] if rank < len(title) else "" for title in titles]
            self._situation_cells(self._y + 8, cells, widths, style)
            self._y += style.leading
        self._y += 4
        theme.column_titles(self._page, top, self._y, theme.content)

    def _situation_cells(self, y: float, cells: list[str], widths: list[float], style: Style) -> None:
        x = self._theme.right - sum(widths) - _CELL_GAP * (len(widths) - 1)
        for text, width in zip(cells, widths, strict=True):
            x += width
            if text:
                self._page.text_right(x, y, text, style)
            x += _CELL_GAP

    def _notes(self) -> None:
        theme = self._theme
        if not self._document.notes.strip():
            return
        lines = wrap(self._document.notes, theme.body, theme.content)
        self._ensure(15 + min(len(lines), _UNBROKEN_NOTE) * theme.body.leading)
        self._page.text(theme.left, self._y + 6, self._tongue.say("Notes"), theme.heading)
        self._y += 14
        for text in lines:
            self._ensure(theme.body.leading)
            self._page.text(theme.left, self._y + 8, text, theme.body)
            self._y += theme.body.leading
        self._y += 6

    def _mentions(self) -> None:
        """All of them on one page, but for those that stand with their VAT group already."""
        theme = self._theme
        mentions = wording.printed_mentions(self._document)
        mentions = [*wording.exchange_lines(self._document), *mentions]
        self._small([line for text in mentions for line in wrap(text, self._fine, theme.content)])
        self._small(self._closing)
        last = self._document.particulars.footer_text
        self._small(wrap(last, self._fine, theme.content) if last.strip() else [])

    def _small(self, lines: list[str]) -> None:
        self._ensure(min(len(lines) * self._fine.leading, _TALL))
        for text in lines:
            self._ensure(self._fine.leading)
            self._page.text(self._theme.left, self._y + 7, text, self._fine)
            self._y += self._fine.leading


def _shared(width: float, rows: list[tuple[str, str]], theme: Theme) -> tuple[float, float]:
    """Half to each of two columns, or more to the second where its rows would not fit: an IBAN stays in one piece."""
    labels = max((width_of(label, theme.soft) for label, _ in rows), default=0.0)
    values = max((width_of(value, theme.strong) for _, value in rows), default=0.0)
    second = min(max(width / 2, labels + values + 10 + _CELL_GAP + 1), _MOST_OF_A_PANEL * width)
    return width - second, second
