"""The dashboards of supervision.yaml: what operators look at, and how the business goes.

A body is CloudWatch's own structure ("Dashboard body structure and syntax"); resources of template.yaml stand in it as
``${…}`` until it is written. Every threshold that is drawn is the one of ``indicators.py``.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from billing.domain.indicators import COMPOSITES, INDICATORS, SLO_AVAILABILITY
from billing.domain.watch import Indicator, Level, Metric, Service, Severity
from local.supervision.alarms import band
from local.supervision.names import Names

Body = dict[str, Any]
Widget = dict[str, Any]

WIDTH = 24
ORANGE, RED, GREEN = "#ff7f0e", "#d62728", "#2ca02c"
_COLOURS = {Severity.WARNING: ORANGE, Severity.CRITICAL: RED}
_LEVELS = {Severity.WARNING: "attention", Severity.CRITICAL: "critique"}
_MONTH: dict[str, Any] = {"start": "-P30D", "end": "P0D"}
_HOUR, _DAY = 3_600, 86_400
# A year's budget of errors is gone in 2 % of a month when it burns 14.4 times too fast for an hour, 5 % at 6 times for
# six: Google, Site Reliability Workbook, "Alerting on SLOs".
_BURNS = ((14.4, RED, "2 % du budget du mois en une heure"), (6.0, ORANGE, "5 % en six heures"), (1.0, GREEN, "tenu"))
SECTIONS = {
    Service.API: "Ce que les utilisateurs ressentent",
    Service.INVOICES: "Envois de factures",
    Service.PAYMENTS: "Paiements en ligne",
    Service.DATA: "Table",
    Service.INFRASTRUCTURE: "Saturation des fonctions",
    Service.PROOF: "Preuve et journal",
    Service.AUTOMATIONS: "Automatismes",
    Service.MAIL: "E-mails",
    Service.WEBHOOKS: "Webhooks des entreprises",
    Service.SUPERVISION: "Chemin des alertes",
}
# What the business chart of each theme counts: metrics of ours, with their words.
BUSINESS: dict[str, dict[str, str]] = {
    "Documents émis": {"InvoiceIssued": "factures", "CreditNoteIssued": "avoirs"},
    "PDF": {"PdfRendered": "rendus", "PdfFailed": "en échec", "PdfRestored": "redessinés"},
    "Envois": {"MailSent": "partis", "MailBounced": "revenus", "MailFailed": "en échec", "MailComplained": "signalés"},
    "Paiements en ligne": {"PaymentAttempted": "tentés", "PaymentSucceeded": "réussis", "PaymentFailed": "refusés"},
    "Encaissements saisis": {"PaymentRecorded": "paiements", "InvoicePaymentRecorded": "sur une facture"},
    "Pages de paiement": {"CheckoutOpened": "ouvertes", "CheckoutClosed": "fermées"},
    "Relances": {
        "ReminderRequested": "demandées",
        "ReminderUnaddressed": "sans adresse",
        "ReminderDropped": "sans objet",
    },
    "Factures récurrentes": {"RecurringInvoiceMade": "faites", "RecurringInvoiceParked": "mises de côté"},
    "Webhooks des entreprises": {"WebhookDelivered": "remis", "WebhookFailed": "en échec", "WebhookDead": "abandonnés"},
}


def dashboards(routes: Mapping[str, str], names: Names) -> str:
    """Both resources as text of the template. ``routes``: logical ids of functions by ``GET /v1/invoices``."""
    bodies = {"Operations": operations(routes), "Business": business()}
    return "\n".join(_resource(name, body, names) for name, body in bodies.items())


def operations(routes: Mapping[str, str]) -> Body:
    rows: list[list[Widget]] = [
        [
            _text(
                "# ZenBilling – exploitation\n"
                "[Que faire quand une alarme sonne](${RunbookUrl}) · "
                "[Journaux](https://${AWS::Region}.console.aws.amazon.com/cloudwatch/home?region=${AWS::Region}"
                "#logsV2:logs-insights) · Chaque seuil tracé est celui de son alarme."
            )
        ],
        [_alarm_states(INDICATORS)],
        _objective(),
    ]
    for service, title in SECTIONS.items():
        rows.append([_text(f"## {title}")])
        charts = [_chart(indicator) for indicator in INDICATORS if indicator.service is service]
        if service is Service.API:
            charts += [_traffic(), *_dependencies()]
        if service is Service.INVOICES:
            charts.append(_executions())
        rows += _in_threes(charts)
    rows.append([_text("## Opérations de l'API, par domaine")])
    rows += _in_threes(_by_domain(routes))
    rows.append([_text("## Coût du mois, selon AWS (mis à jour plusieurs fois par jour)")])
    rows.append([_cost()])
    return _body(rows)


def business() -> Body:
    totals = {theme: next(iter(counted)) for theme, counted in BUSINESS.items()}
    rows: list[list[Widget]] = [
        [_text("# ZenBilling – activité\nToutes entreprises confondues, par heure. Aucune donnée d'une entreprise.")],
        [
            _widget(
                "metric",
                title="Sur trente jours",
                metrics=[[*_named(name), {"label": theme, "stat": "Sum"}] for theme, name in totals.items()],
                view="singleValue",
                setPeriodToTimeRange=True,
                period=_HOUR,
                size=(WIDTH, 4),
                **_MONTH,
            )
        ],
    ]
    charts = [
        _widget(
            "metric",
            title=f"{theme}, par heure",
            metrics=[[*_named(name), {"label": label, "stat": "Sum"}] for name, label in counted.items()],
            period=_HOUR,
            yAxis={"left": {"min": 0}},
        )
        for theme, counted in BUSINESS.items()
    ]
    return _body([*rows, *_in_threes(charts)])


def _named(name: str) -> list[str]:
    return ["ZenBilling", name, "service", "zenbilling"]


def _alarm_states(indicators: Iterable[Indicator]) -> Widget:
    names = [one.alarm_name for one in COMPOSITES]
    names += [one.alarm_name(severity) for one in indicators for severity, _ in one.levels()]
    arn = "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:${BillingStack}-"
    rows = -(-len(names) // 12)
    return _widget("alarm", title="Alarmes", alarms=[arn + name for name in names], size=(WIDTH, 2 + rows))


def _objective() -> list[Widget]:
    """Availability against what is promised, the budget of errors that is left, and how fast it burns."""
    requests = next(one for one in INDICATORS if one.name == "ApiErrors").metrics
    measured = [_series(requests["errors"], id="errors"), _series(requests["requests"], id="requests")]
    allowed = round(100 - SLO_AVAILABILITY, 6)
    share = "100 * SUM(FILL(errors, 0)) / SUM(requests)"

    def month(title: str, expression: str, label: str) -> Widget:
        return _widget(
            "metric",
            title=title,
            metrics=[[{"expression": f"0 * requests + {expression}", "label": label, "id": "value"}], *measured],
            view="singleValue",
            period=_DAY,
            **_MONTH,
        )

    return [
        month(
            f"Disponibilité sur 30 jours (promise : {SLO_AVAILABILITY:g} %)".replace(".", ","), f"100 - {share}", "%"
        ),
        month("Budget d'erreurs restant", f"100 * (1 - {share} / {allowed:g})", "% du mois"),
        _widget(
            "metric",
            title="Vitesse à laquelle le budget d'erreurs brûle (1 : tout juste tenu)",
            metrics=[
                [{"expression": f"100 * FILL(errors, 0) / requests / {allowed:g}", "label": "fois", "id": "burn"}],
                *measured,
            ],
            period=_HOUR,
            yAxis={"left": {"min": 0}},
            annotations=_lines([(value, colour, label) for value, colour, label in _BURNS]),
        ),
    ]


def _chart(indicator: Indicator) -> Widget:
    """The figure of an indicator as its alarms compute it, with their limits."""
    metrics: list[list[Any]]
    if indicator.expressions:
        metrics = [
            [{"expression": expression, "id": ident, **({"visible": False} if rank else {"label": indicator.unit})}]
            for rank, (ident, expression) in enumerate(indicator.expressions.items())
        ]
        metrics += [_series(metric, id=ident) for ident, metric in indicator.metrics.items()]
    else:
        (metric,) = indicator.metrics.values()
        metrics = [_series(metric, label=indicator.unit)]
    levels = dict(indicator.levels())
    if indicator.unusual is not None:
        metrics = [[{"expression": band(indicator, one), "label": "habituel"}] for one in levels.values()] + metrics
        levels = {}
    return _widget(
        "metric",
        title=indicator.says,
        metrics=metrics,
        period=indicator.period,
        yAxis={"left": {"min": 0}},
        annotations=_lines([(level.limit, _COLOURS[one], _said(one, level)) for one, level in levels.items()]),
        **_span(indicator.period),
    )


def _span(period: int) -> dict[str, Any]:
    """Enough of the past for a line: what the dashboard shows is twelve hours."""
    if period < _HOUR:
        return {}
    return _MONTH if period >= _DAY else {"start": "-P3D", "end": "P0D"}


def _said(severity: Severity, level: Level) -> str:
    return f"{_LEVELS[severity]} ({level.datapoints} sur {level.periods})"


def _traffic() -> Widget:
    api = next(one for one in INDICATORS if one.name == "ApiErrors").metrics
    client = Metric("AWS/ApiGateway", "4xx", api["errors"].dimensions)
    return _widget(
        "metric",
        title="Requêtes, par minute",
        metrics=[
            _series(api["requests"], label="requêtes", visible=True),
            _series(client, label="refusées (4xx)", visible=True),
            _series(api["errors"], label="en erreur (5xx)", visible=True),
        ],
        period=60,
        yAxis={"left": {"min": 0}},
    )


def _dependencies() -> Iterator[Widget]:
    yield _widget(
        "metric",
        title="Table, par opération (moyenne)",
        metrics=[
            [
                "AWS/DynamoDB",
                "SuccessfulRequestLatency",
                "TableName",
                "${BillingTable}",
                "Operation",
                one,
                {"label": one},
            ]
            for one in ("GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "TransactWriteItems")
        ],
        stat="Average",
        period=60,
        yAxis={"left": {"min": 0, "label": "ms", "showUnits": False}},
    )


def _executions() -> Widget:
    measured = next(one for one in INDICATORS if one.name == "InvoiceGenerationErrors").metrics
    words = {"succeeded": "réussis", "failed": "en échec", "timedout": "trop longs", "aborted": "arrêtés"}
    return _widget(
        "metric",
        title="Envois terminés, par cinq minutes",
        metrics=[_series(measured[ident], label=label, visible=True) for ident, label in words.items()],
        period=300,
        yAxis={"left": {"min": 0}},
    )


def _by_domain(routes: Mapping[str, str]) -> Iterator[Widget]:
    """Time and errors of every route, for a route is a function: nothing more is measured, and nothing more billed."""
    latency = next(one for one in INDICATORS if one.name == "ApiLatency")
    domains: dict[str, dict[str, str]] = defaultdict(dict)
    for route, function in routes.items():
        domains[route.split("/")[2]][route] = function
    for domain, named in sorted(domains.items()):
        for title, metric, statistic, lines in (
            ("temps (95ᵉ centile, ms)", "Duration", "p95", dict(latency.levels())),
            ("exécutions", "Invocations", "Sum", {}),
            ("erreurs", "Errors", "Sum", {}),
        ):
            first, *others = ((function, route) for route, function in sorted(named.items()))
            yield _widget(
                "metric",
                title=f"{domain} : {title}",
                metrics=[
                    ["AWS/Lambda", metric, "FunctionName", f"${{{first[0]}}}", {"label": first[1]}],
                    *(["...", f"${{{function}}}", {"label": route}] for function, route in others),
                ],
                stat=statistic,
                period=300,
                yAxis={"left": {"min": 0}},
                annotations=_lines([(level.limit, _COLOURS[one], _LEVELS[one]) for one, level in lines.items()]),
            )


def _cost() -> Widget:
    return _widget(
        "metric",
        title="Dépense estimée depuis le premier du mois (USD, tout le compte)",
        metrics=[["AWS/Billing", "EstimatedCharges", "Currency", "USD", {"label": "USD", "stat": "Maximum"}]],
        region="us-east-1",  # AWS keeps the figures of billing there, and in dollars
        period=21_600,
        size=(WIDTH, 5),
        yAxis={"left": {"min": 0}},
        **_MONTH,
    )


def _series(metric: Metric, *, id: str = "", label: str = "", visible: bool = False) -> list[Any]:  # noqa: A002
    """A metric as a row of a widget: hidden behind an expression when it has an id and no word of its own."""
    options: dict[str, Any] = {"stat": metric.statistic}
    if id:
        options |= {"id": id, "visible": visible}
    if label:
        options["label"] = label
    return [metric.namespace, metric.name, *(part for pair in metric.dimensions for part in _pair(pair)), options]


def _pair(pair: tuple[str, str]) -> tuple[str, str]:
    name, value = pair
    _, colon, target = value.partition(":")
    resource, *alias = target.split(":")
    return name, ":".join((f"${{{resource}}}", *alias)) if colon else value


def _lines(limits: Sequence[tuple[float, str, str]]) -> dict[str, Any]:
    return {"horizontal": [{"value": value, "color": colour, "label": label} for value, colour, label in limits]}


def _text(markdown: str) -> Widget:
    return _widget("text", markdown=markdown, size=(WIDTH, 1 + markdown.count("\n")))


def _widget(kind: str, *, size: tuple[int, int] = (8, 6), **properties: Any) -> Widget:
    width, height = size
    if not properties.get("annotations", {"horizontal": True})["horizontal"]:
        del properties["annotations"]
    if kind == "metric":
        properties.setdefault("region", "${AWS::Region}")
        properties.setdefault("view", "timeSeries")
    return {"type": kind, "width": width, "height": height, "properties": properties}


def _in_threes(charts: Iterable[Widget]) -> list[list[Widget]]:
    listed = list(charts)
    return [listed[rank : rank + 3] for rank in range(0, len(listed), 3)]


def _body(rows: Sequence[Sequence[Widget]]) -> Body:
    """The widgets with their places, row after row."""
    widgets = []
    top = 0
    for row in rows:
        left = 0
        for widget in row:
            widgets.append({"type": widget["type"], "x": left, "y": top, **widget})
            left += widget["width"]
        top += max(widget["height"] for widget in row)
    return {"start": "-PT12H", "periodOverride": "inherit", "widgets": widgets}


def _compact(widget: Widget) -> str:
    return json.dumps(widget, ensure_ascii=False, separators=(",", ":"))


def _resource(name: str, body: Body, names: Names) -> str:
    head = json.dumps({key: value for key, value in body.items() if key != "widgets"}, ensure_ascii=False)
    widgets, imported = names.substituted(",\n".join(_compact(widget) for widget in body["widgets"]))
    text = [f'{head[:-1]}, "widgets": [', *widgets.splitlines(), "]}"]
    lines = [
        f"  {name}Dashboard:",
        "    Type: AWS::CloudWatch::Dashboard",
        "    Properties:",
        f"      DashboardName: !Sub ${{BillingStack}}-{name.lower()}",
    ]
    if imported:
        lines += ["      DashboardBody: !Sub", "        - |", *(f"          {line}" for line in text)]
        lines += [f"        - {{{', '.join(f'{variable}: {value}' for variable, value in imported.items())}}}"]
    else:
        lines += ["      DashboardBody: !Sub |", *(f"        {line}" for line in text)]
    return "\n".join(lines) + "\n"
