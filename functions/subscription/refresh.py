"""POST /v1/subscription/refresh — ask Stripe how the subscription stands."""

from functools import partial

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.subscription import SubscriptionResponse, subscription_answer
from billing.runtime import stripe, table
from billing.runtime.clock import clock, ids
from billing.usecases.subscriptions import refresh_subscription

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/subscription/refresh",
    operation_id="refreshSubscription",
    tags=["subscription"],
    description="For the way back from Stripe; otherwise Stripe tells by itself.",
    responses=documented(
        200,
        SubscriptionResponse,
        "The subscription as Stripe tells it now",
        versioned=True,
        refused={409: "`subscription-not-started`"},
    ),
)
def refresh(idempotency_key: IdempotencyKey) -> Response[str]:
    subscription = refresh_subscription(
        caller(app),
        once=idempotent(app, idempotency_key, partial(subscription_answer, now=clock.now())),
        subscriptions=table.subscriptions(),
        companies=table.companies(),
        stripe=stripe.gateway(),
        clock=clock,
        ids=ids,
    )
    return respond(subscription_answer(subscription, now=clock.now()))


handler = entry_point(app)
