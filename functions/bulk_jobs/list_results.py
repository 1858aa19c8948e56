"""GET /v1/bulk-jobs/{bulk_job_id}/results — list what became of each document."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.bulk_jobs import BulkResultPageResponse, BulkResultResponse
from billing.api.entry import entry_point
from billing.api.fields import BulkJobId
from billing.api.identity import caller
from billing.api.language import language_of
from billing.api.paging import DEFAULT_LIMIT, Limit, PageToken, pages
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.bulk_jobs import list_bulk_job_results

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/bulk-jobs/<bulk_job_id>/results",
    operation_id="listBulkJobResults",
    tags=["bulk_jobs"],
    description="In the order of the selection; a document without a result yet is left out.",
    responses=documented(200, BulkResultPageResponse, "A page of results"),
)
def list_results(bulk_job_id: BulkJobId, limit: Limit = DEFAULT_LIMIT, page_token: PageToken = None) -> Response[str]:
    member = caller(app)
    book = pages(app, member, bulk_job_id=bulk_job_id)
    page = list_bulk_job_results(member, bulk_job_id, book.request(limit, page_token), bulk_jobs=table.bulk_jobs())
    language = language_of(app.current_event.raw_event)
    rows = [BulkResultResponse.of(result, language) for result in page.items]
    return respond(answer(200, BulkResultPageResponse(items=rows, next_page_token=book.token(page.position))))


handler = entry_point(app)
