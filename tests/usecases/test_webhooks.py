"""Outgoing webhooks: signed, tried again, told, replayed; an event is asked for once per endpoint."""

from __future__ import annotations

import hashlib
import hmac
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from billing.domain.access import Role
from billing.domain.errors import (
    FieldErrors,
    Forbidden,
    NotFound,
    StaleVersion,
    WebhookEndpointDisabled,
    WebhookEndpointLimitReached,
)
from billing.domain.events import EventType
from billing.domain.webhooks import (
    BACKOFF,
    DISABLED_AFTER,
    MAX_ATTEMPTS,
    MAX_ENDPOINTS,
    OVERLAP,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookState,
    WebhookTargets,
)
from billing.ports.idempotency import AlreadyAnswered
from billing.ports.paging import PageRequest
from billing.usecases import events, webhooks
from billing.usecases.webhooks import EndpointInput, WebhookRun
from tests.fakes.clock import FakeClock
from tests.fakes.crashes import Crashed, CrashPoint
from tests.fakes.webhooks import FakeReceiver, FakeWebhookSecrets, Received
from tests.usecases.conftest import Shop

URL = "https://exemple.fr/zenbilling"


class Post:
    """Short ways to have events sent from a shop."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.held = shop.repositories
        self.store = self.held.store
        self.receiver = FakeReceiver()
        self.secrets = FakeWebhookSecrets()

    @property
    def ports(self) -> dict[str, Any]:
        return {"webhooks": self.held.webhooks, "clock": self.shop.clock, "ids": self.shop.ids}

    def create(self, url: str = URL, *types: EventType, **ports: Any) -> tuple[WebhookEndpoint, str]:
        wanted = EndpointInput(url=url, event_types=tuple(one.value for one in types), description="")
        return webhooks.create_webhook_endpoint(
            self.shop.caller,
            wanted,
            **{
                "once": self.shop.once("createWebhookEndpoint"),
                "secrets": self.secrets,
                "targets": WebhookTargets.PUBLIC,
                **self.ports,
                **ports,
            },
        )

    def place(self) -> None:
        """What the stream's consumer does."""
        waiting = list(self.store.unplaced.values())
        events.place_events(waiting, feed=self.held.event_feed, clock=self.shop.clock, ids=self.shop.ids)

    def happen(self) -> None:
        self.shop.customer()
        self.place()

    def send(self, **ports: Any) -> WebhookRun:
        return webhooks.send_due_webhooks(**{"secrets": self.secrets, "sender": self.receiver, **self.ports, **ports})

    def log(self, endpoint: WebhookEndpoint) -> list[WebhookDelivery]:
        page = PageRequest(limit=100)
        return list(
            webhooks.list_webhook_endpoint_deliveries(
                self.shop.caller, endpoint.endpoint_id, page, webhooks=self.held.webhooks
            ).items
        )

    def read(self, endpoint: WebhookEndpoint) -> WebhookEndpoint:
        return webhooks.read_webhook_endpoint(self.shop.caller, endpoint.endpoint_id, webhooks=self.held.webhooks)

    def edit(self, endpoint: WebhookEndpoint, *, enabled: bool, version: int | None = None) -> WebhookEndpoint:
        return webhooks.edit_webhook_endpoint(
            self.shop.caller,
            endpoint.endpoint_id,
            EndpointInput(url=endpoint.url, event_types=endpoint.event_types, description="", enabled=enabled),
            expected_version=version or self.read(endpoint).version,
            targets=WebhookTargets.PUBLIC,
            **self.ports,
        )

    def replay(self, endpoint: WebhookEndpoint, sequence: int) -> WebhookDelivery:
        return webhooks.replay_webhook_endpoint_delivery(
            self.shop.caller, endpoint.endpoint_id, sequence, once=self.shop.once("replay"), **self.ports
        )

    def told(self) -> list[dict[str, Any]]:
        return [json.loads(one.body) for one in self.receiver.received]


def is_signed(received: Received, secret: str) -> bool:
    """As a receiver proves it, from the documentation alone."""
    stamp, *marks = received.headers["ZenBilling-Signature"].split(",")
    content = f"{stamp.removeprefix('t=')}.".encode() + received.body
    expected = hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
    return f"v1={expected}" in marks


@pytest.fixture
def post(shop: Shop) -> Post:
    made = Post(shop)
    made.place()
    return made


