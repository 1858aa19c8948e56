"""A page to pay on: one at a time, for what is owed now, closed when that changes, whatever dies in between."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from billing.domain import checkout
from billing.domain.checkout import (
    LEAST_LIFE_SHOWN,
    PACE_OF_ALL,
    PACE_OF_PARTS,
    SESSION_LIFE,
    AttemptState,
    CheckoutAttempt,
    CheckoutBook,
    CheckoutSite,
)
from billing.domain.errors import (
    Busy,
    CheckoutRefused,
    DependencyUnavailable,
    FieldErrors,
    NotFound,
    NothingLeftToPay,
    OnlinePaymentUnavailable,
    PaymentExceedsBalance,
    PaymentInProgress,
    TooManyPaymentPages,
)
from billing.domain.links import LinkToken, hash_of_secret
from billing.domain.stripe import CheckoutSession, CheckoutStatus
from billing.ports.checkouts import DueCheckout, MovedLedger
from billing.ports.stripe import AccountWanted, StripeRefused
from billing.usecases import checkouts
from billing.usecases.checkouts import (
    AGAIN_AFTER,
    RUN_BUDGET_SECONDS,
    SETTLED_AFTER,
    CheckoutPage,
    ClosingRun,
    close_due_checkouts,
    doubt_checkout,
    open_checkout,
)
from tests.fakes.clock import FakeIds
from tests.fakes.crashes import Crashed, CrashPoint
from tests.fakes.links import FakeLinkSecrets
from tests.fakes.stripe import FakeStripe
from tests.usecases.conftest import Shop
from tests.usecases.test_credit_notes import credit

PORTAL = "https://app.exemple.test/factures"


class Counter:
    """A company that takes payments online, an invoice of 120 euros, and a customer with a link to it."""

    def __init__(self, shop: Shop, *, partly: bool = False) -> None:
        self.shop = shop
        self.held = shop.repositories
        self.stripe = FakeStripe(clock=shop.clock)
        self.site = CheckoutSite(invoices_url=PORTAL, fee_basis_points=50)
        self.account_id = self.connect()
        if partly:
            self.allow_partial_payments()
        self.invoice = shop.issue()

    def connect(self) -> str:
        connection = self.held.stripe_connections.read(self.shop.caller).creating()
        self.held.stripe_connections.save(self.shop.caller, connection)
        wanted = AccountWanted(email="a@exemple.test", country="FR", business_name="Exemple")
        made = self.stripe.create_account(wanted, idempotency_key=connection.account_key)
        self.stripe.enable(made.account_id)
        account = self.stripe.accounts[made.account_id]
        self.held.stripe_connections.save(self.shop.caller, connection.connected(account, self.shop.clock.now()))
        return made.account_id

    def allow_partial_payments(self) -> None:
        connection = self.held.stripe_connections.read(self.shop.caller)
        self.held.stripe_connections.save(self.shop.caller, connection.allowing_partial_payments(True))

    def disconnect(self) -> None:
        connection = self.held.stripe_connections.read(self.shop.caller)
        self.held.stripe_connections.save(self.shop.caller, connection.disconnected(self.shop.clock.now()))

    def ports(self, **changes: Any) -> dict[str, Any]:
        return {
            "site": self.site,
            "checkouts": self.held.checkouts,
            "stripe": self.stripe,
            "secrets": FakeLinkSecrets(),
            "clock": self.shop.clock,
            "ids": self.shop.ids,
        } | changes

    def open(self, amount_minor: int | None = None, **changes: Any) -> CheckoutPage:
        return open_checkout(self.invoice.tenant_id, self.invoice.invoice_id, amount_minor, **self.ports(**changes))

    def sweep(self, **changes: Any) -> ClosingRun:
        return close_due_checkouts(**{"connections": self.held.stripe_connections} | self.ports(**changes))

    def doubt(self, **changes: Any) -> bool:
        """What the consumer of the table's stream does with the latest entry of the ledger."""
        rank = self.shop.stored(self.invoice).ledger.entry_count
        ports: dict[str, Any] = {
            "checkouts": self.held.checkouts,
            "clock": self.shop.clock,
            "ids": self.shop.ids,
        } | changes
        moved = MovedLedger(tenant_id=self.invoice.tenant_id, invoice_id=self.invoice.invoice_id, rank=rank)
        return doubt_checkout(moved, **ports)

    def pay(self, amount_minor: int) -> None:
        self.shop.pay(self.invoice.invoice_id, amount_minor)

    @property
    def book(self) -> CheckoutBook:
        return self.held.checkouts.book(self.invoice.tenant_id, self.invoice.invoice_id)

    @property
    def current(self) -> CheckoutAttempt:
        current = self.book.current
        assert current is not None
        return current

    @property
    def sessions(self) -> list[CheckoutSession]:
        return list(self.stripe.sessions.values())

    @property
    def payable(self) -> list[CheckoutSession]:
        """Sessions that somebody could pay, or has paid."""
        now = self.shop.clock.now()
        return [
            one
            for one in self.sessions
            if one.status is CheckoutStatus.COMPLETE or (one.status is CheckoutStatus.OPEN and now < one.expires_at)
        ]

    def session_of(self, page: CheckoutPage) -> CheckoutSession:
        return next(one for one in self.sessions if one.url == page.url)


