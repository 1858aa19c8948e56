"""The life of a quote at its company: draft, send, revise, record an answer, turn into an invoice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from billing.domain.access import Caller, Permission
from billing.domain.delivery import DeliveryRequest
from billing.domain.errors import (
    Busy,
    DeliveryInProgress,
    FieldError,
    FieldErrors,
    PdfNotReady,
    QuoteExpired,
    RecipientMissing,
    StaleVersion,
)
from billing.domain.events import Event, EventType
from billing.domain.invoice import (
    DraftInvoice,
    Invoice,
    check_content,
    draft_warnings,
)
from billing.domain.links import LinkToken
from billing.domain.numbering import NumberAllocation, allocate
from billing.domain.parties import Company, Customer
from billing.domain.quote import (
    PartKind,
    Quote,
    QuoteAnswer,
    QuoteDecision,
    QuoteStatus,
    finalise,
)
from billing.domain.quote_billing import Billed, QuoteBilling, Share, billing_of, part_content, rest_content
from billing.domain.retention import Reception, reception_errors
from billing.ports.clock import Clock, Ids
from billing.ports.delivery import Documents, DownloadLink
from billing.ports.drafts import DraftInput
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.quotes import QuoteContext, QuoteQuery, Quotes, QuoteSummary
from billing.ports.repositories import Customers, Invoices, SeriesMoved
from billing.usecases.contention import BUDGET_SECONDS, judged_anew
from billing.usecases.drafting import Composed, compose_draft, copied_lines, described, held_products

_CROWD_PAUSE_SECONDS = 0.08


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteInput:
    """What a person writes on a quote: a draft, and until when it is offered."""

    draft: DraftInput
    valid_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerInput:
    """An answer that the customer gave elsewhere: a signed copy, a mail, a call."""

    answer: QuoteAnswer
    name: str
    comment: str = ""


def create_quote(
    caller: Caller,
    wanted: QuoteInput,
    *,
    once: IdempotentRequest,
    quotes: Quotes,
    invoices: Invoices,
    clock: Clock,
    ids: Ids,
) -> Quote:
    """A draft, without a number. Raises: CompanyNotDescribed, UnknownReference, FieldErrors."""
    caller.require(Permission.WRITE_DOCUMENTS)
    composed = compose_draft(caller, wanted.draft, invoices=invoices, today=clock.today(), once=once)
    return _created(caller, composed, valid_until=wanted.valid_until, once=once, quotes=quotes, clock=clock, ids=ids)


def duplicate_quote(
    caller: Caller,
    quote_id: str,
    *,
    once: IdempotentRequest,
    quotes: Quotes,
    invoices: Invoices,
    clock: Clock,
    ids: Ids,
) -> Quote:
    """A new draft with the lines, terms and texts of a quote; its validity begins anew.

    Raises: NotFound, CompanyNotDescribed, UnknownReference, FieldErrors.
    """
    caller.require(Permission.WRITE_DOCUMENTS)
    content = quotes.read(caller, quote_id, once=once).content
    copy = DraftInput(
        customer_id=content.customer_id,
        lines=copied_lines(content.lines),
        discount=content.discount,
        payment_terms_days=content.payment_terms_days,
        notes=content.notes,
        allowances=content.allowances,
        charges=content.charges,
        payment_terms=content.payment_terms,
        particulars=replace(content.particulars, period=None),
        private_notes=content.private_notes,
        retention_percent=content.retention_percent,
    )
    held = held_products(content)
    composed = compose_draft(caller, copy, invoices=invoices, today=clock.today(), once=once, held=held)
    return _created(
        caller,
        composed,
        valid_until=None,
        once=once,
        quotes=quotes,
        clock=clock,
        ids=ids,
        also={"duplicate_of": quote_id},
    )


def preview_quote(caller: Caller, wanted: QuoteInput, *, invoices: Invoices, clock: Clock) -> Composed:
    """The totals and warnings a quote would have; nothing is saved."""
    caller.require(Permission.READ)
    return compose_draft(caller, wanted.draft, invoices=invoices, today=clock.today())


def read_quote(caller: Caller, quote_id: str, *, quotes: Quotes) -> Quote:
    """Raises: NotFound."""
    return quotes.read(caller, quote_id)


def list_quotes(caller: Caller, query: QuoteQuery, page: PageRequest, *, quotes: Quotes) -> Page[QuoteSummary]:
    return quotes.list(caller, query, page)


def read_quote_timeline(caller: Caller, quote_id: str, page: PageRequest, *, quotes: Quotes) -> Page[Event]:
    """What happened to a quote, oldest first. Raises: NotFound."""
    return quotes.timeline(caller, quote_id, page)


def edit_quote(
    caller: Caller,
    quote_id: str,
    wanted: QuoteInput,
    *,
    expected_version: int,
    quotes: Quotes,
    invoices: Invoices,
    clock: Clock,
    ids: Ids,
) -> Quote:
    """Raises: NotFound, QuoteAlreadySent, StaleVersion, CompanyNotDescribed, FieldErrors."""
    caller.require(Permission.WRITE_DOCUMENTS)
    current = quotes.read(caller, quote_id)
    current.require_draft()
    _expect(current, expected_version)
    composed = compose_draft(
        caller, wanted.draft, invoices=invoices, today=clock.today(), held=held_products(current.content)
    )
    edited = edited_quote(current, composed, valid_until=wanted.valid_until, at=clock.now())
    quotes.save(caller, edited, event=_event(EventType.QUOTE_EDITED, caller, edited, ids))
    return edited


def new_quote(caller: Caller, quote_id: str, composed: Composed, *, valid_until: date | None, at: datetime) -> Quote:
    return Quote(
        tenant_id=caller.tenant_id,
        quote_id=quote_id,
        version=1,
        content=composed.content,
        valid_until=valid_until,
        customer_name=composed.customer_name,
        totals=composed.totals,
        warnings=composed.warnings,
        created_at=at,
        updated_at=at,
    )


def edited_quote(current: Quote, composed: Composed, *, valid_until: date | None, at: datetime) -> Quote:
    """Raises: QuoteAlreadySent."""
    return current.edited(
        composed.content,
        valid_until=valid_until,
        customer_name=composed.customer_name,
        totals=composed.totals,
        warnings=composed.warnings,
        at=at,
    )


def delete_quote(
    caller: Caller, quote_id: str, *, expected_version: int, quotes: Quotes, clock: Clock, ids: Ids
) -> None:
    """A draft that was never sent goes; a quote with a number never does.

    Raises: NotFound, QuoteAlreadySent, StaleVersion.
    """
    caller.require(Permission.WRITE_DOCUMENTS)
    event = Event(
        event_id=ids.new("evt"),
        event_type=EventType.QUOTE_DELETED,
        occurred_at=clock.now(),
        actor=caller.user_id,
        data={"quote_id": quote_id, "version": expected_version},
    )
    quotes.delete(caller, quote_id, expected_version=expected_version, event=event)


def send_quote(
    caller: Caller,
    quote_id: str,
    *,
    expected_version: int | None,
    mail: bool,
    recipient: str | None,
    correlation_id: str,
    once: IdempotentRequest,
    quotes: Quotes,
    customers: Customers,
    clock: Clock,
    ids: Ids,
) -> Quote:
    """Finalise a draft under its number and, with ``mail``, send it; a quote that was sent is mailed again.

    ``expected_version`` is of the draft that is sent; a quote that was sent does not change any more.

    Raises: NotFound, StaleVersion, CompanyNotDescribed, FieldErrors, RecipientMissing, QuoteExpired,
        DeliveryInProgress, NumberTaken, Busy.
    """
    caller.require(Permission.WRITE_DOCUMENTS)
    started = clock.monotonic()
    while True:
        context = quotes.load_for_send(caller, quote_id, once=once)
        if context.quote.document is None:
            _expect(context.quote, expected_version)
        company = described(context.company)
        customer = customers.current(caller, context.quote.content.customer_id)
        to = recipient or customer.description.invoice_email
        if mail and to is None:
            raise RecipientMissing
        quote, allocation = _finalised(context, company, customer, clock)
        quote, delivery = _with_delivery(
            quote,
            send=mail,
            recipient=to if mail else None,
            recipient_name=customer.description.person_at(to),
            correlation_id=correlation_id,
            clock=clock,
        )
        kind = EventType.QUOTE_DELIVERY_REQUESTED if context.quote.document else EventType.QUOTE_FINALISED
        event = _event(kind, caller, quote, ids, {"number": quote.number or "", "attempt": delivery.attempt})
        try:
            quotes.send(
                caller,
                quote,
                previous=context.quote,
                allocation=allocation,
                delivery=delivery,
                event=event,
                once=once,
            )
        except (SeriesMoved, StaleVersion) as moved:
            if isinstance(moved, StaleVersion) and context.quote.document is None:
                raise
            if clock.monotonic() - started > BUDGET_SECONDS:
                raise Busy from moved
            clock.sleep(_CROWD_PAUSE_SECONDS * ids.jitter())
        else:
            return quote


def _finalised(
    context: QuoteContext, company: Company, customer: Customer, clock: Clock
) -> tuple[Quote, NumberAllocation | None]:
    """The quote as it goes out, and the number it takes when it has none yet."""
    quote, today = context.quote, clock.today()
    if quote.document is not None:
        if quote.status(today) is QuoteStatus.EXPIRED:
            raise QuoteExpired
        if quote.delivery.is_mailing:
            raise DeliveryInProgress
        return quote, None
    on = max(today, context.series.last_date) if context.series.last_date else today
    allocation = allocate(context.series, company.description.quote_number_pattern, on)
    sent = finalise(quote, company=company, customer=customer, allocation=allocation, issued_at=clock.now())
    return sent, allocation if quote.number is None else None


def revise_quote(
    caller: Caller, quote_id: str, *, once: IdempotentRequest, quotes: Quotes, clock: Clock, ids: Ids
) -> Quote:
    """A draft of the next version of a sent quote; the earlier one is kept, and can no longer be accepted.

    Raises: NotFound, QuoteNotSent, QuoteAlreadyAnswered (accepted, invoiced).
    """
    caller.require(Permission.WRITE_DOCUMENTS)

    def attempt() -> Quote:
        current = quotes.read(caller, quote_id, once=once)
        revised = current.revised(clock.now())
        event = _event(EventType.QUOTE_REVISED, caller, revised, ids, {"revision": revised.revision})
        quotes.save(caller, revised, event=event, once=once, former=current)
        return revised

    return judged_anew(attempt, clock=clock, ids=ids)


def create_quote_link(
    caller: Caller, quote_id: str, *, once: IdempotentRequest, quotes: Quotes, clock: Clock, ids: Ids
) -> tuple[Quote, LinkToken]:
    """A public link to the current version; shown now and never again. Raises: NotFound, QuoteNotSent."""
    caller.require(Permission.WRITE_DOCUMENTS)
    token = LinkToken(tenant_id=caller.tenant_id, document_id=quote_id, secret=ids.secret())

    def attempt() -> Quote:
        linked = quotes.read(caller, quote_id, once=once).with_link(token.secret, clock.now())
        quotes.save(caller, linked, event=_event(EventType.QUOTE_LINK_CREATED, caller, linked, ids), once=once)
        return linked

    return judged_anew(attempt, clock=clock, ids=ids), token


def revoke_quote_links(
    caller: Caller, quote_id: str, *, once: IdempotentRequest, quotes: Quotes, clock: Clock, ids: Ids
) -> Quote:
    """No link to this quote opens anything any more. Raises: NotFound."""
    caller.require(Permission.WRITE_DOCUMENTS)

    def attempt() -> Quote:
        closed = quotes.read(caller, quote_id, once=once).without_links(clock.now())
        quotes.save(caller, closed, event=_event(EventType.QUOTE_LINKS_REVOKED, caller, closed, ids), once=once)
        return closed

    return judged_anew(attempt, clock=clock, ids=ids)


def record_quote_answer(
    caller: Caller,
    quote_id: str,
    given: AnswerInput,
    *,
    once: IdempotentRequest,
    quotes: Quotes,
    clock: Clock,
    ids: Ids,
) -> Quote:
    """What the customer answered elsewhere. Raises: NotFound, QuoteNotSent, QuoteExpired, QuoteAlreadyAnswered."""
    caller.require(Permission.WRITE_DOCUMENTS)

    def attempt() -> Quote:
        current = quotes.read(caller, quote_id, once=once)
        decision = QuoteDecision(
            answer=given.answer,
            name=given.name,
            comment=given.comment,
            decided_at=clock.now(),
            ip_address="",
            recorded_by=caller.user_id,
            document_hash=current.document_hash,
            pdf_sha256=current.delivery.pdf.sha256 if current.delivery.pdf else "",
        )
        decided = current.decided(decision, clock.today())
        accepted = given.answer is QuoteAnswer.ACCEPTED
        kind = EventType.QUOTE_ACCEPTED if accepted else EventType.QUOTE_REJECTED
        quotes.save(caller, decided, event=_event(kind, caller, decided, ids), once=once)
        return decided

    return judged_anew(attempt, clock=clock, ids=ids)


def convert_quote(
    caller: Caller,
    quote_id: str,
    *,
    once: IdempotentRequest,
    quotes: Quotes,
    invoices: Invoices,
    clock: Clock,
    ids: Ids,
) -> DraftInvoice:
    """The draft invoice of what remains of an accepted quote: all of it exactly as accepted, or what earlier ones left.

    Raises: NotFound, QuoteNotAccepted, QuoteAlreadyInvoiced, QuotePartOpen, CompanyNotDescribed, Busy.
    """
    return _bill(caller, quote_id, rest_content, once=once, quotes=quotes, invoices=invoices, clock=clock, ids=ids)


def bill_quote_deposit(
    caller: Caller,
    quote_id: str,
    share: Share,
    *,
    once: IdempotentRequest,
    quotes: Quotes,
    invoices: Invoices,
    clock: Clock,
    ids: Ids,
) -> DraftInvoice:
    """A draft deposit invoice (type 386), split over the rates. Raises: as convert_quote, FieldErrors."""

    def content(quote: Quote, held: Mapping[str, Invoice]) -> Billed:
        return part_content(quote, share, PartKind.DEPOSIT, held)

    return _bill(caller, quote_id, content, once=once, quotes=quotes, invoices=invoices, clock=clock, ids=ids)


def bill_quote_part(
    caller: Caller,
    quote_id: str,
    share: Share,
    *,
    retention_percent: Decimal | None = None,
    once: IdempotentRequest,
    quotes: Quotes,
    invoices: Invoices,
    clock: Clock,
    ids: Ids,
) -> DraftInvoice:
    """A draft invoice of a share of the work, or of its lines' progress; the quote's retention unless said.

    Raises: as convert_quote, FieldErrors.
    """

    def content(quote: Quote, held: Mapping[str, Invoice]) -> Billed:
        return part_content(quote, share, PartKind.PART, held, retention_percent=retention_percent)

    return _bill(caller, quote_id, content, once=once, quotes=quotes, invoices=invoices, clock=clock, ids=ids)


def record_quote_reception(
    caller: Caller,
    quote_id: str,
    reception: Reception,
    *,
    once: IdempotentRequest,
    quotes: Quotes,
    clock: Clock,
    ids: Ids,
) -> Quote:
    """When the work was received, or what was retained released: its invoices say since when the rest is due.

    Told again it takes the place of what was told before. Raises: NotFound, QuoteNotAccepted, FieldErrors, Busy.
    """
    caller.require(Permission.WRITE_DOCUMENTS)
    wrong = tuple(reception_errors(reception, clock.today()))
    if wrong:
        raise FieldErrors(wrong)

    def attempt() -> Quote:
        quote, now = quotes.read(caller, quote_id, once=once), clock.now()
        received = quote.received(reception, now)
        until = received.retained_until
        moved = tuple(
            invoice.retained_to(until, now)
            for invoice in quotes.invoices(caller, quote).values()
            if invoice.retained_until != until and _retains(invoice)
        )
        days = {"received_on": reception.received_on, "released_on": reception.released_on, "retained_until": until}
        told: dict[str, str | int] = {name: day.isoformat() for name, day in days.items() if day}
        event = _event(EventType.QUOTE_WORK_RECEIVED, caller, received, ids, told)
        quotes.receive(caller, received, invoices=moved, event=event, once=once)
        return received

    return judged_anew(attempt, clock=clock, ids=ids)


def _retains(invoice: Invoice) -> bool:
    if isinstance(invoice, DraftInvoice):
        return invoice.content.retention_percent is not None
    return invoice.document.retention is not None


def read_quote_billing(caller: Caller, quote_id: str, *, quotes: Quotes) -> QuoteBilling:
    """What was invoiced, what is left to invoice and to collect. Raises: NotFound, QuoteNotSent."""
    quote = quotes.read(caller, quote_id)
    quote.frozen  # noqa: B018 - refused while it is a draft
    return billing_of(quote, quotes.invoices(caller, quote))


def _bill(
    caller: Caller,
    quote_id: str,
    content_of: Callable[[Quote, Mapping[str, Invoice]], Billed],
    *,
    once: IdempotentRequest,
    quotes: Quotes,
    invoices: Invoices,
    clock: Clock,
    ids: Ids,
) -> DraftInvoice:
    caller.require(Permission.WRITE_DOCUMENTS)

    def attempt() -> DraftInvoice:
        quote = quotes.read(caller, quote_id, once=once)
        now = clock.now()
        made = content_of(quote, quotes.invoices(caller, quote))
        content, invoice_id = made.content, ids.new("inv")
        billed = quote.billed(made.part(invoice_id), now)
        context = invoices.draft_context(caller, content.customer_id, ())
        company, customer = described(context.company).description, context.customer.description
        totals = check_content(content, company.vat_regime)
        draft = DraftInvoice(
            tenant_id=caller.tenant_id,
            invoice_id=invoice_id,
            version=1,
            content=content,
            customer_name=customer.name,
            totals=totals,
            created_at=now,
            updated_at=now,
            warnings=draft_warnings(content, totals, company=company, customer=customer, today=clock.today()),
            retained_until=quote.retained_until if content.retention_percent else None,
        )
        told: dict[str, str | int] = {"invoice_id": invoice_id, "kind": made.kind.value}
        events = (
            _event(EventType.QUOTE_INVOICED, caller, billed, ids, told),
            Event(
                event_id=ids.new("evt"),
                event_type=EventType.INVOICE_CREATED,
                occurred_at=now,
                actor=caller.user_id,
                data={
                    "invoice_id": invoice_id,
                    "version": 1,
                    "total_minor": totals.total_minor,
                    "quote_id": quote_id,
                },
            ),
        )
        quotes.convert(caller, billed, draft=draft, events=events, once=once)
        return draft

    return judged_anew(attempt, clock=clock, ids=ids)


def download_quote(
    caller: Caller, quote_id: str, *, quotes: Quotes, documents: Documents, clock: Clock
) -> DownloadLink:
    """A short-lived address of the stored PDF. Raises: NotFound, QuoteNotSent, PdfNotReady."""
    return pdf_link(quotes.read(caller, quote_id), documents=documents, clock=clock)


def pdf_link(quote: Quote, *, documents: Documents, clock: Clock) -> DownloadLink:
    """Raises: QuoteNotSent, PdfNotReady."""
    document, pdf = quote.frozen, quote.delivery.pdf
    if pdf is None:
        raise PdfNotReady
    return documents.link(pdf.key, file_name=f"{document.number}.pdf", now=clock.now())


def _created(
    caller: Caller,
    composed: Composed,
    *,
    valid_until: date | None,
    once: IdempotentRequest,
    quotes: Quotes,
    clock: Clock,
    ids: Ids,
    also: dict[str, str | int] | None = None,
) -> Quote:
    if valid_until is not None and valid_until < clock.today():
        passed = FieldError("/valid_until", "La date de validité est passée.", "The validity has passed.")
        raise FieldErrors((passed,))
    quote = new_quote(caller, ids.new("quo"), composed, valid_until=valid_until, at=clock.now())
    quotes.create(caller, quote, event=_event(EventType.QUOTE_CREATED, caller, quote, ids, also), once=once)
    return quote


def _with_delivery(
    quote: Quote, *, send: bool, recipient: str | None, recipient_name: str, correlation_id: str, clock: Clock
) -> tuple[Quote, DeliveryRequest]:
    now = clock.now()
    requested = quote.with_delivery(quote.delivery.requested(send=send), now)
    delivery = DeliveryRequest(
        tenant_id=quote.tenant_id,
        invoice_id=quote.quote_id,
        attempt=requested.delivery.attempt,
        send=send,
        recipient=recipient,
        requested_at=now,
        correlation_id=correlation_id,
        recipient_name=recipient_name if send else "",
    )
    return requested, delivery


def _expect(quote: Quote, version: int | None) -> None:
    if quote.version != version:
        raise StaleVersion


def _event(
    event_type: EventType, caller: Caller, quote: Quote, ids: Ids, also: dict[str, str | int] | None = None
) -> Event:
    return Event(
        event_id=ids.new("evt"),
        event_type=event_type,
        occurred_at=quote.updated_at,
        actor=caller.user_id,
        data={
            "quote_id": quote.quote_id,
            **({"number": quote.number} if quote.number else {}),
            "version": quote.version,
            "total_minor": quote.totals.total_minor,
            **(also or {}),
        },
    )
