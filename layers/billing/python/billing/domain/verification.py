"""Proof that a tenant's issued documents are dense, chained, right to the cent and settled as the ledger says.

Every series is walked in turn, then every customer's credit.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from billing.domain.canonical import LATER
from billing.domain.crediting import groups_of, vat_of, with_vat_rounding
from billing.domain.customer_credit import CustomerCredit, CustomerCreditEntry
from billing.domain.errors import PaymentExceedsBalance
from billing.domain.events import SYSTEM_ACTOR, Event, EventType, derived_event_id
from billing.domain.invoice import InvoiceDocument, IssuedInvoice, document_hash
from billing.domain.ledger import EntryKind, Ledger, LedgerEntry
from billing.domain.numbering import GENESIS_HASH, Series, SeriesStart, SeriesState
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
    CREDITS_MATCH_NOTES = "credits-match-notes"
    NOTE_IS_CREDITED = "note-is-credited"
    CUSTOMER_CREDIT_ADDS_UP = "customer-credit-adds-up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One broken rule: where (number or rank), and what was expected and found."""

    rule: Rule
    subject: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainedDocument:
    """A document as stored: its place in the series, its exact text, and its ledger.

    ``credit_notes`` are those that the ledger names. ``credited`` is what the ledger of the invoice that a credit note
    corrects says of it.
    """

    year: int
    rank: int
    number: str
    canonical: str
    invoice: IssuedInvoice
    entries: tuple[LedgerEntry, ...]
    credit_notes: tuple[InvoiceDocument, ...] = ()
    credited: tuple[LedgerEntry, ...] = ()


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditPosition:
    """Where the walk over the customers' credits stands: the customer, and what its entries came to so far."""

    customer_id: str = ""
    rank: int = 0
    balance_minor: int = 0
    complete: bool = True  # the next customer follows


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditPage:
    """The head of the next customer's credit and a page of its entries; ``complete`` when no entry follows."""

    head: CustomerCredit
    entries: tuple[CustomerCreditEntry, ...]
    complete: bool


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
    further: tuple[SeriesState, ...] = field(default=(), metadata=LATER)  # series to walk after the present one
    credits: CreditPosition | None = field(default=None, metadata=LATER)  # once every series is walked
    credits_checked: int = field(default=0, metadata=LATER)

    def advanced(self, page: tuple[ChainLink, ...], at: datetime) -> Verification:
        position, findings = check_page(self.position, page, self.target.start)
        return replace(
            self,
            version=self.version + 1,
            position=position,
            documents_checked=self.documents_checked + len(page),
            findings=(*self.findings, *findings)[:MAX_FINDINGS],
            updated_at=at,
        )

    def walked(self, ending: SeriesEnding, at: datetime) -> Verification:
        """The end of one series: on to the next one, or to the customers' credits.

        The chain must end where the series stood at the start, and the series now where its last place is.
        """
        series = self.target.series
        findings = (*_check_head(self.position, self.target), *_check_ending(series, ending))
        moved = replace(
            self, version=self.version + 1, findings=(*self.findings, *findings)[:MAX_FINDINGS], updated_at=at
        )
        if not self.further:
            return replace(moved, credits=CreditPosition())
        return replace(moved, target=self.further[0], further=self.further[1:], position=ChainPosition())

    def credited(self, page: CreditPage, at: datetime) -> Verification:
        position, findings, checked = check_credit_page(self.credits or CreditPosition(), page)
        return replace(
            self,
            version=self.version + 1,
            credits=position,
            credits_checked=self.credits_checked + checked,
            findings=(*self.findings, *findings)[:MAX_FINDINGS],
            updated_at=at,
        )

    def finished(self, at: datetime) -> Verification:
        """The verdict once everything was read."""
        state = VerificationState.FAILED if self.findings else VerificationState.PASSED
        return replace(self, version=self.version + 1, state=state, updated_at=at, finished_at=at)

    def aborted(self, error: str, at: datetime) -> Verification:
        return replace(
            self, version=self.version + 1, state=VerificationState.ABORTED, error=error, updated_at=at, finished_at=at
        )


