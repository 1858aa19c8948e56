"""The memory behind the fake repositories: one lock is one transaction; values are immutable, so reads share them."""

from __future__ import annotations

import threading
from collections import Counter as Tally
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime

from billing.domain.access import NOWHERE, Caller, Membership, Origin
from billing.domain.bulk import BulkJob, BulkResult
from billing.domain.chain_head import ChainHead
from billing.domain.checkout import CheckoutBook
from billing.domain.customer_account import AccountMovement
from billing.domain.customer_credit import CustomerCredit, CustomerCreditEntry
from billing.domain.delivery import DeliveryRequest, MailClaim
from billing.domain.errors import IdempotencyKeyReused, MembershipChanged, PageTokenInvalid
from billing.domain.events import Event
from billing.domain.feed import AuditTrail, FeedHead, PlacedEvent, UnplacedEvent
from billing.domain.invoice import Invoice
from billing.domain.invoice_links import InvoiceLinkBook
from billing.domain.ledger import LedgerEntry
from billing.domain.notices import CompanyNotice
from billing.domain.numbering import Series, SeriesStart, SeriesState
from billing.domain.parties import Company, Customer, PriceChange, Product
from billing.domain.payments import Payment
from billing.domain.quote import Quote
from billing.domain.reconciliation import Reconciliation
from billing.domain.recurring_invoice import RecurringInvoice
from billing.domain.reminders import Reminder, ReminderHold, ReminderPause, ReminderPlan, ReminderRun
from billing.domain.stripe_connection import StripeConnection
from billing.domain.stripe_inbox import InboxEntry
from billing.domain.stripe_payment import DayBooking, PaperRefund, StripePayment
from billing.domain.subscription import Subscription
from billing.domain.verification import Verification
from billing.domain.webhooks import WebhookBook, WebhookDelivery
from billing.ports.idempotency import AlreadyAnswered, Answer, IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.stripe_payments import StripeFacts

SHARDS = 4


@dataclass(frozen=True, slots=True)
class Placed:
    """The record of one number of a series."""

    number: str
    invoice_id: str
    document_hash: str


@dataclass(slots=True)
class Waiting:
    """An entry of the outbox: how many executions were counted, and when the last one was."""

    executions: int
    touched_at: datetime