@pytest.fixture
def counter(shop: Shop) -> Counter:
    return Counter(shop)


def test_a_page_asks_for_what_the_invoice_says_at_that_moment(counter: Counter) -> None:
    counter.pay(2_000)

    page = counter.open()

    (session,) = counter.sessions
    assert (page.url, page.amount_minor, page.currency, page.fresh) == (session.url, 10_000, "EUR", True)
    assert (session.amount_minor, session.currency) == (10_000, "EUR")
    assert session.metadata == {
        "tenant_id": counter.invoice.tenant_id,
        "invoice_id": counter.invoice.invoice_id,
        "attempt": "1",
    }
    assert counter.stripe.fees[counter.account_id, session.session_id] == 50
    attempt = counter.current
    assert (attempt.state, attempt.session_id, attempt.ledger_rank) == (AttemptState.OPEN, session.session_id, 1)
    assert page.expires_at == session.expires_at == attempt.expires_at


def test_the_customer_is_led_back_to_the_page_of_the_invoice(counter: Counter) -> None:
    counter.open()

    ((wanted, _),) = [asked for (of, _), asked in counter.stripe.answered.items() if of == counter.account_id]
    address, _, why = wanted.success_url.partition("?")
    token = LinkToken.parse(address.removeprefix(f"{PORTAL}/"))
    assert token is not None
    assert (token.tenant_id, token.document_id) == (counter.invoice.tenant_id, counter.invoice.invoice_id)
    assert counter.book.opened_for(hash_of_secret(token.secret)) == counter.current
    assert (why, wanted.cancel_url) == ("paiement=effectue", f"{address}?paiement=annule")
    assert wanted.title == f"Facture {counter.invoice.document.number}"


def test_the_page_that_is_open_is_given_again_while_it_asks_for_the_same(counter: Counter) -> None:
    first, second = counter.open(), counter.open()

    assert second == replace(first, fresh=False)
    assert len(counter.sessions) == 1


def test_sixteen_customers_at_once_have_one_page(counter: Counter) -> None:
    with ThreadPoolExecutor(16) as pool:
        pages = list(pool.map(lambda _: counter.open(), range(16)))

    assert len({page.url for page in pages}) == 1
    assert len(counter.sessions) == 1
    assert counter.book.made == 1


def test_a_page_that_ends_soon_makes_room_for_another(counter: Counter) -> None:
    first = counter.open()
    counter.shop.clock.advance(SESSION_LIFE - LEAST_LIFE_SHOWN + timedelta(seconds=1))

    second = counter.open()

    assert second.url != first.url
    assert [one.url for one in counter.payable] == [second.url]


@pytest.mark.parametrize("amount_minor", [5_000, None])
def test_a_page_for_another_amount_closes_the_one_before(shop: Shop, amount_minor: int | None) -> None:
    counter = Counter(shop, partly=True)
    counter.open(7_000)

    page = counter.open(amount_minor)

    assert page.amount_minor == (amount_minor or 12_000)
    assert [(one.url, one.amount_minor) for one in counter.payable] == [(page.url, page.amount_minor)]


def test_a_page_of_a_former_account_is_closed_before_another_opens(counter: Counter) -> None:
    counter.open()
    counter.disconnect()
    account_id = counter.connect()

    page = counter.open()

    assert counter.current.account_id == account_id
    assert [one.url for one in counter.payable] == [page.url]


