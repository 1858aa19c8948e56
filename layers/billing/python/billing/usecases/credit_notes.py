"""Credit notes: what remains of an issued invoice is taken back, in full or in part, and settled at once."""

from __future__ import annotations

from dataclasses import replace

from billing.domain.access import Caller, Permission
from billing.domain.checkout import CheckoutBook
from billing.domain.credit_notes import (
    CreditNoteInput,
    CreditNotePreview,
    compute_credit,
    credit_entries,
    earliest_credit_date,
    freeze_credit_note,
    settle,
)
from billing.domain.crediting import CreditSettlement, Excess
from billing.domain.customer_credit import CreditEntryKind, CreditMovement
from billing.domain.errors import CompanyNotDescribed, InvoiceNotIssued, NotFound, RecipientMissing, StaleVersion
from billing.domain.events import Event, EventType
from billing.domain.invoice import DocumentType, DraftInvoice, Invoice, IssuedInvoice
from billing.domain.ledger import PaymentMethod, given_back_on_paper
from billing.domain.numbering import allocate
from billing.domain.quote import Quote
from billing.domain.warnings import Notice, WarningCode
from billing.ports.clock import Clock, Ids
from billing.ports.credit_notes import (
    CreditedCustomer,
    CreditNoteQuery,
    CreditNotes,
    CreditNoteSummary,
)
from billing.ports.delivery import Documents, DownloadLink
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.repositories import Customers, Invoices, SeriesMoved
from billing.usecases.contention import judged_anew
from billing.usecases.invoices import download_invoice, send_invoice, with_delivery


def preview_credit_note(
    caller: Caller, invoice_id: str, wanted: CreditNoteInput, *, credit_notes: CreditNotes
) -> CreditNotePreview:
    """Raises: NotFound, InvoiceNotIssued, CreditExceedsRemaining, FieldErrors."""
    caller.require(Permission.READ)
    context = credit_notes.load(caller, invoice_id)
    invoice = creditable(context.invoice)
    computed = compute_credit(invoice.document, invoice.ledger, wanted.scope)
    settlement = settle(invoice.ledger, computed.totals.total_minor, wanted.excess, currency=invoice.document.currency)
    quote, document = None, invoice.document
    if document.document_type is DocumentType.DEPOSIT and document.quote_id:
        quote = credit_notes.customer(caller, document.customer_id, quote_id=document.quote_id).quote
    return CreditNotePreview(
        invoice=invoice,
        computed=computed,
        settlement=settlement,
        warnings=_warnings(invoice, quote, settlement, context.checkouts),
    )


def issue_credit_note(
    caller: Caller,
    invoice_id: str,
    wanted: CreditNoteInput,
    *,
    send: bool,
    correlation_id: str,
    once: IdempotentRequest,
    credit_notes: CreditNotes,
    clock: Clock,
    ids: Ids,
) -> IssuedInvoice:
    """Number and freeze a credit note and write it on its invoice's ledger, in one transaction.

    Whoever comes second is judged by what the first left to credit. The rest beyond what is owed becomes the
    customer's credit or, by one who may record payments, is refunded.

    Raises: NotFound, InvoiceNotIssued, CompanyNotDescribed, CreditExceedsRemaining, FieldErrors,
        RecipientMissing, NumberTaken, Forbidden, Busy.
    """
    caller.require(Permission.WRITE_DOCUMENTS)
    if wanted.excess is Excess.REFUND:
        caller.require(Permission.RECORD_PAYMENTS)

    def attempt() -> IssuedInvoice:
        context = credit_notes.load(caller, invoice_id, once=once)
        invoice, company = creditable(context.invoice), context.company
        if company is None:
            raise CompanyNotDescribed
        computed = compute_credit(invoice.document, invoice.ledger, wanted.scope)
        settlement = settle(
            invoice.ledger, computed.totals.total_minor, wanted.excess, currency=invoice.document.currency
        )
        customer, quote_id = None, invoice.document.quote_id
        if send or settlement.customer_credit_minor or quote_id:
            customer = credit_notes.customer(
                caller,
                invoice.document.customer_id,
                quote_id=quote_id,
                ledger_of=invoice if _may_be_on_paper(invoice, context.checkouts) else None,
            )
        recipient = _recipient(customer) if send else None
        allocation = allocate(
            context.series,
            company.description.credit_note_number_pattern,
            earliest_credit_date(invoice, context.series.last_date, clock.today()),
        )
        note = freeze_credit_note(
            ids.new("crn"),
            invoice,
            computed,
            company=company,
            allocation=allocation,
            settlement=settlement,
            reason=wanted.reason,
            issued_at=clock.now(),
        )
        quote = customer.quote if customer else None
        note = replace(note, warnings=_warnings(invoice, quote, settlement, context.checkouts))
        described = customer.customer.description if customer and customer.customer else None
        note, delivery = with_delivery(
            note,
            send=send,
            recipient=recipient,
            correlation_id=correlation_id,
            clock=clock,
            recipient_name=described.person_at(recipient) if described else "",
        )
        entries = credit_entries(
            invoice,
            note,
            computed.credited_lines,
            entry_id=ids.new("ent"),
            method=wanted.refund_method
            or context.checkouts.means_of(invoice.ledger.kept_minor)
            or PaymentMethod.TRANSFER,
            by=caller.user_id,
        )
        credited = invoice.with_entry(*entries)
        try:
            credit_notes.issue(
                caller,
                note,
                allocation=allocation,
                invoice=credited,
                entries=entries,
                movement=_movement(caller, note, credited, customer, context.checkouts, ids),
                events=_events(caller, note, credited, send=send, ids=ids),
                delivery=delivery,
                once=once,
                quote=_quote(caller, note, credited, quote, ids),
                book=context.checkouts.moved_along(),
            )
        except SeriesMoved as moved:
            raise StaleVersion from moved
        return note

    return judged_anew(attempt, clock=clock, ids=ids)