@dataclass
class Store:
    """Everything a table would hold, by tenant first."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    tenants: dict[str, str] = field(default_factory=dict)
    founded_at: dict[str, datetime] = field(default_factory=dict)
    memberships: dict[tuple[str, str], Membership] = field(default_factory=dict)
    companies: dict[str, Company] = field(default_factory=dict)
    customers: dict[tuple[str, str], Customer] = field(default_factory=dict)
    products: dict[tuple[str, str], Product] = field(default_factory=dict)
    prices: dict[tuple[str, str], tuple[PriceChange, ...]] = field(default_factory=dict)
    references: dict[tuple[str, str], str] = field(default_factory=dict)
    claims_of_references: dict[tuple[str, str], tuple[str, datetime]] = field(default_factory=dict)
    invoices: dict[tuple[str, str], Invoice] = field(default_factory=dict)
    quotes: dict[tuple[str, str], Quote] = field(default_factory=dict)
    recurring: dict[tuple[str, str], RecurringInvoice] = field(default_factory=dict)
    periods: dict[tuple[str, str, date], str] = field(default_factory=dict)
    bulk_jobs: dict[tuple[str, str], BulkJob] = field(default_factory=dict)
    bulk_selections: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    bulk_results: dict[tuple[str, str], dict[int, BulkResult]] = field(default_factory=dict)
    webhook_books: dict[str, WebhookBook] = field(default_factory=dict)
    webhook_deliveries: dict[tuple[str, str, int], WebhookDelivery] = field(default_factory=dict)
    reminders: dict[tuple[str, str], Reminder] = field(default_factory=dict)
    notices: dict[tuple[str, str], CompanyNotice] = field(default_factory=dict)
    reminder_plans: dict[str, ReminderPlan] = field(default_factory=dict)
    reminder_runs: dict[str, ReminderRun] = field(default_factory=dict)
    reminder_holds: dict[tuple[str, str], ReminderHold] = field(default_factory=dict)
    reminder_pauses: dict[tuple[str, str], ReminderPause] = field(default_factory=dict)
    revisions: dict[tuple[str, str, int], Quote] = field(default_factory=dict)
    series: dict[tuple[str, Series], SeriesState] = field(default_factory=dict)
    series_starts: dict[tuple[str, Series], SeriesStart] = field(default_factory=dict)
    places: dict[tuple[str, Series, int, int], Placed] = field(default_factory=dict)
    numbers: dict[tuple[str, str], str] = field(default_factory=dict)
    entries: dict[tuple[str, str], tuple[LedgerEntry, ...]] = field(default_factory=dict)
    events: dict[tuple[str, str], tuple[Event, ...]] = field(default_factory=dict)
    answers: dict[tuple[str, str, str], tuple[str, Answer]] = field(default_factory=dict)
    requests: dict[tuple[str, str, int], DeliveryRequest] = field(default_factory=dict)
    credits: dict[tuple[str, str], CustomerCredit] = field(default_factory=dict)
    credit_entries: dict[tuple[str, str], tuple[CustomerCreditEntry, ...]] = field(default_factory=dict)
    payments: dict[tuple[str, str], Payment] = field(default_factory=dict)
    replaced: dict[tuple[str, str], str] = field(default_factory=dict)  # credited invoices, by what took their place
    checkout_books: dict[tuple[str, str], CheckoutBook] = field(default_factory=dict)
    invoice_links: dict[tuple[str, str], InvoiceLinkBook] = field(default_factory=dict)
    stripe_connections: dict[str, StripeConnection] = field(default_factory=dict)
    stripe_accounts: dict[str, str] = field(default_factory=dict)
    stripe_events: dict[str, InboxEntry] = field(default_factory=dict)
    stripe_days: dict[tuple[str, str, date], Reconciliation] = field(default_factory=dict)
    stripe_days_due: dict[tuple[str, str], date] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    stripe_customers: dict[str, str] = field(default_factory=dict)
    stripe_payments: dict[tuple[str, str], StripePayment] = field(default_factory=dict)
    counted: Tally[str] = field(default_factory=Tally)
    streamed: list[StripeFacts] = field(default_factory=list)  # what was written of Stripe, in order, part by part
    stripe_booked: dict[tuple[str, date, str, str], DayBooking] = field(default_factory=dict)
    on_paper: dict[tuple[str, date, str], PaperRefund] = field(default_factory=dict)
    movements: dict[tuple[str, str], tuple[AccountMovement, ...]] = field(default_factory=dict)
    claims: dict[tuple[str, str, int, str], MailClaim] = field(default_factory=dict)
    verifications: dict[tuple[str, str], Verification] = field(default_factory=dict)
    outbox: dict[tuple[str, str, str, int], Waiting] = field(default_factory=dict)
    unplaced: dict[tuple[str, str], UnplacedEvent] = field(default_factory=dict)
    feed: dict[str, tuple[PlacedEvent, ...]] = field(default_factory=dict)
    feed_heads: dict[str, FeedHead] = field(default_factory=dict)
    chain_heads: dict[tuple[str, date], ChainHead | None] = field(default_factory=dict)
    awaited_heads: set[tuple[str, date]] = field(default_factory=set)
    acting: Caller | None = None

    def check(self, caller: Caller, once: IdempotentRequest | None = None) -> None:
        """Raises: MembershipChanged, then AlreadyAnswered or IdempotencyKeyReused."""
        membership = self.memberships.get((caller.tenant_id, caller.user_id))
        if not caller.is_system and (membership is None or membership.version != caller.membership_version):
            raise MembershipChanged
        if once is None:
            return
        standing = self.answers.get((caller.tenant_id, once.operation, once.key))
        if standing is None:
            return
        fingerprint, answer = standing
        if fingerprint != once.fingerprint:
            raise IdempotencyKeyReused
        raise AlreadyAnswered(answer)

    @contextmanager
    def writing(
        self, caller: Caller, *, once: IdempotentRequest | None = None, answered: object = None
    ) -> Iterator[None]:
        """A write: checks first, then its body, then the answer; the body must check before it changes anything."""
        with self.lock:
            self.check(caller, once)
            answer = once.answer_of(answered) if once else None
            self.acting = caller
            try:
                yield
            finally:
                self.acting = None
            if once and answer:
                self.answers[caller.tenant_id, once.operation, once.key] = (once.fingerprint, answer)

    def checkouts_of(self, tenant_id: str, invoice_id: str) -> CheckoutBook:
        known = self.checkout_books.get((tenant_id, invoice_id))
        return known or CheckoutBook(tenant_id=tenant_id, invoice_id=invoice_id)

    def current(self, tenant_id: str, customer_id: str) -> Customer | None:
        """A customer, or the one that it became."""
        customer = self.customers.get((tenant_id, customer_id))
        while customer is not None and customer.merged_into is not None:
            customer = self.customers.get((tenant_id, customer.merged_into))
        return customer

    def ids_of(self, tenant_id: str, customer_id: str) -> tuple[str, ...]:
        """Every id under which the documents of a customer stand."""
        customer = self.current(tenant_id, customer_id)
        return customer.ids if customer else (customer_id,)

    def record(self, tenant_id: str, subject_id: str, event: Event, origin: Origin = NOWHERE) -> None:
        """The event beside its subject, and waiting for its place in the feed."""
        self.events[tenant_id, subject_id] = (*self.events.get((tenant_id, subject_id), ()), event)
        self.unplaced[tenant_id, event.event_id] = UnplacedEvent(
            tenant_id=tenant_id,
            subject_id=tenant_id if subject_id == "company" else subject_id,
            event=event,
            audit=AuditTrail.of(self.acting, event, origin),
        )


def shard_of(tenant_id: str) -> int:
    return sum(tenant_id.encode()) % SHARDS


def paged(rows: list[tuple[str, object]], page: PageRequest, *, forward: bool = True) -> Page[object]:
    """One page of rows (order, item); the position is the last order seen, so that inserts never shift a page.

    Raises: PageTokenInvalid.
    """
    ordered = sorted(rows, key=lambda row: row[0].encode(), reverse=not forward)
    if page.position is not None:
        if not page.position.startswith("after "):
            raise PageTokenInvalid
        mark = page.position.removeprefix("after ").encode()
        ordered = [row for row in ordered if (row[0].encode() > mark if forward else row[0].encode() < mark)]
    shown = ordered[: page.limit]
    more = len(ordered) > len(shown)
    return Page(items=tuple(item for _, item in shown), position=f"after {shown[-1][0]}" if more else None)
