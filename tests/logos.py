"""A logo that plainly belongs to nobody, in each format that a company may send."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

import billing.adapters.pdf

_FONT = Path(billing.adapters.pdf.__file__).parent / "fonts/Inter-SemiBold.ttf"
_TEAL, _SAND, _CLEAR = (10, 92, 94, 255), (233, 196, 106, 255), (255, 255, 255, 0)

# Format and mode, and how it is written.
FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "png": ("RGBA", {}),
    "jpeg": ("CMYK", {"quality": 92}),
    "gif": ("P", {}),
    "webp": ("RGBA", {"lossless": True}),
    "tiff": ("RGB", {"compression": "tiff_lzw"}),
    "bmp": ("RGB", {}),
}


def wide() -> Image.Image:
    """A mark and a name, three times as wide as high."""
    picture = Image.new("RGBA", (840, 280), _CLEAR)
    picture.paste(mark(280))
    _write(picture, (560, 140), "LOGO", 168, _TEAL)
    return picture


def tall() -> Image.Image:
    """A mark above a name."""
    picture = Image.new("RGBA", (300, 480), _CLEAR)
    picture.paste(mark(300))
    _write(picture, (150, 395), "LOGO", 108, _TEAL)
    return picture


def mark(side: int) -> Image.Image:
    picture = Image.new("RGBA", (side, side), _CLEAR)
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((0, 0, side - 1, side - 1), radius=side // 5, fill=_TEAL)
    draw.ellipse((side * 0.52, side * 0.12, side * 0.88, side * 0.48), fill=_SAND)
    _write(picture, (side * 0.42, side * 0.6), "E", side * 2 // 3, (255, 255, 255, 255))
    return picture


def encoded(picture: Image.Image, kind: str) -> bytes:
    """On white where the format knows no transparency."""
    mode, options = FORMATS[kind]
    if mode != "RGBA":
        ground = Image.new("RGBA", picture.size, "white")
        ground.alpha_composite(picture)
        picture = ground.convert("RGB").convert(mode)
    buffer = io.BytesIO()
    picture.save(buffer, kind.upper(), **options)
    return buffer.getvalue()


def _write(picture: Image.Image, middle: tuple[float, float], text: str, size: int, colour: tuple[int, ...]) -> None:
    font = ImageFont.truetype(str(_FONT), size)
    ImageDraw.Draw(picture).text(middle, text, fill=colour, font=font, anchor="mm")
