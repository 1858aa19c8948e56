"""The seller's logo, prepared for print: upright, opaque, in RGB, no finer than a printer shows."""

from __future__ import annotations

import functools
import io
import zlib
from dataclasses import dataclass

from PIL import Image, ImageOps
from reportlab.pdfbase.pdfdoc import PDFDictionary, PDFName, PDFStream

from billing.domain.errors import InvalidInput

BOX_WIDTH = 200.0
BOX_HEIGHT = 80.0
_DOTS_PER_POINT = 300 / 72
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP")
_JPEG_QUALITY = 90
_ORIENTATION = 0x0112  # EXIF
_ON_THEIR_SIDE = frozenset({5, 6, 7, 8})
_CACHED_LOGOS = 4  # a sender's documents follow each other in the same warm function


@dataclass(frozen=True, slots=True)
class PreparedLogo:
    """Compressed pixels, and the size in points at which they are drawn."""

    pixels: bytes
    compression: str
    pixel_width: int
    pixel_height: int
    width: float
    height: float

    def stream(self) -> PDFStream:
        return PDFStream(
            PDFDictionary(
                {
                    "Type": PDFName("XObject"),
                    "Subtype": PDFName("Image"),
                    "Width": self.pixel_width,
                    "Height": self.pixel_height,
                    "ColorSpace": PDFName("DeviceRGB"),
                    "BitsPerComponent": 8,
                    "Filter": PDFName(self.compression),
                }
            ),
            self.pixels,
        )


@functools.lru_cache(maxsize=_CACHED_LOGOS)
def prepare_logo(content: bytes, box_height: float = BOX_HEIGHT) -> PreparedLogo:
    """Contained in its box with its proportions, a pixel never larger than a point.

    Raises:
        InvalidInput: the bytes are no picture that can be read.
    """
    finest = (round(BOX_WIDTH * _DOTS_PER_POINT), round(box_height * _DOTS_PER_POINT))
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
            photographic = picture.format == "JPEG"
            if picture.format == "TIFF":
                picture.load()  # which turns it upright by itself
            rotated = picture.getexif().get(_ORIENTATION, 1) in _ON_THEIR_SIDE
            original = (picture.height, picture.width) if rotated else picture.size
            # A JPEG is decoded at a fraction of its size when that is enough.
            picture.draft("RGB", finest[::-1] if rotated else finest)
            upright = _eight_bits(ImageOps.exif_transpose(picture))
            if upright.mode in {"1", "P"}:  # they would be resized without smoothing
                upright = upright.convert("RGBA" if "transparency" in upright.info else "RGB")
            upright.thumbnail(finest, Image.Resampling.LANCZOS)
            flat = _opaque(upright)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InvalidInput("Le logo n'est pas une image lisible.", "The logo is not a readable picture.") from error
    scale = min(BOX_WIDTH / original[0], box_height / original[1], 1.0)
    return PreparedLogo(
        pixels=_jpeg(flat) if photographic else zlib.compress(flat.tobytes(), 9),
        compression="DCTDecode" if photographic else "FlateDecode",
        pixel_width=flat.width,
        pixel_height=flat.height,
        width=original[0] * scale,
        height=original[1] * scale,
    )


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Of 16 bits per channel the high byte: Pillow resizes few of their kinds."""
    if picture.mode.startswith("I") or picture.mode == "F":
        return picture.convert("I").point(lambda value: value / 256).convert("L")
    return picture


def _opaque(picture: Image.Image) -> Image.Image:
    """RGB on white: paper has no transparency, and PDF/A is simpler without it."""
    if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
        coloured = picture.convert("RGBA")
        paper = Image.new("RGB", coloured.size, "white")
        paper.paste(coloured, mask=coloured.getchannel("A"))
        return paper
    return picture.convert("RGB")


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_JPEG_QUALITY, optimize=True, subsampling=0)
    return buffer.getvalue()
