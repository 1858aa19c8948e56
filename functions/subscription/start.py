"""POST /v1/subscription/start — get the page of Stripe where the company subscribes."""

from functools import partial
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.subscription import StartSubscriptionRequest, SubscriptionLinkResponse, subscription_link_answer
from billing.runtime import stripe, table
from billing.runtime.clock import clock, ids
from billing.runtime.settings import subscription_return_url
from billing.usecases.subscriptions import start_subscription

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/subscription/start",
    operation_id="startSubscription",
    tags=["subscription"],
    description="The plan begins once the company confirms there, with a trial the first time. A page that is still "
    "open is shown again: there is never a second one.",
    responses=documented(
        201,
        SubscriptionLinkResponse,
        "The subscription, and where it is confirmed",
        versioned=True,
        refused={409: "`company-not-described`, `subscription-running`, `subscription-refused`"},
    ),
)
def start(body: Annotated[StartSubscriptionRequest, Body()], idempotency_key: IdempotencyKey) -> Response[str]:
    made = start_subscription(
        caller(app),
        body.plan_id,
        return_url=subscription_return_url(),
        once=idempotent(app, idempotency_key, partial(subscription_link_answer, now=clock.now())),
        subscriptions=table.subscriptions(),
        companies=table.companies(),
        stripe=stripe.gateway(),
        clock=clock,
        ids=ids,
    )
    return respond(subscription_link_answer(made.subscription, now=clock.now(), link=made.link))


handler = entry_point(app)
