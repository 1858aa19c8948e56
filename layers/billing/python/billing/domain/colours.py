"""The accent colour of a company, and the one it is printed in: white on it and it on white are easily read.

Contrast is that of WCAG 2.2 (1.4.3: 4.5 to 1). Luminances are whole numbers, so that every machine darkens alike: what
is printed is part of the bytes of a document.
"""

from __future__ import annotations

import functools
import re
from typing import Final

DEFAULT_ACCENT: Final = "#0a5c5e"
LEAST_CONTRAST: Final = 5  # on white; it leaves 4.5 on the palest tints of the accent
_FORM = re.compile(r"#[0-9A-Fa-f]{6}")
_WHOLE = 1_000_000
_STEPS = 256


def _linear(channel: int) -> int:
    """Light of an sRGB channel, in millionths."""
    value = channel / 255
    return round(_WHOLE * (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4))


_LINEAR = tuple(_linear(channel) for channel in range(256))


def is_colour(text: str) -> bool:
    """``#rrggbb``."""
    return _FORM.fullmatch(text) is not None


def channels(colour: str) -> tuple[int, int, int]:
    """Red, green and blue of ``#rrggbb``, from 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def contrast(one: str, other: str) -> float:
    """From 1 to 21, as WCAG defines it."""
    dark, light = sorted((_luminance(channels(one)), _luminance(channels(other))))
    return (light + _WHOLE * 0.05) / (dark + _WHOLE * 0.05)


@functools.lru_cache(maxsize=64)
def readable(colour: str) -> str:
    """The colour itself, or as little darker in the same hue as its contrast to white asks for."""
    red, green, blue = channels(colour)
    for step in range(_STEPS, 0, -1):
        darker = (red * step // _STEPS, green * step // _STEPS, blue * step // _STEPS)
        if 20 * LEAST_CONTRAST * _luminance(darker) <= (21 - LEAST_CONTRAST) * _WHOLE:
            return "#{:02x}{:02x}{:02x}".format(*darker)
    return "#000000"


def _luminance(colour: tuple[int, int, int]) -> int:
    """In millionths."""
    red, green, blue = colour
    return (2126 * _LINEAR[red] + 7152 * _LINEAR[green] + 722 * _LINEAR[blue]) // 10_000
