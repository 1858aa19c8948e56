"""Logs and metrics. The entry point adds the fields of a request and flushes its metrics."""

from __future__ import annotations

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

logger = Logger()
metrics = Metrics()


def count(event: str, value: int = 1) -> None:
    """Count a past event such as ``InvoiceIssued``. Never with a tenant: each dimension value is billed."""
    metrics.add_metric(name=event, unit=MetricUnit.Count, value=value)
