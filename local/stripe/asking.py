"""What a request asks, held to what the operation knows."""

from __future__ import annotations

from typing import Any

from local.stripe.errors import ApiError, invalid, required
from local.stripe.store import Object


def refuse_unknown(asked: Object, known: set[str] | frozenset[str]) -> None:
    for name in asked:
        if name not in known:
            raise ApiError(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)


def text(asked: Object, name: str) -> str:
    held = asked.get(name)
    if not isinstance(held, str) or not held:
        raise required(name)
    return held


def integer(asked: Object, name: str, default: Any, *, needed: bool = False) -> Any:
    if name not in asked:
        if needed:
            raise required(name)
        return default
    try:
        return int(asked[name])
    except (TypeError, ValueError):
        raise invalid(name, f"Invalid integer: {asked[name]}", "parameter_invalid_integer") from None
