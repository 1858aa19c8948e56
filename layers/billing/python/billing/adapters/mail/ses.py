"""Sending through Amazon SES v2, once per call: a retry of the SDK could send twice."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError, NoCredentialsError, PartialCredentialsError
from botocore.exceptions import ConnectionError as BotoConnectionError

from billing.adapters.mail.mime import build, envelope_recipient
from billing.domain.errors import MailRefused, MailTemporarilyRefused, MailUnconfirmed
from billing.domain.mail import DELIVERY_TAG
from billing.ports.delivery import OutgoingMail

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

_TAG_VALUE = re.compile(r"[A-Za-z0-9_.@-]{1,256}")
_CONNECT_SECONDS = 5
_READ_SECONDS = 30
_SERVER_ERROR = 500
# What SES says of this message or of our set-up; asking again gives the same answer.
_PERMANENT = frozenset(
    {
        "AccountSuspendedException",
        "BadRequestException",
        "MailFromDomainNotVerifiedException",
        "MessageRejected",
        "NotFoundException",
    }
)


def ses_client() -> SESV2Client:
    """A client that never sends again by itself."""
    client: SESV2Client = boto3.client(
        "sesv2",
        config=Config(
            retries={"mode": "standard", "total_max_attempts": 1},
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
        ),
    )
    return client


class SesMailer:
    def __init__(self, client: SESV2Client, *, from_address: str, configuration_set: str) -> None:
        self._client = client
        self._from_address = from_address
        self._configuration_set = configuration_set

    def send(self, mail: OutgoingMail, *, hand_over: Callable[[], None]) -> str:
        """SES's message id. The tag comes back in each event of the configuration set.

        Raises:
            MailTemporarilyRefused: nothing was taken.
            MailRefused: SES refuses the message, the sender or the recipient.
            MailUnconfirmed: cut while waiting for the answer, or an error inside SES.
        """
        if _TAG_VALUE.fullmatch(mail.delivery_reference) is None:
            raise ValueError("a delivery reference is made of identifiers")
        recipient = envelope_recipient(mail)
        raw = build(mail, self._from_address)
        hand_over()
        try:
            answer = self._client.send_email(
                FromEmailAddress=self._from_address,
                Destination={"ToAddresses": [recipient]},
                Content={"Raw": {"Data": raw}},
                ConfigurationSetName=self._configuration_set,
                EmailTags=[{"Name": DELIVERY_TAG, "Value": mail.delivery_reference}],
            )
        except ClientError as error:
            raise _refusal(error) from error
        except (BotoConnectionError, NoCredentialsError, PartialCredentialsError) as error:
            raise MailTemporarilyRefused from error
        except HTTPClientError as error:  # read timeout, connection closed: the request had left
            raise MailUnconfirmed from error
        return answer["MessageId"]


def _refusal(error: ClientError) -> MailRefused | MailTemporarilyRefused | MailUnconfirmed:
    if error.response["Error"]["Code"] in _PERMANENT:
        return MailRefused()
    if error.response["ResponseMetadata"]["HTTPStatusCode"] >= _SERVER_ERROR:
        return MailUnconfirmed()
    return MailTemporarilyRefused()
