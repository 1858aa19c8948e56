"""Attempts to pay invoices online: one item per invoice, beside it; the Stripe account of a tenant: one item."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.checkout_items import CHECKOUT_BOOK, book_of
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, dump, item, load, text
from billing.adapters.dynamodb.invoices import LEDGER_ENTRY
from billing.adapters.dynamodb.invoices import from_item as invoice_from_item
from billing.adapters.dynamodb.notices import notice_writes
from billing.adapters.dynamodb.reconciliations import due_write
from billing.adapters.dynamodb.stripe_inbox import entry_write
from billing.adapters.dynamodb.table import Table, Write, refuse_with
from billing.domain.access import Caller
from billing.domain.checkout import CheckoutBook
from billing.domain.dates import civil_date
from billing.domain.errors import StaleVersion
from billing.domain.events import Event
from billing.domain.notices import CompanyNotice
from billing.domain.stripe_connection import StripeConnection
from billing.domain.stripe_inbox import InboxEntry
from billing.ports.checkouts import CheckoutContext, DueCheckout, MovedLedger
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import PageRequest

STRIPE_CONNECTION = "stripe_connection"
STRIPE_ACCOUNT = "stripe_account"


def connection_of(tenant_id: str, stored: Item | None) -> StripeConnection:
    return load(StripeConnection, text(stored, "body")) if stored else StripeConnection(tenant_id=tenant_id)


def book_write(table: Table, book: CheckoutBook) -> Write:
    """Part of a transaction: the next version of a book. Refused: StaleVersion."""
    key = keys.checkout_book(book.tenant_id, book.invoice_id)
    due = book.due_at
    order = keys.outbox_order(due) if due else None
    settled = book.settled_at
    waiting = keys.checkouts_due(book.tenant_id) if due else keys.checkouts_unsettled(book.tenant_id)
    waits_for = due or settled
    content = item(
        pk=key.pk,
        sk=key.sk,
        entity=CHECKOUT_BOOK,
        schema_version=SCHEMA_VERSION,
        tenant_id=book.tenant_id,
        version=book.version,
        body=dump(book),
        summary="" if due else None,
        listing_pk=keys.checkout_listing(book.tenant_id) if due else None,
        listing_sk=f"{order}#{book.invoice_id}" if due else None,
        outbox_pk=waiting if waits_for else None,
        outbox_sk=keys.outbox_order(waits_for) if waits_for else None,
    )
    stale = refuse_with(StaleVersion)
    if book.version == 1:
        return table.create(content, stale)
    return table.replace(content, expected_version=book.version - 1, refused=stale)


def moved_ledger_from_image(image: Mapping[str, Any]) -> MovedLedger | None:
    """The entry in a stream image; None when it is something else."""
    if text(image, "entity") != LEDGER_ENTRY:
        return None
    tenant_id, invoice_id, rank = keys.ledger_entry_of(keys.Key(text(image, "pk"), text(image, "sk")))
    return MovedLedger(tenant_id=tenant_id, invoice_id=invoice_id, rank=rank)


class Checkouts:
    """Port Checkouts."""

    shards = keys.OUTBOX_SHARDS

    def __init__(self, table: Table) -> None:
        self._table = table

    def load(self, tenant_id: str, invoice_id: str) -> CheckoutContext:
        invoice_key = keys.invoice(tenant_id, invoice_id)
        book_key = keys.checkout_book(tenant_id, invoice_id)
        connection_key = keys.stripe_connection(tenant_id)
        found = self._table.batch([invoice_key, book_key, connection_key])
        stored = found.get(invoice_key)
        return CheckoutContext(
            invoice=invoice_from_item(stored) if stored else None,
            book=book_of(tenant_id, invoice_id, found.get(book_key)),
            connection=connection_of(tenant_id, found.get(connection_key)),
        )

    def book(self, tenant_id: str, invoice_id: str) -> CheckoutBook:
        return book_of(tenant_id, invoice_id, self._table.get(keys.checkout_book(tenant_id, invoice_id)))

    def due(self, at: datetime, *, shard: int, limit: int) -> tuple[DueCheckout, ...]:
        found, _ = self._table.due(keys.checkouts_due_in(shard), keys.outbox_order(at), limit)
        owners = (keys.checkout_of(key) for key in found)
        return tuple(DueCheckout(tenant_id=tenant_id, invoice_id=invoice_id) for tenant_id, invoice_id in owners)

    def unsettled(self, at: datetime, *, shard: int, limit: int) -> tuple[tuple[str, str], ...]:
        found, _ = self._table.due(keys.checkouts_unsettled_in(shard), keys.outbox_order(at), limit)
        owners = (keys.checkout_of(key) for key in found)
        return tuple((tenant_id, invoice_id) for tenant_id, invoice_id in owners if invoice_id is not None)

    def closable(self, tenant_id: str, *, limit: int) -> tuple[str, ...]:
        rows, _ = self._table.page(
            "Listing",
            keys.checkout_listing(tenant_id),
            PageRequest(limit=limit),
            base_key=partial(keys.checkout_book, tenant_id),
        )
        return tuple(row.resource_id for row in rows)

    def save(
        self, book: CheckoutBook, *, while_ledger_at: int | None = None, while_links_at: int | None = None
    ) -> None:
        held = []
        if while_ledger_at is not None:
            held.append(
                self._table.check(
                    keys.ledger_entry(book.tenant_id, book.invoice_id, while_ledger_at + 1),
                    only_if="attribute_not_exists(pk)",
                    refused=refuse_with(StaleVersion),
                )
            )
        if while_links_at is not None:
            held.append(
                self._table.check(
                    keys.invoice_links(book.tenant_id, book.invoice_id),
                    only_if="version = :version" if while_links_at else "attribute_not_exists(pk)",
                    values={":version": while_links_at} if while_links_at else None,
                    refused=refuse_with(StaleVersion),
                )
            )
        self._table.write(None, book_write(self._table, book), *held)


class StripeConnections:
    """Port StripeConnections."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self, caller: Caller, *, once: IdempotentRequest | None = None) -> StripeConnection:
        key = keys.stripe_connection(caller.tenant_id)
        return connection_of(caller.tenant_id, self._table.read(caller, key, once=once).get(key))

    def stored(self, tenant_id: str) -> StripeConnection:
        return connection_of(tenant_id, self._table.get(keys.stripe_connection(tenant_id)))

    def save(
        self,
        caller: Caller,
        connection: StripeConnection,
        *,
        event: Event | None = None,
        entry: InboxEntry | None = None,
        notices: tuple[CompanyNotice, ...] = (),
        once: IdempotentRequest | None = None,
        answered: object = None,
    ) -> None:
        tenant_id = connection.tenant_id
        writes = [self._moved(connection)]
        if connection.account is not None:
            writes.append(self._account(tenant_id, connection.account.account_id))
            due = keys.stripe_day_due(tenant_id, connection.account.account_id)
            # One that was here before has days that nobody read since: they stay due.
            if connection.just_connected and self._table.get(due) is None:
                first = civil_date(connection.connected_at or self._table.now())
                writes.append(due_write(self._table, tenant_id, connection.account.account_id, first))
        if entry is not None:
            writes.append(entry_write(self._table, entry))
        for notice in notices:
            writes += notice_writes(self._table, notice)
        if event is not None:
            writes.append(self._table.event(keys.stripe_connection_event(tenant_id, event.event_id), tenant_id, event))
        self._table.write(caller, *writes, once=once, answered=answered)

    def tenant_of(self, account_id: str) -> str | None:
        stored = self._table.get(keys.stripe_account(account_id))
        return text(stored, "tenant_id") if stored else None

    def _moved(self, connection: StripeConnection) -> Write:
        key = keys.stripe_connection(connection.tenant_id)
        let_go = connection.disconnected_at
        content = item(
            pk=key.pk,
            sk=key.sk,
            entity=STRIPE_CONNECTION,
            schema_version=SCHEMA_VERSION,
            tenant_id=connection.tenant_id,
            version=connection.version,
            body=dump(connection),
            outbox_pk=keys.checkouts_due(connection.tenant_id) if connection.closing else None,
            outbox_sk=keys.outbox_order(let_go) if connection.closing and let_go else None,
        )
        stale = refuse_with(StaleVersion)
        if connection.version == 1:
            return self._table.create(content, stale)
        return self._table.replace(content, expected_version=connection.version - 1, refused=stale)

    def _account(self, tenant_id: str, account_id: str) -> Write:
        """An account leads to one tenant, for ever: what happens at Stripe after it was let go is still its own."""
        key = keys.stripe_account(account_id)
        content = item(pk=key.pk, sk=key.sk, entity=STRIPE_ACCOUNT, schema_version=SCHEMA_VERSION, tenant_id=tenant_id)
        only_if, values = "attribute_not_exists(pk) OR tenant_id = :tenant", {":tenant": tenant_id}
        return Write("Put", self._table.put(content, only_if=only_if, values=values), refuse_with(StaleVersion))
