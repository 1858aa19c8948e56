"""Bulk jobs: many documents, each once whatever crashes or runs twice, none stopping the others."""

from __future__ import annotations

import contextlib
import itertools
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from billing.domain.access import Caller, Role
from billing.domain.bulk import (
    RESUMABLE_FOR,
    BulkJob,
    BulkOperation,
    BulkOutcome,
    BulkResult,
    BulkState,
    archive_names,
)
from billing.domain.delivery import DeliveryState
from billing.domain.errors import (
    BulkJobNotStopped,
    DependencyUnavailable,
    ExportNotReady,
    FieldErrors,
    Forbidden,
    NotFound,
)
from billing.domain.events import EventType
from billing.domain.invoice import DraftInvoice, IssuedInvoice
from billing.domain.verification import VerificationState
from billing.ports.paging import PageRequest
from billing.usecases import bulk_jobs, invoices
from billing.usecases.bulk_jobs import LANE_BUDGET_SECONDS, LaneProgress
from billing.usecases.workflows import MAX_EXECUTIONS, restart_workflows, start_workflow
from tests import factories
from tests.fakes.bulk_jobs import FakeArchives
from tests.fakes.crashes import Crashed, CrashPoint
from tests.usecases.conftest import Shop
from tests.usecases.test_quotes import Desk

LANES = 4  # of the state machine


