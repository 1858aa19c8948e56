"""Usage of the web app, in a table of its own: no backup and no stream keeps what is to be gone by midnight."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, dump, item, load, number, text
from billing.adapters.dynamodb.table import Table, Write, refuse_with
from billing.domain.errors import Busy, StaleVersion
from billing.domain.usage import (
    MOST_REFERRERS,
    MOST_VISITORS,
    CountedView,
    Counts,
    DaySalt,
    Dimension,
    Marks,
    Standing,
    Visitor,
    forgotten_at,
    midnight_after,
)

_SUMS = ("views", "visitors", "sessions", "engaged_sessions")
_NAMED = "referrers"  # how many of them the item has
_AT_ONCE = 400  # items: of 92 days


class UsageBook:
    """Port UsageBook."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._salt: DaySalt | None = None

    def salt(self, day: date, fresh: Callable[[], str]) -> DaySalt:
        if self._salt is None or self._salt.day < day:
            stored = self._table.get(keys.ops_usage_salt())
            known = _salt(stored) if stored else None
            self._salt = known if known and known.day >= day else self._turned(DaySalt(day=day, secret=fresh()))
        return self._salt

    def standing(self, day: date, marks: Marks) -> Standing:
        visitor, address = keys.ops_usage_visitor(day, marks.visitor), keys.ops_usage_address(day, marks.address)
        sums = keys.ops_usage_day(day, marks.visitor)
        found = self._table.batch([visitor, address, sums])
        return Standing(
            visitor=load(Visitor, text(found[visitor], "body")) if visitor in found else None,
            of_address=number(found[address], "visitors") if address in found else 0,
            referrers=frozenset(_counts(found[sums]).by.get(Dimension.REFERRER, {})) if sums in found else frozenset(),
        )

    def count(self, view: CountedView) -> None:
        self._table.write(None, *self._writes(view))

    def days(self, first: date, last: date) -> dict[date, Counts]:
        low, high = keys.ops_usage_day_bounds(first, last)
        found: dict[date, Counts] = {}
        position: str | None = None
        while True:
            items, position = self._table.query(
                low.pk, low=low.sk, high=high.sk, limit=_AT_ONCE, after=position, consistent=False
            )
            for stored in items:
                day = date.fromisoformat(text(stored, "counted_day"))
                found[day] = found.get(day, Counts()).plus(_counts(stored))
            if position is None:
                return found

    def _turned(self, salt: DaySalt) -> DaySalt:
        """The last day's salt is gone, or somebody else's of this day stands."""
        key = keys.ops_usage_salt()
        content = item(
            pk=key.pk,
            sk=key.sk,
            entity="ops_usage_salt",
            schema_version=SCHEMA_VERSION,
            salted_day=salt.day.isoformat(),
            secret=salt.secret,
            expires_at=_second(midnight_after(salt.day)),
        )
        put = self._table.put(
            content, only_if="attribute_not_exists(pk) OR salted_day < :day", values={":day": salt.day.isoformat()}
        )
        try:
            self._table.write(None, Write("Put", put, _Turned))
        except _Turned as turned:
            stored = turned.stored or self._table.get(key)
            if stored is None:
                raise Busy from turned
            return _salt(stored)
        return salt

    def _writes(self, view: CountedView) -> Iterator[Write]:
        visitor, expires_at = view.visitor, _second(midnight_after(view.visitor.day))
        stale = refuse_with(StaleVersion)
        content = _visitor_item(visitor)
        if visitor.version == 1:
            yield self._table.create(content, stale)
        else:
            yield self._table.replace(content, expected_version=visitor.version - 1, refused=stale)
        if view.new_at_address is not None:
            yield self._table.tally(
                keys.ops_usage_address(visitor.day, view.new_at_address),
                {"visitors": 1},
                entity="ops_usage_address",
                also={"schema_version": SCHEMA_VERSION, "expires_at": expires_at},
                below={"visitors": MOST_VISITORS},
                refused=stale,
            )
        amounts = _amounts(view.counts)
        yield self._table.tally(
            keys.ops_usage_day(visitor.day, visitor.mark),
            amounts | {_NAMED: 1} if view.new_referrer else amounts,
            entity="ops_usage_day",
            also={
                "schema_version": SCHEMA_VERSION,
                "counted_day": visitor.day.isoformat(),
                "expires_at": _second(forgotten_at(visitor.day)),
            },
            absent=[f"{Dimension.REFERRER}#{view.new_referrer}"] if view.new_referrer else [],
            below={_NAMED: MOST_REFERRERS} if view.new_referrer else {},
            refused=stale,
        )


class _Turned(Exception):
    """The day has a salt already."""

    def __init__(self, stored: Item | None) -> None:
        self.stored = stored


def _salt(stored: Item) -> DaySalt:
    return DaySalt(day=date.fromisoformat(text(stored, "salted_day")), secret=text(stored, "secret"))


def _visitor_item(visitor: Visitor) -> Item:
    key = keys.ops_usage_visitor(visitor.day, visitor.mark)
    return item(
        pk=key.pk,
        sk=key.sk,
        entity="ops_usage_visitor",
        schema_version=SCHEMA_VERSION,
        version=visitor.version,
        body=dump(visitor),
        expires_at=_second(midnight_after(visitor.day)),
    )


def _amounts(counts: Counts) -> dict[str, int]:
    """Names of attributes and what they gain."""
    sums = {name: getattr(counts, name) for name in _SUMS}
    values = {
        f"{dimension}#{value}": count for dimension, values in counts.by.items() for value, count in values.items()
    }
    return {name: amount for name, amount in (sums | values).items() if amount}


def _counts(stored: Item) -> Counts:
    by: dict[Dimension, dict[str, int]] = {}
    for name in stored:
        dimension, mark, value = name.partition("#")
        if mark:
            by.setdefault(Dimension(dimension), {})[value] = number(stored, name)
    return Counts(**{name: number(stored, name) for name in _SUMS if name in stored}, by=by)


def _second(instant: datetime) -> int:
    return int(instant.timestamp())
