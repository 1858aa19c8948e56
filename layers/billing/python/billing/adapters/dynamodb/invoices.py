"""Invoices: the head with its frozen document as one item; ledger, deliveries and events beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

from billing.adapters.dynamodb import keys, search
from billing.adapters.dynamodb.checkout_items import book_of
from billing.adapters.dynamodb.codec import (
    SCHEMA_VERSION,
    Item,
    dump,
    item,
    load,
    load_all,
    number,
    optional_text,
    text,
)
from billing.adapters.dynamodb.companies import from_item as company_from_item
from billing.adapters.dynamodb.customer_accounts import account_writes
from billing.adapters.dynamodb.customers import current as current_customer
from billing.adapters.dynamodb.customers import list_of
from billing.adapters.dynamodb.delivery_items import delivery_to_item
from billing.adapters.dynamodb.notices import notice_writes
from billing.adapters.dynamodb.products import from_item as product_from_item
from billing.adapters.dynamodb.search import word_records
from billing.adapters.dynamodb.subscription_items import subscription_of
from billing.adapters.dynamodb.table import Table, Write, refuse_with
from billing.domain.access import Caller
from billing.domain.customer_account import issued_movements
from billing.domain.dates import civil_date
from billing.domain.delivery import Delivery, DeliveryRequest
from billing.domain.errors import (
    Busy,
    FieldError,
    InvoiceAlreadyIssued,
    NotFound,
    NumberTaken,
    StaleVersion,
    UnknownReference,
)
from billing.domain.events import Event
from billing.domain.findable import draft_words, issued_words
from billing.domain.invoice import DraftInvoice, Invoice, InvoiceDocument, IssuedInvoice
from billing.domain.ledger import InvoiceStatus, Ledger, LedgerEntry
from billing.domain.notices import CompanyNotice
from billing.domain.numbering import NumberAllocation, Series, SeriesState
from billing.domain.stripe_connection import StripeConnection
from billing.domain.warnings import Notice
from billing.ports.credit_notes import CreditNoteSummary
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.repositories import (
    MAX_ENTRIES_READ,
    AlreadyReplaced,
    DraftContext,
    InvoiceQuery,
    InvoiceSummary,
    InvoiceWithCheckouts,
    IssueContext,
    SeriesMoved,
)

DRAFT = "draft_invoice"
ISSUED = "issued_invoice"
CREDIT_NOTE = "credit_note"
LEDGER_ENTRY = "ledger_entry"


def draft_to_item(draft: DraftInvoice) -> Item:
    key = keys.invoice(draft.tenant_id, draft.invoice_id)
    day = civil_date(draft.created_at)
    summary = InvoiceSummary(
        invoice_id=draft.invoice_id,
        status=InvoiceStatus.DRAFT,
        number=None,
        list_date=day,
        due_date=draft.content.due_date,
        customer_id=draft.content.customer_id,
        customer_name=draft.customer_name,
        currency=draft.content.particulars.currency,
        total_minor=draft.totals.total_minor,
        balance_minor=draft.totals.due_minor,
        delivery_state=Delivery().state.value,
    )
    listed = _listed(draft.tenant_id, summary, due=draft.content.due_date or day)
    return item(
        pk=key.pk,
        sk=key.sk,
        entity=DRAFT,
        schema_version=SCHEMA_VERSION,
        tenant_id=draft.tenant_id,
        version=draft.version,
        # The lines stand in the content already; twice, a large draft would not fit into an item.
        body=dump(replace(draft, totals=replace(draft.totals, lines=()))),
        words=" ".join(draft_words(draft)),
        **listed,
    )


def issued_to_item(invoice: IssuedInvoice) -> Item:
    """An issued invoice or credit note: the same item but for the lists that show it."""
    key = keys.invoice(invoice.tenant_id, invoice.invoice_id)
    document = invoice.document
    return item(
        pk=key.pk,
        sk=key.sk,
        entity=entity_of(invoice),
        schema_version=SCHEMA_VERSION,
        tenant_id=invoice.tenant_id,
        version=invoice.version,
        document=document.canonical(),
        document_hash=invoice.document_hash,
        ledger=dump(invoice.ledger),
        delivery=dump(invoice.delivery),
        private_notes=invoice.private_notes or None,
        retained_until=invoice.retained_until.isoformat() if invoice.retained_until else None,
        warnings=dump(invoice.warnings) if invoice.warnings else None,
        words=" ".join(issued_words(invoice)),
        created_at=invoice.created_at.isoformat(),
        updated_at=invoice.updated_at.isoformat(),
        **(_listed_note(invoice) if document.document_type.is_credit_note else _listed_invoice(invoice)),
    )


def entity_of(invoice: IssuedInvoice) -> str:
    return CREDIT_NOTE if invoice.document.document_type.is_credit_note else ISSUED


def _listed_note(note: IssuedInvoice) -> dict[str, str | None]:
    """By date, by customer and, in the index of the states of invoices, by the invoice they correct."""
    document, summary = note.document, CreditNoteSummary.of(note)
    by_date = keys.dated(summary.issue_date, summary.credit_note_id)
    return {
        "summary": dump(summary),
        "listing_pk": keys.credit_note_listing(note.tenant_id),
        "listing_sk": by_date,
        "customer_pk": keys.credit_note_customer(note.tenant_id, document.customer_id),
        "customer_sk": by_date,
        "status_pk": keys.credit_note_invoice(note.tenant_id, summary.invoice_id),
        "status_sk": by_date,
    }


def _listed_invoice(invoice: IssuedInvoice) -> dict[str, str | None]:
    document = invoice.document
    summary = InvoiceSummary(
        invoice_id=invoice.invoice_id,
        status=invoice.ledger.status,
        number=document.number,
        list_date=document.issue_date,
        due_date=document.due_date,
        customer_id=document.customer_id,
        customer_name=document.buyer.name,
        currency=document.currency,
        total_minor=document.totals.total_minor,
        balance_minor=invoice.ledger.balance_minor,
        delivery_state=invoice.delivery.state.value,
        retained_minor=invoice.guarantee_minor,
        retained_until=invoice.retained_until,
    )
    return _listed(invoice.tenant_id, summary, due=invoice.due_on)


def _listed(tenant_id: str, summary: InvoiceSummary, *, due: date) -> dict[str, str | None]:
    """The index attributes: every list shows the summary; the due list holds only what is left to pay."""
    owed = summary.number is not None and summary.balance_minor > 0 and summary.status != InvoiceStatus.CANCELLED
    by_date, by_due = keys.dated(summary.list_date, summary.invoice_id), keys.dated(due, summary.invoice_id)
    return {
        "summary": dump(summary),
        "listing_pk": keys.invoice_listing(tenant_id),
        "listing_sk": by_date,
        "status_pk": keys.invoice_status(tenant_id, summary.status.value),
        "status_sk": by_due,
        "customer_pk": keys.invoice_customer(tenant_id, summary.customer_id),
        "customer_sk": by_date,
        "due_pk": keys.invoice_due(tenant_id) if owed else None,
        "due_sk": by_due if owed else None,
        "owed_pk": keys.invoice_owed_by(tenant_id, summary.customer_id) if owed else None,
        "owed_sk": by_due if owed else None,
    }


def from_item(stored: Item) -> Invoice:
    if text(stored, "entity") == DRAFT:
        draft = load(DraftInvoice, text(stored, "body"))
        return replace(draft, totals=draft.content.computed())
    return issued_from_item(stored)


def issued_from_item(stored: Item) -> IssuedInvoice:
    document = load(InvoiceDocument, text(stored, "document"))
    until, warnings = optional_text(stored, "retained_until"), optional_text(stored, "warnings")
    return IssuedInvoice(
        tenant_id=text(stored, "tenant_id"),
        invoice_id=document.invoice_id,
        version=number(stored, "version"),
        document=document,
        document_hash=text(stored, "document_hash"),
        ledger=load(Ledger, text(stored, "ledger")),
        delivery=load(Delivery, text(stored, "delivery")),
        private_notes=optional_text(stored, "private_notes") or "",
        retained_until=date.fromisoformat(until) if until else None,
        warnings=load(tuple[Notice, ...], warnings) if warnings else (),
        created_at=datetime.fromisoformat(text(stored, "created_at")),
        updated_at=datetime.fromisoformat(text(stored, "updated_at")),
    )


def entry_from_item(stored: Item) -> LedgerEntry:
    return load(LedgerEntry, text(stored, "body"))


def entry_to_item(invoice: IssuedInvoice, entry: LedgerEntry) -> Item:
    key = keys.ledger_entry(invoice.tenant_id, invoice.invoice_id, entry.rank)
    return item(
        pk=key.pk,
        sk=key.sk,
        entity=LEDGER_ENTRY,
        schema_version=SCHEMA_VERSION,
        tenant_id=invoice.tenant_id,
        body=dump(entry),
    )


def series_to_item(tenant_id: str, state: SeriesState) -> Item:
    key = keys.series(tenant_id, state.series.value)
    return item(
        pk=key.pk,
        sk=key.sk,
        entity="series",
        schema_version=SCHEMA_VERSION,
        tenant_id=tenant_id,
        year=state.year,
        last_rank=state.last_rank,
        last_date=state.last_date.isoformat() if state.last_date else None,
        last_hash=state.last_hash,
        month_opening=state.month_opening,
    )


def series_from_item(series: Series, stored: Item | None) -> SeriesState:
    if stored is None:
        return SeriesState.untouched(series)
    last_date = optional_text(stored, "last_date")
    return SeriesState(
        series=series,
        year=number(stored, "year"),
        last_rank=number(stored, "last_rank"),
        last_date=date.fromisoformat(last_date) if last_date else None,
        last_hash=text(stored, "last_hash"),
        month_opening=number(stored, "month_opening") if "month_opening" in stored else None,
    )


def new_draft(table: Table, draft: DraftInvoice, refused: Callable[[Item | None], Exception]) -> tuple[Write, ...]:
    """The draft and the records under which it is found."""
    content = draft_to_item(draft)
    return (table.create(content, refused), *word_records(table, search.INVOICE, content))


EVENTS_AT_ONCE = 1_000  # of an invoice; a request holds more of them than it ever has


def _when(event: Event) -> str:
    """On a timeline: by its instant; what happened at once has one order nevertheless."""
    return f"{event.occurred_at.astimezone(UTC).isoformat()}#{event.event_id}"


def last_entry_keys(tenant_id: str, invoice: IssuedInvoice) -> list[keys.Key]:
    last = invoice.ledger.entry_count
    ranks = range(max(1, last - MAX_ENTRIES_READ + 1), last + 1)
    return [keys.ledger_entry(tenant_id, invoice.invoice_id, rank) for rank in ranks]


def entries_in(wanted: list[keys.Key], found: Mapping[keys.Key, Item]) -> tuple[LedgerEntry, ...]:
    """The last of its ledger, oldest first, of items that were read."""
    return tuple(entry_from_item(found[key]) for key in wanted if key in found)


class Invoices:
    """Port Invoices."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def draft_context(
        self,
        caller: Caller,
        customer_id: str,
        product_ids: tuple[str, ...],
        *,
        once: IdempotentRequest | None = None,
    ) -> DraftContext:
        company_key = keys.company(caller.tenant_id)
        customer_key = keys.customer(caller.tenant_id, customer_id)
        product_keys = [keys.product(caller.tenant_id, product_id) for product_id in product_ids]
        found = self._table.read(caller, company_key, customer_key, *product_keys, once=once)
        customer = current_customer(self._table, caller.tenant_id, found.get(customer_key))
        if customer is None:
            raise UnknownReference((FieldError("/customer_id", "Client inconnu.", "Unknown customer."),))
        company = found.get(company_key)
        return DraftContext(
            company=company_from_item(company) if company else None,
            customer=customer,
            products=tuple(product_from_item(found[key]) for key in product_keys if key in found),
        )

    def read(self, caller: Caller, invoice_id: str, *, once: IdempotentRequest | None = None) -> Invoice:
        key = keys.invoice(caller.tenant_id, invoice_id)
        stored = self._table.read(caller, key, once=once).get(key)
        if stored is None:
            raise NotFound
        return from_item(stored)

    def read_with_checkouts(
        self, caller: Caller, invoice_id: str, *, once: IdempotentRequest | None = None
    ) -> InvoiceWithCheckouts:
        key, book_key = keys.invoice(caller.tenant_id, invoice_id), keys.checkout_book(caller.tenant_id, invoice_id)
        found = self._table.read(caller, key, book_key, once=once)
        if key not in found:
            raise NotFound
        book = book_of(caller.tenant_id, invoice_id, found.get(book_key))
        return InvoiceWithCheckouts(invoice=from_item(found[key]), checkouts=book)

    def last_entries(self, caller: Caller, invoice: IssuedInvoice) -> tuple[LedgerEntry, ...]:
        wanted = last_entry_keys(caller.tenant_id, invoice)
        return entries_in(wanted, self._table.batch(wanted))

    def create(self, caller: Caller, draft: DraftInvoice, *, event: Event, once: IdempotentRequest) -> None:
        self._table.write(
            caller,
            *new_draft(self._table, draft, refuse_with(Busy)),
            self._event(draft.tenant_id, draft.invoice_id, event),
            once=once,
            answered=draft,
        )

    def save_draft(self, caller: Caller, draft: DraftInvoice, *, previous: DraftInvoice, event: Event) -> None:
        content = draft_to_item(draft)
        head = self._table.replace(content, expected_version=previous.version, entity=DRAFT, refused=_draft_refused)
        found = word_records(self._table, search.INVOICE, content, draft_to_item(previous))
        self._table.write(caller, head, *found, self._event(draft.tenant_id, draft.invoice_id, event))

    def delete_draft(self, caller: Caller, invoice_id: str, *, expected_version: int, event: Event) -> None:
        gone = self.deleted_draft(caller, invoice_id, expected_version=expected_version, event=event)
        self._table.write(caller, *gone)

    def deleted_draft(
        self, caller: Caller, invoice_id: str, *, expected_version: int, event: Event
    ) -> tuple[Write, Write]:
        head = self._table.delete(
            keys.invoice(caller.tenant_id, invoice_id),
            refused=_draft_refused,
            only_if="version = :version AND entity = :entity",
            values={":version": expected_version, ":entity": DRAFT},
        )
        return head, self._event(caller.tenant_id, invoice_id, event)

    def list(self, caller: Caller, query: InvoiceQuery, page: PageRequest) -> Page[InvoiceSummary]:
        order, partition, forward = _order(caller.tenant_id, query)
        index, partitions = list_of(
            self._table, caller, query.customer_id, keys.invoice_customer, otherwise=(order, partition)
        )
        rows, position = self._table.pages(
            index,
            partitions,
            page,
            base_key=lambda invoice_id: keys.invoice(caller.tenant_id, invoice_id),
            low=query.from_date.isoformat() if query.from_date else "",
            high=_upper_bound(query),
            forward=forward,
        )
        return Page(items=load_all(InvoiceSummary, [row.summary for row in rows]), position=position)

    def load_for_issue(self, caller: Caller, invoice_id: str, *, once: IdempotentRequest) -> IssueContext:
        invoice_key = keys.invoice(caller.tenant_id, invoice_id)
        company_key = keys.company(caller.tenant_id)
        series_key = keys.series(caller.tenant_id, Series.INVOICE.value)
        connection_key = keys.stripe_connection(caller.tenant_id)
        subscription_key = keys.subscription(caller.tenant_id)
        beside = company_key, series_key, connection_key, subscription_key
        found = self._table.read(caller, invoice_key, *beside, once=once)
        if invoice_key not in found:
            raise NotFound
        company, connection = found.get(company_key), found.get(connection_key)
        return IssueContext(
            takes_payments=connection is not None and load(StripeConnection, text(connection, "body")).accepts_payments,
            invoice=from_item(found[invoice_key]),
            company=company_from_item(company) if company else None,
            series=series_from_item(Series.INVOICE, found.get(series_key)),
            subscription=subscription_of(caller.tenant_id, found.get(subscription_key)),
        )

    def issue(
        self,
        caller: Caller,
        issued: IssuedInvoice,
        *,
        draft: DraftInvoice,
        allocation: NumberAllocation,
        event: Event,
        delivery: DeliveryRequest,
        once: IdempotentRequest,
        payment: tuple[LedgerEntry, Event] | None = None,
        replaces: str | None = None,
        notices: tuple[CompanyNotice, ...] = (),
    ) -> None:
        tenant_id = caller.tenant_id
        content = issued_to_item(issued)
        head = self._table.replace(content, expected_version=draft.version, entity=DRAFT, refused=_draft_refused)
        moved = issued_movements(issued, payment[0] if payment else None)
        self._table.write(
            caller,
            head,
            *word_records(self._table, search.INVOICE, content, draft_to_item(draft)),
            *self.taken_number(issued, allocation),
            self._table.create(delivery_to_item(delivery), refuse_with(Busy)),
            self._event(tenant_id, issued.invoice_id, event),
            *(self._paid(issued, *payment) if payment else ()),
            *((self._replaced(replaces, issued),) if replaces else ()),
            *account_writes(self._table, tenant_id, issued.document.customer_id, moved),
            *(write for notice in notices for write in notice_writes(self._table, notice)),
            once=once,
            answered=issued,
        )

    def request_delivery(
        self,
        caller: Caller,
        invoice: IssuedInvoice,
        *,
        delivery: DeliveryRequest,
        event: Event,
        once: IdempotentRequest,
    ) -> None:
        self._table.write(
            caller,
            self.moved_head(invoice),
            self._table.create(delivery_to_item(delivery), refuse_with(StaleVersion)),
            self._event(invoice.tenant_id, invoice.invoice_id, event),
            once=once,
            answered=invoice,
        )

    def timeline(self, caller: Caller, invoice_id: str, page: PageRequest) -> Page[Event]:
        """Two requests: the invoice must exist (and be the tenant's), then its events.

        All of them, whatever the page: ids that are made of facts do not sort by time, and the keys are made of ids.
        """
        head = keys.invoice(caller.tenant_id, invoice_id)
        if head not in self._table.read(caller, head):
            raise NotFound
        first = keys.invoice_event(caller.tenant_id, invoice_id, "")
        told: list[Event] = []
        after: str | None = None
        while True:
            stored, after = self._table.query(
                first.pk, low=first.sk, high=f"{first.sk}{keys.HIGHEST}", limit=EVENTS_AT_ONCE, after=after
            )
            told += load_all(Event, [text(row, "body") for row in stored])
            if after is None:
                break
        ordered = sorted(told, key=_when)
        left = [event for event in ordered if page.position is None or _when(event) > page.position]
        shown = tuple(left[: page.limit])
        return Page(items=shown, position=_when(shown[-1]) if len(left) > len(shown) else None)

    def moved(self, invoice: Invoice) -> Write:
        """A draft or an issued invoice one version further, under the same words."""
        if isinstance(invoice, IssuedInvoice):
            return self.moved_head(invoice)
        return self._table.replace(
            draft_to_item(invoice),
            expected_version=invoice.version - 1,
            entity=DRAFT,
            refused=refuse_with(StaleVersion),
        )

    def moved_head(self, invoice: IssuedInvoice) -> Write:
        """The head one version further; the document in it is the same text as before."""
        return self._table.replace(
            issued_to_item(invoice),
            expected_version=invoice.version - 1,
            entity=entity_of(invoice),
            refused=refuse_with(StaleVersion),
        )

    def moved_ledger(self, invoice: IssuedInvoice, entries: tuple[LedgerEntry, ...]) -> tuple[Write, ...]:
        """The head one version further, and the movements that make it so."""
        written = (self._table.create(entry_to_item(invoice, entry), refuse_with(StaleVersion)) for entry in entries)
        return (self.moved_head(invoice), *written)

    def taken_number(self, issued: IssuedInvoice, allocation: NumberAllocation) -> tuple[Write, ...]:
        """The series one number further, the place and the number of the document in it."""
        tenant_id = issued.tenant_id
        return (
            self._series(tenant_id, issued, allocation),
            *self._opened_year(tenant_id, allocation),
            self._rank(tenant_id, issued, allocation),
            self._number(tenant_id, issued, allocation),
        )

    def _replaced(self, invoice_id: str, by: IssuedInvoice) -> Write:
        key = keys.invoice_replaced(by.tenant_id, invoice_id)
        content = item(
            pk=key.pk,
            sk=key.sk,
            entity="invoice_replaced",
            schema_version=SCHEMA_VERSION,
            tenant_id=by.tenant_id,
            replaced_by=by.invoice_id,
        )
        return self._table.create(content, lambda _: AlreadyReplaced())

    def _paid(self, invoice: IssuedInvoice, entry: LedgerEntry, event: Event) -> tuple[Write, Write]:
        """A movement of the ledger and its event."""
        return (
            self._table.create(entry_to_item(invoice, entry), refuse_with(StaleVersion)),
            self._event(invoice.tenant_id, invoice.invoice_id, event),
        )

    def _series(self, tenant_id: str, issued: IssuedInvoice, allocation: NumberAllocation) -> Write:
        previous = allocation.previous
        state = allocation.state_after(issued.document_hash)

        def moved(stored: Item | None) -> Exception:
            return SeriesMoved(series_from_item(allocation.series, stored))

        if previous.last_date is None:
            return self._table.create(series_to_item(tenant_id, state), moved)
        request = self._table.put(
            series_to_item(tenant_id, state),
            only_if="last_rank = :rank AND last_hash = :hash",
            values={":rank": previous.last_rank, ":hash": previous.last_hash},
        )
        return Write("Put", request, moved)

    def _opened_year(self, tenant_id: str, allocation: NumberAllocation) -> tuple[Write, ...]:
        if not allocation.opens_year:
            return ()
        key = keys.series_year(tenant_id, allocation.series.value, allocation.year)
        content = item(
            pk=key.pk,
            sk=key.sk,
            entity="series_year",
            schema_version=SCHEMA_VERSION,
            tenant_id=tenant_id,
            previous_year=allocation.previous.year,
            previous_last_rank=allocation.previous.last_rank,
            previous_last_hash=allocation.previous.last_hash,
        )
        return (self._table.create(content, refuse_with(Busy)),)

    def _rank(self, tenant_id: str, issued: IssuedInvoice, allocation: NumberAllocation) -> Write:
        key = keys.rank(tenant_id, allocation.series.value, allocation.year, allocation.rank)
        content = item(
            pk=key.pk,
            sk=key.sk,
            entity="rank",
            schema_version=SCHEMA_VERSION,
            tenant_id=tenant_id,
            year=allocation.year,
            rank=allocation.rank,
            number=allocation.number,
            invoice_id=issued.invoice_id,
            document_hash=issued.document_hash,
        )
        return self._table.create(content, refuse_with(NumberTaken))

    def _number(self, tenant_id: str, issued: IssuedInvoice, allocation: NumberAllocation) -> Write:
        key = keys.number(tenant_id, allocation.number)
        content = item(
            pk=key.pk,
            sk=key.sk,
            entity="number",
            schema_version=SCHEMA_VERSION,
            tenant_id=tenant_id,
            series=allocation.series.value,
            invoice_id=issued.invoice_id,
        )
        return self._table.create(content, refuse_with(NumberTaken))

    def _event(self, tenant_id: str, invoice_id: str, event: Event) -> Write:
        return self._table.event(keys.invoice_event(tenant_id, invoice_id, event.event_id), tenant_id, event)


def _draft_refused(stored: Item | None) -> Exception:
    if stored is None:
        return NotFound()
    return InvoiceAlreadyIssued() if text(stored, "entity") == ISSUED else StaleVersion()


def _order(tenant_id: str, query: InvoiceQuery) -> tuple[str, str, bool]:
    """Index, partition and direction: dates newest first, dues most urgent first."""
    if query.overdue_on is not None:
        return "ByDueDate", keys.invoice_due(tenant_id), True
    if query.status is not None:
        return "ByStatus", keys.invoice_status(tenant_id, query.status.value), True
    return "Listing", keys.invoice_listing(tenant_id), False


def _upper_bound(query: InvoiceQuery) -> str:
    """Inclusive upper bound of the sort key; overdue means due strictly before the day."""
    bounds = []
    if query.to_date is not None:
        bounds.append(f"{query.to_date.isoformat()}#{keys.HIGHEST}")
    if query.overdue_on is not None:
        bounds.append(query.overdue_on.isoformat())
    return min(bounds) if bounds else keys.HIGHEST
