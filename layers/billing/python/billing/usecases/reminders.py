"""Reminders of unpaid invoices: a company's plan, what people send themselves, and the run that follows the plan."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from billing.domain.access import Caller, Permission
from billing.domain.dates import PARIS
from billing.domain.delivery import Delivery, DeliveryRequest, DeliveryState
from billing.domain.errors import (
    FieldError,
    FieldErrors,
    NothingLeftToPay,
    PaymentInProgress,
    RecipientMissing,
    ReminderAlreadySent,
    ReminderNotDue,
    StaleVersion,
)
from billing.domain.events import Event, EventType
from billing.domain.letter import ComposedMail
from billing.domain.payment_in_progress import explain_in_progress
from billing.domain.printing import unprintable_errors
from billing.domain.reminder_mail import compose_reminder_mail, variable_errors
from billing.domain.reminders import (
    MAX_HOLD_DAYS,
    HoldReason,
    Reminder,
    ReminderHold,
    ReminderLevel,
    ReminderPause,
    ReminderPlan,
    ReminderStep,
    claim_of,
    is_remindable,
    is_working_day,
    reminder_id_of,
)
from billing.ports.clock import Clock, Ids
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.reminders import ReminderContext, ReminderInput, ReminderRunMoved, Reminders, RemindersOfInvoice
from billing.ports.repositories import InvoiceQuery, Invoices
from billing.usecases.contention import judged_anew
from billing.usecases.turns import Turns

JOB = "reminders"
FIRST_HOUR = 8  # in Paris: nobody is reminded at night
TENANTS_PER_PAGE = 50
INVOICES_PER_PAGE = 100
RUN_BUDGET_SECONDS = 45.0  # the function has a minute; the rest waits for the next run
TENANT_BUDGET_SECONDS = 20.0  # a company with very many does not keep the others waiting
_MAY_GO_AGAIN = frozenset(
    {DeliveryState.FAILED, DeliveryState.BOUNCED, DeliveryState.UNCONFIRMED, DeliveryState.NOT_SENT}
)
_SAVES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RemindersRunResult:
    """Reminders asked for, and those that could not be sent for want of an address, by one run."""

    requested: int = 0
    unaddressed: int = 0

    def plus(self, other: RemindersRunResult) -> RemindersRunResult:
        return RemindersRunResult(
            requested=self.requested + other.requested, unaddressed=self.unaddressed + other.unaddressed
        )


def read_reminder_plan(caller: Caller, *, reminders: Reminders) -> ReminderPlan:
    caller.require(Permission.READ)
    return reminders.read_plan(caller)[0]


def edit_reminder_plan(
    caller: Caller,
    *,
    active: bool,
    steps: tuple[ReminderStep, ...],
    expected_version: int,
    reminders: Reminders,
    clock: Clock,
    ids: Ids,
) -> ReminderPlan:
    """Version 0 is expected of a company that never saved one. Raises: Forbidden, StaleVersion, FieldErrors."""
    caller.require(Permission.MANAGE_COMPANY)
    errors = tuple(error for index, step in enumerate(steps) for error in _word_errors(f"/steps/{index}", step))
    if errors:
        raise FieldErrors(errors)
    for last in range(_SAVES):
        plan, run = reminders.read_plan(caller)
        if plan.version != expected_version:
            break
        today = clock.today()
        edited = plan.edited(active=active, steps=steps, today=today, at=clock.now())
        event = Event(
            event_id=ids.new("evt"),
            event_type=EventType.REMINDER_PLAN_EDITED,
            occurred_at=clock.now(),
            actor=caller.user_id,
            data={"version": edited.version, "active": int(active), "steps": len(steps)},
        )
        try:
            reminders.save_plan(caller, edited, run.switched(active=active, today=today), event=event)
        except ReminderRunMoved:
            if last == _SAVES - 1:
                raise StaleVersion from None
        else:
            return edited
    raise StaleVersion


def list_reminders(caller: Caller, invoice_id: str, *, reminders: Reminders, clock: Clock) -> RemindersOfInvoice:
    """Raises: NotFound, InvoiceNotIssued."""
    caller.require(Permission.READ)
    return _shown(reminders.load(caller, invoice_id), clock.today())


def _shown(context: ReminderContext, today: date) -> RemindersOfInvoice:
    due = context.invoice.due_on
    coming = context.plan.to_come(due, today) if context.plan.active and is_remindable(context.invoice) else None
    online = context.checkouts.in_progress
    return RemindersOfInvoice(
        made=context.made,
        hold=_hold_shown(context, today),
        pause=context.pause,
        next_step=coming,
        next_day=coming.day(due) if coming else None,
        today=today,
        online=online,
    )


def _hold_shown(context: ReminderContext, today: date) -> ReminderHold:
    """What holds now: a payment in progress from its confirmation to its end, whatever the run has kept of it."""
    hold = context.hold
    if hold.stands(today) and hold.reason is not HoldReason.PAYMENT_IN_PROGRESS:
        return hold
    reason = HoldReason.PAYMENT_IN_PROGRESS if context.checkouts.in_progress else None
    return replace(hold, reason=reason, until=None)


def preview_reminder(
    caller: Caller, invoice_id: str, wanted: ReminderInput, *, reminders: Reminders, clock: Clock
) -> tuple[Reminder, ComposedMail, str | None]:
    """The mail as it would leave now and its recipient; nothing is saved.

    Raises: NotFound, InvoiceNotIssued, NothingLeftToPay, PaymentInProgress, ReminderNotDue, FieldErrors.
    """
    caller.require(Permission.READ)
    context = reminders.load(caller, invoice_id)
    reminder = _asked(caller, context, wanted, again=True, clock=clock)
    recipient = wanted.recipient or _address(context)
    name = _person_at(context, recipient)
    mail = compose_reminder_mail(reminder, context.invoice, recipient=recipient, recipient_name=name)
    return reminder, mail, recipient


def send_reminder(
    caller: Caller,
    invoice_id: str,
    wanted: ReminderInput,
    *,
    correlation_id: str,
    once: IdempotentRequest,
    reminders: Reminders,
    clock: Clock,
    ids: Ids,
) -> Reminder:
    """A person reminds, whatever is paused; a level that left already does not leave again.

    Raises: NotFound, InvoiceNotIssued, NothingLeftToPay, PaymentInProgress, ReminderNotDue, ReminderAlreadySent,
        RecipientMissing, FieldErrors, Busy.
    """
    caller.require(Permission.WRITE_DOCUMENTS)

    def attempt() -> Reminder:
        context = reminders.load(caller, invoice_id, once=once)
        reminder = _asked(caller, context, wanted, again=False, clock=clock)
        recipient = wanted.recipient or _address(context)
        if recipient is None:
            raise RecipientMissing
        return _request(
            caller, context, reminder, recipient, correlation_id, reminders=reminders, clock=clock, ids=ids, once=once
        )

    return judged_anew(attempt, clock=clock, ids=ids)


def hold_reminder(
    caller: Caller,
    invoice_id: str,
    *,
    reason: HoldReason,
    until: date | None,
    once: IdempotentRequest,
    reminders: Reminders,
    clock: Clock,
    ids: Ids,
) -> RemindersOfInvoice:
    """Nothing goes out by itself through a day; a promise names it. Raises: NotFound, InvoiceNotIssued, FieldErrors."""
    if reason is HoldReason.PROMISE and until is None:
        said = "Indiquez la date à laquelle le client a promis de payer."
        raise FieldErrors((FieldError("/until", said, "Say by which day the customer promised to pay."),))
    _hold_within_reach(until, clock)

    def held(hold: ReminderHold) -> ReminderHold:
        return replace(hold, version=hold.version + 1, reason=reason, until=until, updated_at=clock.now())

    return _Moving(once, reminders, clock, ids).hold(caller, invoice_id, held, EventType.REMINDERS_HELD)


def release_reminder(
    caller: Caller, invoice_id: str, *, once: IdempotentRequest, reminders: Reminders, clock: Clock, ids: Ids
) -> RemindersOfInvoice:
    """The plan goes on with the level that comes next. Raises: NotFound, InvoiceNotIssued."""

    def released(hold: ReminderHold) -> ReminderHold:
        return replace(hold, version=hold.version + 1, reason=None, until=None, updated_at=clock.now())

    return _Moving(once, reminders, clock, ids).hold(caller, invoice_id, released, EventType.REMINDERS_RELEASED)


def read_reminder_pause(caller: Caller, customer_id: str, *, reminders: Reminders) -> ReminderPause:
    """Raises: NotFound."""
    caller.require(Permission.READ)
    return reminders.read_pause(caller, customer_id)


def pause_reminder(
    caller: Caller,
    customer_id: str,
    *,
    until: date | None,
    once: IdempotentRequest,
    reminders: Reminders,
    clock: Clock,
    ids: Ids,
) -> ReminderPause:
    """No reminder goes to this customer by itself through a day, or until it is resumed. Raises: NotFound."""
    _hold_within_reach(until, clock)
    return _Moving(once, reminders, clock, ids).pause(caller, customer_id, paused=True, until=until)


def resume_reminder(
    caller: Caller, customer_id: str, *, once: IdempotentRequest, reminders: Reminders, clock: Clock, ids: Ids
) -> ReminderPause:
    """Levels whose day passed meanwhile are passed over. Raises: NotFound."""
    return _Moving(once, reminders, clock, ids).pause(caller, customer_id, paused=False, until=None)


def run_reminders(
    *, reminders: Reminders, invoices: Invoices, clock: Clock, ids: Ids, left_alone: Collection[str] = ()
) -> RemindersRunResult:
    """Follow every company's plan up to today, within the time of one run; the rest waits for the next one.

    ``left_alone``: tenants whose customers are asked for nothing until they are released.

    Raises: the first failure, once every other company had its turn.
    """
    local = clock.now().astimezone(PARIS)
    result = RemindersRunResult()
    if local.hour < FIRST_HOUR or not is_working_day(local.date()):
        return result
    deadline = clock.monotonic() + RUN_BUDGET_SECONDS
    turns = Turns()
    for tenant_id in _due(deadline, reminders=reminders, clock=clock):
        if tenant_id in left_alone:
            continue
        # Another run, or a person, may be at it: the next run looks again.
        with turns.one(passed_over=StaleVersion):
            result = result.plus(
                run_tenant_reminders(tenant_id, reminders=reminders, invoices=invoices, clock=clock, ids=ids)
            )
    turns.end()
    return result


def run_tenant_reminders(
    tenant_id: str, *, reminders: Reminders, invoices: Invoices, clock: Clock, ids: Ids
) -> RemindersRunResult:
    """What the days since the last run call for; the days count as done once everything was asked for.

    Raises: StaleVersion (another run was quicker), DependencyUnavailable, Busy.
    """
    caller = Caller.system(tenant_id, JOB)
    plan, run = reminders.read_plan(caller)
    today = clock.today()
    since = run.next_day
    result = RemindersRunResult()
    if since is None or since > today:
        return result
    deadline = clock.monotonic() + TENANT_BUDGET_SECONDS
    for invoice_id in _to_judge(caller, plan, since, today, reminders=reminders, invoices=invoices):
        if clock.monotonic() > deadline:
            return result
        result = result.plus(_remind(caller, invoice_id, today, reminders=reminders, clock=clock, ids=ids))
    reminders.advance(caller, run.through(today))
    return result


def _to_judge(
    caller: Caller, plan: ReminderPlan, since: date, today: date, *, reminders: Reminders, invoices: Invoices
) -> Iterator[str]:
    """Unpaid invoices one of whose levels came on these days, and those whose hold ended; each once."""

    def owed(step: ReminderStep) -> Callable[[PageRequest], Page[str]]:
        # The index of what is owed, by due date: only the days that a level points to are read.
        reached = timedelta(days=step.days)
        query = InvoiceQuery(overdue_on=date.max, from_date=since - reached, to_date=today - reached)

        def read(page: PageRequest) -> Page[str]:
            rows = invoices.list(caller, query, page)
            return Page(items=tuple(row.invoice_id for row in rows.items), position=rows.position)

        return read

    sources = [owed(step) for step in plan.steps if step.automatic]
    sources.append(lambda page: reminders.ended_holds(caller, since, today, page))
    seen: set[str] = set()
    for source in sources:
        for invoice_id in _every(source):
            if invoice_id not in seen:
                seen.add(invoice_id)
                yield invoice_id


def _every(source: Callable[[PageRequest], Page[str]]) -> Iterator[str]:
    position: str | None = None
    while True:
        page = source(PageRequest(limit=INVOICES_PER_PAGE, position=position))
        yield from page.items
        position = page.position
        if position is None:
            return


def _remind(
    caller: Caller, invoice_id: str, today: date, *, reminders: Reminders, clock: Clock, ids: Ids
) -> RemindersRunResult:
    def attempt() -> RemindersRunResult:
        context = reminders.load(caller, invoice_id)
        step = _step_due(context, today)
        if step is None:
            return RemindersRunResult()
        if context.checkouts.in_progress is not None:
            _wait_for_bank(caller, context, today, reminders=reminders, clock=clock, ids=ids)
            return RemindersRunResult()
        reminder = _made(caller, context, step, clock=clock)
        recipient = _address(context)
        _request(
            caller,
            context,
            reminder,
            recipient,
            f"{reminder.reminder_id}-{today.isoformat()}",
            reminders=reminders,
            clock=clock,
            ids=ids,
        )
        return RemindersRunResult(requested=int(recipient is not None), unaddressed=int(recipient is None))

    return judged_anew(attempt, clock=clock, ids=ids)


def _wait_for_bank(
    caller: Caller, context: ReminderContext, today: date, *, reminders: Reminders, clock: Clock, ids: Ids
) -> None:
    """Held through today: tomorrow the invoice is judged again, so that its level goes out once its bank refused."""
    standing, now = context.hold, clock.now()
    reason = HoldReason.PAYMENT_IN_PROGRESS
    hold = replace(standing, version=standing.version + 1, reason=reason, until=today, updated_at=now)
    event = None
    if standing.reason is not reason:
        event = Event(
            event_id=ids.new("evt"),
            event_type=EventType.REMINDERS_HELD,
            occurred_at=now,
            actor=caller.user_id,
            data={"invoice_id": standing.invoice_id, "reason": reason.value},
        )
    reminders.save_hold(caller, hold, event=event)


def _step_due(context: ReminderContext, today: date) -> ReminderStep | None:
    """The level that may go out by itself today: the furthest whose day has come, once, unless something forbids it."""
    plan, due = context.plan, context.invoice.due_on
    step = plan.reached(due, today)
    if step is None or not step.automatic or not plan.active or not is_remindable(context.invoice):
        return None
    if context.hold.stands(today) or context.pause.stands(today):
        return None
    after_hold = context.hold.ends_on is not None and context.hold.ends_on <= today
    since = plan.active_since
    if not after_hold and (since is None or step.day(due) < since):
        return None
    if step.level is ReminderLevel.BEFORE_DUE and today > due:  # its moment has passed
        return None
    if any(made.level.rank >= step.level.rank for made in context.made):
        return None
    return step


def _asked(caller: Caller, context: ReminderContext, wanted: ReminderInput, *, again: bool, clock: Clock) -> Reminder:
    """What a person asks for.

    Raises: NothingLeftToPay, PaymentInProgress, ReminderNotDue, ReminderAlreadySent, FieldErrors.
    """
    errors = (*_text_errors("/french", wanted.french), *_text_errors("/english", wanted.english))
    if errors:
        raise FieldErrors(errors)
    if not is_remindable(context.invoice):
        raise NothingLeftToPay
    online = context.checkouts.in_progress
    if online is not None:
        said = explain_in_progress(online)
        raise PaymentInProgress(
            f"{said.french} Attendez sa réponse avant de relancer ; si elle refuse, les relances reprennent.",
            f"{said.english} Wait for the answer before you remind; if it refuses, reminders go on.",
        )
    today, due = clock.today(), context.invoice.due_on
    step = _wanted_step(context, wanted.level, today)
    if (step.level is ReminderLevel.BEFORE_DUE) is not (today <= due):
        raise ReminderNotDue(
            "L'échéance est passée." if today > due else "L'échéance n'est pas passée.",
            "The due date has passed." if today > due else "The due date has not passed.",
        )
    if not again:
        for made in context.made:
            left = made.delivery.state not in _MAY_GO_AGAIN or made.delivery.in_progress
            if left and made.level.rank >= step.level.rank:
                raise ReminderAlreadySent
    if wanted.french or wanted.english:
        step = replace(step, french=wanted.french, english=wanted.english)
    return _made(caller, context, step, clock=clock)


def _wanted_step(context: ReminderContext, level: ReminderLevel | None, today: date) -> ReminderStep:
    """The plan's own step where it has one, the usual one else."""
    plan = context.plan
    if level is not None:
        return (
            plan.step(level) or ReminderPlan(tenant_id=plan.tenant_id).step(level) or ReminderStep(level=level, days=1)
        )
    due = context.invoice.due_on
    if today <= due:
        return _wanted_step(context, ReminderLevel.BEFORE_DUE, today)
    reached = plan.reached(due, today)
    if reached is None or reached.level is ReminderLevel.BEFORE_DUE:
        return _wanted_step(context, ReminderLevel.FIRST, today)
    return reached


