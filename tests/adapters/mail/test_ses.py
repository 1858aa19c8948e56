"""SES v2: what is asked of it, and what each of its answers means."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from billing.adapters.mail.ses import SesMailer, ses_client
from billing.domain.errors import MailRefused, MailTemporarilyRefused, MailUnconfirmed
from billing.domain.mail import DELIVERY_TAG
from tests.adapters.mail.samples import FROM_ADDRESS, nothing, outgoing

CONFIGURATION_SET = "exemple-mails"


@dataclass
class Ses:
    """A stand-in for the HTTP interface; ``status`` None hangs up without an answer."""

    status: int | None = 200
    code: str = ""
    delay: threading.Event | None = None
    requests: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.requests.append(json.loads(handler.rfile.read(int(handler.headers["Content-Length"]))))
        if self.delay is not None:
            self.delay.wait(10)
        if self.status is None or self.delay is not None:
            handler.close_connection = True
            return
        body = json.dumps({"message": "…"} if self.code else {"MessageId": "ses-exemple-1"}).encode()
        handler.send_response(self.status)
        if self.code:
            handler.send_header("x-amzn-ErrorType", self.code)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


class _Handler(BaseHTTPRequestHandler):
    ses: ClassVar[Ses]

    def do_POST(self) -> None:
        self.ses.answer(self)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Tests print nothing."""


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", address)
    yield address
    server.shutdown()
    server.server_close()
    thread.join(5)


def mailer() -> SesMailer:
    return SesMailer(ses_client(), from_address=FROM_ADDRESS, configuration_set=CONFIGURATION_SET)


def test_the_request_carries_message_envelope_and_tag(endpoint: str) -> None:
    _Handler.ses = ses = Ses()

    assert mailer().send(outgoing(), hand_over=nothing) == "ses-exemple-1"

    (request,) = ses.requests
    assert request["Destination"] == {"ToAddresses": ["compta@modele.example"]}
    assert request["FromEmailAddress"] == FROM_ADDRESS
    assert request["ConfigurationSetName"] == CONFIGURATION_SET
    assert request["EmailTags"] == [{"Name": DELIVERY_TAG, "Value": "ten_01.inv_01.1"}]
    raw = base64.b64decode(request["Content"]["Raw"]["Data"])
    assert message_from_bytes(raw)["Message-ID"] == "<ten_01.inv_01.1@zenbilling.example>"


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "MessageRejected", MailRefused),
        (400, "BadRequestException", MailRefused),
        (400, "MailFromDomainNotVerifiedException", MailRefused),
        (400, "AccountSuspendedException", MailRefused),
        (404, "NotFoundException", MailRefused),
        (429, "TooManyRequestsException", MailTemporarilyRefused),
        (400, "LimitExceededException", MailTemporarilyRefused),
        (400, "SendingPausedException", MailTemporarilyRefused),
        (403, "ExpiredTokenException", MailTemporarilyRefused),
        (500, "InternalServiceErrorException", MailUnconfirmed),
        (503, "ServiceUnavailable", MailUnconfirmed),
        (None, "", MailUnconfirmed),
    ],
)
def test_each_answer_has_its_meaning_and_nothing_is_sent_twice(
    endpoint: str, status: int | None, code: str, error: type[Exception]
) -> None:
    _Handler.ses = ses = Ses(status, code)

    with pytest.raises(error) as caught:
        mailer().send(outgoing(), hand_over=nothing)

    assert caught.type is error
    assert len(ses.requests) == 1


def test_silence_after_the_request_leaves_it_unconfirmed(endpoint: str) -> None:
    _Handler.ses = ses = Ses(delay=threading.Event())
    client = boto3.client("sesv2", config=Config(retries={"total_max_attempts": 1}, read_timeout=0.3))

    with pytest.raises(MailUnconfirmed):
        SesMailer(client, from_address=FROM_ADDRESS, configuration_set=CONFIGURATION_SET).send(
            outgoing(), hand_over=nothing
        )

    assert ses.delay is not None
    ses.delay.set()
    assert len(ses.requests) == 1


def test_nobody_listening_is_worth_a_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", "http://127.0.0.1:9")

    with pytest.raises(MailTemporarilyRefused):
        mailer().send(outgoing(), hand_over=nothing)


def test_nothing_is_asked_before_the_caller_has_noted_that_the_mail_leaves(endpoint: str) -> None:
    _Handler.ses = ses = Ses()

    def cannot() -> None:
        raise MailUnconfirmed

    with pytest.raises(MailUnconfirmed):
        mailer().send(outgoing(), hand_over=cannot)

    assert ses.requests == []


def test_a_reference_that_is_no_identifier_is_a_mistake_of_the_caller(endpoint: str) -> None:
    _Handler.ses = ses = Ses()

    with pytest.raises(ValueError, match="identifiers"):
        mailer().send(outgoing(delivery_reference="Atelier Modèle"), hand_over=nothing)

    assert ses.requests == []


@mock_aws
def test_the_request_is_one_that_the_service_model_accepts() -> None:
    client = ses_client()
    client.create_email_identity(EmailIdentity=FROM_ADDRESS)
    client.create_configuration_set(ConfigurationSetName=CONFIGURATION_SET)

    sent = SesMailer(client, from_address=FROM_ADDRESS, configuration_set=CONFIGURATION_SET).send(
        outgoing(), hand_over=nothing
    )

    assert sent
