"""GET /v1/invoices — list invoices by date, status, overdue or customer."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.fields import CUSTOMER_ID, IsoDate
from billing.api.identity import caller
from billing.api.invoices import InvoicePageResponse, InvoiceRowResponse, invoice_query
from billing.api.paging import DEFAULT_LIMIT, Limit, PageToken, pages
from billing.api.problems import install
from billing.domain.ledger import InvoiceStatus
from billing.runtime import table
from billing.runtime.clock import clock
from billing.usecases.invoices import list_invoices

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/invoices",
    operation_id="listInvoices",
    tags=["invoices"],
    description="Latest first; by due date, earliest first, with `status` or `overdue`. At most one of `status`, "
    "`overdue` and `customer_id`. `from` and `to` (inclusive) bound the date that orders the list.",
    responses=documented(200, InvoicePageResponse, "A page of invoices"),
)
def list_page(
    *,
    status: Annotated[InvoiceStatus | None, Query()] = None,
    overdue: Annotated[bool | None, Query(description="true: past due and not paid")] = None,
    customer_id: Annotated[str | None, Query(pattern=CUSTOMER_ID)] = None,
    from_date: Annotated[IsoDate | None, Query(alias="from")] = None,
    to_date: Annotated[IsoDate | None, Query(alias="to")] = None,
    limit: Limit = DEFAULT_LIMIT,
    page_token: PageToken = None,
) -> Response[str]:
    member, today = caller(app), clock.today()
    query = invoice_query(
        status=status, overdue=overdue, customer_id=customer_id, from_date=from_date, to_date=to_date, today=today
    )
    book = pages(
        app, member, status=status, overdue=overdue, customer_id=customer_id, from_date=from_date, to_date=to_date
    )
    page = list_invoices(member, query, book.request(limit, page_token), invoices=table.invoices())
    rows = [InvoiceRowResponse.of(row, today) for row in page.items]
    return respond(answer(200, InvoicePageResponse(items=rows, next_page_token=book.token(page.position))))


handler = entry_point(app)
