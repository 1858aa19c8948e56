"""GET /v1/credit-notes/{credit_note_id}/timeline — read what happened to a credit note."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.fields import CreditNoteId
from billing.api.identity import caller
from billing.api.invoices import InvoiceEventResponse, InvoiceTimelineResponse
from billing.api.paging import DEFAULT_LIMIT, Limit, PageToken, pages
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.credit_notes import read_credit_note_timeline

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/credit-notes/<credit_note_id>/timeline",
    operation_id="readCreditNoteTimeline",
    tags=["credit_notes"],
    responses=documented(200, InvoiceTimelineResponse, "A page of events, oldest first"),
)
def read_timeline(
    credit_note_id: CreditNoteId, limit: Limit = DEFAULT_LIMIT, page_token: PageToken = None
) -> Response[str]:
    member = caller(app)
    book = pages(app, member, credit_note_id=credit_note_id)
    request = book.request(limit, page_token)
    page = read_credit_note_timeline(member, credit_note_id, request, invoices=table.invoices())
    events = [InvoiceEventResponse.of(event) for event in page.items]
    return respond(answer(200, InvoiceTimelineResponse(items=events, next_page_token=book.token(page.position))))


handler = entry_point(app)
