"""What an event of Stripe comes to. It only says where to look: the object is read again, and what is done follows from
how it stands, whichever event told of it, in whatever order they come and however often.

Effect, record and the end of the event are one transaction. What does not fit what we opened is parked, never applied.
What Stripe does not say is of a page of ours is ignored, whatever is written on it: a company's own account is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from datetime import datetime

from billing.domain.access import Caller
from billing.domain.checkout import AttemptState, CheckoutAttempt, CheckoutBook, method_of
from billing.domain.errors import StaleVersion
from billing.domain.events import Event, EventType, derived_event_id
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import PaymentMethod
from billing.domain.notices import CompanyNotice, MoneyFact, NoticeKind
from billing.domain.stripe import (
    DASHBOARD,
    CheckoutSession,
    CheckoutStatus,
    DisputeStatus,
    PaymentIntent,
    PaymentIntentStatus,
    StripeEvent,
    StripeRefundStatus,
)
from billing.domain.stripe_connection import ConnectionState, StripeConnection
from billing.domain.stripe_inbox import InboxEntry, InboxState, ParkReason
from billing.domain.stripe_payment import (
    Booking,
    BookingKind,
    DayBooking,
    MirroredDispute,
    MirroredRefund,
    PaidFor,
    PaperRefund,
    SeenAtStripe,
    StripePayment,
    StripePaymentState,
    Unborne,
)
from billing.domain.subscription import current_one
from billing.domain.unborne import UnborneFact, unborne_event, unborne_fact
from billing.ports.checkouts import CheckoutContext, Checkouts, StripeConnections
from billing.ports.clock import Clock, Ids
from billing.ports.payments import Payments
from billing.ports.repositories import Companies, Invoices
from billing.ports.stripe import NO_ACCESS, StripeGateway, StripeRefused
from billing.ports.stripe_inbox import StripeInbox
from billing.ports.stripe_payments import StripeFacts, StripeNews, StripePayments
from billing.ports.subscriptions import Subscriptions
from billing.usecases.contention import judged_anew
from billing.usecases.notices import addressed, dispute_fact, dispute_lost, refund_not_borne
from billing.usecases.stripe_ledger import STRIPE, DoesNotFit, StripeLedger
from billing.usecases.subscriptions import subscription_event, subscription_notices, unfit

# To be enabled at Stripe (docs/runbook.md), on the endpoint of the connected accounts and on the platform's own.
OF_ACCOUNTS = (
    "account.application.deauthorized",
    "account.updated",
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "charge.refunded",
    "charge.updated",
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "checkout.session.expired",
    "payment_intent.canceled",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.succeeded",
    "payout.failed",
    "payout.paid",
    "refund.created",
    "refund.failed",
    "refund.updated",
)
OF_PLATFORM = (
    "checkout.session.completed",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "customer.subscription.updated",
    "invoice.paid",
    "invoice.payment_failed",
)
_ACCOUNT = frozenset({"account.updated", "account.application.deauthorized"})
_SUBSCRIBED = ("customer.subscription.", "invoice.", "checkout.session.")  # without an account: the platform's own
_MONEY = ("checkout.session.", "payment_intent.", "charge.", "refund.", "payout.")
DECLINED = "payment_intent.payment_failed"
_CONFIRMED = frozenset({StripePaymentState.PROCESSING, StripePaymentState.FAILED, StripePaymentState.SUCCEEDED})
_NEWS = {
    StripePaymentState.PROCESSING: EventType.ONLINE_PAYMENT_PROCESSING,
    StripePaymentState.SUCCEEDED: EventType.ONLINE_PAYMENT_SUCCEEDED,
    StripePaymentState.FAILED: EventType.ONLINE_PAYMENT_FAILED,
}
_WRITTEN_OF = {
    DisputeStatus.WARNING_NEEDS_RESPONSE: NoticeKind.INQUIRY_OPENED,
    DisputeStatus.NEEDS_RESPONSE: NoticeKind.DISPUTE_OPENED,
    DisputeStatus.WON: NoticeKind.DISPUTE_WON,
}  # of one that is lost once it is known what of it is in the books
TOLD_AT_ONCE = 3  # of what the books cannot bear, in one transaction; more when it is looked at again
_BY_THE_COMPANY = "merchant_request"  # why a refund came to nothing
_PAYOUTS = {"payout.paid": EventType.STRIPE_PAYOUT_PAID, "payout.failed": EventType.STRIPE_PAYOUT_FAILED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Processed:
    """How an event ended; ``reason`` and ``subject`` where it was parked, or names us. None: it is not known."""

    state: InboxState | None
    reason: ParkReason | None = None
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeDesk:
    """Everything that processing rests on. ``count``: of what no written fact tells."""

    inbox: StripeInbox
    stripe: StripeGateway
    connections: StripeConnections
    checkouts: Checkouts
    stripe_payments: StripePayments
    payments: Payments
    subscriptions: Subscriptions
    invoices: Invoices
    companies: Companies
    count: Callable[[str], None]
    clock: Clock
    ids: Ids

    @property
    def ledger(self) -> StripeLedger:
        return StripeLedger(
            payments=self.payments,
            stripe_payments=self.stripe_payments,
            invoices=self.invoices,
            companies=self.companies,
            clock=self.clock,
            ids=self.ids,
        )


def process_stripe_event(event_id: str, *, desk: StripeDesk) -> Processed:
    """The event has ended: done, ignored or parked. Safe to run twice, at once, and after a crash anywhere.

    Raises: DependencyUnavailable, Busy: it is processed again later.
    """
    return judged_anew(lambda: _processed(event_id, desk), clock=desk.clock, ids=desk.ids)


def settle_stripe_payment(
    tenant_id: str, account_id: str, payment_intent_id: str, *, desk: StripeDesk, paid_for: PaidFor | None = None
) -> Processed:
    """As if an event had told of a payment intent. ``paid_for``: what it is for, as we know ourselves.

    Raises: DependencyUnavailable, Busy.
    """
    settling = _Settling(desk, tenant_id, account_id, payment_intent_id, None, paid_for=paid_for)
    try:
        return judged_anew(settling.run, clock=desk.clock, ids=desk.ids)
    except StripeRefused as refused:
        if refused.code != NO_ACCESS:
            raise
        return Processed(state=InboxState.PARKED, reason=ParkReason.NO_ACCESS, subject=payment_intent_id)


def _processed(event_id: str, desk: StripeDesk) -> Processed:
    entry = desk.inbox.read(event_id)
    if entry is None:
        return Processed(state=None)
    if not entry.is_waiting:
        return Processed(state=entry.state, reason=entry.reason, subject=entry.subject)
    if not entry.event.account_id:
        return _of_platform(desk, entry)
    try:
        return _of_account(desk, entry)
    except StripeRefused as refused:  # all that Stripe is asked is asked before anything is written
        if refused.code != NO_ACCESS:
            raise
    return _ended(desk, entry.parked(ParkReason.NO_ACCESS, desk.clock.now(), subject=entry.event.object_id))


def _of_account(desk: StripeDesk, entry: InboxEntry) -> Processed:
    event, now = entry.event, desk.clock.now()
    about_account = event.event_type in _ACCOUNT
    if not (about_account or event.event_type.startswith(_MONEY)):
        return _ended(desk, entry.ignored(now))
    tenant_id = desk.connections.tenant_of(event.account_id)
    if tenant_id is not None:
        return _account(desk, entry, tenant_id) if about_account else _money(desk, entry, tenant_id)
    if about_account:  # of one that is being made: whoever makes it reads it themselves
        return _ended(desk, entry.ignored(now))
    return _ended(desk, entry.parked(ParkReason.UNKNOWN_ACCOUNT, now, subject=event.account_id))


def _of_platform(desk: StripeDesk, entry: InboxEntry) -> Processed:
    """What a company has with us, whatever of it was told: how it stands at Stripe now."""
    event_type, customer_id, now = entry.event.event_type, entry.event.parent_id, desk.clock.now()
    if not event_type.startswith(_SUBSCRIBED) or not customer_id.startswith("cus_"):
        return _ended(desk, entry.ignored(now))
    tenant_id = desk.subscriptions.tenant_of(customer_id)
    if tenant_id is None:
        return _ended(desk, entry.parked(ParkReason.UNKNOWN_CUSTOMER, now, subject=customer_id))
    # Read before Stripe is asked: whoever writes on another reading of it is refused.
    stored = desk.subscriptions.stored(tenant_id)
    found = current_one(desk.stripe.list_subscriptions(customer_id))
    reason = unfit(stored, customer_id, found)
    if reason is not None:
        return _ended(desk, entry.parked(reason, now, subject=customer_id, tenant_id=tenant_id))
    done = entry.done(now, tenant_id=tenant_id)
    if found is None or stored.knows(found, now):
        return _ended(desk, done)
    told, caller = stored.told(found, now), Caller.system(tenant_id, STRIPE)
    event = subscription_event(stored, told, f"system:{STRIPE}", now)
    notices = subscription_notices(caller, stored, told, companies=desk.companies, at=now)
    desk.subscriptions.save(caller, told, event=event, entry=done, notices=notices)
    return _as_ended(done)


def _money(desk: StripeDesk, entry: InboxEntry, tenant_id: str) -> Processed:
    event = entry.event
    if event.event_type.startswith("payout."):
        return _payout(desk, entry, tenant_id)
    if event.event_type.startswith("checkout.session."):
        return _session(desk, entry, tenant_id)
    payment_intent_id = _payment_intent_of(desk, event)
    if payment_intent_id is None:  # of a charge that no intent of ours made
        return _ended(desk, entry.ignored(desk.clock.now(), tenant_id=tenant_id))
    return _Settling(desk, tenant_id, event.account_id, payment_intent_id, entry).run()


def _ended(desk: StripeDesk, entry: InboxEntry) -> Processed:
    desk.inbox.save(entry)
    return _as_ended(entry)


def _as_ended(entry: InboxEntry) -> Processed:
    return Processed(state=entry.state, reason=entry.reason, subject=entry.subject)


def _payment_intent_of(desk: StripeDesk, event: StripeEvent) -> str | None:
    """The payment intent that an event is about, as it says itself, or as its object does."""
    for named in (event.object_id, event.parent_id):
        if named.startswith("pi_"):
            return named
    if event.object_type == "refund":
        refund = desk.stripe.read_refund(event.account_id, event.object_id)
        return refund.payment_intent_id if refund else None
    if event.object_type == "dispute":
        dispute = desk.stripe.read_dispute(event.account_id, event.object_id)
        return dispute.payment_intent_id if dispute else None
    return None


def _session(desk: StripeDesk, entry: InboxEntry, tenant_id: str) -> Processed:
    """A page that ended without a payment ends the attempt; everything else is told by its payment intent."""
    event, now = entry.event, desk.clock.now()
    session = desk.stripe.read_checkout_session(event.account_id, event.object_id)
    if session is None:
        return _ended(desk, entry.parked(ParkReason.NOT_AT_STRIPE, now, subject=event.object_id, tenant_id=tenant_id))
    paid_for = PaidFor.of(session.metadata)
    if paid_for is None:
        return _ended(desk, entry.ignored(now, tenant_id=tenant_id))
    if paid_for.tenant_id != tenant_id:
        other = ParkReason.OTHER_TENANT
        return _ended(desk, entry.ignored(now, tenant_id=tenant_id, reason=other, subject=event.object_id))
    if session.payment_intent_id is not None:
        found = session.payment_intent_id
        return _Settling(desk, tenant_id, event.account_id, found, entry, session=session, paid_for=paid_for).run()
    if session.status is CheckoutStatus.UNKNOWN:
        unknown = ParkReason.UNKNOWN_STATE
        return _ended(desk, entry.parked(unknown, now, subject=event.object_id, tenant_id=tenant_id))
    book = desk.checkouts.book(tenant_id, paid_for.invoice_id)
    attempt = book.attempt(paid_for.attempt)
    moved = book
    if (
        attempt is not None
        and attempt.account_id == event.account_id
        and attempt.is_of(session, paid_for.metadata)
        and session.status is CheckoutStatus.EXPIRED
    ):
        moved = book.moved(attempt.number, AttemptState.EXPIRED, now)
    done = entry.done(now, tenant_id=tenant_id)
    facts = StripeFacts(entry=done, book=moved if moved is not book else None)
    desk.stripe_payments.write(Caller.system(tenant_id, STRIPE), facts)
    return _as_ended(done)


def _account(desk: StripeDesk, entry: InboxEntry, tenant_id: str) -> Processed:
    event, now = entry.event, desk.clock.now()
    connection = desk.connections.stored(tenant_id)
    current = connection.account
    done = entry.done(now, tenant_id=tenant_id)
    if current is not None and current.account_id == event.account_id:
        caller = Caller.system(tenant_id, STRIPE)
        account = desk.stripe.read_account(event.account_id)
        # An event may be late, or of Stripe's test mode: access is withdrawn when Stripe does not show the account.
        if account is None:
            if connection.state is ConnectionState.CONNECTED:
                withdrawn = _news_event(
                    EventType.STRIPE_ACCOUNT_WITHDRAWN, now, {"account_id": event.account_id}, event.event_id
                )
                desk.connections.save(caller, connection.disconnected(now), event=withdrawn, entry=done)
                return _as_ended(done)
        elif account != current:
            refreshed = connection.refreshed(account, now)
            notices = _account_notices(caller, connection, refreshed, desk, now)
            desk.connections.save(caller, refreshed, entry=done, notices=notices)
            return _as_ended(done)
    return _ended(desk, done)


def _account_notices(
    caller: Caller, before: StripeConnection, after: StripeConnection, desk: StripeDesk, at: datetime
) -> tuple[CompanyNotice, ...]:
    """Customers cannot pay any more what they could: what Stripe waits for. Once for each time that it is so."""
    account = after.account
    if account is None or not before.accepts_payments or after.accepts_payments:
        return ()
    closed = MoneyFact(
        kind=NoticeKind.CHARGES_CLOSED,
        subject=account.account_id,
        answer_url=f"{DASHBOARD}/{account.account_id}",
        reason=account.disabled_reason,
        awaited=account.requirements_due,
    )
    return addressed(caller, (closed,), str(after.version), companies=desk.companies, at=at)


def _payout(desk: StripeDesk, entry: InboxEntry, tenant_id: str) -> Processed:
    """Kept, and told to the company when its bank has it, or refused it."""
    event, now = entry.event, desk.clock.now()
    payout = desk.stripe.read_payout(event.account_id, event.object_id)
    if payout is None:
        return _ended(desk, entry.parked(ParkReason.NOT_AT_STRIPE, now, subject=event.object_id, tenant_id=tenant_id))
    event_type = _PAYOUTS.get(event.event_type)
    done = entry.done(now, tenant_id=tenant_id)
    news: tuple[StripeNews, ...] = ()
    if event_type is not None:
        data: dict[str, str | int] = {
            "payout_id": payout.payout_id,
            "amount_minor": payout.amount_minor,
            "currency": payout.currency,
            "status": payout.status,
            "arrival_date": payout.arrival_date.isoformat(),
        }
        news = (StripeNews(event=_news_event(event_type, now, data, event.event_id)),)
    desk.stripe_payments.write(Caller.system(tenant_id, STRIPE), StripeFacts(entry=done, news=news))
    return _as_ended(done)


def _news_event(event_type: EventType, at: datetime, data: dict[str, str | int], *facts: str) -> Event:
    """An event that can only happen once: its id is made of the facts behind it."""
    return Event(
        event_id=derived_event_id("stripe", event_type, *facts),
        event_type=event_type,
        occurred_at=at,
        actor=f"system:{STRIPE}",
        data=data,
    )


@dataclass(frozen=True, slots=True)
class _Settling:
    """One payment intent, read again and brought into the ledger; with the event that told of it, if one did."""

    desk: StripeDesk
    tenant_id: str
    account_id: str
    payment_intent_id: str
    entry: InboxEntry | None
    session: CheckoutSession | None = None  # that the event is about
    paid_for: PaidFor | None = None

    def run(self) -> Processed:
        desk = self.desk
        # Read before Stripe is asked: whoever writes on another reading of the record is refused.
        stored = desk.stripe_payments.stored(self.tenant_id, self.payment_intent_id)
        intent = desk.stripe.read_payment_intent(self.account_id, self.payment_intent_id)
        if intent is None:
            return self._parked(ParkReason.NOT_AT_STRIPE)
        # Anybody at the company can change the metadata later: what was known once stays so.
        paid_for = stored.paid_for if stored else self.paid_for or PaidFor.of(intent.metadata)
        if paid_for is None:
            return self._ignored()
        if paid_for.tenant_id != self.tenant_id:
            return self._ignored(ParkReason.OTHER_TENANT)
        return self._of_invoice(paid_for, intent, stored)

    def _of_invoice(self, paid_for: PaidFor, intent: PaymentIntent, stored: StripePayment | None) -> Processed:
        context = self.desk.checkouts.load(self.tenant_id, paid_for.invoice_id)
        invoice, attempt = context.invoice, context.book.attempt(paid_for.attempt)
        if stored is None and not self._is_ours(paid_for, attempt):
            # No key of the company's makes an object of a platform: we made it, and the table was restored since.
            if intent.application_id:
                return self._parked(ParkReason.NOT_REMEMBERED)
            if self._may_be_forgotten(context.book, paid_for):
                return self._parked(ParkReason.NOT_OURS)
            return self._ignored(ParkReason.NOT_OURS)
        if not isinstance(invoice, IssuedInvoice) or invoice.document.document_type.is_credit_note:
            return self._parked(ParkReason.UNKNOWN_INVOICE)
        mismatch = self._mismatch(intent, invoice, attempt, stored)
        if mismatch is not None:
            return self._parked(mismatch)
        record = stored or StripePayment.new(paid_for, self.account_id, intent)
        return self._settled(record, self._seen(intent, attempt, record), context, invoice)

    def _is_ours(self, paid_for: PaidFor, attempt: CheckoutAttempt | None) -> bool:
        """Whether it came of the page of that attempt, as Stripe says; what an intent says of itself is no proof."""
        if attempt is None:
            return False
        if attempt.payment_intent_id is not None:
            return attempt.payment_intent_id == self.payment_intent_id
        session = self._page()
        return session is not None and attempt.is_of(session, paid_for.metadata)

    def _may_be_forgotten(self, book: CheckoutBook, paid_for: PaidFor) -> bool:
        """Whether it came of some page, and names an attempt that was made and is not remembered: it may be real."""
        made = 0 < paid_for.attempt <= book.made and book.attempt(paid_for.attempt) is None
        return made and self._page() is not None

    def _page(self) -> CheckoutSession | None:
        return self.session or self.desk.stripe.session_of_payment_intent(self.account_id, self.payment_intent_id)

    def _mismatch(
        self,
        intent: PaymentIntent,
        invoice: IssuedInvoice,
        attempt: CheckoutAttempt | None,
        stored: StripePayment | None,
    ) -> ParkReason | None:
        """How what was paid differs from what was opened."""
        if stored is not None and (stored.account_id, stored.invoice_id) != (self.account_id, invoice.invoice_id):
            return ParkReason.OTHER_ACCOUNT
        if attempt is not None and attempt.account_id != self.account_id:
            return ParkReason.OTHER_ACCOUNT
        if intent.currency != invoice.document.currency:  # that of every attempt, too: it is frozen
            return ParkReason.OTHER_CURRENCY
        wanted = {one.amount_minor for one in (attempt, stored) if one is not None} or {intent.amount_minor}
        succeeded = intent.status is PaymentIntentStatus.SUCCEEDED
        if wanted != {intent.amount_minor} or (succeeded and intent.received_minor != intent.amount_minor):
            return ParkReason.OTHER_AMOUNT
        return None

    def _seen(self, intent: PaymentIntent, attempt: CheckoutAttempt | None, record: StripePayment) -> SeenAtStripe:
        desk, account_id, charge = self.desk, self.account_id, intent.charge
        event = self.entry.event if self.entry else None
        session_id = (attempt.session_id if attempt else None) or (self.session.session_id if self.session else None)
        session = None
        if intent.status is PaymentIntentStatus.REQUIRES_PAYMENT_METHOD and session_id is not None:
            session = self._page_of(intent, session_id)
        refunded = charge is not None and charge.paid and charge.refunded_minor > 0
        disputed = charge is not None and charge.disputed
        about_refund = event is not None and (event.object_type == "refund" or event.event_type == "charge.refunded")
        about_dispute = event is not None and event.object_type == "dispute"
        settling = event is None
        return SeenAtStripe(
            intent=intent,
            session=session,
            refunds=desk.stripe.list_refunds(account_id, self.payment_intent_id)
            if refunded or about_refund or settling or record.refunds or record.requests
            else (),
            disputes=desk.stripe.list_disputes(account_id, self.payment_intent_id)
            if disputed or about_dispute or settling or record.disputes
            else (),
        )

    def _page_of(self, intent: PaymentIntent, session_id: str) -> CheckoutSession | None:
        """The page of an intent that wants a means of payment. It is done: the bank refused, or they paid just now.

        Raises: StaleVersion, where the intent says something else by now: what was read is of several moments.
        """
        session = self.desk.stripe.read_checkout_session(self.account_id, session_id)
        if session is not None and session.status is CheckoutStatus.COMPLETE:
            by_now = self.desk.stripe.read_payment_intent(self.account_id, self.payment_intent_id)
            if by_now is not None and by_now.status is not intent.status:
                raise StaleVersion
        return session

    def _settled(
        self, record: StripePayment, seen: SeenAtStripe, context: CheckoutContext, invoice: IssuedInvoice
    ) -> Processed:
        """Fact after fact, each in a transaction of its own; the last one ends the event."""
        caller, book = Caller.system(self.tenant_id, STRIPE), context.book
        stored = record
        known = {one.subject: one for one in record.unborne}
        told, facts = self._told(record, seen, invoice)
        unfit: dict[Booking, ParkReason] = {}
        missing: dict[str, int] = {}
        unknown = seen.not_understood(record)
        while True:
            booking = told.next_booking(besides=frozenset(unfit))
            if booking is not None and seen.is_in_other_currency(booking.subject, told.currency):
                unfit[booking] = ParkReason.OTHER_CURRENCY
                continue
            judged = self._judged(caller, told, booking, book)
            if booking is not None and booking.kind is BookingKind.DISPUTE_REST and judged == told:
                unfit[booking] = ParkReason.NOTHING_TO_REFUND
                continue
            after = judged.booked(booking, self.desk.clock.now()) if booking else judged
            last = after.next_booking(besides=frozenset(unfit)) is None
            after, counts = self._counted(after, booking, facts.counts, last=last)
            lacking = _Lacking.of(stored, after, booking, unfit, missing, book, last=last)
            after = lacking.told(after, self.desk.clock.now(), parked=last and self.entry is not None)
            noted = after.noted_minor - told.noted_minor  # less than nothing when it came back itself
            moved = self._moved(book, after, seen).given_back_by_notes(noted)
            moved = moved.with_coming_back(after.coming_back(), after.named)
            if moved.version > book.version:  # whatever moved it, it is one version
                moved = replace(moved, version=book.version + 1)
            # What does not fit was judged by reads of several moments: it is only so while nobody else booked anything.
            # Nor are the book and the promise, which follow from the record, written by an older reading of it.
            changed = after != stored or bool(unfit) or moved is not book
            written = replace(
                facts,
                news=(
                    *facts.news,
                    *lacking.news(after, self.desk.clock.now()),
                    *self._noted_later(after, booking, noted, known),
                ),
                notices=(*facts.notices, *self._lacking_notices(lacking, after, invoice)),
                record=after.next_after(stored) if changed else None,
                book=moved if moved is not book else None,
                entry=self._end(_left(unfit, unknown, known)) if last else None,
                counts=counts,
                booked=self._day_booking(after, booking, lacking),
                on_paper=(*facts.on_paper, *self._on_paper_again(told, booking, noted)),
                credit=self.desk.ledger.promise_of(caller, after, book, moved)
                if told.is_quiet(booking, after)
                else None,
            )
            try:
                if booking is not None:
                    moved = self.desk.ledger.book(caller, after, booking, invoice, written) or moved
                elif written != StripeFacts():
                    self.desk.stripe_payments.write(caller, written)
            except DoesNotFit as refused:
                if booking is not None:
                    unfit[booking] = refused.reason
                    missing[booking.subject] = refused.missing_minor
                continue
            if last:
                return self._outcome(_left(unfit, unknown, known), known)
            stored = told = written.record or stored
            facts, book = StripeFacts(), moved

    def _judged(
        self, caller: Caller, told: StripePayment, booking: Booking | None, book: CheckoutBook
    ) -> StripePayment:
        """With how much of a fact the ledger is to move, and how much is what credit notes gave back on paper."""
        if booking is not None and booking.kind is BookingKind.REFUND:
            noted = self.desk.ledger.by_notes(caller, told, told.refund(booking.subject), book)
            return told.refund_by_notes(booking.subject, noted)
        if booking is not None and booking.kind is BookingKind.REFUND_RETURNED:
            return told.refund_back(booking.subject)
        if booking is not None and booking.kind is BookingKind.DISPUTE_REST:
            noted, rest = self.desk.ledger.rest_of_dispute(caller, told, booking.subject, book)
            return told.dispute_rest(booking.subject, rest, by_note_minor=noted)
        if booking is not None and booking.kind is BookingKind.DISPUTE_LOST:
            # What the payment still keeps is booked; the rest is a fact of its own, for when the books can bear it.
            noted, short = self.desk.ledger.parts_of_dispute(caller, told, told.dispute(booking.subject), book)
            return told.dispute_parts(booking.subject, by_note_minor=noted, short_minor=short)
        return told

    def _counted(
        self, after: StripePayment, booking: Booking | None, counts: tuple[str, ...], *, last: bool
    ) -> tuple[StripePayment, tuple[str, ...]]:
        if booking is not None and booking.kind is BookingKind.PAYMENT:
            counts = (*counts, "PaymentSucceeded")
        # A card that is declined leaves no trace but its event: counted where that ends, so that it is counted once.
        if last and self._declined and after.state is not StripePaymentState.FAILED:
            after = replace(after, failures=after.failures + 1)
            counts = (*counts, "PaymentFailed", "PaymentAttempted")
        return after, counts

    @property
    def _declined(self) -> bool:
        return self.entry is not None and self.entry.event.event_type == DECLINED

    def _told(
        self, record: StripePayment, seen: SeenAtStripe, invoice: IssuedInvoice
    ) -> tuple[StripePayment, StripeFacts]:
        """The record with all that was read, the news that it is, and what it counts."""
        now = self.desk.clock.now()
        told = record.told(seen)
        if told.disputes:
            document = invoice.document
            told = replace(told, invoice_number=document.number, customer_name=document.buyer.name)
        counts: list[str] = []
        news: list[StripeNews] = []
        if told.state in _CONFIRMED and not told.attempted:
            told = replace(told, attempted=True)
            counts.append("PaymentAttempted")
        if told.state is StripePaymentState.FAILED and record.state is not told.state:  # whoever told of it
            told = replace(told, failures=told.failures + 1)
            counts.append("PaymentFailed")
        event_type = _NEWS.get(told.state) if told.state is not record.state else None
        if event_type is not None:
            data: dict[str, str | int] = {
                "invoice_id": told.invoice_id,
                "amount_minor": told.amount_minor,
                "failure_code": _failure_code(told),
            }
            event = _news_event(event_type, now, data, told.payment_intent_id)
            news.append(StripeNews(event=event, invoice_id=told.invoice_id))
        news += [
            StripeNews(event=_failed_refund_event(told, refund, now), invoice_id=told.invoice_id)
            for refund in told.refunds_lost(record)
        ]
        known = {dispute.dispute_id for dispute in record.disputes}
        for dispute in told.disputes_moved(record):
            if dispute.dispute_id not in known:
                counts.append("PaymentDisputed")
            news.append(StripeNews(event=_dispute_event(told, dispute, now), invoice_id=told.invoice_id))
        unanswered = tuple(
            self._paper_refund(told, refund.refund_id)
            for refund in told.refunds_lost(record)
            if (request := told.request(refund.request_id)) is not None and request.kept_by_notes_minor
        )
        caller, written_of = Caller.system(self.tenant_id, STRIPE), _to_write_of(record, told, seen, invoice)
        notices = addressed(caller, written_of, str(record.version), companies=self.desk.companies, at=now)
        return told, StripeFacts(news=tuple(news), counts=tuple(counts), on_paper=unanswered, notices=notices)

    def _lacking_notices(
        self, lacking: _Lacking, record: StripePayment, invoice: IssuedInvoice
    ) -> tuple[CompanyNotice, ...]:
        caller, at = Caller.system(self.tenant_id, STRIPE), self.desk.clock.now()
        facts = lacking.facts(record, invoice)
        return addressed(caller, facts, str(record.version), companies=self.desk.companies, at=at)

    def _day_booking(self, after: StripePayment, booking: Booking | None, lacking: _Lacking) -> DayBooking | None:
        """What the night looks for; of a dispute that is in no part in the ledger, what that lacks."""
        lost = [Booking(kind=BookingKind.DISPUTE_REST, subject=one.subject) for one in lacking.fresh if one.is_dispute]
        looked_for = booking or next(iter(lost), None)
        return after.day_booking(looked_for, self.desk.clock.today()) if looked_for else None

    def _noted_later(
        self, after: StripePayment, booking: Booking | None, noted: int, known: Container[str]
    ) -> tuple[StripeNews, ...]:
        """Of a loss that the books could not bear, what credit notes gave back since: no ledger moves with it."""
        if booking is None or booking.subject not in known or noted <= 0:
            return ()
        whole = booking.kind is BookingKind.DISPUTE_LOST and not after.dispute(booking.subject).moved_minor
        if not whole and booking.kind is not BookingKind.DISPUTE_REST:
            return ()
        return (self.desk.ledger.given_back_news(after, booking, noted),)

    def _on_paper_again(self, told: StripePayment, booking: Booking | None, noted: int) -> tuple[PaperRefund, ...]:
        """What was a credit note's came back, of a refund or a dispute: it is on paper only, once more."""
        return (self._paper_refund(told, booking.subject),) if booking is not None and noted < 0 else ()

    def _paper_refund(self, told: StripePayment, subject: str) -> PaperRefund:
        return PaperRefund(day=self.desk.clock.today(), subject=subject, invoice_id=told.invoice_id)

    def _moved(self, book: CheckoutBook, record: StripePayment, seen: SeenAtStripe) -> CheckoutBook:
        """The attempt as the payment makes it. While what came is in no ledger, nobody is asked to pay again."""
        state = record.state.attempt
        if state is None and seen.page_expired:
            state = AttemptState.EXPIRED
        if state is AttemptState.SUCCEEDED and not record.payment_id:
            state = AttemptState.PROCESSING
        if state is None:
            return book
        moved = book.moved(
            record.attempt,
            state,
            self.desk.clock.now(),
            payment_intent_id=record.payment_intent_id,
            failure_code=_failure_code(record),
        )
        if state not in {AttemptState.PROCESSING, AttemptState.SUCCEEDED}:
            return moved
        charge = seen.intent.charge  # of a debit it is there before it is paid
        charged_at = record.charged_at if method_of(record.method) is PaymentMethod.CARD else None
        method = charge.method if charge else record.method
        return moved.paid_by(record.attempt, method, charged_at=charged_at).given_back(
            record.attempt,
            record.with_customer_minor,
            record.with_customer_at,
            coming_minor=record.on_its_way_back_minor,
            for_notes=record.for_notes,
            contested_for_notes_minor=record.contested_for_notes_minor,
            contested=record.is_contested,
        )

    def _end(self, left: list[tuple[ParkReason, str]]) -> InboxEntry | None:
        if self.entry is None:
            return None
        now = self.desk.clock.now()
        for reason, subject in left:
            return self.entry.parked(reason, now, subject=subject, tenant_id=self.tenant_id)
        return self.entry.done(now, tenant_id=self.tenant_id)

    def _outcome(self, left: list[tuple[ParkReason, str]], known: dict[str, Unborne]) -> Processed:
        """``known``: what the books could not bear before, either: without an event it rings once."""
        rings = any(reason is not ParkReason.NOTHING_TO_REFUND or subject not in known for reason, subject in left)
        for reason, subject in left:
            if self.entry is None and rings:
                self.desk.count("StripeEventParked")
            return Processed(state=InboxState.PARKED, reason=reason, subject=subject)
        return Processed(state=InboxState.DONE)

    def _parked(self, reason: ParkReason) -> Processed:
        subject = self.payment_intent_id
        if self.entry is None:
            if reason is not ParkReason.NOT_AT_STRIPE:  # who asked judges by how often it is not there
                self.desk.count("StripeEventParked")
            return Processed(state=InboxState.PARKED, reason=reason, subject=subject)
        now = self.desk.clock.now()
        return _ended(self.desk, self.entry.parked(reason, now, subject=subject, tenant_id=self.tenant_id))

    def _ignored(self, reason: ParkReason | None = None) -> Processed:
        """A payment of the company's own account that ZenBilling did not ask for; ``reason``: though it says so."""
        subject = self.payment_intent_id if reason else ""
        if self.entry is None:
            return Processed(state=InboxState.IGNORED, reason=reason, subject=subject)
        now = self.desk.clock.now()
        ignored = self.entry.ignored(now, tenant_id=self.tenant_id, reason=reason, subject=subject)
        return _ended(self.desk, ignored)


