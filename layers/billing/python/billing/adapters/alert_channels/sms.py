"""SMS, by SNS. A retry of the SDK could send twice: there is none."""

from __future__ import annotations

from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from billing.adapters.alert_channels.recipients import ReadRecipients, fingerprint
from billing.domain.alerts import Notice, Sent

_KIND = {"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}}


class SnsClient(Protocol):
    def publish(self, **request: Any) -> Any: ...


def sms_client() -> SnsClient:
    client: SnsClient = boto3.client(
        "sns",
        config=Config(connect_timeout=1, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 1}),
    )
    return client


class SmsChannel:
    """Port AlertChannel."""

    def __init__(self, client: SnsClient, recipients: ReadRecipients) -> None:
        self._client = client
        self._recipients = recipients

    def send(self, notice: Notice, *, reached: frozenset[str]) -> Sent:
        numbers = self._recipients().phone_numbers
        if not numbers:
            return Sent(unused=True)
        told, error = [], ""
        for number in numbers:
            mark = fingerprint(number)
            if mark in reached:
                continue
            try:
                self._client.publish(PhoneNumber=number, Message=notice.sms, MessageAttributes=_KIND)
            except (ClientError, BotoCoreError) as refused:
                error = type(refused).__name__
            else:
                told.append(mark)
        return Sent(reached=tuple(told), error=error)
