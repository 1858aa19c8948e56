"""Recurring invoices: templates that people keep, and the run that makes what is due."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date

from billing.domain.access import Caller, Permission
from billing.domain.errors import BillingError, Busy, DependencyUnavailable, FieldErrors, NotFound, StaleVersion
from billing.domain.events import Event, EventType
from billing.domain.invoice import DraftInvoice, IssuedInvoice, check_content, draft_warnings
from billing.domain.recurrence import Recurrence
from billing.domain.recurring_invoice import (
    RecurringInvoice,
    RecurringMode,
    variable_errors,
)
from billing.ports.clock import Clock, Ids
from billing.ports.drafts import DraftInput
from billing.ports.idempotency import AlreadyAnswered, Answer, IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.recurring_invoices import (
    DueRecurringInvoice,
    PeriodMade,
    RecurringInvoices,
    RecurringInvoiceSummary,
)
from billing.ports.repositories import Customers, Invoices
from billing.usecases.contention import judged_anew
from billing.usecases.drafting import Composed, compose_draft, described
from billing.usecases.invoices import issue_invoice
from billing.usecases.turns import Turns

JOB = "recurring"
DUE_LIMIT = 50
RUN_BUDGET_SECONDS = 45.0  # the function has a minute; the rest waits for the next run
MAX_PERIODS_PER_RUN = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurringInput:
    """What a person writes on a template."""

    name: str
    draft: DraftInput
    recurrence: Recurrence
    mode: RecurringMode


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """Documents made and issued, templates refused, by one run."""

    made: int = 0
    issued: int = 0
    parked: int = 0


def create_recurring_invoice(
    caller: Caller,
    wanted: RecurringInput,
    *,
    once: IdempotentRequest,
    recurring_invoices: RecurringInvoices,
    invoices: Invoices,
    clock: Clock,
    ids: Ids,
) -> RecurringInvoice:
    """Raises: CompanyNotDescribed, UnknownReference, FieldErrors."""
    caller.require(Permission.WRITE_DOCUMENTS)
    composed = _composed(caller, wanted, invoices=invoices, clock=clock, once=once)
    now = clock.now()
    recurring = RecurringInvoice(
        tenant_id=caller.tenant_id,
        recurring_invoice_id=ids.new("rec"),
        version=1,
        name=wanted.name,
        content=composed.content,
        customer_name=composed.customer_name,
        totals=composed.totals,
        recurrence=wanted.recurrence,
        mode=wanted.mode,
        created_at=now,
        updated_at=now,
    )
    event = _event(EventType.RECURRING_INVOICE_CREATED, caller, recurring, ids)
    recurring_invoices.create(caller, recurring, event=event, once=once)
    return recurring


def preview_recurring_invoice(caller: Caller, wanted: RecurringInput, *, invoices: Invoices, clock: Clock) -> Composed:
    """What one of its invoices would amount to; nothing is saved."""
    caller.require(Permission.READ)
    return _composed(caller, wanted, invoices=invoices, clock=clock)


def read_recurring_invoice(
    caller: Caller, recurring_invoice_id: str, *, recurring_invoices: RecurringInvoices
) -> RecurringInvoice:
    """Raises: NotFound."""
    return recurring_invoices.current(caller, recurring_invoice_id)


def list_recurring_invoices(
    caller: Caller, page: PageRequest, *, recurring_invoices: RecurringInvoices
) -> Page[RecurringInvoiceSummary]:
    return recurring_invoices.list(caller, page)


def read_recurring_invoice_timeline(
    caller: Caller, recurring_invoice_id: str, page: PageRequest, *, recurring_invoices: RecurringInvoices
) -> Page[Event]:
    """What happened to a template and what it made, oldest first. Raises: NotFound."""
    return recurring_invoices.timeline(caller, recurring_invoice_id, page)


def edit_recurring_invoice(
    caller: Caller,
    recurring_invoice_id: str,
    wanted: RecurringInput,
    *,
    expected_version: int,
    recurring_invoices: RecurringInvoices,
    invoices: Invoices,
    clock: Clock,
    ids: Ids,
) -> RecurringInvoice:
    """For the periods to come. Raises: NotFound, StaleVersion, RecurringInvoiceEnded, FieldErrors."""
    caller.require(Permission.WRITE_DOCUMENTS)
    current = recurring_invoices.read(caller, recurring_invoice_id)
    if current.version != expected_version:
        raise StaleVersion
    held = frozenset(line.product_id for line in current.content.lines if line.product_id)
    composed = _composed(caller, wanted, invoices=invoices, clock=clock, held=held)
    edited = current.edited(
        name=wanted.name,
        content=composed.content,
        customer_name=composed.customer_name,
        totals=composed.totals,
        recurrence=wanted.recurrence,
        mode=wanted.mode,
        at=clock.now(),
    )
    event = _event(EventType.RECURRING_INVOICE_EDITED, caller, edited, ids)
    recurring_invoices.save(caller, edited, event=event)
    return edited


def pause_recurring_invoice(
    caller: Caller,
    recurring_invoice_id: str,
    *,
    once: IdempotentRequest,
    recurring_invoices: RecurringInvoices,
    clock: Clock,
    ids: Ids,
) -> RecurringInvoice:
    """Nothing is made until it is resumed. Raises: NotFound, RecurringInvoiceEnded."""
    moving = _Moving(recurring_invoices, clock, ids, EventType.RECURRING_INVOICE_PAUSED)
    return moving(caller, recurring_invoice_id, lambda recurring: recurring.paused_at(clock.now()), once)


def resume_recurring_invoice(
    caller: Caller,
    recurring_invoice_id: str,
    *,
    once: IdempotentRequest,
    recurring_invoices: RecurringInvoices,
    clock: Clock,
    ids: Ids,
) -> RecurringInvoice:
    """Raises: NotFound, RecurringInvoiceEnded, RecurringInvoiceNotPaused."""
    moving = _Moving(recurring_invoices, clock, ids, EventType.RECURRING_INVOICE_RESUMED)
    return moving(
        caller, recurring_invoice_id, lambda recurring: recurring.resumed(clock.now(), today=clock.today()), once
    )


def skip_recurring_invoice(
    caller: Caller,
    recurring_invoice_id: str,
    day: date,
    *,
    once: IdempotentRequest,
    recurring_invoices: RecurringInvoices,
    clock: Clock,
    ids: Ids,
) -> RecurringInvoice:
    """One of its next dates is passed over. Raises: NotFound, RecurringInvoiceEnded, FieldErrors."""
    moving = _Moving(recurring_invoices, clock, ids, EventType.RECURRING_INVOICE_SKIPPED, {"date": day.isoformat()})
    return moving(caller, recurring_invoice_id, lambda recurring: recurring.skipping(day, clock.now()), once)


def end_recurring_invoice(
    caller: Caller,
    recurring_invoice_id: str,
    *,
    once: IdempotentRequest,
    recurring_invoices: RecurringInvoices,
    clock: Clock,
    ids: Ids,
) -> RecurringInvoice:
    """For good; what it made stays. Raises: NotFound, RecurringInvoiceEnded."""
    moving = _Moving(recurring_invoices, clock, ids, EventType.RECURRING_INVOICE_ENDED)
    return moving(caller, recurring_invoice_id, lambda recurring: recurring.finished(clock.now()), once)


@dataclass(frozen=True, slots=True)
class _Moving:
    """One change of a template by a person, written with the event that tells of it."""

    recurring_invoices: RecurringInvoices
    clock: Clock
    ids: Ids
    event_type: EventType
    also: dict[str, str | int] | None = None

    def __call__(
        self,
        caller: Caller,
        recurring_invoice_id: str,
        change: Callable[[RecurringInvoice], RecurringInvoice],
        once: IdempotentRequest,
    ) -> RecurringInvoice:
        caller.require(Permission.WRITE_DOCUMENTS)

        def attempt() -> RecurringInvoice:
            moved = change(self.recurring_invoices.current(caller, recurring_invoice_id, once=once))
            event = _event(self.event_type, caller, moved, self.ids, self.also)
            self.recurring_invoices.save(caller, moved, event=event, once=once)
            return moved

        return judged_anew(attempt, clock=self.clock, ids=self.ids)


def run_recurring_invoices(
    *,
    recurring_invoices: RecurringInvoices,
    invoices: Invoices,
    customers: Customers,
    clock: Clock,
    ids: Ids,
    payment_page: str = "",
    left_alone: Collection[str] = (),
) -> RunResult:
    """Make what is due in every tenant, oldest first, within the time of one run; the rest waits for the next one.

    A template that is refused is parked and told; one that fails otherwise stops none of the others. ``left_alone``:
    tenants whose periods wait until they are released.

    Raises: the first failure, once every other template had its turn.
    """
    deadline = clock.monotonic() + RUN_BUDGET_SECONDS
    result = RunResult()
    turns = Turns()
    for found in _due(deadline, recurring_invoices=recurring_invoices, clock=clock):
        if found.tenant_id in left_alone:
            continue
        # Another run, or a person, may be at it: the next run looks again.
        with turns.one(passed_over=StaleVersion):
            one = run_recurring_invoice(
                found.tenant_id,
                found.recurring_invoice_id,
                recurring_invoices=recurring_invoices,
                invoices=invoices,
                customers=customers,
                clock=clock,
                ids=ids,
                payment_page=payment_page,
            )
            result = RunResult(
                made=result.made + one.made, issued=result.issued + one.issued, parked=result.parked + one.parked
            )
    turns.end()
    return result


def run_recurring_invoice(
    tenant_id: str,
    recurring_invoice_id: str,
    *,
    recurring_invoices: RecurringInvoices,
    invoices: Invoices,
    customers: Customers,
    clock: Clock,
    ids: Ids,
    payment_page: str = "",
) -> RunResult:
    """Make and issue every period of a template that is due, in order; safe beside another run of the same.

    Raises: StaleVersion (another run, or a person, moved it: the next run looks again), DependencyUnavailable, Busy.
    """
    caller = Caller.system(tenant_id, JOB, correlation_id=recurring_invoice_id)
    made = issued = 0
    for _ in range(MAX_PERIODS_PER_RUN):
        recurring = recurring_invoices.read(caller, recurring_invoice_id)
        due = recurring.due_on
        if due is None or due > clock.today():
            break
        try:
            if recurring.pending is not None:
                _issue(
                    caller,
                    recurring,
                    recurring.pending,
                    recurring_invoices=recurring_invoices,
                    invoices=invoices,
                    customers=customers,
                    clock=clock,
                    ids=ids,
                    payment_page=payment_page,
                )
                issued += 1
            else:
                made += _make(
                    caller, recurring, recurring_invoices=recurring_invoices, invoices=invoices, clock=clock, ids=ids
                )
        except (StaleVersion, DependencyUnavailable, Busy):
            raise
        except BillingError as refusal:
            parked = recurring.parked(refusal.slug, clock.now(), today=clock.today())
            event = _event(EventType.RECURRING_INVOICE_PARKED, caller, parked, ids, {"problem": refusal.slug})
            recurring_invoices.save(caller, parked, event=event)
            return RunResult(made=made, issued=issued, parked=1)
    return RunResult(made=made, issued=issued)


def _make(
    caller: Caller,
    recurring: RecurringInvoice,
    *,
    recurring_invoices: RecurringInvoices,
    invoices: Invoices,
    clock: Clock,
    ids: Ids,
) -> int:
    """The draft of the next period, once; how many were made."""
    day = recurring.next_date
    assert day is not None  # noqa: S101 - it is due
    now = clock.now()
    invoice_id = recurring.invoice_id_of(day)
    context = invoices.draft_context(caller, recurring.content.customer_id, ())
    company, customer = described(context.company).description, context.customer.description
    content = replace(recurring.content_of(day), customer_id=context.customer.customer_id)
    totals = check_content(content, company.vat_regime)
    draft = DraftInvoice(
        tenant_id=recurring.tenant_id,
        invoice_id=invoice_id,
        version=1,
        content=content,
        customer_name=customer.name,
        totals=totals,
        created_at=now,
        updated_at=now,
        warnings=draft_warnings(content, totals, company=company, customer=customer, today=clock.today()),
    )
    moved = recurring.made(day, invoice_id, now)
    if context.customer.customer_id != recurring.content.customer_id:
        moved = moved.billing(context.customer.customer_id, customer.name)
    told = {"invoice_id": invoice_id, "date": day.isoformat()}
    created = Event(
        event_id=ids.new("evt"),
        event_type=EventType.INVOICE_CREATED,
        occurred_at=now,
        actor=caller.user_id,
        data={
            "invoice_id": invoice_id,
            "version": 1,
            "total_minor": totals.total_minor,
            "recurring_invoice_id": recurring.recurring_invoice_id,
        },
    )
    event = _event(EventType.RECURRING_INVOICE_MADE, caller, moved, ids, {**told, "total_minor": totals.total_minor})
    try:
        recurring_invoices.make(caller, moved, draft=draft, events=(event, created))
    except PeriodMade:
        # Made before under another rule of this template: the period has its document.
        recurring_invoices.save(caller, replace(moved, pending=None, made_count=recurring.made_count), event=None)
        return 0
    return 1


def _issue(
    caller: Caller,
    recurring: RecurringInvoice,
    invoice_id: str,
    *,
    recurring_invoices: RecurringInvoices,
    invoices: Invoices,
    customers: Customers,
    clock: Clock,
    ids: Ids,
    payment_page: str,
) -> None:
    """Number what was made, today; what a person issued, edited or deleted meanwhile is theirs."""
    invoice = _held(caller, invoice_id, invoices)
    if isinstance(invoice, DraftInvoice):
        with contextlib.suppress(AlreadyAnswered):  # issued by a run that died before it could say so
            issue_invoice(
                caller,
                invoice_id,
                expected_version=invoice.version,
                issue_date=None,
                send=recurring.mode is RecurringMode.SEND,
                correlation_id=f"{recurring.recurring_invoice_id}-{invoice_id}",
                once=_once(invoice_id),
                invoices=invoices,
                customers=customers,
                clock=clock,
                ids=ids,
                payment_page=payment_page,
            )
    recurring_invoices.save(caller, recurring.issued(clock.now()), event=None)


def _held(caller: Caller, invoice_id: str, invoices: Invoices) -> DraftInvoice | IssuedInvoice | None:
    try:
        return invoices.read(caller, invoice_id)
    except NotFound:
        return None


def _once(invoice_id: str) -> IdempotentRequest:
    return IdempotentRequest(
        operation="issueRecurringInvoice",
        key=invoice_id,
        fingerprint=hashlib.sha256(invoice_id.encode()).hexdigest(),
        answer_of=lambda _: Answer(status=200, body="{}"),
    )


def _due(deadline: float, *, recurring_invoices: RecurringInvoices, clock: Clock) -> Iterator[DueRecurringInvoice]:
    for shard in range(recurring_invoices.shards):
        position: str | None = None
        while clock.monotonic() < deadline:
            page, position = recurring_invoices.due(clock.today(), shard=shard, limit=DUE_LIMIT, after=position)
            yield from page
            if position is None:
                break


def _composed(
    caller: Caller,
    wanted: RecurringInput,
    *,
    invoices: Invoices,
    clock: Clock,
    once: IdempotentRequest | None = None,
    held: frozenset[str] = frozenset(),
) -> Composed:
    composed = compose_draft(caller, wanted.draft, invoices=invoices, today=clock.today(), once=once, held=held)
    errors = tuple(variable_errors(composed.content))
    if errors:
        raise FieldErrors(errors)
    return composed


def _event(
    event_type: EventType,
    caller: Caller,
    recurring: RecurringInvoice,
    ids: Ids,
    also: dict[str, str | int] | None = None,
) -> Event:
    return Event(
        event_id=ids.new("evt"),
        event_type=event_type,
        occurred_at=recurring.updated_at,
        actor=caller.user_id,
        data={
            "recurring_invoice_id": recurring.recurring_invoice_id,
            "version": recurring.version,
            **(also or {}),
        },
    )