def _failure_code(record: StripePayment) -> str:
    """A card that was declined before another one was taken is no failure of the payment."""
    return record.last_error_code if record.state is StripePaymentState.FAILED else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lacking:
    """What the books lack once something is written, as far as the company is told of it with that.

    ``unborne``: every refund and lost dispute that they cannot bear; ``fresh``: of those, what it was not told of.
    ``losses``: disputes whose loss it was not told of, either.
    """

    unborne: tuple[str, ...]
    fresh: tuple[UnborneFact, ...]
    losses: tuple[str, ...]

    @classmethod
    def of(
        cls,
        stored: StripePayment,
        after: StripePayment,
        booking: Booking | None,
        unfit: dict[Booking, ParkReason],
        missing: dict[str, int],
        book: CheckoutBook,
        *,
        last: bool,
    ) -> _Lacking:
        untold = {one.dispute_id for one in after.disputes if one.status is DisputeStatus.LOST and not one.loss_told}
        known = [one.subject for one in stored.unborne if one.subject not in untold]
        found = [one.subject for one, reason in unfit.items() if reason is ParkReason.NOTHING_TO_REFUND]
        if booking is not None and booking.kind is BookingKind.DISPUTE_LOST and after.rest_of(booking.subject):
            found.append(booking.subject)  # in part: in the same transaction
        kept = [*(known if not last else ()), *found]
        fresh = [one for one in dict.fromkeys(kept) if one not in known][:TOLD_AT_ONCE]
        losses = [
            one.dispute_id
            for one in after.disputes
            if one.status is DisputeStatus.LOST and not one.loss_told and (last or one.booked)
        ]
        return cls(
            unborne=tuple(one for one in dict.fromkeys(kept) if one in known or one in fresh),
            fresh=tuple(unborne_fact(after, one, missing.get(one, 0), book) for one in fresh),
            losses=tuple(one for one in losses if one in fresh or one not in kept),
        )

    def told(self, record: StripePayment, at: datetime, *, parked: bool) -> StripePayment:
        """The record once the company is told."""
        written_of = {*self.losses, *(one.subject for one in self.fresh)}
        disputes = tuple(
            replace(one, loss_told=True) if one.dispute_id in written_of else one for one in record.disputes
        )
        record = replace(record, disputes=disputes)
        return record.bearing(self.unborne, at, parked=parked) if self.unborne or record.unborne else record

    def news(self, record: StripePayment, at: datetime) -> tuple[StripeNews, ...]:
        return tuple(
            StripeNews(event=unborne_event(record, one, at), invoice_id=record.invoice_id) for one in self.fresh
        )

    def facts(self, record: StripePayment, invoice: IssuedInvoice) -> tuple[MoneyFact, ...]:
        """What it is written of. A dispute's loss and what the books lack of it are one mail."""
        unborne = {one.subject: one for one in self.fresh}
        disputes = dict.fromkeys((*self.losses, *(one.subject for one in self.fresh if one.is_dispute)))
        return (
            *(refund_not_borne(record, one, invoice) for one in self.fresh if not one.is_dispute),
            *(dispute_lost(record, one, unborne.get(one), invoice) for one in disputes),
        )


