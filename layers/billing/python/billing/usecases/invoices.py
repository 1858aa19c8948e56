"""The life of an invoice: draft, issue, send, payment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from billing.domain.access import Caller, Permission
from billing.domain.delivery import DeliveryRequest
from billing.domain.errors import (
    Busy,
    DeliveryInProgress,
    FieldError,
    FieldErrors,
    InvoiceAlreadyIssued,
    InvoiceNotIssued,
    NotDuplicable,
    PdfNotReady,
    QuoteAmountsFixed,
    RecipientMissing,
    StaleVersion,
)
from billing.domain.events import Event, EventType
from billing.domain.invoice import (
    DocumentType,
    DraftInvoice,
    Invoice,
    InvoiceContent,
    InvoiceDocument,
    IssuedInvoice,
    freeze,
)
from billing.domain.ledger import EntryKind, InvoiceStatus, LedgerEntry
from billing.domain.notices import CompanyNotice, MoneyFact, NoticeKind
from billing.domain.numbering import NumberAllocation, SeriesState, allocate
from billing.domain.parties import Company, Customer
from billing.domain.subscription import PlanUse, Subscription
from billing.domain.totals import Totals
from billing.domain.vat import VatTreatment
from billing.ports.clock import Clock, Ids
from billing.ports.delivery import Documents, DownloadLink
from billing.ports.drafts import DraftInput
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.quotes import Quotes
from billing.ports.repositories import (
    AlreadyReplaced,
    Customers,
    InvoiceQuery,
    Invoices,
    InvoiceSummary,
    InvoiceWithCheckouts,
    SeriesMoved,
)
from billing.usecases.contention import BUDGET_SECONDS, judged_anew
from billing.usecases.drafting import Composed, compose_draft, copied_lines, described, held_products

_WRITTEN_OF: Mapping[PlanUse | None, NoticeKind] = {
    PlanUse.NEAR: NoticeKind.PLAN_NEAR,
    PlanUse.FULL: NoticeKind.PLAN_FULL,
}
CROWD_PAUSE_SECONDS = 0.08  # about sixteen issuers, each holding the series for five milliseconds


def create_invoice(
    caller: Caller, wanted: DraftInput, *, once: IdempotentRequest, invoices: Invoices, clock: Clock, ids: Ids
) -> DraftInvoice:
    """A draft, without a number. Raises: CompanyNotDescribed, UnknownReference, FieldErrors."""
    caller.require(Permission.WRITE_DOCUMENTS)
    composed = compose_draft(caller, wanted, invoices=invoices, today=clock.today(), once=once)
    return _created(caller, composed, once=once, invoices=invoices, clock=clock, ids=ids)


def _created(
    caller: Caller,
    composed: Composed,
    *,
    once: IdempotentRequest,
    invoices: Invoices,
    clock: Clock,
    ids: Ids,
    duplicate_of: str | None = None,
) -> DraftInvoice:
    draft = new_draft(caller, ids.new("inv"), composed, at=clock.now())
    event = _event(EventType.INVOICE_CREATED, caller, draft, ids)
    if duplicate_of is not None:
        event = replace(event, data={**event.data, "duplicate_of": duplicate_of})
    invoices.create(caller, draft, event=event, once=once)
    return draft


def duplicate_invoice(
    caller: Caller, invoice_id: str, *, once: IdempotentRequest, invoices: Invoices, clock: Clock, ids: Ids
) -> DraftInvoice:
    """A new draft with the lines, terms and texts of an invoice; dates, and what belongs to one sale, stay behind.

    Raises: NotFound, NotDuplicable, CompanyNotDescribed, UnknownReference, FieldErrors.
    """
    caller.require(Permission.WRITE_DOCUMENTS)
    source = invoices.read(caller, invoice_id, once=once)
    copied = _copied(source)
    held = held_products(copied)
    composed = compose_draft(caller, copied, invoices=invoices, today=clock.today(), once=once, held=held)
    if isinstance(source, IssuedInvoice) and source.ledger.status is InvoiceStatus.CANCELLED:
        composed = replace(composed, content=replace(composed.content, replaces=invoice_id))
    return _created(caller, composed, once=once, invoices=invoices, clock=clock, ids=ids, duplicate_of=invoice_id)


def preview_invoice(caller: Caller, wanted: DraftInput, *, invoices: Invoices, clock: Clock) -> Composed:
    """The totals and warnings a draft would have; nothing is saved."""
    caller.require(Permission.READ)
    return compose_draft(caller, wanted, invoices=invoices, today=clock.today())


def read_invoice(caller: Caller, invoice_id: str, *, invoices: Invoices) -> InvoiceWithCheckouts:
    """Raises: NotFound."""
    return invoices.read_with_checkouts(caller, invoice_id)


def list_invoices(
    caller: Caller, query: InvoiceQuery, page: PageRequest, *, invoices: Invoices
) -> Page[InvoiceSummary]:
    return invoices.list(caller, query, page)


def edit_invoice(
    caller: Caller,
    invoice_id: str,
    wanted: DraftInput,
    *,
    expected_version: int,
    invoices: Invoices,
    clock: Clock,
    ids: Ids,
) -> DraftInvoice:
    """What a draft came from stays with it; one that came from a quote keeps the amounts that were accepted.

    Raises: NotFound, InvoiceAlreadyIssued, StaleVersion, QuoteAmountsFixed, CompanyNotDescribed, FieldErrors.
    """
    caller.require(Permission.WRITE_DOCUMENTS)
    current = _draft(invoices.read(caller, invoice_id), expected_version)
    composed = compose_draft(
        caller, wanted, invoices=invoices, today=clock.today(), held=held_products(current.content)
    )
    draft = edited_draft(current, composed, at=clock.now())
    event = _event(EventType.INVOICE_EDITED, caller, draft, ids)
    invoices.save_draft(caller, draft, previous=current, event=event)
    return draft


def new_draft(caller: Caller, invoice_id: str, composed: Composed, *, at: datetime) -> DraftInvoice:
    return DraftInvoice(
        tenant_id=caller.tenant_id,
        invoice_id=invoice_id,
        version=1,
        content=composed.content,
        customer_name=composed.customer_name,
        totals=composed.totals,
        created_at=at,
        updated_at=at,
        warnings=composed.warnings,
    )


def edited_draft(current: DraftInvoice, composed: Composed, *, at: datetime) -> DraftInvoice:
    """The draft with another content; what it came from stays with it. Raises: QuoteAmountsFixed."""
    before = current.content
    same_customer = before.customer_id in composed.customer.ids  # another one's invoice is a new one
    if before.quote_id is not None and _billed(composed.totals) != _billed(current.totals):
        raise QuoteAmountsFixed
    return current.edited(
        replace(
            composed.content,
            document_type=before.document_type,
            preceding=before.preceding,
            quote_id=before.quote_id,
            replaces=before.replaces if same_customer else None,
            continues=before.continues if same_customer else None,
            situation=before.situation,
            retention_percent=before.retention_percent,
        ),
        customer_name=composed.customer_name,
        totals=composed.totals,
        at=at,
        warnings=composed.warnings,
    )


def _billed(totals: Totals) -> list[tuple[VatTreatment, int, int]]:
    """What is billed at each rate, in whatever lines."""
    return [(group.vat, group.taxable_minor, group.vat_minor) for group in totals.vat_breakdown]


def delete_invoice(
    caller: Caller,
    invoice_id: str,
    *,
    expected_version: int,
    invoices: Invoices,
    quotes: Quotes,
    clock: Clock,
    ids: Ids,
) -> None:
    """A draft goes, and its quote can be invoiced again; an issued invoice never goes.

    Raises: NotFound, InvoiceAlreadyIssued, StaleVersion.
    """
    caller.require(Permission.WRITE_DOCUMENTS)
    draft = _draft(invoices.read(caller, invoice_id), expected_version)

    def attempt() -> None:
        now = clock.now()
        event = Event(
            event_id=ids.new("evt"),
            event_type=EventType.INVOICE_DELETED,
            occurred_at=now,
            actor=caller.user_id,
            data={"invoice_id": invoice_id, "version": expected_version},
        )
        quote = quotes.read(caller, draft.content.quote_id) if draft.content.quote_id else None
        released = quote.released(invoice_id, now) if quote else None
        if released is None:
            invoices.delete_draft(caller, invoice_id, expected_version=expected_version, event=event)
            return
        said = replace(
            event,
            event_id=ids.new("evt"),
            event_type=EventType.QUOTE_RELEASED,
            data={"quote_id": released.quote_id, "invoice_id": invoice_id},
        )
        quotes.release(caller, released, invoice_id=invoice_id, expected_version=expected_version, events=(said, event))

    judged_anew(attempt, clock=clock, ids=ids)


def issue_invoice(
    caller: Caller,
    invoice_id: str,
    *,
    expected_version: int,
    issue_date: date | None,
    send: bool,
    correlation_id: str,
    once: IdempotentRequest,
    invoices: Invoices,
    customers: Customers,
    clock: Clock,
    ids: Ids,
    payment_page: str = "",
) -> IssuedInvoice:
    """Number a draft and freeze it, in one transaction that also asks for its PDF and, with ``send``, its mail.

    ``payment_page`` is where the link on it leads while the company takes payments online.

    Under contention the number is taken again, at once and then after jittered pauses, until the budget ends.

    Raises: NotFound, InvoiceAlreadyIssued, StaleVersion, CompanyNotDescribed, FieldErrors,
        IssueDateTooEarly, RecipientMissing, PlanLimitReached, NumberTaken, Busy.
    """
    caller.require(Permission.WRITE_DOCUMENTS)
    started = clock.monotonic()
    _refuse_future("/issue_date", issue_date, clock)

    def load() -> tuple[DraftInvoice, Company, Customer, SeriesState, Subscription, str]:
        context = invoices.load_for_issue(caller, invoice_id, once=once)
        draft = _draft(context.invoice, expected_version)
        company = described(context.company)
        customer = customers.current(caller, draft.content.customer_id)
        if send and customer.description.invoice_email is None:
            raise RecipientMissing
        page = payment_page if context.takes_payments else ""
        return draft, company, customer, context.series, context.subscription, page

    draft, company, customer, series, subscription, page = load()
    crowded = replaced_before = False
    while True:
        now = clock.now()
        allocation = allocate(
            series,
            company.description.invoice_number_pattern,
            issue_date or _default_issue_date(series, clock),
        )
        content = draft.content
        # A quote of which something was issued is billed to its end; what was credited whole is corrected, once.
        replaces = None if replaced_before else content.replaces
        begun = content.continues or replaces
        if allocation.before_in_month is not None and not begun:
            subscription.hold_room(allocation.before_in_month, allocation.issue_date, now)
        issued = freeze(
            draft, company=company, customer=customer, allocation=allocation, issued_at=now, payment_page=page
        )
        issued, delivery = with_delivery(
            issued,
            send=send,
            recipient=customer.description.invoice_email,
            correlation_id=correlation_id,
            clock=clock,
            recipient_name=customer.description.person_at(customer.description.invoice_email),
        )
        event = Event(
            event_id=ids.new("evt"),
            event_type=EventType.INVOICE_ISSUED,
            occurred_at=now,
            actor=caller.user_id,
            data={
                "invoice_id": invoice_id,
                "number": allocation.number,
                "document_hash": issued.document_hash,
                "total_minor": issued.totals.total_minor,
                "send": int(send),
            },
        )
        issued, payment = _with_payment(issued, caller, ids)
        notices = _plan_notices(caller, issued, company, subscription, allocation, now)
        try:
            invoices.issue(
                caller,
                issued,
                draft=draft,
                allocation=allocation,
                event=event,
                delivery=delivery,
                once=once,
                payment=payment,
                replaces=replaces,
                notices=notices,
            )
        except AlreadyReplaced:
            replaced_before = True
        except SeriesMoved as moved:
            if clock.monotonic() - started > BUDGET_SECONDS:
                raise Busy from moved
            series = moved.state
            if crowded:
                # Many issue at once: spread them out, then look again, for all that was read is old by now.
                clock.sleep(CROWD_PAUSE_SECONDS * ids.jitter())
                draft, company, customer, series, subscription, page = load()
            crowded = True
        else:
            return issued


def _plan_notices(
    caller: Caller,
    issued: IssuedInvoice,
    company: Company,
    subscription: Subscription,
    allocation: NumberAllocation,
    at: datetime,
) -> tuple[CompanyNotice, ...]:
    """What the company is written of its plan: with the invoice that takes the month there, and no other."""
    if allocation.before_in_month is None:
        return ()
    count = allocation.before_in_month + 1
    kind = _WRITTEN_OF.get(subscription.reached_by(count, at))
    if kind is None:
        return ()
    fact = MoneyFact(
        kind=kind,
        subject=issued.invoice_id,
        plan=subscription.plan.plan_id.value,
        issued=count,
        month=allocation.issue_date.replace(day=1),
    )
    return (CompanyNotice.of(caller.tenant_id, fact, recipient=company.description.email, at=at),)


def send_invoice(
    caller: Caller,
    invoice_id: str,
    *,
    recipient: str | None,
    correlation_id: str,
    once: IdempotentRequest,
    invoices: Invoices,
    customers: Customers,
    clock: Clock,
    ids: Ids,
) -> IssuedInvoice:
    """Open the next delivery attempt, to the given address or the customer's current one.

    Raises: NotFound, InvoiceNotIssued, DeliveryInProgress, RecipientMissing, Busy.
    """
    caller.require(Permission.WRITE_DOCUMENTS)

    def attempt() -> IssuedInvoice:
        invoice = _issued(invoices.read(caller, invoice_id, once=once))
        if invoice.delivery.is_mailing:
            raise DeliveryInProgress
        to, name = recipient, ""
        if to is None:
            described = customers.current(caller, invoice.document.customer_id).description
            to, name = described.invoice_email, described.person_at(described.invoice_email)
        if to is None:
            raise RecipientMissing
        requested, delivery = with_delivery(
            invoice, send=True, recipient=to, correlation_id=correlation_id, clock=clock, recipient_name=name
        )
        event = Event(
            event_id=ids.new("evt"),
            event_type=EventType.DELIVERY_REQUESTED,
            occurred_at=delivery.requested_at,
            actor=caller.user_id,
            data={"invoice_id": invoice_id, "number": invoice.document.number, "attempt": delivery.attempt},
        )
        invoices.request_delivery(caller, requested, delivery=delivery, event=event, once=once)
        return requested

    return judged_anew(attempt, clock=clock, ids=ids)


def read_invoice_timeline(caller: Caller, invoice_id: str, page: PageRequest, *, invoices: Invoices) -> Page[Event]:
    """What happened to an invoice, oldest first. Raises: NotFound."""
    return invoices.timeline(caller, invoice_id, page)


def download_invoice(
    caller: Caller, invoice_id: str, *, invoices: Invoices, documents: Documents, clock: Clock
) -> DownloadLink:
    """A short-lived address of the stored PDF. Raises: NotFound, InvoiceNotIssued, PdfNotReady."""
    invoice = _issued(invoices.read(caller, invoice_id))
    if invoice.delivery.pdf is None:
        raise PdfNotReady
    return documents.link(invoice.delivery.pdf.key, file_name=f"{invoice.document.number}.pdf", now=clock.now())


def _copied(invoice: Invoice) -> DraftInput:
    """What a duplicate takes over. Raises: NotDuplicable."""
    source: InvoiceContent | InvoiceDocument
    if isinstance(invoice, IssuedInvoice):
        source, discount = invoice.document, invoice.document.document_discount
        lines, private_notes = tuple(each.line for each in invoice.totals.lines), invoice.private_notes
    else:
        source, discount = invoice.content, invoice.content.discount
        lines, private_notes = invoice.content.lines, invoice.content.private_notes
    if source.document_type is not DocumentType.INVOICE or source.preceding:
        raise NotDuplicable
    return DraftInput(
        customer_id=source.customer_id,
        lines=copied_lines(lines),
        discount=discount,
        notes=source.notes,
        allowances=source.allowances,
        charges=source.charges,
        payment_terms=source.payment_terms,
        particulars=replace(source.particulars, period=None),
        private_notes=private_notes,
        contracting=source.contracting,
    )


def with_delivery(
    invoice: IssuedInvoice,
    *,
    send: bool,
    recipient: str | None,
    correlation_id: str,
    clock: Clock,
    recipient_name: str = "",
) -> tuple[IssuedInvoice, DeliveryRequest]:
    now = clock.now()
    requested = invoice.with_delivery(invoice.delivery.requested(send=send), now)
    delivery = DeliveryRequest(
        tenant_id=invoice.tenant_id,
        invoice_id=invoice.invoice_id,
        attempt=requested.delivery.attempt,
        send=send,
        recipient=recipient if send else None,
        requested_at=now,
        correlation_id=correlation_id,
        recipient_name=recipient_name if send else "",
    )
    return requested, delivery


def _with_payment(
    issued: IssuedInvoice, caller: Caller, ids: Ids
) -> tuple[IssuedInvoice, tuple[LedgerEntry, Event] | None]:
    """A document that was paid before it was issued has the payment as its first entry."""
    paid, amount_minor = issued.document.paid, issued.document.totals.prepaid_minor
    if paid is None or not amount_minor:
        return issued, None
    entry = LedgerEntry(
        entry_id=ids.new("pay"),
        rank=1,
        kind=EntryKind.PAYMENT,
        amount_minor=amount_minor,
        entry_date=paid.paid_on,
        method=paid.method,
        reference=paid.reference,
        recorded_at=issued.document.issued_at,
        recorded_by=caller.user_id,
    )
    settled = replace(issued, ledger=issued.ledger.with_entry(entry))
    return settled, (entry, _payment_event(caller, settled, entry, ids))


def _payment_event(caller: Caller, invoice: IssuedInvoice, entry: LedgerEntry, ids: Ids) -> Event:
    return Event(
        event_id=ids.new("evt"),
        event_type=EventType.PAYMENT_RECORDED,
        occurred_at=entry.recorded_at,
        actor=caller.user_id,
        data={
            "invoice_id": invoice.invoice_id,
            "number": invoice.document.number,
            "entry_id": entry.entry_id,
            "amount_minor": entry.amount_minor,
            "method": entry.method.value if entry.method else "",
            "balance_minor": invoice.ledger.balance_minor,
        },
    )


def _default_issue_date(series: SeriesState, clock: Clock) -> date:
    # At midnight another request may already have issued with the new date: the series' date wins.
    today = clock.today()
    return max(today, series.last_date) if series.last_date else today


def _refuse_future(pointer: str, day: date | None, clock: Clock) -> None:
    if day is not None and day > clock.today():
        raise FieldErrors((FieldError(pointer, "Cette date est dans le futur.", "This date is in the future."),))


def _draft(invoice: Invoice, expected_version: int) -> DraftInvoice:
    if isinstance(invoice, IssuedInvoice):
        raise InvoiceAlreadyIssued(
            f"Elle porte le numéro {invoice.document.number}.", f"Its number is {invoice.document.number}."
        )
    if invoice.version != expected_version:
        raise StaleVersion
    return invoice


def _issued(invoice: Invoice) -> IssuedInvoice:
    if isinstance(invoice, DraftInvoice):
        raise InvoiceNotIssued
    return invoice


def _event(event_type: EventType, caller: Caller, draft: DraftInvoice, ids: Ids) -> Event:
    return Event(
        event_id=ids.new("evt"),
        event_type=event_type,
        occurred_at=draft.updated_at,
        actor=caller.user_id,
        data={
            "invoice_id": draft.invoice_id,
            "version": draft.version,
            "total_minor": draft.totals.total_minor,
        },
    )