def _made(caller: Caller, context: ReminderContext, step: ReminderStep, *, clock: Clock) -> Reminder:
    """The reminder as it would leave now: a new one, or the standing one that did not get through, once more."""
    invoice, now = context.invoice, clock.now()
    standing = next((made for made in context.made if made.level is step.level), None)
    return Reminder(
        tenant_id=invoice.tenant_id,
        reminder_id=reminder_id_of(invoice.invoice_id, step.level),
        invoice_id=invoice.invoice_id,
        version=standing.version + 1 if standing else 1,
        level=step.level,
        claim=claim_of(invoice, context.entries, step, today=clock.today()),
        currency=invoice.document.currency,
        followed=any(made.level.rank < step.level.rank and made.delivery.attempt for made in context.made),
        french=step.french,
        english=step.english,
        actor=caller.user_id,
        created_at=standing.created_at if standing else now,
        updated_at=now,
        delivery=standing.delivery if standing else Delivery(),
    )


def _person_at(context: ReminderContext, recipient: str | None) -> str:
    return context.customer.description.person_at(recipient) if context.customer else ""


def _request(
    caller: Caller,
    context: ReminderContext,
    reminder: Reminder,
    recipient: str | None,
    correlation_id: str,
    *,
    reminders: Reminders,
    clock: Clock,
    ids: Ids,
    once: IdempotentRequest | None = None,
) -> Reminder:
    """Written with its delivery; without an address it is kept as failed, for a person to see."""
    now = clock.now()
    if recipient is None:
        asked = replace(reminder, delivery=Delivery(state=DeliveryState.FAILED, error=RecipientMissing.__name__))
        delivery = None
    else:
        asked = replace(reminder, delivery=reminder.delivery.requested(send=True))
        delivery = DeliveryRequest(
            tenant_id=reminder.tenant_id,
            invoice_id=reminder.reminder_id,
            attempt=asked.delivery.attempt,
            send=True,
            recipient=recipient,
            requested_at=now,
            correlation_id=correlation_id,
            recipient_name=_person_at(context, recipient),
        )
    event = Event(
        event_id=ids.new("evt"),
        event_type=EventType.REMINDER_REQUESTED if delivery else EventType.REMINDER_FAILED,
        occurred_at=now,
        actor=caller.user_id,
        data={
            "invoice_id": reminder.invoice_id,
            "level": reminder.level.value,
            "balance_minor": reminder.claim.balance_minor,
            "attempt": asked.delivery.attempt,
        },
    )
    reminders.request(caller, asked, invoice=context.invoice, delivery=delivery, event=event, once=once)
    return asked


