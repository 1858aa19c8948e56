"""What webhooks are signed by, sent by, and where they may go."""

from __future__ import annotations

from functools import cache

import boto3

from billing.adapters.webhook_keys import DerivedWebhookSecrets, key_of
from billing.domain.webhooks import WebhookTargets
from billing.ports.webhooks import WebhookSecrets, WebhookSender
from billing.runtime.clients import sdk_config
from billing.runtime.settings import webhook_key_secret_arn, webhook_targets_kind


def targets() -> WebhookTargets:
    return WebhookTargets(webhook_targets_kind())


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
