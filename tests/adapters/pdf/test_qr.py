"""The QR code on an invoice can be read back from its modules."""

from __future__ import annotations

import re

import pikepdf
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from reportlab.graphics.barcode.qrencoder import QR8bitByte, QRCode, QRErrorCorrectLevel

from billing.adapters.facturx.embedding import factur_x
from billing.adapters.pdf.qr import code_of
from billing.adapters.pdf.renderer import PdfDocumentRenderer
from billing.domain.epc import transfer_code
from tests.adapters.pdf.reading import opened, words
from tests.documents import SAMPLES
from tests.factories import company, issued

RENDERER = PdfDocumentRenderer(factur_x)
_FORMAT_M = 0b00


def _modules(text: str) -> list[list[bool]]:
    code = code_of(text)
    modules = [[False] * code.size for _ in range(code.size)]
    for run in code.runs:
        for column in range(run.column, run.column + run.length):
            modules[run.row][column] = True
    return modules


def test_it_has_its_finders_its_timing_and_its_format() -> None:
    modules = _modules(transfer_code(issued().document) or "")
    last = len(modules) - 1
    finder = ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"]

    for row, column in ((0, 0), (0, last - 6), (last - 6, 0)):
        corner = ["".join(str(int(modules[row + down][column + right])) for right in range(7)) for down in range(7)]
        assert corner == finder
    assert [modules[6][column] for column in range(8, last - 7)] == [column % 2 == 0 for column in range(8, last - 7)]
    masked = int("".join(str(int(modules[8][column])) for column in (0, 1, 2, 3, 4)), 2) ^ 0b10101
    assert masked >> 3 == _FORMAT_M


@given(text=st.text(max_size=500))
@example(text="a" * 178)  # the last that the length of one byte tells in version 9
@example(text="a" * 181)
@example(text="")
def test_each_module_is_that_of_the_whole_encoder(text: str) -> None:
    whole = QRCode(None, QRErrorCorrectLevel.M)
    whole.addData(QR8bitByte(text))
    whole.version = whole.calculate_version()
    whole.makeImpl(False, 2)

    assert _modules(text) == whole.modules


def test_a_text_that_no_code_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        code_of("a" * 3_000)


def test_every_module_is_drawn_where_it_belongs() -> None:
    code = code_of(transfer_code(issued().document) or "")
    with opened(RENDERER.render(issued(), logo=None)) as document:
        content = pikepdf.Page(document.pages[0]).obj.Contents.read_bytes().decode("latin-1")
    path = max(content.split("\n"), key=lambda line: line.count(" re"))
    drawn = re.findall(r"(\d+) (-\d+) (\d+) 1 re", path)
    placed = re.match(r"q ([\d.]+) 0 0 ([\d.]+) [\d.]+ [\d.]+ cm ", path)

    assert [(int(column), -int(row) - 1, int(length)) for column, row, length in drawn] == list(code.runs)
    assert placed is not None
    assert placed[1] == placed[2]
    assert float(placed[1]) > 1.2  # points: four tenths of a millimetre


def test_only_what_asks_for_a_transfer_has_one() -> None:
    assert "Virement par QR code" in words(RENDERER.render(issued(), logo=None))
    assert "QR code" not in words(RENDERER.render(SAMPLES["paid-by-card"](), logo=None))


URL = f"https://app.exemple.test/factures/ten_{'0' * 32}.inv_{'0' * 26}.{'s' * 43}"


def _annotations(pdf: bytes) -> list[tuple[str, int, str]]:
    with opened(pdf) as document:
        return [
            (str(one.Subtype), int(one.F), str(one.A.URI))
            for page in document.pages
            for one in page.obj.get("/Annots", [])
        ]


@pytest.mark.parametrize("iban", [True, False])
def test_what_is_paid_online_has_its_address_as_a_code_and_as_a_link_that_is_printed(iban: bool) -> None:
    of = issued() if iban else issued(seller=company(iban=None, bic=None))

    pdf = RENDERER.render(of, logo=None, pay_url=URL)

    assert "Payer en ligne" in words(pdf)
    assert _annotations(pdf) == [("/Link", 4, URL)]
    with opened(pdf) as document:
        content = pikepdf.Page(document.pages[0]).obj.Contents.read_bytes().decode("latin-1")
    codes = [line for line in content.split("\n") if line.count(" re") > 100]
    assert len(codes) == (2 if iban else 1)
    paths = [re.findall(r"(\d+) (-\d+) (\d+) 1 re", path) for path in codes]
    runs = [[(int(column), -int(row) - 1, int(length)) for column, row, length in path] for path in paths]
    assert list(code_of(URL).runs) in runs


def test_what_is_not_paid_online_has_no_link() -> None:
    assert _annotations(RENDERER.render(issued(), logo=None)) == []
