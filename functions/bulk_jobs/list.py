"""GET /v1/bulk-jobs — list bulk jobs, the latest first."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.bulk_jobs import BulkJobPageResponse, BulkJobRowResponse
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.paging import DEFAULT_LIMIT, Limit, PageToken, pages
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.bulk_jobs import list_bulk_jobs

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/bulk-jobs",
    operation_id="listBulkJobs",
    tags=["bulk_jobs"],
    responses=documented(200, BulkJobPageResponse, "A page of jobs"),
)
def list_page(limit: Limit = DEFAULT_LIMIT, page_token: PageToken = None) -> Response[str]:
    member = caller(app)
    book = pages(app, member)
    page = list_bulk_jobs(member, book.request(limit, page_token), bulk_jobs=table.bulk_jobs())
    rows = [BulkJobRowResponse.of(row) for row in page.items]
    return respond(answer(200, BulkJobPageResponse(items=rows, next_page_token=book.token(page.position))))


handler = entry_point(app)
