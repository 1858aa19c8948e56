"""The evaluator of alarms against the tables of CloudWatch's own documentation, and against its metric math."""

from __future__ import annotations

import pytest

from local.cloudwatch.alarms import Alarm, AlarmState, MetricKey, composite_state
from local.cloudwatch.expressions import ExpressionError, Series, names_in, value_at

OK, ALARM, RETAIN, NO_DATA = "OK", "ALARM", "retain", "INSUFFICIENT_DATA"
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
# "Configuring how CloudWatch alarms treat missing data": the last five points, X breaching, 0 not, - missing.
THREE_OF_THREE = {
    "0-X-X": (OK, OK, OK, OK),
    "----0": (OK, OK, OK, OK),
    "-----": (NO_DATA, RETAIN, ALARM, OK),
    "0XX-X": (ALARM, ALARM, ALARM, ALARM),
    "--X--": (ALARM, RETAIN, ALARM, OK),
}
TWO_OF_THREE = {
    "0-X-X": (ALARM, ALARM, ALARM, ALARM),
    "00X0X": (ALARM, ALARM, ALARM, ALARM),
    "0-X--": (OK, OK, ALARM, OK),
    "----0": (OK, OK, ALARM, OK),
    "---X-": (ALARM, RETAIN, ALARM, OK),
}
CASES = [
    (needed, points, treatment, expected)
    for needed, table in ((3, THREE_OF_THREE), (2, TWO_OF_THREE))
    for points, row in table.items()
    for treatment, expected in zip(TREATMENTS, row, strict=True)
]
NOW = 1_800_000_000


def _alarm(needed: int = 3, missing: str = "notBreaching", namespace: str = "AWS/Lambda") -> Alarm:
    return Alarm(
        "Sample",
        {
            "Namespace": namespace,
            "MetricName": "Errors",
            "Statistic": "Sum",
            "Period": 60,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "Threshold": 1,
            "EvaluationPeriods": 3,
            "DatapointsToAlarm": needed,
            "TreatMissingData": missing,
        },
    )


def _series(points: str) -> Series:
    newest = NOW // 60 * 60 - 60
    return {newest - rank * 60: float(point == "X") for rank, point in enumerate(reversed(points)) if point != "-"}


@pytest.mark.parametrize(("needed", "points", "treatment", "expected"), CASES)
@pytest.mark.parametrize("before", [AlarmState.OK, AlarmState.ALARM])
def test_missing_data_is_treated_as_documented(
    needed: int, points: str, treatment: str, expected: str, before: AlarmState
) -> None:
    state = _alarm(needed, treatment).state(NOW, lambda _: _series(points), before)

    assert state == (before if expected == RETAIN else expected)


def test_the_table_of_dynamodb_ignores_what_is_missing_whatever_the_alarm_says() -> None:
    stuck = _alarm(1, "notBreaching", "AWS/DynamoDB")

    assert stuck.state(NOW, lambda _: {}, AlarmState.ALARM) is AlarmState.ALARM


def test_a_running_period_is_not_looked_at() -> None:
    running = {NOW // 60 * 60: 1.0}

    assert _alarm(1).state(NOW, lambda _: running) is AlarmState.OK
    assert _alarm(1).state(NOW + 60, lambda _: running) is AlarmState.ALARM


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a + 2 * b", 14),
        ("a / nought", None),
        ("a / b", 0.8),
        ("missing + 1", None),
        ("FILL(missing, 0) + 1", 1),
        ("IF(a >= 4, 100 * a / b, 0)", 80),
        ("IF(a > 4 OR b != 5, 1, 2)", 2),
        ("IF(a >= 4 AND b >= 5, a, 0)", 4),
        ("IF(a >= 4 && missing, a, 0)", None),
        ("IF(missing >= 20, a, 0)", None),
        ("MAX([a, b, missing])", 5),
        ("MIN([a, b])", 4),
        ("AVG([a, b])", 4.5),
        ("SUM([a, -b])", -1),
        ("ABS(a - b)", 1),
        ("a ^ 2", 16),
        ("a < b", 1),
    ],
)
def test_metric_math(expression: str, expected: float | None) -> None:
    known = {"a": {60: 4.0}, "b": {60: 5.0}, "nought": {60: 0.0}, "missing": {}}

    assert value_at(expression, 60, known.__getitem__) == expected


@pytest.mark.parametrize("expression", ["SEARCH('{AWS/Lambda}', 'Sum')", "a[0]", "__import__('os')", "a +", "IF(a, b)"])
def test_what_alarms_do_not_know_is_refused(expression: str) -> None:
    with pytest.raises(ExpressionError):
        value_at(expression, 60, lambda _: {60: 1.0})


def test_names_of_an_expression() -> None:
    assert names_in("IF(n >= 20, 100 * FILL(e, 0) / n, 0)") == {"n", "e"}


def test_an_expression_stands_on_another() -> None:
    properties = {
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 50,
        "EvaluationPeriods": 1,
        "TreatMissingData": "notBreaching",
        "Metrics": [
            {"Id": "ratio", "Expression": "100 * bad / (bad + good)"},
            {"Id": "bad", "ReturnData": False, "Expression": "FILL(failed, 0)"},
            *(
                {
                    "Id": name,
                    "ReturnData": False,
                    "MetricStat": {"Metric": {"Namespace": "Sample", "MetricName": name}, "Period": 60, "Stat": "Sum"},
                }
                for name in ("failed", "good")
            ),
        ],
    }
    time = NOW // 60 * 60 - 60

    def measured(failed: float) -> AlarmState:
        values = {MetricKey(namespace="Sample", name="failed"): failed, MetricKey(namespace="Sample", name="good"): 10}
        return Alarm("Sample", properties).state(NOW, lambda key: {time: values[key]})

    assert measured(10) is AlarmState.OK
    assert measured(11) is AlarmState.ALARM


def test_a_composite_reads_its_rule() -> None:
    states = {"canary": AlarmState.OK, "errors": AlarmState.ALARM, "latency": AlarmState.ALARM}
    rule = 'ALARM(canary) OR (ALARM("errors") AND ALARM(latency))'

    assert composite_state(rule, states) is AlarmState.ALARM
    assert composite_state(rule, states | {"latency": AlarmState.OK}) is AlarmState.OK
    assert composite_state("ALARM(errors) AND NOT ALARM(canary)", states) is AlarmState.ALARM
    with pytest.raises(ExpressionError, match="elsewhere"):
        composite_state("ALARM(elsewhere)", states)
    with pytest.raises(ExpressionError):
        composite_state("ALARM(errors) XOR OK(canary)", states)


def test_a_period_is_a_figure_of_an_expression() -> None:
    series = {0: 120.0}
    assert value_at("counted / PERIOD(counted)", 0, lambda _: series) == 2
    assert value_at("counted / PERIOD(counted)", 0, lambda _: series, period=3600) == pytest.approx(120 / 3600)
    assert value_at("SUM(counted)", 0, lambda _: {0: 1.0, 60: 2.0}) == 3
