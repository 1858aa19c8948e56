"""A payment at Stripe as we know it: what it told, and what of it is in the ledger already.

One record for each payment intent. States only go up, whatever arrives in whatever order; a booking is made once, since
its id is made of Stripe's own.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from billing.domain.canonical import LATER
from billing.domain.checkout import AttemptState, ComingBack, NamedNote, NoteRefunded
from billing.domain.ledger import PaymentMethod
from billing.domain.stripe import (
    CheckoutSession,
    CheckoutStatus,
    DisputeStatus,
    PaymentIntent,
    PaymentIntentStatus,
    StripeCharge,
    StripeDispute,
    StripeRefund,
    StripeRefundStatus,
)

MAX_SOURCES: Final = 30  # of a kind, in one transaction
REMINDED_BEFORE: Final = timedelta(days=2)  # the deadline of a dispute
REMINDED_AFTER: Final = timedelta(days=1)  # its opening
REQUEST_KEY: Final = "refund_request"  # metadata of a refund that was asked for here
# What the books cannot bear is looked at again each day, then each week, and for a year.
UNBORNE_DAILY_FOR: Final = timedelta(days=40)
UNBORNE_AGAIN, UNBORNE_LATER, UNBORNE_LOOKED_AT_FOR = timedelta(days=1), timedelta(days=7), timedelta(days=366)
GIVEN_BACK_MEANWHILE: Final = "given_back_meanwhile"  # a refusal of ours: Stripe was never asked
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def derived_id(prefix: str, at: datetime, *facts: str) -> str:
    """Of the form of our ids, and always the same of the same facts; sorts by the instant, as ours do."""
    digest = hashlib.sha256("\n".join(facts).encode()).digest()
    number = (int(at.timestamp() * 1000) & (2**48 - 1)) << 80 | int.from_bytes(digest[:10], "big")
    return f"{prefix}_{''.join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidFor:
    """What the metadata of a session or an intent says it is for: no proof, anybody at the company can write it."""

    tenant_id: str
    invoice_id: str
    attempt: int

    @classmethod
    def of(cls, metadata: Mapping[str, str]) -> PaidFor | None:
        attempt = metadata.get("attempt", "")
        tenant_id, invoice_id = metadata.get("tenant_id", ""), metadata.get("invoice_id", "")
        if not (tenant_id and invoice_id and attempt.isascii() and attempt.isdigit()):
            return None
        return cls(tenant_id=tenant_id, invoice_id=invoice_id, attempt=int(attempt[:9]))

    @property
    def metadata(self) -> dict[str, str]:
        return {"tenant_id": self.tenant_id, "invoice_id": self.invoice_id, "attempt": str(self.attempt)}


class StripePaymentState(StrEnum):
    PENDING = "pending"  # nobody confirmed, or a card was declined and the page is still open
    PROCESSING = "processing"
    FAILED = "failed"  # the bank refused after the customer confirmed
    CANCELED = "canceled"
    SUCCEEDED = "succeeded"

    @property
    def rank(self) -> int:
        return _RANKS[self]

    @property
    def attempt(self) -> AttemptState | None:
        """What it makes of the attempt to pay."""
        return _ATTEMPTS.get(self)


_RANKS = {
    StripePaymentState.PENDING: 0,
    StripePaymentState.PROCESSING: 1,
    StripePaymentState.FAILED: 2,
    StripePaymentState.CANCELED: 2,
    StripePaymentState.SUCCEEDED: 3,
}
_ATTEMPTS = {
    StripePaymentState.PROCESSING: AttemptState.PROCESSING,
    StripePaymentState.FAILED: AttemptState.FAILED,
    StripePaymentState.CANCELED: AttemptState.EXPIRED,
    StripePaymentState.SUCCEEDED: AttemptState.SUCCEEDED,
}
_OF_INTENT = {
    PaymentIntentStatus.PROCESSING: StripePaymentState.PROCESSING,
    PaymentIntentStatus.CANCELED: StripePaymentState.CANCELED,
    PaymentIntentStatus.SUCCEEDED: StripePaymentState.SUCCEEDED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenAtStripe:
    """What was read again at one moment. ``session`` where the intent alone does not say whether it failed."""

    intent: PaymentIntent
    session: CheckoutSession | None = None
    refunds: tuple[StripeRefund, ...] = ()
    disputes: tuple[StripeDispute, ...] = ()

    @property
    def state(self) -> StripePaymentState:
        """A card that is declined leaves the page open; a debit that is refused comes after the page was done."""
        known = _OF_INTENT.get(self.intent.status)
        if known is not None:
            return known
        done = self.session is not None and self.session.status is CheckoutStatus.COMPLETE
        wanting = self.intent.status is PaymentIntentStatus.REQUIRES_PAYMENT_METHOD
        return StripePaymentState.FAILED if done and wanting else StripePaymentState.PENDING

    def is_in_other_currency(self, subject: str, currency: str) -> bool:
        """Whether a refund or a dispute is of another currency than the payment: its amount says nothing of ours."""
        said = {one.refund_id: one.currency for one in self.refunds}
        said |= {one.dispute_id: one.currency for one in self.disputes}
        return said.get(subject, currency) != currency

    def not_understood(self, record: StripePayment) -> str:
        """Stripe's id of the first thing that is in a state which we do not know; empty when there is none.

        Of a refund or a dispute once: ``record`` says what was told already.
        """
        told = {one.refund_id for one in record.refunds if one.status is StripeRefundStatus.UNKNOWN}
        told |= {one.dispute_id for one in record.disputes if one.status is DisputeStatus.UNKNOWN}
        unknown = (
            *((self.intent.payment_intent_id,) if self.intent.status is PaymentIntentStatus.UNKNOWN else ()),
            *((self.session.session_id,) if self.session and self.session.status is CheckoutStatus.UNKNOWN else ()),
            *(one.refund_id for one in self.refunds if one.status is StripeRefundStatus.UNKNOWN),
            *(one.dispute_id for one in self.disputes if one.status is DisputeStatus.UNKNOWN),
        )
        return next((subject for subject in unknown if subject not in told), "")

    @property
    def page_expired(self) -> bool:
        return self.session is not None and self.session.status is CheckoutStatus.EXPIRED


class RequestState(StrEnum):
    REQUESTED = "requested"  # recorded; Stripe was asked, or is about to be
    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """A refund asked for here. ``by_note``: the credit note named gave the money back in the ledger already.

    ``by_notes_minor``: of it, what credit notes had given back there, kept for it from when it was recorded; None of
    one that was recorded before that was decided at once.
    """

    request_id: str
    amount_minor: int
    reason: str
    requested_at: datetime
    requested_by: str
    credit_note_id: str = ""
    by_note: bool = False
    state: RequestState = RequestState.REQUESTED
    refund_id: str = ""
    refusal: str = ""  # Stripe's code, or ours where Stripe was never asked
    asked_again: bool = field(default=False, metadata=LATER)  # by somebody besides who recorded it, or about to be
    again_at: datetime | None = field(default=None, metadata=LATER)  # the sweep's next turn, after the account was away
    by_notes_minor: int | None = field(default=None, metadata=LATER)
    credit_minor: int = field(default=0, metadata=LATER)  # of it, what the note named left as credit: taken off that
    # Whether Stripe was asked, or is about to be; None of one that was recorded before that was noted.
    asked: bool | None = field(default=None, metadata=LATER)

    @property
    def due_at(self) -> datetime:
        return self.again_at or self.requested_at

    @property
    def kept_by_notes_minor(self) -> int:
        """Of it, what credit notes had given back on paper, as far as that is decided."""
        if self.by_notes_minor is not None:
            return self.by_notes_minor
        return self.amount_minor if self.by_note else 0

    @property
    def may_be_made(self) -> bool:
        """Whether Stripe may have been asked for it by anybody: what became of it is learnt from there."""
        return self.asked is not False or self.asked_again

    @property
    def is_decided(self) -> bool:
        """Whether no more of it becomes what notes gave back: it names a note, which said so or did not."""
        return self.by_note or (bool(self.credit_note_id) and self.by_notes_minor is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class MirroredRefund:
    """A refund at Stripe, and whether our ledger has it, and its return. ``request_id`` when it was asked for here.

    What came back and disputes that were lost had taken stands in the ledger all the same: ``taken_minor`` of what it
    moved, ``taken_by_note_minor`` of what was a credit note's.
    """

    refund_id: str
    status: StripeRefundStatus
    amount_minor: int
    created: datetime
    reason: str = ""
    failure_reason: str = ""
    request_id: str = ""
    booked: bool = False
    returned: bool = False
    by_note_minor: int = field(default=0, metadata=LATER)  # of it, what a credit note had given back in the ledger
    taken: bool = field(default=False, metadata=LATER)  # all that it moved, before parts of it were told apart
    taken_minor: int = field(default=0, metadata=LATER)
    taken_by_note_minor: int = field(default=0, metadata=LATER)

    @property
    def moved_minor(self) -> int:
        """What it moved in the ledger itself."""
        return self.amount_minor - self.by_note_minor

    @property
    def standing_minor(self) -> int:
        """Of what it moved, that which the ledger did not move back."""
        if self.returned:
            return self.moved_minor if self.taken else self.taken_minor
        return self.moved_minor if self.booked else 0

    @property
    def standing_by_note_minor(self) -> int:
        """Of what credit notes had given back, that which the customer has by it."""
        if self.returned:
            return self.taken_by_note_minor
        return self.by_note_minor if self.booked else 0

    @property
    def kept_by_disputes_minor(self) -> int:
        """Of what came back, that which disputes had taken."""
        return self.standing_minor + self.standing_by_note_minor if self.returned else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundElsewhere:
    """What the company gave back of a payment at Stripe by means of its own, as it said so; Stripe made none.

    ``by_notes_minor`` of it credit notes had recorded already; the rest is a refund of the payment under the same id.
    """

    refund_id: str
    amount_minor: int
    method: PaymentMethod
    refunded_on: date
    reference: str
    reason: str
    credit_note_id: str
    by_notes_minor: int
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MirroredDispute:
    """A dispute at Stripe; the ledger moves when it is lost, and back should it be won after all."""

    dispute_id: str
    status: DisputeStatus
    amount_minor: int
    created: datetime
    reason: str = ""
    evidence_due_by: datetime | None = None
    fee_minor: int = 0
    booked: bool = False
    returned: bool = False
    rounds: int = field(default=0, metadata=LATER)  # how often it was won after it had been lost, and lost again
    short_minor: int = field(default=0, metadata=LATER)  # of it, what the payment did not keep any more
    currency: str = field(default="", metadata=LATER)  # where it is not the payment's
    by_note_minor: int = field(default=0, metadata=LATER)  # of it, what credit notes had given back in the ledger
    reminded: bool = field(default=False, metadata=LATER)  # the company was written of its deadline again
    lost_at: datetime | None = field(default=None, metadata=LATER)  # when the ledger learnt of its loss
    rest_minor: int = field(default=0, metadata=LATER)  # of what was short, what the ledger could bear later
    rests: int = field(default=0, metadata=LATER)  # how often it did
    loss_told: bool = field(default=True, metadata=LATER)  # the company was written of its loss

    @property
    def awaits_answer(self) -> bool:
        """It is the company's turn."""
        return self.status in _TO_ANSWER

    @property
    def remind_at(self) -> datetime | None:
        """When the company is written of its deadline again, unless it was, or was of its opening just before."""
        if not self.awaits_answer or self.evidence_due_by is None or self.reminded:
            return None
        at = self.evidence_due_by - REMINDED_BEFORE
        return at if at - self.created >= REMINDED_AFTER else None

    @property
    def moved_minor(self) -> int:
        """What it moves in the ledger itself, when it is lost."""
        return self.amount_minor - self.short_minor - self.by_note_minor

    @property
    def stands(self) -> bool:
        """Whether the ledger has it, and not that it was won after all."""
        return self.booked and not self.returned

    @property
    def standing_short_minor(self) -> int:
        """Of it, what is in the ledger by nothing of its own, while the bank has it."""
        return self.short_minor - self.rest_minor if self.stands and self.status is not DisputeStatus.WON else 0


