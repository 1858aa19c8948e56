"""Bodies and queries in Stripe's form: ``a[b][0][c]=v`` is a list of hashes in a hash."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

_PART = re.compile(r"\[([^\[\]]*)\]")


class FormError(ValueError):
    """Not a form as Stripe reads them."""


def parse_form(text: str) -> dict[str, Any]:
    """Every value is a text; what has indexes or empty brackets is a list. Raises: FormError."""
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        first, bracket, rest = name.partition("[")
        parts = [first, *_PART.findall(bracket + rest)]
        if not first or "]" in first or first + "".join(f"[{part}]" for part in parts[1:]) != name:
            raise FormError(f"invalid parameter name {name}")
        _put(tree, parts, value)
    return {name: _listed(value) for name, value in tree.items()}


def _put(tree: dict[str, Any], parts: list[str], value: str) -> None:
    for part in parts[:-1]:
        tree = tree.setdefault(part or str(len(tree)), {})
        if not isinstance(tree, dict):
            raise FormError(f"{part} is a value and a hash at once")
    last = parts[-1] or str(len(tree))
    if isinstance(tree.get(last), dict):
        raise FormError(f"{last} is a value and a hash at once")
    tree[last] = value


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.isdigit() for name in value):
        return [_listed(value[name]) for name in sorted(value, key=int)]
    return {name: _listed(held) for name, held in value.items()}
