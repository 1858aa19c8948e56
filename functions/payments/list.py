"""GET /v1/payments — list payments by day, of a customer or of all."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from billing.api.answers import answer, documented, respond
from billing.api.customer_payments import PaymentPageResponse, PaymentRowResponse, payment_query
from billing.api.entry import entry_point
from billing.api.fields import CUSTOMER_ID, IsoDate
from billing.api.identity import caller
from billing.api.paging import DEFAULT_LIMIT, Limit, PageToken, pages
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.payments import list_payments

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/payments",
    operation_id="listPayments",
    tags=["payments"],
    description="Latest first. `from` and `to` (inclusive) bound the day of payment.",
    responses=documented(200, PaymentPageResponse, "A page of payments"),
)
def list_page(
    *,
    customer_id: Annotated[str | None, Query(pattern=CUSTOMER_ID)] = None,
    from_date: Annotated[IsoDate | None, Query(alias="from")] = None,
    to_date: Annotated[IsoDate | None, Query(alias="to")] = None,
    limit: Limit = DEFAULT_LIMIT,
    page_token: PageToken = None,
) -> Response[str]:
    member = caller(app)
    query = payment_query(customer_id=customer_id, from_date=from_date, to_date=to_date)
    book = pages(app, member, customer_id=customer_id, from_date=from_date, to_date=to_date)
    page = list_payments(member, query, book.request(limit, page_token), payments=table.payments())
    rows = [PaymentRowResponse.of(row) for row in page.items]
    return respond(answer(200, PaymentPageResponse(items=rows, next_page_token=book.token(page.position))))


handler = entry_point(app)
