"""Outgoing webhooks: endpoints and their secrets, deliveries sent until they are taken or given up."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from billing.domain.access import Caller, Permission
from billing.domain.errors import (
    DependencyUnavailable,
    FieldErrors,
    NotFound,
    StaleVersion,
    WebhookEndpointDisabled,
)
from billing.domain.events import SYSTEM_ACTOR, Event, EventType
from billing.domain.webhooks import (
    SIGNATURE_HEADER,
    WebhookAttempt,
    WebhookBook,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookSecret,
    WebhookState,
    WebhookTargets,
    excerpt_of,
    signature,
    url_errors,
    webhook_body,
)
from billing.ports.clock import Clock, Ids
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.webhooks import DueDelivery, Webhooks, WebhookSecrets, WebhookSender
from billing.usecases.contention import judged_anew
from billing.usecases.turns import Turns

SEND_LIMIT = 100
SEND_BUDGET_SECONDS = 35.0  # the schedule comes every minute, and what was begun may take ten more
SENDERS = 16
LEASE = timedelta(minutes=2)  # longer than a run: who died holding a delivery is passed over for so long
FAILURES_IN_A_RUN = 3  # then an endpoint waits, so that it does not keep the others waiting
POSTPONED = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointInput:
    url: str
    event_types: tuple[str, ...]
    description: str
    enabled: bool = True


def create_webhook_endpoint(
    caller: Caller,
    wanted: EndpointInput,
    *,
    once: IdempotentRequest,
    webhooks: Webhooks,
    secrets: WebhookSecrets,
    targets: WebhookTargets,
    clock: Clock,
    ids: Ids,
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint and its secret, which is shown now and never again.

    Raises: Forbidden, FieldErrors, WebhookEndpointLimitReached, DependencyUnavailable.
    """
    caller.require(Permission.MANAGE_COMPANY)
    _require_url(wanted.url, targets)
    now, endpoint_id, salt = clock.now(), ids.new("whe"), ids.secret()
    secret = secrets.secret(salt, context=_context(caller.tenant_id, endpoint_id))
    endpoint = WebhookEndpoint(
        endpoint_id=endpoint_id,
        version=1,
        url=wanted.url,
        event_types=wanted.event_types,
        description=wanted.description,
        enabled=wanted.enabled,
        secrets=(WebhookSecret(salt=salt, created_at=now),),
        created_at=now,
        updated_at=now,
    )

    def attempt() -> WebhookEndpoint:
        book = webhooks.book(caller, once=once).with_new(endpoint)
        event = _event(EventType.WEBHOOK_ENDPOINT_CREATED, caller.user_id, endpoint, now, ids)
        webhooks.save(caller, book, endpoint_id=endpoint_id, event=event, once=once, answered=endpoint)
        return endpoint

    return judged_anew(attempt, clock=clock, ids=ids), secret


def list_webhook_endpoints(caller: Caller, *, webhooks: Webhooks) -> tuple[WebhookEndpoint, ...]:
    """Raises: Forbidden."""
    caller.require(Permission.MANAGE_COMPANY)
    return webhooks.book(caller).endpoints


def read_webhook_endpoint(caller: Caller, endpoint_id: str, *, webhooks: Webhooks) -> WebhookEndpoint:
    """Raises: Forbidden, NotFound."""
    caller.require(Permission.MANAGE_COMPANY)
    return webhooks.book(caller).of(endpoint_id)


def edit_webhook_endpoint(
    caller: Caller,
    endpoint_id: str,
    wanted: EndpointInput,
    *,
    expected_version: int,
    webhooks: Webhooks,
    targets: WebhookTargets,
    clock: Clock,
    ids: Ids,
) -> WebhookEndpoint:
    """Raises: Forbidden, FieldErrors, NotFound, StaleVersion."""
    caller.require(Permission.MANAGE_COMPANY)
    _require_url(wanted.url, targets)

    def change(book: WebhookBook, endpoint: WebhookEndpoint, at: datetime) -> tuple[WebhookBook, WebhookEndpoint]:
        changed = endpoint.changed(
            url=wanted.url,
            event_types=wanted.event_types,
            description=wanted.description,
            enabled=wanted.enabled,
            at=at,
        )
        return book.with_changed(changed), changed

    kind = EventType.WEBHOOK_ENDPOINT_EDITED
    return _changed(caller, endpoint_id, expected_version, change, kind, webhooks=webhooks, clock=clock, ids=ids)


def delete_webhook_endpoint(
    caller: Caller, endpoint_id: str, *, expected_version: int, webhooks: Webhooks, clock: Clock, ids: Ids
) -> None:
    """What was still to be sent to it is cancelled in its turn. Raises: Forbidden, NotFound, StaleVersion."""
    caller.require(Permission.MANAGE_COMPANY)

    def remove(book: WebhookBook, endpoint: WebhookEndpoint, _at: datetime) -> tuple[WebhookBook, WebhookEndpoint]:
        return book.without(endpoint_id), endpoint

    kind = EventType.WEBHOOK_ENDPOINT_DELETED
    _changed(caller, endpoint_id, expected_version, remove, kind, webhooks=webhooks, clock=clock, ids=ids)


