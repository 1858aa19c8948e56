"""GET /v1/bulk-jobs/{bulk_job_id}/archive — download the ZIP of an export."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.fields import BulkJobId
from billing.api.identity import caller
from billing.api.invoices import InvoiceDownloadResponse
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock
from billing.runtime.documents import documents
from billing.usecases.bulk_jobs import download_bulk_job

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/bulk-jobs/<bulk_job_id>/archive",
    operation_id="downloadBulkJob",
    tags=["bulk_jobs"],
    description="Kept for thirty days.",
    responses=documented(
        200, InvoiceDownloadResponse, "Where to download the ZIP", refused={409: "`export-not-ready`"}
    ),
)
def download(bulk_job_id: BulkJobId) -> Response[str]:
    link = download_bulk_job(caller(app), bulk_job_id, bulk_jobs=table.bulk_jobs(), documents=documents(), clock=clock)
    return respond(answer(200, InvoiceDownloadResponse.of(link)))


handler = entry_point(app)
