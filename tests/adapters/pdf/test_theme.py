"""What a company's design and accent change, and what they never do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from billing.adapters.facturx.embedding import factur_x
from billing.adapters.pdf.layout import InvoiceLayout
from billing.adapters.pdf.renderer import PdfDocumentRenderer
from billing.adapters.pdf.sheet import Colour, Page
from billing.adapters.pdf.theme import theme_of, theme_today
from billing.domain.colours import DEFAULT_ACCENT, contrast, readable
from billing.domain.template import Design, Template
from tests.adapters.pdf.reading import plain, words
from tests.documents import SAMPLES
from tests.factories import company, issued

RENDERER = PdfDocumentRenderer(factur_x)
OLDER = Template(design=Design.CLASSIC, generation=2)


def written(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*(round(255 * channel) for channel in colour))


def ground_of(page: Page, x: float, y: float) -> Colour:
    """What stands behind a point."""
    grounds = [box for box in page.boxes if box.x <= x <= box.x + box.width and box.y <= y <= box.y + box.height]
    return grounds[-1].colour if grounds else Colour(1, 1, 1)


def dressed(seller: dict[str, Any] | None = None, **content: Any) -> Any:
    return issued(seller=company(**(seller or {})), **content)


@pytest.mark.parametrize("design", Design)
@given(accent=st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}"))
@example(accent="#ffff00")
@example(accent="#ffffff")
@example(accent="#ff0000")
def test_every_text_can_be_read_on_its_ground_in_any_accent(design: Design, accent: str) -> None:
    for page in InvoiceLayout(SAMPLES["bilingual"]().document, theme_today(design, accent), None).pages():
        for text in page.texts:
            ground = ground_of(page, text.x + 1, text.y - 1)
            assert contrast(written(text.style.colour), written(ground)) >= 4.5, text


@pytest.mark.parametrize("design", Design)
def test_the_accent_that_was_chosen_is_printed(design: Design) -> None:
    accent = "#8c2f5a"

    pages = InvoiceLayout(issued().document, theme_today(design, accent), None).pages()

    drawn = {box.colour for box in pages[0].boxes} | {text.style.colour for text in pages[0].texts}
    assert accent in {written(colour) for colour in drawn}
    assert DEFAULT_ACCENT not in {written(colour) for colour in drawn}


@pytest.mark.parametrize("design", Design)
def test_a_document_keeps_the_design_and_the_accent_it_was_issued_with(design: Design) -> None:
    light = dressed({"design": design, "accent_colour": "#ffd400"})
    darkened = dressed({"design": design, "accent_colour": readable("#ffd400")})

    assert light.document.template_version == f"{design.value}-3"
    assert light.document.seller.accent_colour == "#ffd400"
    assert RENDERER.render(light, logo=None) == RENDERER.render(replace(light), logo=None)
    assert RENDERER.render(light, logo=None) != RENDERER.render(darkened, logo=None)  # another document, same colours
    assert words(RENDERER.render(light, logo=None)) == words(RENDERER.render(darkened, logo=None))


@pytest.mark.parametrize("name", ["bilingual", "credit-note-by-line", "allowances-and-charges", "every-unit"])
def test_every_design_says_the_same(name: str) -> None:
    document = SAMPLES[name]().document

    said = {}
    for design in Design:
        pages = InvoiceLayout(document, theme_today(design, DEFAULT_ACCENT), None).pages()
        texts = plain(" ".join(text.text for page in pages for text in page.texts))
        said[design] = sorted(texts.replace("-", " ").replace("·", " ").split())  # lines end where there is room

    assert said[Design.CLASSIC] == said[Design.MODERN] == said[Design.COMPACT]


def test_an_older_document_knows_no_accent() -> None:
    assert theme_of(OLDER, "#8c2f5a") == theme_of(OLDER, DEFAULT_ACCENT)
    assert theme_of(OLDER, DEFAULT_ACCENT).logo_height == 64
    assert theme_today(Design.CLASSIC, DEFAULT_ACCENT).logo_height == 80


def test_the_header_of_the_company_stands_before_that_of_the_document_and_the_lines() -> None:
    sample = SAMPLES["texts-above-and-below"]()  # whose own header is « Chantier du Modèle »
    seller = replace(sample.document.seller, header_text="Ouvert du lundi au vendredi.\nDépôt fermé en août.")
    text = words(RENDERER.render(replace(sample, document=replace(sample.document, seller=seller)), logo=None))

    order = ["Facturé à", "Ouvert du lundi", "Dépôt fermé en août.", "Chantier du Modèle", "Désignation"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
