"""What Stripe signs its events by. Nothing here asks Stripe."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache

import boto3

from billing.ports.clock import Clock
from billing.runtime.clients import sdk_config
from billing.runtime.clock import clock
from billing.runtime.settings import stripe_webhook_secret_arn

READ_AGAIN_SECONDS = 60.0  # at most so often, whoever sends what no secret signed
TRUSTED_SECONDS = 600.0  # then a secret that was taken away is taken away here, too


class SigningSecrets:
    """The secrets of the webhook endpoint, two during a rotation; read again when none of them fits."""

    def __init__(self, read: Callable[[], tuple[str, ...]], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._secrets: tuple[str, ...] = ()
        self._read_at: float | None = None

    def held_by(self, signed: Callable[[tuple[str, ...]], bool]) -> bool:
        """Whether something is signed by one of the secrets, as they are known or as they are now."""
        if not self._is_older_than(TRUSTED_SECONDS) and signed(self._secrets):
            return True
        if not self._is_older_than(READ_AGAIN_SECONDS):
            return False
        self._secrets = self._read()
        self._read_at = self._clock.monotonic()
        return signed(self._secrets)

    def _is_older_than(self, seconds: float) -> bool:
        return self._read_at is None or self._clock.monotonic() - self._read_at > seconds


@cache
def signing_secrets() -> SigningSecrets:
    return SigningSecrets(_stored_secrets, clock)


def _stored_secrets() -> tuple[str, ...]:
    client = boto3.client("secretsmanager", config=sdk_config())
    return secrets_of(client.get_secret_value(SecretId=stripe_webhook_secret_arn())["SecretString"])


def secrets_of(secret_string: str) -> tuple[str, ...]:
    """``webhook_secrets`` of the stored secret, the new one first; what is empty is none."""
    return tuple(secret for secret in json.loads(secret_string).get("webhook_secrets", ()) if secret)
