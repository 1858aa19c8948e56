"""QR codes as runs of dark modules.

ReportLab has the tables and the patterns of the standard (ISO/IEC 18004); what differs from text to text is set here,
in a tenth of the time that its own encoder takes, which is a third of a page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import chain, zip_longest
from typing import NamedTuple

from reportlab.graphics.barcode.qrencoder import QRCode, QRErrorCorrectLevel, QRMath, QRRSBlock, QRUtil

QUIET_ZONE = 4  # modules of white around it
_LEVEL = QRErrorCorrectLevel.M  # as EPC069-12 asks
_MASK = 2  # any of the eight can be read; choosing the best of them would take six times as long
_BYTE_MODE = 0b0100
_LONG_COUNT = 10  # the version from which the length takes 16 bits
_VERSIONS = 40
_PADDING = (0xEC, 0x11)
_DARK = re.compile(rb"\x01+")


class Run(NamedTuple):
    """Dark modules beside each other: column and row of the first, from the top left, and how many."""

    column: int
    row: int
    length: int


class Code(NamedTuple):
    size: int  # modules on a side, without the quiet zone
    runs: tuple[Run, ...]


class _Block(NamedTuple):
    """How many bytes of data stand together, and how many correct them."""

    data: int
    correction: int


class _Frame(NamedTuple):
    """A code of one version before its data: row by row, one byte a module, the mask where data will stand."""

    size: int
    modules: bytes
    places: tuple[int, ...]  # of each bit


def code_of(text: str) -> Code:
    """Raises: ValueError, for a text of more than two kilobytes."""
    data = text.encode()
    version = next((each for each in range(1, _VERSIONS) if len(data) <= _room(each)), None)
    if version is None:
        raise ValueError("the text is too long for a QR code")
    frame = _frame(version)
    stream = _corrected(_padded(data, version), version)
    modules = bytearray(frame.modules)
    bits = f"{int.from_bytes(stream):0{8 * len(stream)}b}"
    for place, bit in zip(frame.places, bits, strict=False):  # some versions end with bits that say nothing
        if bit == "1":
            modules[place] ^= 1
    return Code(size=frame.size, runs=tuple(_runs(modules, frame.size)))


@cache
def _blocks(version: int) -> tuple[_Block, ...]:
    found = QRRSBlock.getRSBlocks(version, _LEVEL)
    return tuple(_Block(each.dataCount, each.totalCount - each.dataCount) for each in found)


def _room(version: int) -> int:
    """Bytes of text: mode and length take one and a half or two and a half."""
    return sum(block.data for block in _blocks(version)) - (2 if version < _LONG_COUNT else 3)


def _padded(data: bytes, version: int) -> bytes:
    """Mode, length, text, and the end of it: half a byte of zeros, which makes the bytes whole."""
    length_bits = 8 if version < _LONG_COUNT else 16
    head = _BYTE_MODE << length_bits | len(data)
    written = ((head << 8 * len(data) | int.from_bytes(data)) << 4).to_bytes(len(data) + 1 + length_bits // 8)
    missing = sum(block.data for block in _blocks(version)) - len(written)
    return written + bytes(_PADDING[rank % 2] for rank in range(missing))


def _corrected(data: bytes, version: int) -> bytes:
    """The blocks and what corrects them, a byte of each block in turn."""
    parts, corrections, start = [], [], 0
    for block in _blocks(version):
        part = data[start : start + block.data]
        start += block.data
        parts.append(part)
        corrections.append(_remainder(part, block.correction))
    turns = chain(zip_longest(*parts), zip_longest(*corrections))
    return bytes(byte for turn in turns for byte in turn if byte is not None)


def _remainder(data: bytes, length: int) -> bytes:
    """Reed–Solomon: what is left of the data divided by the generator of this length."""
    multiples = _multiples(length)
    top, kept = 8 * (length - 1), (1 << 8 * (length - 1)) - 1
    rest = 0
    for byte in data:
        rest = (rest & kept) << 8 ^ multiples[rest >> top ^ byte]
    return rest.to_bytes(length)


@cache
def _multiples(length: int) -> tuple[int, ...]:
    """The generator without its leading 1, times each byte."""
    _, *generator = QRUtil.getErrorCorrectPolynomial(length).num
    logarithms = [QRMath.glog(each) for each in generator]
    return 0, *(
        int.from_bytes(bytes(QRMath.gexp(QRMath.glog(byte) + each) for each in logarithms)) for byte in range(1, 256)
    )


@cache
def _frame(version: int) -> _Frame:
    qr = QRCode(version, _LEVEL)
    qr.dataCache = []  # all bits zero: what stands in their places is the mask
    qr.makeImpl(False, _MASK)
    size = qr.moduleCount
    modules = bytes(bool(dark) for row in qr.modules for dark in row)
    return _Frame(size, modules, tuple(row * size + column for column, row in qr.dataPosIterator()))


def _runs(modules: bytearray, size: int) -> Iterator[Run]:
    for row in range(size):
        for dark in _DARK.finditer(modules[row * size : (row + 1) * size]):
            yield Run(dark.start(), row, dark.end() - dark.start())
