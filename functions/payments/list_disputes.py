"""GET /v1/payments/disputes — list what customers contest at their banks."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.disputes import PaymentDisputePageResponse, PaymentDisputeResponse
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.paging import DEFAULT_LIMIT, Limit, PageToken, pages
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.disputes import list_payment_disputes

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/payments/disputes",
    operation_id="listPaymentDisputes",
    tags=["payments"],
    description="Those that await an answer first, by their deadline; then those that a bank decides on; then those "
    "that ended, latest first. They are answered in the company's own dashboard at Stripe.",
    responses=documented(200, PaymentDisputePageResponse, "A page of disputes"),
)
def list_disputes(limit: Limit = DEFAULT_LIMIT, page_token: PageToken = None) -> Response[str]:
    member = caller(app)
    book = pages(app, member)
    page = list_payment_disputes(member, book.request(limit, page_token), stripe_payments=table.stripe_payments())
    rows = [PaymentDisputeResponse.of(row) for row in page.items]
    return respond(answer(200, PaymentDisputePageResponse(items=rows, next_page_token=book.token(page.position))))


handler = entry_point(app)