def _changed(
    caller: Caller,
    endpoint_id: str,
    expected_version: int,
    change: Callable[[WebhookBook, WebhookEndpoint, datetime], tuple[WebhookBook, WebhookEndpoint]],
    kind: EventType,
    *,
    webhooks: Webhooks,
    clock: Clock,
    ids: Ids,
) -> WebhookEndpoint:
    """The other endpoints, and what the sender notes, may move meanwhile; this one's version must not have."""

    def attempt() -> WebhookEndpoint | None:
        book, now = webhooks.book(caller), clock.now()
        endpoint = book.of(endpoint_id)
        if endpoint.version != expected_version:
            return None
        moved, changed = change(book, endpoint, now)
        event = _event(kind, caller.user_id, changed, now, ids)
        webhooks.save(caller, moved, endpoint_id=endpoint_id, event=event)
        return changed

    changed = judged_anew(attempt, clock=clock, ids=ids)
    if changed is None:
        raise StaleVersion
    return changed


def rotate_webhook_endpoint_secret(
    caller: Caller,
    endpoint_id: str,
    *,
    once: IdempotentRequest,
    webhooks: Webhooks,
    secrets: WebhookSecrets,
    clock: Clock,
    ids: Ids,
) -> tuple[WebhookEndpoint, str]:
    """A new secret, shown now and never again; for a day both sign. Raises: Forbidden, NotFound."""
    caller.require(Permission.MANAGE_COMPANY)
    webhooks.book(caller, once=once).of(endpoint_id)
    salt = ids.secret()
    secret = secrets.secret(salt, context=_context(caller.tenant_id, endpoint_id))

    def attempt() -> WebhookEndpoint:
        book, now = webhooks.book(caller, once=once), clock.now()
        rotated = book.of(endpoint_id).rotated(salt, now)
        event = _event(EventType.WEBHOOK_SECRET_ROTATED, caller.user_id, rotated, now, ids)
        moved = book.with_changed(rotated)
        webhooks.save(caller, moved, endpoint_id=endpoint_id, event=event, once=once, answered=rotated)
        return rotated

    return judged_anew(attempt, clock=clock, ids=ids), secret


def list_webhook_endpoint_deliveries(
    caller: Caller, endpoint_id: str, page: PageRequest, *, webhooks: Webhooks
) -> Page[WebhookDelivery]:
    """Latest event first. Raises: Forbidden, NotFound."""
    caller.require(Permission.MANAGE_COMPANY)
    webhooks.book(caller).of(endpoint_id)
    return webhooks.deliveries(caller, endpoint_id, page)


def replay_webhook_endpoint_delivery(
    caller: Caller,
    endpoint_id: str,
    sequence: int,
    *,
    once: IdempotentRequest,
    webhooks: Webhooks,
    clock: Clock,
    ids: Ids,
) -> WebhookDelivery:
    """Due again now, whatever became of it. Raises: Forbidden, NotFound, WebhookEndpointDisabled."""
    caller.require(Permission.MANAGE_COMPANY)

    def attempt() -> WebhookDelivery:
        book, delivery = webhooks.delivery(caller, endpoint_id, sequence, once=once)
        endpoint, now = book.of(endpoint_id), clock.now()
        if not endpoint.enabled:
            raise WebhookEndpointDisabled
        replayed = delivery.replayed(now)
        event = _event(EventType.WEBHOOK_DELIVERY_REPLAYED, caller.user_id, endpoint, now, ids, sequence=sequence)
        webhooks.replay(caller, replayed, event=event, once=once)
        return replayed

    return judged_anew(attempt, clock=clock, ids=ids)


@dataclass(slots=True)
class WebhookRun:
    """What a run did: deliveries taken, attempts that failed, deliveries given up, endpoints disabled."""

    delivered: int = 0
    failed: int = 0
    dead: int = 0
    disabled: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    turns: Turns = field(default_factory=Turns)
    lock: Lock = field(default_factory=Lock)

    def note(self, endpoint_id: str, delivery: WebhookDelivery, *, success: bool, disabled: bool) -> None:
        with self.lock:
            self.delivered += success
            self.failed += not success
            self.dead += delivery.state is WebhookState.DEAD
            self.disabled += disabled
            self.failures[endpoint_id] = 0 if success else self.failures.get(endpoint_id, 0) + 1

    def waits(self, endpoint_id: str) -> bool:
        with self.lock:
            return self.failures.get(endpoint_id, 0) >= FAILURES_IN_A_RUN


