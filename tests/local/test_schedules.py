"""Schedules run at civil times of their zone, once, also where clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from local.schedules import Expression, ScheduleError, parse_expression

START = datetime(2026, 1, 1, tzinfo=UTC)


def paris(expression: str) -> Expression:
    return parse_expression(expression, "Europe/Paris", start=START)


def following(expression: Expression, after: str, count: int) -> list[str]:
    instant = datetime.fromisoformat(after)
    found = []
    for _ in range(count):
        due = expression.after(instant)
        assert due is not None
        instant = due
        found.append(due.strftime("%Y-%m-%dT%H:%M"))
    return found


def test_rate_counts_from_the_start() -> None:
    every = parse_expression("rate(5 minutes)", "UTC", start=START + timedelta(seconds=30))

    assert every.after(START) == START + timedelta(minutes=5, seconds=30)
    assert every.after(START + timedelta(minutes=5, seconds=30)) == START + timedelta(minutes=10, seconds=30)


def test_cron_follows_the_zone_over_the_year() -> None:
    monday_nine = paris("cron(0 9 ? * MON *)")

    assert following(monday_nine, "2026-03-20T00:00+00:00", 2) == ["2026-03-23T08:00", "2026-03-30T07:00"]


def test_time_that_the_clocks_skip_is_run_once_that_day() -> None:
    half_past_two = paris("cron(30 2 * * ? *)")

    assert following(half_past_two, "2026-03-27T12:00+00:00", 3) == [
        "2026-03-28T01:30",
        "2026-03-29T01:30",
        "2026-03-30T00:30",
    ]


def test_time_that_the_clocks_repeat_is_run_once() -> None:
    half_past_two = paris("cron(30 2 * * ? *)")

    assert following(half_past_two, "2026-10-24T12:00+00:00", 2) == ["2026-10-25T00:30", "2026-10-26T01:30"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 0 L * ? *)", ["2026-01-31T00:00", "2026-02-28T00:00"]),
        ("cron(0 0 1W * ? *)", ["2026-01-01T00:00", "2026-02-02T00:00"]),
        ("cron(0 0 15W * ? *)", ["2026-01-15T00:00", "2026-02-16T00:00"]),
        ("cron(0 0 ? * 6L *)", ["2026-01-30T00:00", "2026-02-27T00:00"]),
        ("cron(0 0 ? * TUE#1 *)", ["2026-01-06T00:00", "2026-02-03T00:00"]),
        ("cron(0/30 8-9 ? * MON-FRI *)", ["2026-01-01T08:00", "2026-01-01T08:30"]),
        ("cron(15 10 1 JAN,JUL ? 2027-2028)", ["2027-01-01T10:15", "2027-07-01T10:15"]),
        ("at(2026-05-01T10:00:00)", ["2026-05-01T10:00"]),
    ],
)
def test_expressions(expression: str, expected: list[str]) -> None:
    parsed = parse_expression(expression, "UTC", start=START)

    assert following(parsed, "2025-12-31T23:59+00:00", len(expected)) == expected


def test_schedule_of_the_past_is_never_due() -> None:
    assert parse_expression("at(2020-01-01T00:00:00)", "UTC", start=START).after(START) is None
    assert parse_expression("cron(0 0 1 1 ? 2020)", "UTC", start=START).after(START) is None


@pytest.mark.parametrize(
    "expression",
    [
        "every minute",
        "rate(0 minutes)",
        "rate(5 weeks)",
        "cron(0 0 1 * *)",
        "cron(0 0 1 * 1 *)",
        "cron(0 0 ? * ? *)",
        "cron(61 0 * * ? *)",
        "cron(a 0 * * ? *)",
    ],
)
def test_wrong_expression_is_refused(expression: str) -> None:
    with pytest.raises(ScheduleError):
        parse_expression(expression, "UTC", start=START)
