"""Stripe's API, its pages and its control over HTTP."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import socket
import sqlite3
import struct
import threading
import time
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from local.layout import HOST
from local.stripe import objects
from local.stripe.api import Api
from local.stripe.bank import Bank
from local.stripe.control import Control
from local.stripe.errors import ApiError, invalid
from local.stripe.faults import Fault, Faults
from local.stripe.forms import FormError, parse_form
from local.stripe.pages import Pages
from local.stripe.store import PLATFORM, Answer, Object, Store
from local.stripe.subscriptions import Subscriptions
from local.stripe.webhooks import Courier

API_KEY: Final = "sk_test_zenbilling_local"
WEBHOOK_SECRET: Final = "whsec_zenbilling_local"
_KEY_SECONDS: Final = 24 * 3600
_LARGEST_BODY: Final = 1024 * 1024
_LONGEST_KEY: Final = 255
_TIME_SECONDS: Final = 0.5
_NOBODY: Final = "You did not provide an API key. You need to provide your API key in the Authorization header."
_log = logging.getLogger(__name__)


class LocalStripe:
    """One Stripe: its objects in a file, its events on their way to a webhook.

    ``now`` is the time that it knows, which a local cloud may set forward.
    """

    def __init__(self, file: Path | str, *, base_url: str, webhook_url: str, now: Callable[[], datetime]) -> None:
        self.store = Store(file)
        self.courier = Courier(self.store, url=webhook_url, secret=WEBHOOK_SECRET, now=now)
        self.bank = Bank(self.store, now=now, told=self.courier.told)
        self.faults = Faults()
        subscriptions = Subscriptions(self.bank)
        self.pages = Pages(self.bank, subscriptions)
        self.control = Control(self.bank, subscriptions, self.courier, self.faults)
        self._api = Api(self.bank, subscriptions, base_url=base_url, api_key=API_KEY)
        self._lock = threading.Lock()
        self._running: set[tuple[str, str]] = set()

    def sell(self, name: str, *, lookup_key: str, amount: int, currency: str) -> None:
        """A monthly price of the platform itself, made once as its dashboard would."""
        if self.store.all_of(PLATFORM, "price", lambda one: one["lookup_key"] == lookup_key):
            return
        now = self.bank.seconds()
        product = self.store.put(PLATFORM, objects.product(now, {"name": name}))
        asked = {"currency": currency.lower(), "lookup_key": lookup_key, "tax_behavior": "exclusive"}
        month = objects.recurrence("month", 1)
        price = objects.price(now, asked, product_id=product["id"], amount=amount, recurring=month)
        self.store.put(PLATFORM, price)

    def run(self, stopped: threading.Event) -> list[threading.Thread]:
        """What goes on by itself, until it is stopped."""
        runners = [self.courier.run, self._pass_time]
        threads = [threading.Thread(target=runner, args=(stopped,), daemon=True) for runner in runners]
        for thread in threads:
            thread.start()
        return threads

    def _pass_time(self, stopped: threading.Event) -> None:
        while not stopped.wait(_TIME_SECONDS):
            try:
                self.bank.pass_time()
            except (ApiError, sqlite3.Error):
                _log.exception("what is due by the clock failed")

    def ask(self, method: str, path: str, form: str, headers: dict[str, str]) -> tuple[int, Object, dict[str, str]]:
        """Status, body and headers of the answer to a request of the API."""
        request_id = objects.new_id("req", 14)
        account, key = headers.get("stripe-account", ""), headers.get("idempotency-key", "")
        told = {
            "request-id": request_id,
            "stripe-version": headers.get("stripe-version", objects.API_VERSION),
            **({"stripe-account": account} if account else {}),
            **({"idempotency-key": key} if key and method == "POST" else {}),
        }
        try:
            self._know(headers.get("authorization", ""))
            asked = _parsed(form)
            self._api.hold_access(account)  # before anything else, also of what was answered before
            if method != "POST" or not key:
                with self.store.writing(), self.bank.on_behalf_of(request_id, None):
                    return 200, self._api.answer(method, path, asked, account), told
            status, body, replayed = self._once(path, asked, account, key, request_id)
            told |= {"idempotent-replayed": "true", "original-request": replayed} if replayed else {}
        except ApiError as refusal:
            return refusal.status, _refused(refusal, request_id), told
        else:
            return status, body, told

    def _know(self, authorization: str) -> None:
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() == "basic":
            with contextlib.suppress(ValueError):
                given = base64.b64decode(given).decode().partition(":")[0]
        if not given:
            raise ApiError(_NOBODY, status=401)
        if given != API_KEY:
            raise ApiError(f"Invalid API Key provided: {given[:8]}***{given[-4:]}", status=401)

    def _once(self, path: str, asked: Object, account: str, key: str, request_id: str) -> tuple[int, Object, str]:
        """The answer of an idempotency key, and whose it was when it is not this request's."""
        if len(key) > _LONGEST_KEY:
            raise invalid("Idempotency-Key", "Keys have at most 255 characters.", "idempotency_key_too_long")
        place = (account, key)
        with self._lock:
            if place in self._running:
                raise ApiError(
                    "There is currently another in-progress request using this Idempotent Key.",
                    status=409,
                    code="idempotency_key_in_use",
                    kind="idempotency_error",
                )
            self._running.add(place)
        try:
            question = json.dumps([path, asked], sort_keys=True)
            known = self.store.answer(account, key)
            if known is not None and self.bank.seconds() - known.created < _KEY_SECONDS:
                if known.asked != question:
                    raise ApiError(
                        "Keys for idempotent requests can only be used with the same parameters they were first used "
                        f"with. Try using a key other than '{key}' if you meant to execute a different request.",
                        kind="idempotency_error",
                    )
                return known.status, json.loads(known.body), known.request_id
            return *self._answered(path, asked, place, question, request_id), ""
        finally:
            with self._lock:
                self._running.discard(place)

    def _answered(
        self, path: str, asked: Object, place: tuple[str, str], question: str, request_id: str
    ) -> tuple[int, Object]:
        def keep(status: int, body: Object) -> None:
            self.store.keep_answer(
                *place, Answer(question, status, json.dumps(body), request_id, float(self.bank.seconds()))
            )

        account, key = place
        try:
            with self.store.writing(), self.bank.on_behalf_of(request_id, key):
                body = self._api.answer("POST", path, asked, account)
                keep(200, body)
                return 200, body
        except ApiError as refusal:
            if refusal.kept:
                keep(refusal.status, _refused(refusal, request_id))
            raise


