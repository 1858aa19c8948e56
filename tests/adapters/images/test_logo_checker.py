from __future__ import annotations

import hashlib
import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from billing.adapters.images.logo_checker import MAX_BYTES, PillowLogoChecker
from billing.adapters.pdf.logo import prepare_logo
from billing.domain.errors import InvalidInput

CHECKER = PillowLogoChecker(prepare_logo)


def encoded(file_format: str, size: tuple[int, int] = (300, 120), mode: str = "RGB", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(buffer, file_format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("file_format", "media_type"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("GIF", "image/gif"),
        ("WEBP", "image/webp"),
        ("TIFF", "image/tiff"),
        ("BMP", "image/bmp"),
    ],
)
def test_usual_pictures_are_described(file_format: str, media_type: str) -> None:
    content = encoded(file_format)

    picture = CHECKER.check(content)

    assert picture.media_type == media_type
    assert (picture.width, picture.height) == (300, 120)
    assert picture.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(("file_format", "mode"), [("PNG", "I;16"), ("TIFF", "I;16"), ("TIFF", "I;16B"), ("TIFF", "F")])
def test_greys_of_sixteen_bits_are_taken_and_drawn(file_format: str, mode: str) -> None:
    buffer = io.BytesIO()
    size = (3600, 1500) if file_format == "PNG" else (900, 600)
    Image.new(mode, size, 40_000).save(buffer, file_format)

    drawn = prepare_logo(buffer.getvalue())

    assert CHECKER.check(buffer.getvalue()).width == size[0]
    assert zlib.decompress(drawn.pixels)[:3] == bytes([40_000 // 256] * 3)


def test_a_picture_that_no_document_could_carry_is_refused() -> None:
    def refuse(_content: bytes) -> None:
        raise InvalidInput

    with pytest.raises(InvalidInput, match="truncated or damaged"):
        PillowLogoChecker(refuse).check(encoded("PNG"))


@pytest.mark.parametrize("mode", ["CMYK", "L"])
def test_print_colours_are_taken(mode: str) -> None:
    assert CHECKER.check(encoded("JPEG", mode=mode)).width == 300


@pytest.mark.parametrize(("orientation", "size"), [(1, (300, 120)), (3, (300, 120)), (6, (120, 300)), (8, (120, 300))])
def test_size_is_as_displayed(orientation: int, size: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation

    for file_format in ("JPEG", "TIFF"):
        picture = CHECKER.check(encoded(file_format, exif=exif.tobytes()))

        assert (picture.width, picture.height) == size


def refused(content: bytes) -> InvalidInput:
    """How a picture is refused: in one sentence, beside the field."""
    with pytest.raises(InvalidInput) as caught:
        CHECKER.check(content)
    (error,) = caught.value.errors
    assert error.pointer == "/logo"
    assert (error.detail_fr, error.detail_en) == (caught.value.detail_fr, caught.value.detail_en)
    assert error.detail_fr.startswith("Le logo ")
    return caught.value


@pytest.mark.parametrize(
    ("file_format", "named"),
    [("ICO", "ICO"), ("PPM", ""), ("EPS", "EPS"), ("PDF", "PDF"), ("TGA", ""), ("JPEG2000", ""), ("AVIF", "AVIF")],
)
def test_other_formats_are_refused_by_their_name(file_format: str, named: str) -> None:
    said = refused(encoded(file_format, size=(64, 64)))

    taken = "Le logo doit être une image PNG, JPEG, GIF, WebP, TIFF ou BMP"
    assert said.detail_fr == (f"{taken} ; ce fichier est de type {named}." if named else f"{taken}.")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'/>", "SVG"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- logo -->\n<SVG width='10' height='10'/>", "SVG"),
        (b"<!DOCTYPE HTML><title>Logo</title>", "HTML"),
        (b"\n<html><img src='file:///etc/passwd'></html>", "HTML"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"8BPS\0\1" + bytes(20), "PSD"),
        (b"PK\3\4" + bytes(20), "ZIP"),
    ],
)
def test_what_people_send_instead_is_named(content: bytes, named: str) -> None:
    assert f"de type {named}." in refused(content).detail_fr
    assert f"of type {named}." in refused(content).detail_en


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_picture_counts(file_format: str) -> None:
    frames = [Image.new("RGB", (90, 40), colour) for colour in ("teal", "red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, file_format, save_all=True, append_images=frames[1:])
    with Image.open(io.BytesIO(buffer.getvalue())) as written:
        assert getattr(written, "n_frames", 1) == 3

    picture = CHECKER.check(buffer.getvalue())

    assert (picture.width, picture.height) == (90, 40)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'/>",
        b"<html><img src='file:///etc/passwd'></html>",
        b"%PDF-1.7\n",
        b"\xff\xd8\xff" + b"\0" * 50,
        b"RIFF\x10\0\0\0WEBPVP8 ",
    ],
)
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        CHECKER.check(content)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits"])
def test_the_usual_kinds_of_tiff_are_taken_and_a_truncated_one_is_not(compression: str) -> None:
    content = encoded("TIFF", compression=compression)

    assert CHECKER.check(content).media_type == "image/tiff"
    for kept in (0.3, 0.6, 0.9):
        with pytest.raises(InvalidInput):
            CHECKER.check(content[: int(len(content) * kept)])


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_truncated_picture_is_refused(file_format: str, kept: float) -> None:
    content = encoded(file_format, size=(200, 200))

    assert refused(content[: int(len(content) * kept)]).detail_fr == "Le logo est tronqué ou abîmé."


def test_a_png_with_a_wrong_checksum_is_refused() -> None:
    content = bytearray(encoded("PNG"))
    content[len(content) // 2] ^= 0xFF

    assert refused(bytes(content)).detail_fr == "Le logo est tronqué ou abîmé."


def png_header(width: int, height: int) -> bytes:
    """A PNG that announces this size and holds almost nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + name + data + struct.pack(">L", zlib.crc32(name + data))

    header = struct.pack(">LLBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(8000, 7000), (12000, 9000), (40_000, 40_000), (2**31 - 1, 2**31 - 1)])
def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _self: pytest.fail("the pixels were decoded"))

    assert refused(png_header(*size)).detail_fr == "Le logo dépasse 25 millions de pixels."


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(InvalidInput, match="4 MB"):
        CHECKER.check(encoded("PNG") + b"\0" * MAX_BYTES)


@pytest.mark.parametrize("size", [(2600, 100), (100, 2600)])
def test_a_ribbon_is_refused(size: tuple[int, int]) -> None:
    said = refused(encoded("PNG", size=size))

    assert f"{size[0]} × {size[1]} pixels" in said.detail_fr
    assert "elongated" in said.detail_en


def test_a_text_chunk_that_inflates_without_end_is_refused() -> None:
    data = b"Comment\0\0" + zlib.compress(b"\0" * 80_000_000, 9)
    text = struct.pack(">L", len(data)) + b"zTXt" + data + struct.pack(">L", zlib.crc32(b"zTXt" + data))
    content = encoded("PNG")

    with pytest.raises(InvalidInput):
        CHECKER.check(content[:33] + text + content[33:])
