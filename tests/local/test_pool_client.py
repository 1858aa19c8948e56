"""The pumps call functions over a connection that the entry may have closed meanwhile."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any, cast

import pytest

from local import pool_client
from local.layout import HOST, Layout
from local.pool_client import PoolClient


class Entry(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 0.2  # then it closes a connection that is idle

    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({"heard": event}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Nothing is said."""


def test_a_connection_that_was_idle_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadingHTTPServer((HOST, 0), Entry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    layout = cast("Layout", SimpleNamespace(ports=SimpleNamespace(control=server.server_address[1])))
    monkeypatch.setattr(pool_client, "_KEPT_SECONDS", 0.1)
    try:
        call = PoolClient(layout)
        assert call("first", {"n": 1}) == ({"heard": {"n": 1}}, False)
        threading.Event().wait(0.6)  # the server has closed it
        assert call("second", {"n": 2}) == ({"heard": {"n": 2}}, False)
        assert call._connection is not None
        call._connection.close()
    finally:
        server.shutdown()
        server.server_close()
