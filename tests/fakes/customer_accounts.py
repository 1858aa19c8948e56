"""Fake of the port CustomerAccounts: it adds everything up each time, without sums of months."""

from __future__ import annotations

from collections import Counter

from billing.domain.access import Caller
from billing.domain.canonical import canonical_json
from billing.domain.customer_account import OpenInvoice, Statement, StatementPeriod
from billing.domain.errors import NotFound, StatementTooLong
from billing.domain.invoice import Invoice, IssuedInvoice
from billing.ports.customer_accounts import MAX_MOVEMENTS, AccountExtract
from tests.fakes.store import Store
from tests.fakes.summaries import invoice_summary
from tests.fakes.writes import credit_of


class FakeStatementRenderer:
    """Port StatementRenderer: the same statement gives the same bytes."""

    def render(self, statement: Statement, *, logo: bytes | None) -> bytes:
        return b"%PDF " + canonical_json(statement).encode() + b" logo " + (logo or b"none")


class FakeCustomerAccounts:
    """Port CustomerAccounts."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def extract(self, caller: Caller, customer_id: str, period: StatementPeriod) -> AccountExtract:
        with self._store.lock:
            self._store.check(caller)
            customer = self._store.current(caller.tenant_id, customer_id)
            ids = self._store.ids_of(caller.tenant_id, customer_id)
            credit = credit_of(self._store, caller.tenant_id, customer.customer_id if customer else customer_id)
            company = self._store.companies.get(caller.tenant_id)
            movements = [one for held in ids for one in self._store.movements.get((caller.tenant_id, held), ())]
            invoices = [held for (tenant_id, _), held in self._store.invoices.items() if tenant_id == caller.tenant_id]
        if customer is None:
            raise NotFound
        opening: Counter[str] = Counter()
        for movement in (one for one in movements if one.day < period.first):
            opening[movement.currency] += movement.owed_minor
        shown = sorted(
            (one for one in movements if period.first <= one.day <= period.last),
            key=lambda one: (one.day, one.recorded_at, one.movement_id),
        )
        if len(shown) > MAX_MOVEMENTS:
            raise StatementTooLong
        owed = sorted(_still_open(invoices, ids), key=lambda one: (one.due_date, one.invoice_id))
        return AccountExtract(
            customer=customer,
            company=company,
            opening=dict(opening),
            movements=tuple(shown),
            still_open=tuple(owed),
            credit_minor=credit.balance_minor,
        )


def _still_open(invoices: list[Invoice], ids: tuple[str, ...]) -> list[OpenInvoice]:
    return [
        due
        for invoice in invoices
        if isinstance(invoice, IssuedInvoice)
        and not invoice.document.document_type.is_credit_note
        and invoice.document.customer_id in ids
        and invoice.ledger.balance_minor > 0
        for due in invoice_summary(invoice).still_open()
    ]
