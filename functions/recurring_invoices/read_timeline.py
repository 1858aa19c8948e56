"""GET /v1/recurring-invoices/{recurring_invoice_id}/timeline — read what happened to a template and what it made."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.fields import RecurringInvoiceId
from billing.api.identity import caller
from billing.api.invoices import InvoiceEventResponse, InvoiceTimelineResponse
from billing.api.paging import DEFAULT_LIMIT, Limit, PageToken, pages
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.recurring_invoices import read_recurring_invoice_timeline

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/recurring-invoices/<recurring_invoice_id>/timeline",
    operation_id="readRecurringInvoiceTimeline",
    tags=["recurring_invoices"],
    responses=documented(200, InvoiceTimelineResponse, "A page of events, oldest first"),
)
def read_timeline(
    recurring_invoice_id: RecurringInvoiceId, limit: Limit = DEFAULT_LIMIT, page_token: PageToken = None
) -> Response[str]:
    member = caller(app)
    book = pages(app, member, recurring_invoice_id=recurring_invoice_id)
    page = read_recurring_invoice_timeline(
        member, recurring_invoice_id, book.request(limit, page_token), recurring_invoices=table.recurring_invoices()
    )
    events = [InvoiceEventResponse.of(event) for event in page.items]
    return respond(answer(200, InvoiceTimelineResponse(items=events, next_page_token=book.token(page.position))))


handler = entry_point(app)
