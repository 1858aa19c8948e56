"""GET /v1/bulk-jobs/{bulk_job_id} — read how far a bulk job is."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.bulk_jobs import BulkJobResponse, bulk_job_answer
from billing.api.entry import entry_point
from billing.api.fields import BulkJobId
from billing.api.identity import caller
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.bulk_jobs import read_bulk_job

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/bulk-jobs/<bulk_job_id>",
    operation_id="readBulkJob",
    tags=["bulk_jobs"],
    responses=documented(200, BulkJobResponse, "The job"),
)
def read(bulk_job_id: BulkJobId) -> Response[str]:
    return respond(bulk_job_answer(read_bulk_job(caller(app), bulk_job_id, bulk_jobs=table.bulk_jobs())))


handler = entry_point(app)
