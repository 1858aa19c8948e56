"""Stripe, for the functions that ask it: its library is imported when it is asked for, not before."""

from __future__ import annotations

from functools import cache, partial

import boto3

from billing.ports.stripe import StripeGateway
from billing.runtime.clients import sdk_config
from billing.runtime.clock import clock
from billing.runtime.observability import took
from billing.runtime.settings import stripe_api_url, stripe_livemode, stripe_secret_arn


@cache
def gateway() -> StripeGateway:
    """The key is read at the first call, and again when Stripe refuses it: a replaced one needs no deployment.

    One of the other mode is never used: whoever asks Stripe fails, and its alarm rings.
    """
    from billing.adapters.stripe_gateway import StripeApi, api_key_of  # noqa: PLC0415 - see above

    client = boto3.client("secretsmanager", config=sdk_config())
    return StripeApi(
        stripe_api_url(),
        read_key=lambda: api_key_of(
            client.get_secret_value(SecretId=stripe_secret_arn())["SecretString"], livemode=stripe_livemode()
        ),
        clock=clock,
        took=partial(took, "StripeLatency"),
    )
