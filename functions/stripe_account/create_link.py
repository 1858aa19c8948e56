"""POST /v1/stripe-account/links — get another page of Stripe to go on at."""

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
from billing.usecases.stripe_account import create_stripe_account_link

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/stripe-account/links",
    operation_id="createStripeAccountLink",
    tags=["stripe_account"],
    description="Each serves once, within minutes. Needed when one expired, and when Stripe wants to know more.",
    responses=documented(
        201,
        StripeAccountLinkResponse,
        "The account, and where to go on",
        versioned=True,
        refused={409: "`stripe-account-not-connected`, `stripe-account-refused`"},
    ),
)
def create_link(idempotency_key: IdempotencyKey) -> Response[str]:
    made = create_stripe_account_link(
        caller(app),
        return_url=stripe_return_url(),
        once=idempotent(app, idempotency_key, stripe_account_link_answer),
        connections=table.stripe_connections(),
        stripe=stripe.gateway(),
        clock=clock,
        ids=ids,
    )
    return respond(stripe_account_link_answer(made.connection, link=made.link))


handler = entry_point(app)
