"""How documents look: the palette, styles, measures and grounds of each design, in the accent of the company.

One theme serves invoices, quotes, credit notes, receipts and statements. What an older generation was drawn with stays
as it is: the accent it had before companies chose theirs, its logo box, its titles on one line.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Final

from billing.adapters.pdf.fonts import REGULAR, SEMIBOLD
from billing.adapters.pdf.logo import BOX_HEIGHT
from billing.adapters.pdf.sheet import HEIGHT, WIDTH, Colour, Page, Style
from billing.domain.colours import channels, readable
from billing.domain.template import Design, Template

BUYER_X: Final = 310.0  # the window of a French envelope (DL) shows what stands here, in every design
BUYER_Y: Final = 122.0
_WITH_DESIGNS = 3  # the generation that has them
_CACHED_THEMES = 32  # a sender's documents follow each other in the same warm function

_INK, _GREY = Colour(0.11, 0.14, 0.18), Colour(0.38, 0.42, 0.47)
_RULE, _PANEL, _WHITE = Colour(0.87, 0.89, 0.90), Colour(0.955, 0.967, 0.967), Colour(1, 1, 1)
_ALERT = Colour(0.70, 0.18, 0.12)
_FIRST_ACCENT = Colour(0.04, 0.36, 0.37)


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """The classic design: a pale panel with the dates, the amount due on the accent."""

    accent: Colour
    ink: Colour = _INK
    grey: Colour = _GREY
    rule: Colour = _RULE
    panel: Colour = _PANEL
    white: Colour = _WHITE
    alert: Colour = _ALERT
    strong_rule: Colour

    title: Style
    title_sizes: tuple[float, ...] = (22, 18, 15, 12.5)  # the largest that fits; one alone fits always
    number: Style
    seller: Style
    running: Style  # on further pages
    name: Style
    address: Style  # as large in every design: it is read by machines and through a window
    body: Style
    strong: Style
    soft: Style
    label: Style
    column: Style  # titles of a table
    heading: Style
    small: Style
    footer: Style
    due: Style
    due_label: Style
    due_note: Style  # in two languages
    facts_due: Style  # the amount beside the dates
    facts_note: Style

    left: float = 45.0
    bleed: float = 0.0  # by how much grounds are wider than what stands on them
    top: float = 40.0
    highest: float = 24.0  # where a tall logo begins
    logo_height: float = BOX_HEIGHT
    radius: float = 4.0
    pad: float = 14.0  # inside panels
    inset: float = 14.0  # of the amount beside the dates
    band_inset: float = 12.0
    band_foot: float = 0.0  # what its rules take
    plate: float = 0.0  # of its own ground around a logo
    title_top: float = 17.0
    title_gap: float = 18.0
    block_gap: float = 12.0
    table_gap: float = 10.0
    row_pad: float = 4.5
    line_gap: float = 3.5  # between the lines of a table, beside the size of its type
    table_sizes: tuple[float, ...] = (8.5, 7.5, 6.5)
    sum_height: float = 16.0
    due_height: float = 30.0
    payment_leading: float = 13.5
    hairline: float = 0.6
    cell_inset: float = 8.0  # of the cells of a table that has rows on a ground

    @property
    def right(self) -> float:
        return WIDTH - self.left

    @property
    def content(self) -> float:
        return WIDTH - 2 * self.left

    # Heads

    def head_height(self, texts: float, logo: float) -> float:  # noqa: ARG002 - of the designs that have a band
        """Of the ground behind the head of the first page, given the height of its texts and of the logo."""
        return 0.0

    def head(self, page: Page, height: float, logo: tuple[float, float] | None) -> None:
        """The ground of the head; ``logo`` is its size."""

    def running_head(self, page: Page) -> tuple[float, float]:
        """The ground of a further page's head: where its text stands, and where the page goes on."""
        page.box(self.left, self.top + 8, self.content, 0.6, self.rule)
        return self.top, self.top + 26

    # Grounds

    def facts(self, page: Page, y: float, height: float, due_width: float) -> None:
        page.box(self.left, y, self.content, height, self.panel, radius=self.radius)
        page.box(self.right - due_width, y, due_width, height, self.accent, radius=self.radius)

    def band(self, page: Page, y: float, height: float, width: float, x: float) -> None:
        """Behind an amount that everything comes down to."""
        page.box(x, y, width, height, self.accent, radius=self.radius)

    def section(self, page: Page, y: float, height: float) -> None:
        """Behind the payment."""
        page.box(self.left, y, self.content, height, self.panel, radius=self.radius)

    def frame(self, page: Page, y: float, height: float) -> None:
        """Around what is written by hand."""
        left, width = self.left - self.bleed, self.content + 2 * self.bleed
        inner = max(self.radius - 0.6, 0.0)
        page.box(left, y, width, height, self.rule, radius=self.radius)
        page.box(left + 0.8, y + 0.8, width - 1.6, height - 1.6, self.white, radius=inner)

    def column_titles(self, page: Page, top: float, bottom: float, width: float) -> None:  # noqa: ARG002
        page.box(self.left, bottom - 0.4, width, 0.8, self.strong_rule)

    def row(self, page: Page, top: float, bottom: float, rank: int, *, ends: bool = True) -> None:  # noqa: ARG002
        """What sets a row of the table apart, from ``top`` to ``bottom`` of a page; it may go on on the next one."""
        if ends:
            self.row_end(page, bottom)

    def row_end(self, page: Page, y: float) -> None:
        page.box(self.left, y - self.hairline / 2, self.content, self.hairline, self.rule)

    def sum_row(self, page: Page, y: float, height: float) -> None:
        """Behind a row that opens or closes an account."""
        page.box(self.left, y, self.content, height, self.panel)

    def tile(self, page: Page, x: float, y: float, width: float, height: float) -> None:
        """Behind one of several figures side by side."""
        page.box(x, y, width, height, self.panel, radius=self.radius)

    def table_end(self, page: Page, y: float) -> None:
        page.box(self.left, y - 0.4, self.content, 0.8, self.strong_rule)

    def foot(self, page: Page, y: float) -> None:
        page.box(self.left, y, self.content, 0.6, self.rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Modern(Theme):
    """A band in the accent over the first page, with the title and the name or the logo; rows in two tints."""

    titles_ground: Colour

    def head_height(self, texts: float, logo: float) -> float:
        return max(84.0, texts + 36, logo + 4 * self.plate if logo else 0.0)

    def head(self, page: Page, height: float, logo: tuple[float, float] | None) -> None:
        page.box(0, 0, WIDTH, height, self.accent)
        if logo is not None:  # which is opaque: on a plate of its own ground
            width, tall = logo[0] + 2 * self.plate, logo[1] + 2 * self.plate
            page.box(self.left - self.bleed, (height - tall) / 2, width, tall, self.white, radius=self.radius)

    def running_head(self, page: Page) -> tuple[float, float]:
        page.box(0, 0, WIDTH, 40, self.accent)
        return 24.0, 58.0

    def facts(self, page: Page, y: float, height: float, due_width: float) -> None:
        page.box(self.left - self.bleed, y, self.content + 2 * self.bleed, height, self.panel, radius=self.radius)
        page.box(self.right - due_width, y + 11, 1.2, height - 22, self.accent)

    def band(self, page: Page, y: float, height: float, width: float, x: float) -> None:
        page.box(x - self.bleed, y, width + 2 * self.bleed, height, self.accent, radius=self.radius)

    def section(self, page: Page, y: float, height: float) -> None:
        page.box(self.left - self.bleed, y, self.content + 2 * self.bleed, height, self.panel, radius=self.radius)
        page.box(self.left - self.bleed, y, 3, height, self.accent, radius=1.5)

    def column_titles(self, page: Page, top: float, bottom: float, width: float) -> None:
        page.box(
            self.left - self.bleed, top - 5, width + 2 * self.bleed, bottom - top + 5, self.titles_ground, radius=3
        )

    def row(self, page: Page, top: float, bottom: float, rank: int, *, ends: bool = True) -> None:  # noqa: ARG002
        if rank % 2 == 0:
            page.box(self.left - self.bleed, top, self.content + 2 * self.bleed, bottom - top, self.panel)

    def sum_row(self, page: Page, y: float, height: float) -> None:
        page.box(self.left - self.bleed, y, self.content + 2 * self.bleed, height, self.white)
        page.box(self.left - self.bleed, y + height - 0.4, self.content + 2 * self.bleed, 0.8, self.strong_rule)

    def table_end(self, page: Page, y: float) -> None:
        page.box(self.left - self.bleed, y - 0.6, self.content + 2 * self.bleed, 1.2, self.strong_rule)

    def foot(self, page: Page, y: float) -> None:
        page.box(self.left - self.bleed, y, self.content + 2 * self.bleed, 0.6, self.rule)
        page.box(0, HEIGHT - 5, WIDTH, 5, self.accent)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compact(Theme):
    """Thin rules and small type; nothing is printed on a ground, so that black and white loses nothing."""

    def head(self, page: Page, height: float, logo: tuple[float, float] | None) -> None:  # noqa: ARG002
        page.box(self.left, self.top - 11, self.content, 1.6, self.accent)

    def running_head(self, page: Page) -> tuple[float, float]:
        page.box(self.left, self.top - 11, self.content, 1.6, self.accent)
        return self.top + 4, self.top + 16

    def facts(self, page: Page, y: float, height: float, due_width: float) -> None:
        page.box(self.left, y, self.content, 0.5, self.ink)
        page.box(self.left, y + height - 0.5, self.content, 0.5, self.ink)
        page.box(self.right - due_width, y + 6, 0.5, height - 12, self.rule)

    def band(self, page: Page, y: float, height: float, width: float, x: float) -> None:
        page.box(x, y, width, 0.8, self.ink)
        page.box(x, y + height - 3, width, 0.6, self.ink)
        page.box(x, y + height - 1.2, width, 0.6, self.ink)

    def section(self, page: Page, y: float, height: float) -> None:  # noqa: ARG002
        page.box(self.left, y, self.content, 0.5, self.ink)

    def column_titles(self, page: Page, top: float, bottom: float, width: float) -> None:  # noqa: ARG002
        page.box(self.left, bottom - 0.8, width, 0.8, self.ink)

    def sum_row(self, page: Page, y: float, height: float) -> None:
        page.box(self.left, y + height - 0.25, self.content, 0.5, self.ink)

    def tile(self, page: Page, x: float, y: float, width: float, height: float) -> None:  # noqa: ARG002
        page.box(x, y + 6, 0.5, height - 12, self.ink)

    def table_end(self, page: Page, y: float) -> None:
        page.box(self.left, y - 0.4, self.content, 0.8, self.ink)

    def foot(self, page: Page, y: float) -> None:
        page.box(self.left, y, self.content, 0.35, self.grey)


@functools.lru_cache(maxsize=_CACHED_THEMES)
def theme_of(template: Template, accent: str) -> Theme:
    """The theme of a template; ``accent`` is ``#rrggbb`` as the company chose it."""
    if template.generation < _WITH_DESIGNS:
        return replace(_classic(_FIRST_ACCENT), title_sizes=(22,), logo_height=64.0)
    printed = _colour(readable(accent))
    match template.design:
        case Design.CLASSIC:
            return replace(_classic(printed), panel=_tint(printed, 0.045))
        case Design.MODERN:
            return _modern(printed)
        case Design.COMPACT:
            return _compact(printed)


def theme_today(design: Design, accent: str) -> Theme:
    """Of what is no numbered document: drawn as the company looks now."""
    return theme_of(Template(design=design), accent)


def _colour(text: str) -> Colour:
    red, green, blue = channels(text)
    return Colour(round(red / 255, 4), round(green / 255, 4), round(blue / 255, 4))


def _tint(colour: Colour, share: float) -> Colour:
    """So much of a colour on white."""
    return Colour(*(round(1 - share * (1 - channel), 4) for channel in colour))


def _classic(accent: Colour) -> Theme:
    return Theme(
        accent=accent,
        strong_rule=accent,
        title=Style(SEMIBOLD, 22, 26, _INK),
        number=Style(SEMIBOLD, 11, 15, accent),
        seller=Style(SEMIBOLD, 15, 18, accent),
        running=Style(SEMIBOLD, 8.5, 12, _INK),
        name=Style(SEMIBOLD, 9.5, 13, _INK),
        address=Style(REGULAR, 8.5, 12, _INK),
        body=Style(REGULAR, 8.5, 12, _INK),
        strong=Style(SEMIBOLD, 8.5, 12, _INK),
        soft=Style(REGULAR, 8, 11.5, _GREY),
        label=Style(SEMIBOLD, 7, 10, _GREY),
        column=Style(SEMIBOLD, 7, 10, _GREY),
        heading=Style(SEMIBOLD, 7.5, 11, accent),
        small=Style(REGULAR, 7, 10, _GREY),
        footer=Style(REGULAR, 6.5, 9, _GREY),
        due=Style(SEMIBOLD, 12.5, 16, _WHITE),
        due_label=Style(SEMIBOLD, 9.5, 13, _WHITE),
        due_note=Style(SEMIBOLD, 7, 10, _WHITE),
        facts_due=Style(SEMIBOLD, 12.5, 16, _WHITE),
        facts_note=Style(SEMIBOLD, 7, 10, _WHITE),
    )


def _modern(accent: Colour) -> Theme:
    plain = _classic(accent)
    return _Modern(
        accent=accent,
        strong_rule=accent,
        panel=_tint(accent, 0.05),
        titles_ground=_tint(accent, 0.13),
        title=plain.title._replace(colour=_WHITE),
        number=plain.number._replace(colour=_WHITE),
        seller=plain.seller._replace(colour=_WHITE),
        running=plain.running._replace(colour=_WHITE),
        name=plain.name,
        address=plain.address,
        body=plain.body,
        strong=plain.strong,
        soft=plain.soft,
        label=plain.label,
        column=plain.column._replace(colour=_INK),
        heading=plain.heading,
        small=plain.small,
        footer=plain.footer,
        due=plain.due._replace(size=13),
        due_label=plain.due_label,
        due_note=plain.due_note,
        facts_due=plain.due._replace(size=14, colour=accent),
        facts_note=plain.label,
        left=51.0,
        bleed=6.0,
        radius=6.0,
        pad=10.0,
        inset=10.0,
        band_inset=8.0,
        plate=7.0,
        cell_inset=0.0,
        block_gap=14.0,
        table_gap=16.0,
        row_pad=5.0,
    )


def _compact(accent: Colour) -> Theme:
    plain = _classic(accent)
    return _Compact(
        accent=accent,
        strong_rule=_INK,
        title=Style(SEMIBOLD, 17, 20, _INK),
        title_sizes=(17, 14, 12),
        number=Style(SEMIBOLD, 10, 13, accent),
        seller=Style(SEMIBOLD, 13, 16, _INK),
        running=Style(SEMIBOLD, 7.5, 10.5, _INK),
        name=Style(SEMIBOLD, 8.5, 12, _INK),
        address=plain.address,
        body=Style(REGULAR, 7.5, 10.3, _INK),
        strong=Style(SEMIBOLD, 7.5, 10.3, _INK),
        soft=Style(REGULAR, 7, 9.8, _GREY),
        label=Style(SEMIBOLD, 6.3, 8.6, _GREY),
        column=Style(SEMIBOLD, 6.5, 8.8, _INK),
        heading=Style(SEMIBOLD, 7, 9.8, accent),
        small=Style(REGULAR, 6.3, 8.6, _GREY),
        footer=Style(REGULAR, 6, 8.2, _GREY),
        due=Style(SEMIBOLD, 11.5, 14, _INK),
        due_label=Style(SEMIBOLD, 8.5, 12, _INK),
        due_note=Style(SEMIBOLD, 6.3, 8.6, _INK),
        facts_due=Style(SEMIBOLD, 11.5, 14, _INK),
        facts_note=Style(SEMIBOLD, 6.3, 8.6, _GREY),
        left=36.0,
        top=38.0,
        highest=36.0,
        radius=0.0,
        pad=0.0,
        inset=0.0,
        band_inset=0.0,
        title_top=13.0,
        title_gap=15.0,
        block_gap=9.0,
        row_pad=2.2,
        line_gap=2.6,
        table_sizes=(7.5, 7.0, 6.5),
        sum_height=13.0,
        due_height=27.0,
        band_foot=3.0,
        payment_leading=11.0,
        hairline=0.35,
        cell_inset=0.0,
    )
