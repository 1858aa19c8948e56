"""Files of customers: their lines as requests, and the report of an import."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field, ValidationError

from billing.api.answers import Reply, answer
from billing.api.customers import CreateCustomerRequest
from billing.api.language import Language
from billing.api.messages import field_texts
from billing.domain.countries import COUNTRY_NAMES
from billing.domain.csv_table import Record, read_csv
from billing.domain.customer_csv import CUSTOMER_COLUMNS, KINDS, AlikeRow, CustomerImport, CustomerRow, ImportedCustomer
from billing.domain.duplicates import Likeness
from billing.domain.errors import FieldError, FieldErrors
from billing.domain.parties import CustomerKind
from billing.domain.search import fold
from billing.ports.idempotency import Answer

_KINDS = {
    **{word: kind for kind, word in KINDS.items()},
    "entreprise": CustomerKind.BUSINESS,
    "societe": CustomerKind.BUSINESS,
    "pro": CustomerKind.BUSINESS,
    "company": CustomerKind.BUSINESS,
    "individuel": CustomerKind.INDIVIDUAL,
}
_COUNTRIES = {fold(name): code for code, name in COUNTRY_NAMES.items()}
_DAYS = re.compile(r"([0-9]{1,3})\s*(j|jours?|days?)?", re.IGNORECASE)
_TITLES = {column.field: column.title for column in CUSTOMER_COLUMNS}


class ImportErrorResponse(Reply):
    line: Annotated[int, Field(description="As a spreadsheet counts, the header being 1")]
    column: Annotated[str, Field(description="French title of the column")]
    pointer: Annotated[str, Field(examples=["/rows/2/billing_address/postal_code"])]
    detail: str

    @classmethod
    def of(cls, error: FieldError, language: Language) -> ImportErrorResponse:
        _, _, line, field = error.pointer.split("/", 3)
        detail = error.detail_en if language is Language.ENGLISH else error.detail_fr
        return cls(line=int(line), column=_TITLES.get(field, field), pointer=error.pointer, detail=detail)


class ImportWarningResponse(Reply):
    """A line that may be an earlier line of the file, or a customer that exists."""

    line: int
    likenesses: list[Likeness]
    other_line: int | None
    customer_id: str | None
    name: str

    @classmethod
    def of(cls, found: AlikeRow) -> ImportWarningResponse:
        return cls(
            line=found.line,
            likenesses=list(found.likenesses),
            other_line=found.other_line,
            customer_id=found.customer_id,
            name=found.name,
        )


class ImportedCustomerResponse(Reply):
    line: int
    customer_id: str
    name: str

    @classmethod
    def of(cls, imported: ImportedCustomer) -> ImportedCustomerResponse:
        return cls(line=imported.line, customer_id=imported.customer_id, name=imported.name)


class CustomerImportResponse(Reply):
    dry_run: bool
    rows: int
    errors: Annotated[list[ImportErrorResponse], Field(description="Of a dry run; otherwise they are a problem (422)")]
    warnings: Annotated[
        list[ImportWarningResponse],
        Field(description="They stop nothing. Customers that exist are looked through by a dry run only"),
    ]
    imported: list[ImportedCustomerResponse]


def customer_import_answer(report: CustomerImport, language: Language) -> Answer:
    reply = CustomerImportResponse(
        dry_run=report.dry_run,
        rows=report.rows,
        errors=[ImportErrorResponse.of(error, language) for error in report.errors],
        warnings=[ImportWarningResponse.of(found) for found in report.warnings],
        imported=[ImportedCustomerResponse.of(one) for one in report.imported],
    )
    return answer(200, reply)


def customer_rows(content: bytes) -> tuple[CustomerRow, ...]:
    """Each line held to what creating a customer asks. Raises: InvalidInput."""
    return tuple(_row(record) for record in read_csv(content, CUSTOMER_COLUMNS))


def _row(record: Record) -> CustomerRow:
    at = f"/rows/{record.line}"
    try:
        description = CreateCustomerRequest.model_validate(_request(record)).description()
    except ValidationError as refused:
        found = tuple(
            FieldError("/".join((at, *map(str, error["loc"]))), *field_texts(error["type"], error.get("ctx") or {}))
            for error in refused.errors()
        )
        return CustomerRow(line=record.line, description=None, errors=found)
    except FieldErrors as refused:
        found = tuple(FieldError(f"{at}{error.pointer}", error.detail_fr, error.detail_en) for error in refused.errors)
        return CustomerRow(line=record.line, description=None, errors=found)
    return CustomerRow(line=record.line, description=description)


def _request(record: Record) -> dict[str, Any]:
    request: dict[str, Any] = {"billing_address": {}}
    for field, cell in record.cells.items():
        *holders, name = field.split("/")
        holder = request
        for held in holders:
            holder = holder.setdefault(held, {})
        holder[name] = _MEANT[name](cell.strip()) if name in _MEANT else cell
    return request


def _days(cell: str) -> int | str:
    told = _DAYS.fullmatch(cell)
    return int(told[1]) if told else cell


_MEANT: dict[str, Callable[[str], Any]] = {
    "kind": lambda cell: _KINDS.get(fold(cell), cell.lower()),
    "country_code": lambda cell: _COUNTRIES.get(fold(cell), cell.upper()),
    "payment_terms_days": _days,
    "email": str,
    "language": str.lower,
}
