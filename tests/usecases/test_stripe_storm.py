"""Five thousand events for three hundred invoices, each repeated, shuffled, crashing, by eight workers: the books are
what the facts at Stripe make them, nothing is lost and nothing is there twice.
"""

from __future__ import annotations

import random
import threading
import uuid
from collections import Counter as Tally
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast

import pytest

from billing.adapters.dynamodb.stripe_payments import facts_writes
from billing.adapters.dynamodb.table import EventWrite, Table
from billing.domain.crediting import Excess
from billing.domain.errors import Busy, DependencyUnavailable
from billing.domain.invoice import IssuedInvoice
from billing.domain.notices import NoticeKind, is_notice_id
from billing.domain.stripe import DisputeStatus, PaymentIntentStatus, StripeRefundStatus
from billing.domain.stripe_inbox import InboxEntry, InboxState
from billing.ports.stripe_inbox import SHARDS
from billing.usecases.payments import RefundInput
from billing.usecases.stripe_events import StripeDesk, process_stripe_event
from billing.usecases.stripe_refunds import StripeRefundInput, refund_by_its_means
from streams import start_workflows
from tests.fakes.clock import MORNING
from tests.fakes.crashes import Crashed, CrashPoint
from tests.usecases.conftest import Shop
from tests.usecases.stripe_desk import Till
from tests.usecases.test_credit_notes import credit, part

INVOICES, EVENTS, WORKERS = 300, 5_000, 8
REFUSALS = 6  # of cards, before the page expires and the customer opens another one
CRASHING = 0.45  # are to die at a call that not every run comes to: a fifth of the runs do
TOTAL, NOTE, NOTE_NET = 12_000, 6_000, 5_000
BATCH = 25  # of records of the stream


