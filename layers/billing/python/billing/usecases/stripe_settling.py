"""What customers confirmed and no event ended is asked for at Stripe again, until it has ended."""

from __future__ import annotations

from dataclasses import dataclass

from billing.domain.access import Caller
from billing.domain.checkout import ASKED_AGAIN_AFTER, AttemptState, CheckoutAttempt
from billing.domain.errors import BillingError, StaleVersion
from billing.domain.events import Event, EventType, derived_event_id
from billing.domain.invoice import Invoice
from billing.domain.notices import MoneyFact, NoticeKind
from billing.domain.stripe import DASHBOARD
from billing.domain.stripe_inbox import ParkReason
from billing.domain.stripe_payment import PaidFor
from billing.ports.stripe import NO_ACCESS, StripeRefused
from billing.ports.stripe_payments import StripeFacts, StripeNews
from billing.usecases.notices import addressed
from billing.usecases.payments import issued_of
from billing.usecases.stripe_events import StripeDesk, settle_stripe_payment
from billing.usecases.stripe_ledger import STRIPE
from billing.usecases.turns import Turns, turning

ASKED_AT_ONCE = 50  # of a shard
RUN_BUDGET_SECONDS = 20.0  # the function has a minute, and refunds to finish besides
_UNREAD = frozenset({ParkReason.NOT_AT_STRIPE, ParkReason.NO_ACCESS})


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlingRun:
    """Payments that have ended, and those that are still on their way or could not be read."""

    ended: int = 0
    waiting: int = 0
    failed: int = 0


def settle_waiting_checkouts(*, desk: StripeDesk) -> SettlingRun:
    """Every payment that was confirmed and is not in the ledger an hour later; then once a day.

    Raises: what went wrong for one, once every other had its turn.
    """
    turns, ended, waiting, failed = Turns(), 0, 0, 0
    started = desk.clock.monotonic()
    for shard in turning(desk.checkouts.shards, desk.ids.jitter()):
        for tenant_id, invoice_id in desk.checkouts.unsettled(desk.clock.now(), shard=shard, limit=ASKED_AT_ONCE):
            if desk.clock.monotonic() - started > RUN_BUDGET_SECONDS:
                break
            with turns.one(passed_over=StaleVersion):
                try:
                    if _settled(tenant_id, invoice_id, desk):
                        ended += 1
                    else:
                        waiting += 1
                except (BillingError, StripeRefused):
                    failed += 1
                    _postpone(tenant_id, invoice_id, desk)
    turns.end()
    return SettlingRun(ended=ended, waiting=waiting, failed=failed)


def _settled(tenant_id: str, invoice_id: str, desk: StripeDesk) -> bool:
    book = desk.checkouts.book(tenant_id, invoice_id)
    live = book.live
    if book.settled_at is None or live is None or live.payment_intent_id is None:
        return True  # an event came meanwhile
    paid_for = PaidFor(tenant_id=tenant_id, invoice_id=invoice_id, attempt=live.number)
    told = settle_stripe_payment(tenant_id, live.account_id, live.payment_intent_id, desk=desk, paid_for=paid_for)
    unread = told.reason in _UNREAD
    book = desk.checkouts.book(tenant_id, invoice_id)
    if book.settled_at is None:
        return True
    now = desk.clock.now()
    asked = book.asked_again(now, unread_on=desk.clock.today() if unread else None)
    if not asked.is_lost(now):
        desk.checkouts.save(asked)
        return False
    # Should the money come after all, it is booked as soon as Stripe shows it: a payment moves up from there.
    freed = book.moved(live.number, AttemptState.FAILED, now, failure_code=NO_ACCESS)
    told_to_company = Event(
        event_id=derived_event_id("stripe", "payment_lost", live.payment_intent_id),
        event_type=EventType.ONLINE_PAYMENT_FAILED,
        occurred_at=now,
        actor=f"system:{STRIPE}",
        data={"invoice_id": invoice_id, "amount_minor": live.amount_minor, "failure_code": NO_ACCESS},
    )
    news = StripeNews(event=told_to_company, invoice_id=invoice_id)
    caller = Caller.system(tenant_id, STRIPE)
    fact = _unreadable(live, desk.invoices.read(caller, invoice_id))
    notices = addressed(caller, (fact,), companies=desk.companies, at=now)
    desk.stripe_payments.write(caller, StripeFacts(book=freed, news=(news,), notices=notices))
    return True


def _unreadable(lost: CheckoutAttempt, invoice: Invoice) -> MoneyFact:
    document = issued_of(invoice).document
    intent_id = lost.payment_intent_id or ""
    return MoneyFact(
        kind=NoticeKind.PAYMENT_UNREADABLE,
        subject=intent_id,
        amount_minor=lost.amount_minor,
        currency=lost.currency,
        invoice_id=invoice.invoice_id,
        invoice_number=document.number,
        customer_name=document.buyer.name,
        answer_url=f"{DASHBOARD}/{lost.account_id}/payments/{intent_id}",
        method=lost.method,
        confirmed_at=lost.in_progress_since,
    )


def _postpone(tenant_id: str, invoice_id: str, desk: StripeDesk) -> None:
    """It could not be asked for: it has its turn again tomorrow, after the others."""
    book = desk.checkouts.book(tenant_id, invoice_id)
    if book.settled_at is not None:
        desk.checkouts.save(book.postponed(desk.clock.now() + ASKED_AGAIN_AFTER))
