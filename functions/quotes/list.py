"""GET /v1/quotes — list quotes by date, status or customer."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.fields import CUSTOMER_ID, IsoDate
from billing.api.identity import caller
from billing.api.paging import DEFAULT_LIMIT, Limit, PageToken, pages
from billing.api.problems import install
from billing.api.quotes import QuotePageResponse, QuoteRowResponse, quote_query
from billing.domain.quote import QuoteStatus
from billing.runtime import table
from billing.runtime.clock import clock
from billing.usecases.quotes import list_quotes

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/quotes",
    operation_id="listQuotes",
    tags=["quotes"],
    description="Latest first; by validity, most urgent first, with `status`. At most one of `status` and "
    "`customer_id`. `from` and `to` (inclusive) bound the date that orders the list.",
    responses=documented(200, QuotePageResponse, "A page of quotes"),
)
def list_page(
    *,
    status: Annotated[QuoteStatus | None, Query()] = None,
    customer_id: Annotated[str | None, Query(pattern=CUSTOMER_ID)] = None,
    from_date: Annotated[IsoDate | None, Query(alias="from")] = None,
    to_date: Annotated[IsoDate | None, Query(alias="to")] = None,
    limit: Limit = DEFAULT_LIMIT,
    page_token: PageToken = None,
) -> Response[str]:
    member, today = caller(app), clock.today()
    query = quote_query(status=status, customer_id=customer_id, from_date=from_date, to_date=to_date, today=today)
    book = pages(app, member, status=status, customer_id=customer_id, from_date=from_date, to_date=to_date)
    page = list_quotes(member, query, book.request(limit, page_token), quotes=table.quotes())
    rows = [QuoteRowResponse.of(row, today) for row in page.items]
    return respond(answer(200, QuotePageResponse(items=rows, next_page_token=book.token(page.position))))


handler = entry_point(app)
