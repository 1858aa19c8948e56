"""Lambda's event filtering: which records of a source a function is called for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


class FilterError(ValueError):
    """A comparison the local cloud does not know; guessing would hide or invent records."""


def passes(record: Mapping[str, Any], patterns: Iterable[Mapping[str, Any]]) -> bool:
    """True when any pattern matches; without patterns every record passes."""
    listed = list(patterns)
    return not listed or any(matches(pattern, record) for pattern in listed)


def matches(pattern: Mapping[str, Any], value: Any) -> bool:
    """Every key of the pattern holds. A list is a choice of values or of comparisons."""
    for key, expected in pattern.items():
        if key == "$or":
            if not any(matches(choice, value) for choice in expected):
                return False
            continue
        present = isinstance(value, Mapping) and key in value
        found = value[key] if present else None
        if isinstance(expected, Mapping):
            if not matches(expected, found):
                return False
        elif not any(_one(choice, found, present=present) for choice in expected):
            return False
    return True


def _one(expected: Any, found: Any, *, present: bool) -> bool:
    if not isinstance(expected, Mapping):
        if isinstance(found, list):
            return any(_same(expected, item) for item in found)
        return present and _same(expected, found)
    ((comparison, operand),) = expected.items()
    if comparison == "exists":
        return bool(operand) == present
    if comparison not in _COMPARISONS:
        raise FilterError(f"the comparison {comparison} is not known to the local cloud")
    return present and _COMPARISONS[comparison](operand, found)


def _same(expected: Any, found: Any) -> bool:
    return type(expected) is type(found) and bool(expected == found)


def _numeric(operand: list[Any], found: Any) -> bool:
    if isinstance(found, bool) or not isinstance(found, int | float):
        return False
    for sign, bound in zip(operand[::2], operand[1::2], strict=True):
        holds = {
            "=": found == bound,
            "<": found < bound,
            "<=": found <= bound,
            ">": found > bound,
            ">=": found >= bound,
        }
        if not holds[sign]:
            return False
    return True


def _anything_but(operand: Any, found: Any) -> bool:
    refused = operand if isinstance(operand, list) else [operand]
    return not any(_same(item, found) for item in refused)


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "prefix": lambda operand, found: isinstance(found, str) and found.startswith(operand),
    "suffix": lambda operand, found: isinstance(found, str) and found.endswith(operand),
    "equals-ignore-case": lambda operand, found: isinstance(found, str) and found.lower() == operand.lower(),
    "anything-but": _anything_but,
    "numeric": _numeric,
}
