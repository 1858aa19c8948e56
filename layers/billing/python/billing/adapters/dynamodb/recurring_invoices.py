"""Templates of recurring invoices: one item each, in the outbox index by the day they are due."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, dump, item, load, load_all, text
from billing.adapters.dynamodb.customers import successors
from billing.adapters.dynamodb.invoices import new_draft
from billing.adapters.dynamodb.table import Table, Write, refuse_with
from billing.domain.access import Caller
from billing.domain.errors import Busy, NotFound, StaleVersion
from billing.domain.events import Event
from billing.domain.invoice import DraftInvoice
from billing.domain.parties import Customer
from billing.domain.recurring_invoice import RecurringInvoice
from billing.domain.search import fold
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.recurring_invoices import DueRecurringInvoice, PeriodMade, RecurringInvoiceSummary

RECURRING = "recurring_invoice"


def to_item(recurring: RecurringInvoice) -> Item:
    key = keys.recurring_invoice(recurring.tenant_id, recurring.recurring_invoice_id)
    due = recurring.due_on
    return item(
        pk=key.pk,
        sk=key.sk,
        entity=RECURRING,
        schema_version=SCHEMA_VERSION,
        tenant_id=recurring.tenant_id,
        version=recurring.version,
        # The lines stand in the content already.
        body=dump(replace(recurring, totals=replace(recurring.totals, lines=()))),
        summary=dump(RecurringInvoiceSummary.of(recurring)),
        listing_pk=keys.recurring_invoice_listing(recurring.tenant_id),
        listing_sk=f"{fold(recurring.name)[:100]}#{recurring.recurring_invoice_id}",
        outbox_pk=keys.recurring_due(recurring.tenant_id) if due else None,
        outbox_sk=keys.dated(due, recurring.recurring_invoice_id) if due else None,
    )


def from_item(stored: Item) -> RecurringInvoice:
    recurring = load(RecurringInvoice, text(stored, "body"))
    return replace(recurring, totals=recurring.content.computed())


def _billing(row: RecurringInvoiceSummary, customer: Customer | None) -> RecurringInvoiceSummary:
    if customer is None:
        return row
    return replace(row, customer_id=customer.customer_id, customer_name=customer.description.name)


class RecurringInvoices:
    """Port RecurringInvoices."""

    shards = keys.OUTBOX_SHARDS

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(
        self, caller: Caller, recurring_invoice_id: str, *, once: IdempotentRequest | None = None
    ) -> RecurringInvoice:
        key = keys.recurring_invoice(caller.tenant_id, recurring_invoice_id)
        stored = self._table.read(caller, key, once=once).get(key)
        if stored is None:
            raise NotFound
        return from_item(stored)

    def current(
        self, caller: Caller, recurring_invoice_id: str, *, once: IdempotentRequest | None = None
    ) -> RecurringInvoice:
        recurring = self.read(caller, recurring_invoice_id, once=once)
        became = successors(self._table, caller.tenant_id, (recurring.content.customer_id,))
        for customer in became.values():
            return recurring.billing(customer.customer_id, customer.description.name)
        return recurring

    def create(self, caller: Caller, recurring: RecurringInvoice, *, event: Event, once: IdempotentRequest) -> None:
        head = self._table.create(to_item(recurring), refuse_with(Busy))
        self._table.write(caller, head, self._event(recurring, event), once=once, answered=recurring)

    def save(
        self, caller: Caller, recurring: RecurringInvoice, *, event: Event | None, once: IdempotentRequest | None = None
    ) -> None:
        events = [self._event(recurring, event)] if event else []
        self._table.write(caller, self._moved(recurring), *events, once=once, answered=recurring)

    def list(self, caller: Caller, page: PageRequest) -> Page[RecurringInvoiceSummary]:
        self._table.trust(caller)
        rows, position = self._table.page(
            "Listing",
            keys.recurring_invoice_listing(caller.tenant_id),
            page,
            base_key=lambda recurring_id: keys.recurring_invoice(caller.tenant_id, recurring_id),
        )
        found = load_all(RecurringInvoiceSummary, [row.summary for row in rows])
        became = successors(self._table, caller.tenant_id, dict.fromkeys(row.customer_id for row in found))
        return Page(items=tuple(_billing(row, became.get(row.customer_id)) for row in found), position=position)

    def timeline(self, caller: Caller, recurring_invoice_id: str, page: PageRequest) -> Page[Event]:
        """Two requests: the template must exist (and be the tenant's), then its events."""
        head = keys.recurring_invoice(caller.tenant_id, recurring_invoice_id)
        if head not in self._table.read(caller, head):
            raise NotFound
        first = keys.recurring_invoice_event(caller.tenant_id, recurring_invoice_id, "")
        stored, position = self._table.query(
            first.pk, low=first.sk, high=f"{first.sk}{keys.HIGHEST}", limit=page.limit, after=page.position
        )
        return Page(items=load_all(Event, [text(row, "body") for row in stored]), position=position)

    def due(
        self, day: date, *, shard: int, limit: int, after: str | None = None
    ) -> tuple[tuple[DueRecurringInvoice, ...], str | None]:
        found, position = self._table.due(
            keys.recurring_due_shard(shard), f"{day.isoformat()}#{keys.HIGHEST}", limit, after=after
        )
        return tuple(DueRecurringInvoice(*keys.recurring_invoice_of(key)) for key in found), position

    def make(
        self, caller: Caller, recurring: RecurringInvoice, *, draft: DraftInvoice, events: tuple[Event, Event]
    ) -> None:
        own, of_draft = events
        period = keys.recurring_period(recurring.tenant_id, recurring.recurring_invoice_id, recurring.last_date)
        record = item(
            pk=period.pk,
            sk=period.sk,
            entity="recurring_period",
            schema_version=SCHEMA_VERSION,
            tenant_id=recurring.tenant_id,
            invoice_id=draft.invoice_id,
        )
        self._table.write(
            caller,
            self._moved(recurring),
            self._table.create(record, lambda _: PeriodMade()),
            *new_draft(self._table, draft, lambda _: PeriodMade()),
            self._event(recurring, own),
            self._table.event(
                keys.document_event(draft.tenant_id, draft.invoice_id, of_draft.event_id), draft.tenant_id, of_draft
            ),
        )

    def _moved(self, recurring: RecurringInvoice) -> Write:
        return self._table.replace(
            to_item(recurring),
            expected_version=recurring.version - 1,
            entity=RECURRING,
            refused=refuse_with(StaleVersion),
        )

    def _event(self, recurring: RecurringInvoice, event: Event) -> Write:
        key = keys.recurring_invoice_event(recurring.tenant_id, recurring.recurring_invoice_id, event.event_id)
        return self._table.event(key, recurring.tenant_id, event)