def test_an_event_is_posted_signed_as_the_feed_shows_it(post: Post) -> None:
    endpoint, secret = post.create(URL, EventType.CUSTOMER_CREATED)
    post.happen()

    run = post.send()

    assert (run.delivered, run.failed) == (1, 0)
    (received,) = post.receiver.received
    (told,) = post.told()
    assert is_signed(received, secret)
    assert not is_signed(received, secret + "x")
    assert told["type"] == "customer.created"
    assert told["sequence"] == post.log(endpoint)[0].sequence
    assert received.headers["ZenBilling-Event-Id"] == told["event_id"]
    assert post.log(endpoint)[0].state is WebhookState.DELIVERED
    assert post.send().delivered == 0


def test_an_endpoint_hears_what_it_asked_for_and_nothing_from_before(post: Post) -> None:
    post.happen()
    everything, _ = post.create("https://tout.exemple.fr/")
    some, _ = post.create("https://peu.exemple.fr/", EventType.PRODUCT_CREATED)
    post.place()
    post.shop.customer()
    post.shop.product()
    post.place()
    post.send()

    kinds = [one.event_type for one in reversed(post.log(everything))]
    assert kinds == ["webhook_endpoint.created", "webhook_endpoint.created", "customer.created", "product.created"]
    assert [one.event_type for one in post.log(some)] == ["product.created"]


def test_what_fails_is_tried_again_ever_later_and_then_given_up(post: Post) -> None:
    endpoint, _ = post.create(URL, EventType.CUSTOMER_CREATED)
    post.receiver.answers[URL] = [500] * 4 + ["Timeout"] * 4
    post.happen()

    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert post.send().failed == 1
        assert post.send().failed == 0
        (delivery,) = post.log(endpoint)
        assert len(delivery.attempts) == attempt
        if attempt < MAX_ATTEMPTS:
            assert delivery.next_attempt_at is not None
            pause = delivery.next_attempt_at - post.shop.clock.now()
            assert BACKOFF[attempt - 1] <= pause <= BACKOFF[attempt - 1] * 1.1
            post.shop.clock.advance(pause)
    (delivery,) = post.log(endpoint)
    assert delivery.state is WebhookState.DEAD
    assert [one.status for one in delivery.attempts] == [500] * 4 + [None] * 4
    assert delivery.attempts[0].excerpt == "non"
    assert delivery.attempts[-1].error == "Timeout"

    post.replay(endpoint, delivery.sequence)
    assert post.send().delivered == 1
    assert post.log(endpoint)[0].state is WebhookState.DELIVERED


def test_both_secrets_sign_for_a_day_after_a_rotation(post: Post) -> None:
    endpoint, old = post.create(URL, EventType.CUSTOMER_CREATED)
    rotated, new = webhooks.rotate_webhook_endpoint_secret(
        post.shop.caller, endpoint.endpoint_id, once=post.shop.once("rotate"), secrets=post.secrets, **post.ports
    )
    assert old != new
    assert rotated.version == endpoint.version + 1

    post.happen()
    post.send()
    post.shop.clock.advance(OVERLAP)
    post.happen()
    post.send()

    during, after = post.receiver.received
    assert is_signed(during, old)
    assert is_signed(during, new)
    assert is_signed(after, new)
    assert not is_signed(after, old)


def test_a_repeated_request_makes_no_second_endpoint_and_keeps_no_secret(post: Post) -> None:
    once = post.shop.once("createWebhookEndpoint")
    _, secret = post.create(once=once)

    with pytest.raises(AlreadyAnswered):
        post.create(once=once)

    assert len(post.store.webhook_books[post.shop.caller.tenant_id].endpoints) == 1
    assert secret not in repr(post.store.webhook_books)


def test_an_endpoint_that_fails_for_days_is_disabled_and_told(post: Post) -> None:
    endpoint, _ = post.create(URL, EventType.CUSTOMER_CREATED)
    post.receiver.answers[URL] = ["ConnectionFailed"] * 50
    post.happen()
    post.send()
    assert post.read(endpoint).failing_since == post.shop.clock.now()

    post.shop.clock.advance(DISABLED_AFTER)
    run = post.send()

    assert run.disabled == 1
    disabled = post.read(endpoint)
    assert (disabled.enabled, disabled.disabled_by_failures) == (False, True)
    post.happen()
    assert len(post.log(endpoint)) == 1
    with pytest.raises(WebhookEndpointDisabled):
        post.replay(endpoint, post.log(endpoint)[0].sequence)
    enabled = post.edit(endpoint, enabled=True)
    assert (enabled.disabled_by_failures, enabled.failing_since) == (False, None)