def send_due_webhooks(
    *, webhooks: Webhooks, secrets: WebhookSecrets, sender: WebhookSender, clock: Clock, ids: Ids
) -> WebhookRun:
    """Attempt every delivery that is due, many at once. Safe beside another run: a delivery is taken by one.

    A delivery is sent at least once; cut after the receiver's answer, it is sent again with the same event id.

    Raises: the first failure of our own, once everything else had its turn.
    """
    run = WebhookRun()
    deadline = clock.monotonic() + SEND_BUDGET_SECONDS
    post = _Post(webhooks, secrets, sender, clock, ids, run, deadline)
    with ThreadPoolExecutor(SENDERS) as pool:
        for shard in range(webhooks.shards):
            seen: set[tuple[str, str, int, int]] = set()
            while clock.monotonic() < deadline:
                due = webhooks.due(clock.now(), shard=shard, limit=SEND_LIMIT)
                page = [one for one in due if _mark(one) not in seen]
                if not page:
                    break
                seen.update(_mark(one) for one in page)
                list(pool.map(post, page))
    run.turns.end()
    return run


def _mark(due: DueDelivery) -> tuple[str, str, int, int]:
    one = due.delivery
    return one.tenant_id, one.endpoint_id, one.sequence, one.version


@dataclass(frozen=True, slots=True)
class _Post:
    """One attempt of one delivery."""

    webhooks: Webhooks
    secrets: WebhookSecrets
    sender: WebhookSender
    clock: Clock
    ids: Ids
    run: WebhookRun
    deadline: float

    def __call__(self, due: DueDelivery) -> None:
        if self.clock.monotonic() >= self.deadline:
            return  # it stays due
        with self.run.turns.one():
            self._attempt(due)

    def _attempt(self, due: DueDelivery) -> None:
        delivery, now = due.delivery, self.clock.now()
        try:
            endpoint = due.book.of(delivery.endpoint_id)
        except NotFound:
            endpoint = None
        if endpoint is None or not endpoint.enabled or due.event is None:
            self.webhooks.advance(delivery.cancelled())
            return
        if self.run.waits(endpoint.endpoint_id):
            self.webhooks.advance(delivery.leased(now + POSTPONED))
            return
        leased = delivery.leased(now + LEASE)
        if not self.webhooks.advance(leased):
            return
        body = webhook_body(due.event)
        context = _context(delivery.tenant_id, endpoint.endpoint_id)
        secrets = tuple(self.secrets.secret(one.salt, context=context) for one in endpoint.signing(now))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "ZenBilling-Webhooks/1",
            "ZenBilling-Event-Id": delivery.event_id,
            SIGNATURE_HEADER: signature(secrets, body, now),
        }
        posted = self.sender.post(endpoint.url, body, headers)
        attempt = WebhookAttempt(
            at=now,
            duration_ms=posted.duration_ms,
            status=posted.status,
            error=posted.error,
            excerpt=excerpt_of(posted.content),
        )
        settled = leased.attempted(attempt, jitter=self.ids.jitter())
        self.webhooks.advance(settled)
        disabled = self._note_health(delivery.tenant_id, endpoint.endpoint_id, success=attempt.succeeded, at=now)
        self.run.note(endpoint.endpoint_id, settled, success=attempt.succeeded, disabled=disabled)

    def _note_health(self, tenant_id: str, endpoint_id: str, *, success: bool, at: datetime) -> bool:
        """Remember since when an endpoint fails; disable it after days. Returns whether that was now."""

        def attempt() -> bool:
            book = self.webhooks.stored_book(tenant_id)
            try:
                endpoint = book.of(endpoint_id)
            except NotFound:
                return False
            moved = endpoint.after(success=success, at=at)
            if moved is endpoint:
                return False
            disabled = endpoint.enabled and not moved.enabled
            event = _event(EventType.WEBHOOK_ENDPOINT_DISABLED, SYSTEM_ACTOR, moved, at, self.ids) if disabled else None
            self.webhooks.record(book.with_changed(moved), endpoint_id=endpoint_id, event=event)
            return disabled

        return judged_anew(attempt, clock=self.clock, ids=self.ids, exhausted=DependencyUnavailable)


def _require_url(url: str, targets: WebhookTargets) -> None:
    errors = tuple(url_errors(url, targets))
    if errors:
        raise FieldErrors(errors)


def _context(tenant_id: str, endpoint_id: str) -> dict[str, str]:
    """What a secret belongs to: another endpoint has another one."""
    return {"tenant_id": tenant_id, "endpoint_id": endpoint_id}


def _event(
    kind: EventType, actor: str, endpoint: WebhookEndpoint, at: datetime, ids: Ids, *, sequence: int | None = None
) -> Event:
    """Neither address nor secret: only which endpoint."""
    data: dict[str, str | int] = {"endpoint_id": endpoint.endpoint_id, "version": endpoint.version}
    if sequence is not None:
        data["sequence"] = sequence
    return Event(event_id=ids.new("evt"), event_type=kind, occurred_at=at, actor=actor, data=data)