def _left(unfit: dict[Booking, ParkReason], unknown: str, known: dict[str, Unborne]) -> list[tuple[ParkReason, str]]:
    """What a person has to look at, and why. ``known``: what the books could not bear before, either."""
    parked = {one.subject for one in known.values() if one.parked}
    found = [
        (reason, booking.subject)
        for booking, reason in unfit.items()
        if booking.kind is not BookingKind.DISPUTE_REST or booking.subject not in parked
    ]
    return [*found, *([(ParkReason.UNKNOWN_STATE, unknown)] if unknown else [])]


def _to_write_of(
    before: StripePayment, told: StripePayment, seen: SeenAtStripe, invoice: IssuedInvoice
) -> tuple[MoneyFact, ...]:
    """What the company is written of a payment: what it may have to act on, and how it ended. Never what it knows."""
    facts = []
    if told.state is StripePaymentState.FAILED and before.state is not told.state:
        document = invoice.document
        facts.append(
            MoneyFact(
                kind=NoticeKind.PAYMENT_FAILED,
                subject=told.payment_intent_id,
                amount_minor=told.amount_minor,
                currency=told.currency,
                invoice_id=told.invoice_id,
                invoice_number=document.number,
                customer_name=document.buyer.name,
                reason=told.last_error_code,
                method=seen.intent.charge.method if seen.intent.charge else told.method,
            )
        )
    refused = {refund.refund_id for refund in before.refunds if refund.status is StripeRefundStatus.FAILED}
    for refund in told.refunds:
        if refund.status is not StripeRefundStatus.FAILED or refund.refund_id in refused:
            continue
        if refund.failure_reason != _BY_THE_COMPANY:
            facts.append(
                MoneyFact(
                    kind=NoticeKind.REFUND_FAILED,
                    subject=refund.refund_id,
                    amount_minor=refund.amount_minor,
                    currency=told.currency,
                    invoice_id=told.invoice_id,
                    invoice_number=invoice.document.number,
                    customer_name=invoice.document.buyer.name,
                    reason=refund.failure_reason,
                )
            )
    known = {dispute.dispute_id: dispute.status for dispute in before.disputes}
    for dispute in told.disputes:
        kind = _WRITTEN_OF.get(dispute.status)
        if kind is not None and known.get(dispute.dispute_id) is not dispute.status:
            facts.append(dispute_fact(kind, told, dispute.dispute_id))
    return tuple(facts)


def _failed_refund_event(record: StripePayment, refund: MirroredRefund, at: datetime) -> Event:
    data: dict[str, str | int] = {
        "payment_id": record.payment_id,
        "amount_minor": refund.amount_minor,
        "refund_amount_minor": refund.amount_minor,
        "failure_reason": refund.failure_reason,
    }
    return _news_event(EventType.PAYMENT_REFUND_RETURNED, at, data, record.payment_intent_id, refund.refund_id)


def _dispute_event(record: StripePayment, dispute: MirroredDispute, at: datetime) -> Event:
    due = dispute.evidence_due_by.isoformat() if dispute.evidence_due_by else ""
    data: dict[str, str | int] = {
        "payment_id": record.derived_payment_id,
        "invoice_id": record.invoice_id,
        "dispute_id": dispute.dispute_id,
        "status": dispute.status.value,
        "reason": dispute.reason,
        "amount_minor": dispute.amount_minor,
        "evidence_due_by": due,
    }
    # By the version that it was told on: a dispute may come back to where it stood.
    facts = (dispute.dispute_id, dispute.status.value, str(record.version))
    return _news_event(EventType.PAYMENT_DISPUTE_MOVED, at, data, *facts)
