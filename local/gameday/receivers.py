"""What a game day puts around the functions, on loopback: who is told (Slack, SMS), and what fails (table, bucket)."""

from __future__ import annotations

import http.client
import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs, urlsplit

from local.layout import HOST

_DONE: Final = 200
_SERVER_ERROR: Final = 500
_FORBIDDEN: Final = 403
_FORWARD_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """``text`` as people read it; ``payload`` as it came; ``at`` in real seconds, ``minute`` in simulated ones."""

    channel: str
    text: str
    payload: Any
    at: float
    minute: int = 0


def real_seconds() -> float:
    return datetime.now(UTC).timestamp()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _answer(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Calls are not logged one by one."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked may be killed meanwhile: that is the day's own doing."""


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The address of a server that ends with the block."""
    server = _Server((HOST, 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def slack_handler(inbox: list[Received]) -> type[BaseHTTPRequestHandler]:
    """Slack's end of an incoming webhook."""

    class Slack(_Handler):
        def do_POST(self) -> None:
            payload = json.loads(self._body())
            inbox.append(Received(channel="slack", text=payload["text"], payload=payload, at=real_seconds()))
            self._answer(_DONE, b"ok", content_type="text/plain")

    return Slack


def sms_handler(inbox: list[Received]) -> type[BaseHTTPRequestHandler]:
    """SNS, as far as it sends messages to telephones."""

    class Sms(_Handler):
        def do_POST(self) -> None:
            asked = {name: values[-1] for name, values in parse_qs(self._body().decode()).items()}
            if asked.get("Action") != "Publish" or "PhoneNumber" not in asked:
                self._answer(400, b"<ErrorResponse><Error><Code>InvalidParameter</Code></Error></ErrorResponse>")
                return
            inbox.append(Received(channel="sms", text=asked["Message"], payload=asked, at=real_seconds()))
            told = f"<PublishResult><MessageId>{uuid.uuid4()}</MessageId></PublishResult>"
            answer = f'<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">{told}</PublishResponse>'
            self._answer(_DONE, answer.encode(), content_type="text/xml")

    return Sms


class BrokenTable(_Handler):
    """DynamoDB on a bad day: every request is answered with an internal error, which the SDK tries again."""

    def do_POST(self) -> None:
        self._body()
        error = {"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "It was asked to fail."}
        self._answer(_SERVER_ERROR, json.dumps(error).encode(), content_type="application/x-amz-json-1.0")


class Bucket:
    """S3 that refuses to store some PDFs, those of the given ranks of each ``of``; the rest is passed on."""

    def __init__(self, behind: str, *, refused: frozenset[int], of: int) -> None:
        self._behind = urlsplit(behind).netloc
        self._refused = refused
        self._of = of
        self._lock = threading.Lock()
        self._ranks: dict[str, int] = {}

    def refuses(self, method: str, path: str) -> bool:
        """Of a key always the same."""
        if method != "PUT" or not path.partition("?")[0].endswith(".pdf"):
            return False
        with self._lock:
            rank = self._ranks.setdefault(path, len(self._ranks))
        return rank % self._of in self._refused

    def forward(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> Any:
        connection = http.client.HTTPConnection(self._behind, timeout=_FORWARD_SECONDS)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:  # the signature is of these, of the host too
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()


def bucket_handler(bucket: Bucket) -> type[BaseHTTPRequestHandler]:
    class Proxy(_Handler):
        _OWN: ClassVar = {"connection", "content-length", "transfer-encoding", "date", "server"}

        def _handle(self) -> None:
            body = self._body()
            if bucket.refuses(self.command, self.path):
                refusal = b"<Error><Code>AccessDenied</Code><Message>It was asked to fail.</Message></Error>"
                self._answer(_FORBIDDEN, refusal, content_type="application/xml")
                return
            sent = [(name, value) for name, value in self.headers.items() if name.lower() != "expect"]
            status, told, content = bucket.forward(self.command, self.path, sent, body)
            self.send_response(status)
            for name, value in told:
                if name.lower() not in self._OWN:
                    self.send_header(name, value)
            length = dict(told).get("Content-Length", "0") if self.command == "HEAD" else str(len(content))
            self.send_header("content-length", length)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _handle  # noqa: N815 - the server's names

    return Proxy