def list_credit_notes(
    caller: Caller, query: CreditNoteQuery, page: PageRequest, *, credit_notes: CreditNotes
) -> Page[CreditNoteSummary]:
    return credit_notes.list(caller, query, page)


def read_credit_note(caller: Caller, credit_note_id: str, *, invoices: Invoices) -> IssuedInvoice:
    """Raises: NotFound."""
    note = invoices.read(caller, credit_note_id)
    if isinstance(note, DraftInvoice) or not note.document.document_type.is_credit_note:
        raise NotFound
    return note


def send_credit_note(
    caller: Caller,
    credit_note_id: str,
    *,
    recipient: str | None,
    correlation_id: str,
    once: IdempotentRequest,
    invoices: Invoices,
    customers: Customers,
    clock: Clock,
    ids: Ids,
) -> IssuedInvoice:
    """As an invoice is sent. Raises: NotFound, DeliveryInProgress, RecipientMissing, Busy."""
    return send_invoice(
        caller,
        credit_note_id,
        recipient=recipient,
        correlation_id=correlation_id,
        once=once,
        invoices=invoices,
        customers=customers,
        clock=clock,
        ids=ids,
    )


def read_credit_note_timeline(
    caller: Caller, credit_note_id: str, page: PageRequest, *, invoices: Invoices
) -> Page[Event]:
    """What happened to a credit note, oldest first. Raises: NotFound."""
    return invoices.timeline(caller, credit_note_id, page)


def download_credit_note(
    caller: Caller, credit_note_id: str, *, invoices: Invoices, documents: Documents, clock: Clock
) -> DownloadLink:
    """A short-lived address of the stored PDF. Raises: NotFound, PdfNotReady."""
    return download_invoice(caller, credit_note_id, invoices=invoices, documents=documents, clock=clock)


def creditable(invoice: Invoice) -> IssuedInvoice:
    """Raises: InvoiceNotIssued; NotFound, for a credit note."""
    if isinstance(invoice, DraftInvoice):
        raise InvoiceNotIssued
    if invoice.document.document_type.is_credit_note:
        raise NotFound
    return invoice


def _warnings(
    invoice: IssuedInvoice, quote: Quote | None, settlement: CreditSettlement, checkouts: CheckoutBook
) -> tuple[Notice, ...]:
    found = []
    if quote is not None and quote.has_deducted(invoice.invoice_id):
        found.append(Notice(code=WarningCode.DEPOSIT_ALREADY_DEDUCTED, pointer="/mode"))
    if settlement.refunded_minor and checkouts.kept_minor - checkouts.contested_minor > 0:
        found.append(Notice(code=WarningCode.REFUND_NOT_MADE_AT_STRIPE, pointer="/excess"))
    if checkouts.in_progress is not None:
        found.append(Notice(code=WarningCode.CREDITED_WHILE_BEING_PAID, pointer="/mode"))
    if checkouts.contested_minor > 0:
        found.append(Notice(code=WarningCode.CREDITED_WHILE_DISPUTED, pointer="/mode"))
    return tuple(found)


