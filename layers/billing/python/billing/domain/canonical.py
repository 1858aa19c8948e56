"""One text for one value: the bytes that are hashed, stored and proven."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from billing.domain.money import format_decimal

# Metadata of a field that a stored value gained later: while it holds its default it is left out of the text, so that
# no text that was frozen before, and no hash, ever changes.
LATER: Final = {"later": True}


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
            plain = {name: to_plain(held) for name, held in _fields(value)}
        case _:
            raise TypeError(f"{type(value).__name__} has no canonical form")
    return plain


def _fields(value: Any) -> Iterator[tuple[str, object]]:
    for field in dataclasses.fields(value):
        held = getattr(value, field.name)
        if "later" not in field.metadata or held != field.default:
            yield field.name, held


def canonical_json(value: object) -> str:
    """Keys sorted, no spaces, UTF-8 characters as they are."""
    return json.dumps(to_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
