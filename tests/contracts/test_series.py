"""A series that goes on from another tool: started once, then dense, and proven so."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from billing.domain.errors import SeriesAlreadyStarted
from billing.domain.events import EventType
from billing.domain.numbering import GENESIS_HASH, Series, SeriesStart, SeriesState
from billing.domain.verification import ChainPosition, SeriesEnding, check_page
from billing.ports.idempotency import AlreadyAnswered
from tests import factories
from tests.contracts.conftest import World

START = SeriesStart(series=Series.INVOICE, last_rank=125, last_date=date(2026, 11, 20), last_number="FA-125")


def start(world: World, of: SeriesStart = START, **changes: object) -> None:
    once = changes.pop("once", None) or world.once("startCompanySeries")
    world.repositories.series.start(
        world.caller,
        of,
        answered=of.state(),
        event=factories.event("evt_s", EventType.SERIES_STARTED),
        once=once,  # type: ignore[arg-type]
    )


def standing(world: World, series: Series = Series.INVOICE) -> SeriesState:
    return next(state for state in world.repositories.series.read(world.caller).states if state.series is series)


def test_a_started_series_stands_where_the_other_tool_left_it(world: World) -> None:
    assert standing(world) == SeriesState.untouched(Series.INVOICE)

    start(world)

    assert standing(world) == SeriesState(
        series=Series.INVOICE,
        year=2026,
        last_rank=125,
        last_date=START.last_date,
        last_hash=GENESIS_HASH,
        start=START,
        month_opening=125,
    )
    assert standing(world, Series.CREDIT_NOTE) == SeriesState.untouched(Series.CREDIT_NOTE)


def test_a_series_starts_once_and_never_after_a_document(world: World) -> None:
    start(world)
    with pytest.raises(SeriesAlreadyStarted):
        start(world, replace(START, last_rank=7))

    assert standing(world).last_rank == 125


def test_a_series_with_documents_is_not_started_again(world: World) -> None:
    world.issue(world.add_draft())

    with pytest.raises(SeriesAlreadyStarted):
        start(world)


def test_the_same_request_starts_once(world: World) -> None:
    once = world.once("startCompanySeries")
    start(world, once=once)

    with pytest.raises(AlreadyAnswered):
        start(world, once=once)


def test_the_next_document_follows_and_the_proof_begins_there(world: World) -> None:
    start(world)
    verifications, tenant_id = world.repositories.verifications, world.caller.tenant_id
    empty = verifications.series_heads(world.caller)[0]
    assert verifications.page(tenant_id, ChainPosition(), empty, limit=10) == ()
    assert verifications.ending(tenant_id, Series.INVOICE) == SeriesEnding(head=(2026, 125), last_place=(2026, 125))

    issued = world.issue(world.add_draft())

    assert (issued.document.year, issued.document.rank, issued.document.previous_hash) == (2026, 126, GENESIS_HASH)
    target = verifications.series_heads(world.caller)[0]
    page = verifications.page(tenant_id, ChainPosition(), target, limit=10)
    position, findings = check_page(ChainPosition(), page, target.start)
    assert (position.rank, findings) == (126, ())
    assert [found.rule.value for found in check_page(ChainPosition(), page)[1]] == ["numbers-dense"]
    assert verifications.ending(tenant_id, Series.INVOICE) == SeriesEnding(head=(2026, 126), last_place=(2026, 126))