@pytest.mark.parametrize(("amount_minor", "partly", "refused"), [
    (12_001, True, PaymentExceedsBalance),
    (11_999, False, FieldErrors),
    (11_951, True, FieldErrors),  # the rest could not be paid online
    (49, True, FieldErrors),
    (0, True, FieldErrors),
    (-5, True, FieldErrors),
])  # fmt: skip
def test_an_amount_is_within_what_is_payable_and_what_the_company_allows(
    shop: Shop, amount_minor: int, partly: bool, refused: type[Exception]
) -> None:
    counter = Counter(shop, partly=partly)

    with pytest.raises(refused):
        counter.open(amount_minor)
    assert counter.sessions == []


def test_a_draft_a_credit_note_and_nothing_are_not_found(counter: Counter) -> None:
    draft, note = counter.shop.draft(), credit(counter.shop, counter.invoice.invoice_id)

    for invoice_id in (draft.invoice_id, note.invoice_id, "inv_none"):
        with pytest.raises(NotFound):
            open_checkout(counter.invoice.tenant_id, invoice_id, None, **counter.ports())


def test_what_is_paid_cannot_be_paid_online(counter: Counter) -> None:
    counter.pay(12_000)

    with pytest.raises(NothingLeftToPay):
        counter.open()


def test_less_than_stripe_s_minimum_cannot_be_paid_online(counter: Counter) -> None:
    counter.pay(11_951)

    with pytest.raises(OnlinePaymentUnavailable):
        counter.open()


def test_a_company_without_an_account_that_charges_takes_no_payment(counter: Counter) -> None:
    counter.disconnect()

    with pytest.raises(OnlinePaymentUnavailable):
        counter.open()
    assert counter.sessions == []


@pytest.mark.parametrize("method", ["card", "sepa_debit"])
def test_there_is_no_second_page_while_a_payment_is_on_its_way(counter: Counter, method: str) -> None:
    session = counter.session_of(counter.open())
    counter.stripe.confirm(counter.account_id, session.session_id, method=method)

    for _ in range(2):
        with pytest.raises(PaymentInProgress):
            counter.open()

    assert (counter.current.state, counter.current.payment_intent_id) == (
        AttemptState.PROCESSING,
        counter.stripe.sessions[counter.account_id, session.session_id].payment_intent_id,
    )
    assert len(counter.sessions) == 1


def test_a_payment_made_while_another_amount_is_asked_for_is_in_progress(shop: Shop) -> None:
    counter = Counter(shop, partly=True)
    session = counter.session_of(counter.open(7_000))
    counter.stripe.confirm(counter.account_id, session.session_id)

    with pytest.raises(PaymentInProgress):
        counter.open(5_000)
    assert len(counter.sessions) == 1


def test_after_a_refused_debit_there_is_another_page(counter: Counter) -> None:
    session = counter.session_of(counter.open())
    counter.stripe.confirm(counter.account_id, session.session_id, method="sepa_debit")
    with pytest.raises(PaymentInProgress):
        counter.open()
    counter.held.checkouts.save(counter.book.moved(1, AttemptState.FAILED, counter.shop.clock.now()))

    assert counter.open().fresh
    assert counter.current.number == 2


def test_a_page_that_was_closed_at_stripe_is_not_given_again(counter: Counter) -> None:
    first = counter.session_of(counter.open())
    counter.stripe.expire_checkout_session(counter.account_id, first.session_id)

    page = counter.open()

    assert [one.url for one in counter.payable] == [page.url]
    assert counter.book.attempts[0].state is AttemptState.EXPIRED


def test_what_stripe_refuses_is_told_and_stands_in_the_way_of_nothing(counter: Counter) -> None:
    counter.stripe.refused["create_checkout_session"] = StripeRefused("amount_too_small", status=400)

    with pytest.raises(CheckoutRefused, match="amount_too_small"):
        counter.open()

    assert (counter.current.state, counter.current.failure_code) == (AttemptState.REFUSED, "amount_too_small")
    counter.stripe.refused.clear()
    assert counter.open().fresh


def test_while_stripe_does_not_answer_the_attempt_waits_and_is_asked_for_again(counter: Counter) -> None:
    counter.stripe.down = True
    with pytest.raises(DependencyUnavailable):
        counter.open()
    assert counter.current.state is AttemptState.OPENING
    counter.stripe.down = False

    page = counter.open()

    assert (counter.current.number, counter.current.url) == (1, page.url)


def test_another_question_under_the_same_key_keeps_the_attempt_the_only_one(counter: Counter) -> None:
    crash = CrashPoint(at=1, after=True)
    with pytest.raises(Crashed):
        counter.open(stripe=crash.watch(counter.stripe))
    moved = replace(counter.site, invoices_url="https://ailleurs.exemple.test")

    with pytest.raises(DependencyUnavailable):
        counter.open(site=moved)

    assert counter.current.state is AttemptState.OPENING
    assert len(counter.sessions) == 1


