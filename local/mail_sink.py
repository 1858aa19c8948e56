"""An SMTP server that delivers to files: every mail it accepts is a ``.eml`` in the mail directory.

A mail sent as an invoice's delivery (header ``X-ZenBilling-Delivery``) is then followed by the events that Amazon SES
would publish, to the functions subscribed to them. Usage: ``python -m local.mail_sink <layout>``.
"""

from __future__ import annotations

import asyncio
import email
import itertools
import json
import logging
import re
import signal
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import Message
from email.utils import getaddresses
from pathlib import Path
from typing import Any, Final

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from local.layout import ACCOUNT_ID, HOST, REGION, Layout
from local.pool_client import PoolClient, PoolUnreachableError
from local.sns import sns_event
from local.stack import read_stack

DELIVERY_HEADER: Final = "X-ZenBilling-Delivery"
_LARGEST_MAIL: Final = 40 * 1024 * 1024
_UNREACHABLE_SECONDS: Final = 0.3
_RETRY_SECONDS: Final = (0.1, 0.5, 1.0, 2.0, 5.0)
_log = logging.getLogger(__name__)


class MailSink:
    """Writes mails to a directory, and events still to be told to another."""

    def __init__(self, mail: Path, pending: Path, *, refusal: Path | None = None) -> None:
        """``refusal``: while this file is there, no mail is taken, and its text is the answer."""
        self._mail = mail
        self._pending = pending
        self._refusal = refusal
        self._count = itertools.count(1)
        self.told = threading.Event()  # there are events to tell

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Accepts a mail once it is safely stored."""
        if self._refusal is not None and self._refusal.exists():
            return self._refusal.read_text(encoding="utf-8")
        content = envelope.original_content or b""
        now = datetime.now(UTC)
        recipient = re.sub(r"[^A-Za-z0-9@._+-]", "_", (envelope.rcpt_tos or ["nobody"])[0])
        name = f"{now:%Y%m%dT%H%M%S.%fZ}-{next(self._count):05d}-{recipient}"
        message = email.message_from_bytes(content)
        if message[DELIVERY_HEADER]:
            events = delivery_events(message, envelope.rcpt_tos, message_id=uuid.uuid4().hex, now=now)
            # Before the mail is visible: whoever sees the mail may rely on its events coming.
            write_atomically(self._pending / f"{name}.json", json.dumps(events).encode())
        write_atomically(self._mail / f"{name}.eml", content)
        self.told.set()
        return "250 2.0.0 Ok: stored"


def write_atomically(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(content)
    temporary.replace(path)


def delivery_events(message: Message, recipients: list[str], *, message_id: str, now: datetime) -> list[dict[str, Any]]:
    """What SES publishes of a mail that arrived: it was sent, then delivered."""
    timestamp = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"
    common = {
        "from": [str(value) for value in message.get_all("From", [])],
        "to": [address for _, address in getaddresses([str(value) for value in message.get_all("To", [])])],
        "date": str(message.get("Date", "")),
        "messageId": str(message.get("Message-ID", "")),
        "subject": str(message.get("Subject", "")),
    }
    mail = {
        "timestamp": timestamp,
        "source": getaddresses([str(message.get("From", ""))])[0][1],
        "sourceArn": f"arn:aws:ses:{REGION}:{ACCOUNT_ID}:identity/local",
        "sendingAccountId": ACCOUNT_ID,
        "messageId": message_id,
        "destination": list(recipients),
        "headersTruncated": False,
        "headers": [{"name": name, "value": _unfolded(value)} for name, value in message.items()],
        "commonHeaders": common,
        "tags": {"ses:operation": ["SendRawEmail"]},
    }
    delivery = {
        "timestamp": timestamp,
        "processingTimeMillis": 1,
        "recipients": list(recipients),
        "smtpResponse": "250 2.0.0 Ok: stored",
        "reportingMTA": HOST,
    }
    return [
        {"eventType": "Send", "mail": mail, "send": {}},
        {"eventType": "Delivery", "mail": mail, "delivery": delivery},
    ]


def _unfolded(value: object) -> str:
    return re.sub(r"\r?\n(?=[ \t])", "", str(value)).strip()


class EventTeller(threading.Thread):
    """Tells subscribed functions what became of the mails; an event is forgotten once it was accepted or given up."""

    def __init__(self, layout: Layout, told: threading.Event) -> None:
        super().__init__(daemon=True)
        self._layout = layout
        self._told = told
        self._pool = PoolClient(layout)
        self._topics: Mapping[str, tuple[str, ...]] | None = None

    def run(self) -> None:
        while True:
            self._told.clear()
            try:
                self._tell_pending()
            except (PoolUnreachableError, OSError):  # the pool, or what it was told, is not there yet
                time.sleep(_UNREACHABLE_SECONDS)
            else:
                self._told.wait()

    def _tell_pending(self) -> None:
        for path in sorted(self._layout.pending_mail_events.glob("*.json")):
            if self._topics is None:
                self._topics = read_stack(self._layout).mail_event_topics
            for event in json.loads(path.read_text(encoding="utf-8")):
                for topic, functions in self._topics.items():
                    for function in functions:
                        self._call(function, sns_event(topic, json.dumps(event), "Amazon SES Email Event Notification"))
            path.unlink()

    def _call(self, function: str, event: dict[str, Any]) -> None:
        """Raises: PoolUnreachableError."""
        answer, is_error = self._pool(function, event)
        for seconds in _RETRY_SECONDS:
            if not is_error:
                return
            time.sleep(seconds)
            answer, is_error = self._pool(function, event)
        if is_error:
            _log.error("%s did not accept an event: %s", function, answer)


async def serve(layout: Layout) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stopped.set)
    sink = MailSink(layout.mail, layout.pending_mail_events, refusal=layout.mail_refusal_file)
    server = await loop.create_server(lambda: smtp_protocol(sink), HOST, layout.ports.smtp)
    EventTeller(layout, sink.told).start()
    try:
        await stopped.wait()
    finally:
        server.close()


def smtp_protocol(sink: MailSink) -> SMTP:
    # Any name and password is welcome: the relay it stands for asks for some.
    return SMTP(
        sink,
        hostname=HOST,
        data_size_limit=_LARGEST_MAIL,
        enable_SMTPUTF8=True,
        auth_require_tls=False,
        authenticator=lambda *_: AuthResult(success=True),
    )


def main(arguments: list[str]) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(serve(Layout.from_json(arguments[0])))


if __name__ == "__main__":
    main(sys.argv[1:])
