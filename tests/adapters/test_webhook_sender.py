"""The sender against receivers on loopback: what it refuses to reach, and that it never waits for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from billing.adapters.webhook_keys import DerivedWebhookSecrets
from billing.adapters.webhook_sender import HttpWebhookSender
from billing.domain.webhooks import WebhookTargets, is_public_address

HERE = WebhookTargets.PUBLIC_OR_LOOPBACK


class Receiver(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, behave: Callable[[BaseHTTPRequestHandler], None]) -> None:
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.seen.append((self.path, dict(self.headers), body))
                behave(self)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/ici?a=b"


@pytest.fixture
def receive() -> Iterator[Callable[[Callable[[BaseHTTPRequestHandler], None]], Receiver]]:
    started: list[Receiver] = []

    def start(behave: Callable[[BaseHTTPRequestHandler], None]) -> Receiver:
        started.append(Receiver(behave))
        return started[-1]

    yield start
    for one in started:
        one.shutdown()
        one.server_close()


def _answer(status: int, body: bytes = b"", **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return behave


def test_a_post_is_answered(receive: Any) -> None:
    receiver = receive(_answer(204))

    posted = HttpWebhookSender(HERE).post(receiver.url, b"{}", {"ZenBilling-Signature": "t=1,v1=a"})

    assert (posted.status, posted.error) == (204, "")
    ((path, headers, body),) = receiver.seen
    assert (path, body, headers["ZenBilling-Signature"]) == ("/ici?a=b", b"{}", "t=1,v1=a")


def test_a_redirect_is_an_answer_and_not_followed(receive: Any) -> None:
    target = receive(_answer(200))
    receiver = receive(_answer(307, Location=target.url))

    assert HttpWebhookSender(HERE).post(receiver.url, b"{}", {}).status == 307
    assert target.seen == []


def test_a_receiver_that_trickles_is_cut(receive: Any) -> None:
    def trickle(handler: BaseHTTPRequestHandler) -> None:
        for _ in range(100):
            handler.wfile.write(b"H")
            time.sleep(0.05)

    receiver = receive(trickle)

    posted = HttpWebhookSender(HERE, total_seconds=0.3).post(receiver.url, b"{}", {})

    assert (posted.status, posted.error) == (None, "Timeout")


def test_a_long_answer_is_not_read_to_its_end(receive: Any) -> None:
    receiver = receive(_answer(500, b"x" * 1_000_000))

    assert len(HttpWebhookSender(HERE).post(receiver.url, b"{}", {}).content) <= 2_000


def test_nobody_there_is_told(receive: Any) -> None:
    receiver = receive(_answer(200))
    receiver.shutdown()
    receiver.server_close()

    assert HttpWebhookSender(HERE).post(receiver.url, b"{}", {}).error == "ConnectionFailed"


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["10.0.0.8"], ["93.184.215.14", "192.168.1.1"], ["::1"], []])
def test_a_name_that_leads_to_any_private_address_is_not_called(addresses: list[str]) -> None:
    """Looked up once: the connection goes to the address that was checked, or nowhere."""
    looked_up: list[str] = []

    def resolve(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        looked_up.append(host)
        return [(0, 0, 0, "", (address, port)) for address in addresses]

    posted = HttpWebhookSender(WebhookTargets.PUBLIC, resolve=resolve).post("https://piege.exemple.fr/", b"{}", {})

    assert (posted.status, posted.error) == (None, "AddressNotAllowed")
    assert looked_up == ["piege.exemple.fr"]


def test_loopback_is_refused_to_a_deployment(receive: Any) -> None:
    receiver = receive(_answer(200))

    assert HttpWebhookSender(WebhookTargets.PUBLIC).post(receiver.url, b"{}", {}).error == "AddressNotAllowed"
    assert receiver.seen == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True), ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True), ("10.0.0.1", False),
        ("172.16.0.1", False), ("192.168.0.1", False), ("127.0.0.1", False), ("169.254.169.254", False),
        ("100.64.0.1", False), ("0.0.0.1", False), ("224.0.0.1", False), ("255.255.255.255", False), ("::", False),
        ("::1", False), ("::ffff:8.8.8.8", False), ("64:ff9b::808:808", False), ("2002:a00:1::", False),
        ("fe80::1", False), ("fc00::1", False), ("ff02::1", False), ("192.0.2.1", False), ("localhost", False),
    ],
)  # fmt: skip
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public_address(address) is public


def test_a_secret_belongs_to_its_endpoint_and_needs_the_key() -> None:
    read: list[int] = []

    def key() -> str:
        read.append(1)
        return "a" * 64

    secrets = DerivedWebhookSecrets(key)
    one = secrets.secret("salt", context={"tenant_id": "ten", "endpoint_id": "whe_1"})

    assert one == secrets.secret("salt", context={"tenant_id": "ten", "endpoint_id": "whe_1"})
    assert one.startswith("whsec_")
    assert len(one) == len("whsec_") + 43
    assert one != secrets.secret("salt", context={"tenant_id": "ten", "endpoint_id": "whe_2"})
    assert one != secrets.secret("other", context={"tenant_id": "ten", "endpoint_id": "whe_1"})
    assert one != DerivedWebhookSecrets(lambda: "b" * 64).secret(
        "salt", context={"tenant_id": "ten", "endpoint_id": "whe_1"}
    )
    assert len(read) == 1
