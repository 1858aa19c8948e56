"""A day of an account at Stripe against our ledger: each movement of its balance is a fact we have, or a difference."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from billing.domain.canonical import LATER
from billing.domain.dates import PARIS, civil_date
from billing.domain.events import Event, EventType, derived_event_id
from billing.domain.invoice import IssuedInvoice
from billing.domain.payments import Payment
from billing.domain.stripe import BalanceTransaction
from billing.domain.stripe_payment import DayBooking, PaperRefund, StripePayment

MAX_DIFFERENCES: Final = 100
NIGHTLY_FOR: Final = timedelta(days=7)  # a day that differs is judged again each night, then each week
JUDGED_AGAIN_FOR: Final = timedelta(days=90)
_PAYMENTS = frozenset({"charge", "payment"})
_REFUNDS = frozenset({"refund", "payment_refund", "refund_failure", "payment_failure_refund"})
_DISPUTES = frozenset({"adjustment"})
_FEES = frozenset({"application_fee", "application_fee_refund", "stripe_fee", "stripe_fx_fee", "tax_fee"})
_PAYOUTS = frozenset({"payout", "payout_cancel", "payout_failure"})


class DifferenceKind(StrEnum):
    MISSING = "missing"  # Stripe moved it, and our ledger does not have it
    NOT_BORNE = "not_borne"  # given back, and our books cannot bear it, in whole or in part: the company was told
    OTHER_AMOUNT = "other_amount"
    OTHER_FEE = "other_fee"
    UNKNOWN = "unknown"  # Stripe itself does not say what it belongs to
    NOT_AT_STRIPE = "not_at_stripe"  # our ledger has it, and Stripe never moved it
    ON_PAPER = "on_paper"  # a credit note says that it was given back, and Stripe did not give it back


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """``source_id`` of the charge, refund or dispute at Stripe, or of the credit note that nothing there answers.

    Cents as Stripe says and as we do.
    """

    kind: DifferenceKind
    source_id: str
    stripe_minor: int
    ours_minor: int
    payment_id: str = ""


class ReconciliationStage(StrEnum):
    """What of a day is held against the other side, one after the other."""

    MOVEMENTS = "movements"  # each at Stripe, against the ledger
    BOOKINGS = "bookings"  # each in the ledger, against Stripe
    NOTES = "notes"  # each refund that a credit note recorded, against Stripe

    @property
    def following(self) -> ReconciliationStage | None:
        stages = tuple(ReconciliationStage)
        return next(iter(stages[stages.index(self) + 1 :]), None)


class ReconciliationState(StrEnum):
    RUNNING = "running"
    BALANCED = "balanced"
    DIFFERS = "differs"
    UNREAD = "unread"  # the account left before the day was read; it is read once the account is back


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """Amounts in cents, summed over the day, of what ZenBilling asked for; ``foreign``: movements of other payments.

    ``repaired``: facts that no event had told, and that are in the ledger now. ``position``: how far it was read.
    ``booked``: how much the ledger has of that day. ``again_on``: the night that judges it again, while it differs;
    ``differed_at``: when it was first found to, once it is; ``rang``: whether operators were told;
    ``earlier``: what differed, while it is judged again.
    """

    tenant_id: str
    account_id: str
    day: date
    version: int = 0  # 0: not stored yet
    state: ReconciliationState = ReconciliationState.RUNNING
    position: str = ""
    movements: int = 0
    foreign: int = 0
    repaired: int = 0
    paid_minor: int = 0
    given_back_minor: int = 0
    fee_minor: int = 0
    payout_minor: int = 0
    differences: tuple[Difference, ...] = ()
    stage: ReconciliationStage = field(default=ReconciliationStage.MOVEMENTS, metadata=LATER)
    booked: int = field(default=0, metadata=LATER)
    started_at: datetime
    ended_at: datetime | None = None
    again_on: date | None = field(default=None, metadata=LATER)
    differed_at: datetime | None = field(default=None, metadata=LATER)
    rang: bool = field(default=False, metadata=LATER)
    earlier: tuple[Difference, ...] = field(default=(), metadata=LATER)

    @property
    def since(self) -> datetime:
        """The day in Paris, as instants."""
        return datetime.combine(self.day, time(), PARIS)

    @property
    def before(self) -> datetime:
        return datetime.combine(self.day + timedelta(days=1), time(), PARIS)

    def with_movement(
        self, moved: BalanceTransaction, difference: Difference | None, *, foreign: bool, repaired: bool
    ) -> Reconciliation:
        kind = moved.transaction_type
        return replace(
            self,
            movements=self.movements + 1,
            foreign=self.foreign + foreign,
            repaired=self.repaired + repaired,
            paid_minor=self.paid_minor + (moved.amount_minor if kind in _PAYMENTS and not foreign else 0),
            given_back_minor=self.given_back_minor
            - (moved.amount_minor if kind not in _PAYMENTS | _PAYOUTS | _FEES and not foreign else 0),
            fee_minor=self.fee_minor + (0 if foreign else moved.fee_minor),
            payout_minor=self.payout_minor - (moved.amount_minor if kind in _PAYOUTS else 0),
        ).with_differences(*((difference,) if difference else ()))

    def with_differences(self, *found: Difference) -> Reconciliation:
        return replace(self, differences=(*self.differences, *found)[:MAX_DIFFERENCES])

    def with_bookings(self, number: int) -> Reconciliation:
        return replace(self, booked=self.booked + number)

    @property
    def is_for_operators(self) -> bool:
        """Whether something differs that the company did not write itself: a refund on paper is its own to make."""
        return any(one.kind is not DifferenceKind.ON_PAPER for one in self.differences)

    @property
    def is_over(self) -> bool:
        return self.state in {ReconciliationState.BALANCED, ReconciliationState.DIFFERS}

    def unread(self) -> Reconciliation:
        return replace(self, version=self.version + 1, state=ReconciliationState.UNREAD)

    def taken_up(self) -> Reconciliation:
        return replace(self, state=ReconciliationState.RUNNING) if self.state is ReconciliationState.UNREAD else self

    def read_to(self, position: str) -> Reconciliation:
        return replace(self, version=self.version + 1, position=position)

    def ended(self, at: datetime) -> Reconciliation:
        state = ReconciliationState.DIFFERS if self.differences else ReconciliationState.BALANCED
        again_on = self._judged_after(civil_date(at)) if self.differences else None
        return replace(
            self,
            version=self.version + 1,
            state=state,
            position="",
            ended_at=at,
            again_on=again_on,
            earlier=(),
        )

    def judged_again(self, at: datetime) -> Reconciliation:
        """Read from its beginning; what was brought into the ledger meanwhile stays counted."""
        return Reconciliation(
            tenant_id=self.tenant_id,
            account_id=self.account_id,
            day=self.day,
            version=self.version,
            repaired=self.repaired,
            started_at=at,
            again_on=self.again_on,
            differed_at=self.differed_at or self.ended_at,
            rang=self.rang or self.is_for_operators,
            earlier=self.differences,
        )

    def put_off(self, today: date) -> Reconciliation:
        """It could not be judged again to its end: it says what it said, until another night."""
        stood = self
        if not self.is_over:
            stood = replace(
                self.judged_again(self.started_at),
                state=ReconciliationState.DIFFERS,
                differences=self.earlier,
                earlier=(),
                rang=self.rang,
                ended_at=self.differed_at,
            )
        return replace(stood, version=self.version + 1, again_on=self._judged_after(today))

    @property
    def counts(self) -> tuple[str, ...]:
        """Metrics of its end: once of a day; again only when the company's own matter is the operators' now."""
        if self.state is not ReconciliationState.DIFFERS:
            return ()
        if self.is_for_operators and not self.rang:
            return ("StripeReconciliationDiffers",)
        return ("StripeRefundOnPaper",) if self.differed_at is None else ()

    def _judged_after(self, today: date) -> date | None:
        age = today - self.day
        if age > JUDGED_AGAIN_FOR:
            return None
        return today + timedelta(days=1 if age <= NIGHTLY_FOR else 7)


def is_booked_here(moved: BalanceTransaction) -> bool:
    """Whether a movement is one that our ledger follows; the rest is between Stripe and the company."""
    return moved.transaction_type in _PAYMENTS | _REFUNDS | _DISPUTES


def is_stripes_own(moved: BalanceTransaction) -> bool:
    """A reserve, a transfer, a correction, …: of no payment; fees and payouts are summed."""
    return not is_booked_here(moved) and moved.transaction_type not in _FEES | _PAYOUTS


def difference_of(moved: BalanceTransaction, record: StripePayment | None) -> Difference | None:
    """How a movement differs from what we have of it; None when it does not."""
    if record is None:
        return Difference(
            kind=DifferenceKind.MISSING, source_id=moved.source_id, stripe_minor=moved.amount_minor, ours_minor=0
        )
    if moved.transaction_type in _PAYMENTS:
        return _of_payment(moved, record)
    lacking = lacking_of(moved.source_id, moved.amount_minor, record)
    if lacking is not None:
        return lacking
    known = {one.refund_id: one.amount_minor for one in record.refunds}
    known |= {one.dispute_id: one.amount_minor for one in record.disputes}
    ours = known.get(moved.source_id)
    open_bookings = {one.subject for one in record.bookings}
    back = moved.amount_minor > 0 and moved.source_id not in record.ended_for_us
    if ours is None or moved.source_id in open_bookings or back:
        return _difference(DifferenceKind.MISSING, moved, record, 0)
    if moved.currency == record.currency and ours != abs(moved.amount_minor):
        return _difference(DifferenceKind.OTHER_AMOUNT, moved, record, ours)
    return None


def lacking_of(source_id: str, stripe_minor: int, record: StripePayment) -> Difference | None:
    """What of a refund or a lost dispute the books cannot bear; None when they have all of it, or it fits."""
    unborne = {one.subject for one in record.unborne}
    unbooked = 0
    if stripe_minor < 0 and any(one.dispute_id == source_id for one in record.disputes):
        unbooked = record.unbooked_of(source_id) if source_id in unborne else record.rest_of(source_id)
    elif stripe_minor < 0 and source_id in unborne:
        unbooked = -stripe_minor
    if not unbooked:
        return None
    return Difference(
        kind=DifferenceKind.NOT_BORNE,
        source_id=source_id,
        stripe_minor=stripe_minor,
        ours_minor=min(stripe_minor + unbooked, 0),
        payment_id=record.payment_id,
    )


def ledger_difference(moved: BalanceTransaction, record: StripePayment, payment: Payment) -> Difference | None:
    """How the ledger itself differs from what we know of a movement at Stripe."""
    if moved.transaction_type in _PAYMENTS:
        same, ours = payment.amount_minor == record.amount_minor, payment.amount_minor
        return None if same else _difference(DifferenceKind.OTHER_AMOUNT, moved, record, ours)
    wanted = {one.refund_id: one.moved_minor for one in record.refunds if one.booked}
    wanted |= {one.dispute_id: one.moved_minor for one in record.disputes if one.booked}
    expected = wanted.get(moved.source_id)
    if not expected:
        return None
    entry_id = record.entry_id(moved.source_id)
    ours = sum(one.amount_minor for one in payment.refunds if one.refund_id == entry_id)
    return None if ours == expected else _difference(DifferenceKind.OTHER_AMOUNT, moved, record, ours)


def is_by_notes(moved: BalanceTransaction, record: StripePayment) -> bool:
    """Whether a movement is a refund that credit notes had given back in the ledger, in part at least."""
    refunds = (one for one in record.refunds if one.booked and not one.returned and one.by_note_minor)
    return moved.amount_minor < 0 and moved.source_id in {one.refund_id for one in refunds}


def notes_difference(moved: BalanceTransaction, record: StripePayment, beyond_minor: int) -> Difference:
    """``beyond_minor``: what Stripe gave back for the notes on the invoice, and they do not say."""
    ours = max(abs(moved.amount_minor) - beyond_minor, 0)
    return _difference(DifferenceKind.OTHER_AMOUNT, moved, record, ours)


def _of_payment(moved: BalanceTransaction, record: StripePayment) -> Difference | None:
    if not record.payment_id:
        return _difference(DifferenceKind.MISSING, moved, record, 0)
    if record.fee_minor is None:  # it was booked before Stripe settled it, and nothing told since
        return _fee_differs(moved, record, 0)
    if moved.currency != record.currency:  # settled in the account's own currency: the amounts cannot be compared
        return None
    if moved.amount_minor != record.amount_minor:
        return _difference(DifferenceKind.OTHER_AMOUNT, moved, record, record.amount_minor)
    return _fee_differs(moved, record, record.fee_minor) if moved.fee_minor != record.fee_minor else None


def _fee_differs(moved: BalanceTransaction, record: StripePayment, ours_minor: int) -> Difference:
    return Difference(
        kind=DifferenceKind.OTHER_FEE,
        source_id=moved.source_id,
        stripe_minor=moved.fee_minor,
        ours_minor=ours_minor,
        payment_id=record.payment_id,
    )


def _difference(kind: DifferenceKind, moved: BalanceTransaction, record: StripePayment, ours_minor: int) -> Difference:
    return Difference(
        kind=kind,
        source_id=moved.source_id,
        stripe_minor=moved.amount_minor,
        ours_minor=ours_minor,
        payment_id=record.payment_id,
    )


def not_at_stripe(booking: DayBooking) -> Difference:
    return Difference(
        kind=DifferenceKind.NOT_AT_STRIPE,
        source_id=booking.source_id,
        stripe_minor=0,
        ours_minor=booking.amount_minor,
        payment_id=booking.payment_id,
    )


def refunded_on_paper(refund: PaperRefund, amount_minor: int, payment_id: str) -> Difference:
    return Difference(
        kind=DifferenceKind.ON_PAPER,
        source_id=refund.subject,
        stripe_minor=0,
        ours_minor=-amount_minor,
        payment_id=payment_id,
    )


def paper_refund_of(note: IssuedInvoice, invoice: IssuedInvoice) -> PaperRefund | None:
    """What the issue of a credit note gives back of its invoice, in the ledger alone; None where it gives nothing."""
    document = note.document
    if document.settlement is None or not document.settlement.refunded_minor:
        return None
    return PaperRefund(day=civil_date(document.issued_at), subject=note.invoice_id, invoice_id=invoice.invoice_id)


def unknown_movement(moved: BalanceTransaction) -> Difference:
    return Difference(
        kind=DifferenceKind.UNKNOWN, source_id=moved.source_id, stripe_minor=moved.amount_minor, ours_minor=0
    )


def reconciliation_differs(report: Reconciliation, at: datetime) -> Event:
    return Event(
        event_id=derived_event_id("stripe", "reconciliation", report.account_id, report.day.isoformat()),
        event_type=EventType.STRIPE_RECONCILIATION_DIFFERS,
        occurred_at=at,
        actor="system:stripe",
        data={
            "account_id": report.account_id,
            "day": report.day.isoformat(),
            "differences": len(report.differences),
        },
    )
