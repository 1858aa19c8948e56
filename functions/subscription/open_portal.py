"""POST /v1/subscription/portal — get the page of Stripe where the company changes its card or ends its plan."""

from functools import partial

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.subscription import SubscriptionLinkResponse, subscription_link_answer
from billing.runtime import stripe, table
from billing.runtime.clock import clock, ids
from billing.runtime.settings import subscription_return_url
from billing.usecases.subscriptions import open_subscription_portal

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/subscription/portal",
    operation_id="openSubscriptionPortal",
    tags=["subscription"],
    description="Card, invoices of ZenBilling, end of the plan. The page lives for minutes; nothing is kept.",
    responses=documented(
        201,
        SubscriptionLinkResponse,
        "Where the company goes on",
        versioned=True,
        refused={409: "`subscription-not-started`, `subscription-refused`"},
    ),
)
def open_portal(idempotency_key: IdempotencyKey) -> Response[str]:
    opened = open_subscription_portal(
        caller(app),
        return_url=subscription_return_url(),
        once=idempotent(app, idempotency_key, partial(subscription_link_answer, now=clock.now())),
        subscriptions=table.subscriptions(),
        stripe=stripe.gateway(),
        clock=clock,
        ids=ids,
    )
    return respond(subscription_link_answer(opened.subscription, now=clock.now(), link=opened.link))


handler = entry_point(app)
