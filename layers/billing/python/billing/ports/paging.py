"""Pages of a list: items and, when there is more, where the next page starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """``limit`` items (1…100) after ``position``, an opaque text that a previous page gave."""

    limit: int = 50
    position: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    items: tuple[T, ...]
    position: str | None = None
