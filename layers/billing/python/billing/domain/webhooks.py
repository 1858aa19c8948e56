"""Outgoing webhooks: who hears of which events, how it is signed, when it is tried again, and where it may never go."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from billing.domain.canonical import canonical_json
from billing.domain.errors import FieldError, NotFound, WebhookEndpointLimitReached
from billing.domain.feed import PlacedEvent

MAX_ENDPOINTS: Final = 10  # a placement writes two items per event and one per endpoint that hears of it
MAX_URL_LENGTH: Final = 500
OVERLAP: Final = timedelta(hours=24)  # of an old secret and the new one
# After the first, second… failure; eight attempts over 27 hours.
BACKOFF: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 300, 480, 720))
MAX_ATTEMPTS: Final = len(BACKOFF) + 1
DISABLED_AFTER: Final = timedelta(days=5)  # of nothing but failures
KEPT_ATTEMPTS: Final = 24
EXCERPT_LENGTH: Final = 500
SUCCESS: Final = range(200, 300)
SIGNATURE_HEADER: Final = "ZenBilling-Signature"
_NAME = re.compile(
    r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE
)
_INNER = (".local", ".localhost", ".internal", ".intranet", ".lan", ".home", ".corp", ".arpa")
_TRANSLATING = tuple(ipaddress.ip_network(one) for one in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
HTTPS_PORT: Final = 443
FIRST_FREE_PORT: Final = 1024


class WebhookTargets(StrEnum):
    """Where webhooks may go. The second is for a machine of one's own, never for a deployment."""

    PUBLIC = "public"
    PUBLIC_OR_LOOPBACK = "public-or-loopback"


