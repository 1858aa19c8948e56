"""Whether uploaded bytes are a picture that documents can carry.

The header is judged before anything is decoded, so that a file which lies about its size or kind costs nothing.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Callable

from PIL import Image

from billing.domain.errors import InvalidInput
from billing.ports.delivery import Picture

MAX_BYTES = 4_000_000  # a request of Lambda has 6 MB, base64 included
MAX_PIXELS = 25_000_000
MAX_RATIO = 25
POINTER = "/logo"  # the body is the picture itself
_MEDIA_TYPES = {
    "BMP": "image/bmp",
    "GIF": "image/gif",
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "TIFF": "image/tiff",
    "WEBP": "image/webp",
}
_ORIENTATION = 0x0112  # EXIF
_ON_THEIR_SIDE = frozenset({5, 6, 7, 8})
_TOO_LARGE_FR = "Le logo dépasse 25 millions de pixels."
_TOO_LARGE_EN = "The logo exceeds 25 million pixels."
_TAKEN_FR = "Le logo doit être une image PNG, JPEG, GIF, WebP, TIFF ou BMP"
_TAKEN_EN = "The logo must be a PNG, JPEG, GIF, WebP, TIFF or BMP picture"
_PICTURES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*", b"BM")
# What people send instead, by how it begins; a text may begin with white space, a mark or a comment.
_OTHERS = (
    (b"%PDF", "PDF"),
    (b"%!PS", "EPS"),
    (b"\xc5\xd0\xd3\xc6", "EPS"),
    (b"\0\0\1\0", "ICO"),
    (b"8BPS", "PSD"),
    (b"PK\3\4", "ZIP"),
)
_TEXTS = ((b"<svg", "SVG"), (b"<html", "HTML"), (b"<!doctype html", "HTML"))
_HEIF = frozenset({b"heic", b"heix", b"heif", b"mif1", b"msf1"})
_BEGINNING = 1024


class PillowLogoChecker:
    """``prepare`` makes of a picture what documents carry: one that it refuses would let no document be drawn."""

    def __init__(self, prepare: Callable[[bytes], object]) -> None:
        self._prepare = prepare

    def check(self, content: bytes) -> Picture:
        """What the picture is: PNG, JPEG, GIF, WebP, TIFF or BMP, whole, of reasonable size and shape.

        Of an animation or of several pages it is the first picture, the only one that is read.

        Raises:
            InvalidInput: anything else, with what is wrong and the pointer ``/logo``.
        """
        if len(content) > MAX_BYTES:
            raise _refused("Le logo dépasse 4 Mo.", "The logo exceeds 4 MB.")
        media_type, (width, height) = _header(content)
        if width * height > MAX_PIXELS:
            raise _refused(_TOO_LARGE_FR, _TOO_LARGE_EN)
        if max(width, height) > MAX_RATIO * min(width, height):
            raise _refused(
                f"Le logo est trop étiré : {width} × {height} pixels, un côté dépasse {MAX_RATIO} fois l'autre.",
                f"The logo is too elongated: {width} × {height} pixels, one side exceeds {MAX_RATIO} times the other.",
            )
        if _decode(content) in _ON_THEIR_SIDE:
            width, height = height, width
        try:
            self._prepare(content)
        except InvalidInput as error:
            raise _damaged() from error
        return Picture(sha256=hashlib.sha256(content).hexdigest(), media_type=media_type, width=width, height=height)


def _refused(french: str, english: str) -> InvalidInput:
    return InvalidInput(french, english, pointer=POINTER)


def _damaged() -> InvalidInput:
    return _refused("Le logo est tronqué ou abîmé.", "The logo is truncated or damaged.")


def _header(content: bytes) -> tuple[str, tuple[int, int]]:
    """Media type, width and height as stored, without decoding pixels (Pillow decodes a PNG to tell its EXIF)."""
    try:
        with _opened(content) as picture:
            return _MEDIA_TYPES[picture.format or ""], picture.size
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _refused(_TOO_LARGE_FR, _TOO_LARGE_EN) from error
    except (OSError, ValueError, SyntaxError, KeyError) as error:
        if content.startswith(_PICTURES) or content[8:12] == b"WEBP":
            raise _damaged() from error
        found = _kind(content)
        raise _refused(
            f"{_TAKEN_FR} ; ce fichier est de type {found}." if found else f"{_TAKEN_FR}.",
            f"{_TAKEN_EN}; this file is of type {found}." if found else f"{_TAKEN_EN}.",
        ) from error


def _kind(content: bytes) -> str:
    """What a file is instead of a picture, where its beginning says so."""
    if content[4:8] == b"ftyp":
        return "HEIC" if content[8:12] in _HEIF else "AVIF" if content[8:12] == b"avif" else ""
    beginning = content[:_BEGINNING].lower()
    named = [name for start, name in _OTHERS if content.startswith(start)]
    return next(iter(named + [name for start, name in _TEXTS if start in beginning]), "")


def _opened(content: bytes) -> Image.Image:
    """The picture, its header read and judged by Pillow's own limits."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # what is missing is found when the pixels are read
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return Image.open(io.BytesIO(content), formats=tuple(_MEDIA_TYPES))


def _decode(content: bytes) -> int:
    """Read every pixel once: checksums first, then the data; nothing may be missing. Returns the EXIF orientation."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            with _opened(content) as picture:
                picture.verify()
            with _opened(content) as picture:
                picture.load()
                return int(picture.getexif().get(_ORIENTATION, 1))
    except (OSError, ValueError, SyntaxError, TypeError, EOFError, KeyError) as error:
        raise _damaged() from error
