"""What Stripe signs its events by, and whether they are of the mode of our key. Nothing here asks Stripe."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache

import boto3

from billing.ports.clock import Clock
from billing.runtime.clients import sdk_config
from billing.runtime.clock import clock
from billing.runtime.settings import stripe_secret_arn

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


class KeyMode:
    """Whether our API key is of Stripe's live mode; read again at each event of the other one: the key may be new."""

    def __init__(self, read: Callable[[], bool | None]) -> None:
        self._read = read
        self._livemode: bool | None = None

    def is_of(self, *, livemode: bool) -> bool:
        """An endpoint of live mode is told of the test mode of connected accounts, too. A key of no mode takes all."""
        if self._livemode is not livemode:
            self._livemode = self._read()
        return self._livemode in {None, livemode}


@cache
def key_mode() -> KeyMode:
    return KeyMode(_stored_mode)


@cache
def signing_secrets() -> SigningSecrets:
    return SigningSecrets(_stored_secrets, clock)


def _stored_secrets() -> tuple[str, ...]:
    return secrets_of(_secret_string())


def _stored_mode() -> bool | None:
    return livemode_of(_secret_string())


def _secret_string() -> str:
    client = boto3.client("secretsmanager", config=sdk_config())
    stored: str = client.get_secret_value(SecretId=stripe_secret_arn())["SecretString"]
    return stored


def secrets_of(secret_string: str) -> tuple[str, ...]:
    """``webhook_secrets`` of the stored secret, the new one first; what is empty is none."""
    return tuple(secret for secret in json.loads(secret_string).get("webhook_secrets", ()) if secret)


def livemode_of(secret_string: str) -> bool | None:
    """As the key in the stored secret says: ``sk_live_…``, ``rk_test_…``; None of a key that is not filled in yet."""
    modes = str(json.loads(secret_string).get("api_key", "")).split("_")
    return next((mode == "live" for mode in modes[1:-1] if mode in {"live", "test"}), None)
