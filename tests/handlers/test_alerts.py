"""Alerts received for real: the router's handler, a receiver of Slack's webhooks, a mail relay and an SNS of here."""

from __future__ import annotations

import http.server
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import boto3
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from moto import mock_aws
from moto.sns.models import sns_backends

from billing.adapters.alert_channels.email import EmailChannel
from billing.adapters.alert_channels.recipients import Recipients
from billing.adapters.alert_channels.slack import SlackChannel
from billing.adapters.alert_channels.sms import SmsChannel
from billing.adapters.dynamodb.alerts import AlertDesk
from billing.adapters.dynamodb.table import Table
from billing.adapters.mail.smtp import SmtpMailer, SmtpSettings
from billing.domain.alerts import Channel, DeliveryState
from billing.ports.paging import PageRequest
from billing.runtime import alert_channels, table
from billing.runtime.clock import clock, ids
from billing.usecases.alerts import run_alerts
from billing.usecases.turns import Turns
from local.ring import alarm_message
from tests.adapters.mail.test_smtp import Relay, free_port
from tests.engines import billing_table_definition
from tests.fakes.clock import FakeClock
from tests.handlers.conftest import invoke, sample

CRITICAL = "ApiErrorsCriticalAlarm"
NUMBER, ADDRESS = "+33600000000", "exploitation@exemple.test"


@dataclass
class Receivers:
    """Slack, a relay and SNS; ``slack_answers`` with a status after some seconds."""

    slack: list[Any] = field(default_factory=list)
    slack_answers: tuple[int, float] = (200, 0.0)
    relay: Relay = field(default_factory=Relay)

    @property
    def mails(self) -> list[Envelope]:
        return self.relay.taken

    @property
    def texts(self) -> list[tuple[str, str]]:
        sent = sns_backends["123456789012"]["eu-west-3"].sms_messages.values()
        return [(str(number), str(text)) for number, text in sent]


def _slack_server(receivers: Receivers) -> http.server.ThreadingHTTPServer:
    class Slack(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, seconds = receivers.slack_answers
            time.sleep(seconds)
            if status == 200:
                receivers.slack.append((self.path, self.headers["Content-Type"], json.loads(body)))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slack)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture
