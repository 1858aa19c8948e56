"""Credit notes: stored as invoices are, issued together with what they move."""

from __future__ import annotations

from billing.adapters.dynamodb import keys, search
from billing.adapters.dynamodb.checkout_items import book_of
from billing.adapters.dynamodb.checkouts import book_write
from billing.adapters.dynamodb.codec import load_all
from billing.adapters.dynamodb.companies import from_item as company_from_item
from billing.adapters.dynamodb.customer_accounts import account_writes
from billing.adapters.dynamodb.customer_credits import credit_of, movement_writes
from billing.adapters.dynamodb.customers import from_item as customer_from_item
from billing.adapters.dynamodb.customers import list_of
from billing.adapters.dynamodb.delivery_items import delivery_to_item
from billing.adapters.dynamodb.invoices import (
    Invoices,
    entries_in,
    from_item,
    issued_to_item,
    last_entry_keys,
    series_from_item,
)
from billing.adapters.dynamodb.quotes import Quotes
from billing.adapters.dynamodb.quotes import from_item as quote_from_item
from billing.adapters.dynamodb.search import word_records
from billing.adapters.dynamodb.stripe_payments import paper_refund_write
from billing.adapters.dynamodb.table import Table, refuse_with
from billing.domain.access import Caller
from billing.domain.checkout import CheckoutBook
from billing.domain.customer_account import credited_movements
from billing.domain.customer_credit import CreditMovement
from billing.domain.delivery import DeliveryRequest
from billing.domain.errors import Busy, NotFound
from billing.domain.events import Event
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import LedgerEntry
from billing.domain.numbering import NumberAllocation, Series
from billing.domain.quote import Quote
from billing.domain.reconciliation import paper_refund_of
from billing.ports.credit_notes import CreditedCustomer, CreditNoteContext, CreditNoteQuery, CreditNoteSummary
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest


class CreditNotes:
    """Port CreditNotes."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._invoices = Invoices(table)
        self._quotes = Quotes(table)

    def load(self, caller: Caller, invoice_id: str, *, once: IdempotentRequest | None = None) -> CreditNoteContext:
        invoice_key = keys.invoice(caller.tenant_id, invoice_id)
        company_key = keys.company(caller.tenant_id)
        series_key = keys.series(caller.tenant_id, Series.CREDIT_NOTE.value)
        book_key = keys.checkout_book(caller.tenant_id, invoice_id)
        found = self._table.read(caller, invoice_key, company_key, series_key, book_key, once=once)
        if invoice_key not in found:
            raise NotFound
        company = found.get(company_key)
        return CreditNoteContext(
            invoice=from_item(found[invoice_key]),
            company=company_from_item(company) if company else None,
            series=series_from_item(Series.CREDIT_NOTE, found.get(series_key)),
            checkouts=book_of(caller.tenant_id, invoice_id, found.get(book_key)),
        )

    def customer(
        self,
        caller: Caller,
        customer_id: str,
        *,
        quote_id: str | None = None,
        ledger_of: IssuedInvoice | None = None,
    ) -> CreditedCustomer:
        customer_key = keys.customer(caller.tenant_id, customer_id)
        credit_key = keys.customer_credit(caller.tenant_id, customer_id)
        quote_keys = [keys.quote(caller.tenant_id, quote_id)] if quote_id else []
        entry_keys = last_entry_keys(caller.tenant_id, ledger_of) if ledger_of else []
        found = self._table.read(caller, customer_key, credit_key, *quote_keys, *entry_keys)
        stored = found.get(customer_key)
        customer = customer_from_item(stored) if stored else None
        if customer is not None and customer.merged_into is not None:
            return self.customer(caller, customer.merged_into, quote_id=quote_id, ledger_of=ledger_of)
        quote = next((found[key] for key in quote_keys if key in found), None)
        return CreditedCustomer(
            customer=customer,
            credit=credit_of(caller.tenant_id, customer_id, found.get(credit_key)),
            quote=quote_from_item(quote) if quote else None,
            entries=entries_in(entry_keys, found),
        )

    def issue(
        self,
        caller: Caller,
        note: IssuedInvoice,
        *,
        allocation: NumberAllocation,
        invoice: IssuedInvoice,
        entries: tuple[LedgerEntry, ...],
        movement: CreditMovement | None,
        events: tuple[Event, Event],
        delivery: DeliveryRequest,
        once: IdempotentRequest,
        quote: tuple[Quote, Event] | None = None,
        book: CheckoutBook | None = None,
    ) -> None:
        tenant_id = caller.tenant_id
        of_note, of_invoice = events
        content, on_paper = issued_to_item(note), paper_refund_of(note, invoice)
        self._table.write(
            caller,
            *self._invoices.moved_ledger(invoice, entries),
            *(movement_writes(self._table, movement) if movement else ()),
            *(self._quotes.told(*quote) if quote else ()),
            *((book_write(self._table, book),) if book else ()),
            *((paper_refund_write(self._table, tenant_id, on_paper),) if on_paper else ()),
            self._table.create(content, refuse_with(Busy)),
            *word_records(self._table, search.CREDIT_NOTE, content),
            *self._invoices.taken_number(note, allocation),
            *account_writes(self._table, tenant_id, note.document.customer_id, credited_movements(note, entries)),
            self._table.create(delivery_to_item(delivery), refuse_with(Busy)),
            self._table.event(keys.invoice_event(tenant_id, note.invoice_id, of_note.event_id), tenant_id, of_note),
            self._table.event(
                keys.invoice_event(tenant_id, invoice.invoice_id, of_invoice.event_id), tenant_id, of_invoice
            ),
            once=once,
            answered=note,
        )

    def list(self, caller: Caller, query: CreditNoteQuery, page: PageRequest) -> Page[CreditNoteSummary]:
        otherwise = "Listing", keys.credit_note_listing(caller.tenant_id)
        if query.invoice_id is not None:
            otherwise = "ByStatus", keys.credit_note_invoice(caller.tenant_id, query.invoice_id)
        index, partitions = list_of(
            self._table, caller, query.customer_id, keys.credit_note_customer, otherwise=otherwise
        )
        rows, position = self._table.pages(
            index,
            partitions,
            page,
            base_key=lambda credit_note_id: keys.invoice(caller.tenant_id, credit_note_id),
            low=query.from_date.isoformat() if query.from_date else "",
            high=f"{query.to_date.isoformat()}#{keys.HIGHEST}" if query.to_date else keys.HIGHEST,
            forward=False,
        )
        return Page(items=load_all(CreditNoteSummary, [row.summary for row in rows]), position=position)
