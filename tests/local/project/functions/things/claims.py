"""Adds a claim to access tokens."""

from typing import Any


def handler(event: dict[str, Any], _context: Any) -> Any:
    event["response"] = {
        "claimsAndScopeOverrideDetails": {"accessTokenGeneration": {"claimsToAddOrOverride": {"tenant_id": "t1"}}}
    }
    return event
