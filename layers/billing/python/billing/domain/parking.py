"""A company whose books contradict themselves: what runs by itself leaves it alone, its people go on working."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from billing.domain.errors import TenantNotParked

PARKED: Final = "tenant-parked"
RELEASED: Final = "tenant-released"


class ParkReason(StrEnum):
    """Which invariant did not hold."""

    LEDGER_DIFFERS = "ledger_differs"
    CHAIN_HEAD_DIFFERS = "chain_head_differs"


FRENCH_REASONS: Final = {
    ParkReason.LEDGER_DIFFERS: "sa numérotation, sa chaîne ou ses soldes ne se vérifient plus",
    ParkReason.CHAIN_HEAD_DIFFERS: "une tête de chaîne scellée manque ou diffère de la table",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedTenant:
    """The latest time that a company was parked. ``released_at``: what runs by itself sees to it again since then."""

    tenant_id: str
    version: int
    reason: ParkReason
    parked_at: datetime
    released_at: datetime | None = None
    released_by: str = ""
    note: str = ""

    @property
    def is_parked(self) -> bool:
        return self.released_at is None

    def parked_again(self, reason: ParkReason, at: datetime) -> ParkedTenant:
        return ParkedTenant(tenant_id=self.tenant_id, version=self.version + 1, reason=reason, parked_at=at)

    def released(self, by: str, note: str, at: datetime) -> ParkedTenant:
        """Raises: TenantNotParked."""
        if not self.is_parked:
            raise TenantNotParked
        return replace(self, version=self.version + 1, released_at=at, released_by=by, note=note)

    def message(self) -> tuple[str, str]:
        """The id and the text by which the router of alerts is told of this change, once."""
        kind = PARKED if self.is_parked else RELEASED
        told = {"kind": kind, "tenant_id": self.tenant_id, "reason": self.reason.value}
        return f"{kind}-{self.tenant_id}-{self.version}", json.dumps(told, sort_keys=True)
