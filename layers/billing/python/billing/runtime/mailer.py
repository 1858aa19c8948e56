"""What sends mail: Amazon SES, or the SMTP relay described in a secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache

import boto3

from billing.adapters.mail.ses import SesMailer, ses_client
from billing.adapters.mail.smtp import SmtpMailer, SmtpSettings
from billing.ports.delivery import Mailer, OutgoingMail
from billing.runtime.clients import sdk_config
from billing.runtime.clock import clock
from billing.runtime.observability import took
from billing.runtime.settings import (
    mail_from_address,
    mail_transport_kind,
    ses_configuration_set_name,
    smtp_secret_arn,
)


@cache
def mailer() -> MeasuredMailer:
    """The relay's account is read once: a warm function keeps it until it is replaced."""
    if mail_transport_kind() == "smtp":
        return MeasuredMailer(SmtpMailer(_smtp_settings(), from_address=mail_from_address()))
    ses = SesMailer(ses_client(), from_address=mail_from_address(), configuration_set=ses_configuration_set_name())
    return MeasuredMailer(ses)


class MeasuredMailer:
    """Port Mailer: how long another one takes is written as ``MailLatency``."""

    def __init__(self, carrier: Mailer) -> None:
        self.carrier = carrier

    def send(self, mail: OutgoingMail, *, hand_over: Callable[[], None]) -> str:
        began = clock.monotonic()
        try:
            return self.carrier.send(mail, hand_over=hand_over)
        finally:
            took("MailLatency", clock.monotonic() - began)


def _smtp_settings() -> SmtpSettings:
    client = boto3.client("secretsmanager", config=sdk_config())
    secret = json.loads(client.get_secret_value(SecretId=smtp_secret_arn())["SecretString"])
    return SmtpSettings(
        host=secret["host"],
        port=int(secret["port"]),
        username=secret["username"],
        password=secret["password"],
        starttls=bool(secret["starttls"]),
    )
