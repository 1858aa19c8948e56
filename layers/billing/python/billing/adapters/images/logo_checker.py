"""Whether uploaded bytes are a picture that documents can carry.

The header is judged before anything is decoded, so that a file which lies about its size or kind costs nothing.
"""

from __future__ import annotations

import hashlib
import io
import warnings

from PIL import Image

from billing.domain.errors import InvalidInput
from billing.ports.delivery import Picture

MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 50_000_000
MAX_RATIO = 25
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
_TOO_LARGE_FR = "Le logo dépasse 50 millions de pixels."
_TOO_LARGE_EN = "The logo exceeds 50 million pixels."


class PillowLogoChecker:
    def check(self, content: bytes) -> Picture:
        """What the picture is: PNG, JPEG, GIF, WebP, TIFF or BMP, whole, of reasonable size and shape.

        Raises:
            InvalidInput: anything else.
        """
        if len(content) > MAX_BYTES:
            raise InvalidInput("Le logo dépasse 5 Mo.", "The logo exceeds 5 MB.")
        media_type, (width, height) = _header(content)
        if width * height > MAX_PIXELS:
            raise InvalidInput(_TOO_LARGE_FR, _TOO_LARGE_EN)
        if max(width, height) > MAX_RATIO * min(width, height):
            raise InvalidInput("Le logo est trop étiré.", "The logo is too elongated.")
        if _decode(content) in _ON_THEIR_SIDE:
            width, height = height, width
        return Picture(sha256=hashlib.sha256(content).hexdigest(), media_type=media_type, width=width, height=height)


def _header(content: bytes) -> tuple[str, tuple[int, int]]:
    """Media type, width and height as stored, without decoding pixels (Pillow decodes a PNG to tell its EXIF)."""
    try:
        with _opened(content) as picture:
            return _MEDIA_TYPES[picture.format or ""], picture.size
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InvalidInput(_TOO_LARGE_FR, _TOO_LARGE_EN) from error
    except (OSError, ValueError, SyntaxError, KeyError) as error:
        raise InvalidInput(
            "Le logo doit être une image PNG, JPEG, GIF, WebP, TIFF ou BMP.",
            "The logo must be a PNG, JPEG, GIF, WebP, TIFF or BMP picture.",
        ) from error


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
        raise InvalidInput("Le logo est tronqué ou abîmé.", "The logo is truncated or damaged.") from error
