"""Files imported all or not at all, each line once whatever is repeated: the one way, whatever the lines become."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Protocol, TypeVar

from billing.domain.access import Caller, Permission
from billing.domain.csv_import import CsvRow, ImportedRow, ImportReport
from billing.domain.errors import Busy, FieldError, FieldErrors, NotFound
from billing.domain.printing import Text, unprintable_errors
from billing.ports.idempotency import AlreadyAnswered, Answer, IdempotentRequest

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
D = TypeVar("D")
R = TypeVar("R")
W = TypeVar("W")
W_co = TypeVar("W_co", covariant=True)


class Rows(Protocol[D, R, W_co]):
    """What lines become, for one caller: ``D`` as they are described, ``R`` as they are stored, ``W`` warnings."""

    prefix: str

    def texts(self, description: D, at: str) -> Iterator[Text]:
        """What will be printed."""
        ...

    def made(self, resource_id: str, description: D) -> R: ...

    def reported(self, line: int, resource: R) -> ImportedRow: ...

    def read(self, resource_id: str, once: IdempotentRequest | None = None) -> R:
        """Raises: NotFound, AlreadyAnswered, IdempotencyKeyReused."""
        ...

    def create(self, resource: R, once: IdempotentRequest) -> None:
        """Raises: AlreadyAnswered, IdempotencyKeyReused, Busy (there is one of this id)."""
        ...

    def errors(self, made: Sequence[tuple[int, R]]) -> tuple[FieldError, ...]:
        """Why lines cannot be imported together with each other and with what is stored."""
        ...

    def warnings(self, rows: Sequence[CsvRow[D]], stored: Sequence[tuple[int, R]]) -> tuple[W_co, ...]:
        """By line; of the lines given as ``stored`` also what the table knows."""
        ...

    def claim(self, made: Sequence[tuple[int, R]]) -> None:
        """Hold whatever could refuse a line once others are written. Raises: FieldErrors, Busy."""
        ...


def import_rows(
    caller: Caller,
    rows: Sequence[CsvRow[D]],
    target: Rows[D, R, W],
    *,
    dry_run: bool,
    once: IdempotentRequest,
) -> ImportReport[W]:
    """Every row is checked before any is written. Each row's write is idempotent by itself, and its id follows from
    the request: the same request after a crash goes on where the first one stopped. The last row's write keeps the
    answer.

    Raises: FieldErrors, unless it is a dry run, which reports them; AlreadyAnswered, IdempotencyKeyReused, Busy.
    """
    caller.require(Permission.WRITE_DOCUMENTS)
    errors = [error for row in rows for error in _row_errors(row, target)]
    made = [
        (row.line, target.made(_row_id(caller, target.prefix, once, row.line), row.description))
        for row in rows
        if row.description is not None
    ]
    if errors or dry_run:
        errors += target.errors(made)
        errors.sort(key=_line)
    if errors and not dry_run:
        raise FieldErrors(tuple(errors))
    warnings = target.warnings(rows, made if dry_run else ())
    report = ImportReport(dry_run=dry_run, rows=len(rows), errors=tuple(errors), warnings=warnings)
    if dry_run:
        return report
    report = replace(report, imported=tuple(target.reported(line, resource) for line, resource in made))
    with suppress(NotFound):  # not yet done to its end
        target.read(report.imported[-1].resource_id, once)
    target.claim(made)
    *others, last = zip(report.imported, (resource for _, resource in made), strict=True)
    for row, resource in others:
        with suppress(AlreadyAnswered):  # by this request, before it was repeated
            _create(target, row, resource, _of_row(once, row))
    _create(target, *last, replace(once, answer_of=lambda _: once.answer_of(report)))
    return report


def _row_errors(row: CsvRow[D], target: Rows[D, R, W]) -> tuple[FieldError, ...]:
    if row.description is None:
        return row.errors
    return row.errors + unprintable_errors(target.texts(row.description, f"/rows/{row.line}"))


def _line(error: FieldError) -> int:
    return int(error.pointer.split("/")[2])


def _row_id(caller: Caller, prefix: str, once: IdempotentRequest, line: int) -> str:
    """The same for the same row of the same request, and for no other."""
    told = "\n".join((caller.tenant_id, once.operation, once.key, once.fingerprint, str(line)))
    number = int.from_bytes(hashlib.sha256(told.encode()).digest()[:16])
    digits = (_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))
    return f"{prefix}_{''.join(digits)}"


def _of_row(once: IdempotentRequest, row: ImportedRow) -> IdempotentRequest:
    return replace(
        once,
        operation=f"{once.operation}#row",
        key=f"{once.key}#{row.line}",
        answer_of=lambda _: Answer(status=200, body=row.resource_id),
    )


def _create(target: Rows[D, R, W], row: ImportedRow, resource: R, once: IdempotentRequest) -> None:
    try:
        target.create(resource, once)
    except Busy:
        # Imported so long ago that its answer was forgotten, or there is contention indeed.
        try:
            target.read(row.resource_id)
        except NotFound:
            raise Busy from None
