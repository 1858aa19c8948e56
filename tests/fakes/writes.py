"""Parts of a transaction that several fakes share. Each holds its condition before it changes anything."""

from __future__ import annotations

from dataclasses import replace

from billing.domain.checkout import CheckoutBook
from billing.domain.customer_account import AccountMovement
from billing.domain.customer_credit import CreditMovement, CustomerCredit
from billing.domain.deliverable import Deliverable
from billing.domain.delivery import DeliveryRequest
from billing.domain.errors import InvoiceAlreadyIssued, NotFound, NumberTaken, StaleVersion
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import LedgerEntry
from billing.domain.notices import CompanyNotice
from billing.domain.numbering import NumberAllocation, SeriesState
from billing.domain.quote import Quote
from billing.domain.reminders import Reminder
from billing.ports.repositories import MAX_ENTRIES_READ, SeriesMoved
from tests.fakes.store import Placed, Store, Waiting

DELIVERY = "delivery_request"


def hold_number(store: Store, tenant_id: str, allocation: NumberAllocation) -> None:
    """Raises: SeriesMoved, NumberTaken."""
    state = store.series.get((tenant_id, allocation.series)) or SeriesState.untouched(allocation.series)
    if state != replace(allocation.previous, start=None):  # where it began is no part of where it stands
        raise SeriesMoved(state)
    if (tenant_id, allocation.number) in store.numbers:
        raise NumberTaken


def take_number(store: Store, issued: IssuedInvoice, allocation: NumberAllocation) -> None:
    """The series one number further; the place and the number of the document in it."""
    tenant_id = issued.tenant_id
    store.series[tenant_id, allocation.series] = allocation.state_after(issued.document_hash)
    place = (tenant_id, allocation.series, allocation.year, allocation.rank)
    store.places[place] = Placed(allocation.number, issued.invoice_id, issued.document_hash)
    store.numbers[tenant_id, allocation.number] = issued.invoice_id


def move_head(store: Store, document: Deliverable) -> None:
    """The head one version further. Raises: StaleVersion."""
    if isinstance(document, Quote):
        _move_quote(store, document)
    elif isinstance(document, Reminder):
        _move_reminder(store, document)
    elif isinstance(document, CompanyNotice):
        _move_notice(store, document)
    else:
        _move_invoice(store, document)


def hold_quote(store: Store, quote: Quote) -> None:
    """Raises: StaleVersion, unless it is the next version."""
    stored = store.quotes.get((quote.tenant_id, quote.quote_id))
    if stored is None or stored.version != quote.version - 1:
        raise StaleVersion


def _move_quote(store: Store, quote: Quote) -> None:
    hold_quote(store, quote)
    store.quotes[quote.tenant_id, quote.quote_id] = quote


def _move_reminder(store: Store, reminder: Reminder) -> None:
    stored = store.reminders.get((reminder.tenant_id, reminder.reminder_id))
    if (stored.version if stored else 0) != reminder.version - 1:
        raise StaleVersion
    store.reminders[reminder.tenant_id, reminder.reminder_id] = reminder


def _move_notice(store: Store, notice: CompanyNotice) -> None:
    stored = store.notices.get((notice.tenant_id, notice.notice_id))
    if stored is None or stored.version != notice.version - 1:
        raise StaleVersion
    store.notices[notice.tenant_id, notice.notice_id] = notice


def hold_notices(store: Store, notices: tuple[CompanyNotice, ...]) -> None:
    """Raises: StaleVersion, unless each is new."""
    if any((one.tenant_id, one.notice_id) in store.notices for one in notices):
        raise StaleVersion


def write_notices(store: Store, notices: tuple[CompanyNotice, ...]) -> None:
    for one in notices:
        store.notices[one.tenant_id, one.notice_id] = one
        ask(store, one.request)


