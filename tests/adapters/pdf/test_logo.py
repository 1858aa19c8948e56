from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from billing.adapters.facturx.embedding import factur_x
from billing.adapters.pdf.layout import InvoiceLayout
from billing.adapters.pdf.logo import BOX_HEIGHT, BOX_WIDTH, prepare_logo
from billing.adapters.pdf.renderer import PdfDocumentRenderer
from billing.adapters.pdf.theme import BUYER_X, theme_today
from billing.domain.errors import InvalidInput
from billing.domain.template import Design
from tests.adapters.pdf.reading import opened
from tests.factories import issued


def encoded(picture: Image.Image, file_format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def colour(content: bytes) -> tuple[int, ...]:
    """The colour in the middle of the picture as it stands in the PDF."""
    with opened(PdfDocumentRenderer(factur_x).render(issued(), logo=content)) as document:
        (image,) = document.pages[0].Resources.XObject.values()
        if image.Filter == "/DCTDecode":
            drawn: Image.Image = Image.open(io.BytesIO(image.read_raw_bytes()))
        else:
            drawn = Image.frombytes("RGB", (int(image.Width), int(image.Height)), image.read_bytes())
        found = drawn.convert("RGB").getpixel((drawn.width // 2, drawn.height // 2))
    assert isinstance(found, tuple)
    return found


@pytest.mark.parametrize("size", [(1600, 300), (300, 1600), (4000, 4000), (800, 320), (120, 60), (1, 1), (2500, 100)])
@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"])
def test_a_logo_keeps_its_proportions_in_its_box_and_is_never_enlarged(size: tuple[int, int], file_format: str) -> None:
    logo = prepare_logo(encoded(Image.new("RGB", size, "teal"), file_format))

    assert logo.width <= BOX_WIDTH + 1e-9
    assert logo.height <= BOX_HEIGHT + 1e-9
    assert logo.width <= size[0]
    assert logo.height <= size[1]
    assert logo.width / logo.height == pytest.approx(size[0] / size[1])


def test_a_logo_that_fits_is_drawn_at_its_own_size() -> None:
    logo = prepare_logo(encoded(Image.new("RGB", (120, 60), "teal")))

    assert (logo.width, logo.height) == (120, 60)


def test_a_large_logo_fills_its_box_in_one_direction() -> None:
    logo = prepare_logo(encoded(Image.new("RGB", (1600, 300), "teal")))

    assert logo.width == pytest.approx(BOX_WIDTH)


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_a_photograph_taken_on_its_side_is_drawn_upright(file_format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6

    logo = prepare_logo(encoded(Image.new("RGB", (400, 100), "teal"), file_format, exif=exif.tobytes()))

    assert logo.width / logo.height == pytest.approx(100 / 400)
    assert logo.pixel_width < logo.pixel_height


@pytest.mark.parametrize(
    ("picture", "file_format", "expected"),
    [
        (Image.new("RGBA", (200, 80), (255, 0, 0, 0)), "PNG", (255, 255, 255)),
        (Image.new("LA", (200, 80), (0, 0)), "PNG", (255, 255, 255)),
        (Image.new("RGBA", (200, 80), (255, 0, 0, 255)), "WEBP", (255, 0, 0)),
        (Image.new("CMYK", (200, 80), (0, 255, 255, 0)), "JPEG", (255, 0, 0)),
        (Image.new("L", (200, 80), 128), "PNG", (128, 128, 128)),
        (Image.new("1", (200, 80), 1), "PNG", (255, 255, 255)),
        (Image.new("I;16", (200, 80), 65535), "PNG", (255, 255, 255)),
        (Image.new("P", (200, 80), 0), "GIF", (0, 0, 0)),
        (Image.new("CMYK", (200, 80), (0, 255, 255, 0)), "TIFF", (255, 0, 0)),
        (Image.new("RGBA", (200, 80), (255, 0, 0, 0)), "TIFF", (255, 255, 255)),
        (Image.new("I;16", (200, 80), 65535), "TIFF", (255, 255, 255)),
        (Image.new("1", (200, 80), 1), "TIFF", (255, 255, 255)),
        (Image.new("RGB", (200, 80), (255, 0, 0)), "BMP", (255, 0, 0)),
    ],
    ids=[
        "transparent",
        "grey-transparent",
        "webp",
        "cmyk",
        "grey",
        "bilevel",
        "16-bit",
        "palette",
        "tiff-cmyk",
        "tiff-transparent",
        "tiff-16-bit",
        "tiff-bilevel",
        "bmp",
    ],
)
def test_every_kind_of_pixel_becomes_opaque_rgb(
    picture: Image.Image, file_format: str, expected: tuple[int, ...]
) -> None:
    found = colour(encoded(picture, file_format))

    assert all(abs(one - other) <= 6 for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_picture_is_printed(file_format: str) -> None:
    first = Image.new("RGB", (200, 80), (255, 0, 0))
    content = encoded(first, file_format, save_all=True, append_images=[Image.new("RGB", (200, 80), (0, 0, 255))])

    assert all(abs(one - other) <= 6 for one, other in zip(colour(content), (255, 0, 0), strict=True))


@pytest.mark.parametrize("design", Design)
def test_a_logo_stands_on_white_inside_the_page_and_beside_the_title(design: Design) -> None:
    theme = theme_today(design, "#8c2f5a")
    for size in ((900, 360), (500, 500), (2000, 100), (40, 30)):
        logo = prepare_logo(encoded(Image.new("RGB", size, "teal")), theme.logo_height)

        page = InvoiceLayout(issued().document, theme, logo).pages()[0]

        assert page.logo is not None
        x, y, _ = page.logo
        assert x >= 35
        assert y >= 14
        assert x + logo.width <= BUYER_X - 20
        across = [box for box in page.boxes if box.x < x + 1 < box.x + box.width]
        grounds = [box for box in across if box.y < y + 1 < box.y + box.height]
        assert not grounds or grounds[-1].colour == (1, 1, 1)
        assert all(text.y - text.style.size > y + logo.height or text.x >= BUYER_X for text in page.texts)


def test_an_older_document_keeps_its_smaller_box() -> None:
    square = prepare_logo(encoded(Image.new("RGB", (800, 800), "teal")))
    older = prepare_logo(encoded(Image.new("RGB", (800, 800), "teal")), 64)

    assert (square.width, square.height) == (80, 80)
    assert (older.width, older.height) == (64, 64)
    content = encoded(Image.new("RGB", (800, 800), "teal"))
    drawn = {}
    for version in ("classic-2", "classic-3"):
        document = replace(issued().document, template_version=version)
        with opened(PdfDocumentRenderer(factur_x).render(replace(issued(), document=document), logo=content)) as pdf:
            streams = pdf.pages[0].Contents.read_bytes()
        drawn[version] = [side for side in (64, 80) if f"\n{side} 0 0 {side} 45 ".encode() in streams]
    assert drawn == {"classic-2": [64], "classic-3": [80]}


def test_a_huge_logo_is_reduced_to_what_a_printer_shows() -> None:
    pdf = PdfDocumentRenderer(factur_x).render(issued(), logo=encoded(Image.effect_noise((4000, 1600), 80), "JPEG"))

    assert len(pdf) < 600_000


def test_bytes_that_are_no_picture_are_refused() -> None:
    with pytest.raises(InvalidInput):
        PdfDocumentRenderer(factur_x).render(issued(), logo=b"<svg xmlns='http://www.w3.org/2000/svg'/>")
