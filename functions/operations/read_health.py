"""GET /v1/health — say how the API and its dependencies are doing."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from pydantic import Field

from billing.api.answers import Reply, answer, documented, respond
from billing.api.entry import entry_point
from billing.api.problems import install
from billing.runtime.health import probes
from billing.runtime.settings import PRODUCT_VERSION
from billing.usecases.health import Health, HealthStatus, read_health


class ProbeResponse(Reply):
    name: str
    healthy: bool
    latency_ms: int


class HealthResponse(Reply):
    status: Annotated[HealthStatus, Field(description="`degraded`: something waits, invoices can still be issued")]
    version: str
    probes: list[ProbeResponse]

    @classmethod
    def of(cls, health: Health) -> "HealthResponse":
        seen = [
            ProbeResponse(name=probe.name, healthy=probe.healthy, latency_ms=probe.latency_ms)
            for probe in health.probes
        ]
        return cls(status=health.status, version=PRODUCT_VERSION, probes=seen)


app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/health",
    operation_id="readHealth",
    tags=["operations"],
    security=[],
    responses=documented(200, HealthResponse, "Healthy or degraded")
    | documented(503, HealthResponse, "Unhealthy: invoices cannot be issued"),
)
def health() -> Response[str]:
    seen = read_health(probes=probes())
    status = 503 if seen.status is HealthStatus.UNHEALTHY else 200
    return respond(answer(status, HealthResponse.of(seen)))


handler = entry_point(app)
