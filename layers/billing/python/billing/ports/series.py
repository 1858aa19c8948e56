"""Number series: where each stands, and where it began for a company coming from another tool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from billing.domain.access import Caller
from billing.domain.events import Event
from billing.domain.numbering import SeriesStart, SeriesState
from billing.domain.parties import Company
from billing.ports.idempotency import IdempotentRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesBook:
    """The company and its series, in the order of ``Series``; ``start`` of a state tells where it began."""

    company: Company | None
    states: tuple[SeriesState, ...]


class SeriesRecords(Protocol):
    def read(self, caller: Caller, *, once: IdempotentRequest | None = None) -> SeriesBook:
        """One request. Raises: with ``once`` AlreadyAnswered, IdempotencyKeyReused."""
        ...

    def start(
        self, caller: Caller, start: SeriesStart, *, answered: SeriesState, event: Event, once: IdempotentRequest
    ) -> None:
        """Once, and before the first document. Raises: SeriesAlreadyStarted."""
        ...
