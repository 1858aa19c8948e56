"""Task of the bulk workflow — end the job once every document has its result, with the ZIP of an export."""

from typing import Any

from billing.api.entry import task_point
from billing.runtime.archives import archives, verifier
from billing.runtime.clock import clock
from billing.runtime.documents import documents
from billing.runtime.observability import count
from billing.runtime.table import bulk_jobs, chains
from billing.usecases import bulk_jobs as usecases
from billing.usecases.chain_heads import ChainHeadDiffers


def finish_bulk_job(event: dict[str, Any]) -> dict[str, Any]:
    try:
        done = usecases.finish_bulk_job(
            event["tenant_id"],
            event["bulk_job_id"],
            run=event["run"],
            bulk_jobs=bulk_jobs(),
            archives=archives(),
            chains=chains(),
            documents=documents(),
            verifier=verifier(),
            clock=clock,
        )
    except ChainHeadDiffers:
        count("ChainHeadDiffers")
        raise
    if not done:
        count("BulkJobUnfinished")
    return {"done": done}


handler = task_point(finish_bulk_job)
