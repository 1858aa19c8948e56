"""The head of a first page: what the document is on the right, who issues it on the left."""

from __future__ import annotations

from billing.adapters.pdf import wording
from billing.adapters.pdf.logo import PreparedLogo
from billing.adapters.pdf.sheet import Page, Style, one_line, width_of, wrap, wrap_parts
from billing.adapters.pdf.theme import BUYER_X, BUYER_Y, Theme
from billing.domain.parties import CompanyDescription
from billing.domain.tongue import FRENCH, Tongue

_GAP = 24.0  # between the two columns
_SECOND_LANGUAGE, _SECOND_LEADING = 0.6, 0.7  # of the size and leading of the first
_LARGE_NAME_LINES = 2
_USUAL_LOGO_HEIGHT = 64.0  # a taller one begins higher on the page
_NAME_LINES_OF_A_BAND = 4  # the whole name stands below


def draw_letterhead(
    page: Page, theme: Theme, *, titles: list[str], subtitle: str, name: str, logo: PreparedLogo | None
) -> tuple[float, float]:
    """``titles``: one for each language. Returns where the seller and where the buyer may begin."""
    lines = _titles(titles, theme)
    subtitles = wrap(one_line(subtitle), theme.number, theme.right - BUYER_X)
    texts = sum(style.leading for _, style in lines[1:]) + 22 + len(subtitles) * theme.number.leading
    height = theme.head_height(texts, logo.height if logo else 0)
    theme.head(page, height, (logo.width, logo.height) if logo else None)
    beside = _right(page, theme, height, lines, subtitles)
    below = _left(page, theme, height, one_line(name), logo)
    return below, max(beside + 6, BUYER_Y)


def draw_seller(
    page: Page,
    theme: Theme,
    seller: CompanyDescription,
    y: float,
    *,
    tongue: Tongue = FRENCH,
    contacts: bool = False,
    abroad: bool = False,
) -> float:
    """Who issues it; returns where that ends."""
    width = BUYER_X - theme.left - _GAP
    page.text(theme.left, y + 8, tongue.say("Émetteur"), theme.heading)
    y += 22
    parts = [wording.seller_identifiers(seller, tongue), *([wording.seller_contacts(seller)] if contacts else [])]
    texts = [(seller.display_name, theme.name)]
    texts += [(text, theme.soft) for text in wording.seller_lines(seller, tongue, abroad=abroad)]
    texts += [(text, theme.soft) for one in parts for text in wrap_parts(one, theme.soft, width)]
    for text, style in texts:
        for line in wrap(one_line(text), style, width):
            page.text(theme.left, y, line, style)
            y += style.leading
    return y


def _titles(titles: list[str], theme: Theme) -> list[tuple[str, Style]]:
    """The lines of the title, and of a second language in smaller type below it."""
    first, *others = titles
    lines = _title(first, theme.title, theme)
    smaller = theme.title._replace(
        size=theme.title.size * _SECOND_LANGUAGE, leading=theme.title.leading * _SECOND_LEADING
    )
    for text in others:
        lines += _title(text, smaller, theme)
    return lines


def _title(title: str, largest: Style, theme: Theme) -> list[tuple[str, Style]]:
    """At the largest size at which it stands on one line, else on several at the smallest."""
    style, *smaller = (_sized(largest, size / theme.title.size) for size in theme.title_sizes)
    if not smaller:
        return [(title, style)]
    room = theme.right - BUYER_X
    while width_of(title, style) > room and smaller:
        style = smaller.pop(0)
    return [(line, style) for line in wrap(title, style, room)]


def _sized(style: Style, share: float) -> Style:
    return style._replace(size=style.size * share, leading=style.leading * share)


def _right(page: Page, theme: Theme, height: float, lines: list[tuple[str, Style]], subtitles: list[str]) -> float:
    y, between = theme.top + theme.title_top, theme.title_gap
    if height:
        texts = sum(style.leading for _, style in lines[1:]) + between + (len(subtitles) - 1) * theme.number.leading
        y = (height - texts) / 2 + 0.36 * lines[0][1].size
    for rank, (text, style) in enumerate(lines):
        y += style.leading if rank else 0
        page.text(BUYER_X, y, text, style)
    y += between
    for text in subtitles:
        page.text(BUYER_X, y, text, theme.number)
        y += theme.number.leading
    return max(y, height)


def _left(page: Page, theme: Theme, height: float, name: str, logo: PreparedLogo | None) -> float:
    if logo is not None:
        inset = theme.plate - theme.bleed
        higher = max(theme.top - max(logo.height - _USUAL_LOGO_HEIGHT, 0), theme.highest)
        top = (height - logo.height) / 2 if height else higher
        page.logo = (theme.left + inset, top, logo)
        return height + 8 if height else top + logo.height + 8
    width = BUYER_X - theme.left - _GAP
    style, lines = theme.seller, wrap(name, theme.seller, width)
    if len(lines) > _LARGE_NAME_LINES:
        style = theme.name._replace(colour=style.colour) if height else theme.name
        lines = wrap(name, style, width)
    y = theme.top + theme.title_top
    if height:
        lines = _shortened(lines, style, width, _NAME_LINES_OF_A_BAND)
        y = (height - (len(lines) - 1) * style.leading) / 2 + 0.36 * style.size
    for text in lines:
        page.text(theme.left, y, text, style)
        y += style.leading
    return height + 8 if height else y


def _shortened(lines: list[str], style: Style, width: float, most: int) -> list[str]:
    if len(lines) <= most:
        return lines
    last = wrap(lines[most - 1], style, width - width_of("…", style))[0]
    return [*lines[: most - 1], f"{last}…"]
