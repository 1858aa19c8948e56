"""Events that Stripe told us of, from receipt to their end: none is lost, none has its effect twice.

What is kept of an event is where to look (domain/stripe.py), never its content.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from billing.domain.stripe import StripeEvent

MAX_BODY_BYTES: Final = 256 * 1024
KEPT_FOR: Final = timedelta(days=90)  # after its end; Stripe itself forgets events after 30
# After each time it was put into the queue: then it is looked for, and put there again.
SWEPT_AFTER: Final = tuple(timedelta(minutes=minutes) for minutes in (10, 15, 30, 60, 180, 360, 720, 1440))
MAX_ATTEMPTS: Final = len(SWEPT_AFTER)
_EVENT_ID = re.compile(r"evt_[A-Za-z0-9_]{1,120}")
_TOKEN = re.compile(r"[A-Za-z0-9_.\-]{0,255}")
# What an object says it belongs to, the nearest first: on a company's account, and on the platform's own.
_PARENTS: Final = ("payment_intent", "charge")
_PARENTS_OF_PLATFORM: Final = ("customer", *_PARENTS)


class InboxState(StrEnum):
    RECEIVED = "received"
    DONE = "done"
    IGNORED = "ignored"  # nothing that billing knows, or of no payment of ours
    PARKED = "parked"  # it does not fit: a person looks at it, nothing was applied


class ParkReason(StrEnum):
    """Why an event was applied in no part that does not fit. Names are for operators and metrics.

    With the same word an event is ignored, and wakes nobody, where Stripe does not say that its object is ours.
    """

    API_VERSION = "api_version_differs"
    OTHER_MODE = "other_mode"  # of Stripe's test mode, and our key is of the live one; or the reverse
    UNKNOWN_ACCOUNT = "unknown_account"
    OTHER_TENANT = "other_tenant"
    OTHER_ACCOUNT = "other_account"
    OTHER_AMOUNT = "other_amount"
    OTHER_CURRENCY = "other_currency"
    UNKNOWN_CUSTOMER = "unknown_customer"  # of the platform itself
    UNKNOWN_PLAN = "unknown_plan"
    NOT_OURS = "not_ours"  # it names an attempt of ours, and Stripe does not say that it came of its page
    NOT_REMEMBERED = "not_remembered"  # a platform made it for this company, and nothing here knows it: it may be ours
    UNKNOWN_INVOICE = "unknown_invoice"
    NOT_AT_STRIPE = "not_at_stripe"  # the object that it tells of is not there
    NO_ACCESS = "no_access"  # the company took its account away before the object was read
    EXCESS_IN_OTHER_CURRENCY = "excess_in_other_currency"  # a customer's credit is in euros
    NOTHING_TO_REFUND = "nothing_to_refund"  # no invoice keeps so much, and the customer has no such credit
    RETURN_OF_NOTE = "return_of_note"  # a refund came back that a credit note had given back
    UNKNOWN_STATE = "unknown_state"  # Stripe says of something what it could not say when this was written
    TOO_MANY_ATTEMPTS = "too_many_attempts"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxEntry:
    """``attempts``: how often it was put into the queue; ``next_at``: when it is looked for again, None at its end."""

    event: StripeEvent
    received_at: datetime
    version: int = 1
    state: InboxState = InboxState.RECEIVED
    attempts: int = 1
    next_at: datetime | None = None
    tenant_id: str = ""
    ended_at: datetime | None = None
    reason: ParkReason | None = None
    subject: str = ""  # of the reason: what does not fit

    @classmethod
    def received(cls, event: StripeEvent, at: datetime) -> InboxEntry:
        return cls(event=event, received_at=at, next_at=at + SWEPT_AFTER[0])

    @property
    def is_waiting(self) -> bool:
        return self.state is InboxState.RECEIVED

    @property
    def counts(self) -> tuple[str, ...]:
        """The metric of its end, written with it and counted from there."""
        if self.state is InboxState.PARKED:
            return ("StripeEventParked",)
        return ("StripeEventIgnored",) if self.reason is not None else ()

    @property
    def forgotten_at(self) -> datetime | None:
        """What is parked is kept until somebody settled it."""
        ended = self.ended_at if self.state in {InboxState.DONE, InboxState.IGNORED} else None
        return ended + KEPT_FOR if ended else None

    def swept(self, at: datetime) -> InboxEntry:
        """It goes into the queue once more; parked when it went there often enough."""
        if self.attempts >= MAX_ATTEMPTS:
            return self.parked(ParkReason.TOO_MANY_ATTEMPTS, at)
        return replace(
            self, version=self.version + 1, attempts=self.attempts + 1, next_at=at + SWEPT_AFTER[self.attempts]
        )

    def taken_up(self, at: datetime) -> InboxEntry:
        """A parked one, when a person says that it fits now."""
        again = replace(self._ended(InboxState.RECEIVED, None), attempts=1, reason=None, subject="")
        return replace(again, next_at=at + SWEPT_AFTER[0])

    def done(self, at: datetime, *, tenant_id: str = "") -> InboxEntry:
        return replace(self._ended(InboxState.DONE, at), tenant_id=tenant_id or self.tenant_id)

    def ignored(
        self, at: datetime, *, tenant_id: str = "", reason: ParkReason | None = None, subject: str = ""
    ) -> InboxEntry:
        """``reason``: of what could have been taken for ours."""
        ignored = self._ended(InboxState.IGNORED, at)
        return replace(ignored, reason=reason, subject=subject, tenant_id=tenant_id or self.tenant_id)

    def parked(self, reason: ParkReason, at: datetime, *, subject: str = "", tenant_id: str = "") -> InboxEntry:
        parked = self._ended(InboxState.PARKED, at)
        return replace(parked, reason=reason, subject=subject, tenant_id=tenant_id or self.tenant_id)

    def _ended(self, state: InboxState, at: datetime | None) -> InboxEntry:
        return replace(self, version=self.version + 1, state=state, ended_at=at, next_at=None)


def event_told(told: Mapping[str, Any]) -> StripeEvent | None:
    """What is kept of the JSON of a webhook; None where it is no event of Stripe's form."""
    data = told.get("data")
    about = data.get("object") if isinstance(data, Mapping) else None
    created = told.get("created")
    if not isinstance(about, Mapping) or isinstance(created, bool) or not isinstance(created, int):
        return None
    if not 0 <= created < 10**11:
        return None
    event_id = told.get("id")
    if told.get("object") != "event" or not isinstance(event_id, str) or not _EVENT_ID.fullmatch(event_id):
        return None
    parents = _PARENTS if told.get("account") else _PARENTS_OF_PLATFORM
    texts = {
        "event_type": told.get("type"),
        "account_id": told.get("account") or "",
        "object_id": about.get("id") or "",  # a balance has none
        "object_type": about.get("object"),
        "api_version": told.get("api_version") or "",
        "parent_id": next((named for name in parents if (named := _id_of(about.get(name)))), ""),
    }
    if not all(isinstance(text, str) and _TOKEN.fullmatch(text) for text in texts.values()):
        return None
    return StripeEvent(
        event_id=event_id,
        created=datetime.fromtimestamp(created, UTC),
        livemode=told.get("livemode") is True,
        **{name: str(text) for name, text in texts.items()},
    )


def _id_of(named: object) -> str:
    """Of an object that is named, or that stands there whole."""
    if isinstance(named, Mapping):
        named = named.get("id")
    return named if isinstance(named, str) else ""
