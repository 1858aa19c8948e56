"""The account a newcomer signs in with."""

from __future__ import annotations

from typing import Final

import httpx

EMAIL: Final = "demo@exemple.test"
PASSWORD: Final = "Exemple-local-2026!"  # of an account that exists on this machine only
_CODE: Final = "123456"  # what the simulated Cognito sends
_FULL_NAME: Final = "Compte Exemple"


def ensure_sample_account(api_url: str) -> bool:
    """Signs up through the API, once. Whether the account can sign in."""
    with httpx.Client(base_url=api_url, timeout=35, trust_env=False) as http:
        try:
            if _signs_in(http):
                return True
            _post(http, "sign-up", email=EMAIL, password=PASSWORD, full_name=_FULL_NAME)
            _post(http, "confirm-email", email=EMAIL, code=_CODE)
            return _signs_in(http)
        except httpx.HTTPError:
            return False


def _signs_in(http: httpx.Client) -> bool:
    return _post(http, "sign-in", email=EMAIL, password=PASSWORD).is_success


def _post(http: httpx.Client, operation: str, **body: str) -> httpx.Response:
    return http.post(f"/v1/auth/{operation}", json=body, headers={"idempotency-key": f"sample-account-{operation}"})
