"""Logs and metrics. The entry point adds the fields of a request and flushes its metrics."""

from __future__ import annotations

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

logger = Logger()
metrics = Metrics()


def count(event: str, value: int = 1) -> None:
    """Count a past event such as ``InvoiceIssued``. Never with a tenant: each dimension value is billed."""
    metrics.add_metric(name=event, unit=MetricUnit.Count, value=value)


def dependency_took(dependency: str, seconds: float) -> None:
    """How long a third party took to answer, or to fail: a line of its own, whatever the handler counts."""
    with single_metric(name="DependencyLatency", unit=MetricUnit.Milliseconds, value=seconds * 1000) as metric:
        metric.add_dimension(name="dependency", value=dependency)
