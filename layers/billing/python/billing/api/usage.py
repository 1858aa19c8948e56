"""Page views of the web app in requests, and their sums in answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlsplit

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from billing.api.answers import Reply, Request
from billing.api.events import header
from billing.api.fields import IsoDate
from billing.domain.money import format_decimal
from billing.domain.usage import Counts, Dimension, Page, PageView, Usage, Viewer, Viewport, referrer_named
from billing.domain.user_agents import is_bot

UsageFrom = Annotated[
    IsoDate | None, Query(alias="from", description="Thirty days of which `to` is the last unless said")
]
UsageTo = Annotated[IsoDate | None, Query(alias="to", description="Today unless said; 92 days at most")]
CLOUDFRONT = "cloudfront"
MOST_SHOWN = 50


class RecordUsageRequest(Request):
    page: Annotated[Page, Field(description="The name of the page's route, which holds nothing of what it shows")]
    referrer_host: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9._:\[\]-]{0,253}$",
            description="Host alone of the site that led here (`new URL(document.referrer).hostname`), of the first "
            "page only",
            examples=["www.google.com"],
        ),
    ] = None
    viewport: Annotated[
        Viewport | None, Field(description="Width of the window: `narrow` below 640 pixels, `wide` from 1200 on")
    ] = None

    def view(self, origins: Collection[str]) -> PageView:
        own = [urlsplit(origin).hostname or "" for origin in origins]
        return PageView(page=self.page, viewport=self.viewport, referrer=referrer_named(self.referrer_host or "", own))


def countable_viewer(event: Mapping[str, Any], *, origins: Collection[str], headers_kind: str) -> Viewer | None:
    """Who looks at a page of the web app; None for who does not want to be counted, for bots and for other sites."""
    user_agent = header(event, "user-agent")
    objects = header(event, "dnt").strip() == "1" or header(event, "sec-gpc").strip() == "1"
    if objects or header(event, "origin") not in origins or is_bot(user_agent):
        return None
    address, country = str(event["requestContext"]["http"]["sourceIp"]), ""
    if headers_kind == CLOUDFRONT:  # which is who asks then: the viewer stands in headers that it sets itself
        address = header(event, "cloudfront-viewer-address").rpartition(":")[0] or address
        country = header(event, "cloudfront-viewer-country")
    return Viewer(address=address, user_agent=user_agent, host=header(event, "host"), country=country)


class DayUsageResponse(Reply):
    day: date
    views: int
    visitors: Annotated[int, Field(description="Different ones of this day alone: no two days can be joined")]
    sessions: Annotated[int, Field(description="They end after half an hour without a view, and at midnight")]
    views_per_session: str | None
    bounce_rate: Annotated[str | None, Field(description="Percent of the sessions that ended with their first view")]

    @classmethod
    def of(cls, day: date, counts: Counts) -> DayUsageResponse:
        return cls(
            day=day,
            views=counts.views,
            visitors=counts.visitors,
            sessions=counts.sessions,
            views_per_session=_decimal(counts.views_per_session),
            bounce_rate=_decimal(counts.bounce_rate),
        )


class UsageTotalResponse(Reply):
    views: int
    daily_visitors: Annotated[
        int,
        Field(
            description="The sum of the days' visitors, no number of people: who comes on three days counts three times"
        ),
    ]
    sessions: int
    views_per_session: str | None
    bounce_rate: str | None


class PageUsageResponse(Reply):
    page: Page
    views: int


class ReferrerUsageResponse(Reply):
    referrer: Annotated[str, Field(description="A host without `www`, or `direct`; `other` for all that is not named")]
    sessions: int


class VisitorShareResponse(Reply):
    name: Annotated[str, Field(description="`unknown` where nothing was said, `other` where it is not known")]
    daily_visitors: int


class UsageResponse(Reply):
    """Pages are counted by views, referrers by sessions, all others by the visitors of each day."""

    from_date: date
    to_date: date
    total: UsageTotalResponse
    days: Annotated[list[DayUsageResponse], Field(description="Every day of the period, today as far as it went")]
    pages: list[PageUsageResponse]
    referrers: Annotated[list[ReferrerUsageResponse], Field(description="Fifty of them at most, the others together")]
    devices: list[VisitorShareResponse]
    browsers: list[VisitorShareResponse]
    systems: list[VisitorShareResponse]
    viewports: list[VisitorShareResponse]
    countries: Annotated[
        list[VisitorShareResponse],
        Field(description="ISO 3166-1 alpha-2; `unknown` alone where no CloudFront stands before the API"),
    ]

    @classmethod
    def of(cls, usage: Usage) -> UsageResponse:
        total = usage.total
        return cls(
            from_date=usage.period.first,
            to_date=usage.period.last,
            total=UsageTotalResponse(
                views=total.views,
                daily_visitors=total.visitors,
                sessions=total.sessions,
                views_per_session=_decimal(total.views_per_session),
                bounce_rate=_decimal(total.bounce_rate),
            ),
            days=[DayUsageResponse.of(day, counts) for day, counts in usage.days],
            pages=[PageUsageResponse(page=Page(page), views=views) for page, views in total.ranked(Dimension.PAGE)],
            referrers=[
                ReferrerUsageResponse(referrer=referrer, sessions=sessions)
                for referrer, sessions in total.ranked(Dimension.REFERRER, most=MOST_SHOWN)
            ],
            devices=_shares(total, Dimension.DEVICE),
            browsers=_shares(total, Dimension.BROWSER),
            systems=_shares(total, Dimension.SYSTEM),
            viewports=_shares(total, Dimension.VIEWPORT),
            countries=_shares(total, Dimension.COUNTRY),
        )


def _shares(counts: Counts, dimension: Dimension) -> list[VisitorShareResponse]:
    return [VisitorShareResponse(name=name, daily_visitors=visitors) for name, visitors in counts.ranked(dimension)]


def _decimal(value: Decimal | None) -> str | None:
    return None if value is None else format_decimal(value)
