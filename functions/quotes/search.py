"""GET /v1/quotes/search — find quotes by the beginnings of words, numbers and amounts."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.fields import Text
from billing.api.identity import caller
from billing.api.paging import DEFAULT_LIMIT, Limit, PageToken, pages
from billing.api.problems import install
from billing.api.quotes import QuotePageResponse, QuoteRowResponse
from billing.runtime import table
from billing.runtime.clock import clock
from billing.usecases.search import search_quotes

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/quotes/search",
    operation_id="searchQuotes",
    tags=["quotes"],
    description="By number, customer, amount, order or buyer reference. Each term must begin a word, whatever its "
    "accents and capitals. A page may be short of its limit and still have a next one.",
    responses=documented(200, QuotePageResponse, "A page of quotes"),
)
def search(
    q: Annotated[str, Text(100, min_length=1), Query(examples=["exemple 1200"])],
    limit: Limit = DEFAULT_LIMIT,
    page_token: PageToken = None,
) -> Response[str]:
    member, today = caller(app), clock.today()
    book = pages(app, member, q=q)
    page = search_quotes(member, q, book.request(limit, page_token), search=table.search())
    rows = [QuoteRowResponse.of(row, today) for row in page.items]
    return respond(answer(200, QuotePageResponse(items=rows, next_page_token=book.token(page.position))))


handler = entry_point(app)
