"""POST /v1/stripe-account/connect — have an account at Stripe made, or taken again, and go on there."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.stripe_account import StripeAccountLinkResponse, stripe_account_link_answer
from billing.runtime import stripe, table
from billing.runtime.clock import clock, ids
from billing.runtime.settings import stripe_return_url
from billing.usecases.stripe_account import connect_stripe_account

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/stripe-account/connect",
    operation_id="connectStripeAccount",
    tags=["stripe_account"],
    description="Stripe asks the company the rest on its own page and leads back. It leaves the onboarding step of "
    "payments.",
    responses=documented(
        201,
        StripeAccountLinkResponse,
        "The account, and where to go on",
        versioned=True,
        refused={409: "`company-not-described`, `stripe-account-refused`"},
    ),
)
def connect(idempotency_key: IdempotencyKey) -> Response[str]:
    made = connect_stripe_account(
        caller(app),
        return_url=stripe_return_url(),
        once=idempotent(app, idempotency_key, stripe_account_link_answer),
        connections=table.stripe_connections(),
        companies=table.companies(),
        stripe=stripe.gateway(),
        clock=clock,
        ids=ids,
    )
    return respond(stripe_account_link_answer(made.connection, link=made.link))


handler = entry_point(app)
