"""The daily heads of a company's hash chain: what pins everything before them, kept where nobody can change it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime

from billing.domain.canonical import canonical_json


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainHead:
    """Where the chain stood once a day (Europe/Paris) on which it moved was over.

    It may hold places of the day after: it is where the chain stood when it was fixed.
    """

    tenant_id: str
    day: date
    sequence: int
    chain_hash: str
    fixed_at: datetime

    @property
    def key(self) -> str:
        """Of the stored object."""
        return f"{self.tenant_id}/heads/{self.day.isoformat()}.json"

    def text(self) -> str:
        return canonical_json(self)

    @classmethod
    def read(cls, text: str) -> ChainHead:
        """What ``text`` gave."""
        held = json.loads(text)
        return cls(
            tenant_id=held["tenant_id"],
            day=date.fromisoformat(held["day"]),
            sequence=held["sequence"],
            chain_hash=held["chain_hash"],
            fixed_at=datetime.fromisoformat(held["fixed_at"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitedHead:
    """A day that is over without its head being kept; ``fixed`` when a run that died had said what it is."""

    tenant_id: str
    day: date
    fixed: ChainHead | None
