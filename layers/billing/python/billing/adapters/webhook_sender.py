"""Webhooks over HTTPS, to the public internet only: the address that was checked is the address that is called."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from billing.domain.webhooks import HTTPS_PORT, WebhookTargets, may_go_to
from billing.ports.webhooks import Posted

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 10.0
READ_BYTES = 2_000
_HTTP_PORT = 80

Resolver = Callable[..., list[tuple[Any, ...]]]


class _Refused(Exception):
    """Nothing was sent; the text is the name of the reason."""


class HttpWebhookSender:
    """Port WebhookSender. Follows no redirect, keeps no connection, knows no proxy."""

    def __init__(
        self,
        targets: WebhookTargets,
        *,
        resolve: Resolver = socket.getaddrinfo,
        trust: ssl.SSLContext | None = None,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._targets = targets
        self._resolve = resolve
        self._trust = trust or ssl.create_default_context()
        self._total_seconds = total_seconds

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        started = time.monotonic()
        try:
            status, content = self._exchange(url, body, headers, started)
        except _Refused as refused:
            return self._posted(started, error=str(refused))
        except TimeoutError:
            return self._posted(started, error="Timeout")
        except ssl.SSLError:
            return self._posted(started, error="TlsFailed")
        except (OSError, http.client.HTTPException):
            late = time.monotonic() - started >= self._total_seconds
            return self._posted(started, error="Timeout" if late else "ConnectionFailed")
        return self._posted(started, status=status, content=content)

    def _posted(self, started: float, *, status: int | None = None, error: str = "", content: bytes = b"") -> Posted:
        duration = round((time.monotonic() - started) * 1000)
        return Posted(status=status, duration_ms=duration, error=error, content=content)

    def _exchange(self, url: str, body: bytes, headers: Mapping[str, str], started: float) -> tuple[int, bytes]:
        parts = urlsplit(url)
        host, secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (HTTPS_PORT if secure else _HTTP_PORT)
        address = self._checked_address(host, port, secure=secure)
        connection = http.client.HTTPConnection(host, port)
        connection.sock = self._connected(address, port, host if secure else None)
        # Whatever trickles in, the exchange ends in time: each read alone has no total.
        watchdog = threading.Timer(
            max(0.0, self._total_seconds - (time.monotonic() - started)), _cut, (connection.sock,)
        )
        watchdog.daemon = True
        watchdog.start()
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path, body=body, headers={**headers, "Connection": "close"})
            answer = connection.getresponse()
            return answer.status, answer.read(READ_BYTES)
        finally:
            watchdog.cancel()
            connection.close()

    def _checked_address(self, host: str, port: int, *, secure: bool) -> str:
        """One look-up; a name with any address that webhooks may not go to is refused as a whole."""
        try:
            found = self._resolve(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise _Refused("NameNotFound") from None
        addresses = [str(one[4][0]).partition("%")[0] for one in found]
        if not addresses or not all(may_go_to(one, self._targets) for one in addresses):
            raise _Refused("AddressNotAllowed")
        if not secure and not all(_is_loopback(one) for one in addresses):
            raise _Refused("AddressNotAllowed")
        return addresses[0]

    def _connected(self, address: str, port: int, server_name: str | None) -> socket.socket:
        raw = socket.create_connection((address, port), timeout=min(CONNECT_SECONDS, self._total_seconds))
        raw.settimeout(self._total_seconds)
        if server_name is None:
            return raw
        try:
            return self._trust.wrap_socket(raw, server_hostname=server_name)
        except BaseException:
            raw.close()
            raise


def _is_loopback(address: str) -> bool:
    return may_go_to(address, WebhookTargets.PUBLIC_OR_LOOPBACK) and not may_go_to(address, WebhookTargets.PUBLIC)


def _cut(connected: socket.socket) -> None:
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)
