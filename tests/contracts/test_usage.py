"""Usage over the fake and the table: sums equal what was looked at, whoever looks at once, and nobody is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.table import Table
from billing.adapters.dynamodb.usage import UsageBook as TableUsageBook
from billing.domain.errors import StaleVersion
from billing.domain.usage import (
    DIRECT,
    MOST_VIEWS,
    OTHER,
    SESSION_IDLE,
    Counts,
    Dimension,
    Page,
    PageView,
    Standing,
    Viewer,
    Viewport,
    counted,
    forgotten_at,
    midnight_after,
)
from billing.ports.usage import UsageBook
from billing.usecases.usage import read_usage, record_usage
from tests.fakes.clock import FakeClock, FakeIds
from tests.fakes.usage import FakeUsageBook

DAY = date(2026, 11, 28)
NOON = datetime(2026, 11, 28, 11, 0, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
TELEPHONE = "Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0"
VIEW = PageView(page=Page.INVOICES, viewport=Viewport.WIDE)
VIEWER = Viewer(address="203.0.113.24", user_agent=FIREFOX, host="api.exemple.test", country="FR")
IDS = FakeIds()
Made = Callable[[], UsageBook]


@pytest.fixture(params=["fakes", pytest.param("dynamodb", marks=pytest.mark.engine)])
def made(request: pytest.FixtureRequest) -> Made:
    """Makes what each process has: a book of its own over one memory, or over one table."""
    if request.param == "fakes":
        one = FakeUsageBook()
        return lambda: one
    client, name = request.getfixturevalue("dynamodb"), request.getfixturevalue("usage_table")
    return lambda: TableUsageBook(Table(client, name, clock=FakeClock(), ids=IDS))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """Visitors of an address and referrers of a part of the day, fewer than they may be."""
    for module in ("billing.domain.usage", "billing.adapters.dynamodb.usage", "tests.fakes.usage"):
        monkeypatch.setattr(f"{module}.MOST_VISITORS", 12)
        monkeypatch.setattr(f"{module}.MOST_REFERRERS", 3)
    return 12, 3


@pytest.fixture
def book(made: Made) -> UsageBook:
    return made()


def look(book: UsageBook, view: PageView = VIEW, viewer: Viewer = VIEWER, at: datetime = NOON) -> bool:
    return record_usage(view, viewer, book=book, clock=FakeClock(at), ids=IDS)


def of(book: UsageBook, day: date = DAY) -> Counts:
    return book.days(day, day).get(day, Counts())


def numbered(place: int) -> Viewer:
    return replace(VIEWER, address=f"198.51.{place // 250}.{place % 250}")


def test_views_of_two_visitors_are_summed(book: UsageBook) -> None:
    found = replace(VIEW, referrer="exemple.test")
    other = replace(VIEWER, address="203.0.113.25", user_agent=TELEPHONE, country="")
    for view, viewer, minutes in (
        (found, VIEWER, 0), (VIEW, VIEWER, 1), (VIEW, other, 2), (VIEW, VIEWER, 90),
        (PageView(page=Page.PRICING), VIEWER, 91),
    ):  # fmt: skip
        assert look(book, view, viewer, NOON + timedelta(minutes=minutes))

    assert of(book) == Counts(
        views=5,
        visitors=2,
        sessions=3,
        engaged_sessions=2,
        by={
            Dimension.PAGE: {"invoices": 4, "pricing": 1},
            Dimension.REFERRER: {"exemple.test": 1, DIRECT: 2},
            Dimension.DEVICE: {"desktop": 1, "mobile": 1},
            Dimension.BROWSER: {"firefox": 2},
            Dimension.SYSTEM: {"linux": 1, "android": 1},
            Dimension.VIEWPORT: {"wide": 2},
            Dimension.COUNTRY: {"FR": 1, "unknown": 1},
        },
    )


def test_two_workers_with_the_same_visitor_at_once_count_one(made: Made) -> None:
    books = [made() for _ in range(8)]

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(look, books))

    assert of(books[0]) == Counts(
        views=8,
        visitors=1,
        sessions=1,
        engaged_sessions=1,
        by={
            Dimension.PAGE: {"invoices": 8},
            Dimension.REFERRER: {DIRECT: 1},
            Dimension.DEVICE: {"desktop": 1},
            Dimension.BROWSER: {"firefox": 1},
            Dimension.SYSTEM: {"linux": 1},
            Dimension.VIEWPORT: {"wide": 1},
            Dimension.COUNTRY: {"FR": 1},
        },
    )


def test_sums_equal_the_facts_when_many_look_at_once(made: Made) -> None:
    random = Random(7)  # noqa: S311 - an order of things
    pages = [Page.HOME, Page.DASHBOARD, Page.INVOICES]
    facts = [(random.choice(pages), numbered(place % 12)) for place in range(96)]
    random.shuffle(facts)

    def work(part: list[tuple[Page, Viewer]]) -> int:
        book = made()
        return sum(look(book, PageView(page=page), viewer) for page, viewer in part)

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(work, [facts[start::8] for start in range(8)])) == len(facts)

    counts = of(made())
    assert (counts.views, counts.visitors, counts.sessions, counts.engaged_sessions) == (96, 12, 12, 12)
    assert counts.by[Dimension.PAGE] == Counter(page.value for page, _ in facts)
    assert counts.by[Dimension.DEVICE] == {"desktop": 12}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(looks=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(list(Page)), st.integers(0, 50)), max_size=25))
def test_whatever_happens_the_parts_are_the_whole(looks: list[tuple[int, Page, int]]) -> None:
    """Views by page, sessions by referrer and visitors by all others add up; sessions are what the idle times say."""
    book, at = FakeUsageBook(), NOON
    last: dict[int, datetime] = {}
    sessions: Counter[int] = Counter()
    for who, page, minutes in looks:
        at += timedelta(minutes=minutes)
        if at >= midnight_after(DAY):
            break
        assert look(book, PageView(page=page), numbered(who), at)
        sessions[who] += who not in last or at - last[who] >= SESSION_IDLE
        last[who] = at

    counts = of(book)
    assert sum(counts.by.get(Dimension.PAGE, {}).values()) == counts.views
    assert sum(counts.by.get(Dimension.REFERRER, {}).values()) == counts.sessions == sum(sessions.values())
    assert counts.visitors == len(last)
    assert counts.engaged_sessions <= counts.sessions <= counts.views
    for dimension in set(Dimension) - {Dimension.PAGE, Dimension.REFERRER}:
        assert sum(counts.by.get(dimension, {}).values()) == counts.visitors


def test_the_salt_is_one_for_all_in_a_day_and_gone_the_next(made: Made) -> None:
    books = [made() for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        salts = set(threads.map(lambda book: book.salt(DAY, IDS.secret), books))

    assert len(salts) == 1
    [first] = salts
    tomorrow = books[0].salt(DAY + timedelta(days=1), IDS.secret)
    assert (tomorrow.day, tomorrow.secret == first.secret) == (DAY + timedelta(days=1), False)
    assert books[1].salt(DAY + timedelta(days=1), IDS.secret) == tomorrow
    # Whoever comes late, with a clock that is, or with a memory of nothing, finds the day that has begun.
    assert made().salt(DAY, IDS.secret) == tomorrow


def test_a_visitor_of_two_days_is_two_visitors(book: UsageBook) -> None:
    before_midnight = datetime(2026, 11, 28, 22, 59, tzinfo=UTC)
    look(book, at=before_midnight)
    look(book, at=before_midnight + timedelta(minutes=2))

    found = book.days(DAY, DAY + timedelta(days=1))
    assert [(day, one.views, one.visitors, one.sessions) for day, one in sorted(found.items())] == [
        (DAY, 1, 1, 1),
        (DAY + timedelta(days=1), 1, 1, 1),
    ]


def test_only_what_was_read_can_be_changed(book: UsageBook) -> None:
    marks = book.salt(DAY, IDS.secret).marks(VIEWER)
    view = replace(VIEW, referrer="exemple.test")
    first = counted(view, VIEWER, marks, Standing(), at=NOON, day=DAY)
    assert first is not None
    book.count(first)
    standing = book.standing(DAY, marks)
    second = counted(view, VIEWER, marks, standing, at=NOON, day=DAY)
    assert second is not None
    book.count(second)

    assert (standing.visitor, standing.of_address) == (first.visitor, 1)
    assert "exemple.test" in standing.referrers
    for again in (first, second, replace(first, visitor=replace(first.visitor, mark=f"{marks.visitor[:-1]}x"))):
        with pytest.raises(StaleVersion):
            book.count(again)
    assert (of(book).views, of(book).visitors) == (2, 1)


def test_a_script_inflates_no_more_than_its_share(book: UsageBook, few: tuple[int, int]) -> None:
    """Many views of one visitor, then many visitors of one address."""
    most, _ = few
    marks = book.salt(DAY, IDS.secret).marks(VIEWER)
    first = counted(VIEW, VIEWER, marks, Standing(), at=NOON, day=DAY)
    assert first is not None
    book.count(replace(first, visitor=replace(first.visitor, views=MOST_VIEWS - 1)))

    assert [look(book) for _ in range(3)] == [True, False, False]
    named = [replace(VIEWER, user_agent=f"{FIREFOX} {place}") for place in range(most + 5)]
    assert [look(book, viewer=one) for one in named].count(True) == most - 1
    assert look(book, viewer=numbered(1))
    assert of(book).visitors == most + 1


def test_a_flood_of_referrers_ends_as_other_ones(book: UsageBook, few: tuple[int, int]) -> None:
    most = keys.USAGE_SHARDS * few[1]
    for place in range(most + 20):
        assert look(book, replace(VIEW, referrer=f"site{place}.test"), numbered(place))

    referrers = of(book).by[Dimension.REFERRER]
    assert len(referrers) <= most + 1
    assert referrers[OTHER] >= 20
    assert sum(referrers.values()) == of(book).sessions == most + 20


def test_days_are_read_in_their_period(book: UsageBook) -> None:
    for days in (0, 1, 91):
        for place in range(6):
            look(book, viewer=numbered(place), at=NOON + timedelta(days=days))
    clock = FakeClock(NOON + timedelta(days=91))

    usage = read_usage(DAY, None, book=book, clock=clock)

    assert [day for day, _ in usage.days] == [DAY + timedelta(days=place) for place in range(92)]
    assert [(place, one.visitors) for place, (_, one) in enumerate(usage.days) if one.views] == [
        (0, 6), (1, 6), (91, 6),
    ]  # fmt: skip
    assert (usage.total.views, usage.total.visitors) == (18, 18)
    assert read_usage(DAY + timedelta(days=2), None, book=book, clock=clock).total.views == 6
    assert read_usage(DAY, DAY, book=book, clock=clock).total == of(book)


PERSONAL = (VIEWER.address, "203.0.113", FIREFOX, "Gecko", "145.0", VIEWER.host)


@pytest.mark.engine
def test_nothing_of_a_viewer_is_kept(dynamodb: Any, usage_table: str) -> None:
    book = TableUsageBook(Table(dynamodb, usage_table, clock=FakeClock(), ids=IDS))
    for place, minutes in enumerate((0, 1, 45)):
        look(book, replace(VIEW, referrer=f"site{place}.test"), at=NOON + timedelta(minutes=minutes))

    kept = dynamodb.scan(TableName=usage_table)["Items"]

    assert [one for one in PERSONAL if one in str(kept)] == []
    assert Counter(item["entity"]["S"] for item in kept) == {
        "ops_usage_salt": 1, "ops_usage_visitor": 1, "ops_usage_address": 1, "ops_usage_day": 1,
    }  # fmt: skip
    ends = {item["entity"]["S"]: int(item["expires_at"]["N"]) for item in kept}
    assert ends.pop("ops_usage_day") == int(forgotten_at(DAY).timestamp())
    assert set(ends.values()) == {int(midnight_after(DAY).timestamp())}
    assert all(item["pk"]["S"].startswith("OPS_USAGE_") for item in kept)


@pytest.mark.engine
def test_the_next_day_leaves_no_salt_of_the_day_before(dynamodb: Any, usage_table: str) -> None:
    book = TableUsageBook(Table(dynamodb, usage_table, clock=FakeClock(), ids=IDS))
    yesterday = book.salt(DAY, IDS.secret)
    today = book.salt(DAY + timedelta(days=1), IDS.secret)

    kept = dynamodb.scan(TableName=usage_table)["Items"]

    assert [item["secret"]["S"] for item in kept] == [today.secret]
    assert yesterday.secret not in str(kept)


@pytest.mark.engine
def test_a_view_costs_two_requests_and_days_one(dynamodb: Any, usage_table: str, monkeypatch: Any) -> None:
    table = Table(dynamodb, usage_table, clock=FakeClock(), ids=IDS)
    original, asked = table._call, list[str]()

    def noted(operation: str, **request: Any) -> Any:
        asked.append(operation)
        return original(operation, **request)

    monkeypatch.setattr(table, "_call", noted)
    book = TableUsageBook(table)
    look(book, replace(VIEW, referrer="exemple.test"))
    look(book, at=NOON + timedelta(minutes=1))
    book.days(DAY - timedelta(days=91), DAY)

    counting = ["batch_get_item", "transact_write_items"]
    assert asked == ["get_item", "transact_write_items", *counting, *counting, "query"]


@pytest.mark.engine
def test_sums_of_a_day_lie_apart_and_are_read_over_pages(
    dynamodb: Any, usage_table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billing.adapters.dynamodb.usage._AT_ONCE", 2)
    book = TableUsageBook(Table(dynamodb, usage_table, clock=FakeClock(), ids=IDS))
    for place in range(40):
        look(book, viewer=numbered(place))
    parts = dynamodb.query(
        TableName=usage_table,
        KeyConditionExpression="pk = :days",
        ExpressionAttributeValues={":days": {"S": "OPS_USAGE_DAYS"}},
    )["Items"]

    assert len(parts) == keys.USAGE_SHARDS
    assert of(book).visitors == 40
