"""Files of customers: imported all or not at all, each line once whatever is repeated."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from billing.domain.access import Caller, Permission
from billing.domain.csv_table import Exported, write_csv
from billing.domain.customer_csv import (
    CUSTOMER_COLUMNS,
    AlikeRow,
    CustomerImport,
    CustomerRow,
    ImportedCustomer,
    alike_in_file,
    customer_cells,
)
from billing.domain.errors import Busy, FieldError, FieldErrors, NotFound
from billing.domain.events import EventType
from billing.domain.parties import Customer
from billing.domain.printing import customer_texts, unprintable_errors
from billing.ports.clock import Clock, Ids
from billing.ports.idempotency import AlreadyAnswered, Answer, IdempotentRequest
from billing.ports.paging import PageRequest
from billing.ports.repositories import Customers
from billing.usecases.customers import customer_event

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def import_customer_csv(
    caller: Caller,
    rows: Sequence[CustomerRow],
    *,
    dry_run: bool,
    once: IdempotentRequest,
    customers: Customers,
    clock: Clock,
    ids: Ids,
) -> CustomerImport:
    """Every row is checked before any is written. Each row's write is idempotent by itself, and its id follows from
    the request: the same request after a crash goes on where the first one stopped. The last row's write keeps the
    answer.

    Raises: FieldErrors, unless it is a dry run, which reports them; AlreadyAnswered, IdempotencyKeyReused, Busy.
    """
    caller.require(Permission.WRITE_DOCUMENTS)
    errors = [error for row in rows for error in _row_errors(row)]
    if errors and not dry_run:
        raise FieldErrors(tuple(errors))
    wanted = _customers(caller, rows, once, clock)
    report = CustomerImport(dry_run=dry_run, rows=len(rows), errors=tuple(errors), warnings=alike_in_file(rows))
    if dry_run:
        alike = [found for line, customer in wanted for found in _alike(caller, line, customer, customers)]
        warnings = sorted((*report.warnings, *alike), key=lambda one: one.line)
        return replace(report, warnings=tuple(warnings))
    imported = (
        ImportedCustomer(line=line, customer_id=customer.customer_id, name=customer.description.name)
        for line, customer in wanted
    )
    report = replace(report, imported=tuple(imported))
    last = wanted[-1][1]
    with suppress(NotFound):  # not yet done to its end
        customers.read(caller, last.customer_id, once=once)
    for line, customer in wanted[:-1]:
        _create_once(caller, customer, _of_row(once, line), customers, ids)
    whole = replace(once, answer_of=lambda _: once.answer_of(report))
    _create(caller, last, whole, customers, ids)
    return report


def export_customer_csv(caller: Caller, page: PageRequest, *, customers: Customers) -> Exported:
    """A page of customers by name, which an import reads back as it was."""
    caller.require(Permission.READ)
    found = customers.whole(caller, page)
    rows = (customer_cells(customer.description) for customer in found.items)
    return Exported(text=write_csv(CUSTOMER_COLUMNS, rows), position=found.position)


def _row_errors(row: CustomerRow) -> tuple[FieldError, ...]:
    if row.description is None:
        return row.errors
    return row.errors + unprintable_errors(customer_texts(row.description, f"/rows/{row.line}"))


def _customers(
    caller: Caller, rows: Sequence[CustomerRow], once: IdempotentRequest, clock: Clock
) -> list[tuple[int, Customer]]:
    now = clock.now()
    return [
        (
            row.line,
            Customer(
                tenant_id=caller.tenant_id,
                customer_id=_customer_id(caller, once, row.line),
                version=1,
                description=row.description,
                created_at=now,
                updated_at=now,
            ),
        )
        for row in rows
        if row.description is not None
    ]


def _customer_id(caller: Caller, once: IdempotentRequest, line: int) -> str:
    """The same for the same row of the same request, and for no other."""
    told = "\n".join((caller.tenant_id, once.operation, once.key, once.fingerprint, str(line)))
    number = int.from_bytes(hashlib.sha256(told.encode()).digest()[:16])
    digits = (_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))
    return f"cus_{''.join(digits)}"


def _of_row(once: IdempotentRequest, line: int) -> IdempotentRequest:
    return replace(
        once,
        operation=f"{once.operation}#row",
        key=f"{once.key}#{line}",
        answer_of=lambda customer: Answer(status=200, body=customer.customer_id),
    )


def _create_once(caller: Caller, customer: Customer, once: IdempotentRequest, customers: Customers, ids: Ids) -> None:
    try:
        _create(caller, customer, once, customers, ids)
    except AlreadyAnswered:
        return  # by this request, before it was repeated


def _create(caller: Caller, customer: Customer, once: IdempotentRequest, customers: Customers, ids: Ids) -> None:
    event = customer_event(EventType.CUSTOMER_CREATED, caller, customer, ids)
    try:
        customers.create(caller, customer, event=event, once=once)
    except Busy:
        # Imported so long ago that its answer was forgotten, or there is contention indeed.
        try:
            customers.read(caller, customer.customer_id)
        except NotFound:
            raise Busy from None


def _alike(caller: Caller, line: int, customer: Customer, customers: Customers) -> list[AlikeRow]:
    return [
        AlikeRow(
            line=line, likenesses=found.likenesses, customer_id=found.customer.customer_id, name=found.customer.name
        )
        for found in customers.alike(caller, customer)
    ]
