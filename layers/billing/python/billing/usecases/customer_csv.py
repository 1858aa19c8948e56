"""Files of customers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from billing.domain.access import Caller, Permission
from billing.domain.csv_import import CsvRow, ImportedRow
from billing.domain.csv_table import Exported, write_csv
from billing.domain.customer_csv import (
    AlikeRow,
    CustomerImport,
    CustomerRow,
    alike_in_file,
    customer_cells,
    customer_columns,
)
from billing.domain.errors import FieldError
from billing.domain.events import EventType
from billing.domain.parties import Customer, CustomerDescription
from billing.domain.printing import Text, customer_texts
from billing.ports.clock import Clock, Ids
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import PageRequest
from billing.ports.repositories import Customers
from billing.usecases.csv_import import import_rows
from billing.usecases.customers import customer_event


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
    """Raises: FieldErrors, unless it is a dry run; AlreadyAnswered, IdempotencyKeyReused, Busy."""
    target = _CustomerRows(caller=caller, customers=customers, clock=clock, ids=ids)
    return import_rows(caller, rows, target, dry_run=dry_run, once=once)


def export_customer_csv(caller: Caller, page: PageRequest, *, customers: Customers) -> Exported:
    """A page of customers by name, which an import reads back as it was."""
    caller.require(Permission.READ)
    found = customers.whole(caller, page)
    described = [customer.description for customer in found.items]
    text = write_csv(customer_columns(described), map(customer_cells, described))
    return Exported(text=text, position=found.position)


@dataclass(slots=True, kw_only=True)
class _CustomerRows:
    caller: Caller
    customers: Customers
    clock: Clock
    ids: Ids
    prefix: str = "cus"

    def texts(self, description: CustomerDescription, at: str) -> Iterator[Text]:
        return customer_texts(description, at)

    def made(self, resource_id: str, description: CustomerDescription) -> Customer:
        now = self.clock.now()
        return Customer(
            tenant_id=self.caller.tenant_id,
            customer_id=resource_id,
            version=1,
            description=description,
            created_at=now,
            updated_at=now,
        )

    def reported(self, line: int, resource: Customer) -> ImportedRow:
        return ImportedRow(line=line, resource_id=resource.customer_id, name=resource.description.name)

    def read(self, resource_id: str, once: IdempotentRequest | None = None) -> Customer:
        return self.customers.read(self.caller, resource_id, once=once)

    def create(self, resource: Customer, once: IdempotentRequest) -> None:
        event = customer_event(EventType.CUSTOMER_CREATED, self.caller, resource, self.ids)
        self.customers.create(self.caller, resource, event=event, once=once)

    def errors(self, made: Sequence[tuple[int, Customer]]) -> tuple[FieldError, ...]:  # noqa: ARG002 - any may stand
        return ()

    def claim(self, made: Sequence[tuple[int, Customer]]) -> None:
        """Nothing of a customer is unique."""

    def warnings(
        self, rows: Sequence[CsvRow[CustomerDescription]], stored: Sequence[tuple[int, Customer]]
    ) -> tuple[AlikeRow, ...]:
        alike = [found for line, customer in stored for found in self._alike(line, customer)]
        return tuple(sorted((*alike_in_file(rows), *alike), key=lambda one: one.line))

    def _alike(self, line: int, customer: Customer) -> list[AlikeRow]:
        return [
            AlikeRow(
                line=line, likenesses=found.likenesses, customer_id=found.customer.customer_id, name=found.customer.name
            )
            for found in self.customers.alike(self.caller, customer)
        ]
