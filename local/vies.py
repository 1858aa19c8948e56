"""VIES as it answers over REST, without any register: the number itself says what becomes of it.

A number that ends in 00 does not exist; of one that ends in 99 the member state does not answer.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any


def answer(body: bytes) -> tuple[int, dict[str, Any]]:
    """Status and content of the answer to ``POST …/check-vat-number``."""
    try:
        asked = json.loads(body)
        country, number = str(asked["countryCode"]), str(asked["vatNumber"])
    except (ValueError, KeyError, TypeError):
        return 400, _failed("INVALID_INPUT")
    if number.endswith("99"):
        return 200, _failed("MS_UNAVAILABLE")
    valid, now = not number.endswith("00"), datetime.now(UTC)
    requested = bool(asked.get("requesterNumber"))
    return 200, {
        "countryCode": country,
        "vatNumber": number,
        "requestDate": now.isoformat().replace("+00:00", "Z"),
        "valid": valid,
        "requestIdentifier": f"WAPIAAAA{int(now.timestamp()):X}" if requested else "",
        "name": "SOCIETE EXEMPLE" if valid else "---",
        "address": "1 RUE DE L'EXEMPLE\n75001 PARIS" if valid else "---",
        "traderName": "---",
    }


def _failed(error: str) -> dict[str, Any]:
    return {"actionSucceed": False, "errorWrappers": [{"error": error}]}
