"""Tables as spreadsheets save and open them: separators, encodings, headers in two languages, cells that cannot run."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from billing.domain.errors import InvalidInput
from billing.domain.search import fold

MAX_BYTES = 1_000_000
MAX_RECORDS = 300
_SEPARATORS = ";,"
_NOT_WORDS = re.compile(r"[^a-z0-9]+")
# A spreadsheet would run such a cell as a formula: an apostrophe before it makes it text.
_RUNS = re.compile(r"'*[=+\-@\t\r]")
_REPLACED = "\ufffd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """``field`` is the pointer of what it holds: ``billing_address/city``. Its title is in French."""

    field: str
    title: str
    aliases: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A page of an export: the text of a file by itself, and where the next page starts."""

    text: str
    position: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Cells that are not empty, by field; ``line`` counts as a spreadsheet does, the header being 1."""

    line: int
    cells: Mapping[str, str]


def read_csv(content: bytes, columns: Sequence[Column]) -> tuple[Record, ...]:
    """Raises: InvalidInput, when the file as a whole cannot be read."""
    if len(content) > MAX_BYTES:
        raise InvalidInput("Le fichier dépasse 1 Mo.", "The file is larger than 1 MB.")
    text = _decoded(content)
    header, *lines = _lines(text, _separator(text)) or [[]]
    fields = _fields(header, columns)
    records = [_record(line, cells, fields) for line, cells in enumerate(lines, start=2)]
    held = tuple(record for record in records if record.cells)
    if not held:
        raise InvalidInput("Le fichier ne contient aucune ligne.", "The file has no rows.")
    if len(held) > MAX_RECORDS:
        raise InvalidInput(f"Au plus {MAX_RECORDS} lignes par fichier.", f"At most {MAX_RECORDS} rows a file.")
    return held


def write_csv(columns: Sequence[Column], rows: Iterable[Mapping[str, str]]) -> str:
    """As French spreadsheets open it: a byte order mark, semicolons, CRLF."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(column.title for column in columns)
    for row in rows:
        writer.writerow(_inert(row.get(column.field, "")) for column in columns)
    return f"\ufeff{text.getvalue()}"


def _inert(cell: str) -> str:
    return f"'{cell}" if _RUNS.match(cell) else cell


def _own(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _RUNS.match(cell) else cell


def _decoded(content: bytes) -> str:
    try:
        text = content.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    if _REPLACED in text:  # what could not be read was lost on the way here, or is no text
        raise InvalidInput(
            "Encodage inconnu. Enregistrez le fichier en UTF-8, ou envoyez-le en application/octet-stream.",
            "Unknown encoding. Save the file as UTF-8, or send it as application/octet-stream.",
        )
    return text


def _separator(text: str) -> str:
    """The one that makes more cells of the header."""
    header = text.lstrip().partition("\n")[0]
    return max(_SEPARATORS, key=header.count)


def _lines(text: str, separator: str) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error:
        raise InvalidInput(
            "Ce n'est pas un fichier CSV : un guillemet n'est pas refermé, ou une cellule est trop longue.",
            "This is not a CSV file: a quote is not closed, or a cell is too long.",
        ) from None


def _fields(header: Sequence[str], columns: Sequence[Column]) -> list[str | None]:
    known = {
        _folded(name): column.field for column in columns for name in (column.title, column.field, *column.aliases)
    }
    fields: list[str | None] = []
    for name in header:
        title = name.strip()[:60]
        field = known.get(_folded(name))
        if title and field is None:
            raise InvalidInput(f"La colonne « {title} » est inconnue.", f"The column '{title}' is unknown.")
        if field is not None and field in fields:
            raise InvalidInput(f"La colonne « {title} » est en double.", f"The column '{title}' stands twice.")
        fields.append(field)
    missing = next((column for column in columns if column.required and column.field not in fields), None)
    if missing is not None:
        title = missing.title
        raise InvalidInput(f"La colonne « {title} » manque.", f"The column '{title}' is missing.")
    return fields


def _folded(title: str) -> str:
    return _NOT_WORDS.sub(" ", fold(title)).strip()


def _record(line: int, cells: Sequence[str], fields: Sequence[str | None]) -> Record:
    held: dict[str, str] = {}
    for rank, cell in enumerate(cells):
        if not cell.strip():
            continue
        field = fields[rank] if rank < len(fields) else None
        if field is None:
            raise InvalidInput(
                f"La ligne {line} a une cellule sans colonne : {cell.strip()[:40]}",
                f"Line {line} has a cell without a column: {cell.strip()[:40]}",
            )
        held[field] = _own(cell)
    return Record(line=line, cells=held)
