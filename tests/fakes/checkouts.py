"""Fakes of the ports Checkouts and StripeConnections."""

from __future__ import annotations

from datetime import datetime

from billing.domain.access import Caller
from billing.domain.checkout import CheckoutBook
from billing.domain.dates import civil_date
from billing.domain.errors import StaleVersion
from billing.domain.events import Event
from billing.domain.invoice import IssuedInvoice
from billing.domain.notices import CompanyNotice
from billing.domain.stripe_connection import StripeConnection
from billing.domain.stripe_inbox import InboxEntry
from billing.ports.checkouts import CheckoutContext, DueCheckout
from billing.ports.idempotency import IdempotentRequest
from tests.fakes.store import SHARDS, Store, shard_of
from tests.fakes.stripe_inbox import hold_entry
from tests.fakes.writes import hold_book, hold_notices, move_book, write_notices


class FakeCheckouts:
    """Port Checkouts."""

    shards = SHARDS

    def __init__(self, store: Store) -> None:
        self._store = store

    def load(self, tenant_id: str, invoice_id: str) -> CheckoutContext:
        key = (tenant_id, invoice_id)
        with self._store.lock:
            return CheckoutContext(
                invoice=self._store.invoices.get(key),
                book=self._store.checkouts_of(*key),
                connection=self._store.stripe_connections.get(tenant_id) or StripeConnection(tenant_id=tenant_id),
            )

    def book(self, tenant_id: str, invoice_id: str) -> CheckoutBook:
        return self.load(tenant_id, invoice_id).book

    def due(self, at: datetime, *, shard: int, limit: int) -> tuple[DueCheckout, ...]:
        with self._store.lock:
            waiting = [
                (book.due_at, DueCheckout(tenant_id=tenant_id, invoice_id=invoice_id))
                for (tenant_id, invoice_id), book in self._store.checkout_books.items()
                if book.due_at
            ]
            waiting += [
                (connection.disconnected_at, DueCheckout(tenant_id=tenant_id, invoice_id=None))
                for tenant_id, connection in self._store.stripe_connections.items()
                if connection.closing and connection.disconnected_at
            ]
        waiting.sort(key=lambda one: one[0])
        return tuple(one for due, one in waiting if due <= at and shard_of(one.tenant_id) == shard)[:limit]

    def unsettled(self, at: datetime, *, shard: int, limit: int) -> tuple[tuple[str, str], ...]:
        with self._store.lock:
            waiting = sorted(
                (book.settled_at, key)
                for key, book in self._store.checkout_books.items()
                if book.settled_at and book.settled_at <= at and shard_of(book.tenant_id) == shard
            )
        return tuple(key for _, key in waiting[:limit])

    def closable(self, tenant_id: str, *, limit: int) -> tuple[str, ...]:
        with self._store.lock:
            books = [book for (owner, _), book in self._store.checkout_books.items() if owner == tenant_id]
            waiting = sorted((book.due_at, book.invoice_id) for book in books if book.due_at)
        return tuple(invoice_id for _, invoice_id in waiting[:limit])

    def save(
        self, book: CheckoutBook, *, while_ledger_at: int | None = None, while_links_at: int | None = None
    ) -> None:
        with self._store.lock:
            hold_book(self._store, book)
            invoice = self._store.invoices.get((book.tenant_id, book.invoice_id))
            if while_ledger_at is not None and (
                not isinstance(invoice, IssuedInvoice) or invoice.ledger.entry_count != while_ledger_at
            ):
                raise StaleVersion
            links = self._store.invoice_links.get((book.tenant_id, book.invoice_id))
            if while_links_at is not None and while_links_at != (links.version if links else 0):
                raise StaleVersion
            move_book(self._store, book)


class FakeStripeConnections:
    """Port StripeConnections."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, caller: Caller, *, once: IdempotentRequest | None = None) -> StripeConnection:
        with self._store.lock:
            self._store.check(caller, once)
            return self.stored(caller.tenant_id)

    def stored(self, tenant_id: str) -> StripeConnection:
        with self._store.lock:
            return self._store.stripe_connections.get(tenant_id) or StripeConnection(tenant_id=tenant_id)

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
        tenant_id, account = connection.tenant_id, connection.account
        with self._store.writing(caller, once=once, answered=answered):
            if self.stored(tenant_id).version != connection.version - 1:
                raise StaleVersion
            if (
                account is not None
                and self._store.stripe_accounts.setdefault(account.account_id, tenant_id) != tenant_id
            ):
                raise StaleVersion
            hold_notices(self._store, notices)
            if entry is not None:
                hold_entry(self._store, entry)
                self._store.stripe_events[entry.event.event_id] = entry
            self._store.stripe_connections[tenant_id] = connection
            if account is not None and connection.just_connected and connection.connected_at:
                first = civil_date(connection.connected_at)
                self._store.stripe_days_due.setdefault((tenant_id, account.account_id), first)
            write_notices(self._store, notices)
            if event is not None:
                self._store.record(tenant_id, "STRIPE", event)

    def tenant_of(self, account_id: str) -> str | None:
        with self._store.lock:
            return self._store.stripe_accounts.get(account_id)
