"""QR codes as runs of dark modules."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from reportlab.graphics.barcode.qrencoder import QRCode, QRErrorCorrectLevel

QUIET_ZONE = 4  # modules of white around it
_MASK = 2  # any of the eight can be read; choosing the best of them would take six times as long


class Run(NamedTuple):
    """Dark modules beside each other: column and row of the first, from the top left, and how many."""

    column: int
    row: int
    length: int


class Code(NamedTuple):
    size: int  # modules on a side, without the quiet zone
    runs: tuple[Run, ...]


def code_of(text: str) -> Code:
    """Error correction M, as EPC069-12 asks."""
    qr = QRCode(None, QRErrorCorrectLevel.M)
    qr.addData(text)
    qr.version = qr.calculate_version()
    qr.makeImpl(False, _MASK)
    return Code(size=qr.moduleCount, runs=tuple(_runs(qr.modules)))


def _runs(modules: list[list[bool]]) -> Iterator[Run]:
    for row, line in enumerate(modules):
        column = 0
        for dark, group in groupby(line):
            length = len(list(group))
            if dark:
                yield Run(column, row, length)
            column += length