def desk(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> AlertDesk:
    name = f"alerts-{uuid.uuid4().hex[:8]}"
    dynamodb.create_table(TableName=name, **billing_table_definition())
    desk = AlertDesk(Table(dynamodb, name, clock=clock, ids=ids))
    monkeypatch.setattr(table, "alert_desk", lambda: desk)
    return desk


@pytest.fixture
def receivers(desk: AlertDesk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receivers]:
    del desk
    received = Receivers()
    slack = _slack_server(received)
    relay = Controller(received.relay, hostname="127.0.0.1", port=free_port())
    relay.start()
    people = Recipients(
        slack_webhook_url=f"http://127.0.0.1:{slack.server_port}/services/T0/B0/sample",
        emails=(ADDRESS,),
        phone_numbers=(NUMBER,),
    )
    mailer = SmtpMailer(
        SmtpSettings(host="127.0.0.1", port=relay.port, starttls=False),
        from_address="alertes@zenbilling.example",
        timeout_seconds=5,
    )
    with mock_aws():
        channels = {
            Channel.SLACK: SlackChannel(lambda: people, timeout_seconds=0.5),
            Channel.EMAIL: EmailChannel(mailer, lambda: people, reply_to="alertes@zenbilling.example"),
            Channel.SMS: SmsChannel(boto3.client("sns", region_name="eu-west-3"), lambda: people),
        }
        monkeypatch.setattr(alert_channels, "channels", lambda: channels)
        yield received
    slack.shutdown()
    slack.server_close()
    relay.stop()


def publish(name: str, state: str = "ALARM") -> str:
    """The topic hands a message to the router; its id."""
    event = sample("operations/route_alert")
    message = event["Records"][0]["Sns"]
    message["MessageId"] = str(uuid.uuid4())
    message["Message"] = alarm_message(name, clock.now(), state=state)
    invoke("operations/route_alert", event)
    return str(message["MessageId"])


def states(desk: AlertDesk, message_id: str) -> dict[str, DeliveryState]:
    kept = desk.alert(message_id)
    assert kept is not None
    found = desk.notice(kept.alert.notice_id)
    assert found is not None
    return {one.channel.value: one.state for one in found[1]}


def test_a_critical_alarm_arrives_by_slack_mail_and_sms_saying_the_same(receivers: Receivers, desk: AlertDesk) -> None:
    message_id = publish(CRITICAL)
    year = clock.today().year

    [(path, media_type, body)] = receivers.slack
    assert path == "/services/T0/B0/sample"
    assert media_type == "application/json; charset=utf-8"
    title, *lines = body["text"].splitlines()
    assert title == ":red_circle: *[zenbilling-prod] CRITIQUE – API : Requêtes en erreur de notre fait (5xx)*"
    assert lines[0] == "Requêtes en erreur de notre fait (5xx) : 5 % des requêtes ou plus, 2 minutes sur 3."
    assert lines[1].startswith("Valeur relevée : 7,3 % des requêtes, le ")
    assert lines[2] == "Service : API. Gravité : critique."
    assert lines[3].startswith(f"Incident ZB-{year}-001, à résoudre avant le ")
    assert lines[4] == "Que faire : docs/runbook.md#apierrorscriticalalarm"

    [envelope] = receivers.mails
    assert envelope.rcpt_tos == [ADDRESS]
    assert isinstance(envelope.content, bytes)
    mail = message_from_bytes(envelope.content, policy=default)
    assert mail["Subject"] == "[zenbilling-prod] CRITIQUE – API : Requêtes en erreur de notre fait (5xx)"
    assert [part.get_content_type() for part in mail.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    plain = mail.get_body(("plain",))
    assert plain is not None
    assert [line for line in plain.get_content().splitlines() if line] == [mail["Subject"], *lines]

    [(number, text)] = receivers.texts
    assert number == NUMBER
    where = "[zenbilling-prod] CRITIQUE API : Requêtes en erreur de notre fait (5xx)"
    assert text == f"{where} – incident ZB-{year}-001"
    assert set(states(desk, message_id).values()) == {DeliveryState.SENT}


def run_after(desk: AlertDesk, step: timedelta) -> None:
    channels = alert_channels.channels()
    turns = Turns()
    run_alerts(desk=desk, channels=channels, clock=FakeClock(clock.now() + step), ids=ids, turns=turns)
    turns.end()


def test_recovery_arrives_where_the_alarm_had(receivers: Receivers, desk: AlertDesk) -> None:
    """It waits for the end of the two minutes in which what happens to one service is one message."""
    publish(CRITICAL)
    publish(CRITICAL, "OK")
    assert len(receivers.slack) == 1
    run_after(desk, timedelta(minutes=2))

    assert (len(receivers.slack), len(receivers.mails), len(receivers.texts)) == (2, 2, 2)
    assert "RÉTABLI – API" in receivers.slack[1][2]["text"]
    assert "RÉTABLI API" in receivers.texts[1][1]


@pytest.mark.parametrize("answers", [(500, 0.0), (200, 2.0)], ids=["down", "slow"])
def test_slack_down_or_slow_keeps_no_mail_and_no_sms(
    receivers: Receivers, desk: AlertDesk, answers: tuple[int, float]
) -> None:
    receivers.slack_answers = answers
    began = time.monotonic()
    message_id = publish(CRITICAL)

    assert time.monotonic() - began < 1.9
    assert (len(receivers.mails), len(receivers.texts)) == (1, 1)
    expected = {"slack": DeliveryState.WAITING, "email": DeliveryState.SENT, "sms": DeliveryState.SENT}
    assert states(desk, message_id) == expected


def test_a_fault_of_a_channel_rings_when_the_others_have_told(
    receivers: Receivers, desk: AlertDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function fails, so that its alarm rings; what it told stays told when Lambda hands it the message again."""

    def breaks(*_: Any, **__: Any) -> None:
        raise KeyError("ours")

    monkeypatch.setattr(SlackChannel, "send", breaks)
    with pytest.raises(KeyError, match="ours"):
        publish(CRITICAL)
    assert (len(receivers.mails), len(receivers.texts)) == (1, 1)

    [message_id] = [one.message_id for one in desk.list_alerts(clock.today().year, PageRequest()).items]
    expected = {"slack": DeliveryState.WAITING, "email": DeliveryState.SENT, "sms": DeliveryState.SENT}
    assert states(desk, message_id) == expected


def test_mail_down_keeps_no_slack_and_no_sms(receivers: Receivers, desk: AlertDesk) -> None:
    receivers.relay.answers["DATA"] = "451 4.3.0 later"
    message_id = publish(CRITICAL)

    assert (len(receivers.slack), len(receivers.mails), len(receivers.texts)) == (1, 0, 1)
    expected = {"slack": DeliveryState.SENT, "email": DeliveryState.WAITING, "sms": DeliveryState.SENT}
    assert states(desk, message_id) == expected


def test_a_message_that_sns_hands_over_twice_is_told_once(receivers: Receivers) -> None:
    event = sample("operations/route_alert")
    event["Records"][0]["Sns"]["Message"] = alarm_message(CRITICAL, clock.now())
    for _ in range(2):
        invoke("operations/route_alert", event)

    assert (len(receivers.slack), len(receivers.mails), len(receivers.texts)) == (1, 1, 1)


def test_a_failed_channel_is_tried_again_by_the_clock(receivers: Receivers, desk: AlertDesk) -> None:
    receivers.slack_answers = (503, 0.0)
    message_id = publish(CRITICAL)
    receivers.slack_answers = (200, 0.0)
    assert invoke("scheduled/run_alerts", sample("scheduled/run_alerts"))["delivered"] == 0  # not yet
    assert states(desk, message_id)["slack"] is DeliveryState.WAITING
    run_after(desk, timedelta(minutes=1))

    assert len(receivers.slack) == 1
    assert states(desk, message_id)["slack"] is DeliveryState.SENT
    assert (len(receivers.mails), len(receivers.texts)) == (1, 1)


def test_a_heartbeat_is_counted_and_told_to_nobody(
    receivers: Receivers, desk: AlertDesk, capsys: pytest.CaptureFixture[str]
) -> None:
    event = sample("operations/route_alert")
    event["Records"][0]["Sns"]["Message"] = '{"kind": "alert-heartbeat"}'
    invoke("operations/route_alert", event)

    assert '"AlertHeartbeat":[1.0]' in capsys.readouterr().out.replace(" ", "")
    assert (receivers.slack, receivers.mails, receivers.texts) == ([], [], [])
    assert desk.list_alerts(clock.today().year, PageRequest()).items == ()


def test_nothing_of_who_is_told_is_kept_or_logged(
    receivers: Receivers, desk: AlertDesk, dynamodb: Any, logged: Callable[[], list[Any]]
) -> None:
    receivers.relay.answers["RCPT"] = "550 no such mailbox"
    message_id = publish(CRITICAL)

    kept = desk.alert(message_id)
    assert kept is not None
    stored = json.dumps(str(desk.notice(kept.alert.notice_id))) + json.dumps(logged())
    assert ADDRESS not in stored
    assert NUMBER not in stored
    assert "services/T0" not in stored