def verification_started(verification: Verification, actor: str) -> Event:
    return Event(
        event_id=derived_event_id("started", verification.tenant_id, verification.verification_id),
        event_type=EventType.VERIFICATION_STARTED,
        occurred_at=verification.started_at,
        actor=actor,
        data={"verification_id": verification.verification_id},
    )


def verification_ended(verification: Verification) -> Event:
    return Event(
        event_id=derived_event_id("ended", verification.tenant_id, verification.verification_id),
        event_type=EventType.VERIFICATION_ENDED,
        occurred_at=verification.updated_at,
        actor=SYSTEM_ACTOR,
        data={
            "verification_id": verification.verification_id,
            "state": verification.state.value,
            "findings": len(verification.findings),
        },
    )


def check_page(
    position: ChainPosition, page: tuple[ChainLink, ...], start: SeriesStart | None = None
) -> tuple[ChainPosition, tuple[Finding, ...]]:
    """Walk one page of a series in rank order from a position; returns the new position and what is wrong.

    A series that goes on from another tool is dense from its ``start`` on.
    """
    findings: list[Finding] = []
    position = _from_start(position, start)
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


def _from_start(position: ChainPosition, start: SeriesStart | None) -> ChainPosition:
    """The beginning of the walk is where the series began; every other position stands."""
    if start is None or position != ChainPosition():
        return position
    return ChainPosition(year=start.last_date.year, rank=start.last_rank, last_date=start.last_date)


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
    return findings + (_check_note(item) if document.document_type.is_credit_note else _check_credits(item))


def _check_credits(item: ChainedDocument) -> list[Finding]:
    """What an invoice's ledger credits is what its credit notes say, and no more than the invoice."""
    document, ledger = item.invoice.document, item.invoice.ledger
    of_this = {
        note.invoice_id: note
        for note in item.credit_notes
        if note.document_type.is_credit_note and document.invoice_id in {one.invoice_id for one in note.preceding}
    }
    findings = []
    for entry in item.entries:
        if entry.kind is not EntryKind.CREDIT:
            continue
        note = of_this.get(entry.source_id)
        if note is None or note.totals.total_minor != entry.amount_minor or groups_of(note.totals) != entry.groups:
            findings.append(
                _finding(
                    Rule.CREDITS_MATCH_NOTES, item, f"no credit note says {entry.amount_minor} by {entry.source_id}"
                )
            )
    bounds = {group.vat: group for group in groups_of(document.totals)}
    for group in ledger.credited_groups:
        bound = bounds.get(group.vat)
        beyond = bound is None or abs(group.net_minor) > abs(bound.net_minor) or group.net_minor * bound.net_minor < 0
        if beyond or group.vat_minor != vat_of(group.vat, group.net_minor):
            detail = f"{group.net_minor} and {group.vat_minor} credited at {group.vat.rate}"
            findings.append(_finding(Rule.CREDITS_MATCH_NOTES, item, detail))
    return findings


def _check_note(item: ChainedDocument) -> list[Finding]:
    """A credit note is in its invoice's ledger once, and is settled to the cent."""
    document = item.invoice.document
    entries = [one for one in item.credited if one.kind is EntryKind.CREDIT and one.source_id == document.invoice_id]
    findings = []
    if len(entries) != 1 or entries[0].amount_minor != document.totals.total_minor:
        findings.append(_finding(Rule.NOTE_IS_CREDITED, item, "its invoice's ledger does not credit it once"))
    settled = {EntryKind.RELEASE: 0, EntryKind.REFUND: 0}
    for one in item.credited:
        if one.source_id == document.invoice_id and one.kind in settled:
            settled[one.kind] += one.amount_minor
    settlement = document.settlement
    said = (settlement.customer_credit_minor, settlement.refunded_minor) if settlement else None
    if settlement is None or settlement.total_minor != document.totals.total_minor or said != tuple(settled.values()):
        findings.append(_finding(Rule.NOTE_IS_CREDITED, item, "it is not settled as its invoice's ledger says"))
    return findings


