"""A company takes its account away in the middle of anything, and the process may die besides: nothing is given back
twice, no refund that may have been made is released, no invoice waits for ever. Once it is back, nothing is missing.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from billing.domain.checkout import AttemptState
from billing.domain.crediting import Excess
from billing.domain.errors import BillingError
from billing.domain.stripe import StripeRefundStatus
from billing.domain.stripe_connection import ConnectionState
from billing.domain.stripe_inbox import InboxState
from billing.domain.stripe_payment import RequestState, StripePayment
from billing.ports.stripe import StripeRefused
from billing.usecases.reconciliations import reconcile_stripe_days
from billing.usecases.stripe_inbox import take_up_stripe_events
from billing.usecases.stripe_refunds import finish_stripe_refunds
from billing.usecases.stripe_settling import settle_waiting_checkouts
from tests.fakes.crashes import Crashed
from tests.faults.house import House, Image
from tests.faults.test_stripe_requests import (
    TOTAL,
    asked,
    charge_of,
    contested,
    debit_on_its_way,
    given_back,
)
from tests.faults.wire import Fate, is_read
from tests.usecases.test_credit_notes import credit

pytestmark = pytest.mark.engine
REFUNDED = 4_000


@dataclass(frozen=True, kw_only=True)
class Act:
    """What is under way, and what whoever began it does again. ``untold``: no event tells of it, ever."""

    begins: Callable[[], object]
    again: Callable[[], object]
    untold: bool = False


def page_opened(house: House) -> Act:
    return Act(begins=house.open, again=house.open)


def page_replaced(house: House) -> Act:
    house.open()
    house.shop.pay(house.invoice.invoice_id, 3_000)
    return Act(begins=house.open, again=house.open)


def page_closed(house: House) -> Act:
    house.open()
    house.shop.pay(house.invoice.invoice_id, 3_000)

    def close() -> None:
        house.doubt()
        house.sweep_pages()

    return Act(begins=close, again=close)


def page_paid_and_swept(house: House) -> Act:
    """The customer paid, and no event told."""
    house.confirm()
    house.later(days=1)
    return Act(begins=house.sweep_pages, again=house.sweep_pages, untold=True)


def told_of(happens: Callable[[House], object], event_type: str) -> Callable[[House], Act]:
    def prepare(house: House) -> Act:
        happens(house)
        event = house.latest(event_type)
        house.receive(event)
        house.queue.waiting.clear()
        return Act(begins=lambda: house.process(event), again=lambda: house.process(event))

    return prepare


def debit_settled(house: House) -> None:
    house.stripe.bank.settle(house.account_id, debit_on_its_way(house))


def debit_refused(house: House) -> None:
    house.stripe.bank.fail_debit(house.account_id, debit_on_its_way(house), "debit_not_authorized")


def dispute_lost(house: House) -> None:
    house.stripe.bank.dispute_becomes(house.account_id, contested(house), "lost")


def refund_asked(house: House) -> Act:
    ask = asked(house, house.paid(), REFUNDED)
    return Act(begins=ask, again=ask)


def refund_by_note_asked(house: House) -> Act:
    intent = house.paid()
    note = credit(house.shop, house.invoice.invoice_id, excess=Excess.REFUND)
    ask = asked(house, intent, TOTAL, credit_note_id=note.invoice_id)
    return Act(begins=ask, again=ask)


def refund_swept(house: House) -> Act:
    ask = asked(house, house.paid(), REFUNDED)
    house.gateway._paused_until = house.clock.monotonic() + 60
    with pytest.raises(BillingError):
        ask()
    house.later(minutes=6)

    def sweep() -> None:
        finish_stripe_refunds(desk=house.desk)

    return Act(begins=sweep, again=sweep)


def debit_asked_for(house: House) -> Act:
    house.stripe.bank.settle(house.account_id, debit_on_its_way(house))
    house.later(hours=2)

    def settle() -> None:
        settle_waiting_checkouts(desk=house.desk)

    return Act(begins=settle, again=settle, untold=True)


def night(house: House) -> Act:
    """No event came: a payment, and a part that was given back."""
    intent = house.confirm()
    house.stripe.bank.refund(house.account_id, charge_of(house, intent), REFUNDED)
    house.later(days=1)

    def reconcile() -> None:
        reconcile_stripe_days(reconciliations=house.held.reconciliations, desk=house.desk)

    return Act(begins=reconcile, again=reconcile, untold=True)


ACTS = {
    "page-opened": page_opened,
    "page-replaced": page_replaced,
    "page-closed": page_closed,
    "page-paid-and-swept": page_paid_and_swept,
    "session-completed": told_of(House.confirm, "checkout.session.completed"),
    "payment-succeeded": told_of(House.confirm, "payment_intent.succeeded"),
    "debit-settled": told_of(debit_settled, "checkout.session.async_payment_succeeded"),
    "debit-refused": told_of(debit_refused, "checkout.session.async_payment_failed"),
    "charge-refunded": told_of(given_back, "charge.refunded"),
    "dispute-lost": told_of(dispute_lost, "charge.dispute.closed"),
    "refund-asked": refund_asked,
    "refund-by-a-note": refund_by_note_asked,
    "refund-swept": refund_swept,
    "debit-asked-for": debit_asked_for,
    "night": night,
}


@pytest.mark.parametrize("name", ACTS)
def test_access_is_withdrawn_before_every_request(house: House, name: str) -> None:
    findings: list[str] = []
    house.found()
    act = ACTS[name](house)
    if act.untold:
        house.history = frozenset(event.event_id for event in house.said())
    start = house.image()
    house.wire.arm(0, Fate.UNSENT)
    act.begins()
    requests = tuple(house.wire.sent)
    house.wire.disarm()
    runs = 0
    for gone_at, dies_at, fate in withdrawals(house, act, start, requests):
        house.put_back(start)
        disturbed(house, act, gone_at, dies_at, fate)
        runs += 1
        said = [*while_away(house, act), *once_back(house)]
        where = f"gone before {gone_at} of {len(requests)}, {dies_at}: {fate}"
        findings += [f"{where}: {one}" for one in said]

    assert findings == []
    assert runs > 3 * len([one for one in requests if of_stripe(one)])


def withdrawals(house: House, act: Act, start: Image, requests: tuple[str, ...]) -> Iterator[tuple[int, int, Fate]]:
    """Before which request to Stripe access goes, and which one goes wrong besides (0: none).

    Between two of them nobody can see that it went. A process that dies leaves what it leaves after its last write.
    """
    after = len(requests) + 1
    for gone_at in (*(at for at, one in enumerate(requests, start=1) if of_stripe(one)), after):
        yield gone_at, 0, Fate.UNSENT
        if gone_at < after and gone_at > 1 and not is_read(requests[gone_at - 2]):
            yield gone_at, gone_at - 1, Fate.LOST
        if gone_at < after and not is_read(requests[gone_at - 1]):  # carried out, unheard, asked again at once
            yield gone_at + 1, gone_at, Fate.LOST
        house.put_back(start)
        disturbed(house, act, gone_at, 0, Fate.UNSENT)
        sent = house.wire.sent if gone_at < after else requests
        for dies_at, one in enumerate(list(sent), start=1):
            if not is_read(one) and (dies_at >= gone_at or gone_at == after):
                yield gone_at, dies_at, Fate.UNHEARD
                yield gone_at, dies_at, Fate.UNSENT
                if gone_at < after:
                    yield gone_at, dies_at, Fate.LOST


def of_stripe(request: str) -> bool:
    return " /v1/" in request


def disturbed(house: House, act: Act, gone_at: int, dies_at: int, fate: Fate) -> None:
    gone: list[bool] = []

    def withdraw() -> None:
        gone.append(True)
        house.stripe.bank.disconnect(house.account_id)

    house.wire.arm(dies_at, fate, turn=(gone_at, withdraw))
    with contextlib.suppress(Crashed, BillingError, StripeRefused):
        act.begins()
    house.wire.disarm()
    if not gone:
        withdraw()


def while_away(house: House, act: Act) -> list[str]:
    """What goes by the clock goes by it; nobody can do more."""
    house.hear_all()
    with contextlib.suppress(BillingError, StripeRefused):
        act.again()
    house.later(minutes=11)
    house.sweep_inbox()
    house.drain()
    house.later(days=1)
    by_the_clock(house)
    for _ in range(60):
        connection = house.held.stripe_connections.stored(house.invoice.tenant_id)
        if house.book.live is None and not connection.closing:
            break
        house.later(days=1)
        house.sweep_pages()
        settle_waiting_checkouts(desk=house.desk)
    return [*of_refunds(house), *of_the_invoice(house)]


def by_the_clock(house: House) -> None:
    house.sweep_pages()
    settle_waiting_checkouts(desk=house.desk)
    finish_stripe_refunds(desk=house.desk)
    reconcile_stripe_days(reconciliations=house.held.reconciliations, desk=house.desk)


def of_refunds(house: House) -> Iterator[str]:
    made = house.stripe.store.all_of(house.account_id, "refund")
    if len(made) > 1:
        yield f"given back twice: {[one['amount'] for one in made]}"
    named = {one["metadata"].get("refund_request") for one in made}
    for record in records(house):
        for request in record.requests:
            if request.state is RequestState.REFUSED and request.request_id in named:
                yield "a refund that was made is released"


def of_the_invoice(house: House) -> Iterator[str]:
    if house.book.live is not None:
        yield f"the invoice waits for ever: {house.book.live.state}"
    connection = house.held.stripe_connections.stored(house.invoice.tenant_id)
    if connection.state is not ConnectionState.DISCONNECTED or connection.closing:
        yield f"the account is not let go: {connection}"
    if house.stored.ledger.balance_minor == TOTAL and paid_at_stripe(house) and not is_told(house):
        yield "a payment at Stripe is told nowhere"


def is_told(house: House) -> bool:
    """Parked, with an alert; or in a day that is shown as not read."""
    parked = [one for one in inbox(house) if one[1] is InboxState.PARKED]
    return parked != [] or unread_days(house) != []


def once_back(house: House) -> Iterator[str]:
    """The company connects the same account again: what nobody could read is read now."""
    found = house.stripe.store.get("", "account", house.account_id)
    assert found is not None
    house.stripe.store.put("", {name: one for name, one in found.items() if name != "_disconnected"})
    account = house.gateway.read_account(house.account_id)
    assert account is not None
    connections = house.held.stripe_connections
    connections.save(house.caller, connections.read(house.caller).connected(account, house.clock.now()))
    parked = [event_id for event_id, state in inbox(house) if state is InboxState.PARKED]
    take_up_stripe_events(parked, inbox=house.held.stripe_inbox, queue=house.events, clock=house.clock)
    house.drain()
    house.later(days=1)
    by_the_clock(house)
    house.later(days=1)
    by_the_clock(house)
    yield from of_refunds(house)
    found_records = records(house)
    booked = {one.payment_intent_id for one in found_records if one.payment_id}
    if booked != paid_at_stripe(house):
        yield f"booked {booked} of {paid_at_stripe(house)}"
    if any(one.bookings or one.open_request for one in found_records):
        yield f"something is left: {found_records}"
    mirrored = sorted(one.amount_minor for record in found_records for one in record.refunds if one.booked)
    made = [
        one["amount"]
        for one in house.stripe.store.all_of(house.account_id, "refund")
        if one["status"] == StripeRefundStatus.SUCCEEDED
    ]
    if mirrored != sorted(made):
        yield f"given back {made}, in our books {mirrored}"
    if unread_days(house):
        yield f"days that nobody read: {unread_days(house)}"
    if house.book.live is not None and house.book.live.state is AttemptState.PROCESSING:
        yield "a payment is on its way for ever"
    try:
        house.adds_up()
    except AssertionError as error:
        yield f"it does not add up: {error}"


def records(house: House) -> list[StripePayment]:
    named = [one["id"] for one in house.stripe.store.all_of(house.account_id, "payment_intent")]
    found = (house.held.stripe_payments.stored(house.invoice.tenant_id, one) for one in named)
    return [one for one in found if one is not None]


def paid_at_stripe(house: House) -> set[str]:
    intents = house.stripe.store.all_of(house.account_id, "payment_intent")
    return {one["id"] for one in intents if one["status"] == "succeeded"}


def inbox(house: House) -> list[tuple[str, InboxState]]:
    found = (house.held.stripe_inbox.read(event.event_id) for event in house.said())
    return [(one.event.event_id, one.state) for one in found if one is not None]


def unread_days(house: House) -> list[str]:
    items = house._items().values()
    days = [json.loads(one["body"]["S"]) for one in items if one["entity"]["S"] == "stripe_day"]
    return [one["day"] for one in days if one["state"] == "unread"]
