"""Bulk jobs: started by a person, worked off by a workflow in lanes, each document once whatever crashes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from billing.domain.access import Caller
from billing.domain.bulk import (
    BulkArchive,
    BulkJob,
    BulkOperation,
    BulkOutcome,
    BulkResult,
    BulkState,
    Refusal,
    archive_names,
    check_selection,
    lane_of,
)
from billing.domain.deliverable import is_quote_id
from billing.domain.delivery import Delivery, StoredPdf
from billing.domain.errors import (
    BillingError,
    Busy,
    DependencyUnavailable,
    InvoiceAlreadyIssued,
    InvoiceNotIssued,
    MembershipChanged,
    PdfNotReady,
    StaleVersion,
)
from billing.domain.events import EventType
from billing.domain.export_proof import ProvenDocument
from billing.domain.invoice import DraftInvoice, IssuedInvoice
from billing.domain.quote import Quote
from billing.ports.bulk_jobs import ArchivedFile, Archives, BulkJobs, BulkJobSummary
from billing.ports.chains import Chains
from billing.ports.clock import Clock, Ids
from billing.ports.delivery import Documents, DownloadLink
from billing.ports.idempotency import AlreadyAnswered, Answer, IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.quotes import Quotes
from billing.ports.repositories import Customers, Invoices
from billing.usecases.contention import judged_anew
from billing.usecases.export_proofs import ExportProofs
from billing.usecases.invoices import issue_invoice, send_invoice
from billing.usecases.quotes import send_quote
from billing.usecases.turns import Turns

LANE_BUDGET_SECONDS = 40.0  # the function has a minute; the state machine comes back for the rest


def start_bulk_job(
    caller: Caller,
    operation: BulkOperation,
    document_ids: tuple[str, ...],
    *,
    mail: bool = False,
    correlation_id: str,
    once: IdempotentRequest,
    bulk_jobs: BulkJobs,
    clock: Clock,
    ids: Ids,
) -> BulkJob:
    """One to 1,000 documents, each tried once; what it refuses stops none of the others.

    Raises: FieldErrors: a document of another kind, or one named twice.
    """
    caller.require(operation.permission)
    check_selection(operation, document_ids)
    now = clock.now()
    job = BulkJob(
        tenant_id=caller.tenant_id,
        bulk_job_id=ids.new("blk"),
        version=1,
        operation=operation,
        mail=mail,
        total=len(document_ids),
        user_id=caller.user_id,
        role=caller.role,
        membership_version=caller.membership_version,
        correlation_id=correlation_id,
        started_at=now,
        updated_at=now,
    )
    bulk_jobs.start(caller, job, document_ids, event=job.event(EventType.BULK_JOB_STARTED), once=once)
    return job


def read_bulk_job(caller: Caller, bulk_job_id: str, *, bulk_jobs: BulkJobs) -> BulkJob:
    """Raises: NotFound."""
    return bulk_jobs.read(caller, bulk_job_id)


def list_bulk_jobs(caller: Caller, page: PageRequest, *, bulk_jobs: BulkJobs) -> Page[BulkJobSummary]:
    return bulk_jobs.list(caller, page)


def list_bulk_job_results(
    caller: Caller, bulk_job_id: str, page: PageRequest, *, bulk_jobs: BulkJobs
) -> Page[BulkResult]:
    """Raises: NotFound."""
    return bulk_jobs.results(caller, bulk_job_id, page)


def download_bulk_job(
    caller: Caller, bulk_job_id: str, *, bulk_jobs: BulkJobs, documents: Documents, clock: Clock
) -> DownloadLink:
    """A short-lived address of the ZIP. Raises: NotFound, ExportNotReady."""
    job, now = bulk_jobs.read(caller, bulk_job_id), clock.now()
    archive = job.archive_at(now)
    return documents.link(archive.key, file_name=f"documents-{job.started_at:%Y-%m-%d}.zip", now=now)


def resume_bulk_job(
    caller: Caller,
    bulk_job_id: str,
    *,
    correlation_id: str,
    once: IdempotentRequest,
    bulk_jobs: BulkJobs,
    clock: Clock,
    ids: Ids,
) -> BulkJob:
    """What has no result is tried again, in the name of who resumes. Raises: NotFound, BulkJobNotStopped, Busy."""

    def attempt() -> BulkJob:
        job = bulk_jobs.read(caller, bulk_job_id, once=once)
        resumed = job.resumed(caller, clock.now(), correlation_id=correlation_id)
        bulk_jobs.resume(caller, resumed, event=resumed.event(EventType.BULK_JOB_RESUMED), once=once)
        return resumed

    return judged_anew(attempt, clock=clock, ids=ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneProgress:
    """``done``: nothing is left for this lane. ``waiting``: what is left waits for its PDF."""

    done: bool
    waiting: bool = False


def run_bulk_lane(
    tenant_id: str,
    bulk_job_id: str,
    *,
    run: int,
    lane: int,
    bulk_jobs: BulkJobs,
    invoices: Invoices,
    quotes: Quotes,
    customers: Customers,
    clock: Clock,
    ids: Ids,
    payment_page: str = "",
) -> LaneProgress:
    """Work on a lane's documents that have no result, within the time of one call; safe beside another run of it.

    Raises: DependencyUnavailable, Busy at once; what else goes wrong once every other document had its turn.
    """
    deadline = clock.monotonic() + LANE_BUDGET_SECONDS
    job = bulk_jobs.load(tenant_id, bulk_job_id)
    if job.state is not BulkState.RUNNING or job.run != run:
        return LaneProgress(done=True)
    work = _Work(job, invoices, quotes, customers, clock, ids, payment_page)
    held = {result.rank for result in bulk_jobs.all_results(tenant_id, bulk_job_id)}
    turns = Turns()
    waiting = False
    for rank, document_id in enumerate(bulk_jobs.selection(tenant_id, bulk_job_id), start=1):
        if rank in held or lane_of(rank, job.operation.lanes) != lane:
            continue
        if clock.monotonic() >= deadline:
            return LaneProgress(done=False)
        try:
            with turns.one(at_once=(_NotYet, MembershipChanged, DependencyUnavailable, Busy)):
                bulk_jobs.record(job, work.result(rank, document_id))
        except _NotYet:
            waiting = True
        except MembershipChanged as changed:  # nothing goes on in the name of somebody whose rights changed
            stop_bulk_job(tenant_id, bulk_job_id, changed.slug, run=run, bulk_jobs=bulk_jobs, clock=clock)
            return LaneProgress(done=True)
    turns.end()
    return LaneProgress(done=not waiting, waiting=waiting)


def finish_bulk_job(
    tenant_id: str,
    bulk_job_id: str,
    *,
    run: int,
    bulk_jobs: BulkJobs,
    archives: Archives,
    chains: Chains,
    verifier: str,
    clock: Clock,
) -> bool:
    """End a job whose every document has its result, with the ZIP of an export; whether there is nothing left to do.

    ``verifier``: the program that an export carries.

    Raises: NotFound when a stored PDF is gone, DependencyUnavailable.
    """
    job = bulk_jobs.load(tenant_id, bulk_job_id)
    if job.state is not BulkState.RUNNING or job.run != run:
        return True
    if not job.is_complete:
        return False
    archive = None
    if job.operation is BulkOperation.EXPORT:
        archive = _archived(job, bulk_jobs, archives, chains, verifier, clock)
    ended = job.ended(clock.now(), archive)
    bulk_jobs.settle(ended, event=ended.event(EventType.BULK_JOB_ENDED))
    return True


def stop_bulk_job(tenant_id: str, bulk_job_id: str, error: str, *, run: int, bulk_jobs: BulkJobs, clock: Clock) -> None:
    """The job could not go on: said on the job, which a person can resume."""
    job = bulk_jobs.load(tenant_id, bulk_job_id)
    if job.state is BulkState.RUNNING and job.run == run:
        stopped = job.stopped(error, clock.now())
        bulk_jobs.settle(stopped, event=stopped.event(EventType.BULK_JOB_STOPPED))


class _NotYet(Exception):
    """The document's PDF is being made: later."""


