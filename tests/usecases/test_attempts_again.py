"""What failed and time may heal is attempted again by itself: a few times, never twice at once or against a person."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.domain.deliverable import Deliverable
from billing.domain.delivery import ATTEMPTED_AGAIN_AFTER, DeliveryState, heals
from billing.domain.errors import DependencyUnavailable, MailRefused, MailUnconfirmed
from billing.domain.events import SYSTEM_ACTOR, EventType
from billing.domain.invoice import IssuedInvoice
from billing.domain.quote import Quote
from billing.usecases.deliveries import attempt_deliveries_again
from billing.usecases.quotes import revise_quote
from tests.fakes.delivery import Relay
from tests.usecases.conftest import Shop
from tests.usecases.test_credit_notes import credit
from tests.usecases.test_quotes import Desk
from tests.usecases.test_reminders import Dunning


def _again(shop: Shop, *, left_alone: frozenset[str] = frozenset()) -> int:
    return attempt_deliveries_again(
        left_alone=left_alone, deliveries=shop.repositories.deliveries, clock=shop.clock, ids=shop.ids
    )


def _failed(shop: Shop, error: str = "DependencyUnavailable") -> IssuedInvoice:
    invoice = shop.issue(send=True)
    shop.render(invoice)
    shop.record(invoice, error=error)
    return shop.stored(invoice)


def test_it_says_when_it_is_attempted_again_and_is(shop: Shop) -> None:
    invoice = _failed(shop)
    due = shop.clock.now() + ATTEMPTED_AGAIN_AFTER[0]
    assert (invoice.delivery.state, invoice.delivery.again_at) == (DeliveryState.FAILED, due)

    shop.clock.advance(ATTEMPTED_AGAIN_AFTER[0] - timedelta(seconds=1))
    assert _again(shop) == 0
    shop.clock.advance(timedelta(seconds=1))
    assert _again(shop) == 1
    assert _again(shop) == 0

    opened = shop.stored(invoice)
    assert (opened.delivery.attempt, opened.delivery.in_progress, opened.delivery.again_at) == (2, True, None)
    shop.mail(invoice, 2)
    shop.record(invoice, 2)
    assert shop.stored(invoice).delivery.state is DeliveryState.SENT
    [mail] = shop.mailer.accepted
    assert mail.recipient == "compta@modele.example"
    [asked] = [one for one in shop.events(invoice.invoice_id) if one.event_type is EventType.DELIVERY_REQUESTED]
    assert (asked.actor, asked.data["attempt"]) == (SYSTEM_ACTOR, 2)


def test_after_three_more_it_is_for_a_person_whose_attempt_counts_anew(shop: Shop) -> None:
    invoice = _failed(shop)
    for place, pause in enumerate(ATTEMPTED_AGAIN_AFTER, start=2):
        shop.clock.advance(pause)
        assert _again(shop) == 1
        shop.record(invoice, place, error="MailTemporarilyRefused")
    shop.clock.advance(timedelta(days=7))
    assert _again(shop) == 0
    assert shop.stored(invoice).delivery.again_at is None

    shop.send(invoice.invoice_id)
    shop.record(invoice, 5, error="States.Timeout")
    assert shop.stored(invoice).delivery.again_at == shop.clock.now() + ATTEMPTED_AGAIN_AFTER[0]


@pytest.mark.parametrize(
    "error", ["MailRefused", "InvalidInput", "NotFound", "DocumentDamaged", "DocumentNotConformant", "KeyError", ""]
)
def test_what_would_be_refused_again_is_left_to_people(shop: Shop, error: str) -> None:
    invoice = _failed(shop, error) if error else shop.issue(send=True)
    shop.clock.advance(timedelta(days=1))

    assert _again(shop) == 0
    assert shop.stored(invoice).delivery.again_at is None


@pytest.mark.parametrize("error", ["Lambda.TooManyRequestsException", "Sandbox.Timedout", "ExecutionsExhausted"])
def test_an_absent_machine_heals(error: str) -> None:
    assert heals(error)


def test_a_mail_that_may_have_left_is_never_sent_again_by_itself(shop: Shop) -> None:
    invoice = shop.issue(send=True)
    shop.render(invoice)
    shop.mailer.script = [Relay.CUTS_AFTER_TAKING]
    with pytest.raises(MailUnconfirmed):
        shop.mail(invoice)
    shop.record(invoice, error="MailUnconfirmed")
    shop.clock.advance(timedelta(days=1))

    assert shop.stored(invoice).delivery.state is DeliveryState.UNCONFIRMED
    assert _again(shop) == 0
    assert len(shop.mailer.accepted) == 1


def test_a_person_who_is_quicker_makes_the_only_next_attempt(shop: Shop) -> None:
    invoice = _failed(shop)
    shop.clock.advance(ATTEMPTED_AGAIN_AFTER[0])
    shop.send(invoice.invoice_id)

    assert _again(shop) == 0
    shop.record(invoice, 2, error="MailRefused")
    shop.clock.advance(timedelta(days=1))
    assert _again(shop) == 0  # nor when the person's own attempt has ended
    assert shop.stored(invoice).delivery.attempt == 2


def test_a_pdf_that_could_not_be_drawn_is_drawn_later(shop: Shop) -> None:
    invoice = shop.issue()
    shop.record(invoice, error="DependencyUnavailable")
    shop.clock.advance(ATTEMPTED_AGAIN_AFTER[0])

    assert _again(shop) == 1
    shop.render(invoice, 2)
    shop.record(invoice, 2)
    stored = shop.stored(invoice)
    assert stored.delivery.pdf is not None
    assert (stored.delivery.state, stored.delivery.error) == (DeliveryState.NOT_SENT, "")
    assert shop.mailer.accepted == []


def test_a_company_that_is_left_alone_waits_and_is_not_forgotten(shop: Shop) -> None:
    invoice = _failed(shop)
    shop.clock.advance(ATTEMPTED_AGAIN_AFTER[0])
    assert _again(shop, left_alone=frozenset({invoice.tenant_id})) == 0
    assert shop.stored(invoice).delivery.attempt == 1

    assert shop.stored(invoice).delivery.again_at == shop.clock.now() + timedelta(hours=1)
    assert _again(shop) == 0  # released at once: it waits for its hour
    shop.clock.advance(timedelta(hours=1))
    assert _again(shop) == 1


def test_one_that_cannot_be_attempted_keeps_nobody_waiting(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, whole = _failed(shop), _failed(shop)
    shop.clock.advance(ATTEMPTED_AGAIN_AFTER[0])
    read = shop.repositories.deliveries.document

    def unreachable(tenant_id: str, document_id: str) -> Deliverable:
        if document_id == broken.invoice_id:
            raise DependencyUnavailable
        return read(tenant_id, document_id)

    monkeypatch.setattr(shop.repositories.deliveries, "document", unreachable)

    with pytest.raises(DependencyUnavailable):
        _again(shop)

    assert shop.stored(whole).delivery.attempt == 2


def _failed_quote(desk: Desk) -> Quote:
    quote = desk.send(desk.draft(valid_until=desk.shop.clock.today()))
    desk.shop.render(quote)
    desk.shop.record(quote, error="DependencyUnavailable")
    return desk.read(quote)


def test_a_quote_that_failed_is_mailed_later(shop: Shop) -> None:
    desk = Desk(shop)
    quote = _failed_quote(desk)
    shop.clock.advance(ATTEMPTED_AGAIN_AFTER[0])

    assert _again(shop) == 1
    desk.deliver(quote, 2)
    assert desk.read(quote).delivery.state is DeliveryState.SENT
    assert len(shop.mailer.accepted) == 1


@pytest.mark.parametrize("meanwhile", ["revised", "expired"])
def test_a_quote_that_is_none_any_more_is_left_for_good(shop: Shop, meanwhile: str) -> None:
    desk = Desk(shop)
    quote = _failed_quote(desk)
    if meanwhile == "revised":
        desk.act(revise_quote, quote)
    shop.clock.advance(timedelta(days=2))

    assert _again(shop) == 0
    deliveries, now = shop.repositories.deliveries, shop.clock.now()
    assert [deliveries.due_again(now, shard=shard, limit=9) for shard in range(deliveries.shards)] == [()] * 4
    assert shop.mailer.accepted == []


def test_an_invoice_that_was_cancelled_is_not_mailed_by_itself(shop: Shop) -> None:
    invoice = _failed(shop)
    credit(shop, invoice.invoice_id)
    shop.clock.advance(timedelta(days=1))

    assert _again(shop) == 0
    delivery = shop.stored(invoice).delivery
    assert (delivery.attempt, delivery.state, delivery.again_at) == (1, DeliveryState.FAILED, None)


def test_a_credit_note_that_failed_is_mailed_later(shop: Shop) -> None:
    note = credit(shop, shop.issue().invoice_id, send=True)
    shop.render(note)
    shop.record(note, error="DependencyUnavailable")
    shop.clock.advance(ATTEMPTED_AGAIN_AFTER[0])

    assert _again(shop) == 1
    assert shop.stored(note).delivery.attempt == 2


def test_what_the_relay_refused_is_not_attempted_again_whatever_its_run_said(shop: Shop) -> None:
    invoice = shop.issue(send=True)
    shop.render(invoice)
    shop.mailer.script = [Relay.REFUSES]
    with pytest.raises(MailRefused):
        shop.mail(invoice)
    shop.record(invoice, error="States.Timeout")  # the run died before it could say MailRefused

    assert shop.stored(invoice).delivery.again_at is None


def test_a_reminder_is_its_plan_s_or_a_person_s_to_send_again(shop: Shop) -> None:
    dunning = Dunning(shop)
    invoice = dunning.owed()
    shop.clock.advance(timedelta(days=60))
    reminder = dunning.send(invoice)
    shop.record(reminder, error="DependencyUnavailable")
    shop.clock.advance(timedelta(days=1))

    assert dunning.shown(invoice).made[0].delivery.again_at is None
    assert _again(shop) == 0
