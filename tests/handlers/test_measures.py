"""How long what we depend on took is written once for each invocation, whatever became of it."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from billing.api.entry import metrics
from billing.runtime import mailer
from billing.runtime.clients import measured
from tests.fakes.delivery import FakeMailer
from tests.handlers.conftest import Person


def written(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines() if '"_aws"' in line]


def test_a_request_writes_each_of_its_calls_of_the_table_in_one_line(
    owner: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    answer = owner.call("invoices/issue", body={"version": 1}, invoice_id=owner.ids["invoice_id"])

    assert answer.status == 200
    [line] = written(capsys.readouterr().out)
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["service"]]
    assert {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]} == {
        "InvoiceIssued": "Count",
        "TableLatency": "Milliseconds",
    }
    assert 1 <= len(line["TableLatency"]) <= 3
    assert all(0 < took < 60_000 for took in line["TableLatency"])


def test_a_refusal_and_an_outage_are_measured_too(dynamodb_endpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    client = measured(boto3.client("dynamodb", region_name="eu-west-3", endpoint_url=dynamodb_endpoint), "TableLatency")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_table(TableName="nowhere")
    nobody = measured(
        boto3.client("dynamodb", region_name="eu-west-3", endpoint_url="http://127.0.0.1:9"), "TableLatency"
    )
    with pytest.raises(EndpointConnectionError):
        nobody.describe_table(TableName="nowhere")
    metrics.flush_metrics()

    [line] = written(capsys.readouterr().out)
    assert len(line["TableLatency"]) == 2


def test_mail_is_measured_whoever_carries_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = FakeMailer()
    monkeypatch.setattr(broken, "send", lambda *_, **__: 1 / 0)
    monkeypatch.setattr(mailer, "SmtpMailer", lambda *_, **__: broken)
    monkeypatch.setattr(mailer, "_smtp_settings", lambda: None)
    monkeypatch.setenv("MAIL_TRANSPORT_KIND", "smtp")
    monkeypatch.setenv("MAIL_FROM_ADDRESS", "factures@exemple.test")
    with pytest.raises(ZeroDivisionError):
        mailer.mailer.__wrapped__().send(None, hand_over=lambda: None)  # type: ignore[arg-type]
    metrics.flush_metrics()

    [line] = written(capsys.readouterr().out)
    assert len(line["MailLatency"]) == 1
