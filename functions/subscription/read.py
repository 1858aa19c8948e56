"""GET /v1/subscription — which plan the company has, and until when."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import BackFromSubscribing
from billing.api.identity import caller
from billing.api.problems import install
from billing.api.subscription import SubscriptionUseResponse, subscription_use_answer
from billing.runtime import table
from billing.runtime.clock import clock
from billing.usecases.subscriptions import read_subscription

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/subscription",
    operation_id="readSubscription",
    tags=["subscription"],
    responses=documented(200, SubscriptionUseResponse, "The subscription as Stripe last told it", versioned=True),
)
def read(*, abonnement: BackFromSubscribing = None) -> Response[str]:
    del abonnement
    found = read_subscription(caller(app), subscriptions=table.subscriptions(), clock=clock)
    return respond(subscription_use_answer(found.subscription, now=clock.now(), invoices=found.invoices))


handler = entry_point(app)
