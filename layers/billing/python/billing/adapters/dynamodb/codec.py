"""Attribute values and JSON texts of our entities. One text attribute holds an entity's body."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from billing.domain.canonical import canonical_json

Item = dict[str, Any]
SCHEMA_VERSION = 1
T = TypeVar("T")


def attribute(value: str | int | bool | bytes) -> dict[str, Any]:
    """DynamoDB's form of a scalar."""
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if isinstance(value, bytes):
        return {"B": value}
    return {"S": value}


def counted_text(counts: tuple[str, ...]) -> str | None:
    """Metrics of the facts that a version of an item is, for the reader of the table's stream; None without any."""
    return " ".join(counts) or None


def counted_in(image: Mapping[str, Any]) -> tuple[str, ...]:
    """What ``counted_text`` says in an image of the stream."""
    return tuple(image["counted"]["S"].split()) if "counted" in image else ()


def item(**values: str | int | bool | bytes | None) -> Item:
    """An item of scalars; None leaves the attribute out (sparse indexes rely on it)."""
    return {name: attribute(value) for name, value in values.items() if value is not None}


def text(stored: Mapping[str, Any], name: str) -> str:
    return str(stored[name]["S"])


def optional_text(stored: Mapping[str, Any], name: str) -> str | None:
    return str(stored[name]["S"]) if name in stored else None


def number(stored: Mapping[str, Any], name: str) -> int:
    return int(stored[name]["N"])


_adapters: dict[Any, TypeAdapter[Any]] = {}


def _adapter(entity_type: Any) -> TypeAdapter[Any]:
    """Built once per type: the first use of a type costs a millisecond or more."""
    adapter = _adapters.get(entity_type)
    if adapter is None:
        adapter = _adapters[entity_type] = TypeAdapter(entity_type)
    return adapter


def dump(entity: object) -> str:
    """The JSON text of a domain value."""
    return canonical_json(entity)


class UnreadableItemError(ValueError):
    """A stored text that no longer has its shape. Says where, never what: stored values are personal data."""


def load(entity_type: type[T], body: str) -> T:
    """The domain value of a JSON text that ``dump`` wrote. Raises: UnreadableItemError."""
    loaded: T = _validated(entity_type, body)
    return loaded


def load_all(entity_type: type[T], bodies: list[str]) -> tuple[T, ...]:
    """Many values in one pass: what makes a list of 50 rows cheap."""
    loaded: tuple[T, ...] = _validated(tuple[entity_type, ...], f"[{','.join(bodies)}]")  # type: ignore[valid-type]
    return loaded


def _validated(entity_type: Any, body: str) -> Any:
    try:
        return _adapter(entity_type).validate_json(body)
    except ValidationError as error:
        places = [f"{'.'.join(map(str, one['loc']))}: {one['type']}" for one in error.errors(include_input=False)]
        raise UnreadableItemError(f"{entity_type}: {'; '.join(places[:5])}") from None


def compress(body: str) -> bytes:
    return zlib.compress(body.encode(), 6)


def decompress(stored: Mapping[str, Any], name: str) -> str:
    return zlib.decompress(stored[name]["B"]).decode()
