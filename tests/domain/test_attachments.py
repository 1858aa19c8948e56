"""Which files may go with a document: by their bytes, whatever their name says."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.attachments import (
    CSV,
    JPEG,
    MAX_ATTACHMENT_BYTES,
    MAX_ATTACHMENTS,
    PDF,
    PNG,
    XLSX,
    Attachment,
    checked,
    media_type_of,
    with_attachment,
)
from billing.domain.errors import FieldErrors, InvalidInput
from tests.factories import TENANT_ID

PDF_BYTES = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n%%EOF\n"


def packed(*names: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return held.getvalue()


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        pytest.param(PDF_BYTES, PDF, id="pdf"),
        pytest.param(b"%PDF-1.4 cut short", None, id="pdf-cut"),
        pytest.param(PDF_BYTES.replace(b"/Catalog", b"/Catalog/OpenAction<</S/JavaScript>>"), None, id="pdf-script"),
        pytest.param(PDF_BYTES.replace(b"/Catalog", b"/Catalog/S/Launch "), None, id="pdf-launch"),
        pytest.param(b"\x89PNG\r\n\x1a\n....IEND\xaeB`\x82", PNG, id="png"),
        pytest.param(b"\x89PNG\r\n\x1a\n", None, id="png-cut"),
        pytest.param(b"\xff\xd8\xff\xe0....\xff\xd9", JPEG, id="jpeg"),
        pytest.param(b"\xff\xd8\xff\xe0....", None, id="jpeg-cut"),
        pytest.param(packed("[Content_Types].xml", "xl/workbook.xml"), XLSX, id="xlsx"),
        pytest.param(packed("[Content_Types].xml", "word/document.xml"), None, id="docx"),
        pytest.param(packed("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"), None, id="macro"),
        pytest.param(b"PK\x03\x04 not a zip", None, id="broken-zip"),
        pytest.param("Désignation;Heures\nÉtude;3\n".encode(), CSV, id="csv-utf-8"),
        pytest.param("Désignation;Heures\n".encode("cp1252"), CSV, id="csv-cp1252"),
        pytest.param(b"a;b\x00", None, id="csv-with-nul"),
        pytest.param(b"just words", None, id="text-without-columns"),
        pytest.param(b"MZ\x90\x00", None, id="program"),
        pytest.param(b"<html></html>", None, id="html"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_a_file_is_known_by_its_bytes(content: bytes, media_type: str | None) -> None:
    assert media_type_of(content) == media_type


@given(st.binary(max_size=300))
def test_any_bytes_are_judged_without_an_error(content: bytes) -> None:
    for start in (b"", b"PK\x03\x04", b"%PDF-"):
        assert media_type_of(start + content) in {None, PDF, PNG, JPEG, CSV, XLSX}


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("plan.pdf", "plan.pdf"),
        ("PLAN.PDF", "PLAN.PDF"),
        ("plan", "plan.pdf"),
        ("plan.exe", "plan.exe.pdf"),
        ("../../etc/plan.pdf", "-..-etc-plan.pdf"),
        ("C:\\plan.pdf", "C-plan.pdf"),
    ],
)
def test_a_name_keeps_no_path_and_ends_as_its_kind_does(name: str, kept: str) -> None:
    assert checked(TENANT_ID, name, PDF_BYTES).name == kept


@pytest.mark.parametrize("name", ["...", " ", "😀.pdf"])
def test_a_name_that_says_nothing_or_has_no_glyph_is_refused(name: str) -> None:
    with pytest.raises(FieldErrors) as refused:
        checked(TENANT_ID, name, PDF_BYTES)

    assert [error.pointer for error in refused.value.errors] == ["/query/name"]


def test_bytes_stand_once_under_the_tenant_and_their_hash() -> None:
    one, again = checked(TENANT_ID, "a.pdf", PDF_BYTES), checked(TENANT_ID, "b.pdf", PDF_BYTES)

    assert one.key == again.key == f"{TENANT_ID}/attachments/{one.sha256}"
    assert with_attachment((one,), again) == (again,)


def sized(rank: int, size_bytes: int, name: str | None = None) -> Attachment:
    return Attachment(
        key=f"k{rank}", sha256=f"{rank:064d}", name=name or f"{rank}.pdf", media_type=PDF, size_bytes=size_bytes
    )


def test_count_and_sizes_are_bounded() -> None:
    full = tuple(sized(rank, 1) for rank in range(MAX_ATTACHMENTS))

    with pytest.raises(FieldErrors):
        with_attachment(full, sized(99, 1))
    with pytest.raises(FieldErrors):
        with_attachment((sized(1, 4_000_000), sized(2, 4_000_000)), sized(3, 1))
    with pytest.raises(InvalidInput):
        checked(TENANT_ID, "a.pdf", b"%PDF-" + b"x" * MAX_ATTACHMENT_BYTES)
    assert len(with_attachment(full, sized(0, 2))) == MAX_ATTACHMENTS


def test_two_files_do_not_share_a_name() -> None:
    with pytest.raises(FieldErrors) as refused:
        with_attachment((sized(1, 1, "Plan.pdf"),), sized(2, 1, "plan.pdf"))

    assert [error.pointer for error in refused.value.errors] == ["/query/name"]
