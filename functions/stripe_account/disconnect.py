"""POST /v1/stripe-account/disconnect — take no payments online any more."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.stripe_account import StripeAccountResponse, stripe_account_answer
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.stripe_account import disconnect_stripe_account

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/stripe-account/disconnect",
    operation_id="disconnectStripeAccount",
    tags=["stripe_account"],
    description="Open pages are closed within minutes. What was paid stays, and what becomes of it is still booked.",
    responses=documented(
        200,
        StripeAccountResponse,
        "The account that was let go",
        versioned=True,
        refused={409: "`stripe-account-not-connected`"},
    ),
)
def disconnect(idempotency_key: IdempotencyKey) -> Response[str]:
    connection = disconnect_stripe_account(
        caller(app),
        once=idempotent(app, idempotency_key, stripe_account_answer),
        connections=table.stripe_connections(),
        clock=clock,
        ids=ids,
    )
    return respond(stripe_account_answer(connection))


handler = entry_point(app)
