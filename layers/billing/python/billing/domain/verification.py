"""Proof that a tenant's issued documents are dense, chained, right to the cent and settled as the ledger says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from billing.domain.errors import PaymentExceedsBalance
from billing.domain.invoice import InvoiceDocument, IssuedInvoice, document_hash
from billing.domain.ledger import Ledger, LedgerEntry
from billing.domain.numbering import GENESIS_HASH, Series, SeriesState
from billing.domain.totals import Totals, compute_totals

MAX_FINDINGS = 100


class Rule(StrEnum):
    DOCUMENT_PRESENT = "document-present"
    NUMBERS_DENSE = "numbers-dense"
    NUMBER_MATCHES_DOCUMENT = "number-matches-document"
    DATES_RISE = "dates-rise"
    CHAIN_UNBROKEN = "chain-unbroken"
    HASH_MATCHES = "hash-matches"
    TOTALS_ADD_UP = "totals-add-up"
    LEDGER_MATCHES_ENTRIES = "ledger-matches-entries"
    SERIES_HEAD_MATCHES = "series-head-matches"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One broken rule: where (number or rank), and what was expected and found."""

    rule: Rule
    subject: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainedDocument:
    """A document as stored: its place in the series, its exact text, and its ledger."""

    year: int
    rank: int
    number: str
    canonical: str
    invoice: IssuedInvoice
    entries: tuple[LedgerEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingDocument:
    """A place of the series whose document is not there, or cannot be read any more.

    The place itself recorded the document's hash: the next document is held to it.
    """

    year: int
    rank: int
    number: str
    document_hash: str
    detail: str


ChainLink = ChainedDocument | MissingDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainPosition:
    """Where the walk along the chain stands: the checkpoint of the paged job."""

    year: int = 0
    rank: int = 0
    last_hash: str = GENESIS_HASH
    last_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesEnding:
    """As one moment saw them: where the series says it stands, and the last place that was ever taken."""

    head: tuple[int, int]
    last_place: tuple[int, int]


class VerificationState(StrEnum):
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"  # the proof failed: findings say where
    ABORTED = "aborted"  # the job itself could not go on


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The job: progress while it runs, its result afterwards."""

    tenant_id: str
    verification_id: str
    version: int
    state: VerificationState = VerificationState.RUNNING
    position: ChainPosition = ChainPosition()
    target: SeriesState
    documents_checked: int = 0
    findings: tuple[Finding, ...] = ()
    error: str = ""
    correlation_id: str
    executions: int = 0
    started_at: datetime
    updated_at: datetime
    finished_at: datetime | None = None

    def advanced(self, page: tuple[ChainLink, ...], at: datetime) -> Verification:
        position, findings = check_page(self.position, page)
        return replace(
            self,
            version=self.version + 1,
            position=position,
            documents_checked=self.documents_checked + len(page),
            findings=(*self.findings, *findings)[:MAX_FINDINGS],
            updated_at=at,
        )

    def finished(self, ending: SeriesEnding, at: datetime) -> Verification:
        """The verdict once every page was read.

        The chain must end where the series stood at the start, and the series now where its last place is.
        """
        head = _check_head(self.position, self.target)
        findings = (*self.findings, *head, *_check_ending(ending))[:MAX_FINDINGS]
        state = VerificationState.FAILED if findings else VerificationState.PASSED
        return replace(self, version=self.version + 1, state=state, findings=findings, updated_at=at, finished_at=at)

    def aborted(self, error: str, at: datetime) -> Verification:
        return replace(
            self, version=self.version + 1, state=VerificationState.ABORTED, error=error, updated_at=at, finished_at=at
        )


def check_page(position: ChainPosition, page: tuple[ChainLink, ...]) -> tuple[ChainPosition, tuple[Finding, ...]]:
    """Walk one page of a series in rank order from a position; returns the new position and what is wrong."""
    findings: list[Finding] = []
    for item in page:
        findings += _check_rank(position, item)
        if isinstance(item, MissingDocument):
            findings.append(_finding(Rule.DOCUMENT_PRESENT, item, item.detail))
            last_hash, last_date = item.document_hash, position.last_date
        else:
            findings += _check_place(position, item)
            findings += _check_document(item)
            last_hash, last_date = document_hash(item.canonical), item.invoice.document.issue_date
        position = ChainPosition(year=item.year, rank=item.rank, last_hash=last_hash, last_date=last_date)
    return position, tuple(findings)


def _check_rank(position: ChainPosition, item: ChainLink) -> list[Finding]:
    expected = position.rank + 1 if item.year == position.year else 1
    if item.rank == expected and item.year >= position.year:
        return []
    return [_finding(Rule.NUMBERS_DENSE, item, f"rank {expected} expected, {item.rank} found")]


def _check_place(position: ChainPosition, item: ChainedDocument) -> list[Finding]:
    findings = []
    document = item.invoice.document
    if (document.number, document.year, document.rank) != (item.number, item.year, item.rank):
        findings.append(_finding(Rule.NUMBER_MATCHES_DOCUMENT, item, f"the document says {document.number}"))
    if position.last_date is not None and document.issue_date < position.last_date:
        findings.append(_finding(Rule.DATES_RISE, item, f"{document.issue_date} follows {position.last_date}"))
    if document.previous_hash != position.last_hash:
        findings.append(_finding(Rule.CHAIN_UNBROKEN, item, "the previous document's hash differs"))
    return findings


def _check_document(item: ChainedDocument) -> list[Finding]:
    findings = []
    invoice = item.invoice
    document = invoice.document
    if document_hash(item.canonical) != invoice.document_hash or document.canonical() != item.canonical:
        findings.append(_finding(Rule.HASH_MATCHES, item, "the stored text does not give the stored hash"))
    recomputed = _recomputed(document)
    if recomputed != document.totals:
        computed = recomputed.total_minor if recomputed else "no total"
        detail = f"{computed} computed, {document.totals.total_minor} stored"
        findings.append(_finding(Rule.TOTALS_ADD_UP, item, detail))
    if not _ledger_proven(invoice.ledger, document.owed_minor, item.entries):
        findings.append(_finding(Rule.LEDGER_MATCHES_ENTRIES, item, "the entries do not make the stored balance"))
    return findings


def _recomputed(document: InvoiceDocument) -> Totals | None:
    # A discount beyond what it is taken from is itself the proof of broken totals.
    lines = tuple(computed.line for computed in document.totals.lines)
    try:
        return compute_totals(
            lines,
            discount=document.document_discount,
            allowances=document.allowances,
            charges=document.charges,
            prepaid_minor=document.totals.prepaid_minor,
        )
    except ValueError:
        return None


def _ledger_proven(stored: Ledger, total_minor: int, entries: tuple[LedgerEntry, ...]) -> bool:
    # A refusal while replaying (an overpayment, a missing rank) is itself the proof of a broken ledger.
    try:
        return Ledger.replay(total_minor, entries) == stored
    except (ValueError, PaymentExceedsBalance):
        return False


def _check_head(position: ChainPosition, target: SeriesState) -> tuple[Finding, ...]:
    reached = (position.year, position.rank, position.last_hash)
    expected = (target.year, target.last_rank, target.last_hash)
    if reached == expected:
        return ()
    detail = f"the chain ends at {reached[0]}/{reached[1]}, the series stood at {expected[0]}/{expected[1]}"
    return (Finding(rule=Rule.SERIES_HEAD_MATCHES, subject=Series.INVOICE, detail=detail),)


def _check_ending(ending: SeriesEnding) -> tuple[Finding, ...]:
    """A series that was set back would give its last numbers again."""
    if ending.head == ending.last_place:
        return ()
    detail = f"the series stands at {ending.head}, its last place is {ending.last_place}"
    return (Finding(rule=Rule.SERIES_HEAD_MATCHES, subject=Series.INVOICE, detail=detail),)


def _finding(rule: Rule, item: ChainLink, detail: str) -> Finding:
    return Finding(rule=rule, subject=item.number, detail=detail)