@dataclass(frozen=True, slots=True)
class _Work:
    """The operation of a job on one document, known by an idempotency record of its own."""

    job: BulkJob
    invoices: Invoices
    quotes: Quotes
    customers: Customers
    clock: Clock
    ids: Ids
    payment_page: str

    def result(self, rank: int, document_id: str) -> BulkResult:
        """Raises: _NotYet, MembershipChanged, DependencyUnavailable, Busy."""
        pdf: StoredPdf | None = None
        try:
            if self.job.operation is BulkOperation.ISSUE:
                number = self._issued(rank, document_id)
            elif self.job.operation is BulkOperation.SEND:
                number = self._sent(rank, document_id)
            else:
                number, pdf = self._printed(document_id)
        except (MembershipChanged, DependencyUnavailable, Busy):
            raise
        except BillingError as error:
            return BulkResult(
                rank=rank,
                document_id=document_id,
                outcome=BulkOutcome.REFUSED,
                number=self._number_before(document_id) if isinstance(error, InvoiceAlreadyIssued) else "",
                refusal=Refusal.of(error),
            )
        except AlreadyAnswered as known:  # done by a run that died before it could say so
            number = known.answer.body
        return BulkResult(
            rank=rank,
            document_id=document_id,
            outcome=BulkOutcome.DONE,
            number=number,
            pdf_key=pdf.key if pdf else "",
            pdf_sha256=pdf.sha256 if pdf else "",
        )

    def _issued(self, rank: int, invoice_id: str) -> str:
        once = self._once(rank, invoice_id)
        invoice = self.invoices.read(self.job.caller, invoice_id, once=once)
        if not isinstance(invoice, DraftInvoice):
            raise InvoiceAlreadyIssued
        self._hold_unchanged(invoice)
        return issue_invoice(
            self.job.caller,
            invoice_id,
            expected_version=invoice.version,
            issue_date=None,
            send=self.job.mail,
            correlation_id=self.job.correlation_id,
            once=once,
            invoices=self.invoices,
            customers=self.customers,
            clock=self.clock,
            ids=self.ids,
            payment_page=self.payment_page,
        ).document.number

    def _number_before(self, invoice_id: str) -> str:
        invoice = self.invoices.read(self.job.caller, invoice_id)
        return "" if isinstance(invoice, DraftInvoice) else invoice.document.number

    def _sent(self, rank: int, document_id: str) -> str:
        once = self._once(rank, document_id)
        if is_quote_id(document_id):
            quote = self.quotes.read(self.job.caller, document_id, once=once)
            if quote.document is None:
                self._hold_unchanged(quote)
            sent = send_quote(
                self.job.caller,
                document_id,
                expected_version=quote.version,
                mail=True,
                recipient=None,
                correlation_id=self.job.correlation_id,
                once=once,
                quotes=self.quotes,
                customers=self.customers,
                clock=self.clock,
                ids=self.ids,
            )
            return sent.number or ""
        return send_invoice(
            self.job.caller,
            document_id,
            recipient=None,
            correlation_id=self.job.correlation_id,
            once=once,
            invoices=self.invoices,
            customers=self.customers,
            clock=self.clock,
            ids=self.ids,
        ).document.number

    def _printed(self, document_id: str) -> tuple[str, StoredPdf]:
        """Number and stored PDF. Raises: _NotYet while it is being made."""
        number, delivery = self._delivered(document_id)
        if delivery.pdf is not None:
            return number, delivery.pdf
        if delivery.in_progress:
            raise _NotYet
        raise PdfNotReady

    def _delivered(self, document_id: str) -> tuple[str, Delivery]:
        if is_quote_id(document_id):
            quote = self.quotes.read(self.job.caller, document_id)
            return quote.frozen.number, quote.delivery
        invoice = self.invoices.read(self.job.caller, document_id)
        if isinstance(invoice, DraftInvoice):
            raise InvoiceNotIssued
        return invoice.document.number, invoice.delivery

    def _hold_unchanged(self, draft: DraftInvoice | Quote) -> None:
        """A draft leaves as it stood when it was chosen. Raises: StaleVersion."""
        if draft.updated_at > self.job.started_at:
            raise StaleVersion

    def _once(self, rank: int, document_id: str) -> IdempotentRequest:
        return IdempotentRequest(
            operation="bulk",
            key=f"{self.job.bulk_job_id}-{rank}",
            fingerprint=hashlib.sha256(document_id.encode()).hexdigest(),
            answer_of=_answer_of,
        )


def _answer_of(document: IssuedInvoice | Quote) -> Answer:
    """All that a run needs to know of what an earlier one did."""
    number = document.number or "" if isinstance(document, Quote) else document.document.number
    return Answer(status=200, body=number)


def _archived(
    job: BulkJob, bulk_jobs: BulkJobs, archives: Archives, chains: Chains, verifier: str, clock: Clock
) -> BulkArchive | None:
    results = tuple(
        result for result in bulk_jobs.all_results(job.tenant_id, job.bulk_job_id) if result.outcome is BulkOutcome.DONE
    )
    if not results:
        return None
    named = list(zip(archive_names(results), results, strict=True))
    files = [ArchivedFile(name, result.pdf_key) for name, result in named]
    proven = [ProvenDocument(result=result, pdf=name) for name, result in named if result.is_proven]
    proofs = ExportProofs(job, proven, chains=chains, verifier=verifier).texts(clock.now()) if proven else ()
    key = f"{job.tenant_id}/exports/{job.bulk_job_id}-{job.run}.zip"
    stored = archives.archive(key, files, proofs, dated=job.started_at)
    return BulkArchive(key=key, sha256=stored.sha256, size_bytes=stored.size_bytes, made_at=clock.now())
