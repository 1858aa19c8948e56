"""GET /v1/credit-notes — list credit notes by date, of a customer or of an invoice."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from billing.api.answers import answer, documented, respond
from billing.api.credit_notes import CreditNotePageResponse, CreditNoteRowResponse, credit_note_query
from billing.api.entry import entry_point
from billing.api.fields import CUSTOMER_ID, INVOICE_ID, IsoDate
from billing.api.identity import caller
from billing.api.paging import DEFAULT_LIMIT, Limit, PageToken, pages
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.credit_notes import list_credit_notes

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/credit-notes",
    operation_id="listCreditNotes",
    tags=["credit_notes"],
    description="Latest first. At most one of `customer_id` and `invoice_id`. `from` and `to` (inclusive) bound the "
    "issue date.",
    responses=documented(200, CreditNotePageResponse, "A page of credit notes"),
)
def list_page(
    *,
    customer_id: Annotated[str | None, Query(pattern=CUSTOMER_ID)] = None,
    invoice_id: Annotated[str | None, Query(pattern=INVOICE_ID)] = None,
    from_date: Annotated[IsoDate | None, Query(alias="from")] = None,
    to_date: Annotated[IsoDate | None, Query(alias="to")] = None,
    limit: Limit = DEFAULT_LIMIT,
    page_token: PageToken = None,
) -> Response[str]:
    member = caller(app)
    query = credit_note_query(customer_id=customer_id, invoice_id=invoice_id, from_date=from_date, to_date=to_date)
    book = pages(app, member, customer_id=customer_id, invoice_id=invoice_id, from_date=from_date, to_date=to_date)
    page = list_credit_notes(member, query, book.request(limit, page_token), credit_notes=table.credit_notes())
    rows = [CreditNoteRowResponse.of(row) for row in page.items]
    return respond(answer(200, CreditNotePageResponse(items=rows, next_page_token=book.token(page.position))))


handler = entry_point(app)
