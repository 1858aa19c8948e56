"""Events on their way to the webhook: signed for real, sent again until they are taken, and disturbed on demand."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import sqlite3
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from random import SystemRandom
from typing import Any, Final

from local.stripe import objects
from local.stripe.store import Delivery, Object, Store

_AGAIN_SECONDS: Final = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)  # Stripe takes three days
_POST_SECONDS: Final = 35.0
_IDLE_SECONDS: Final = 0.05
_AT_ONCE: Final = 4
_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Disturbance:
    """What becomes of the events that are made from now on, of these types or of all.

    ``drop``: so many of the next are never sent. ``repeat``: each is sent so many times. ``jitter_seconds``: each waits
    up to so long, so that they overtake each other. ``hold``: they wait until they are released.
    """

    types: tuple[str, ...] = ()
    drop: int = 0
    repeat: int = 1
    delay_seconds: float = 0.0
    jitter_seconds: float = 0.0
    hold: bool = False


class Courier:
    """``now`` is the time that signatures carry; waits are real."""

    def __init__(self, store: Store, *, url: str, secret: str, now: Callable[[], datetime]) -> None:
        self._store = store
        self._url = url
        self._secret = secret.encode()
        self._now = now
        self._random = SystemRandom()
        self._lock = threading.Lock()
        self._flying: set[int] = set()
        self.disturbance = Disturbance()

    # Made, held, released

    def told(self, event: Object) -> None:
        """An event was made, in the transaction of what it tells."""
        wanted = self.disturbance
        if wanted.types and event["type"] not in wanted.types:
            wanted = Disturbance()
        elif wanted.drop > 0:
            wanted.drop -= 1
            return
        for _ in range(wanted.repeat):
            wait = wanted.delay_seconds + self._random.random() * wanted.jitter_seconds
            self._store.deliver(event["id"], due=_real_seconds() + wait, held=wanted.hold)

    def disturb(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Raises: TypeError for what is not known."""
        self.disturbance = Disturbance(**{**asked, "types": tuple(asked.get("types", ()))})
        return self.state()

    def release(self, order: str) -> int:
        """What was held is sent, ``as_made``, ``reversed`` or ``shuffled``. How many they are."""
        held = self._store.held()
        if order == "reversed":
            held.reverse()
        elif order == "shuffled":
            self._random.shuffle(held)
        self._store.release(held, due=_real_seconds())
        return len(held)

    def resend(self, event_id: str) -> None:
        """As from the dashboard."""
        self._store.deliver(event_id, due=_real_seconds(), held=False)

    def state(self) -> dict[str, Any]:
        return {**asdict(self.disturbance), "waiting": self._store.waiting()}

    # Sent

    def run(self, stopped: threading.Event) -> None:
        with ThreadPoolExecutor(_AT_ONCE) as senders:
            while not stopped.is_set():
                for delivery in self._taken():
                    senders.submit(self._send, delivery)
                stopped.wait(_IDLE_SECONDS)

    def _taken(self) -> list[Delivery]:
        with self._lock:
            room = _AT_ONCE - len(self._flying)
            if room <= 0:
                return []
            due = self._store.due_deliveries(_real_seconds(), _AT_ONCE + room)
            taken = [delivery for delivery in due if delivery.number not in self._flying][:room]
            self._flying.update(delivery.number for delivery in taken)
            return taken

    def _send(self, delivery: Delivery) -> None:
        try:
            if self._is_accepted(delivery.event_id):
                self._store.delivered(delivery.number)
            elif delivery.attempts >= len(_AGAIN_SECONDS):
                _log.error("the webhook never took %s", delivery.event_id)
                self._store.delivered(delivery.number)
            else:
                wait = _AGAIN_SECONDS[delivery.attempts]
                self._store.deliver_again(delivery.number, due=_real_seconds() + wait)
        except sqlite3.Error:  # the process ends
            _log.exception("a delivery failed")
        finally:
            with self._lock:
                self._flying.discard(delivery.number)

    def _is_accepted(self, event_id: str) -> bool:
        found = self._store.anywhere("event", event_id)
        if found is None:
            return True
        body = json.dumps(objects.shown(found), indent=2).encode()
        call = urllib.request.Request(  # noqa: S310 - of this machine
            self._url,
            body,
            {
                "content-type": "application/json; charset=utf-8",
                "stripe-signature": signature(body, self._secret, int(self._now().timestamp())),
                "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            },
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(call, timeout=_POST_SECONDS) as answer:
                return bool(200 <= answer.status < 300)
        except urllib.error.HTTPError as refusal:
            refusal.close()
            return False
        except OSError:
            return False


def signature(body: bytes, secret: bytes, instant: int) -> str:
    """As Stripe signs; test mode has a scheme ``v0`` beside, which proves nothing."""

    def signed(key: bytes) -> str:
        return hmac.new(key, str(instant).encode() + b"." + body, hashlib.sha256).hexdigest()

    return f"t={instant},v1={signed(secret)},v0={signed(b'test')}"


def _real_seconds() -> float:
    return datetime.now(UTC).timestamp()
