"""Slack, by an incoming webhook."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from contextlib import suppress
from urllib.parse import urlsplit

from billing.adapters.alert_channels.recipients import ReadRecipients, fingerprint
from billing.domain.alerts import AlertSeverity, Notice, Sent

TIMEOUT_SECONDS = 3.0
_SIGNS = {
    AlertSeverity.INFO: ":white_circle:",
    AlertSeverity.WARNING: ":warning:",
    AlertSeverity.CRITICAL: ":red_circle:",
}
_SUCCESS = range(200, 300)
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class SlackChannel:
    """Port AlertChannel."""

    def __init__(self, recipients: ReadRecipients, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._recipients = recipients
        self._timeout_seconds = timeout_seconds

    def send(self, notice: Notice, *, reached: frozenset[str]) -> Sent:
        url = self._recipients().slack_webhook_url
        if not url:
            return Sent(unused=True)
        if fingerprint(url) in reached:
            return Sent()
        try:
            status = self._post(url, json.dumps(message_of(notice), ensure_ascii=False).encode())
        except (OSError, ValueError, http.client.HTTPException) as error:
            return Sent(error=type(error).__name__)
        return Sent(reached=(fingerprint(url),)) if status in _SUCCESS else Sent(error=f"Http{status}")

    def _post(self, url: str, body: bytes) -> int:
        """Raises: ValueError, for an address that is not https; OSError, HTTPException."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(
                host, parts.port, timeout=self._timeout_seconds, context=ssl.create_default_context()
            )
        elif parts.scheme == "http" and host in _LOOPBACK:
            connection = http.client.HTTPConnection(host, parts.port, timeout=self._timeout_seconds)
        else:
            raise ValueError("the address of a webhook is https")
        connection.connect()
        # Whatever trickles in, the exchange ends in time: each read alone has no total.
        watchdog = threading.Timer(self._timeout_seconds, _cut, (connection,))
        watchdog.daemon = True
        watchdog.start()
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path, body=body, headers={"Content-Type": "application/json; charset=utf-8"})
            return connection.getresponse().status
        finally:
            watchdog.cancel()
            connection.close()


def message_of(notice: Notice) -> dict[str, str]:
    title = f"{_SIGNS[notice.severity]} *{_escaped(notice.title)}*"
    return {"text": "\n".join((title, *(_escaped(line) for line in notice.lines)))}


def _escaped(text: str) -> str:
    """As Slack asks: these three are its own signs."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(connection: http.client.HTTPConnection) -> None:
    with suppress(OSError, AttributeError):
        connection.sock.shutdown(2)  # both ways