class Bulk:
    """One company's bulk jobs, and the workflow that works on them."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.held = shop.repositories
        self.archives = FakeArchives(shop.documents)

    def start(self, operation: BulkOperation, *document_ids: str, by: Caller | None = None, **given: Any) -> BulkJob:
        return bulk_jobs.start_bulk_job(
            by or self.shop.caller,
            operation,
            document_ids,
            **{"correlation_id": "corr-bulk", "once": self.shop.once("startBulkJob"), **self._ports(), **given},
        )

    def lane(self, job: BulkJob, lane: int, watch: Any = lambda port: port) -> LaneProgress:
        return bulk_jobs.run_bulk_lane(
            job.tenant_id,
            job.bulk_job_id,
            run=job.run,
            lane=lane,
            bulk_jobs=watch(self.held.bulk_jobs),
            invoices=watch(self.held.invoices),
            quotes=watch(self.held.quotes),
            customers=watch(self.held.customers),
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def finish(self, job: BulkJob) -> bool:
        """Once every event has its place."""
        self.shop.place_events()
        return bulk_jobs.finish_bulk_job(
            job.tenant_id,
            job.bulk_job_id,
            run=job.run,
            bulk_jobs=self.held.bulk_jobs,
            archives=self.archives,
            chains=self.held.chains,
            documents=self.shop.documents,
            verifier="print('verified')\n",
            clock=self.shop.clock,
        )

    def run(self, job: BulkJob, watch: Any = lambda port: port) -> BulkJob:
        """As the state machine does, without its waits."""
        for lane in range(LANES):
            while not (progress := self.lane(job, lane, watch)).done and not progress.waiting:
                pass
        self.finish(job)
        return self.read(job)

    def read(self, job: BulkJob) -> BulkJob:
        return bulk_jobs.read_bulk_job(self.shop.caller, job.bulk_job_id, bulk_jobs=self.held.bulk_jobs)

    def resume(self, job: BulkJob, by: Caller | None = None) -> BulkJob:
        return bulk_jobs.resume_bulk_job(
            by or self.shop.caller,
            job.bulk_job_id,
            correlation_id="corr-again",
            once=self.shop.once("resumeBulkJob"),
            **self._ports(),
        )

    def results(self, job: BulkJob) -> tuple[BulkResult, ...]:
        page = PageRequest(limit=1000)
        return bulk_jobs.list_bulk_job_results(
            self.shop.caller, job.bulk_job_id, page, bulk_jobs=self.held.bulk_jobs
        ).items

    def refusals(self, job: BulkJob) -> dict[str, str]:
        return {one.document_id: one.refusal.slug for one in self.results(job) if one.refusal}

    def events(self, job: BulkJob) -> list[EventType]:
        told = self.held.store.events[job.tenant_id, job.bulk_job_id]
        return [event.event_type for event in told]

    def sweep(self) -> tuple[int, int]:
        return restart_workflows(
            900,
            requests=self.held.requests,
            workflows=self.shop.workflows,
            deliveries=self.held.deliveries,
            verifications=self.held.verifications,
            bulk_jobs=self.held.bulk_jobs,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def _ports(self) -> dict[str, Any]:
        return {"bulk_jobs": self.held.bulk_jobs, "clock": self.shop.clock, "ids": self.shop.ids}


@pytest.fixture
def bulk(shop: Shop) -> Bulk:
    return Bulk(shop)


def _drafts(shop: Shop, count: int) -> list[str]:
    wanted = shop.wanted(shop.customer().customer_id)
    return [shop.draft(wanted).invoice_id for _ in range(count)]


def _printed(shop: Shop) -> IssuedInvoice:
    issued = shop.issue()
    shop.render(issued)
    shop.record(issued)
    return shop.stored(issued)


def test_drafts_are_issued_in_the_order_of_the_selection(bulk: Bulk) -> None:
    chosen = _drafts(bulk.shop, 5)
    chosen.reverse()

    job = bulk.run(bulk.start(BulkOperation.ISSUE, *chosen))

    assert (job.state, job.total, job.done, job.refused) == (BulkState.ENDED, 5, 5, 0)
    assert [(one.document_id, one.number) for one in bulk.results(job)] == [
        (invoice_id, f"F2026-{rank:05d}") for rank, invoice_id in enumerate(chosen, start=1)
    ]
    assert bulk.events(job) == [EventType.BULK_JOB_STARTED, EventType.BULK_JOB_ENDED]


def test_what_one_document_refuses_is_told_and_stops_no_other(bulk: Bulk) -> None:
    shop = bulk.shop
    silent = shop.draft(shop.wanted(shop.customer(email=None).customer_id)).invoice_id
    good, issued, gone, edited, last = _drafts(shop, 5)
    number = shop.issue(_draft(shop, issued)).document.number
    job = bulk.start(BulkOperation.ISSUE, silent, good, issued, gone, edited, f"inv_{'0' * 26}", last, mail=True)
    shop.clock.advance(timedelta(seconds=1))
    invoices.delete_invoice(
        shop.caller,
        gone,
        expected_version=1,
        invoices=bulk.held.invoices,
        quotes=bulk.held.quotes,
        clock=shop.clock,
        ids=shop.ids,
    )
    invoices.edit_invoice(
        shop.caller,
        edited,
        replace(shop.wanted(_draft(shop, edited).content.customer_id), notes="Autrement"),
        expected_version=1,
        invoices=bulk.held.invoices,
        clock=shop.clock,
        ids=shop.ids,
    )

    ended = bulk.run(job)

    assert (ended.state, ended.done, ended.refused) == (BulkState.ENDED, 2, 5)
    assert bulk.refusals(job) == {
        silent: "recipient-missing",
        issued: "invoice-already-issued",
        gone: "not-found",
        edited: "stale-version",
        f"inv_{'0' * 26}": "not-found",
    }
    refused = [one for one in bulk.results(job) if one.refusal]
    assert {one.document_id: one.number for one in refused if one.number} == {issued: number}
    assert [shop.repositories.deliveries.invoice(job.tenant_id, one).delivery.state for one in (good, last)] == [
        DeliveryState.SENDING
    ] * 2


def _draft(shop: Shop, invoice_id: str) -> DraftInvoice:
    draft = shop.repositories.invoices.read(shop.caller, invoice_id)
    assert isinstance(draft, DraftInvoice)
    return draft


def test_invoices_credit_notes_and_quotes_are_mailed(bulk: Bulk) -> None:
    desk = Desk(bulk.shop)
    invoice, quote, sent = _printed(bulk.shop), desk.draft(), desk.sent()
    draft = bulk.shop.draft()

    job = bulk.run(bulk.start(BulkOperation.SEND, invoice.invoice_id, quote.quote_id, sent.quote_id, draft.invoice_id))

    assert bulk.refusals(job) == {draft.invoice_id: "invoice-not-issued"}
    assert [one.number for one in bulk.results(job)][:3] == [
        invoice.document.number,
        desk.read(quote).number,
        sent.number,
    ]
    assert [bulk.shop.stored(invoice).delivery.attempt, desk.read(quote).delivery.attempt] == [2, 1]
    assert desk.read(sent).delivery.attempt == 2


@pytest.mark.parametrize("operation", [BulkOperation.ISSUE, BulkOperation.SEND])
def test_a_thousand_documents_lose_none_and_repeat_none(operation: BulkOperation) -> None:
    """Three executions at once, each dying at random calls and starting again."""
    shop = Shop()
    shop.describe()
    shop.subscribe()
    bulk = Bulk(shop)
    chosen = _drafts(shop, 1000)
    if operation is BulkOperation.SEND:
        for invoice_id in chosen:
            shop.issue(_draft(shop, invoice_id))
    job = bulk.start(operation, *chosen)
    deaths = itertools.count()

    def execute(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - where to die, not a secret
        while not bulk.read(job).is_complete:
            crash = CrashPoint(chance.randint(1, 1500), chance.random() < 0.5)
            with contextlib.suppress(Crashed):
                bulk.run(job, crash.watch)
            next(deaths)

    with ThreadPoolExecutor(3) as executions:
        list(executions.map(execute, range(3)))
    bulk.finish(job)

    ended = bulk.read(job)
    held = [bulk.held.deliveries.invoice(job.tenant_id, invoice_id) for invoice_id in chosen]
    assert (ended.state, ended.done, ended.refused) == (BulkState.ENDED, 1000, 0)
    assert [one.number for one in bulk.results(job)] == [one.document.number for one in held]
    assert sorted(one.document.rank for one in held) == list(range(1, 1001))
    assert {one.delivery.attempt for one in held} == {2 if operation is BulkOperation.SEND else 1}
    assert shop.proof().state is VerificationState.PASSED
    assert next(deaths) > 3
    assert bulk.events(job) == [EventType.BULK_JOB_STARTED, EventType.BULK_JOB_ENDED]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("operation", list(BulkOperation))
def test_a_crash_at_any_call_and_another_execution_do_each_document_once(operation: BulkOperation, after: bool) -> None:
    for at in itertools.count(1):
        shop = Shop()
        shop.describe()
        bulk, desk = Bulk(shop), Desk(shop)
        if operation is BulkOperation.ISSUE:
            chosen = _drafts(shop, 2)
        else:
            chosen = [_printed(shop).invoice_id, desk.sent().quote_id]
        job = bulk.start(operation, *chosen)
        crash = CrashPoint(at, after)
        with contextlib.suppress(Crashed):
            bulk.run(job, crash.watch)
        if crash.calls < at:
            break

        ended = bulk.run(job)

        assert (ended.state, ended.done, ended.refused) == (BulkState.ENDED, 2, 0)
        assert all(one.number for one in bulk.results(job))
        told = [event.event_type for one in chosen for event in shop.repositories.store.events[job.tenant_id, one]]
        expected = {
            BulkOperation.ISSUE: {EventType.INVOICE_ISSUED: 2},
            BulkOperation.SEND: {EventType.DELIVERY_REQUESTED: 1, EventType.QUOTE_DELIVERY_REQUESTED: 1},
            BulkOperation.EXPORT: {},
        }[operation]
        assert {kind: told.count(kind) for kind in expected} == expected
    assert at > 8


def test_an_export_waits_for_pdfs_that_are_being_made(bulk: Bulk) -> None:
    shop, desk = bulk.shop, Desk(bulk.shop)
    ready, quote, fresh, failed, draft = _printed(shop), desk.sent(), shop.issue(), shop.issue(), shop.draft()
    shop.record(failed, error="InvalidInput")
    viewer = shop.person(Role.ACCOUNTANT)
    job = bulk.start(
        BulkOperation.EXPORT,
        *[fresh.invoice_id, quote.quote_id, ready.invoice_id, failed.invoice_id, draft.invoice_id],
        by=viewer,
    )

    assert bulk.lane(job, 0) == LaneProgress(done=False, waiting=True)
    waiting = bulk.run(job)
    shop.render(fresh)
    shop.record(fresh)
    ended = bulk.run(job)

    assert (waiting.state, waiting.done, waiting.refused) == (BulkState.RUNNING, 2, 2)
    assert bulk.refusals(job) == {failed.invoice_id: "pdf-not-ready", draft.invoice_id: "invoice-not-issued"}
    assert ended.archive is not None
    assert bulk.archives.packed[ended.archive.key] == (
        f"{fresh.document.number}.pdf",
        f"{quote.number}.pdf",
        f"{ready.document.number}.pdf",
    )
    assert ended.archive.key.startswith(f"{job.tenant_id}/exports/{job.bulk_job_id}")


def _download(bulk: Bulk, job: BulkJob) -> str:
    return bulk_jobs.download_bulk_job(
        bulk.shop.caller,
        job.bulk_job_id,
        bulk_jobs=bulk.held.bulk_jobs,
        documents=bulk.shop.documents,
        clock=bulk.shop.clock,
    ).url


def test_the_archive_is_downloaded_once_it_is_there_and_for_thirty_days(bulk: Bulk) -> None:
    job = bulk.start(BulkOperation.EXPORT, _printed(bulk.shop).invoice_id)

    with pytest.raises(ExportNotReady):
        _download(bulk, job)
    bulk.run(job)
    assert _download(bulk, job).endswith("documents-2026-11-23.zip")
    bulk.shop.clock.advance(timedelta(days=31))
    with pytest.raises(ExportNotReady):
        _download(bulk, job)


def test_an_export_of_nothing_has_no_archive(bulk: Bulk) -> None:
    ended = bulk.run(bulk.start(BulkOperation.EXPORT, bulk.shop.draft().invoice_id))

    assert (ended.state, ended.refused, ended.archive) == (BulkState.ENDED, 1, None)


def test_a_stored_pdf_that_is_gone_does_not_pass_for_an_export(bulk: Bulk) -> None:
    job = bulk.start(BulkOperation.EXPORT, _printed(bulk.shop).invoice_id)
    bulk.shop.documents.stored.clear()

    with pytest.raises(NotFound):
        bulk.run(job)
    assert bulk.read(job).state is BulkState.RUNNING


def test_file_names_differ_whatever_the_numbers(bulk: Bulk) -> None:
    results = [
        BulkResult(rank=rank, document_id=f"inv_{rank}", outcome=BulkOutcome.DONE, number=number)
        for rank, number in enumerate(["F/2026/1", "F-2026-1", "f-2026-1", "../../É 1"], start=1)
    ]

    assert archive_names(tuple(results)) == ("F-2026-1.pdf", "F-2026-1-2.pdf", "f-2026-1-3.pdf", "..-..-É-1.pdf")


def test_a_lane_stops_with_its_time_and_goes_on_later(bulk: Bulk) -> None:
    job = bulk.start(BulkOperation.ISSUE, *_drafts(bulk.shop, 6))
    slow = bulk.held.invoices
    read = slow.read

    def slowly(*given: Any, **named: Any) -> Any:
        bulk.shop.clock.advance(timedelta(seconds=LANE_BUDGET_SECONDS / 3))
        return read(*given, **named)

    slow.read = slowly  # type: ignore[method-assign]
    progress: list[LaneProgress] = []
    while not progress or not progress[-1].done:
        progress.append(bulk.lane(job, 0))

    assert [one.done for one in progress] == [False, True]
    assert bulk.read(job).done == 6


def test_one_broken_document_fails_the_lane_but_no_other_document(bulk: Bulk) -> None:
    broken, good = _drafts(bulk.shop, 2)
    job = bulk.start(BulkOperation.ISSUE, broken, good)
    read = bulk.held.invoices.read

    def breaking(caller: Caller, invoice_id: str, **named: Any) -> Any:
        if invoice_id == broken:
            raise RuntimeError(broken)
        return read(caller, invoice_id, **named)

    bulk.held.invoices.read = breaking  # type: ignore[method-assign]

    with pytest.raises(RuntimeError):
        bulk.lane(job, 0)
    assert not bulk.finish(job)
    assert [(one.document_id, one.outcome) for one in bulk.results(job)] == [(good, BulkOutcome.DONE)]


def test_a_table_that_is_down_ends_the_lane_at_once(bulk: Bulk) -> None:
    job = bulk.start(BulkOperation.ISSUE, *_drafts(bulk.shop, 3))
    asked = []

    def down(_: Caller, invoice_id: str, **__: Any) -> Any:
        asked.append(invoice_id)
        raise DependencyUnavailable

    bulk.held.invoices.read = down  # type: ignore[assignment, method-assign]

    with pytest.raises(DependencyUnavailable):
        bulk.lane(job, 0)
    assert len(asked) == 1


def test_a_job_acts_as_who_started_it_and_stops_when_their_rights_change(bulk: Bulk) -> None:
    shop = bulk.shop
    member = shop.person(Role.MEMBER)
    chosen = _drafts(shop, 3)
    job = bulk.start(BulkOperation.ISSUE, *chosen, by=member)
    lost = replace(factories.membership(member), role=Role.ACCOUNTANT, version=2)
    bulk.held.memberships.change(lost)

    stopped = bulk.run(job)

    assert (stopped.state, stopped.error, stopped.done) == (BulkState.STOPPED, "membership-changed", 0)
    assert all(isinstance(bulk.held.invoices.read(shop.caller, one), DraftInvoice) for one in chosen)
    with pytest.raises(Forbidden):
        bulk.resume(job, replace(member, role=Role.ACCOUNTANT, membership_version=2))

    ended = bulk.run(bulk.resume(job))

    assert (ended.state, ended.done, ended.error) == (BulkState.ENDED, 3, "")
    actors = {event.actor for event in shop.events(chosen[0]) if event.event_type is EventType.INVOICE_ISSUED}
    assert actors == {shop.caller.user_id}
    assert bulk.events(job) == [
        EventType.BULK_JOB_STARTED,
        EventType.BULK_JOB_STOPPED,
        EventType.BULK_JOB_RESUMED,
        EventType.BULK_JOB_ENDED,
    ]


def test_a_job_without_an_outcome_is_started_again_and_given_up_visibly(bulk: Bulk) -> None:
    job = bulk.start(BulkOperation.ISSUE, *_drafts(bulk.shop, 2))
    (request,) = [
        one
        for shard in range(bulk.held.requests.shards)
        for one in bulk.held.requests.stale(bulk.shop.clock.now() + timedelta(days=1), shard=shard, limit=10)
    ]
    start_workflow(request, requests=bulk.held.requests, workflows=bulk.shop.workflows, clock=bulk.shop.clock)
    for _ in range(MAX_EXECUTIONS - 1):
        bulk.shop.clock.advance(timedelta(seconds=901))
        assert bulk.sweep() == (1, 0)

    bulk.shop.clock.advance(timedelta(seconds=901))
    assert bulk.sweep() == (0, 1)
    assert bulk.sweep() == (0, 0)
    stopped = bulk.read(job)
    assert (stopped.state, stopped.error) == (BulkState.STOPPED, "ExecutionsExhausted")
    assert set(bulk.shop.workflows.bulk_jobs) == {f"{job.bulk_job_id}-1-{rank}" for rank in range(1, 9)}

    resumed = bulk.resume(job)
    bulk.shop.clock.advance(timedelta(seconds=901))
    assert bulk.sweep() == (1, 0)
    assert bulk.shop.workflows.bulk_jobs[f"{job.bulk_job_id}-2-1"] == (
        job.tenant_id,
        job.bulk_job_id,
        2,
        "corr-again",
    )
    assert bulk.run(resumed).state is BulkState.ENDED


def test_a_run_that_was_given_up_touches_nothing_any_more(bulk: Bulk) -> None:
    job = bulk.start(BulkOperation.ISSUE, *_drafts(bulk.shop, 2))
    bulk_jobs.stop_bulk_job(
        job.tenant_id,
        job.bulk_job_id,
        "ExecutionsExhausted",
        run=1,
        bulk_jobs=bulk.held.bulk_jobs,
        clock=bulk.shop.clock,
    )
    bulk.resume(job)

    assert bulk.lane(job, 0) == LaneProgress(done=True)
    assert bulk.finish(job)
    assert bulk.read(job).done == 0


def test_only_a_stopped_job_is_resumed_and_not_for_ever(bulk: Bulk) -> None:
    job = bulk.start(BulkOperation.ISSUE, *_drafts(bulk.shop, 1))

    with pytest.raises(BulkJobNotStopped):
        bulk.resume(job)
    stopped = job.stopped("ExecutionsExhausted", job.started_at)
    with pytest.raises(BulkJobNotStopped):
        stopped.resumed(bulk.shop.caller, job.started_at + RESUMABLE_FOR + timedelta(1), correlation_id="corr")


def test_a_selection_is_checked_before_anything_starts(bulk: Bulk) -> None:
    with pytest.raises(FieldErrors) as refused:
        bulk.start(BulkOperation.ISSUE, "inv_1", "quo_1", "inv_1")

    assert [error.pointer for error in refused.value.errors] == ["/document_ids/1", "/document_ids/2"]
    assert not bulk.held.store.bulk_jobs


def test_an_accountant_exports_but_does_not_issue(bulk: Bulk) -> None:
    accountant = bulk.shop.person(Role.ACCOUNTANT)

    bulk.start(BulkOperation.EXPORT, "inv_1", by=accountant)

    with pytest.raises(Forbidden):
        bulk.start(BulkOperation.SEND, "inv_1", by=accountant)


def test_no_operation_needs_more_lanes_than_the_state_machine_has() -> None:
    assert max(operation.lanes for operation in BulkOperation) == LANES
