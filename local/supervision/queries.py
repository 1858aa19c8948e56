"""The saved queries of supervision.yaml: the first looks of the runbook, in the console under "Queries"."""

from __future__ import annotations

from dataclasses import dataclass

from local.supervision.names import Names

_CODE = ("ApiLogGroup", "WorkflowsLogGroup", "EventsLogGroup")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """``groups`` are log groups of template.yaml; ``steps`` are those of Logs Insights."""

    title: str
    groups: tuple[str, ...] = _CODE
    steps: tuple[str, ...]


QUERIES = {
    "OneRequest": Query(
        title="one-correlation-id",
        steps=(
            "fields @timestamp, operation, level, message, error, problem, tenant_id",
            'filter correlation_id = "put it here"',
            "sort @timestamp asc",
        ),
    ),
    "Faults": Query(
        title="faults-by-operation",
        steps=(
            'filter level = "ERROR"',
            "stats count() as faults, latest(correlation_id) as last_one by operation, error",
            "sort faults desc",
        ),
    ),
    "Refusals": Query(
        title="refusals-by-operation",
        groups=("ApiLogGroup",),
        steps=(
            'filter message = "refused"',
            "stats count() as refusals, count_distinct(tenant_id) as companies by operation, problem, status",
            "sort refusals desc",
        ),
    ),
    "SlowRequests": Query(
        title="slowest-routes",
        groups=("ApiAccessLogGroup",),
        steps=(
            (
                "stats count() as requests, pct(latency, 50), pct(latency, 95), max(latency), "
                "sum(status >= 500) as faults by routeKey"
            ),
            "sort requests desc",
        ),
    ),
}


def queries(names: Names) -> str:
    return "\n".join(_query(name, query, names) for name, query in QUERIES.items())


def _query(name: str, query: Query, names: Names) -> str:
    lines = [
        f"  {name}Query:",
        "    Type: AWS::Logs::QueryDefinition",
        "    Properties:",
        f"      Name: !Sub ${{BillingStack}}/{query.title}",
        f"      LogGroupNames: [{', '.join(names.value(group) for group in query.groups)}]",
        "      QueryString: |",
        f"        {query.steps[0]}",
        *(f"        | {step}" for step in query.steps[1:]),
    ]
    return "\n".join(lines) + "\n"
