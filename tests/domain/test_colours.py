from __future__ import annotations

import colorsys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from billing.domain.colours import DEFAULT_ACCENT, channels, contrast, is_colour, readable

WHITE, BLACK = "#ffffff", "#000000"
colours = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [(BLACK, WHITE, 21.0), (WHITE, WHITE, 1.0), ("#777777", WHITE, 4.478), ("#0000ff", WHITE, 8.592)],  # WCAG 2.2
)
def test_contrast_is_that_of_wcag(one: str, other: str, expected: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(expected, abs=0.001)


@given(colours)
@example("#ffff00")
@example(WHITE)
@example(BLACK)
def test_any_accent_is_printed_so_that_it_can_be_read(colour: str) -> None:
    printed = readable(colour)

    assert contrast(printed, WHITE) >= 5
    assert readable(printed) == printed


@given(colours)
def test_a_dark_accent_is_printed_as_it_is_and_a_light_one_no_darker_than_needed(colour: str) -> None:
    printed = readable(colour)

    if contrast(colour, WHITE) >= 5:
        assert printed == colour
    else:
        assert contrast(printed, WHITE) < 5.4


@pytest.mark.parametrize("colour", ["#ffd400", "#ff8a00", "#39ff14", "#00e5ff", "#ff69b4"])
def test_a_darker_accent_keeps_its_hue(colour: str) -> None:
    assert _hue(readable(colour)) == pytest.approx(_hue(colour), abs=0.01)


def test_the_default_accent_is_printed_as_it_is() -> None:
    assert readable(DEFAULT_ACCENT) == DEFAULT_ACCENT


@pytest.mark.parametrize("text", ["", "0a5c5e", "#0a5c5", "#0a5c5e0", "#0a5c5g", "teal", "#0a5c5e\n", "#٠a5c5e"])
def test_other_forms_are_no_colour(text: str) -> None:
    assert not is_colour(text)
    assert is_colour("#0A5c5e")


def _hue(colour: str) -> float:
    red, green, blue = (channel / 255 for channel in channels(colour))
    return colorsys.rgb_to_hsv(red, green, blue)[0]
