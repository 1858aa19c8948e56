"""Webhooks, over the fakes and over the table: one book, deliveries that are due, one sender each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from billing.domain.errors import NotFound, StaleVersion
from billing.domain.events import EventType
from billing.domain.feed import UnplacedEvent
from billing.domain.webhooks import WebhookAttempt, WebhookBook, WebhookDelivery, WebhookEndpoint, WebhookSecret
from billing.ports.paging import PageRequest
from billing.usecases.events import place_events
from tests import factories
from tests.contracts.conftest import World
from tests.fakes.clock import MORNING, FakeClock, FakeIds


class Desk:
    def __init__(self, world: World) -> None:
        self.world = world
        self.webhooks = world.repositories.webhooks
        self.endpoint = WebhookEndpoint(
            endpoint_id=world.new_id("whe"),
            version=1,
            url="https://exemple.fr/",
            event_types=(EventType.CUSTOMER_CREATED.value,),
            description="",
            enabled=True,
            secrets=(WebhookSecret(salt="sel", created_at=MORNING),),
            created_at=MORNING,
            updated_at=MORNING,
        )

    def save(self) -> WebhookBook:
        book = self.webhooks.book(self.world.caller).with_new(self.endpoint)
        event = factories.event(self.world.new_id("evt"), EventType.WEBHOOK_ENDPOINT_CREATED)
        once = self.world.once("createWebhookEndpoint")
        self.webhooks.save(
            self.world.caller,
            book,
            endpoint_id=self.endpoint.endpoint_id,
            event=event,
            once=once,
            answered=self.endpoint,
        )
        return book

    def place(self) -> None:
        """Every event of the company has its place."""
        feed = self.world.repositories.event_feed
        waiting: list[UnplacedEvent] = []
        for shard in range(feed.shards):
            position: str | None = None
            while True:
                page, position = feed.waiting(MORNING + timedelta(days=1), shard=shard, limit=50, after=position)
                waiting += [one for one in page if one.tenant_id == self.world.caller.tenant_id]
                if position is None:
                    break
        place_events(waiting, feed=feed, clock=FakeClock(), ids=FakeIds())

    def due(self, *, late: timedelta = timedelta(minutes=1)) -> list[WebhookDelivery]:
        at = MORNING + late
        found = (self.webhooks.due(at, shard=shard, limit=100) for shard in range(self.webhooks.shards))
        return [one.delivery for page in found for one in page if one.delivery.tenant_id == self.world.caller.tenant_id]


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def test_a_book_is_read_as_it_was_saved_and_no_stranger_s(desk: Desk) -> None:
    book = desk.save()

    assert desk.webhooks.book(desk.world.caller) == desk.webhooks.stored_book(book.tenant_id) == book
    assert desk.webhooks.book(desk.world.stranger).endpoints == ()
    event = factories.event(desk.world.new_id("evt"), EventType.WEBHOOK_ENDPOINT_EDITED)
    with pytest.raises(StaleVersion):
        desk.webhooks.save(desk.world.caller, book, endpoint_id=desk.endpoint.endpoint_id, event=event)


def test_a_placed_event_is_due_once_per_endpoint_that_hears_it(desk: Desk) -> None:
    desk.save()
    desk.world.add_customer()
    desk.world.add_product()
    desk.place()
    desk.place()

    (delivery,) = desk.due()
    assert delivery.event_type == "customer.created"
    (logged,) = desk.webhooks.deliveries(desk.world.caller, desk.endpoint.endpoint_id, PageRequest()).items
    assert logged == delivery
    stranger = desk.webhooks.deliveries(desk.world.stranger, desk.endpoint.endpoint_id, PageRequest())
    assert stranger.items == ()
    with pytest.raises(NotFound):
        desk.webhooks.delivery(desk.world.stranger, desk.endpoint.endpoint_id, delivery.sequence)


def test_a_delivery_is_taken_by_one_sender_and_leaves_when_it_is_settled(desk: Desk) -> None:
    desk.save()
    desk.world.add_customer()
    desk.place()
    (delivery,) = desk.due()
    leased = delivery.leased(MORNING + timedelta(minutes=3))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: desk.webhooks.advance(leased), range(8))) == 1
    assert desk.due() == []
    assert desk.due(late=timedelta(minutes=4)) == [leased]
    done = leased.attempted(WebhookAttempt(at=MORNING, duration_ms=5, status=200), jitter=0)
    assert desk.webhooks.advance(done)
    assert desk.due(late=timedelta(days=9)) == []


def test_a_replay_is_due_again(desk: Desk) -> None:
    desk.save()
    desk.world.add_customer()
    desk.place()
    (delivery,) = desk.due()
    done = delivery.attempted(WebhookAttempt(at=MORNING, duration_ms=5, status=200), jitter=0)
    assert desk.webhooks.advance(done)

    _, stored = desk.webhooks.delivery(desk.world.caller, desk.endpoint.endpoint_id, delivery.sequence)
    event = factories.event(desk.world.new_id("evt"), EventType.WEBHOOK_DELIVERY_REPLAYED)
    replayed = stored.replayed(MORNING)
    desk.webhooks.replay(desk.world.caller, replayed, event=event, once=desk.world.once("replay"))

    assert desk.due() == [replayed]
    with pytest.raises(StaleVersion):
        desk.webhooks.replay(
            desk.world.caller,
            replace(replayed),
            event=replace(event, event_id=desk.world.new_id("evt")),
            once=desk.world.once("replay"),
        )