def _recipient(customer: CreditedCustomer | None) -> str:
    email = customer.customer.description.invoice_email if customer and customer.customer else None
    if email is None:
        raise RecipientMissing
    return email


def _may_be_on_paper(invoice: IssuedInvoice, checkouts: CheckoutBook) -> bool:
    """Whether of what comes back some may be what other notes on the invoice gave back: no credit bears that."""
    return invoice.ledger.refunded_minor > 0 and any(one.open_minor for one in checkouts.coming_back)


def _movement(
    caller: Caller,
    note: IssuedInvoice,
    invoice: IssuedInvoice,
    customer: CreditedCustomer | None,
    checkouts: CheckoutBook,
    ids: Ids,
) -> CreditMovement | None:
    """What it leaves the customer. What refunds at Stripe will take of that is promised: the invoice keeps it no more.

    Nor did a note give it back on paper, which is what a refund that names none is first.
    ``invoice`` as it becomes.
    """
    document = note.document
    amount_minor = document.settlement.customer_credit_minor if document.settlement else 0
    if customer is None or not amount_minor:
        return None
    coming = checkouts.coming_back
    still_open = sum(one.open_minor for one in coming)
    short = customer.credit.unpromised(coming) - invoice.ledger.kept_minor
    short -= min(still_open, checkouts.free_on_paper(given_back_on_paper(customer.entries)))
    credit, entry = customer.credit.bearing(coming, short).moved(
        CreditEntryKind.CREDIT_NOTE,
        amount_minor,
        entry_id=ids.new("ent"),
        source_id=note.invoice_id,
        on=document.issue_date,
        at=document.issued_at,
        by=caller.user_id,
        reference=document.number,
    )
    return CreditMovement(credit=credit, entry=entry)


def _quote(
    caller: Caller, note: IssuedInvoice, invoice: IssuedInvoice, quote: Quote | None, ids: Ids
) -> tuple[Quote, Event] | None:
    """The quote that the invoice bills, which can be invoiced again for what was credited, and its event."""
    issued_at = note.document.issued_at
    moved = quote.credited(invoice.invoice_id, invoice.ledger.credited_groups, issued_at) if quote else None
    if moved is None:
        return None
    event = Event(
        event_id=ids.new("evt"),
        event_type=EventType.QUOTE_CREDITED,
        occurred_at=issued_at,
        actor=caller.user_id,
        data={
            "quote_id": moved.quote_id,
            "number": moved.number or "",
            "version": moved.version,
            "invoice_id": invoice.invoice_id,
            "credit_note_id": note.invoice_id,
            "net_minor": note.totals.net_minor,
        },
    )
    return moved, event


def _events(
    caller: Caller, note: IssuedInvoice, invoice: IssuedInvoice, *, send: bool, ids: Ids
) -> tuple[Event, Event]:
    """What happened to the credit note, and to the invoice."""
    document, settlement = note.document, note.document.settlement
    assert settlement is not None  # noqa: S101 - every credit note is settled
    told: dict[str, str | int] = {
        "credit_note_id": note.invoice_id,
        "number": document.number,
        "invoice_id": invoice.invoice_id,
        "total_minor": document.totals.total_minor,
    }
    settled = {
        "applied_minor": settlement.applied_minor,
        "customer_credit_minor": settlement.customer_credit_minor,
        "refunded_minor": settlement.refunded_minor,
    }
    extras: tuple[tuple[EventType, dict[str, str | int]], ...] = (
        (EventType.CREDIT_NOTE_ISSUED, {**settled, "document_hash": note.document_hash, "send": int(send)}),
        (
            EventType.INVOICE_CREDITED,
            {"balance_minor": invoice.ledger.balance_minor, "status": invoice.ledger.status.value},
        ),
    )
    issued, credited = (
        Event(
            event_id=ids.new("evt"),
            event_type=event_type,
            occurred_at=document.issued_at,
            actor=caller.user_id,
            data={**told, **extra},
        )
        for event_type, extra in extras
    )
    return issued, credited
