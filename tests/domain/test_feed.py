"""Places in a feed, what an event happened to, and who stands behind it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from billing.domain.access import NOWHERE, Caller, Membership, Origin, Role
from billing.domain.events import Event, EventType, derived_event_id, membership_created
from billing.domain.feed import AuditTrail, FeedHead, PlacedEvent, UnplacedEvent, genesis_hash, placed, unbroken
from tests import factories

AUDIT = AuditTrail(role="owner", ip_address="203.0.113.7", correlation_id="corr-1")


def at_place(sequence: int, subject_id: str = "inv_1", event: Event | None = None) -> PlacedEvent:
    event = event or factories.event(f"evt_{sequence}")
    return PlacedEvent(sequence=sequence, subject_id=subject_id, event=event, audit=AUDIT, previous_hash="")


def waiting(event_id: str) -> UnplacedEvent:
    return UnplacedEvent(tenant_id="ten_1", subject_id="inv_1", event=factories.event(event_id), audit=AUDIT)


def test_places_follow_without_a_gap() -> None:
    events = [waiting(f"evt_{rank}") for rank in range(3)]

    given = placed(events, after=FeedHead(sequence=7, chain_hash="a" * 64))

    assert [(one.sequence, one.event) for one in given] == [(8 + rank, one.event) for rank, one in enumerate(events)]


def test_each_place_holds_the_hash_of_the_one_before_it() -> None:
    first, second, third = placed([waiting(f"evt_{rank}") for rank in range(3)], after=FeedHead())

    assert first.previous_hash == genesis_hash("ten_1") != genesis_hash("ten_2")
    assert (second.previous_hash, third.previous_hash) == (first.chain_hash, second.chain_hash)
    head = FeedHead().moved(second, date(2026, 11, 24))
    assert placed([waiting("evt_2")], after=head) == (third,)


@pytest.mark.parametrize(
    "changed",
    [
        {"sequence": 9},
        {"subject_id": "inv_2"},
        {"previous_hash": "b" * 64},
        {"event": factories.event("evt_9")},
        {"event": replace(factories.event("evt_1"), data={"number": "F2026-00009"})},
        {"event": replace(factories.event("evt_1"), actor="somebody-else")},
        {"audit": replace(AUDIT, role="viewer")},
        {"audit": replace(AUDIT, correlation_id="corr-2")},
    ],
)
def test_whatever_is_changed_at_a_place_changes_its_hash(changed: dict[str, Any]) -> None:
    assert replace(at_place(1), **changed).chain_hash != at_place(1).chain_hash


def test_an_address_can_be_forgotten_without_breaking_the_chain() -> None:
    assert replace(at_place(1), audit=replace(AUDIT, ip_address="")).chain_hash == at_place(1).chain_hash


def test_the_day_of_a_head_never_goes_back() -> None:
    head = FeedHead().moved(at_place(1), date(2026, 11, 24))

    assert FeedHead().opens(date(2026, 11, 24))
    assert not head.opens(date(2026, 11, 24))
    assert not head.opens(date(2026, 11, 23))
    assert head.opens(date(2026, 11, 25))
    assert head.moved(at_place(2), date(2026, 11, 23)).day == date(2026, 11, 24)


@pytest.mark.parametrize(
    ("seen", "shown"),
    [
        ([], []),
        ([4, 5, 6], [4, 5, 6]),
        ([4, 6], [4]),  # the half of a placement that holds 5 is not visible yet
        ([5, 6], []),
    ],
)
def test_a_reader_is_shown_nothing_behind_a_gap(seen: list[int], shown: list[int]) -> None:
    assert [one.sequence for one in unbroken([at_place(rank) for rank in seen], after=3)] == shown


@pytest.mark.parametrize(
    ("subject_id", "event_type", "kind"),
    [
        ("inv_1", EventType.INVOICE_SENT, "invoice"),
        ("crn_1", EventType.INVOICE_SENT, "credit_note"),
        ("cus_1", EventType.CUSTOMER_CREDIT_REFUNDED, "customer"),
        ("quo_1", EventType.QUOTE_SENT, "quote"),
        ("ten_1", EventType.COMPANY_DESCRIBED, "company"),
        ("31f9c08e-40c1", EventType.MEMBERSHIP_CREATED, "membership"),
    ],
)
def test_an_event_names_what_it_happened_to(subject_id: str, event_type: EventType, kind: str) -> None:
    assert at_place(1, subject_id, factories.event("evt_1", event_type)).subject_kind == kind


def test_the_audit_says_as_whom_and_from_where() -> None:
    event = factories.event()
    origin = Origin(ip_address="203.0.113.7", correlation_id="corr-1")
    person = Caller(tenant_id="ten_1", user_id="user-1", role=Role.ADMIN, membership_version=1, origin=origin)
    told = Event(event_id="evt_1", event_type=event.event_type, occurred_at=event.occurred_at, actor="customer")

    assert AuditTrail.of(person, event, NOWHERE) == AuditTrail(
        role="admin", ip_address="203.0.113.7", correlation_id="corr-1"
    )
    assert AuditTrail.of(Caller.system("ten_1", "recurring", correlation_id="rec_1"), event, NOWHERE) == AuditTrail(
        role="system", ip_address="", correlation_id="rec_1"
    )
    assert AuditTrail.of(None, told, origin).role == "customer"
    founder = Membership(tenant_id="ten_1", user_id="user-1", role=Role.OWNER, version=1)
    assert AuditTrail.of(None, membership_created(founder, event.occurred_at), origin).role == "owner"


def test_what_happens_once_has_one_id() -> None:
    member = Membership(tenant_id="ten_1", user_id="user-1", role=Role.OWNER, version=1)
    first, second = (membership_created(member, datetime(2026, 11, 23, hour, tzinfo=UTC)) for hour in (9, 10))

    assert first.event_id == second.event_id
    assert len(first.event_id) == len("evt_") + 26
    assert derived_event_id("a", "bc") != derived_event_id("ab", "c")