def is_public_address(text: str) -> bool:
    """Whether an address belongs to the public internet, and to no network that could be ours or a neighbour's.

    Private, loopback, link-local (metadata services too), shared (CGNAT), unique local, multicast, reserved and
    documentation addresses do not, nor what only wraps an IPv4 address in IPv6.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and (
        address.ipv4_mapped is not None or any(address in network for network in _TRANSLATING) or int(address) < 2**32
    ):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def is_loopback_address(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False


def may_go_to(address: str, targets: WebhookTargets) -> bool:
    if is_public_address(address):
        return True
    return targets is WebhookTargets.PUBLIC_OR_LOOPBACK and is_loopback_address(address)


def url_errors(url: str, targets: WebhookTargets) -> Iterator[FieldError]:
    """What is wrong with the address of an endpoint. Names are looked up when something is sent, not here."""
    try:
        parts = urlsplit(url)
        port = parts.port or HTTPS_PORT
        host = parts.hostname or ""
    except ValueError:
        parts, port, host = SplitResult("", "", "", "", ""), HTTPS_PORT, ""
    loopback = targets is WebhookTargets.PUBLIC_OR_LOOPBACK and is_loopback_address(host)
    plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url and len(url) <= MAX_URL_LENGTH
    if not plain or not host or parts.fragment or "@" in parts.netloc:
        yield FieldError(
            "/url",
            "Une adresse https complète est attendue, sans identifiants ni fragment, en caractères ASCII.",
            "A complete https address is expected, without credentials or fragment, in ASCII.",
        )
    elif parts.scheme != "https" and not (loopback and parts.scheme == "http"):
        yield FieldError("/url", "L'adresse doit être en https.", "The address must be https.")
    elif not loopback and port != HTTPS_PORT and port < FIRST_FREE_PORT:
        yield FieldError("/url", "Ce port n'est pas permis.", "This port is not allowed.")
    elif not loopback and not _is_public_host(host):
        yield FieldError(
            "/url",
            "L'adresse doit être joignable sur l'Internet public.",
            "The address must be reachable on the public internet.",
        )


def _is_public_host(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        name = host.removesuffix(".").lower()
        return _NAME.fullmatch(name) is not None and not name.endswith(_INNER)
    return is_public_address(host)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSecret:
    """What a secret is derived from, and never the secret; ``until``: when it stops signing, None for the current."""

    salt: str
    created_at: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpoint:
    """``event_types`` empty: all, those to come too. ``failing_since``: nothing but failures since then."""

    endpoint_id: str
    version: int
    url: str
    event_types: tuple[str, ...]
    description: str
    enabled: bool
    secrets: tuple[WebhookSecret, ...]
    created_at: datetime
    updated_at: datetime
    failing_since: datetime | None = None
    disabled_by_failures: bool = False

    def hears(self, event: PlacedEvent) -> bool:
        return self.enabled and (not self.event_types or event.event.event_type.value in self.event_types)

    def signing(self, at: datetime) -> tuple[WebhookSecret, ...]:
        """The secrets that sign at an instant, the current one first."""
        return tuple(one for one in self.secrets if one.until is None or at < one.until)

    def changed(
        self, *, url: str, event_types: tuple[str, ...], description: str, enabled: bool, at: datetime
    ) -> WebhookEndpoint:
        """Enabling it again forgets the failures."""
        forgets = enabled and not self.enabled
        return replace(
            self,
            version=self.version + 1,
            url=url,
            event_types=event_types,
            description=description,
            enabled=enabled,
            failing_since=None if forgets else self.failing_since,
            disabled_by_failures=self.disabled_by_failures and not enabled,
            updated_at=at,
        )

    def rotated(self, salt: str, at: datetime) -> WebhookEndpoint:
        """A new secret signs from now on; the one before it, and no other, for a day beside it."""
        previous = replace(self.secrets[0], until=at + OVERLAP)
        secrets = (WebhookSecret(salt=salt, created_at=at), previous)
        return replace(self, version=self.version + 1, secrets=secrets, updated_at=at)

    def after(self, *, success: bool, at: datetime) -> WebhookEndpoint:
        """Itself when nothing changes by an attempt; disabled when it failed for days."""
        if success:
            return replace(self, failing_since=None) if self.failing_since else self
        if self.failing_since is None:
            return replace(self, failing_since=at)
        if self.enabled and at - self.failing_since >= DISABLED_AFTER:
            return replace(self, version=self.version + 1, enabled=False, disabled_by_failures=True, updated_at=at)
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookBook:
    """All endpoints of a tenant: one value, read whenever events get their places."""

    tenant_id: str
    version: int = 0
    endpoints: tuple[WebhookEndpoint, ...] = ()

    def of(self, endpoint_id: str) -> WebhookEndpoint:
        """Raises: NotFound."""
        for endpoint in self.endpoints:
            if endpoint.endpoint_id == endpoint_id:
                return endpoint
        raise NotFound

    def with_new(self, endpoint: WebhookEndpoint) -> WebhookBook:
        """Raises: WebhookEndpointLimitReached."""
        if len(self.endpoints) >= MAX_ENDPOINTS:
            raise WebhookEndpointLimitReached
        return replace(self, version=self.version + 1, endpoints=(*self.endpoints, endpoint))

    def with_changed(self, changed: WebhookEndpoint) -> WebhookBook:
        endpoints = tuple(changed if one.endpoint_id == changed.endpoint_id else one for one in self.endpoints)
        return replace(self, version=self.version + 1, endpoints=endpoints)

    def without(self, endpoint_id: str) -> WebhookBook:
        endpoints = tuple(one for one in self.endpoints if one.endpoint_id != endpoint_id)
        return replace(self, version=self.version + 1, endpoints=endpoints)


class WebhookState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"  # every attempt failed: a person may replay it
    CANCELLED = "cancelled"  # the endpoint was disabled or deleted meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookAttempt:
    """``status`` None when there was no HTTP answer; ``error`` names why then. ``excerpt`` of a refusal's body."""

    at: datetime
    duration_ms: int
    status: int | None
    error: str = ""
    excerpt: str = ""

    @property
    def succeeded(self) -> bool:
        return self.status in SUCCESS


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDelivery:
    """One event for one endpoint: known by both, so that it is asked for once whatever runs twice."""

    tenant_id: str
    endpoint_id: str
    sequence: int
    version: int
    event_id: str
    event_type: str
    state: WebhookState
    created_at: datetime
    next_attempt_at: datetime | None
    round: int = 0  # failures since it was asked for, or replayed
    attempts: tuple[WebhookAttempt, ...] = field(default=())

    @classmethod
    def of(cls, endpoint: WebhookEndpoint, tenant_id: str, event: PlacedEvent, at: datetime) -> WebhookDelivery:
        return cls(
            tenant_id=tenant_id,
            endpoint_id=endpoint.endpoint_id,
            sequence=event.sequence,
            version=1,
            event_id=event.event.event_id,
            event_type=event.event.event_type.value,
            state=WebhookState.PENDING,
            created_at=at,
            next_attempt_at=at,
        )

    def leased(self, until: datetime) -> WebhookDelivery:
        """Taken by one sender; should it die, the attempt is due again then."""
        return replace(self, version=self.version + 1, next_attempt_at=until)

    def attempted(self, attempt: WebhookAttempt, *, jitter: float) -> WebhookDelivery:
        """``jitter`` (0…1) spreads what failed together by up to a tenth."""
        attempts = (*self.attempts, attempt)[-KEPT_ATTEMPTS:]
        moved = replace(self, version=self.version + 1, attempts=attempts)
        if attempt.succeeded:
            return replace(moved, state=WebhookState.DELIVERED, next_attempt_at=None)
        failures = self.round + 1
        if failures >= MAX_ATTEMPTS:
            return replace(moved, state=WebhookState.DEAD, next_attempt_at=None, round=failures)
        pause = BACKOFF[failures - 1] * (1 + jitter / 10)
        return replace(moved, next_attempt_at=attempt.at + pause, round=failures)

    def cancelled(self) -> WebhookDelivery:
        return replace(self, version=self.version + 1, state=WebhookState.CANCELLED, next_attempt_at=None)

    def replayed(self, at: datetime) -> WebhookDelivery:
        """Due now, with all its attempts before it; what was tried stays told."""
        return replace(self, version=self.version + 1, state=WebhookState.PENDING, next_attempt_at=at, round=0)


