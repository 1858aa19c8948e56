"""GET /v1/plans — list what ZenBilling itself costs."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.problems import install
from billing.api.subscription import PlanListResponse
from billing.domain.plans import PLANS

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/plans",
    operation_id="listSubscriptionPlans",
    tags=["subscription"],
    responses=documented(200, PlanListResponse, "Every plan, the cheapest first"),
)
def list_plans() -> Response[str]:
    return respond(answer(200, PlanListResponse.of(PLANS)))


handler = entry_point(app)
