"""The canary's account, and the API as it is reached from outside."""

from __future__ import annotations

import json
from functools import cache

import boto3

from billing.adapters.public_api import HttpPublicApi
from billing.ports.canary import PublicApi
from billing.runtime.clients import sdk_config
from billing.runtime.settings import canary_secret_arn, public_api_url
from billing.usecases.visits import CanaryAccount


@cache
def public_api() -> PublicApi:
    return HttpPublicApi(public_api_url())


def account() -> CanaryAccount | None:
    """None until somebody wrote it into the secret; read at each run, so that it can be changed."""
    client = boto3.client("secretsmanager", config=sdk_config())
    secret = json.loads(client.get_secret_value(SecretId=canary_secret_arn())["SecretString"])
    if not secret.get("email"):
        return None
    return CanaryAccount(email=secret["email"], password=secret["password"])