def check_credit_page(position: CreditPosition, page: CreditPage) -> tuple[CreditPosition, tuple[Finding, ...], int]:
    """Walk a page of one customer's credit; the balance is at every entry the sum so far, and the head is the last."""
    head = page.head
    if position.customer_id != head.customer_id:
        position = CreditPosition(customer_id=head.customer_id, complete=False)
    findings: list[Finding] = []
    for entry in page.entries:
        expected = position.balance_minor + entry.kind.sign * entry.amount_minor
        right = entry.rank == position.rank + 1 and entry.balance_minor == expected >= 0
        right = right and entry.kind.may_move(entry.amount_minor)
        if not right:
            findings.append(_credit_finding(head, f"entry {entry.rank}: {entry.balance_minor}, {expected} expected"))
        position = replace(position, rank=entry.rank, balance_minor=expected)
    if page.complete and (position.rank, position.balance_minor) != (head.entry_count, head.balance_minor):
        findings.append(
            _credit_finding(head, f"the head says {head.balance_minor}, its entries make {position.balance_minor}")
        )
    return replace(position, complete=page.complete), tuple(findings), int(page.complete)


def _credit_finding(head: CustomerCredit, detail: str) -> Finding:
    return Finding(rule=Rule.CUSTOMER_CREDIT_ADDS_UP, subject=head.customer_id, detail=detail)


def _recomputed(document: InvoiceDocument) -> Totals | None:
    # A discount beyond what it is taken from is itself the proof of broken totals.
    lines = tuple(computed.line for computed in document.totals.lines)
    # Only the VAT of a credit note may be off its own rounding, and by one cent (its invoice's credits must re-add).
    allowed = int(document.document_type.is_credit_note)
    if any(abs(rounding.amount_minor) > allowed for rounding in document.vat_rounding):
        return None
    try:
        totals = compute_totals(
            lines,
            discount=document.document_discount,
            allowances=document.allowances,
            charges=document.charges,
            prepaid_minor=document.totals.prepaid_minor,
        )
        return with_vat_rounding(totals, document.vat_rounding)
    except ValueError:
        return None


def _ledger_proven(stored: Ledger, total_minor: int, entries: tuple[LedgerEntry, ...]) -> bool:
    # A refusal while replaying (an overpayment, a missing rank) is itself the proof of a broken ledger.
    try:
        return Ledger.replay(total_minor, entries) == stored
    except (ValueError, PaymentExceedsBalance):
        return False


def _check_head(position: ChainPosition, target: SeriesState) -> tuple[Finding, ...]:
    position = _from_start(position, target.start)
    reached = (position.year, position.rank, position.last_hash)
    expected = (target.year, target.last_rank, target.last_hash)
    if reached == expected:
        return ()
    detail = f"the chain ends at {reached[0]}/{reached[1]}, the series stood at {expected[0]}/{expected[1]}"
    return (Finding(rule=Rule.SERIES_HEAD_MATCHES, subject=target.series, detail=detail),)


def _check_ending(series: Series, ending: SeriesEnding) -> tuple[Finding, ...]:
    """A series that was set back would give its last numbers again."""
    if ending.head == ending.last_place:
        return ()
    detail = f"the series stands at {ending.head}, its last place is {ending.last_place}"
    return (Finding(rule=Rule.SERIES_HEAD_MATCHES, subject=series, detail=detail),)


def _finding(rule: Rule, item: ChainLink, detail: str) -> Finding:
    return Finding(rule=rule, subject=item.number, detail=detail)
