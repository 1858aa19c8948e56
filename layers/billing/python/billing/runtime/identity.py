"""The identity provider."""

from __future__ import annotations

from functools import cache

import boto3

from billing.adapters.cognito import CognitoIdentity
from billing.runtime.clients import sdk_config
from billing.runtime.settings import user_pool_client_id


@cache
def identity() -> CognitoIdentity:
    return CognitoIdentity(boto3.client("cognito-idp", config=sdk_config()), client_id=user_pool_client_id())