@dataclass
class Storm:
    """Customers, a bank and a dashboard at work while Stripe's events come in."""

    shop: Shop
    seed: int
    till: Till = field(init=False)
    invoices: list[IssuedInvoice] = field(default_factory=list)
    manual: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)  # by invoice, what its credit note gave back on paper
    asked: dict[str, int] = field(default_factory=dict)  # by payment intent, what the company had Stripe give back
    declines: int = 0
    events: list[str] = field(default_factory=list)
    crashes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.shop.subscribe()
        self.till = Till(self.shop)
        self.chance = random.Random(self.seed)  # noqa: S311 - a storm that can be repeated
        self.later: list[Callable[[], None]] = []

    def tell(self, *told: tuple[str, str, str]) -> None:
        for event_type, object_id, parent_id in told:
            self.events.append(self.till.told(event_type, object_id, parent_id=parent_id))

    def begin(self) -> None:
        """Every invoice is on the way to some end; what happens later is kept for later."""
        lives: tuple[Callable[[IssuedInvoice], None], ...] = (
            self.card,
            self.debit,
            self.refused_debit,
            self.declined,
            self.parts,
            self.refunded,
            self.returned,
            self.disputed,
            self.expired,
            self.paid_meanwhile,
            self.credited,
            self.given_back_by_us,
        )
        for number in range(INVOICES):
            customer = self.shop.customer(name=f"Client exemple {number}", email=f"client-{number}@exemple.test")
            invoice = self.shop.issue(self.shop.draft(self.shop.wanted(customer.customer_id)))
            self.invoices.append(invoice)
            self.hesitated(invoice)
            lives[number % len(lives)](invoice)

    def confirm(self, invoice: IssuedInvoice, amount_minor: int | None = None, *, method: str = "card") -> str:
        till = self.till
        session_id = till.session_id(amount_minor, invoice=invoice)
        intent = till.stripe.confirm(till.account_id, session_id, method=method)
        pi, charge = intent.payment_intent_id, intent.charge.charge_id if intent.charge else ""
        self.tell(("checkout.session.completed", session_id, pi), ("payment_intent.created", pi, ""))
        if method == "card":
            self.tell(("payment_intent.succeeded", pi, ""), ("charge.succeeded", charge, pi))
            self.tell(("charge.updated", charge, pi))
        else:
            self.tell(("payment_intent.processing", pi, ""), ("charge.pending", charge, pi))
        return pi

    def hesitated(self, invoice: IssuedInvoice) -> None:
        """Cards are refused on a page, which expires at last."""
        for _ in range(REFUSALS):
            self.declined(invoice)
        self.expired(invoice)

    def card(self, invoice: IssuedInvoice) -> None:
        self.confirm(invoice)

    def debit(self, invoice: IssuedInvoice, *, success: bool = True) -> None:
        pi = self.confirm(invoice, method="sepa_debit")

        def settle() -> None:
            self.till.stripe.settle(self.till.account_id, pi, success=success)
            self.tell(("payment_intent.succeeded" if success else "payment_intent.payment_failed", pi, ""))

        self.later.append(settle)

    def refused_debit(self, invoice: IssuedInvoice) -> None:
        self.debit(invoice, success=False)

    def declined(self, invoice: IssuedInvoice) -> None:
        session_id = self.till.session_id(invoice=invoice)
        intent = self.till.stripe.decline(self.till.account_id, session_id)
        self.declines += 1
        pi = intent.payment_intent_id
        self.tell(("payment_intent.payment_failed", pi, ""), ("charge.failed", f"ch_refused_{self.declines}", pi))

    def parts(self, invoice: IssuedInvoice) -> None:
        self.confirm(invoice, 5_000)

    def refunded(self, invoice: IssuedInvoice) -> None:
        pi = self.confirm(invoice)
        for _ in range(2):
            self.later.append(partial(self._refund, pi, self.chance.randrange(100, 6_000)))

    def refund(self, pi: str, amount: int) -> str:
        refund = self.till.stripe.refund(self.till.account_id, pi, amount)
        self.tell(("refund.created", refund.refund_id, pi), ("charge.refunded", refund.charge_id or "", pi))
        return refund.refund_id

    def returned(self, invoice: IssuedInvoice) -> None:
        pi = self.confirm(invoice)

        def comes_back() -> None:
            refund_id = self.refund(pi, 7_000)

            def fails() -> None:
                self.till.stripe.fail_refund(self.till.account_id, refund_id)
                self.tell(("refund.failed", refund_id, pi), ("refund.updated", refund_id, pi))

            self.later.append(fails)

        self.later.append(comes_back)

    def disputed(self, invoice: IssuedInvoice) -> None:
        pi, won = self.confirm(invoice), self.chance.random() < 0.5

        def contests() -> None:
            dispute = self.till.stripe.dispute(self.till.account_id, pi)
            self.tell(("charge.dispute.created", dispute.dispute_id, pi))

            def decided() -> None:
                self.till.stripe.decide(self.till.account_id, dispute.dispute_id, won=won)
                self.tell(("charge.dispute.closed", dispute.dispute_id, pi))

            self.later.append(decided)

        self.later.append(contests)

    def expired(self, invoice: IssuedInvoice) -> None:
        session_id = self.till.session_id(invoice=invoice)
        self.till.stripe.expire_checkout_session(self.till.account_id, session_id)
        self.tell(("checkout.session.expired", session_id, ""))

    def paid_meanwhile(self, invoice: IssuedInvoice) -> None:
        pi = self.confirm(invoice)
        self.manual[invoice.invoice_id] = self.chance.choice((3_000, TOTAL))
        self.shop.pay(invoice.invoice_id, self.manual[invoice.invoice_id])
        self.later.append(partial(self._refund, pi, 4_000))

    def _refund(self, pi: str, amount_minor: int) -> None:
        self.refund(pi, amount_minor)

    def credited(self, invoice: IssuedInvoice) -> None:
        """A note on a half of it while the customer pays; what it gives back of that is asked for by its name."""
        pi, early = self.confirm(invoice), self.chance.random() < 0.5

        def writes() -> None:
            record = self.till.held.store.stripe_payments.get((self.shop.caller.tenant_id, pi))
            if not early and (record is None or not record.payment_id):  # after the payment is in the ledger
                self.later.append(writes)
                return
            note = credit(self.shop, invoice.invoice_id, part(NOTE_NET), excess=Excess.REFUND)
            settled = note.document.settlement
            self.notes[invoice.invoice_id] = settled.refunded_minor if settled else 0
            if self.notes[invoice.invoice_id]:
                self.later.append(self.asking(pi, self.notes[invoice.invoice_id], note.invoice_id))

        if early:
            writes()
        else:
            self.later.append(writes)

    def given_back_by_us(self, invoice: IssuedInvoice) -> None:
        pi = self.confirm(invoice)
        for amount_minor in (2_000, 3_500):
            self.later.append(self.asking(pi, amount_minor))

    def asking(self, pi: str, amount_minor: int, note_id: str = "") -> Callable[[], None]:
        """The same request again and again, until it is through."""
        once, wanted = self.shop.once("refundPayment"), RefundInput(amount_minor=amount_minor)
        self.asked[pi] = self.asked.get(pi, 0) + amount_minor

        def ask() -> None:
            desk, held = self.till.desk(), self.till.held
            record = held.store.stripe_payments.get((self.shop.caller.tenant_id, pi))
            if record is None or not record.payment_id:  # nobody sees it yet
                self.later.append(ask)
                return
            ports = self._dying(desk, self.chance)
            told = {one.refund_id for one in self.till.stripe.refunds.values()}
            try:
                refund_by_its_means(
                    self.shop.caller,
                    record.payment_id,
                    wanted,
                    StripeRefundInput(credit_note_id=note_id),
                    once=once,
                    payments=ports.payments,
                    invoices=held.invoices,
                    stripe=lambda: ports,
                    clock=desk.clock,
                    ids=desk.ids,
                )
            except (Crashed, Busy, DependencyUnavailable):
                self.later.append(ask)
            made = [one for one in self.till.stripe.refunds.values() if one.refund_id not in told]
            self.tell(*(("refund.created", one.refund_id, pi) for one in made))

        return ask

    def deliver(self) -> None:
        """Eight workers, while the world goes on, in any order; what crashes comes again."""
        self.begin()
        queue: deque[str] = deque()
        self._send(queue, list(self.events))
        with ThreadPoolExecutor(WORKERS) as workers:
            running = [workers.submit(self._work, queue, self.seed * 100 + number) for number in range(WORKERS)]
            while self.later:
                act = self.later.pop(self.chance.randrange(len(self.later)))
                told = len(self.events)
                act()
                self._send(queue, self.events[told:])
            self.over = True
            for one in running:
                one.result()

    sent = 0
    runs = 0
    over = False
    failed = False

    def _send(self, queue: deque[str], event_ids: list[str]) -> None:
        copies = [one for one in event_ids for _ in range(self.chance.randint(1, 5))]
        self.chance.shuffle(copies)
        queue.extend(copies)
        self.sent += len(copies)

    def _work(self, queue: deque[str], seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311
        while not self.failed:
            try:
                event_id = queue.popleft() if chance.random() < 0.5 else queue.pop()
            except IndexError:
                if self.over and not queue:
                    return
                continue
            try:
                done = self._run(event_id, chance)
            except BaseException:
                self.failed = True
                raise
            if not done:
                queue.append(event_id)

    def _dying(self, desk: StripeDesk, chance: random.Random) -> StripeDesk:
        """At a call of some port, often."""
        if chance.random() >= CRASHING:
            return desk
        crash = CrashPoint(at=chance.randint(1, 8), after=chance.random() < 0.5)
        watched = ("inbox", "stripe", "connections", "checkouts", "stripe_payments", "payments", "companies")
        return replace(desk, **{name: crash.watch(getattr(desk, name)) for name in watched})

    def _run(self, event_id: str, chance: random.Random) -> bool:
        done = True
        try:
            process_stripe_event(event_id, desk=self._dying(self.till.desk(), chance))
        except Crashed:
            done = False
        except Busy:
            done = False
        with self.lock:
            self.runs += 1
            self.crashes += not done
            assert self.runs < 10 * EVENTS, "what comes again and again never ends"
        return done


@dataclass
class Facts:
    """What Stripe itself says came of one invoice."""

    paid: int = 0
    given_back: int = 0

    def books(self, manual: int, noted: int | None) -> tuple[int, int]:
        """Balance and credit that follow. ``noted``: what a credit note on a half gave back on paper; None without."""
        if noted is not None:
            assert self.given_back == noted
            return 0, self.paid - (TOTAL - NOTE) - noted
        allocated = min(TOTAL - manual, self.paid)
        credit = self.paid - allocated
        from_invoice = min(allocated, self.given_back)
        return TOTAL - manual - allocated + from_invoice, credit - (self.given_back - from_invoice)


def facts_of(storm: Storm) -> dict[str, Facts]:
    stripe = storm.till.stripe
    facts = {invoice.invoice_id: Facts() for invoice in storm.invoices}
    of = {}
    for (_, pi), intent in stripe.intents.items():
        of[pi] = facts[intent.metadata["invoice_id"]]
        if intent.status is PaymentIntentStatus.SUCCEEDED:
            of[pi].paid += intent.received_minor
    for refund in stripe.refunds.values():
        if refund.status is StripeRefundStatus.SUCCEEDED:
            of[refund.payment_intent_id or ""].given_back += refund.amount_minor
    for dispute in stripe.disputes.values():
        if dispute.status is DisputeStatus.LOST:
            of[dispute.payment_intent_id or ""].given_back += dispute.amount_minor
    return facts


@pytest.mark.parametrize("seed", [1, 2])
def test_the_books_are_what_the_facts_make_them(shop: Shop, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    storm = Storm(shop, seed)

    storm.deliver()

    assert len(set(storm.events)) == len(storm.events) >= EVENTS
    assert storm.sent > 2.5 * EVENTS
    assert storm.crashes > storm.runs * 0.15
    held = shop.repositories
    facts = facts_of(storm)
    for invoice in storm.invoices:
        credit = held.payments.load(shop.caller, invoice.document.customer_id, ()).credit.balance_minor
        books = shop.stored(invoice).ledger.balance_minor, credit
        manual, noted = storm.manual.get(invoice.invoice_id, 0), storm.notes.get(invoice.invoice_id)
        assert books == facts[invoice.invoice_id].books(manual, noted), invoice.invoice_id
    made: Tally[str] = Tally()
    for refund in storm.till.stripe.refunds.values():
        made[refund.payment_intent_id or ""] += refund.amount_minor
    assert {pi: made[pi] for pi in storm.asked} == storm.asked  # nothing that was asked for is lost, or made twice
    beyond = sum(not noted for noted in storm.notes.values())  # the note came first: the payment was too much
    assert 0 < beyond < len(storm.notes)
    succeeded = [one for one in storm.till.stripe.intents.values() if one.status is PaymentIntentStatus.SUCCEEDED]
    assert sorted(one.payment_intent_id for one in storm.till.payments if one.payment_intent_id) == sorted(
        one.payment_intent_id for one in succeeded
    )
    assert [
        one for shard in range(SHARDS) for one in held.stripe_inbox.waiting(shard, MORNING.replace(year=2030), 9)
    ] == []
    ended = Tally(entry.state for entry in held.store.stripe_events.values())
    assert set(ended) == {InboxState.DONE}
    refused = sum(one.last_error_code == "debit_not_authorized" for one in storm.till.stripe.intents.values())
    expected = {
        "PaymentAttempted": len(succeeded) + refused + storm.declines,
        "PaymentSucceeded": len(succeeded),
        "PaymentFailed": refused + storm.declines,
        "PaymentDisputed": len(storm.till.stripe.disputes),
    }
    # One mail for each fact, whoever told of it and wherever they died.
    written = Tally(one.fact.kind for one in held.store.notices.values())
    decided = Tally(one.status for one in storm.till.stripe.disputes.values())
    assert written.pop(NoticeKind.DISPUTE_OPENED, 0) <= len(storm.till.stripe.disputes)  # unless it was decided before
    assert written == {
        NoticeKind.PAYMENT_FAILED: refused,
        NoticeKind.DISPUTE_WON: decided[DisputeStatus.WON],
        NoticeKind.DISPUTE_LOST: decided[DisputeStatus.LOST],
        NoticeKind.REFUND_FAILED: sum(
            one.status is StripeRefundStatus.FAILED for one in storm.till.stripe.refunds.values()
        ),
        NoticeKind.PAID_BEYOND: len(storm.manual) + beyond,
    }
    asked = {(tenant, subject) for tenant, subject, _ in held.store.requests if is_notice_id(subject)}
    assert asked == set(held.store.notices)
    # Wherever a process died: what counts is written with its fact.
    assert counted_by_the_stream(storm, monkeypatch) == expected


def counted_by_the_stream(storm: Storm, monkeypatch: pytest.MonkeyPatch) -> Tally[str]:
    """What the consumer of the table's stream counts of items as the adapters write them; some batches come twice."""
    counted: Tally[str] = Tally()

    def count(name: str, value: int = 1) -> None:
        counted[name] += value

    monkeypatch.setattr(start_workflows, "count", count)
    start_workflows._counted.clear()
    records = list(stream_of(storm.till))
    for number, start in enumerate(range(0, len(records), BATCH)):
        batch = {"Records": records[start : start + BATCH]}
        for _ in range(2 if number % 3 == 0 else 1):
            assert start_workflows.start_workflows(batch) == {"batchItemFailures": []}
    assert storm.till._counted == Tally()  # nothing is counted by the process that may die
    return counted


def stream_of(till: Till) -> Iterator[dict[str, Any]]:
    table = Table(cast("Any", None), "billing", clock=till.shop.clock, ids=till.shop.ids)
    known: set[tuple[str, str]] = set()
    tenant_id = till.shop.caller.tenant_id
    for facts in till.held.store.streamed:
        # Mails that are asked for start their workflow, and count nothing.
        for write in facts_writes(table, tenant_id, replace(facts, payment=None, notices=())):
            if isinstance(write, EventWrite):  # of the feed: nothing is counted from it
                continue
            image = write.request["Item"]
            place = image["pk"]["S"], image["sk"]["S"]
            name, number = "MODIFY" if place in known else "INSERT", str(len(known))
            known.add(place)
            yield {
                "eventID": str(uuid.uuid4()),
                "eventName": name,
                "dynamodb": {"NewImage": image, "SequenceNumber": number},
            }


def test_a_day_that_is_told_again_changes_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    storm = Storm(shop, 3)
    storm.deliver()
    store = shop.repositories.store
    counted = counted_by_the_stream(storm, monkeypatch)
    before = (
        dict(store.invoices),
        dict(store.credits),
        dict(store.payments),
        dict(store.stripe_payments),
    )
    told = list(store.stripe_events.values())
    for entry in told:  # as Stripe delivers it again
        store_again = InboxEntry.received(entry.event, shop.clock.now())
        shop.repositories.stripe_inbox.receive(store_again)
        storm.till.process(entry.event.event_id)

    after = (store.invoices, store.credits, store.payments, store.stripe_payments)
    assert after == before
    assert counted_by_the_stream(storm, monkeypatch) == counted

    for entry in told:  # and as other events of the same facts
        storm.till.tell(entry.event.event_type, entry.event.object_id, parent_id=entry.event.parent_id)

    changed = {key: one for key, one in store.stripe_payments.items() if one != before[3][key]}
    assert (store.invoices, store.credits, store.payments) == before[:3]
    again = sum(one.failures - before[3][key].failures for key, one in changed.items())
    assert again == storm.declines  # a decline told by another event is another decline
    assert changed == {
        key: replace(before[3][key], failures=one.failures, version=one.version) for key, one in changed.items()
    }
    counted.update({"PaymentFailed": again, "PaymentAttempted": again})
    assert counted_by_the_stream(storm, monkeypatch) == counted
