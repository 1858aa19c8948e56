"""GET /v1/payments/reconciliations — list the days at Stripe and how they agree with the ledger."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.paging import DEFAULT_LIMIT, Limit, PageToken, pages
from billing.api.problems import install
from billing.api.reconciliations import PaymentReconciliationPageResponse, PaymentReconciliationResponse
from billing.runtime import table
from billing.usecases.reconciliations import list_payment_reconciliations

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/payments/reconciliations",
    operation_id="listPaymentReconciliations",
    tags=["payments"],
    description="Latest day first. Each day is held against Stripe's own balance the night after.",
    responses=documented(200, PaymentReconciliationPageResponse, "A page of days"),
)
def list_reconciliations(limit: Limit = DEFAULT_LIMIT, page_token: PageToken = None) -> Response[str]:
    member = caller(app)
    book = pages(app, member)
    page = list_payment_reconciliations(
        member, book.request(limit, page_token), reconciliations=table.reconciliations()
    )
    rows = [PaymentReconciliationResponse.of(row) for row in page.items]
    return respond(
        answer(200, PaymentReconciliationPageResponse(items=rows, next_page_token=book.token(page.position)))
    )


handler = entry_point(app)
