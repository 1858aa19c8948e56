"""Each capability is made of what the environment says, once per process."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from billing.adapters.mail.ses import SesMailer
from billing.adapters.mail.smtp import SmtpMailer
from billing.runtime import (
    canary,
    documents,
    figures,
    health,
    identity,
    images,
    mailer,
    pdf,
    releases,
    stripe,
    table,
    usage,
    vat_numbers,
    workflows,
)
from billing.runtime.clock import clock, ids

CAPABILITIES = [
    canary.public_api,
    releases.deployments, releases.released_api,
    figures.figures,
    figures.topic,
    documents.documents, health.probes, identity.identity, images.logo_checker, pdf.renderer, pdf.receipt_renderer,
    stripe.gateway, vat_numbers.vat_numbers,
    pdf.statement_renderer, workflows.workflows,
    table.companies, table.customers, table.products, table.invoices, table.deliveries, table.memberships,
    table.credit_notes, table.payments, table.customer_accounts, table.verifications, table.bulk_jobs,
    table.workflow_requests, table.alert_desk, usage.usage_book,
]  # fmt: skip


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "USER_POOL_ID": "eu-west-3_sample",
        "USER_POOL_CLIENT_ID": "client",
        "ALERTS_TOPIC_ARN": "arn:aws:sns:eu-west-3:123456789012:alerts",
        "STACK_NAME": "zenbilling",
        "PUBLIC_API_URL": "http://127.0.0.1:9",
        "RELEASED_VERSION_ARNS": "arn:aws:lambda:eu-west-3:123456789012:function:zenbilling-invoices-read:1",
        "STRIPE_API_URL": "http://127.0.0.1:9",
        "STRIPE_SECRET_ARN": "arn:aws:secretsmanager:eu-west-3:123456789012:secret:stripe",
        "VIES_API_URL": "http://127.0.0.1:9",
        "INVOICE_DELIVERY_STATE_MACHINE_ARN": "arn:aws:states:eu-west-3:123456789012:stateMachine:delivery",
        "BULK_JOB_STATE_MACHINE_ARN": "arn:aws:states:eu-west-3:123456789012:stateMachine:bulk",
        "LEDGER_VERIFICATION_STATE_MACHINE_ARN": "arn:aws:states:eu-west-3:123456789012:stateMachine:verification",
        "MAIL_FROM_ADDRESS": "factures@zenbilling.example",
        "SES_CONFIGURATION_SET_NAME": "zenbilling-mail",
    }.items():
        monkeypatch.setenv(name, value)
    mailer.mailer.cache_clear()
    yield
    mailer.mailer.cache_clear()


@pytest.mark.parametrize("capability", CAPABILITIES, ids=lambda made: made.__wrapped__.__qualname__)
def test_a_capability_is_made_once(capability: object) -> None:
    assert callable(capability)
    assert capability() is capability()


def test_mail_leaves_by_ses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_TRANSPORT_KIND", "ses")

    assert isinstance(mailer.mailer().carrier, SesMailer)


def test_mail_leaves_by_the_relay_of_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    relay = {"host": "127.0.0.1", "port": "1025", "username": "", "password": "", "starttls": False}
    with mock_aws():
        secrets = boto3.client("secretsmanager", region_name="eu-west-3")
        arn = secrets.create_secret(Name="smtp", SecretString=json.dumps(relay))["ARN"]
        monkeypatch.setenv("MAIL_TRANSPORT_KIND", "smtp")
        monkeypatch.setenv("SMTP_SECRET_ARN", arn)

        assert isinstance(mailer.mailer().carrier, SmtpMailer)


def test_identifiers_follow_time_and_the_form_of_the_api() -> None:
    first, second = ids.new("inv"), ids.new("inv")

    assert first != second
    assert len(first) == len("inv_") + 26
    assert 0 <= ids.jitter() < 1


def test_the_clock_is_aware_and_civil() -> None:
    assert clock.now().utcoffset() is not None
    assert abs((clock.today() - clock.now().date()).days) <= 1
    assert clock.monotonic() <= clock.monotonic()
