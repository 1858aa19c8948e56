"""Fake of the port InvoiceLinks."""

from __future__ import annotations

from billing.domain.access import Caller
from billing.domain.checkout import CheckoutBook
from billing.domain.errors import StaleVersion
from billing.domain.events import Event
from billing.domain.invoice_links import InvoiceLinkBook
from billing.domain.stripe_connection import StripeConnection
from billing.ports.idempotency import IdempotentRequest
from billing.ports.invoice_links import LinkContext, SharedInvoice
from billing.ports.repositories import MAX_ENTRIES_READ
from tests.fakes.store import Store
from tests.fakes.writes import hold_book, move_book


class FakeInvoiceLinks:
    """Port InvoiceLinks."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, caller: Caller, invoice_id: str, *, once: IdempotentRequest | None = None) -> LinkContext:
        with self._store.lock:
            self._store.check(caller, once)
            return self.stored(caller.tenant_id, invoice_id)

    def save(
        self,
        caller: Caller,
        links: InvoiceLinkBook,
        *,
        checkouts: CheckoutBook | None = None,
        event: Event,
        once: IdempotentRequest,
        answered: object,
    ) -> None:
        with self._store.writing(caller, once=once, answered=answered):
            if checkouts is not None:
                hold_book(self._store, checkouts)
            self._put(links)
            if checkouts is not None:
                move_book(self._store, checkouts)
            self._store.record(links.tenant_id, links.invoice_id, event)

    def stored(self, tenant_id: str, invoice_id: str) -> LinkContext:
        with self._store.lock:
            return LinkContext(
                invoice=self._store.invoices.get((tenant_id, invoice_id)),
                links=self._links(tenant_id, invoice_id),
                connection=self._store.stripe_connections.get(tenant_id) or StripeConnection(tenant_id=tenant_id),
                checkouts=self._store.checkouts_of(tenant_id, invoice_id),
            )

    def record(self, links: InvoiceLinkBook) -> None:
        with self._store.lock:
            self._put(links)

    def open(self, tenant_id: str, invoice_id: str) -> SharedInvoice:
        key = tenant_id, invoice_id
        with self._store.lock:
            context = self.stored(tenant_id, invoice_id)
            return SharedInvoice(
                invoice=context.invoice,
                links=context.links,
                checkouts=context.checkouts,
                connection=context.connection,
                entries=self._store.entries.get(key, ())[-MAX_ENTRIES_READ:],
            )

    def _links(self, tenant_id: str, invoice_id: str) -> InvoiceLinkBook:
        known = self._store.invoice_links.get((tenant_id, invoice_id))
        return known or InvoiceLinkBook(tenant_id=tenant_id, invoice_id=invoice_id)

    def _put(self, links: InvoiceLinkBook) -> None:
        if self._links(links.tenant_id, links.invoice_id).version != links.version - 1:
            raise StaleVersion
        self._store.invoice_links[links.tenant_id, links.invoice_id] = links
