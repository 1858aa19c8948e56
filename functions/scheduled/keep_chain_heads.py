"""Every hour — keep the head of each chain for each day that is over, where nobody can change it."""

from typing import Any

from billing.api.entry import task_point
from billing.runtime.clock import clock
from billing.runtime.documents import documents
from billing.runtime.observability import count
from billing.runtime.table import chains
from billing.usecases import chain_heads as usecases


def keep_chain_heads(_event: dict[str, Any]) -> dict[str, int]:
    try:
        kept = usecases.keep_chain_heads(chains=chains(), documents=documents(), clock=clock)
    except usecases.ChainHeadDiffers:
        count("ChainHeadDiffers")
        raise
    if kept:
        count("ChainHeadKept", kept)
    return {"kept": kept}


handler = task_point(keep_chain_heads)
