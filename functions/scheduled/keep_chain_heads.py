"""Every hour — keep the head of each chain for each day that is over, where nobody can change it."""

from typing import Any

from billing.api.entry import task_point
from billing.domain.parking import ParkReason
from billing.runtime.clock import clock, ids
from billing.runtime.documents import documents
from billing.runtime.observability import count
from billing.runtime.table import alert_desk, chains
from billing.usecases import chain_heads as usecases
from billing.usecases.parking import park_tenant


def keep_chain_heads(_event: dict[str, Any]) -> dict[str, int]:
    def park(tenant_id: str) -> None:
        park_tenant(tenant_id, ParkReason.CHAIN_HEAD_DIFFERS, desk=alert_desk(), clock=clock, ids=ids)

    try:
        kept = usecases.keep_chain_heads(chains=chains(), documents=documents(), clock=clock, park=park)
    except usecases.ChainHeadDiffers:
        count("ChainHeadDiffers")
        raise
    if kept:
        count("ChainHeadKept", kept)
    return {"kept": kept}


handler = task_point(keep_chain_heads)