def test_a_ledger_that_moves_before_the_attempt_is_written_is_judged_anew(counter: Counter) -> None:
    class Late:
        """Somebody pays by transfer between the reading and the writing."""

        def __init__(self) -> None:
            self.paid = False

        def __getattr__(self, name: str) -> Any:
            return getattr(counter.held.checkouts, name)

        def save(self, book: CheckoutBook, **rests_on: int | None) -> None:
            if not self.paid:
                self.paid = True
                counter.pay(2_000)
            counter.held.checkouts.save(book, **rests_on)

    page = counter.open(checkouts=Late())

    assert page.amount_minor == 10_000
    assert [one.amount_minor for one in counter.sessions] == [10_000]


# Closing


def test_an_entry_in_the_ledger_closes_the_page(counter: Counter) -> None:
    counter.open()
    counter.pay(2_000)

    assert counter.doubt()
    assert counter.sweep() == ClosingRun(closed=1)

    assert counter.payable == []
    assert counter.current.state is AttemptState.EXPIRED
    assert counter.sweep() == ClosingRun()
    assert counter.open().amount_minor == 10_000


def test_a_credit_note_closes_the_page(counter: Counter) -> None:
    counter.open()
    credit(counter.shop, counter.invoice.invoice_id)

    counter.doubt()
    counter.sweep()

    assert counter.payable == []


def test_a_page_opened_after_the_entry_stays(counter: Counter) -> None:
    counter.pay(2_000)
    page = counter.open()

    assert not counter.doubt()
    assert counter.sweep() == ClosingRun()
    assert [one.url for one in counter.payable] == [page.url]


def test_a_page_in_doubt_that_still_holds_stays_until_its_end(counter: Counter) -> None:
    page = counter.open()
    counter.held.checkouts.save(counter.book.to_check(counter.shop.clock.now()))

    assert counter.sweep() == ClosingRun()

    assert [one.url for one in counter.payable] == [page.url]
    assert counter.book.due_at == page.expires_at


def test_what_was_paid_before_it_could_be_closed_is_in_progress(counter: Counter) -> None:
    session = counter.session_of(counter.open())
    counter.pay(2_000)
    counter.doubt()
    counter.stripe.confirm(counter.account_id, session.session_id)

    counter.sweep()

    assert counter.current.state is AttemptState.PROCESSING
    with pytest.raises(PaymentInProgress):
        counter.open()


@pytest.mark.parametrize("method", [None, "card"])
def test_what_ended_is_settled_by_the_sweeper(counter: Counter, method: str | None) -> None:
    session = counter.session_of(counter.open())
    if method:
        counter.stripe.confirm(counter.account_id, session.session_id, method=method)
    counter.shop.clock.advance(SESSION_LIFE)

    assert counter.sweep() == ClosingRun(closed=1)
    assert counter.current.state is (AttemptState.PROCESSING if method else AttemptState.EXPIRED)


def test_an_attempt_that_stripe_never_heard_of_ends_without_a_page(counter: Counter) -> None:
    crash = CrashPoint(at=1, after=False)
    with pytest.raises(Crashed):
        counter.open(stripe=crash.watch(counter.stripe))
    counter.shop.clock.advance(SESSION_LIFE)

    counter.sweep()

    assert (counter.current.state, counter.sessions) == (AttemptState.REFUSED, [])


def test_pages_of_a_company_that_let_its_account_go_are_closed(counter: Counter) -> None:
    counter.open()
    counter.disconnect()

    assert counter.sweep() == ClosingRun(closed=1)
    assert counter.payable == []
    assert counter.held.stripe_connections.stored(counter.invoice.tenant_id).closing
    counter.shop.clock.advance(SETTLED_AFTER)
    assert counter.sweep() == ClosingRun()
    assert not counter.held.stripe_connections.stored(counter.invoice.tenant_id).closing


def test_what_cannot_be_closed_now_is_closed_later_and_stops_no_other(shop: Shop) -> None:
    counter, other = Counter(shop), Counter(shop)
    for one in (counter, other):
        one.open()
        one.pay(2_000)
        one.doubt()
    counter.stripe.down = True

    assert counter.sweep() == ClosingRun(failed=2)
    counter.stripe.down = False
    counter.stripe.sessions.update(other.stripe.sessions)
    assert counter.sweep() == ClosingRun()
    shop.clock.advance(AGAIN_AFTER)
    assert counter.sweep() == ClosingRun(closed=2)