def _address(context: ReminderContext) -> str | None:
    return context.customer.description.reminder_email if context.customer else None


@dataclass(frozen=True, slots=True)
class _Moving:
    """What stands in the way of reminders, moved by a person and written with the event that tells of it."""

    once: IdempotentRequest
    reminders: Reminders
    clock: Clock
    ids: Ids

    def hold(
        self, caller: Caller, invoice_id: str, change: Callable[[ReminderHold], ReminderHold], event_type: EventType
    ) -> RemindersOfInvoice:
        caller.require(Permission.WRITE_DOCUMENTS)

        def attempt() -> RemindersOfInvoice:
            context = self.reminders.load(caller, invoice_id, once=self.once)
            hold = change(context.hold)
            told: dict[str, str | int] = {"invoice_id": invoice_id}
            if hold.reason:
                told["reason"] = hold.reason.value
            shown = _shown(replace(context, hold=hold), self.clock.today())
            event = self._event(caller, event_type, told, hold.until)
            self.reminders.save_hold(caller, hold, event=event, once=self.once, answered=shown)
            return shown

        return judged_anew(attempt, clock=self.clock, ids=self.ids)

    def pause(self, caller: Caller, customer_id: str, *, paused: bool, until: date | None) -> ReminderPause:
        caller.require(Permission.WRITE_DOCUMENTS)
        event_type = EventType.REMINDERS_PAUSED if paused else EventType.REMINDERS_RESUMED

        def attempt() -> ReminderPause:
            standing = self.reminders.read_pause(caller, customer_id, once=self.once)
            moved = replace(
                standing, version=standing.version + 1, paused=paused, until=until, updated_at=self.clock.now()
            )
            event = self._event(caller, event_type, {"customer_id": standing.customer_id}, until)
            self.reminders.save_pause(caller, moved, event=event, once=self.once)
            return moved

        return judged_anew(attempt, clock=self.clock, ids=self.ids)

    def _event(self, caller: Caller, event_type: EventType, told: dict[str, str | int], until: date | None) -> Event:
        return Event(
            event_id=self.ids.new("evt"),
            event_type=event_type,
            occurred_at=self.clock.now(),
            actor=caller.user_id,
            data=told | ({"until": until.isoformat()} if until else {}),
        )


def _hold_within_reach(until: date | None, clock: Clock) -> None:
    """Raises: FieldErrors."""
    if until is None:
        return
    today = clock.today()
    if not today <= until <= today + timedelta(days=MAX_HOLD_DAYS):
        said = "Cette date doit être à venir, dans l'année."
        raise FieldErrors((FieldError("/until", said, "This day must be to come, within a year."),))


def _word_errors(pointer: str, step: ReminderStep) -> Iterator[FieldError]:
    yield from _text_errors(f"{pointer}/french", step.french)
    yield from _text_errors(f"{pointer}/english", step.english)


def _text_errors(pointer: str, text: str) -> Iterator[FieldError]:
    yield from unprintable_errors(((pointer, text),))
    yield from variable_errors(pointer, text)


def _due(deadline: float, *, reminders: Reminders, clock: Clock) -> Iterator[str]:
    today = clock.today()
    for shard in range(reminders.shards):
        position: str | None = None
        while clock.monotonic() < deadline:
            found, position = reminders.due(today, shard=shard, limit=TENANTS_PER_PAGE, after=position)
            yield from found
            if position is None:
                break
