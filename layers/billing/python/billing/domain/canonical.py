"""One text for one value: the bytes that are hashed, stored and proven."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

from billing.domain.money import format_decimal


def to_plain(value: object) -> Any:
    """JSON-ready form: dataclasses as objects, decimals and dates as strings; no floats."""
    match value:
        case Enum():
            plain: Any = value.value
        case None | bool() | int() | str():
            plain = value
        case Decimal():
            plain = format_decimal(value)
        case date():
            plain = value.isoformat()
        case tuple() | list():
            plain = [to_plain(item) for item in value]
        case Mapping():
            plain = {str(key): to_plain(item) for key, item in value.items()}
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            plain = {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        case _:
            raise TypeError(f"{type(value).__name__} has no canonical form")
    return plain


def canonical_json(value: object) -> str:
    """Keys sorted, no spaces, UTF-8 characters as they are."""
    return json.dumps(to_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