def test_what_cannot_be_closed_lets_the_others_pass(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkouts, "DUE_LIMIT", 1)
    counter.open()
    stuck = counter.current.session_id
    counter.pay(2_000)
    counter.doubt()
    counter.shop.clock.advance(timedelta(seconds=1))
    counter.invoice = counter.shop.issue()
    counter.open()
    counter.pay(2_000)
    counter.doubt()

    class Refusing:
        """Stripe, but for one page."""

        def __getattr__(self, name: str) -> Any:
            return getattr(counter.stripe, name)

        def expire_checkout_session(self, account_id: str, session_id: str) -> CheckoutSession:
            if session_id == stuck:
                raise StripeRefused("account_invalid", status=403)
            return counter.stripe.expire_checkout_session(account_id, session_id)

    assert counter.sweep(stripe=Refusing()) == ClosingRun(failed=1)
    assert counter.sweep(stripe=Refusing()) == ClosingRun(closed=1)
    assert counter.current.state is AttemptState.EXPIRED


def test_an_account_out_of_reach_ends_its_pages_by_itself(counter: Counter) -> None:
    counter.open()
    counter.pay(2_000)
    counter.doubt()
    counter.stripe.refused["expire_checkout_session"] = StripeRefused("account_invalid", status=403)

    assert counter.sweep() == ClosingRun(failed=1)
    counter.shop.clock.advance(SESSION_LIFE + AGAIN_AFTER)
    assert counter.sweep() == ClosingRun(closed=1)
    assert counter.current.state is AttemptState.EXPIRED


# Whoever dies


def first_page(counter: Counter) -> None:
    """Nothing before."""


def same_page(counter: Counter) -> None:
    counter.open(7_000)


def other_page(counter: Counter) -> None:
    counter.open(9_000)


def stale_page(counter: Counter) -> None:
    counter.open()
    counter.pay(3_000)


def dead_opener(counter: Counter) -> None:
    with pytest.raises(Crashed):
        counter.open(9_000, stripe=CrashPoint(at=1, after=True).watch(counter.stripe))


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("prepare", [first_page, same_page, other_page, stale_page, dead_opener])
def test_a_crash_anywhere_leaves_one_page_for_the_next(prepare: Callable[[Counter], None], after: bool) -> None:
    for at in itertools.count(1):
        shop = Shop()
        shop.describe()
        counter = Counter(shop, partly=True)
        prepare(counter)
        crash = CrashPoint(at=at, after=after)
        watched: dict[str, Any] = {
            "checkouts": crash.watch(counter.held.checkouts),
            "stripe": crash.watch(counter.stripe),
        }
        try:
            counter.open(7_000, **watched)
        except Crashed:
            pass
        else:
            assert at > 2
            return
        assert len(counter.payable) <= 1
        page = counter.open(7_000)
        assert [(one.url, one.amount_minor) for one in counter.payable] == [(page.url, 7_000)]
        other = counter.open(6_000)
        assert [(one.url, one.amount_minor) for one in counter.payable] == [(other.url, 6_000)]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("method", [None, "card", "sepa_debit"])
def test_a_crash_anywhere_while_closing_leaves_nothing_open(method: str | None, after: bool) -> None:
    for at in itertools.count(1):
        shop = Shop()
        shop.describe()
        counter = Counter(shop)
        session = counter.session_of(counter.open())
        counter.pay(2_000)
        if method:
            counter.stripe.confirm(counter.account_id, session.session_id, method=method)
        crash = CrashPoint(at=at, after=after)
        watched: dict[str, Any] = {
            "checkouts": crash.watch(counter.held.checkouts),
            "stripe": crash.watch(counter.stripe),
        }
        try:
            counter.doubt(checkouts=watched["checkouts"])
            counter.sweep(**watched)
        except Crashed:
            pass
        else:
            assert at > 6
            return
        counter.doubt()
        counter.sweep()
        assert counter.current.state is (AttemptState.PROCESSING if method else AttemptState.EXPIRED)
        assert all(one.status is not CheckoutStatus.OPEN for one in counter.sessions)


