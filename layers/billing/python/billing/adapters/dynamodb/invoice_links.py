"""Public links to invoices: one item per invoice, beside it."""

from __future__ import annotations

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.checkout_items import book_of
from billing.adapters.dynamodb.checkouts import book_write, connection_of
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, dump, item, load, text
from billing.adapters.dynamodb.invoices import entry_from_item
from billing.adapters.dynamodb.invoices import from_item as invoice_from_item
from billing.adapters.dynamodb.keys import Key
from billing.adapters.dynamodb.table import Table, Write, refuse_with
from billing.domain.access import Caller
from billing.domain.checkout import CheckoutBook
from billing.domain.errors import StaleVersion
from billing.domain.events import Event
from billing.domain.invoice import IssuedInvoice
from billing.domain.invoice_links import InvoiceLinkBook
from billing.domain.ledger import LedgerEntry
from billing.ports.idempotency import IdempotentRequest
from billing.ports.invoice_links import LinkContext, SharedInvoice
from billing.ports.repositories import MAX_ENTRIES_READ

INVOICE_LINKS = "invoice_links"
ENTRIES_AT_ONCE = 8  # of the ledger, with the invoice: more than nearly every invoice has


def links_of(tenant_id: str, invoice_id: str, stored: Item | None) -> InvoiceLinkBook:
    if stored is None:
        return InvoiceLinkBook(tenant_id=tenant_id, invoice_id=invoice_id)
    return load(InvoiceLinkBook, text(stored, "body"))


class InvoiceLinks:
    """Port InvoiceLinks."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self, caller: Caller, invoice_id: str, *, once: IdempotentRequest | None = None) -> LinkContext:
        tenant_id = caller.tenant_id
        wanted = self._wanted(tenant_id, invoice_id)
        return self._context(tenant_id, invoice_id, self._table.read(caller, *wanted, once=once))

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
        key = keys.invoice_event(links.tenant_id, links.invoice_id, event.event_id)
        told = self._table.event(key, links.tenant_id, event)
        pages = (book_write(self._table, checkouts),) if checkouts is not None else ()
        self._table.write(caller, self._moved(links), *pages, told, once=once, answered=answered)

    def stored(self, tenant_id: str, invoice_id: str) -> LinkContext:
        return self._context(tenant_id, invoice_id, self._table.batch(self._wanted(tenant_id, invoice_id)))

    def record(self, links: InvoiceLinkBook) -> None:
        self._table.write(None, self._moved(links))

    def open(self, tenant_id: str, invoice_id: str) -> SharedInvoice:
        first = [keys.ledger_entry(tenant_id, invoice_id, rank) for rank in range(1, ENTRIES_AT_ONCE + 1)]
        found = self._table.batch([*self._wanted(tenant_id, invoice_id), *first])
        context = self._context(tenant_id, invoice_id, found)
        return SharedInvoice(
            invoice=context.invoice,
            links=context.links,
            checkouts=context.checkouts,
            connection=context.connection,
            entries=self._entries(context, found),
        )

    def _entries(self, context: LinkContext, found: dict[Key, Item]) -> tuple[LedgerEntry, ...]:
        invoice = context.invoice
        if not isinstance(invoice, IssuedInvoice):
            return ()
        last = invoice.ledger.entry_count
        ranks = range(max(1, last - MAX_ENTRIES_READ + 1), last + 1)
        wanted = [keys.ledger_entry(invoice.tenant_id, invoice.invoice_id, rank) for rank in ranks]
        missing = [key for key in wanted if key not in found]
        known = found | (self._table.batch(missing) if missing else {})
        return tuple(entry_from_item(known[key]) for key in wanted if key in known)

    def _wanted(self, tenant_id: str, invoice_id: str) -> list[Key]:
        return [
            keys.invoice(tenant_id, invoice_id),
            keys.invoice_links(tenant_id, invoice_id),
            keys.stripe_connection(tenant_id),
            keys.checkout_book(tenant_id, invoice_id),
        ]

    def _context(self, tenant_id: str, invoice_id: str, found: dict[Key, Item]) -> LinkContext:
        invoice, links, connection, checkouts = (found.get(key) for key in self._wanted(tenant_id, invoice_id))
        return LinkContext(
            invoice=invoice_from_item(invoice) if invoice else None,
            links=links_of(tenant_id, invoice_id, links),
            connection=connection_of(tenant_id, connection),
            checkouts=book_of(tenant_id, invoice_id, checkouts),
        )

    def _moved(self, links: InvoiceLinkBook) -> Write:
        key = keys.invoice_links(links.tenant_id, links.invoice_id)
        content = item(
            pk=key.pk,
            sk=key.sk,
            entity=INVOICE_LINKS,
            schema_version=SCHEMA_VERSION,
            tenant_id=links.tenant_id,
            version=links.version,
            body=dump(links),
        )
        stale = refuse_with(StaleVersion)
        if links.version == 1:
            return self._table.create(content, stale)
        return self._table.replace(content, expected_version=links.version - 1, refused=stale)
