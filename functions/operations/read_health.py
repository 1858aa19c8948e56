"""GET /v1/health — say how the API and its dependencies are doing."""

from datetime import datetime
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from pydantic import Field

from billing.api.answers import Reply, answer, documented, respond
from billing.api.entry import entry_point
from billing.api.problems import install
from billing.domain.incidents import IncidentSeverity
from billing.domain.watch import Service
from billing.runtime import table
from billing.runtime.health import probes, uptime_seconds
from billing.runtime.settings import PRODUCT_VERSION
from billing.usecases.health import Health, HealthStatus, read_health


class ProbeResponse(Reply):
    name: str
    healthy: bool
    latency_ms: int


class OpenIncidentResponse(Reply):
    """What a status page shows of it."""

    incident_number: str
    severity: IncidentSeverity
    service: Service
    opened_at: datetime


class HealthResponse(Reply):
    status: Annotated[HealthStatus, Field(description="`degraded`: something waits, invoices can still be issued")]
    version: str
    uptime_seconds: Annotated[
        int, Field(description="Of the process that answered, which is as young as it was needed")
    ]
    probes: Annotated[
        list[ProbeResponse],
        Field(description="`mail` and `stripe` as they were seen at most half a minute ago, the others now"),
    ]
    incidents: Annotated[list[OpenIncidentResponse], Field(description="The oldest open ones")]

    @classmethod
    def of(cls, health: Health) -> "HealthResponse":
        seen = [
            ProbeResponse(name=probe.name, healthy=probe.healthy, latency_ms=probe.latency_ms)
            for probe in health.probes
        ]
        incidents = [
            OpenIncidentResponse(
                incident_number=one.number, severity=one.severity, service=one.service, opened_at=one.opened_at
            )
            for one in health.incidents
        ]
        return cls(
            status=health.status,
            version=PRODUCT_VERSION,
            uptime_seconds=uptime_seconds(),
            probes=seen,
            incidents=incidents,
        )


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
    seen = read_health(probes=probes(), desk=table.alert_desk())
    status = 503 if seen.status is HealthStatus.UNHEALTHY else 200
    return respond(answer(status, HealthResponse.of(seen)))


handler = entry_point(app)