def test_opening_and_closing_at_once_never_leave_two_pages(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkout, "PACE_OF_PARTS", 64)
    counter = Counter(shop, partly=True)

    def act(turn: int) -> None:
        try:
            if turn % 4 == 3:
                counter.doubt()
                counter.sweep()
            else:
                counter.open(5_000 + turn % 3 * 100)
        except (DependencyUnavailable, PaymentInProgress):
            pass

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(act, range(64)))

    live = counter.book.live
    assert len(counter.payable) <= 1
    assert live is not None
    assert [one.session_id for one in counter.payable] == [live.session_id]


def test_a_page_of_an_account_that_another_one_followed_is_closed(counter: Counter) -> None:
    counter.open()
    first = counter.account_id
    assert counter.connect() != first
    counter.held.checkouts.save(counter.book.to_check(counter.shop.clock.now()))

    assert counter.sweep().closed == 1

    assert counter.current.state is AttemptState.EXPIRED
    assert [one.status for one in counter.sessions] == [CheckoutStatus.EXPIRED]


def test_an_invoice_has_at_most_ten_pages_an_hour_and_keeps_the_last(shop: Shop) -> None:
    counter = Counter(shop, partly=True)
    for rank in range(PACE_OF_PARTS):
        counter.open(1_000 + rank)
        shop.clock.advance(timedelta(minutes=2))
    last = counter.current

    with pytest.raises(TooManyPaymentPages) as refused:
        counter.open(5_000)

    assert refused.value.retry_after_seconds == 40 * 60
    assert (counter.current, len(counter.sessions)) == (last, PACE_OF_PARTS)
    assert counter.open(last.amount_minor).url == last.url, "the page that is there is shown all the same"
    shop.clock.advance(timedelta(minutes=40))
    assert counter.open(5_000).fresh
    with pytest.raises(TooManyPaymentPages):
        counter.open(6_000)


def test_whoever_spends_the_hour_on_parts_keeps_nobody_from_paying_all(shop: Shop) -> None:
    counter = Counter(shop, partly=True)
    for rank in range(PACE_OF_PARTS):
        counter.open(1_000 + rank)
    with pytest.raises(TooManyPaymentPages, match="You can pay all that is owed now"):
        counter.open(5_000)

    assert counter.open().fresh
    assert len(counter.payable) == 1
    assert PACE_OF_ALL > PACE_OF_PARTS


def test_many_at_once_ask_stripe_for_ten_pages_at_most(shop: Shop) -> None:
    counter = Counter(shop, partly=True)

    def ask(amount_minor: int) -> bool:
        try:
            return counter.open(amount_minor).fresh
        except (TooManyPaymentPages, Busy):
            return False

    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(ask, range(1_000, 1_040)))

    assert len(counter.sessions) <= PACE_OF_PARTS
    assert opened.count(True) <= PACE_OF_PARTS
    assert len(counter.payable) <= 1


def test_what_stripe_refuses_counts_too(shop: Shop) -> None:
    counter = Counter(shop)
    for _ in range(PACE_OF_ALL):
        counter.stripe.refused["create_checkout_session"] = StripeRefused("amount_too_small", status=400)
        with pytest.raises(CheckoutRefused):
            counter.open()

    with pytest.raises(TooManyPaymentPages, match=r"^Try again in"):
        counter.open()


def test_a_slow_shard_keeps_the_others_waiting_for_one_run_only(counter: Counter) -> None:
    """What one shard holds takes all the time there is: the next run begins with another."""
    checkouts_of, shards = counter.held.checkouts, counter.held.checkouts.shards
    counter.open()
    counter.pay(2_000)
    counter.doubt()
    (mine,) = [shard for shard in range(shards) if checkouts_of.due(counter.shop.clock.now(), shard=shard, limit=1)]

    class Slow:
        """The shard before has something due that lasts longer than a run."""

        def __getattr__(self, name: str) -> Any:
            return getattr(checkouts_of, name)

        def due(self, at: datetime, *, shard: int, limit: int) -> tuple[DueCheckout, ...]:
            if shard == (mine - 1) % shards:
                counter.shop.clock.sleep(RUN_BUDGET_SECONDS + 1)
            return checkouts_of.due(at, shard=shard, limit=limit)

    class Starting(FakeIds):
        at = 0

        def jitter(self) -> float:
            return self.at / shards

    ids = Starting()
    ids.at = (mine - 1) % shards
    assert counter.sweep(checkouts=Slow(), ids=ids) == ClosingRun()
    ids.at = mine
    assert counter.sweep(checkouts=Slow(), ids=ids) == ClosingRun(closed=1)
