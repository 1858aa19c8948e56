"""Reminders: the company's plan, what was sent of an invoice, what stands in the way."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt

from billing.api.answers import Reply, Request, answer
from billing.api.fields import EmailAddress, IsoDate, Text
from billing.api.payment_in_progress import PaymentInProgressResponse
from billing.domain.delivery import DeliveryState
from billing.domain.letter import ComposedMail
from billing.domain.money import format_decimal
from billing.domain.reminder_mail import VARIABLES
from billing.domain.reminders import (
    MAX_OFFSET_DAYS,
    Claim,
    HoldReason,
    Reminder,
    ReminderHold,
    ReminderLevel,
    ReminderPause,
    ReminderPlan,
    ReminderStep,
    total_claimed_minor,
)
from billing.ports.idempotency import Answer
from billing.ports.reminders import ReminderInput, RemindersOfInvoice

_KNOWN = ", ".join(f"`{{{name}}}`" for name in VARIABLES)
_Words = Annotated[
    str,
    Text(1500, lines=True),
    Field(description=f"In place of the usual opening. Variables: {_KNOWN}"),
]


_PersonsReason = Literal["promise", "dispute", "other"]  # a payment in progress holds by itself


class ReminderStepRequest(Request):
    level: ReminderLevel
    days: Annotated[
        StrictInt, Field(ge=-30, le=MAX_OFFSET_DAYS, description="After the due date; before it when negative")
    ]
    automatic: Annotated[StrictBool, Field(description="false: a person sends it")] = True
    claims_late_fees: Annotated[
        StrictBool, Field(description="Penalties and 40 €, from businesses only; consumers owe neither")
    ] = True
    french: _Words = ""
    english: _Words = ""

    def step(self) -> ReminderStep:
        return ReminderStep(**{name: getattr(self, name) for name in type(self).model_fields})


class EditReminderPlanRequest(Request):
    """The whole plan anew. Levels whose day came before it is switched on are left to people."""

    active: StrictBool
    steps: Annotated[list[ReminderStepRequest], Field(min_length=1, max_length=len(ReminderLevel))]


class ReminderStepResponse(Reply):
    level: ReminderLevel
    days: int
    automatic: bool
    claims_late_fees: bool
    french: str
    english: str

    @classmethod
    def of(cls, step: ReminderStep) -> ReminderStepResponse:
        return cls(**{name: getattr(step, name) for name in cls.model_fields})


class ReminderPlanResponse(Reply):
    version: Annotated[int, Field(description="0: the usual plan, never saved")]
    active: bool
    active_since: date | None
    steps: list[ReminderStepResponse]

    @classmethod
    def of(cls, plan: ReminderPlan) -> ReminderPlanResponse:
        return cls(
            version=plan.version,
            active=plan.active,
            active_since=plan.active_since,
            steps=[ReminderStepResponse.of(step) for step in plan.steps],
        )


class SendReminderRequest(Request):
    """`level` left out: the one that is due. The words replace the plan's."""

    level: ReminderLevel | None = None
    recipient: Annotated[EmailAddress | None, Field(description="The customer's address when left out")] = None
    french: _Words = ""
    english: _Words = ""

    def wanted(self) -> ReminderInput:
        return ReminderInput(level=self.level, recipient=self.recipient, french=self.french, english=self.english)


class PreviewReminderRequest(SendReminderRequest):
    pass


class ReminderClaimResponse(Reply):
    """Cents of the invoice's currency, the compensation in euro cents; late fees from businesses only."""

    on: date
    balance_minor: int
    days_late: int
    penalty_rate: Annotated[str | None, Field(description="Percent a year, as printed on the invoice")]
    penalty_minor: int
    collection_fee_minor: int
    total_minor: Annotated[int, Field(description="Without the compensation when the currency is not the euro")]

    @classmethod
    def of_claim(cls, claim: Claim, currency: str) -> ReminderClaimResponse:
        fees = claim.late_fees
        return cls(
            on=claim.on,
            balance_minor=claim.balance_minor,
            days_late=claim.days_late,
            penalty_rate=format_decimal(fees.rate) if fees else None,
            penalty_minor=fees.penalty_minor if fees else 0,
            collection_fee_minor=fees.fee_minor if fees else 0,
            total_minor=total_claimed_minor(claim, currency),
        )


