"""What an alert looks like in a mailbox."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from billing.adapters.alert_channels.email import EmailChannel
from billing.adapters.alert_channels.recipients import Recipients
from billing.domain.alerts import AlertSeverity, Notice
from tests.fakes.delivery import FakeMailer

AT = datetime(2026, 11, 27, 9, tzinfo=UTC)


def mailed(title: str, severity: AlertSeverity, *lines: str) -> str:
    mailer = FakeMailer()
    recipients = Recipients(slack_webhook_url="", emails=("exploitation@exemple.test",), phone_numbers=())
    notice = Notice(notice_id="ntc_1", created_at=AT, severity=severity, title=title, lines=lines, sms="")
    EmailChannel(mailer, lambda: recipients, reply_to="nobody@exemple.test").send(notice, reached=frozenset())
    [mail] = mailer.accepted
    return mail.html


@pytest.mark.parametrize(
    ("title", "severity", "colour"),
    [
        ("[prod] CRITIQUE – API : Requêtes en erreur", AlertSeverity.CRITICAL, "#cf222e"),
        ("[prod] ATTENTION – API : Requêtes en erreur", AlertSeverity.WARNING, "#bc4c00"),
        ("[prod] RÉTABLI – API : Requêtes en erreur", AlertSeverity.CRITICAL, "#1a7f37"),
    ],
)
def test_its_colour_says_how_bad_it_is(title: str, severity: AlertSeverity, colour: str) -> None:
    page = mailed(title, severity, "Service : API.")

    assert f"border-left:6px solid {colour}" in page
    assert title in page


def test_its_runbook_is_a_link_and_what_comes_from_elsewhere_is_text() -> None:
    page = mailed("Alarme <b>", AlertSeverity.INFO, "Que faire : https://exemple.test/runbook.md#one", "<script>&")

    assert '<a href="https://exemple.test/runbook.md#one">https://exemple.test/runbook.md#one</a>' in page
    assert "<script>" not in page
    assert "Alarme &lt;b&gt;" in page
