"""GET /v1/stripe-account — how the company takes payments online."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import BackFromAccount
from billing.api.identity import caller
from billing.api.problems import install
from billing.api.stripe_account import StripeAccountResponse, stripe_account_answer
from billing.runtime import table
from billing.usecases.stripe_account import read_stripe_account

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/stripe-account",
    operation_id="readStripeAccount",
    tags=["stripe_account"],
    responses=documented(200, StripeAccountResponse, "The account as Stripe last told it", versioned=True),
)
def read(*, compte: BackFromAccount = None) -> Response[str]:
    del compte
    return respond(stripe_account_answer(read_stripe_account(caller(app), connections=table.stripe_connections())))


handler = entry_point(app)
