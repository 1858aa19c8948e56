"""An alarm on the topic of the local cloud: through SNS, the router and the relay into a mailbox."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

import pytest

from local.__main__ import main
from local.client import mails_to, wait_for
from local.provision import client
from local.ring import alarm_message
from local.testing import LocalCloud

pytestmark = pytest.mark.cloud
MAILBOX = "exploitation@exemple.test"


def test_an_alarm_goes_through_the_topic_to_those_who_are_told(cloud: LocalCloud) -> None:
    sns = client("sns", cloud.layout.ministack_url)
    [topic] = [one["TopicArn"] for one in sns.list_topics()["Topics"] if "AlertsTopic" in one["TopicArn"]]
    text = alarm_message("LedgerVerificationFailedCriticalAlarm", cloud.now(), value="1.0", stack="zenbilling")
    sns.publish(TopicArn=topic, Message=text)

    [path] = wait_for(lambda: mails_to(cloud.mail_directory, MAILBOX) or None, what="the mail")
    mail = message_from_bytes(path.read_bytes(), policy=default)
    assert mail["Subject"].startswith("[zenbilling] CRITIQUE – Preuve et journal : Trou, doublon ou altération")
    body = mail.get_body(("plain",))
    assert body is not None
    assert f"Incident ZB-{cloud.now().year}-001" in body.get_content()
    assert "Que faire : docs/runbook.md#ledgerverificationfailedcriticalalarm" in body.get_content()


def test_the_run_of_every_minute_and_the_heartbeat_are_scheduled(cloud: LocalCloud) -> None:
    assert set(cloud.run_schedule("run-alerts")) == {"delivered", "failed", "released", "warned"}
    assert cloud.run_schedule("alert-heartbeat") is None
    assert cloud.run_schedule("warn-ahead") == {"warned": 0}  # there are no figures of weeks here


def test_an_alarm_is_rung_from_the_command_line(cloud: LocalCloud, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--state", str(cloud.state), "--port", str(cloud.layout.ports.base)]
    told = len(mails_to(cloud.mail_directory, MAILBOX))

    assert main(["ring", *where, "StripeDaysDifferCriticalAlarm"]) == 0
    wait_for(lambda: len(mails_to(cloud.mail_directory, MAILBOX)) > told or None, what="the mail")
    assert main(["ring", *where, "NoSuchAlarm"]) == 1
    assert "no alarm is called NoSuchAlarm" in capsys.readouterr().err