def hold_draft(store: Store, tenant_id: str, invoice_id: str, version: int) -> None:
    """Raises: NotFound, InvoiceAlreadyIssued, StaleVersion."""
    stored = store.invoices.get((tenant_id, invoice_id))
    if stored is None:
        raise NotFound
    if isinstance(stored, IssuedInvoice):
        raise InvoiceAlreadyIssued
    if stored.version != version:
        raise StaleVersion


def _move_invoice(store: Store, invoice: IssuedInvoice) -> None:
    stored = store.invoices.get((invoice.tenant_id, invoice.invoice_id))
    if not isinstance(stored, IssuedInvoice) or stored.version != invoice.version - 1:
        raise StaleVersion
    store.invoices[invoice.tenant_id, invoice.invoice_id] = invoice


def hold_head(store: Store, invoice: IssuedInvoice) -> None:
    """Raises: StaleVersion."""
    stored = store.invoices.get((invoice.tenant_id, invoice.invoice_id))
    if not isinstance(stored, IssuedInvoice) or stored.version != invoice.version - 1:
        raise StaleVersion


def move_ledger(store: Store, invoice: IssuedInvoice, entries: tuple[LedgerEntry, ...]) -> None:
    key = (invoice.tenant_id, invoice.invoice_id)
    move_head(store, invoice)
    store.entries[key] = (*store.entries.get(key, ()), *entries)


def credit_of(store: Store, tenant_id: str, customer_id: str) -> CustomerCredit:
    return store.credits.get((tenant_id, customer_id)) or CustomerCredit(tenant_id=tenant_id, customer_id=customer_id)


def hold_credit(store: Store, movement: CreditMovement | None) -> None:
    """Raises: StaleVersion."""
    if movement is None:
        return
    stored = credit_of(store, movement.credit.tenant_id, movement.credit.customer_id)
    if (stored.entry_count, stored.promise_count) != (movement.entry.rank - 1, movement.credit.promise_count):
        raise StaleVersion


def hold_promises(store: Store, credit: CustomerCredit) -> None:
    """Raises: StaleVersion, unless promises of it change and nothing else did."""
    stored = credit_of(store, credit.tenant_id, credit.customer_id)
    if (stored.entry_count, stored.promise_count) != (credit.entry_count, credit.promise_count - 1):
        raise StaleVersion


def move_promises(store: Store, credit: CustomerCredit) -> None:
    hold_promises(store, credit)
    store.credits[credit.tenant_id, credit.customer_id] = credit


def move_credit(store: Store, movement: CreditMovement | None) -> None:
    if movement is None:
        return
    hold_credit(store, movement)
    key = (movement.credit.tenant_id, movement.credit.customer_id)
    store.credits[key] = movement.credit
    store.credit_entries[key] = (*store.credit_entries.get(key, ()), movement.entry)


def move_account(store: Store, tenant_id: str, customer_id: str, *movements: AccountMovement) -> None:
    key = (tenant_id, customer_id)
    store.movements[key] = (*store.movements.get(key, ()), *movements)


def ask(store: Store, delivery: DeliveryRequest) -> None:
    """The delivery is requested and waits in the outbox. Raises: StaleVersion."""
    key = (delivery.tenant_id, delivery.invoice_id, delivery.attempt)
    if key in store.requests:
        raise StaleVersion
    store.requests[key] = delivery
    store.outbox[DELIVERY, *key] = Waiting(0, delivery.requested_at)


def last_entries(store: Store, tenant_id: str, invoice: IssuedInvoice) -> tuple[LedgerEntry, ...]:
    return store.entries.get((tenant_id, invoice.invoice_id), ())[-MAX_ENTRIES_READ:]


def hold_book(store: Store, book: CheckoutBook) -> None:
    """Raises: StaleVersion, unless it is the next version."""
    stored = store.checkout_books.get((book.tenant_id, book.invoice_id))
    if (stored.version if stored else 0) != book.version - 1:
        raise StaleVersion


def move_book(store: Store, book: CheckoutBook) -> None:
    hold_book(store, book)
    store.checkout_books[book.tenant_id, book.invoice_id] = book
