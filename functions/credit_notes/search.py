"""GET /v1/credit-notes/search — find credit notes by the beginnings of words, numbers and amounts."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from billing.api.answers import answer, documented, respond
from billing.api.credit_notes import CreditNotePageResponse, CreditNoteRowResponse
from billing.api.entry import entry_point
from billing.api.fields import Text
from billing.api.identity import caller
from billing.api.paging import DEFAULT_LIMIT, Limit, PageToken, pages
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.search import search_credit_notes

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/credit-notes/search",
    operation_id="searchCreditNotes",
    tags=["credit_notes"],
    description="By number, number of the invoice, customer or amount. Each term must begin a word, whatever its "
    "accents and capitals. A page may be short of its limit and still have a next one.",
    responses=documented(200, CreditNotePageResponse, "A page of credit notes"),
)
def search(
    q: Annotated[str, Text(100, min_length=1), Query(examples=["A2026"])],
    limit: Limit = DEFAULT_LIMIT,
    page_token: PageToken = None,
) -> Response[str]:
    member = caller(app)
    book = pages(app, member, q=q)
    page = search_credit_notes(member, q, book.request(limit, page_token), search=table.search())
    rows = [CreditNoteRowResponse.of(row) for row in page.items]
    return respond(answer(200, CreditNotePageResponse(items=rows, next_page_token=book.token(page.position))))


handler = entry_point(app)
