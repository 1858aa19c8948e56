"""Lines of a file as requests, and what is told of an import."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError

from billing.api.answers import Reply
from billing.api.language import Language
from billing.api.messages import field_texts
from billing.domain.csv_import import CsvRow
from billing.domain.csv_table import Column, Record, read_csv
from billing.domain.errors import FieldError, FieldErrors

D = TypeVar("D")
Meanings = Mapping[str, Callable[[str], Any]]


class ImportErrorResponse(Reply):
    line: Annotated[int, Field(description="As a spreadsheet counts, the header being 1")]
    column: Annotated[str, Field(description="French title of the column")]
    pointer: Annotated[str, Field(examples=["/rows/2/billing_address/postal_code"])]
    detail: str

    @classmethod
    def of(cls, error: FieldError, columns: Sequence[Column], language: Language) -> ImportErrorResponse:
        _, _, line, field = error.pointer.split("/", 3)
        # What is wrong of a whole contact or address stands at its first column.
        title = next((one.title for one in columns if one.field == field or one.field.startswith(f"{field}/")), field)
        detail = error.detail_en if language is Language.ENGLISH else error.detail_fr
        return cls(line=int(line), column=title, pointer=error.pointer, detail=detail)


ImportErrors = Annotated[
    list[ImportErrorResponse], Field(description="Of a dry run; otherwise they are a problem (422)")
]


def csv_rows(
    content: bytes, columns: Sequence[Column], meant: Meanings, described: Callable[[dict[str, Any]], D]
) -> tuple[CsvRow[D], ...]:
    """Each line held to what creating one asks: ``described`` raises ValidationError or FieldErrors.

    Raises: InvalidInput, when the file as a whole cannot be read.
    """
    return tuple(_row(record, meant, described) for record in read_csv(content, columns))


def _row(record: Record, meant: Meanings, described: Callable[[dict[str, Any]], D]) -> CsvRow[D]:
    at = f"/rows/{record.line}"
    try:
        description = described(_request(record, meant))
    except ValidationError as refused:
        found = tuple(
            FieldError("/".join((at, *map(str, error["loc"]))), *field_texts(error["type"], error.get("ctx") or {}))
            for error in refused.errors()
        )
        return CsvRow(line=record.line, description=None, errors=found)
    except FieldErrors as refused:
        found = tuple(FieldError(f"{at}{error.pointer}", error.detail_fr, error.detail_en) for error in refused.errors)
        return CsvRow(line=record.line, description=None, errors=found)
    return CsvRow(line=record.line, description=description)


def _request(record: Record, meant: Meanings) -> dict[str, Any]:
    request: dict[str, Any] = {}
    for field, cell in record.cells.items():
        *holders, name = field.split("/")
        holder = request
        for held in holders:
            holder = holder.setdefault(held, {})
        holder[name] = meant[name](cell.strip()) if name in meant else cell
    return {name: _list(name, held) if _is_list(held) else held for name, held in request.items()}


def _is_list(held: Any) -> bool:
    return isinstance(held, dict) and all(rank.isdigit() for rank in held)


def _list(name: str, held: dict[str, Any]) -> list[Any]:
    """``contacts/0/name`` and so on, without a gap. Raises: FieldErrors."""
    for rank in range(len(held)):
        if str(rank) not in held:
            raise FieldErrors(
                (
                    FieldError(
                        f"/{name}/{rank}",
                        f"Le n° {rank + 1} est vide alors qu'un suivant est rempli.",
                        f"Number {rank + 1} is empty while a later one is not.",
                    ),
                )
            )
    return [held[str(rank)] for rank in range(len(held))]
