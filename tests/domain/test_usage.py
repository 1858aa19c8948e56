"""What one view changes, how visitors are marked, and which periods can be asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.errors import FieldErrors
from billing.domain.usage import (
    DIRECT,
    MAX_PERIOD_DAYS,
    MOST_REFERRERS,
    MOST_VIEWS,
    MOST_VISITORS,
    OTHER,
    RETENTION_DAYS,
    SESSION_IDLE,
    CountedView,
    Counts,
    DaySalt,
    Dimension,
    Page,
    PageView,
    Standing,
    UsagePeriod,
    Viewer,
    Viewport,
    Visitor,
    counted,
    forgotten_at,
    midnight_after,
    referrer_named,
)

DAY = date(2026, 11, 28)
NOON = datetime(2026, 11, 28, 11, 0, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
VIEWER = Viewer(address="203.0.113.24", user_agent=FIREFOX, host="api.exemple.test", country="FR")
SALT = DaySalt(day=DAY, secret="s" * 43)
VIEW = PageView(page=Page.INVOICES, viewport=Viewport.WIDE, referrer="exemple.test")
KNOWN = Visitor(day=DAY, mark=SALT.marks(VIEWER).visitor, views=1, last_at=NOON, session_views=1, version=1)


def count(view: PageView = VIEW, *, at: datetime = NOON, **standing: object) -> CountedView | None:
    return counted(view, VIEWER, SALT.marks(VIEWER), Standing(**standing), at=at, day=DAY)  # type: ignore[arg-type]


def known(view: PageView = VIEW, *, at: datetime = NOON, **standing: object) -> CountedView:
    found = count(view, at=at, **standing)
    assert found is not None
    return found


def test_the_first_view_counts_a_visitor_a_session_and_what_is_said_of_them() -> None:
    found = known()

    assert found.visitor == KNOWN
    assert found.new_at_address == SALT.marks(VIEWER).address
    assert found.new_referrer == "exemple.test"
    assert found.counts == Counts(
        views=1,
        visitors=1,
        sessions=1,
        by={
            Dimension.PAGE: {"invoices": 1},
            Dimension.REFERRER: {"exemple.test": 1},
            Dimension.DEVICE: {"desktop": 1},
            Dimension.BROWSER: {"firefox": 1},
            Dimension.SYSTEM: {"linux": 1},
            Dimension.VIEWPORT: {"wide": 1},
            Dimension.COUNTRY: {"FR": 1},
        },
    )


def test_the_second_view_makes_the_session_an_engaged_one_and_the_third_changes_nothing_of_it() -> None:
    second = known(at=NOON + timedelta(minutes=5), visitor=KNOWN)
    third = known(at=NOON + timedelta(minutes=6), visitor=second.visitor)

    assert second.counts == Counts(views=1, engaged_sessions=1, by={Dimension.PAGE: {"invoices": 1}})
    assert third.counts == Counts(views=1, by={Dimension.PAGE: {"invoices": 1}})
    assert second.new_at_address is second.new_referrer is None
    assert (third.visitor.views, third.visitor.session_views, third.visitor.version) == (3, 3, 3)


def test_half_an_hour_without_a_view_ends_a_session() -> None:
    within = known(at=NOON + SESSION_IDLE - timedelta(seconds=1), visitor=KNOWN)
    after = known(at=NOON + SESSION_IDLE, visitor=KNOWN)

    assert (within.counts.sessions, within.counts.engaged_sessions) == (0, 1)
    assert (after.counts.sessions, after.counts.visitors, after.visitor.session_views) == (1, 0, 1)
    assert after.counts.by == {Dimension.PAGE: {"invoices": 1}, Dimension.REFERRER: {"exemple.test": 1}}


def test_a_clock_that_is_late_ends_no_session_and_moves_none_back() -> None:
    found = known(at=NOON - timedelta(seconds=2), visitor=KNOWN)

    assert (found.counts.sessions, found.visitor.last_at) == (0, NOON)


def test_a_visitor_and_an_address_have_their_share_of_a_day() -> None:
    assert count(visitor=replace(KNOWN, views=MOST_VIEWS - 1)) is not None
    assert count(visitor=replace(KNOWN, views=MOST_VIEWS)) is None
    assert count(of_address=MOST_VISITORS - 1) is not None
    assert count(of_address=MOST_VISITORS) is None
    assert count(visitor=KNOWN, of_address=MOST_VISITORS) is not None  # who is counted already stays so


def test_a_day_names_so_many_referrers_and_no_more() -> None:
    hosts = frozenset(f"site{place}.test" for place in range(MOST_REFERRERS))
    full = known(referrers=hosts | {DIRECT, OTHER})
    free = known(referrers=hosts - {"site0.test"} | {DIRECT, OTHER})
    named = known(replace(VIEW, referrer="site0.test"), referrers=hosts)

    assert (full.new_referrer, full.counts.by[Dimension.REFERRER]) == (None, {OTHER: 1})
    assert (free.new_referrer, free.counts.by[Dimension.REFERRER]) == ("exemple.test", {"exemple.test": 1})
    assert (named.new_referrer, named.counts.by[Dimension.REFERRER]) == (None, {"site0.test": 1})
    assert known(replace(VIEW, referrer=DIRECT)).new_referrer is None


@pytest.mark.parametrize("country", ["", "fr", "FRA", "F1", "FR\n"])
def test_a_country_of_no_known_form_is_unknown(country: str) -> None:
    viewer = replace(VIEWER, country=country)
    found = counted(VIEW, viewer, SALT.marks(viewer), Standing(), at=NOON, day=DAY)

    assert found is not None
    assert found.counts.by[Dimension.COUNTRY] == {"unknown": 1}


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("", DIRECT), ("www.Exemple.test", "exemple.test"), ("exemple.test.", "exemple.test"),
        ("app.zenbilling.test", DIRECT), ("www.app.zenbilling.test", DIRECT), ("zenbilling.test", "zenbilling.test"),
        ("xn--caf-dma.fr", "xn--caf-dma.fr"), ("192.168.1.10", OTHER), ("localhost", OTHER), ("direct", OTHER),
        (".test", OTHER), ("a..test", OTHER), ("-a.test", OTHER), (f"{'a' * 77}.test", OTHER),
    ],
)  # fmt: skip
def test_a_referrer_is_a_public_host(said: str, named: str) -> None:
    assert referrer_named(said, ["app.zenbilling.test"]) == named


VIEWERS = st.builds(
    Viewer,
    address=st.ip_addresses().map(str),
    user_agent=st.text(min_size=1, max_size=40),
    host=st.just("api.exemple.test"),
)
SECRETS = st.text(alphabet="abcdef0123456789", min_size=43, max_size=43)


@given(viewer=VIEWERS, first=SECRETS, second=SECRETS)
def test_the_same_visitor_has_one_mark_in_a_day_and_another_the_next(viewer: Viewer, first: str, second: str) -> None:
    today, tomorrow = DaySalt(day=DAY, secret=first), DaySalt(day=DAY + timedelta(days=1), secret=second)

    assert today.marks(viewer) == today.marks(viewer)
    assert (today.marks(viewer) == tomorrow.marks(viewer)) is (first == second)
    assert today.marks(viewer).visitor != today.marks(viewer).address


@given(one=VIEWERS, other=VIEWERS)
def test_two_viewers_have_two_marks(one: Viewer, other: Viewer) -> None:
    assert (SALT.marks(one).visitor == SALT.marks(other).visitor) is (one == other)


def test_parts_of_a_viewer_do_not_run_into_each_other() -> None:
    moved = replace(VIEWER, address="203.0.113.2", user_agent=f"4{FIREFOX}")

    assert SALT.marks(moved).visitor != SALT.marks(VIEWER).visitor


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2:bbbb::2", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.24", "203.0.113.24", True),
        ("::ffff:203.0.113.24", "::ffff:203.0.113.25", False),
        ("203.0.113.24", "203.0.113.25", False),
        ("nowhere", "nowhere", True),
    ],
)
def test_who_moves_within_their_network_comes_from_one_address(one: str, other: str, same: bool) -> None:
    marks = [SALT.marks(replace(VIEWER, address=address)).address for address in (one, other)]

    assert (marks[0] == marks[1]) is same


def test_neither_viewer_nor_salt_shows_in_a_trace() -> None:
    shown = repr(VIEWER) + repr(SALT)

    assert not [one for one in (VIEWER.address, FIREFOX, VIEWER.host, SALT.secret) if one in shown]


def test_a_day_ends_at_midnight_in_paris_and_is_forgotten_within_25_months() -> None:
    assert midnight_after(DAY).astimezone(UTC) == datetime(2026, 11, 28, 23, 0, tzinfo=UTC)
    assert midnight_after(date(2026, 7, 14)).astimezone(UTC) == datetime(2026, 7, 14, 22, 0, tzinfo=UTC)
    for place in range(4 * 366):
        day = DAY + timedelta(days=place)
        month = day.month + 25
        end = date(day.year + (month - 1) // 12, (month - 1) % 12 + 1, min(day.day, 28))
        assert timedelta(0) <= end - forgotten_at(day).date() <= timedelta(days=5), day


def test_ratios_have_one_decimal_and_nothing_has_none() -> None:
    counts = Counts(views=10, visitors=2, sessions=3, engaged_sessions=2)

    assert (counts.views_per_session, counts.bounce_rate) == (Decimal("3.3"), Decimal("33.3"))
    assert Counts().views_per_session is Counts().bounce_rate is None


def test_what_is_not_named_is_told_together_and_last() -> None:
    counts = Counts(by={Dimension.REFERRER: {"a.test": 1, "b.test": 5, "c.test": 5, OTHER: 9, DIRECT: 2}})

    assert counts.ranked(Dimension.REFERRER) == (
        ("b.test", 5), ("c.test", 5), (DIRECT, 2), ("a.test", 1), (OTHER, 9),
    )  # fmt: skip
    assert counts.ranked(Dimension.REFERRER, most=2) == (("b.test", 5), ("c.test", 5), (OTHER, 12))
    assert counts.ranked(Dimension.PAGE) == ()


def test_a_period_ends_today_and_has_thirty_days_unless_said() -> None:
    period = UsagePeriod.of(None, None, today=DAY)

    assert (period.first, period.last, len(period.days)) == (date(2026, 10, 30), DAY, 30)
    assert UsagePeriod.of(DAY, DAY, today=DAY).days == (DAY,)
    longest = UsagePeriod.of(DAY - timedelta(days=MAX_PERIOD_DAYS - 1), DAY, today=DAY)
    assert len(longest.days) == MAX_PERIOD_DAYS


@pytest.mark.parametrize(
    ("first", "last", "pointer"),
    [
        (DAY, DAY + timedelta(days=1), "/query/to"),
        (DAY, DAY - timedelta(days=1), "/query/to"),
        (DAY - timedelta(days=MAX_PERIOD_DAYS), DAY, "/query/from"),
        (DAY - timedelta(days=RETENTION_DAYS), DAY - timedelta(days=RETENTION_DAYS), "/query/from"),
    ],
)
def test_a_period_that_cannot_be_told_is_refused(first: date, last: date, pointer: str) -> None:
    with pytest.raises(FieldErrors) as refused:
        UsagePeriod.of(first, last, today=DAY)

    assert [error.pointer for error in refused.value.errors] == [pointer]
