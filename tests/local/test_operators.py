"""The second factor of the local operator is the one that authenticators compute."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from local.operators import one_time_code

SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037"),
    ],
)  # fmt: skip
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    """Appendix B, whose eight digits end with ours."""
    assert one_time_code(SECRET, datetime.fromtimestamp(seconds, UTC)) == code
