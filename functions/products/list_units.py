"""GET /v1/units — list the units of measure."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.problems import install
from billing.api.products import UnitListResponse
from billing.domain.units import UNITS

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/units",
    operation_id="listProductUnits",
    tags=["products"],
    description="Of products and lines: codes of UN/ECE recommendation 20, the commonest first.",
    responses=documented(200, UnitListResponse, "Every unit"),
)
def list_units() -> Response[str]:
    return respond(answer(200, UnitListResponse.of(UNITS)))


handler = entry_point(app)
