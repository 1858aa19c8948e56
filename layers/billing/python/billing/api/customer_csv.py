"""Files of customers: their lines as requests, and the report of an import."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from billing.api.answers import Reply, answer
from billing.api.csv_import import ImportErrorResponse, ImportErrors, csv_rows
from billing.api.customers import CreateCustomerRequest
from billing.api.language import Language
from billing.domain.countries import COUNTRY_NAMES
from billing.domain.csv_import import ImportedRow
from billing.domain.customer_csv import CUSTOMER_COLUMNS, KINDS, NO, USES, YES, AlikeRow, CustomerImport, CustomerRow
from billing.domain.duplicates import Likeness
from billing.domain.parties import CustomerDescription, CustomerKind
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
_USES: dict[str, str] = {word: use for use, word in USES.items()}
_ANSWERS = {YES: True, "yes": True, "x": True, "1": True, "vrai": True, "true": True}
_ANSWERS |= {NO: False, "no": False, "0": False, "faux": False, "false": False}
_COUNTRIES = {fold(name): code for code, name in COUNTRY_NAMES.items()}
_DAYS = re.compile(r"([0-9]{1,3})\s*(j|jours?|days?)?", re.IGNORECASE)


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
    def of(cls, imported: ImportedRow) -> ImportedCustomerResponse:
        return cls(line=imported.line, customer_id=imported.resource_id, name=imported.name)


class CustomerImportResponse(Reply):
    dry_run: bool
    rows: int
    errors: ImportErrors
    warnings: Annotated[
        list[ImportWarningResponse],
        Field(description="They stop nothing. Customers that exist are looked through by a dry run only"),
    ]
    imported: list[ImportedCustomerResponse]


def customer_import_answer(report: CustomerImport, language: Language) -> Answer:
    reply = CustomerImportResponse(
        dry_run=report.dry_run,
        rows=report.rows,
        errors=[ImportErrorResponse.of(error, CUSTOMER_COLUMNS, language) for error in report.errors],
        warnings=[ImportWarningResponse.of(found) for found in report.warnings],
        imported=[ImportedCustomerResponse.of(one) for one in report.imported],
    )
    return answer(200, reply)


def customer_rows(content: bytes) -> tuple[CustomerRow, ...]:
    """Each line held to what creating a customer asks. Raises: InvalidInput."""
    return csv_rows(content, CUSTOMER_COLUMNS, _MEANT, _described)


def _described(request: dict[str, Any]) -> CustomerDescription:
    return CreateCustomerRequest.model_validate({"billing_address": {}, **request}).description()


def _days(cell: str) -> int | str:
    told = _DAYS.fullmatch(cell)
    return int(told[1]) if told else cell


_MEANT: dict[str, Callable[[str], Any]] = {
    "kind": lambda cell: _KINDS.get(fold(cell), cell.lower()),
    "country_code": lambda cell: _COUNTRIES.get(fold(cell), cell.upper()),
    "payment_terms_days": _days,
    "email": str,
    "language": str.lower,
    "use": lambda cell: _USES.get(fold(cell), cell.lower()),
    "receives_invoices": lambda cell: _ANSWERS.get(fold(cell), cell),
    "receives_reminders": lambda cell: _ANSWERS.get(fold(cell), cell),
}