def test_a_success_forgets_the_failures_before_it(post: Post) -> None:
    endpoint, _ = post.create(URL, EventType.CUSTOMER_CREATED)
    post.receiver.answers[URL] = [503]
    post.happen()
    post.send()
    post.shop.clock.advance(timedelta(hours=1))
    post.send()

    assert post.read(endpoint).failing_since is None


def test_what_a_disabled_or_deleted_endpoint_was_still_to_hear_is_cancelled(post: Post) -> None:
    endpoint, _ = post.create(URL, EventType.CUSTOMER_CREATED)
    post.happen()
    post.edit(endpoint, enabled=False)

    post.send()

    assert post.receiver.received == []
    assert post.log(endpoint)[0].state is WebhookState.CANCELLED


def test_a_slow_or_dead_endpoint_does_not_keep_the_others_waiting(post: Post) -> None:
    dead, _ = post.create("https://mort.exemple.fr/", EventType.CUSTOMER_CREATED)
    alive, _ = post.create("https://vif.exemple.fr/", EventType.CUSTOMER_CREATED)
    post.receiver.answers[dead.url] = ["Timeout"] * 500
    for _ in range(60):
        post.shop.customer()
    post.place()

    run = post.send()

    assert {one.state for one in post.log(alive)} == {WebhookState.DELIVERED}
    assert run.delivered == 60
    assert run.failed < 30  # then it waits


def test_eight_senders_at_once_post_each_event_once(post: Post) -> None:
    post.create(URL, EventType.CUSTOMER_CREATED)
    for _ in range(40):
        post.shop.customer()
    post.place()

    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: post.send(clock=FakeClock(post.shop.clock.now())), range(8)))

    ids = [told["event_id"] for told in post.told()]
    assert len(ids) == len(set(ids)) == 40
    assert sum(run.delivered for run in runs) == 40


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_sender_that_dies_anywhere_loses_nothing(after: bool) -> None:
    at = 0
    while True:
        at += 1
        shop = Shop()
        shop.describe()
        post = Post(shop)
        post.place()
        endpoint, _ = post.create(URL, EventType.CUSTOMER_CREATED)
        post.happen()
        crash = CrashPoint(at, after)
        try:
            post.send(webhooks=crash.watch(post.held.webhooks), sender=crash.watch(post.receiver))
            died = False
        except Crashed:
            died = True
        shop.clock.advance(timedelta(minutes=5))
        post.send()

        assert post.log(endpoint)[0].state is WebhookState.DELIVERED
        assert 1 <= len({told["event_id"] for told in post.told()}) <= len(post.told()) <= 2
        if not died:
            assert at > 4
            return


@pytest.mark.parametrize(
    "url",
    [
        "http://exemple.fr/", "https://localhost/", "https://127.0.0.1/", "https://10.1.2.3/", "https://169.254.169.254/",
        "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://[fd00::1]/", "https://100.64.0.1/",
        "https://moi:secret@exemple.fr/", "https://exemple.fr/#a", "https://exemple.fr:25/", "https://intranet/",
        "https://serveur.local/", "https://2130706433/", "https://0x7f.1/", "exemple.fr", "https://exämple.fr/",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_https_is_refused(post: Post, url: str) -> None:
    with pytest.raises(FieldErrors) as refused:
        post.create(url)
    assert {error.pointer for error in refused.value.errors} == {"/url"}


def test_endpoints_are_for_those_who_manage_the_company_and_bounded_in_number(post: Post) -> None:
    endpoint, _ = post.create()
    for call in (
        lambda by: webhooks.list_webhook_endpoints(by, webhooks=post.held.webhooks),
        lambda by: webhooks.read_webhook_endpoint(by, endpoint.endpoint_id, webhooks=post.held.webhooks),
    ):
        with pytest.raises(Forbidden):
            call(post.shop.person(Role.MEMBER))
    with pytest.raises(StaleVersion):
        post.edit(endpoint, enabled=False, version=9)
    for rank in range(MAX_ENDPOINTS - 1):
        post.create(f"https://exemple{rank}.fr/")
    with pytest.raises(WebhookEndpointLimitReached):
        post.create("https://un.de.trop.exemple.fr/")
    webhooks.delete_webhook_endpoint(
        post.shop.caller, endpoint.endpoint_id, expected_version=endpoint.version, **post.ports
    )
    with pytest.raises(NotFound):
        post.read(endpoint)
