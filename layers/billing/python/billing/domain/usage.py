"""Usage of the web app: views of its pages as sums of days. Of a visitor a keyed hash is kept, until midnight.

No sum tells of a person, and no two days can be joined: each has a salt of its own, which the next one replaces.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from types import MappingProxyType

from billing.domain.dates import PARIS
from billing.domain.errors import FieldError, FieldErrors
from billing.domain.user_agents import browser_of, device_of, system_of

SESSION_IDLE = timedelta(minutes=30)
MOST_VIEWS = 1000  # of a visitor in a day: whoever looks more often is a script
MOST_VISITORS = 200  # of an address in a day: a script may call itself by any name
MOST_REFERRERS = 30  # named in a day by one shard of it; what more there is, is "other"
MAX_PERIOD_DAYS = 92
DEFAULT_PERIOD_DAYS = 30
RETENTION_DAYS = 758  # 25 months (CNIL), the shortest ones there are
_HOST_LENGTH = 80
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_COUNTRY = re.compile(r"[A-Z]{2}")
_SEPARATOR = "\x1f"  # no header and no address holds it


class Page(StrEnum):
    """The pages of the web app by the names of their routes: no id, no number, no name can slip in."""

    # What everybody sees.
    HOME = "home"
    PRICING = "pricing"
    LEGAL = "legal"
    SIGN_UP = "sign-up"
    CONFIRM_EMAIL = "confirm-email"
    SIGN_IN = "sign-in"
    NOT_FOUND = "not-found"
    # What a public link opens.
    PORTAL_INVOICE = "portal-invoice"
    PORTAL_QUOTE = "portal-quote"
    # What a company works with.
    ONBOARDING = "onboarding"
    DASHBOARD = "dashboard"
    CUSTOMERS = "customers"
    CUSTOMER = "customer"
    PRODUCTS = "products"
    PRODUCT = "product"
    QUOTES = "quotes"
    QUOTE = "quote"
    INVOICES = "invoices"
    INVOICE = "invoice"
    CREDIT_NOTES = "credit-notes"
    CREDIT_NOTE = "credit-note"
    RECURRING_INVOICES = "recurring-invoices"
    RECURRING_INVOICE = "recurring-invoice"
    PAYMENTS = "payments"
    PAYMENT = "payment"
    DISPUTES = "disputes"
    REMINDERS = "reminders"
    REPORTS = "reports"
    BULK_JOBS = "bulk-jobs"
    AUDIT = "audit"
    ASSISTANT = "assistant"
    # What it sets.
    COMPANY = "company"
    NUMBERING = "numbering"
    ONLINE_PAYMENTS = "online-payments"
    WEBHOOKS = "webhooks"
    SUBSCRIPTION = "subscription"
    PROFILE = "profile"


class Viewport(StrEnum):
    """Widths of a window: narrow below 640 pixels, wide from 1200 on."""

    NARROW = "narrow"
    MEDIUM = "medium"
    WIDE = "wide"


class Dimension(StrEnum):
    """What days are counted by: pages by views, referrers by sessions, all others by visitors."""

    PAGE = "page"
    REFERRER = "referrer"
    DEVICE = "device"
    BROWSER = "browser"
    SYSTEM = "system"
    VIEWPORT = "viewport"
    COUNTRY = "country"


# No host is called so: each has a dot.
DIRECT = "direct"
OTHER = "other"
NO_HOSTS = frozenset({DIRECT, OTHER})
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    page: Page
    viewport: Viewport | None = None
    referrer: str = DIRECT


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who looks, as the request shows it: never kept, never logged, not even by accident."""

    address: str = field(repr=False)
    user_agent: str = field(repr=False)
    host: str = field(repr=False)
    country: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySalt:
    day: date
    secret: str = field(repr=False)

    def marks(self, viewer: Viewer) -> Marks:
        """The same ones for the same viewer as long as the salt lives, and nobody's without it."""
        network = _network(viewer.address)
        return Marks(
            visitor=self._keyed("visitor", viewer.address, viewer.user_agent, viewer.host),
            address=self._keyed("address", network),
        )

    def _keyed(self, *parts: str) -> str:
        return hmac.new(self.secret.encode(), _SEPARATOR.join(parts).encode(), sha256).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Keyed hashes of a viewer and of their address, in hexadecimal digits."""

    visitor: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """What a day keeps of a visitor, under the mark: how many views, when the last one was, how many of the session."""

    day: date
    mark: str
    views: int
    last_at: datetime
    session_views: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Sums of a day, of a period, or what one view adds to them. An engaged session has a second view."""

    views: int = 0
    visitors: int = 0
    sessions: int = 0
    engaged_sessions: int = 0
    by: Mapping[Dimension, Mapping[str, int]] = field(default_factory=lambda: MappingProxyType({}))

    def plus(self, other: Counts) -> Counts:
        by = {dimension: dict(values) for dimension, values in self.by.items()}
        for dimension, values in other.by.items():
            sums = by.setdefault(dimension, {})
            for value, count in values.items():
                sums[value] = sums.get(value, 0) + count
        return Counts(
            views=self.views + other.views,
            visitors=self.visitors + other.visitors,
            sessions=self.sessions + other.sessions,
            engaged_sessions=self.engaged_sessions + other.engaged_sessions,
            by=by,
        )

    def ranked(self, dimension: Dimension, *, most: int | None = None) -> tuple[tuple[str, int], ...]:
        """The most first, then by name; ``other`` is last, with what comes after the ``most`` that are named."""
        values = dict(self.by.get(dimension, {}))
        other = values.pop(OTHER, 0)
        ranked = sorted(values.items(), key=lambda one: (-one[1], one[0]))
        other += sum(count for _, count in ranked[len(ranked) if most is None else most :])
        return (*ranked[:most], *([(OTHER, other)] if other else []))

    @property
    def views_per_session(self) -> Decimal | None:
        return _ratio(self.views, self.sessions)

    @property
    def bounce_rate(self) -> Decimal | None:
        """Percent of the sessions that ended with their first view."""
        return _ratio(100 * (self.sessions - self.engaged_sessions), self.sessions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the day knows before a view: the visitor, how many came from the address, the referrers it names."""

    visitor: Visitor | None = None
    of_address: int = 0
    referrers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedView:
    """What one view changes, all of it or nothing: the visitor's next version, the address's count, the day's sums."""

    visitor: Visitor
    new_at_address: str | None  # mark of the address that gains a visitor
    new_referrer: str | None  # which the day does not name yet
    counts: Counts


def counted(
    view: PageView, viewer: Viewer, marks: Marks, standing: Standing, *, at: datetime, day: date
) -> CountedView | None:
    """What the view changes; None when its visitor or address had its share of the day."""
    known = standing.visitor
    if known is None:
        if standing.of_address >= MOST_VISITORS:
            return None
        visitor = Visitor(day=day, mark=marks.visitor, views=1, last_at=at, session_views=1, version=1)
    elif known.views >= MOST_VIEWS:
        return None
    else:
        resumed = at - known.last_at < SESSION_IDLE
        visitor = replace(
            known,
            views=known.views + 1,
            last_at=max(at, known.last_at),
            session_views=known.session_views + 1 if resumed else 1,
            version=known.version + 1,
        )
    by: dict[Dimension, Mapping[str, int]] = {Dimension.PAGE: {view.page.value: 1}}
    new_referrer = None
    if visitor.session_views == 1:
        hosts = standing.referrers - NO_HOSTS
        is_new = view.referrer not in hosts | NO_HOSTS
        referrer = OTHER if is_new and len(hosts) >= MOST_REFERRERS else view.referrer
        new_referrer = referrer if is_new and referrer != OTHER else None
        by[Dimension.REFERRER] = {referrer: 1}
    if known is None:
        by |= {dimension: {value: 1} for dimension, value in _described(view, viewer).items()}
    return CountedView(
        visitor=visitor,
        new_at_address=marks.address if known is None else None,
        new_referrer=new_referrer,
        counts=Counts(
            views=1,
            visitors=int(known is None),
            sessions=int(visitor.session_views == 1),
            engaged_sessions=int(visitor.session_views == 2),
            by=by,
        ),
    )


def _described(view: PageView, viewer: Viewer) -> dict[Dimension, str]:
    return {
        Dimension.DEVICE: device_of(viewer.user_agent).value,
        Dimension.BROWSER: browser_of(viewer.user_agent).value,
        Dimension.SYSTEM: system_of(viewer.user_agent).value,
        Dimension.VIEWPORT: view.viewport.value if view.viewport else UNKNOWN,
        Dimension.COUNTRY: viewer.country if _COUNTRY.fullmatch(viewer.country) else UNKNOWN,
    }


def referrer_named(host: str, own_hosts: Collection[str]) -> str:
    """The site that led here, without ``www``; ``direct`` for none or our own, ``other`` for what is no public host."""
    name = host.strip().lower().rstrip(".").removeprefix("www.")
    if not name or name in {own.removeprefix("www.") for own in own_hosts}:
        return DIRECT
    return name if len(name) <= _HOST_LENGTH and _HOST.fullmatch(name) else OTHER


def midnight_after(day: date) -> datetime:
    """When the day is over in Paris: its salt and its visitors are for nothing any more."""
    return datetime.combine(day + timedelta(days=1), time(), PARIS)


def forgotten_at(day: date) -> datetime:
    """When the sums of a day are not kept any longer."""
    return midnight_after(day + timedelta(days=RETENTION_DAYS - 1))


@dataclass(frozen=True, slots=True)
class UsagePeriod:
    """Whole days, both included."""

    first: date
    last: date

    @classmethod
    def of(cls, first: date | None, last: date | None, *, today: date) -> UsagePeriod:
        """Until today unless said, thirty days of it unless said.

        Raises:
            FieldErrors: days in reverse, in the future, more than 92 of them, or that are not kept any more.
        """
        last = last or today
        first = first or last - timedelta(days=DEFAULT_PERIOD_DAYS - 1)
        if last > today:
            raise _refused("/query/to", "La période s'arrête au plus tard aujourd'hui.", "The period ends by today.")
        if last < first:
            raise _refused(
                "/query/to", "La date de fin précède la date de début.", "The end date precedes the start date."
            )
        if (last - first).days >= MAX_PERIOD_DAYS:
            raise _refused("/query/from", "La période couvre au plus 92 jours.", "The period covers at most 92 days.")
        if first <= today - timedelta(days=RETENTION_DAYS):
            raise _refused(
                "/query/from", "Ces statistiques sont gardées 25 mois.", "These statistics are kept for 25 months."
            )
        return cls(first, last)

    @property
    def days(self) -> tuple[date, ...]:
        return tuple(self.first + timedelta(days=place) for place in range((self.last - self.first).days + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Every day of the period in order, and their sums: whose visitors are counted anew each day."""

    period: UsagePeriod
    days: tuple[tuple[date, Counts], ...]
    total: Counts


def _refused(pointer: str, french: str, english: str) -> FieldErrors:
    return FieldErrors((FieldError(pointer, french, english),))


def _ratio(part: int, whole: int) -> Decimal | None:
    """With one decimal; None of nothing."""
    return (Decimal(part) / whole).quantize(Decimal("0.1"), ROUND_HALF_UP) if whole else None


def _network(address: str) -> str:
    """What one customer of a provider has: an IPv4 address, or 64 bits of IPv6, in which they move at will."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else str(ip_network((parsed, 64), strict=False))
    return str(parsed)