class ReminderResponse(Reply):
    reminder_id: str
    invoice_id: str
    level: ReminderLevel
    state: Annotated[
        DeliveryState, Field(description="`not_sent`: `NoLongerOwed` (paid before it left) or `PaymentInProgress`")
    ]
    error: str
    claim: ReminderClaimResponse
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, reminder: Reminder) -> ReminderResponse:
        return cls(
            reminder_id=reminder.reminder_id,
            invoice_id=reminder.invoice_id,
            level=reminder.level,
            state=reminder.delivery.state,
            error=reminder.delivery.error,
            claim=ReminderClaimResponse.of_claim(reminder.claim, reminder.currency),
            created_at=reminder.created_at,
            updated_at=reminder.updated_at,
        )


class ReminderPreviewResponse(Reply):
    level: ReminderLevel
    recipient: str | None
    claim: ReminderClaimResponse
    subject: str
    text: str
    html: str

    @classmethod
    def of_mail(cls, reminder: Reminder, mail: ComposedMail, recipient: str | None) -> ReminderPreviewResponse:
        return cls(
            level=reminder.level,
            recipient=recipient,
            claim=ReminderClaimResponse.of_claim(reminder.claim, reminder.currency),
            subject=mail.subject,
            text=mail.text,
            html=mail.html,
        )


class ReminderHoldResponse(Reply):
    reason: HoldReason
    until: Annotated[date | None, Field(description="Its last day; null: until a person lifts it")]

    @classmethod
    def of(cls, hold: ReminderHold, today: date) -> ReminderHoldResponse | None:
        return cls(reason=hold.reason, until=hold.until) if hold.reason and hold.stands(today) else None


class ReminderPauseResponse(Reply):
    paused: bool
    until: Annotated[date | None, Field(description="Its last day; null: until it is resumed")]

    @classmethod
    def of(cls, pause: ReminderPause, today: date) -> ReminderPauseResponse:
        standing = pause.stands(today)
        return cls(paused=standing, until=pause.until if standing else None)


class NextReminderResponse(Reply):
    level: ReminderLevel
    day: date
    automatic: bool


class RemindersResponse(Reply):
    items: list[ReminderResponse]
    next: Annotated[NextReminderResponse | None, Field(description="What the plan foresees, unless held or paused")]
    hold: ReminderHoldResponse | None
    customer_pause: ReminderPauseResponse
    payment_in_progress: Annotated[
        PaymentInProgressResponse | None,
        Field(description="Confirmed online: nothing goes out until the bank answered"),
    ]

    @classmethod
    def of(cls, shown: RemindersOfInvoice) -> RemindersResponse:
        coming = None
        if shown.next_step and shown.next_day:
            step = shown.next_step
            coming = NextReminderResponse(level=step.level, day=shown.next_day, automatic=step.automatic)
        return cls(
            items=[ReminderResponse.of(reminder) for reminder in shown.made],
            next=coming,
            hold=ReminderHoldResponse.of(shown.hold, shown.today),
            customer_pause=ReminderPauseResponse.of(shown.pause, shown.today),
            payment_in_progress=PaymentInProgressResponse.of_attempt(shown.online),
        )


class HoldReminderRequest(Request):
    reason: Annotated[_PersonsReason, Field(description="A promise to pay names its day")]
    until: IsoDate | None = None


class PauseReminderRequest(Request):
    until: Annotated[IsoDate | None, Field(description="Its last day; left out: until it is resumed")] = None


def reminder_plan_answer(plan: ReminderPlan) -> Answer:
    return answer(200, ReminderPlanResponse.of(plan), version=plan.version)


def reminders_answer(shown: RemindersOfInvoice) -> Answer:
    return answer(200, RemindersResponse.of(shown))


def reminder_answer(reminder: Reminder) -> Answer:
    return answer(202, ReminderResponse.of(reminder))


def reminder_pause_answer(pause: ReminderPause, today: date) -> Answer:
    return answer(200, ReminderPauseResponse.of(pause, today))
