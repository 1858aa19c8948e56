"""POST /v1/bulk-jobs/{bulk_job_id}/resume — go on with a job that stopped."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.bulk_jobs import BulkJobResponse, accepted_bulk_job_answer
from billing.api.entry import entry_point
from billing.api.events import correlation_id
from billing.api.fields import BulkJobId
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.bulk_jobs import resume_bulk_job

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/bulk-jobs/<bulk_job_id>/resume",
    operation_id="resumeBulkJob",
    tags=["bulk_jobs"],
    description="In the name of who resumes it. Documents that have a result keep it.",
    responses=documented(
        202, BulkJobResponse, "The job goes on", created=True, refused={409: "`bulk-job-not-stopped`"}
    ),
)
def resume(bulk_job_id: BulkJobId, idempotency_key: IdempotencyKey) -> Response[str]:
    job = resume_bulk_job(
        caller(app),
        bulk_job_id,
        correlation_id=correlation_id(app.current_event.raw_event),
        once=idempotent(app, idempotency_key, accepted_bulk_job_answer),
        bulk_jobs=table.bulk_jobs(),
        clock=clock,
        ids=ids,
    )
    return respond(accepted_bulk_job_answer(job))


handler = entry_point(app)
