"""Each night what moved at Stripe is held against the ledger: what no event told is brought in as if one had. Then what
the ledger booked that day is held against Stripe, and what credit notes gave back. What differs is listed, alerted and
told to the company, and judged again on other nights until it agrees: what was told is told once. A page at a time,
from where the last run stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from billing.domain.access import Caller, Permission
from billing.domain.checkout import CheckoutBook
from billing.domain.errors import StaleVersion
from billing.domain.reconciliation import (
    Difference,
    Reconciliation,
    ReconciliationStage,
    ReconciliationState,
    difference_of,
    is_booked_here,
    is_by_notes,
    is_stripes_own,
    lacking_of,
    ledger_difference,
    not_at_stripe,
    notes_difference,
    reconciliation_differs,
    refunded_on_paper,
    unknown_movement,
)
from billing.domain.stripe import BalanceTransaction
from billing.domain.stripe_inbox import InboxState, ParkReason
from billing.domain.stripe_payment import BookingKind, DayBooking, PaperRefund, StripePayment
from billing.ports.paging import Page, PageRequest
from billing.ports.reconciliations import Reconciliations
from billing.ports.stripe import NO_ACCESS, StripeRefused
from billing.usecases.stripe_events import StripeDesk, settle_stripe_payment
from billing.usecases.stripe_ledger import STRIPE
from billing.usecases.turns import Turns, turning

PAGE_LIMIT = 100
LISTED_UNREAD = timedelta(days=90)  # of an account that left; those that follow are due as well, and not listed
LOOKED_FOR_AT_ONCE = 25  # of those that the movements of the day did not answer, each is a question to Stripe
AGAIN_AT_ONCE = 5  # days of one account that a run judges again: the next run has the others, if others are due
_LOST = frozenset({BookingKind.DISPUTE_LOST, BookingKind.DISPUTE_REST})
BUDGET_SECONDS = 45.0  # the function has a minute; what is left waits for the next run


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationRun:
    """``again``: days that had differed and were judged again, of which so many ``agreed``."""

    ended: int = 0
    differing: int = 0
    repaired: int = 0
    again: int = 0
    agreed: int = 0


def reconcile_stripe_days(*, reconciliations: Reconciliations, desk: StripeDesk) -> ReconciliationRun:
    """Every account's days that are over. Safe beside another run, and after one that died.

    Raises: what went wrong for one account, once every other had its turn.
    """
    clock = desk.clock
    deadline, yesterday = clock.monotonic() + BUDGET_SECONDS, clock.today() - timedelta(days=1)
    turns, ended = Turns(), []
    for shard in turning(reconciliations.shards, desk.ids.jitter()):
        after = None
        while clock.monotonic() < deadline:
            page, after = reconciliations.due(yesterday, shard=shard, limit=PAGE_LIMIT, after=after)
            for tenant_id, account_id in page:
                if clock.monotonic() >= deadline:
                    break
                with turns.one(passed_over=StaleVersion):
                    ended += _account_days(tenant_id, account_id, yesterday, deadline, reconciliations, desk)
            if after is None:
                break
    again, repaired_again = _judge_again(deadline, turns, reconciliations, desk)
    turns.end()
    return ReconciliationRun(
        ended=len(ended),
        differing=sum(one.state is ReconciliationState.DIFFERS for one in ended),
        repaired=sum(one.repaired for one in ended) + repaired_again,
        again=len(again),
        agreed=sum(one.state is ReconciliationState.BALANCED for one in again),
    )


def list_payment_reconciliations(
    caller: Caller, page: PageRequest, *, reconciliations: Reconciliations
) -> Page[Reconciliation]:
    caller.require(Permission.READ)
    return reconciliations.list(caller, page)


def _account_days(
    tenant_id: str,
    account_id: str,
    yesterday: date,
    deadline: float,
    reconciliations: Reconciliations,
    desk: StripeDesk,
) -> list[Reconciliation]:
    ended: list[Reconciliation] = []
    day = min(reconciliations.due_since(tenant_id, account_id) or yesterday, yesterday)
    while day <= yesterday:
        night = _Night(reconciliations, desk, deadline)
        report = reconciliations.stored(tenant_id, account_id, day) or Reconciliation(
            tenant_id=tenant_id, account_id=account_id, day=day, started_at=desk.clock.now()
        )
        while not report.is_over:
            if desk.clock.monotonic() >= deadline:
                return ended
            try:
                report = night.page(report)
            except StripeRefused as refused:
                if refused.code != NO_ACCESS:  # every other refusal is a fault of ours
                    raise
                _list_unread(report, yesterday, reconciliations)
                return ended
            if report.is_over:
                ended.append(report)
        reconciliations.looked_at(tenant_id, account_id, day)
        day += timedelta(days=1)
    return ended


def _judge_again(
    deadline: float, turns: Turns, reconciliations: Reconciliations, desk: StripeDesk
) -> tuple[list[Reconciliation], int]:
    """With the time that is left: those that ended, and how many facts were brought in by them."""
    today = desk.clock.today()
    of_account: Counter[tuple[str, str]] = Counter()
    ended: list[Reconciliation] = []
    repaired = 0
    for shard in turning(reconciliations.shards, desk.ids.jitter()):
        after = None
        while desk.clock.monotonic() < deadline:
            page, after = reconciliations.due_again(today, shard=shard, limit=PAGE_LIMIT, after=after)
            for tenant_id, account_id, day in page:
                if desk.clock.monotonic() >= deadline:
                    break
                of_account[tenant_id, account_id] += 1
                if of_account[tenant_id, account_id] > AGAIN_AT_ONCE:
                    continue
                with turns.one(passed_over=StaleVersion):
                    stood = reconciliations.stored(tenant_id, account_id, day)
                    report = _day_again(stood, deadline, reconciliations, desk) if stood else None
                    if stood and report:
                        ended.append(report)
                        repaired += report.repaired - stood.repaired
            if after is None:
                break
    return ended, repaired


def _day_again(
    stood: Reconciliation, deadline: float, reconciliations: Reconciliations, desk: StripeDesk
) -> Reconciliation | None:
    """None when it has not ended, or another run was first."""
    today = desk.clock.today()
    if stood.again_on is None or stood.again_on > today:
        return None
    night = _Night(reconciliations, desk, deadline)
    report = stood.judged_again(desk.clock.now()) if stood.is_over else stood
    while not report.is_over:
        if desk.clock.monotonic() >= deadline:
            return None
        try:
            stood = report = night.page(report)
        except StaleVersion:
            raise
        except StripeRefused as refused:
            reconciliations.save(stood.put_off(today))
            if refused.code != NO_ACCESS:  # the account has not left: a fault of ours
                raise
            return None
        except Exception:
            reconciliations.save(stood.put_off(today))  # it keeps no other day of its account waiting
            raise
    return report


def _list_unread(first: Reconciliation, yesterday: date, reconciliations: Reconciliations) -> None:
    """The account left: its days are listed as such, and stay due. They are read once it is back."""
    if first.state is ReconciliationState.RUNNING:
        reconciliations.save(first.unread())
    day = min(yesterday, first.day + LISTED_UNREAD)
    while day > first.day and reconciliations.stored(first.tenant_id, first.account_id, day) is None:
        fresh = Reconciliation(
            tenant_id=first.tenant_id, account_id=first.account_id, day=day, started_at=first.started_at
        )
        reconciliations.save(fresh.unread())
        day -= timedelta(days=1)


class _Night:
    """One day of one account. ``_moved``: what this run saw move at Stripe, and whether money came or left."""

    def __init__(self, reconciliations: Reconciliations, desk: StripeDesk, deadline: float) -> None:
        self._reconciliations = reconciliations
        self._desk = desk
        self._deadline = deadline
        self._moved: set[tuple[str, bool]] = set()

    def page(self, report: Reconciliation) -> Reconciliation:
        """One page further, and through whatever stage begins with it; ended with the last."""
        report = report.taken_up()
        known = report.repaired
        read = {
            ReconciliationStage.MOVEMENTS: self._movements,
            ReconciliationStage.BOOKINGS: self._bookings,
            ReconciliationStage.NOTES: self._notes,
        }
        while True:
            report, position = read[report.stage](report)
            following = report.stage.following
            if position is None and following is None:
                report = report.ended(self._desk.clock.now())
                break
            if position is None and following is not None:
                report = replace(report, stage=following, position="")
            if position is not None or self._desk.clock.monotonic() >= self._deadline:
                report = report.read_to(position or "")
                break
        now, first = self._desk.clock.now(), report.differed_at is None
        told = report.state is ReconciliationState.DIFFERS and first
        missed = ("StripeFactMissed",) * (report.repaired - known)
        counts = (*missed, *(report.counts if report.is_over else ()))
        event = reconciliation_differs(report, now) if told else None
        self._reconciliations.save(report, event=event, counts=counts)
        return report

    def _movements(self, report: Reconciliation) -> tuple[Reconciliation, str | None]:
        page = self._desk.stripe.list_balance_transactions(
            report.account_id, since=report.since, before=report.before, after=report.position or None
        )
        booked = [one for one in page.items if is_booked_here(one)]
        self._moved |= {(one.source_id, one.amount_minor > 0) for one in booked}
        named = tuple({one.source_id for one in booked if one.source_id})
        known = self._reconciliations.sources(report.tenant_id, named)
        for moved in page.items:
            if is_booked_here(moved):
                report = _held(report, moved, known.get(moved.source_id), self._desk)
            else:
                report = report.with_movement(moved, None, foreign=is_stripes_own(moved), repaired=False)
        return report, page.position

    def _bookings(self, report: Reconciliation) -> tuple[Reconciliation, str | None]:
        """By the night after, Stripe has moved what we booked: the same day, or as it says when asked for that one."""
        page, position = self._reconciliations.booked(
            report.tenant_id,
            report.account_id,
            report.day,
            limit=LOOKED_FOR_AT_ONCE,
            after=report.position or None,
        )
        missing = (not_at_stripe(one) for one in page if not self._is_at_stripe(one))
        there = sum(one.kind is not BookingKind.DISPUTE_REST for one in page)
        lacking = self._not_borne(report, page)
        return report.with_bookings(there).with_differences(*missing, *lacking), position

    def _not_borne(self, report: Reconciliation, page: tuple[DayBooking, ...]) -> Iterator[Difference]:
        """What the books lack of disputes lost that day: their money moved weeks before, when they were opened."""
        lost = {one.source_id: one for one in page if one.kind in _LOST}
        known = self._reconciliations.sources(report.tenant_id, tuple(lost)) if lost else {}
        for source_id, payment_intent_id in known.items():
            record = self._desk.stripe_payments.stored(report.tenant_id, payment_intent_id)
            difference = lacking_of(source_id, lost[source_id].amount_minor, record) if record else None
            if difference is not None and difference not in report.differences:
                yield difference

    def _is_at_stripe(self, booking: DayBooking) -> bool:
        came = booking.amount_minor > 0
        if (booking.source_id, came) in self._moved:
            return True
        moved = self._desk.stripe.balance_transactions_of(booking.account_id, booking.source_id)
        return any((one.amount_minor > 0) is came for one in moved)

    def _notes(self, report: Reconciliation) -> tuple[Reconciliation, str | None]:
        """What credit notes say was given back of payments of this account, and Stripe was not asked for."""
        page, position = self._reconciliations.on_paper(
            report.tenant_id, report.day, limit=LOOKED_FOR_AT_ONCE, after=report.position or None
        )
        for refund in {one.invoice_id: one for one in page}.values():
            report = report.with_differences(*self._on_paper(report, refund))
        return report, position

    def _on_paper(self, report: Reconciliation, refund: PaperRefund) -> tuple[Difference, ...]:
        desk, tenant_id = self._desk, report.tenant_id
        while True:
            book = desk.checkouts.book(tenant_id, refund.invoice_id)
            payments = self._payments_of(report, book)
            left = desk.ledger.left_by_notes(Caller.system(tenant_id, STRIPE), payments, book) if payments else 0
            if not left:
                return ()
            if desk.checkouts.book(tenant_id, refund.invoice_id).version == book.version:  # all of one moment
                return (refunded_on_paper(refund, left, payments[-1].payment_id),)

    def _payments_of(self, report: Reconciliation, book: CheckoutBook) -> tuple[StripePayment, ...]:
        """Of an invoice, on this account."""
        named = (one.payment_intent_id for one in book.attempts if one.payment_intent_id)
        found = (self._desk.stripe_payments.stored(report.tenant_id, one) for one in named)
        return tuple(one for one in found if one and one.payment_id and one.account_id == report.account_id)


def _held(
    report: Reconciliation, moved: BalanceTransaction, payment_intent_id: str | None, desk: StripeDesk
) -> Reconciliation:
    tenant_id, account_id = report.tenant_id, report.account_id
    known = payment_intent_id or _owner(account_id, moved.source_id, desk)
    if known is None:  # a charge without an intent is none of ours
        unknown = None if moved.source_id else unknown_movement(moved)
        return report.with_movement(moved, unknown, foreign=unknown is None, repaired=False)
    difference = _difference(tenant_id, known, moved, desk)
    repaired = False
    if difference is not None:
        settled = settle_stripe_payment(tenant_id, account_id, known, desk=desk)
        if settled.reason is ParkReason.NO_ACCESS:
            raise StripeRefused(NO_ACCESS, status=403)
        if settled.state is InboxState.IGNORED:
            return report.with_movement(moved, None, foreign=True, repaired=False)
        difference = _difference(tenant_id, known, moved, desk)
        repaired = difference is None
    return report.with_movement(moved, difference, foreign=False, repaired=repaired)


def _difference(
    tenant_id: str, payment_intent_id: str, moved: BalanceTransaction, desk: StripeDesk
) -> Difference | None:
    record = desk.stripe_payments.stored(tenant_id, payment_intent_id)
    difference = difference_of(moved, record)
    if difference is not None or record is None or not record.payment_id:
        return difference
    caller = Caller.system(tenant_id, STRIPE)
    difference = ledger_difference(moved, record, desk.payments.read(caller, record.payment_id))
    if difference is not None or not is_by_notes(moved, record):
        return difference
    beyond = desk.ledger.beyond_notes(caller, desk.checkouts.book(tenant_id, record.invoice_id))
    return notes_difference(moved, record, beyond) if beyond else None


def _owner(account_id: str, source_id: str, desk: StripeDesk) -> str | None:
    """The payment intent of something that no event told us of, as Stripe says."""
    if source_id.startswith(("ch_", "py_")):
        return desk.stripe.payment_intent_of_charge(account_id, source_id)
    if source_id.startswith(("re_", "pyr_")):
        refund = desk.stripe.read_refund(account_id, source_id)
        return refund.payment_intent_id if refund else None
    if source_id.startswith(("du_", "dp_")):
        dispute = desk.stripe.read_dispute(account_id, source_id)
        return dispute.payment_intent_id if dispute else None
    return None
