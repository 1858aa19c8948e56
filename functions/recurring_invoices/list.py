"""GET /v1/recurring-invoices — list templates by name."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.paging import DEFAULT_LIMIT, Limit, PageToken, pages
from billing.api.problems import install
from billing.api.recurring_invoices import RecurringInvoicePageResponse, RecurringInvoiceRowResponse
from billing.runtime import table
from billing.usecases.recurring_invoices import list_recurring_invoices

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/recurring-invoices",
    operation_id="listRecurringInvoices",
    tags=["recurring_invoices"],
    responses=documented(200, RecurringInvoicePageResponse, "A page of templates"),
)
def list_page(limit: Limit = DEFAULT_LIMIT, page_token: PageToken = None) -> Response[str]:
    member = caller(app)
    book = pages(app, member)
    page = list_recurring_invoices(
        member, book.request(limit, page_token), recurring_invoices=table.recurring_invoices()
    )
    rows = [RecurringInvoiceRowResponse.of(row) for row in page.items]
    reply = RecurringInvoicePageResponse(items=rows, next_page_token=book.token(page.position))
    return respond(answer(200, reply))


handler = entry_point(app)
