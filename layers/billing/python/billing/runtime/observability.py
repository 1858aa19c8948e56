"""Logs and metrics. The entry point adds the fields of a request and flushes its metrics."""

from __future__ import annotations

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

logger = Logger()
metrics = Metrics()


def count(event: str, value: int = 1) -> None:
    """Count a past event such as ``InvoiceIssued``. Never with a tenant: each dimension value is billed."""
    metrics.add_metric(name=event, unit=MetricUnit.Count, value=value)


def took(name: str, seconds: float) -> None:
    """How long something we depend on took to answer, or to fail: ``TableLatency``, in milliseconds.

    Written with what the invocation counts, in one line, however often it was asked.
    """
    metrics.add_metric(name=name, unit=MetricUnit.Milliseconds, value=seconds * 1000)
