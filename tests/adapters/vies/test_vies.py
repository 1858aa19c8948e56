"""VIES over its protocol: what it says, that it is not waited for, and that it is left alone when it is down."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from billing.adapters import vies
from billing.adapters.vies import Vies
from billing.ports.vat_numbers import VatConsultation
from local.vies import answer
from tests.fakes.clock import FakeClock

REQUESTER = "FR11123456782"


@dataclass
class Server:
    """A VIES that can be told to answer something else."""

    asked: list[dict[str, str]] = field(default_factory=list)
    says: tuple[int, bytes] | None = None
    waits: threading.Event | None = None
    url: str = ""

    def handle(self, body: bytes) -> tuple[int, bytes]:
        self.asked.append(json.loads(body))
        if self.waits is not None:
            self.waits.wait(5)
        if self.says is not None:
            return self.says
        status, content = answer(body)
        return status, json.dumps(content).encode()


@pytest.fixture
def server() -> Iterator[Server]:
    held = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, content = held.handle(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    held.url = f"http://127.0.0.1:{listening.server_address[1]}"
    yield held
    listening.shutdown()
    listening.server_close()


def test_a_number_that_exists_is_known_with_its_consultation_number(server: Server) -> None:
    found = Vies(server.url, clock=FakeClock()).consult("DE123456788", requester=REQUESTER)

    assert found is not None
    assert found.valid
    assert found.consultation_number is not None
    assert found.consultation_number.startswith("WAPIAAAA")
    assert server.asked == [
        {
            "countryCode": "DE",
            "vatNumber": "123456788",
            "requesterMemberStateCode": "FR",
            "requesterNumber": "11123456782",
        }
    ]


def test_a_number_that_does_not_exist_has_no_name(server: Server) -> None:
    found = Vies(server.url, clock=FakeClock()).consult("DE123456700", requester=None)

    assert found == VatConsultation(valid=False, consultation_number=None, name="", address="")


@pytest.mark.parametrize(
    "says",
    [
        None,  # the member state does not answer
        (500, b"{}"),
        (301, b"{}"),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"valid": "yes"}'),
        (200, b"\xff"),
    ],
)
def test_whatever_else_it_says_nothing_is_known(server: Server, says: tuple[int, bytes] | None) -> None:
    server.says = says

    assert Vies(server.url, clock=FakeClock()).consult("DE123456799", requester=None) is None


def test_a_register_that_does_not_answer_in_time_is_not_waited_for(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vies, "READ_SECONDS", 0.05)
    server.waits = threading.Event()

    assert Vies(server.url, clock=FakeClock()).consult("DE123456788", requester=None) is None
    server.waits.set()


def test_after_three_failures_it_is_left_alone_for_a_while(server: Server) -> None:
    clock = FakeClock()
    register = Vies(server.url, clock=clock)
    server.says = (503, b"")
    for _ in range(5):
        assert register.consult("DE123456788", requester=None) is None
    assert len(server.asked) == 3

    server.says = None
    clock.sleep(31)

    assert register.consult("DE123456788", requester=None) is not None
