"""Entry points of Lambda: a request or a task, its log fields, its metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from billing.api.events import correlation_id
from billing.api.recycling import Environment
from billing.domain.errors import BillingError

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
    from aws_lambda_powertools.utilities.typing import LambdaContext

Event = dict[str, Any]
Handler = Callable[[Event, "LambdaContext"], Any]

logger = Logger()
metrics = Metrics()
environment = Environment()


def entry_point(app: APIGatewayHttpResolver) -> Handler:
    """The Lambda handler of an API operation. Unknown errors propagate: the alarm must ring."""

    def handler(event: Event, context: LambdaContext) -> Any:
        claims = ((event["requestContext"].get("authorizer") or {}).get("jwt") or {}).get("claims") or {}
        fields = {"correlation_id": correlation_id(event), "operation": event["routeKey"]}
        if "tenant_id" in claims:
            fields["tenant_id"] = claims["tenant_id"]
        return _observed(lambda: app.resolve(event, context), fields, context)

    return handler


def task_point(task: Callable[[Event], Any]) -> Handler:
    """The Lambda handler of what is not an API operation: a workflow's task, a trigger, a consumer.

    The class of an error is the name by which a state machine retries or catches it.
    """

    @wraps(task)
    def handler(event: Event, context: LambdaContext) -> Any:
        known = ("correlation_id", "tenant_id", "invoice_id", "verification_id", "attempt")
        fields = {name: event[name] for name in known if name in event}
        return _observed(lambda: task(event), fields | {"operation": task.__name__}, context)

    return handler


def _observed(work: Callable[[], Any], fields: Mapping[str, Any], context: LambdaContext | None) -> Any:
    """Without a context there is no environment of Lambda that could be recycled."""
    with logger.append_context_keys(**fields):
        recycled = False
        try:
            answer = work()
        except Exception as error:
            logger.error("failed", error=type(error).__name__)  # noqa: TRY400 - the runtime prints the trace
            if isinstance(error, BillingError):  # said on purpose: the environment works
                environment.succeeded()
            else:
                recycled = context is not None and environment.failed()
            if recycled:
                logger.warning("environment recycled")
                metrics.add_metric(name="EnvironmentRecycled", unit=MetricUnit.Count, value=1)
            raise
        else:
            environment.succeeded()
            return answer
        finally:
            if metrics.metric_set:
                metrics.flush_metrics()
            if recycled:
                environment.recycle()
