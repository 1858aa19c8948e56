"""Webhooks over HTTP: events reach a receiver signed, however often it fails, and nothing private is called."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from local.client import Json, wait_for
from local.samples import draft
from local.testing import LocalCloud
from tests.people import Person

pytestmark = pytest.mark.cloud


class Receiver(ThreadingHTTPServer):
    """Takes what comes; answers 500 to the first ``refusals``."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, refusals: int) -> None:
        self.taken: list[tuple[str, bytes]] = []
        self.refused = 0
        lock, receiver = threading.Lock(), self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with lock:
                    refuses = receiver.refused < refusals
                    receiver.refused += refuses
                    if not refuses:
                        receiver.taken.append((self.headers["ZenBilling-Signature"], body))
                self.send_response(500 if refuses else 204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/zenbilling"


@pytest.fixture
def receive() -> Iterator[Callable[[int], Receiver]]:
    started: list[Receiver] = []

    def start(refusals: int) -> Receiver:
        started.append(Receiver(refusals))
        return started[-1]

    yield start
    for one in started:
        one.shutdown()
        one.server_close()


def _log(someone: Person, path: str, count: int) -> list[Json] | None:
    items: list[Json] = someone.api.get(f"{path}/deliveries")["items"]
    return items if len(items) >= count else None


def test_events_are_posted_signed_once_and_again_after_a_failure(
    cloud: LocalCloud, person: Callable[..., Person], receive: Callable[[int], Receiver]
) -> None:
    someone, receiver = person(), receive(1)
    made = someone.api.post(
        "/v1/webhook-endpoints", {"url": receiver.url, "event_types": ["invoice.created", "invoice.issued"]}
    )
    path = f"/v1/webhook-endpoints/{made['endpoint_id']}"
    invoice = someone.api.post("/v1/invoices", draft(someone.customer["customer_id"]))
    someone.api.post(f"/v1/invoices/{invoice['invoice_id']}/issue", {"version": 1})
    wait_for(lambda: _log(someone, path, 2), what="the deliveries")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: cloud.invoke("scheduled-send-webhooks", {}), range(8)))
    first = someone.api.get(f"{path}/deliveries")["items"]
    (failed,) = [one for one in first if one["state"] == "pending"]
    assert [attempt["status"] for attempt in failed["attempts"]] == [500]
    assert failed["next_attempt_at"] is not None
    someone.api.post(f"{path}/deliveries/{failed['sequence']}/replay")
    cloud.invoke("scheduled-send-webhooks", {})

    assert {one["state"] for one in someone.api.get(f"{path}/deliveries")["items"]} == {"delivered"}
    assert len(receiver.taken) == 2
    feed = {one["sequence"]: one for one in someone.api.get("/v1/events?limit=100")["items"]}
    for mark, body in receiver.taken:
        stamp, signed = mark.split(",")
        content = f"{stamp.removeprefix('t=')}.".encode() + body
        expected = hmac.new(made["secret"].encode(), content, hashlib.sha256).hexdigest()
        assert signed == f"v1={expected}"
        told = json.loads(body)
        assert told["event_id"] == feed[told["sequence"]]["event_id"]
        assert told["type"] == feed[told["sequence"]]["type"]
        assert told["occurred_at"] == feed[told["sequence"]]["occurred_at"]


def test_private_addresses_are_refused(person: Callable[..., Person]) -> None:
    someone = person()
    for url in ("https://10.0.0.1/", "https://169.254.169.254/latest/", "http://exemple.fr/"):
        refused = someone.api.send("POST", "/v1/webhook-endpoints", {"url": url}, idempotency_key="une-fois")
        assert refused.status_code == 422, url
        assert refused.json()["errors"][0]["pointer"] == "/url"
