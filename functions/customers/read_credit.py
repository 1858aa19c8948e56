"""GET /v1/customers/{customer_id}/credit — read what a customer has with the company."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.customer_payments import CustomerCreditEntryResponse, CustomerCreditPageResponse
from billing.api.entry import entry_point
from billing.api.fields import CustomerId
from billing.api.identity import caller
from billing.api.paging import DEFAULT_LIMIT, Limit, PageToken, pages
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.payments import read_customer_credit

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/customers/<customer_id>/credit",
    operation_id="readCustomerCredit",
    tags=["customers"],
    description="The balance is the sum of its entries: over-payments and credit notes, less what was applied or "
    "refunded. What refunds at Stripe will take of it is promised to them, and not available.",
    responses=documented(200, CustomerCreditPageResponse, "The balance, and a page of its entries"),
)
def read_credit(customer_id: CustomerId, limit: Limit = DEFAULT_LIMIT, page_token: PageToken = None) -> Response[str]:
    member = caller(app)
    book = pages(app, member, customer_id=customer_id)
    held = read_customer_credit(member, customer_id, book.request(limit, page_token), payments=table.payments())
    shown = CustomerCreditPageResponse(
        customer_id=customer_id,
        balance_minor=held.credit.balance_minor,
        promised_minor=held.credit.promised_minor,
        available_minor=held.credit.free_minor(),
        entries=[CustomerCreditEntryResponse.of(entry) for entry in held.entries.items],
        next_page_token=book.token(held.entries.position),
    )
    return respond(answer(200, shown))


handler = entry_point(app)
