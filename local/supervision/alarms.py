"""The alarms of the template as text, and how an alarm says in French from where it rings."""

from __future__ import annotations

import json
from collections.abc import Iterator

from billing.domain.watch import Indicator, Level, Metric, Severity

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_NARROW = "\N{NARROW NO-BREAK SPACE}"


def alarms(indicators: tuple[Indicator, ...]) -> str:
    """Every alarm, a block each, in the order of the indicators."""
    return "\n".join(
        _alarm(indicator, severity, level) for indicator in indicators for severity, level in indicator.levels()
    )


def in_words(indicator: Indicator, level: Level) -> str:
    """From where it rings: ``Requêtes en erreur : 2 % des requêtes ou plus, 3 minutes sur 5``."""
    if indicator.below:
        return f"{indicator.says} : aucune {indicator.unit} depuis {_long(level.periods * indicator.period)}"
    limit = number(level.limit)
    return f"{indicator.says} : {limit} {indicator.unit} ou plus, {_window(indicator.period, level)}"


def number(value: float) -> str:
    """As French writes it: ``60 000``, ``0,05``."""
    return f"{value:,.6f}".rstrip("0").rstrip(".").replace(",", _NARROW).replace(".", ",")


def _window(period: int, level: Level) -> str:
    if level.periods == 1:
        return f"en {_long(period)}"
    if period == _MINUTE:
        return f"{level.datapoints} minutes sur {level.periods}"
    return f"{level.datapoints} fois {_long(period)} sur {level.periods}"


def _long(seconds: int) -> str:
    if seconds % _DAY == 0:
        return f"{seconds // _DAY * 24} heures"
    if seconds % _HOUR == 0:
        hours = seconds // _HOUR
        return f"{hours} heure{'s' * (hours > 1)}"
    minutes = seconds // _MINUTE
    return f"{minutes} minute{'s' * (minutes > 1)}"


def _alarm(indicator: Indicator, severity: Severity, level: Level) -> str:
    name = indicator.alarm_name(severity)
    described = f"{in_words(indicator, level)}. ${{RunbookUrl}}#{name.lower()}"
    lines = [
        f"  {name}:",
        "    Type: AWS::CloudWatch::Alarm",
        "    Properties:",
        f"      AlarmName: !Sub ${{AWS::StackName}}-{name}",
        f"      AlarmDescription: !Sub {json.dumps(described, ensure_ascii=False)}",
        f"      ComparisonOperator: {'LessThanThreshold' if indicator.below else 'GreaterThanOrEqualToThreshold'}",
        f"      Threshold: {level.limit:g}" if level.limit < 1e6 else f"      Threshold: {level.limit:.0f}",
        f"      DatapointsToAlarm: {level.datapoints}",
        f"      EvaluationPeriods: {level.periods}",
        f"      TreatMissingData: {'breaching' if indicator.silent_is_bad else 'notBreaching'}",
        "      AlarmActions: [!Ref AlertsTopic]",
        "      OKActions: [!Ref AlertsTopic]",
        *_measured(indicator),
    ]
    return "\n".join(lines) + "\n"


def _measured(indicator: Indicator) -> Iterator[str]:
    if not indicator.expressions:
        (metric,) = indicator.metrics.values()
        yield f"      Namespace: {metric.namespace}"
        yield f"      MetricName: {metric.name}"
        if metric.dimensions:
            yield f"      Dimensions: {_dimensions(metric)}"
        yield f"      {'Extended' if metric.statistic.startswith('p') else ''}Statistic: {metric.statistic}"
        yield f"      Period: {indicator.period}"
        return
    yield "      Metrics:"
    for rank, (ident, expression) in enumerate(indicator.expressions.items()):
        role = "ReturnData: false" if rank else f"Label: {json.dumps(indicator.unit, ensure_ascii=False)}"
        yield f"        - {{Id: {ident}, {role}, Expression: {json.dumps(expression)}}}"
    for ident, metric in indicator.metrics.items():
        dimensions = f", Dimensions: {_dimensions(metric)}" if metric.dimensions else ""
        yield f"        - Id: {ident}"
        yield "          ReturnData: false"
        yield "          MetricStat:"
        yield f"            Metric: {{Namespace: {metric.namespace}, MetricName: {metric.name}{dimensions}}}"
        yield f"            Period: {indicator.period}"
        yield f"            Stat: {metric.statistic}"


def _dimensions(metric: Metric) -> str:
    pairs = (f"{{Name: {name}, Value: {_value(value)}}}" for name, value in metric.dimensions)
    return f"[{', '.join(pairs)}]"


def _value(value: str) -> str:
    kind, colon, target = value.partition(":")
    return f"!{kind} {target}" if colon else value
