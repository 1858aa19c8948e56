from __future__ import annotations

import pytest

from billing.adapters.pdf.fonts import REGULAR, SEMIBOLD, embedded_font
from billing.domain.typography import first_unprintable, printable


@pytest.mark.parametrize("name", [REGULAR, SEMIBOLD])
def test_a_font_draws_exactly_what_the_domain_calls_printable(name: str) -> None:
    drawn = {code for code in embedded_font(name).face.charToGlyph if 0x20 <= code < 0xFFFF}

    # What is not drawn as it is written never reaches a font: it is composed or dropped before.
    accepted = {
        code
        for code in range(0x20, 0x3000)
        if first_unprintable(chr(code)) is None and printable(chr(code)) == chr(code)
    }
    assert accepted <= drawn
    assert {code for code in drawn - accepted if printable(chr(code)) == chr(code)} == set()


@pytest.mark.parametrize("name", [REGULAR, SEMIBOLD])
def test_digits_are_equally_wide_so_that_amounts_line_up(name: str) -> None:
    font = embedded_font(name)

    assert len({font.stringWidth(digit, 10) for digit in "0123456789"}) == 1


def test_both_weights_are_registered_under_their_own_name() -> None:
    assert embedded_font(REGULAR).face.name != embedded_font(SEMIBOLD).face.name
