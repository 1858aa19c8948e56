"""How people are told of alerts: Slack, e-mail and SMS, to those that a secret names."""

from __future__ import annotations

from functools import cache

import boto3

from billing.adapters.alert_channels.email import EmailChannel
from billing.adapters.alert_channels.recipients import Recipients, recipients_of
from billing.adapters.alert_channels.slack import SlackChannel
from billing.adapters.alert_channels.sms import SmsChannel, sms_client
from billing.domain.alerts import Channel, Notice, Sent
from billing.ports.alerts import AlertChannels
from billing.runtime.clients import sdk_config
from billing.runtime.mailer import mailer
from billing.runtime.settings import alerts_secret_arn, mail_from_address


@cache
def channels() -> AlertChannels:
    return {
        Channel.SLACK: SlackChannel(_recipients),
        Channel.EMAIL: _Email(),
        Channel.SMS: SmsChannel(sms_client(), _recipients),
    }


class _Email:
    """The relay's account is read when a mail is sent: when it cannot be, the other channels do not care."""

    def send(self, notice: Notice, *, reached: frozenset[str]) -> Sent:
        return EmailChannel(mailer(), _recipients, reply_to=mail_from_address()).send(notice, reached=reached)


def _recipients() -> Recipients:
    """Read each time: alerts are few, and a number that was replaced is used at once."""
    client = boto3.client("secretsmanager", config=sdk_config())
    return recipients_of(client.get_secret_value(SecretId=alerts_secret_arn())["SecretString"])