def deliveries_of(book: WebhookBook, events: tuple[PlacedEvent, ...], at: datetime) -> tuple[WebhookDelivery, ...]:
    return tuple(
        WebhookDelivery.of(endpoint, book.tenant_id, event, at)
        for event in events
        for endpoint in book.endpoints
        if endpoint.hears(event)
    )


def webhook_body(event: PlacedEvent) -> bytes:
    """The event as the feed shows it: a receiver can tell order by the sequence and repeats by the event id."""
    told: dict[str, Any] = {
        "sequence": event.sequence,
        "event_id": event.event.event_id,
        "type": event.event.event_type.value,
        "occurred_at": event.event.occurred_at.isoformat().replace("+00:00", "Z"),
        "actor": event.event.actor,
        "subject": {"type": event.subject_kind, "id": event.subject_id, "number": event.subject_number},
        "data": event.event.data,
    }
    return canonical_json(told).encode()


def signature(secrets: tuple[str, ...], body: bytes, at: datetime) -> str:
    """``t=<unix>,v1=<hex>``, one ``v1`` per secret that signs: HMAC-SHA256 of ``<t>.<body>``."""
    stamp = str(int(at.timestamp()))
    signed = stamp.encode() + b"." + body
    marks = (hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets)
    return ",".join((f"t={stamp}", *(f"v1={mark}" for mark in marks)))


def excerpt_of(content: bytes) -> str:
    """The beginning of an answer's body as printable text."""
    text = content.decode("utf-8", errors="replace")
    return "".join(char if char.isprintable() else " " for char in text)[:EXCERPT_LENGTH].strip()
