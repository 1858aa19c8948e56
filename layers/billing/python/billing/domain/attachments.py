"""Files that go with a document: known by their bytes, whatever their name says; frozen with the document.

The kinds are those that EN 16931 lets an invoice carry (BT-125). Nothing that runs: no macros, no script in a PDF.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from dataclasses import dataclass
from typing import Final

from billing.domain.errors import FieldError, FieldErrors, InvalidInput
from billing.domain.typography import first_unprintable

MAX_ATTACHMENTS = 10
MAX_ATTACHMENT_BYTES = 4_000_000  # a request of Lambda has 6 MB, base64 included
MAX_ATTACHMENTS_BYTES = 8_000_000  # all of a document: a mail of 10 MB passes nearly everywhere

PDF, PNG, JPEG, CSV = "application/pdf", "image/png", "image/jpeg", "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_EXTENSIONS: Final = {PDF: (".pdf",), PNG: (".png",), JPEG: (".jpg", ".jpeg"), CSV: (".csv",), XLSX: (".xlsx",)}
_UNSAFE_IN_NAMES = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f]+')
_ACTIVE_PDF = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFile)\b")
_TAIL = 1024  # where the end of a PDF is looked for
_MOST_PARTS = 2000  # of a workbook: more is no invoice's appendix


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A checked file: where its bytes are stored (once by their hash), and what they are."""

    key: str
    sha256: str
    name: str
    media_type: str
    size_bytes: int


def checked(tenant_id: str, name: str, content: bytes) -> Attachment:
    """The attachment that these bytes make.

    Raises:
        InvalidInput: too large, or not a PDF, PNG, JPEG, CSV or XLSX file.
        FieldErrors: a name that cannot be printed.
    """
    if len(content) > MAX_ATTACHMENT_BYTES:
        raise InvalidInput("Une pièce jointe a au plus 4 Mo.", "An attachment has at most 4 MB.")
    media_type = media_type_of(content)
    if media_type is None:
        raise InvalidInput(
            "Une pièce jointe est un fichier PDF, PNG, JPEG, CSV ou XLSX, sans macro, ni script, ni fichier inclus "
            "(un PDF Factur-X en contient un : joignez-le sans son XML).",
            "An attachment is a PDF, PNG, JPEG, CSV or XLSX file, without macro, script or file within (a Factur-X PDF "
            "holds one: attach it without its XML).",
        )
    sha256 = hashlib.sha256(content).hexdigest()
    return Attachment(
        key=f"{tenant_id}/attachments/{sha256}",
        sha256=sha256,
        name=_named(name, media_type),
        media_type=media_type,
        size_bytes=len(content),
    )


def with_attachment(held: tuple[Attachment, ...], added: Attachment) -> tuple[Attachment, ...]:
    """The attachments of a document and one more; the same bytes stand once, under their last name.

    Raises:
        FieldErrors: too many, too large together, or another file has the name.
    """
    others = tuple(one for one in held if one.sha256 != added.sha256)
    if len(others) >= MAX_ATTACHMENTS:
        raise _refused("", f"Au plus {MAX_ATTACHMENTS} pièces jointes.", f"At most {MAX_ATTACHMENTS} attachments.")
    if sum(one.size_bytes for one in (*others, added)) > MAX_ATTACHMENTS_BYTES:
        raise _refused("", "Les pièces jointes dépassent ensemble 8 Mo.", "The attachments exceed 8 MB together.")
    if added.name.lower() in {one.name.lower() for one in others}:
        raise _refused("/query/name", "Une autre pièce jointe porte ce nom.", "Another attachment has this name.")
    return (*others, added)


def media_type_of(content: bytes) -> str | None:
    """What the bytes are; None for anything else than the five kinds."""
    if content.startswith(b"%PDF-"):
        return PDF if b"%%EOF" in content[-_TAIL:] and not _ACTIVE_PDF.search(content) else None
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG if b"IEND" in content[-16:] else None
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG if b"\xff\xd9" in content[-64:] else None
    if content.startswith(b"PK\x03\x04"):
        return XLSX if _is_workbook(content) else None
    return CSV if _is_table_of_text(content) else None


def _is_workbook(content: bytes) -> bool:
    """Names alone are looked at: nothing is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            names = packed.namelist()
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError):
        return False
    lower = {name.lower() for name in names}
    active = any(name.endswith(".bin") and "vba" in name for name in lower)
    return len(names) <= _MOST_PARTS and {"[content_types].xml", "xl/workbook.xml"} <= lower and not active


def _is_table_of_text(content: bytes) -> bool:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        lines = text.strip().splitlines()
        separated = bool(lines) and any(sign in lines[0] for sign in ",;\t")
        return separated and not any(ord(char) < 32 and char not in "\t\r\n" for char in text)
    return False


def _named(name: str, media_type: str) -> str:
    """The name as it is printed and mailed: no path, the extension of what the file is."""
    base = _UNSAFE_IN_NAMES.sub("-", name).strip(" .")
    unprintable = first_unprintable(base)
    if not base or unprintable is not None:
        raise _refused("/query/name", "Ce nom de fichier ne convient pas.", "This file name does not do.")
    extensions = _EXTENSIONS[media_type]
    return base if base.lower().endswith(extensions) else f"{base}{extensions[0]}"


def _refused(pointer: str, detail_fr: str, detail_en: str) -> FieldErrors:
    return FieldErrors((FieldError(pointer, detail_fr, detail_en),))
