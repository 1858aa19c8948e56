"""The alarms of supervision.yaml as text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from billing.domain.alarm_words import in_words
from billing.domain.watch import Composite, Indicator, Level, Metric, Severity, Unusual
from local.supervision.names import Names

_BEYOND = {
    Unusual.BELOW: "LessThanLowerThreshold",
    Unusual.ABOVE: "GreaterThanUpperThreshold",
    Unusual.BOTH: "LessThanLowerOrGreaterThanUpperThreshold",
}


def alarms(indicators: tuple[Indicator, ...], names: Names) -> str:
    """Every alarm, a block each, in the order of the indicators."""
    return "\n".join(
        _alarm(indicator, severity, level, names) for indicator in indicators for severity, level in indicator.levels()
    )


def composites(known: tuple[Composite, ...], names: Names) -> str:
    """The alarms that say what others say together."""
    return "\n".join(_composite(one, names) for one in known)


def _composite(composite: Composite, names: Names) -> str:
    name = composite.alarm_name
    named = re.sub(r"\((\w+Alarm)\)", r'("${BillingStack}-\1")', composite.rule)
    described = f"{composite.says}. ${{RunbookUrl}}#{name.lower()}"
    watched = re.findall(r"\w+Alarm", composite.rule)
    return "\n".join(
        (
            f"  {name}:",
            "    Type: AWS::CloudWatch::CompositeAlarm",
            f"    DependsOn: [{', '.join(watched)}]",
            "    Properties:",
            f"      AlarmName: !Sub ${{BillingStack}}-{name}",
            f"      AlarmDescription: !Sub {json.dumps(described, ensure_ascii=False)}",
            f"      AlarmRule: !Sub {json.dumps(named, ensure_ascii=False)}",
            *(f"      {when}Actions: [{names.value('AlertsTopic')}]" for when in ("Alarm", "OK")),
            "",
        )
    )


def _alarm(indicator: Indicator, severity: Severity, level: Level, names: Names) -> str:
    name = indicator.alarm_name(severity)
    described = f"{in_words(indicator, level)}. ${{RunbookUrl}}#{name.lower()}"
    lines = [
        f"  {name}:",
        "    Type: AWS::CloudWatch::Alarm",
        "    Properties:",
        f"      AlarmName: !Sub ${{BillingStack}}-{name}",
        f"      AlarmDescription: !Sub {json.dumps(described, ensure_ascii=False)}",
        *_limit(indicator, level),
        f"      DatapointsToAlarm: {level.datapoints}",
        f"      EvaluationPeriods: {level.periods}",
        f"      TreatMissingData: {'breaching' if indicator.silent_is_bad else 'notBreaching'}",
        *(f"      {when}Actions: [{names.value(indicator.topic)}]" for when in ("Alarm", "OK") if indicator.topic),
        *_measured(indicator, level, names),
    ]
    return "\n".join(lines) + "\n"


def _limit(indicator: Indicator, level: Level) -> Iterator[str]:
    if indicator.unusual is not None:
        yield f"      ComparisonOperator: {_BEYOND[indicator.unusual]}"
        yield "      ThresholdMetricId: band"
        return
    yield f"      ComparisonOperator: {'LessThanThreshold' if indicator.below else 'GreaterThanOrEqualToThreshold'}"
    yield f"      Threshold: {level.limit:g}" if level.limit < 1e6 else f"      Threshold: {level.limit:.0f}"


def _measured(indicator: Indicator, level: Level, names: Names) -> Iterator[str]:
    if not indicator.expressions:
        (metric,) = indicator.metrics.values()
        yield f"      Namespace: {metric.namespace}"
        yield f"      MetricName: {metric.name}"
        if metric.dimensions:
            yield f"      Dimensions: {_dimensions(metric, names)}"
        yield f"      {'Extended' if metric.statistic.startswith('p') else ''}Statistic: {metric.statistic}"
        yield f"      Period: {indicator.period}"
        return
    yield "      Metrics:"
    if indicator.unusual is not None:
        yield f"        - {{Id: band, Label: habituel, Expression: {json.dumps(band(indicator, level))}}}"
    for rank, (ident, expression) in enumerate(indicator.expressions.items()):
        role = "ReturnData: false" if rank else f"Label: {json.dumps(indicator.unit, ensure_ascii=False)}"
        yield f"        - {{Id: {ident}, {role}, Expression: {json.dumps(expression)}}}"
    for ident, metric in indicator.metrics.items():
        dimensions = f", Dimensions: {_dimensions(metric, names)}" if metric.dimensions else ""
        yield f"        - Id: {ident}"
        yield "          ReturnData: false"
        yield "          MetricStat:"
        yield f"            Metric: {{Namespace: {metric.namespace}, MetricName: {metric.name}{dimensions}}}"
        yield f"            Period: {indicator.period}"
        yield f"            Stat: {metric.statistic}"


def band(indicator: Indicator, level: Level) -> str:
    """What CloudWatch learns of the figure, so many standard deviations wide."""
    return f"ANOMALY_DETECTION_BAND({next(iter(indicator.expressions))}, {level.limit:g})"


def _dimensions(metric: Metric, names: Names) -> str:
    pairs = (f"{{Name: {name}, Value: {_value(value, names)}}}" for name, value in metric.dimensions)
    return f"[{', '.join(pairs)}]"


def _value(value: str, names: Names) -> str:
    _, colon, target = value.partition(":")
    return names.value(target) if colon else value
