"""EventBridge Scheduler's expressions: ``rate(…)``, ``cron(…)`` and ``at(…)``, in a time zone."""

from __future__ import annotations

import calendar
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from local.layout import ACCOUNT_ID, REGION
from local.stack import Schedule

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\(([^)]+)\)")
_AT = re.compile(r"at\(([^)]+)\)")
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)}
_HORIZON_DAYS: Final = 366 * 5


class ScheduleError(ValueError):
    """Not an expression of EventBridge Scheduler."""


class Expression(Protocol):
    def after(self, instant: datetime) -> datetime | None:
        """The next instant (UTC) strictly after, or none."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Every so often since ``start``. A day is 24 hours, whatever the clocks do."""

    interval: timedelta
    start: datetime

    def after(self, instant: datetime) -> datetime:
        return self.start + max(1, (instant - self.start) // self.interval + 1) * self.interval


@dataclass(frozen=True, slots=True)
class At:
    instant: datetime

    def after(self, instant: datetime) -> datetime | None:
        return self.instant if self.instant > instant else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """Civil times in a zone. A time that the clocks skip is run at the change; one that they repeat is run once."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: str
    months: frozenset[int]
    weekdays: str
    years: frozenset[int] | None
    zone: ZoneInfo

    def after(self, instant: datetime) -> datetime | None:
        first = instant.astimezone(self.zone).date()
        for offset in range(_HORIZON_DAYS):
            day = first + timedelta(days=offset)
            if not self._runs_on(day):
                continue
            for due in self._times(day):
                if due > instant:
                    return due
        return None

    def _times(self, day: date) -> Iterator[datetime]:
        for hour in self.hours:
            for minute in self.minutes:
                civil = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone)
                yield civil.astimezone(UTC)  # fold=0: the first of two, and a skipped time is moved past the change

    def _runs_on(self, day: date) -> bool:
        if day.month not in self.months or (self.years is not None and day.year not in self.years):
            return False
        return _day_of_month(self.days, day) if self.days != "?" else _day_of_week(self.weekdays, day)


def parse_expression(expression: str, timezone: str, *, start: datetime) -> Expression:
    """``start`` is when the schedule began to be. Raises: ScheduleError."""
    zone = ZoneInfo(timezone)
    if found := _RATE.fullmatch(expression):
        count, unit = int(found[1]), found[2]
        if count == 0:
            raise ScheduleError(f"{expression}: a rate is at least 1")
        return Rate(timedelta(**{f"{unit}s": count}), start)
    if found := _AT.fullmatch(expression):
        return At(datetime.fromisoformat(found[1]).replace(tzinfo=zone).astimezone(UTC))
    if found := _CRON.fullmatch(expression):
        return _parse_cron(found[1].split(), zone)
    raise ScheduleError(f"{expression}: neither rate(…), cron(…) nor at(…)")


def _parse_cron(fields: list[str], zone: ZoneInfo) -> Cron:
    if len(fields) != 6:
        raise ScheduleError("cron(…) has six fields: minutes hours day-of-month month day-of-week year")
    minutes, hours, days, months, weekdays, years = fields
    if (days == "?") == (weekdays == "?"):
        raise ScheduleError("one of day-of-month and day-of-week is ?, the other is not")
    return Cron(
        minutes=tuple(sorted(_numbers(minutes, 0, 59, {}))),
        hours=tuple(sorted(_numbers(hours, 0, 23, {}))),
        days=days,
        months=frozenset(_numbers(months, 1, 12, _MONTHS)),
        weekdays=weekdays,
        years=None if years == "*" else frozenset(_numbers(years, 1970, 2199, {})),
        zone=zone,
    )


def _numbers(field: str, lowest: int, highest: int, names: dict[str, int]) -> set[int]:
    numbers: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        if span == "*":
            first, last = lowest, highest
        else:
            low, _, high = span.partition("-")
            first = _number(low, names)
            last = _number(high, names) if high else (highest if step else first)
        if not lowest <= first <= last <= highest or (step and not step.isdigit()) or step == "0":
            raise ScheduleError(f"{part}: not within {lowest}-{highest}")
        numbers.update(range(first, last + 1, int(step or 1)))
    return numbers


def _number(text: str, names: dict[str, int]) -> int:
    try:
        return names[text.upper()] if text.upper() in names else int(text)
    except ValueError as error:
        raise ScheduleError(f"{text}: not a number") from error


def _last_day(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _day_of_month(field: str, day: date) -> bool:
    if field == "L":
        return day.day == _last_day(day)
    if field.endswith("W"):  # the weekday nearest to a day, within its month
        target = day.replace(day=min(int(field[:-1]), _last_day(day)))
        shift = {5: -1, 6: 1}.get(target.weekday(), 0)
        nearest = target + timedelta(days=shift)
        if nearest.month != day.month:
            nearest = target + timedelta(days=2 if shift < 0 else -2)
        return day == nearest
    return day.day in _numbers(field, 1, 31, {})


def _day_of_week(field: str, day: date) -> bool:
    number = day.isoweekday() % 7 + 1  # Sunday is 1
    if "#" in field:
        weekday, _, nth = field.partition("#")
        return number == _number(weekday, _DAYS) and (day.day - 1) // 7 + 1 == int(nth)
    if field.endswith("L"):
        return number == _number(field[:-1] or "SAT", _DAYS) and day.day + 7 > _last_day(day)
    return number in _numbers(field, 1, 7, _DAYS)


def scheduled_event(schedule: Schedule, now: datetime) -> str:
    """What the target is given when the schedule names no input: the event EventBridge Scheduler sends."""
    if schedule.input is not None:
        return schedule.input
    return json.dumps(
        {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": ACCOUNT_ID,
            "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": REGION,
            "resources": [f"arn:aws:scheduler:{REGION}:{ACCOUNT_ID}:schedule/default/{schedule.name}"],
            "detail": "{}",
        }
    )
