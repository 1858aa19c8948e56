"""POST /v1/stripe-account/refresh — ask Stripe how the account stands."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.stripe_account import StripeAccountResponse, stripe_account_answer
from billing.runtime import stripe, table
from billing.runtime.clock import clock, ids
from billing.usecases.stripe_account import refresh_stripe_account

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/stripe-account/refresh",
    operation_id="refreshStripeAccount",
    tags=["stripe_account"],
    description="For the way back from Stripe; otherwise Stripe tells by itself.",
    responses=documented(
        200,
        StripeAccountResponse,
        "The account as Stripe tells it now",
        versioned=True,
        refused={409: "`stripe-account-not-connected`"},
    ),
)
def refresh(idempotency_key: IdempotencyKey) -> Response[str]:
    connection = refresh_stripe_account(
        caller(app),
        once=idempotent(app, idempotency_key, stripe_account_answer),
        connections=table.stripe_connections(),
        stripe=stripe.gateway(),
        clock=clock,
        ids=ids,
    )
    return respond(stripe_account_answer(connection))


handler = entry_point(app)