class BookingKind(StrEnum):
    PAYMENT = "payment"
    FEES = "fees"
    REFUND = "refund"
    REFUND_RETURNED = "refund_returned"
    DISPUTE_LOST = "dispute_lost"
    DISPUTE_REST = "dispute_rest"  # what the ledger could not bear when it was lost
    DISPUTE_REST_RETURNED = "dispute_rest_returned"
    DISPUTE_RETURNED = "dispute_returned"

    @property
    def is_of_rest(self) -> bool:
        return self in {BookingKind.DISPUTE_REST, BookingKind.DISPUTE_REST_RETURNED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """One fact at Stripe that our ledger does not have yet; ``subject`` is Stripe's id of it."""

    kind: BookingKind
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unborne:
    """A refund or a lost dispute that the books could not bear, whole or in part, when the company was told of it.

    ``parked``: an event of it was: what is in the books in part parks no other.
    """

    subject: str  # Stripe's id of it
    since: datetime
    parked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DayBooking:
    """A fact that our ledger has since a day, and that has to be a movement at Stripe: the night looks for it there.

    Of kind ``dispute_rest``: of a dispute whose loss was told that day, and of which it lacks something, or did.
    ``source_id`` of the charge, refund or dispute; ``amount_minor`` as Stripe moved it, negative when money left.
    """

    account_id: str
    day: date
    kind: BookingKind
    source_id: str
    amount_minor: int
    payment_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperRefund:
    """A credit note says since a day that money was given back: Stripe gives it back, or the night tells the company.

    ``subject``: the note, or the refund or dispute at Stripe that was its and whose money came back.
    """

    day: date
    subject: str
    invoice_id: str


_REFUND_RANKS = {
    StripeRefundStatus.PENDING: 0,
    StripeRefundStatus.REQUIRES_ACTION: 0,
    StripeRefundStatus.UNKNOWN: 0,
    StripeRefundStatus.SUCCEEDED: 1,
    StripeRefundStatus.FAILED: 2,
    StripeRefundStatus.CANCELED: 2,
}
_KEPT = frozenset({DisputeStatus.WON, DisputeStatus.WARNING_CLOSED, DisputeStatus.PREVENTED})
_TO_ANSWER = frozenset({DisputeStatus.NEEDS_RESPONSE, DisputeStatus.WARNING_NEEDS_RESPONSE})
_HELD = frozenset({DisputeStatus.NEEDS_RESPONSE, DisputeStatus.UNDER_REVIEW, DisputeStatus.UNKNOWN})
_NOT_GIVEN_BACK = frozenset({StripeRefundStatus.FAILED, StripeRefundStatus.CANCELED})
_ENDED = frozenset({StripeRefundStatus.SUCCEEDED, *_NOT_GIVEN_BACK})


@dataclass(frozen=True, slots=True, kw_only=True)
class StripePayment:
    """Amounts in cents of ``currency``; fee and net in the currency of the account, once Stripe settled it.

    ``payment_id`` of the payment that it is here, once it is booked. ``attempted``: that the customer confirmed was
    counted. A pending refund is shown and moves nothing: the customer has nothing back yet, and the bank may refuse.
    Number and customer of the invoice are told once it is contested: its disputes are listed with them.
    """

    tenant_id: str
    payment_intent_id: str
    account_id: str
    invoice_id: str
    attempt: int
    amount_minor: int
    currency: str
    created: datetime
    version: int = 0  # 0: not stored yet
    state: StripePaymentState = StripePaymentState.PENDING
    charge_id: str = ""
    charged_at: datetime | None = None
    method: str = ""
    fee_minor: int | None = None
    net_minor: int | None = None
    application_fee_minor: int = 0
    payment_id: str = ""
    fees_booked: bool = False
    attempted: bool = False
    failures: int = 0
    last_error_code: str = ""
    refunds: tuple[MirroredRefund, ...] = ()
    disputes: tuple[MirroredDispute, ...] = ()
    requests: tuple[RefundRequest, ...] = ()
    invoice_number: str = field(default="", metadata=LATER)
    customer_name: str = field(default="", metadata=LATER)
    elsewhere: tuple[RefundElsewhere, ...] = field(default=(), metadata=LATER)
    unborne: tuple[Unborne, ...] = field(default=(), metadata=LATER)
    look_again_at: datetime | None = field(default=None, metadata=LATER)  # whether the books can bear it by then

    @classmethod
    def new(cls, paid_for: PaidFor, account_id: str, intent: PaymentIntent) -> StripePayment:
        return cls(
            tenant_id=paid_for.tenant_id,
            payment_intent_id=intent.payment_intent_id,
            account_id=account_id,
            invoice_id=paid_for.invoice_id,
            attempt=paid_for.attempt,
            amount_minor=intent.amount_minor,
            currency=intent.currency,
            created=intent.created,
        )

    @property
    def paid_for(self) -> PaidFor:
        return PaidFor(tenant_id=self.tenant_id, invoice_id=self.invoice_id, attempt=self.attempt)

    @property
    def derived_payment_id(self) -> str:
        """The payment that it becomes, whoever books it."""
        return derived_id("pay", self.created, "stripe", self.payment_intent_id)

    def entry_id(self, subject: str, *, rest: bool = False) -> str:
        """Of the refund or the lost dispute of an id of Stripe's; of a dispute, each time that it is lost.

        ``rest``: of what the ledger bore of a dispute later, the last time that it did.
        """
        dispute = next((one for one in self.disputes if one.dispute_id == subject), None)
        rounds = dispute.rounds if dispute else 0
        facts = (subject, *((str(rounds),) if rounds else ()))
        if rest and dispute is not None:
            facts = (subject, str(rounds), "rest", str(dispute.rests))
        return derived_id("rfd", self.created, "stripe", self.payment_intent_id, *facts)

    @property
    def due_at(self) -> datetime | None:
        """When Stripe is asked again: for a refund that it has not answered, or for what the books could not bear."""
        waiting = [self.open_request.due_at] if self.open_request else []
        return min([*waiting, *([self.look_again_at] if self.look_again_at else [])], default=None)

    def bearing(self, subjects: Iterable[str], at: datetime, *, parked: bool = False) -> StripePayment:
        """With those facts alone that the books cannot bear; each since it was told. Looked at again later."""
        known = {one.subject: one for one in self.unborne}
        unborne = tuple(known.get(one, Unborne(subject=one, since=at)) for one in dict.fromkeys(subjects))
        unborne = tuple(replace(one, parked=one.parked or parked) for one in unborne)
        latest = max((one.since for one in unborne), default=None)
        again_at = None
        if latest is not None and at - latest < UNBORNE_LOOKED_AT_FOR:
            again_at = at + (UNBORNE_AGAIN if at - latest < UNBORNE_DAILY_FOR else UNBORNE_LATER)
        return replace(self, unborne=unborne, look_again_at=again_at)

    def looked_at(self, at: datetime) -> StripePayment:
        """Nobody could read how it stands: it has its turn another day."""
        return self.bearing((one.subject for one in self.unborne), at)

    @property
    def open_request(self) -> RefundRequest | None:
        """The first to be asked for of those that Stripe has not answered yet, as far as we know."""
        waiting = (one for one in self.requests if one.state is RequestState.REQUESTED)
        return min(waiting, key=lambda one: one.due_at, default=None)

    @property
    def reserved_minor(self) -> int:
        """What was given back, is on its way, or is being asked for, and all that banks took of lost disputes."""
        refunds = sum(one.amount_minor for one in self.refunds if one.status not in _NOT_GIVEN_BACK)
        asked = sum(one.amount_minor for one in self.requests if one.state is RequestState.REQUESTED)
        lost = sum(one.amount_minor for one in self.disputes if one.stands or one in self._lost_disputes)
        return refunds + asked + lost

    @property
    def with_customer_minor(self) -> int:
        """What the customer has back: by a refund that arrived, or by the bank after a dispute.

        A dispute of another currency is left out: a person books what it is in ours.
        """
        refunds = sum(one.amount_minor for one in self.refunds if one.status is StripeRefundStatus.SUCCEEDED)
        return refunds + sum(one.amount_minor for one in self._lost_disputes)

    @property
    def with_customer_at(self) -> datetime | None:
        """When the last of it was given back; None while nothing was."""
        given = [one.created for one in self.refunds if one.status is StripeRefundStatus.SUCCEEDED]
        given += [one.lost_at or one.created for one in self._lost_disputes]
        return max(given, default=None)

    @property
    def _lost_disputes(self) -> tuple[MirroredDispute, ...]:
        """Those of the payment's currency."""
        return tuple(one for one in self.disputes if one.status is DisputeStatus.LOST and not one.currency)

    @property
    def on_its_way_back_minor(self) -> int:
        """Refunds that Stripe makes and that have not ended; what it was asked for it may refuse yet."""
        return sum(one.amount_minor for one in self.refunds if one.status not in _ENDED)

    @property
    def is_contested(self) -> bool:
        """Whether a dispute holds the money; while a bank only inquires, giving it back is the best answer."""
        return any(one.status in _HELD for one in self.disputes)

    @property
    def contested_minor(self) -> int:
        """What banks have not decided on; one of another currency is of the payment at most."""
        held = (one for one in self.disputes if one.status in _HELD)
        return sum(self.amount_minor if one.currency else one.amount_minor for one in held)

    @property
    def coming_minor(self) -> int:
        """Of what is reserved, that which the ledger does not have yet, and will."""
        return self.coming_back().moving_minor

    def coming_back(self, *, besides: str = "") -> ComingBack:
        """What is reserved and not in the ledger. ``besides``: without the request of that id.

        Of lost disputes, what the books could not bear: it waits for them as refunds in the dashboard do.
        """
        ended = tuple(one for one in self.refunds if not one.booked and one.status not in _NOT_GIVEN_BACK)
        told = {one.subject for one in self.unborne}
        lost = [self.unbooked_of(one.dispute_id) for one in self._lost_disputes if one.dispute_id in told]
        found = [(one.amount_minor, self.request(one.request_id)) for one in ended]
        found += [(lacking, None) for lacking in lost]
        found += [(one.amount_minor, one) for one in self.requests if one.state is RequestState.REQUESTED]
        by_notes = still_open = own = 0
        for amount_minor, request in found:
            if request is None:
                still_open += amount_minor
            elif request.request_id != besides:
                noted = min(request.kept_by_notes_minor, amount_minor)
                by_notes += noted
                if request.is_decided:
                    own += amount_minor - noted
                else:
                    still_open += amount_minor - noted
        unborne = sum(lost) + sum(one.amount_minor for one in ended if one.refund_id in told)
        return ComingBack(
            payment_intent_id=self.payment_intent_id,
            by_notes_minor=by_notes,
            open_minor=still_open,
            own_minor=own,
            unborne_minor=min(unborne, still_open + own),
        )

    @property
    def for_notes(self) -> tuple[NoteRefunded, ...]:
        """By the credit notes that its refunds named: what of them Stripe gave back, and what is on its way."""
        given: Counter[str] = Counter()
        coming: Counter[str] = Counter()
        for refund in self.refunds:
            request = self.request(refund.request_id)
            if request is None or not request.credit_note_id:
                continue
            if refund.booked:
                given[request.credit_note_id] += refund.standing_by_note_minor
            elif refund.status not in _ENDED:
                coming[request.credit_note_id] += min(request.kept_by_notes_minor, refund.amount_minor)
        return tuple(
            NoteRefunded(credit_note_id=note_id, given_minor=given[note_id], coming_minor=coming[note_id])
            for note_id in {**given, **coming}
            if given[note_id] or coming[note_id]
        )

    @property
    def credit_first_minor(self) -> int:
        """Of what comes back, that which is taken off the customer's credit before invoices: notes left it there."""
        coming = {one.request_id for one in self.refunds if not one.booked and one.status not in _NOT_GIVEN_BACK}
        return sum(
            one.credit_minor for one in self.requests if one.state is RequestState.REQUESTED or one.request_id in coming
        )

    def request(self, request_id: str) -> RefundRequest | None:
        return next((one for one in self.requests if one.request_id == request_id), None)

    def next_after(self, stored: StripePayment) -> StripePayment:
        """In the version that follows the stored one."""
        return replace(self, version=stored.version + 1)

    def requested(self, request: RefundRequest) -> StripePayment:
        return replace(self, requests=(*self.requests, request))

    def asking(self, request_id: str, *, again: bool) -> StripePayment:
        """Somebody asks Stripe for a refund. ``again``: somebody besides who recorded it."""
        requests = tuple(
            replace(one, asked=True, asked_again=one.asked_again or again) if one.request_id == request_id else one
            for one in self.requests
        )
        return replace(self, requests=requests)

    def without_request(self, request_id: str) -> StripePayment:
        return replace(self, requests=tuple(one for one in self.requests if one.request_id != request_id))

    def request_by_notes(self, request_id: str, amount_minor: int) -> StripePayment:
        """With so much of a request kept for what credit notes had given back."""
        requests = tuple(
            replace(one, by_notes_minor=amount_minor) if one.request_id == request_id else one for one in self.requests
        )
        return replace(self, requests=requests)

    def away(self, again_at: datetime) -> StripePayment:
        """Its account is not ours to ask until then: whatever was asked for may be made by its company itself."""
        requests = tuple(
            replace(one, asked_again=True, again_at=again_at) if one.state is RequestState.REQUESTED else one
            for one in self.requests
        )
        return replace(self, requests=requests)

    def refused(self, request_id: str, code: str) -> StripePayment:
        """Stripe said no for good; the same when it is answered already."""
        return self._answered(request_id, RequestState.REFUSED, refusal=code)

    def told(self, seen: SeenAtStripe) -> StripePayment:
        """With all that was read again. Nothing goes back; nothing is booked by it."""
        intent = seen.intent
        charge = intent.charge if intent.charge is not None and intent.charge.paid else None
        told = self
        if seen.state.rank > self.state.rank:
            told = replace(told, state=seen.state)
        if intent.last_error_code and told.state is not StripePaymentState.SUCCEEDED:
            told = replace(told, last_error_code=intent.last_error_code)
        if charge is not None:
            told = told.charged(charge)
        for refund in sorted(seen.refunds, key=lambda one: (one.created, one.refund_id)):
            told = told.with_refund(refund)
        for dispute in sorted(seen.disputes, key=lambda one: (one.created, one.dispute_id)):
            told = told.with_dispute(dispute)
        return told

    @property
    def bookings(self) -> tuple[Booking, ...]:
        """Every fact that the ledger lacks."""
        return tuple(self._bookings())

    @property
    def sources(self) -> tuple[str, ...]:
        """What at Stripe leads here: its charge, its latest refunds and disputes. Those before were written before, or
        are asked for at Stripe: a transaction has its limit."""
        refunds, disputes = self.refunds[-MAX_SOURCES:], self.disputes[-MAX_SOURCES:]
        others = (*(one.refund_id for one in refunds), *(one.dispute_id for one in disputes))
        return (*((self.charge_id,) if self.charge_id else ()), *others)

    @property
    def ended_for_us(self) -> frozenset[str]:
        """Refunds that failed and disputes that were not lost, as far as we know: their money came back."""
        failed = (one.refund_id for one in self.refunds if one.status in _NOT_GIVEN_BACK)
        kept = (one.dispute_id for one in self.disputes if one.status in _KEPT)
        return frozenset((*failed, *kept))

    def next_booking(self, *, besides: frozenset[Booking] = frozenset()) -> Booking | None:
        """The first fact that the ledger lacks; nothing before the payment itself."""
        return next((one for one in self._bookings() if one not in besides), None)

    def _bookings(self) -> list[Booking]:
        if not self.payment_id:
            succeeded = self.state is StripePaymentState.SUCCEEDED
            return [Booking(kind=BookingKind.PAYMENT, subject=self.payment_intent_id)] if succeeded else []
        fees = not self.fees_booked and self.fee_minor is not None
        # Won before what came back of it: of one that is lost again in between, all is taken anew.
        return [
            *((Booking(kind=BookingKind.FEES, subject=self.charge_id),) if fees else ()),
            *self._of_disputes(BookingKind.DISPUTE_REST_RETURNED),
            *self._of_disputes(BookingKind.DISPUTE_RETURNED),
            *self._of_refunds(),
            *self._of_disputes(BookingKind.DISPUTE_LOST),
            *self._of_disputes(BookingKind.DISPUTE_REST),
            *self._back_from_disputes(),
        ]

    def _of_refunds(self) -> Iterator[Booking]:
        for refund in self.refunds:
            if refund.status is StripeRefundStatus.SUCCEEDED and not refund.booked:
                yield Booking(kind=BookingKind.REFUND, subject=refund.refund_id)
            if refund.status in _NOT_GIVEN_BACK and refund.booked and not refund.returned:
                yield Booking(kind=BookingKind.REFUND_RETURNED, subject=refund.refund_id)

    def _of_disputes(self, kind: BookingKind) -> Iterator[Booking]:
        for dispute in self.disputes:
            if self._is_due(dispute, kind):
                yield Booking(kind=kind, subject=dispute.dispute_id)

    def _is_due(self, dispute: MirroredDispute, kind: BookingKind) -> bool:
        lost, won = dispute.status is DisputeStatus.LOST, dispute.status is DisputeStatus.WON
        match kind:
            case BookingKind.DISPUTE_LOST:
                return lost and not dispute.booked
            case BookingKind.DISPUTE_REST:
                return lost and not dispute.rest_minor and self.rest_of(dispute.dispute_id) > 0
            case BookingKind.DISPUTE_REST_RETURNED:
                return won and dispute.rest_minor > 0
            case _:
                return won and dispute.stands

    def _back_from_disputes(self) -> Iterator[Booking]:
        """Refunds that came back before, and whose money disputes have no longer."""
        if self.short_minor < 0:
            for refund in self.refunds:
                if refund.kept_by_disputes_minor:
                    yield Booking(kind=BookingKind.REFUND_RETURNED, subject=refund.refund_id)

    def dispute_parts(self, dispute_id: str, *, by_note_minor: int, short_minor: int) -> StripePayment:
        """With so much of a dispute that credit notes had given back, and that the payment does not keep any more."""
        disputes = tuple(
            replace(one, by_note_minor=by_note_minor, short_minor=short_minor) if one.dispute_id == dispute_id else one
            for one in self.disputes
        )
        return replace(self, disputes=disputes)

    def dispute_rest(self, dispute_id: str, rest_minor: int, *, by_note_minor: int = 0) -> StripePayment:
        """With so much of what was short of a dispute that the ledger bears now, and that is a credit note's."""
        disputes = tuple(
            replace(
                one,
                rest_minor=rest_minor,
                short_minor=one.short_minor - by_note_minor,
                by_note_minor=one.by_note_minor + by_note_minor,
            )
            if one.dispute_id == dispute_id
            else one
            for one in self.disputes
        )
        return replace(self, disputes=disputes)

    def rest_of(self, dispute_id: str) -> int:
        """What the ledger still lacks of a lost dispute that it has in part."""
        return max(min(self.dispute(dispute_id).standing_short_minor, self.short_minor), 0)

    def unbooked_of(self, dispute_id: str) -> int:
        """What of a lost dispute is not in the books."""
        dispute = self.dispute(dispute_id)
        return self.rest_of(dispute_id) if dispute.booked else dispute.amount_minor

    @property
    def short_minor(self) -> int:
        """What banks have of lost disputes beyond what the ledger says by them, and by refunds that came back.

        Negative where disputes were won that had taken what came back: that is the company's again.
        """
        short = sum(one.standing_short_minor for one in self.disputes)
        return short - sum(one.kept_by_disputes_minor for one in self.refunds)

    @property
    def noted_minor(self) -> int:
        """Of what left it, that which credit notes had given back in the ledger."""
        return sum(one.standing_by_note_minor for one in self.refunds) + self.contested_for_notes_minor

    @property
    def contested_for_notes_minor(self) -> int:
        """Of that, what banks took after disputes."""
        return sum(one.by_note_minor for one in self.disputes if one.stands)

    @property
    def refunded_by_notes_minor(self) -> int:
        """Of what left it, by whatever means, that which credit notes had given back in the ledger."""
        return self.noted_minor + sum(one.by_notes_minor for one in self.elsewhere)

    def given_back_elsewhere(self, refund: RefundElsewhere) -> StripePayment:
        return replace(self, elsewhere=(*self.elsewhere, refund))

    def refund_back(self, refund_id: str) -> StripePayment:
        """A refund came back: of it, disputes keep what they are short of besides; first what was a credit note's."""
        refund = self.refund(refund_id)
        short = max(self.short_minor + refund.kept_by_disputes_minor, 0)
        by_note = min(refund.standing_by_note_minor, short)
        moved = min(refund.standing_minor, short - by_note)
        kept = replace(refund, taken=False, taken_minor=moved, taken_by_note_minor=by_note)
        return replace(self, refunds=tuple(kept if one is refund else one for one in self.refunds))

    def refund_by_notes(self, refund_id: str, amount_minor: int) -> StripePayment:
        """With so much of a refund that credit notes had given back in the ledger already."""
        refunds = tuple(
            replace(one, by_note_minor=amount_minor) if one.refund_id == refund_id else one for one in self.refunds
        )
        return replace(self, refunds=refunds)

    def asked_by(self, credit_note_id: str) -> int:
        """What of a credit note Stripe was asked to give back, and did not refuse or send back to the company."""
        kept = {one.request_id: one.kept_by_disputes_minor for one in self.refunds if one.status in _NOT_GIVEN_BACK}
        return sum(
            kept.get(one.request_id, one.amount_minor)
            for one in self.requests
            if one.credit_note_id == credit_note_id and one.state is not RequestState.REFUSED
        )

    @property
    def named(self) -> tuple[NamedNote, ...]:
        """Of each credit note that a request names, what Stripe was asked to give back for it."""
        asked = {one.credit_note_id: self.asked_by(one.credit_note_id) for one in self.requests if one.credit_note_id}
        return tuple(
            NamedNote(payment_intent_id=self.payment_intent_id, credit_note_id=note_id, amount_minor=amount_minor)
            for note_id, amount_minor in asked.items()
            if amount_minor
        )

    def is_quiet(self, booking: Booking | None, after: StripePayment) -> bool:
        """Whether a fact moves neither invoices nor the customer's credit. ``after``: as it is with that fact."""
        if booking is None or booking.kind is BookingKind.FEES:
            return True
        return booking.kind is not BookingKind.PAYMENT and self._standing(booking) == after._standing(booking)

    def _standing(self, booking: Booking) -> int:
        """What a refund or a dispute moved in the ledger, and did not come back there."""
        if booking.kind in {BookingKind.REFUND, BookingKind.REFUND_RETURNED}:
            return self.refund(booking.subject).standing_minor
        dispute = self.dispute(booking.subject)
        return (dispute.moved_minor if dispute.stands else 0) + dispute.rest_minor

    def booked(self, booking: Booking, at: datetime) -> StripePayment:
        """As it is once the ledger has that fact."""
        match booking.kind:
            case BookingKind.PAYMENT:
                return replace(self, payment_id=self.derived_payment_id, fees_booked=self.fee_minor is not None)
            case BookingKind.FEES:
                return replace(self, fees_booked=True)
            case BookingKind.REFUND | BookingKind.REFUND_RETURNED:
                returned = booking.kind is BookingKind.REFUND_RETURNED
                refunds = tuple(
                    replace(one, booked=True, returned=returned) if one.refund_id == booking.subject else one
                    for one in self.refunds
                )
                return replace(self, refunds=refunds)
            case BookingKind.DISPUTE_LOST | BookingKind.DISPUTE_RETURNED:
                returned = booking.kind is BookingKind.DISPUTE_RETURNED
                disputes = tuple(
                    replace(one, booked=True, returned=returned, lost_at=one.lost_at if returned else at)
                    if one.dispute_id == booking.subject
                    else one
                    for one in self.disputes
                )
                return replace(self, disputes=disputes)
            case BookingKind.DISPUTE_REST:
                disputes = tuple(
                    replace(one, rests=one.rests + 1) if one.dispute_id == booking.subject else one
                    for one in self.disputes
                )
                return replace(self, disputes=disputes)
            case BookingKind.DISPUTE_REST_RETURNED:
                return self.dispute_rest(booking.subject, 0)

    def day_booking(self, booking: Booking, day: date) -> DayBooking | None:
        """What a booking has to be at Stripe; None where it moves nothing there, or only takes back what it moved."""
        match booking.kind:
            case BookingKind.PAYMENT:
                source_id, amount_minor = self.charge_id, self.amount_minor
            case BookingKind.REFUND:
                source_id, amount_minor = booking.subject, -self.refund(booking.subject).amount_minor
            case BookingKind.DISPUTE_LOST | BookingKind.DISPUTE_REST:
                source_id, amount_minor = booking.subject, -self.dispute(booking.subject).amount_minor
            case _:
                return None
        return DayBooking(
            account_id=self.account_id,
            day=day,
            kind=booking.kind,
            source_id=source_id or self.payment_intent_id,
            amount_minor=amount_minor,
            payment_id=self.derived_payment_id,
        )

    def refund(self, refund_id: str) -> MirroredRefund:
        return next(one for one in self.refunds if one.refund_id == refund_id)

    def dispute(self, dispute_id: str) -> MirroredDispute:
        return next(one for one in self.disputes if one.dispute_id == dispute_id)

    def disputes_moved(self, before: StripePayment) -> tuple[MirroredDispute, ...]:
        """Those that are new, or stand elsewhere than before."""
        known = {one.dispute_id: (one.status, one.evidence_due_by) for one in before.disputes}
        return tuple(one for one in self.disputes if known.get(one.dispute_id) != (one.status, one.evidence_due_by))

    def reminded_of(self, dispute_id: str) -> StripePayment:
        disputes = tuple(replace(one, reminded=True) if one.dispute_id == dispute_id else one for one in self.disputes)
        return replace(self, disputes=disputes)

    def refunds_lost(self, before: StripePayment) -> tuple[MirroredRefund, ...]:
        """Refunds that were on their way before and never came, of a payment that is booked."""
        waiting = {one.refund_id for one in before.refunds if not one.booked and one.status not in _NOT_GIVEN_BACK}
        lost = (one for one in self.refunds if one.refund_id in waiting and one.status in _NOT_GIVEN_BACK)
        return tuple(lost) if self.payment_id else ()

    def charged(self, charge: StripeCharge) -> StripePayment:
        settled = charge.fee_minor is not None
        return replace(
            self,
            charge_id=charge.charge_id,
            charged_at=charge.created,
            method=charge.method,
            fee_minor=charge.fee_minor if settled else self.fee_minor,
            net_minor=charge.net_minor if settled else self.net_minor,
            application_fee_minor=charge.application_fee_minor,
        )

    def with_refund(self, told: StripeRefund) -> StripePayment:
        request_id = told.metadata.get(REQUEST_KEY, "")
        if self.request(request_id) is None:
            request_id = next((one.request_id for one in self.requests if one.refund_id == told.refund_id), "")
        fresh = MirroredRefund(
            refund_id=told.refund_id,
            status=told.status,
            amount_minor=told.amount_minor,
            created=told.created,
            reason=told.reason,
            failure_reason=told.failure_reason,
            request_id=request_id,
        )
        answered = self._answered(request_id, RequestState.ACCEPTED, refund_id=told.refund_id)
        known = next((one for one in self.refunds if one.refund_id == told.refund_id), None)
        if known is None:
            return replace(answered, refunds=(*self.refunds, fresh))
        if _REFUND_RANKS[told.status] < _REFUND_RANKS[known.status]:
            fresh = replace(fresh, status=known.status, failure_reason=known.failure_reason)
        merged = replace(
            fresh,
            booked=known.booked,
            returned=known.returned,
            by_note_minor=known.by_note_minor,
            taken=known.taken,
            taken_minor=known.taken_minor,
            taken_by_note_minor=known.taken_by_note_minor,
        )
        return replace(answered, refunds=tuple(merged if one is known else one for one in self.refunds))

    def with_dispute(self, told: StripeDispute) -> StripePayment:
        known = next((one for one in self.disputes if one.dispute_id == told.dispute_id), None)
        fresh = MirroredDispute(
            dispute_id=told.dispute_id,
            status=told.status,
            amount_minor=told.amount_minor,
            created=told.created,
            reason=told.reason,
            evidence_due_by=told.evidence_due_by,
            fee_minor=told.fee_minor,
            booked=known.booked if known else False,
            returned=known.returned if known else False,
            rounds=known.rounds if known else 0,
            short_minor=known.short_minor if known else 0,
            by_note_minor=known.by_note_minor if known else 0,
            currency=told.currency if told.currency != self.currency else "",
            lost_at=known.lost_at if known else None,
            rest_minor=known.rest_minor if known else 0,
            rests=known.rests if known else 0,
            loss_told=known is not None and known.status is DisputeStatus.LOST and known.loss_told,
            reminded=known is not None and known.reminded and known.evidence_due_by == told.evidence_due_by,
        )
        if fresh.returned and fresh.status is DisputeStatus.LOST:
            fresh = replace(fresh, booked=False, returned=False, rounds=fresh.rounds + 1)
        if known is None:
            return replace(self, disputes=(*self.disputes, fresh))
        return replace(self, disputes=tuple(fresh if one is known else one for one in self.disputes))

    def _answered(self, request_id: str, state: RequestState, **changes: str) -> StripePayment:
        """A request that Stripe answered; what it accepted stays accepted."""
        known = self.request(request_id)
        if known is None or known.state is RequestState.ACCEPTED:
            return self
        answered = replace(known, state=state, **changes)  # type: ignore[arg-type]
        return replace(self, requests=tuple(answered if one is known else one for one in self.requests))
