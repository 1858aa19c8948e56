from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from billing.adapters.facturx.embedding import factur_x
from billing.adapters.pdf.logo import BOX_HEIGHT, BOX_WIDTH, prepare_logo
from billing.adapters.pdf.renderer import PdfDocumentRenderer
from billing.domain.errors import InvalidInput
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


def test_a_huge_logo_is_reduced_to_what_a_printer_shows() -> None:
    pdf = PdfDocumentRenderer(factur_x).render(issued(), logo=encoded(Image.effect_noise((4000, 1600), 80), "JPEG"))

    assert len(pdf) < 600_000


def test_bytes_that_are_no_picture_are_refused() -> None:
    with pytest.raises(InvalidInput):
        PdfDocumentRenderer(factur_x).render(issued(), logo=b"<svg xmlns='http://www.w3.org/2000/svg'/>")
