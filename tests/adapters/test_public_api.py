"""The product's API asked over HTTP, against a server of here."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator

import pytest

from billing.adapters.public_api import HttpPublicApi
from billing.domain.errors import DependencyUnavailable


class _Here(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        said = {"body": json.loads(body), "language": self.headers["Accept-Language"]}
        self._answer(201, "application/json; charset=utf-8", json.dumps(said).encode())

    def do_GET(self) -> None:
        match self.path:
            case "/refused":
                self._answer(409, "application/problem+json", b'{"type": "/problems/busy"}')
            case "/list":
                self._answer(200, "application/json", b"[1]")
            case "/torn":
                self._answer(200, "application/json", b"{")
            case _:
                self._answer(200, "application/pdf", b"%PDF-")

    def do_DELETE(self) -> None:
        self._answer(204, "", b"")

    def _answer(self, status: int, media_type: str, content: bytes) -> None:
        self.send_response(status)
        if media_type:
            self.send_header("Content-Type", media_type)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Here)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_answer_is_what_was_answered_whatever_its_status(url: str) -> None:
    api = HttpPublicApi(f"{url}/")

    posted = api.ask("POST", "/v1/things", {"é": 1}, headers={"Accept-Language": "fr"})
    assert (posted.status, posted.body) == (201, {"body": {"é": 1}, "language": "fr"})
    refused = api.ask("GET", "/refused", headers={})
    assert (refused.status, refused.body) == (409, {"type": "/problems/busy"})
    assert api.ask("GET", "/pdf", headers={}).body == b"%PDF-"
    assert api.ask("DELETE", "/one", headers={}).status == 204
    assert (api.ask("GET", "/list", headers={}).body, api.ask("GET", "/torn", headers={}).body) == (b"[1]", b"{")
    assert api.fetch(f"{url}/pdf") == b"%PDF-"


def test_nobody_there_is_said_as_such() -> None:
    api = HttpPublicApi("http://127.0.0.1:9")

    with pytest.raises(DependencyUnavailable):
        api.ask("GET", "/v1/health", headers={})
    with pytest.raises(DependencyUnavailable):
        api.fetch("http://127.0.0.1:9/pdf")


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/pdf", "http://elsewhere.exemple.test/pdf"])
def test_an_address_that_is_none_of_ours_is_not_read(url: str) -> None:
    with pytest.raises(DependencyUnavailable):
        HttpPublicApi("http://127.0.0.1:9").fetch(url)