def _parsed(form: str) -> Object:
    try:
        return parse_form(form)
    except FormError as error:
        raise ApiError(str(error)) from error


def _refused(refusal: ApiError, request_id: str) -> Object:
    log = f"https://dashboard.stripe.com/test/logs/{request_id}"
    return {"error": refusal.body | {"request_log_url": log}}


class _Cut(Exception):
    """The connection ends without an answer."""


class Handler(BaseHTTPRequestHandler):
    server: StripeServer
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        if length > _LARGEST_BODY:
            self.close_connection = True
            self._tell(413, b"", {})
            return
        body = self.rfile.read(length).decode("utf-8", "replace")
        url = urlsplit(self.path)
        try:
            if url.path.startswith("/v1/"):
                self._api(url.path, body if self.command == "POST" else url.query)
            elif url.path.startswith("/_control/"):
                self._control(url.path, body)
            else:
                self._page(url.path)
        except _Cut:
            self.close_connection = True
            # Nothing more is sent, and what was received is not acknowledged as read.
            with contextlib.suppress(OSError):
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()

    def _api(self, path: str, form: str) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        if self.server.stripe.faults.delay_seconds:
            time.sleep(self.server.stripe.faults.delay_seconds)
        fault = self.server.stripe.faults.next(self.command, path)
        if fault is not None and not fault.after_effect:
            self._fail(fault)
            return
        status, answered, told = self.server.stripe.ask(self.command, path, form, headers)
        if fault is not None:
            self._fail(fault)
            return
        self._tell_json(status, answered, told)

    def _fail(self, fault: Fault) -> None:
        if fault.kind == "timeout":
            time.sleep(fault.seconds)
        if fault.kind != "error":
            raise _Cut
        request_id = objects.new_id("req", 14)
        self._tell_json(fault.status, _refused(fault.error(), request_id), {"request-id": request_id})

    def _control(self, path: str, body: str) -> None:
        try:
            asked = json.loads(body or "{}")
            answered = self.server.stripe.control.answer(self.command, path.strip("/").split("/")[1:], asked)
        except ApiError as refusal:
            self._tell_json(refusal.status, {"error": refusal.body}, {})
        except (TypeError, ValueError, KeyError) as error:
            self._tell_json(400, {"error": {"message": f"{type(error).__name__}: {error}"}}, {})
        else:
            self._tell_json(200, answered, {})

    def _page(self, path: str) -> None:
        parts = path.strip("/").split("/")
        status, content = (
            self.server.stripe.pages.act(parts) if self.command == "POST" else self.server.stripe.pages.show(parts)
        )
        if status == HTTPStatus.SEE_OTHER:
            self._tell(status, b"", {"location": content})
            return
        headers = {
            "content-type": "text/html; charset=utf-8",
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action *",
        }
        self._tell(status, content.encode(), headers)

    def _tell_json(self, status: int, body: Any, headers: dict[str, str]) -> None:
        self._tell(status, json.dumps(body, indent=2).encode(), {"content-type": "application/json", **headers})

    def _tell(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_PUT(self) -> None:
        self._handle()

    def do_DELETE(self) -> None:
        self._handle()

    def log_message(self, *_: object) -> None:
        """A log of each request is nobody's need here."""


class StripeServer(ThreadingHTTPServer):
    """Listens on a port, 0 for any; ``stripe`` is given before it serves."""

    daemon_threads = True
    request_queue_size = 128
    stripe: LocalStripe

    def __init__(self, port: int) -> None:
        super().__init__((HOST, port), Handler)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}"

    def serve(self, stripe: LocalStripe) -> None:
        self.stripe = stripe
        self.serve_forever(poll_interval=0.02)
