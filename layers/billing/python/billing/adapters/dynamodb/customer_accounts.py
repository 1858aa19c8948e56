"""Customers' accounts: a movement per effect, and a sum per month and currency that the effects add to."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, dump, item, load_all, number, text
from billing.adapters.dynamodb.companies import from_item as company_from_item
from billing.adapters.dynamodb.customer_credits import credit_of
from billing.adapters.dynamodb.customers import current
from billing.adapters.dynamodb.table import Table, Write, refuse_with
from billing.domain.access import Caller
from billing.domain.customer_account import AccountMovement, OpenInvoice, StatementPeriod
from billing.domain.errors import NotFound, StaleVersion, StatementTooLong
from billing.ports.customer_accounts import MAX_MOVEMENTS, MAX_OPEN_INVOICES, AccountExtract
from billing.ports.paging import PageRequest
from billing.ports.repositories import InvoiceSummary

MOVEMENT = "account_movement"
MONTH = "account_month"


def account_writes(
    table: Table, tenant_id: str, customer_id: str, movements: tuple[AccountMovement, ...]
) -> tuple[Write, ...]:
    """The movements, and the sums of their months: part of the transaction of the effect that they tell of."""
    sums: Counter[keys.Key] = Counter()
    for movement in movements:
        sums[keys.account_month(tenant_id, customer_id, movement.day, movement.currency)] += movement.owed_minor
    also: dict[str, str | int] = {"schema_version": SCHEMA_VERSION, "tenant_id": tenant_id}
    return (
        *(table.create(_to_item(tenant_id, customer_id, one), refuse_with(StaleVersion)) for one in movements),
        *(
            table.add(month, "owed_minor", owed_minor, entity=MONTH, also=also)
            for month, owed_minor in sums.items()
            if owed_minor
        ),
    )


def _to_item(tenant_id: str, customer_id: str, movement: AccountMovement) -> Item:
    key = keys.account_movement(tenant_id, customer_id, movement.day, movement.recorded_at, movement.movement_id)
    return item(
        pk=key.pk,
        sk=key.sk,
        entity=MOVEMENT,
        schema_version=SCHEMA_VERSION,
        tenant_id=tenant_id,
        body=dump(movement),
    )


class CustomerAccounts:
    """Port CustomerAccounts."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def extract(self, caller: Caller, customer_id: str, period: StatementPeriod) -> AccountExtract:
        company_key = keys.company(caller.tenant_id)
        customer_key = keys.customer(caller.tenant_id, customer_id)
        credit_key = keys.customer_credit(caller.tenant_id, customer_id)
        found = self._table.read(caller, company_key, customer_key, credit_key)
        customer = current(self._table, caller.tenant_id, found.get(customer_key))
        if customer is None:
            raise NotFound
        if customer.customer_id != customer_id:
            credit_key = keys.customer_credit(caller.tenant_id, customer.customer_id)
            found |= self._table.batch([credit_key])
        company = found.get(company_key)
        opening = self._months_before(caller.tenant_id, customer.ids, period)
        moved = self._movements(caller.tenant_id, customer.ids, period)
        for movement in moved:
            if movement.day < period.first:
                opening[movement.currency] += movement.owed_minor
        return AccountExtract(
            customer=customer,
            company=company_from_item(company) if company else None,
            opening=dict(opening),
            movements=tuple(movement for movement in moved if movement.day >= period.first),
            credit_minor=credit_of(caller.tenant_id, customer.customer_id, found.get(credit_key)).balance_minor,
            still_open=self._still_open(caller.tenant_id, customer.ids),
        )

    def _months_before(
        self, tenant_id: str, customer_ids: tuple[str, ...], period: StatementPeriod
    ) -> defaultdict[str, int]:
        """What was owed when the month of the first day began: a small item per month and currency."""
        sums: defaultdict[str, int] = defaultdict(int)
        for customer_id in customer_ids:
            month = keys.account_month(tenant_id, customer_id, period.first, "")
            for row in self._rows(month.pk, "MONTH#", month.sk, 1000):
                sums[text(row, "sk").rpartition("#")[2]] += number(row, "owed_minor")
        return sums

    def _movements(
        self, tenant_id: str, customer_ids: tuple[str, ...], period: StatementPeriod
    ) -> tuple[AccountMovement, ...]:
        """Those of the period, and of its first month before it, as they were recorded within a day."""
        low = keys.account_movements(period.first.replace(day=1))
        high = f"{keys.account_movements(period.last)}#{keys.HIGHEST}"
        stored: list[Item] = []
        for customer_id in customer_ids:
            partition = keys.account_month(tenant_id, customer_id, period.first, "").pk
            for row in self._rows(partition, low, high, MAX_MOVEMENTS + 1 - len(stored)):
                stored.append(row)
                if len(stored) > MAX_MOVEMENTS:
                    raise StatementTooLong(pointer="/query/from")
        stored.sort(key=lambda row: text(row, "sk"))
        return load_all(AccountMovement, [text(row, "body") for row in stored])

    def _rows(self, partition: str, low: str, high: str, limit: int) -> Iterator[Item]:
        position = None
        while True:
            rows, position = self._table.query(partition, low=low, high=high, limit=limit, after=position)
            yield from rows
            if position is None:
                return

    def _still_open(self, tenant_id: str, customer_ids: tuple[str, ...]) -> tuple[OpenInvoice, ...]:
        summaries: list[str] = []
        position = None
        for customer_id in customer_ids:
            while True:
                rows, position = self._table.page(
                    "OwedByCustomer",
                    keys.invoice_owed_by(tenant_id, customer_id),
                    PageRequest(limit=MAX_OPEN_INVOICES + 1 - len(summaries), position=position),
                    base_key=lambda invoice_id: keys.invoice(tenant_id, invoice_id),
                )
                summaries += [row.summary for row in rows]
                if len(summaries) > MAX_OPEN_INVOICES:
                    raise StatementTooLong
                if position is None:
                    break
        dues = [due for summary in load_all(InvoiceSummary, summaries) for due in summary.still_open()]
        return tuple(sorted(dues, key=lambda due: (due.due_date, due.invoice_id)))
