"""POST /v1/bulk-jobs — issue, send or export many chosen documents in one job."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.bulk_jobs import BulkJobResponse, StartBulkJobRequest, accepted_bulk_job_answer
from billing.api.entry import entry_point
from billing.api.events import correlation_id
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.bulk_jobs import start_bulk_job

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/bulk-jobs",
    operation_id="startBulkJob",
    tags=["bulk_jobs"],
    description="It runs by itself, each document once, and what one refuses stops none of the others: read its "
    "progress at the `Location`, and each document's result. A draft that changed after the job started is refused.",
    responses=documented(202, BulkJobResponse, "The job has started", created=True),
)
def start(body: Annotated[StartBulkJobRequest, Body()], idempotency_key: IdempotencyKey) -> Response[str]:
    job = start_bulk_job(
        caller(app),
        body.operation,
        body.selection(),
        mail=body.mail,
        correlation_id=correlation_id(app.current_event.raw_event),
        once=idempotent(app, idempotency_key, accepted_bulk_job_answer),
        bulk_jobs=table.bulk_jobs(),
        clock=clock,
        ids=ids,
    )
    return respond(accepted_bulk_job_answer(job))


handler = entry_point(app)
