"""Secrets of links that are made again whenever they are needed."""

from __future__ import annotations

from functools import cache

import boto3

from billing.adapters.link_keys import DerivedLinkSecrets, link_key_of
from billing.ports.checkouts import LinkSecrets
from billing.runtime.clients import sdk_config
from billing.runtime.settings import link_key_secret_arn


@cache
def link_secrets() -> LinkSecrets:
    """The key is read once: a warm function keeps it until it is replaced."""
    return DerivedLinkSecrets(_key)


def _key() -> str:
    client = boto3.client("secretsmanager", config=sdk_config())
    return link_key_of(client.get_secret_value(SecretId=link_key_secret_arn())["SecretString"])
