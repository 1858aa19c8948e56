"""What webhooks are signed by and sent by."""

from __future__ import annotations

from functools import cache

import boto3

from billing.adapters.webhook_keys import DerivedWebhookSecrets, key_of
from billing.ports.webhooks import WebhookSecrets, WebhookSender
from billing.runtime.clients import sdk_config
from billing.runtime.settings import webhook_key_secret_arn
from billing.runtime.webhook_targets import targets


@cache
def secrets() -> WebhookSecrets:
    """The key is read once: a warm function keeps it until it is replaced."""
    return DerivedWebhookSecrets(_key)


@cache
def sender() -> WebhookSender:
    from billing.adapters.webhook_sender import HttpWebhookSender  # noqa: PLC0415 - only the sender itself sends

    return HttpWebhookSender(targets())


def _key() -> str:
    client = boto3.client("secretsmanager", config=sdk_config())
    return key_of(client.get_secret_value(SecretId=webhook_key_secret_arn())["SecretString"])
