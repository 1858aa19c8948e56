"""The verifier finds each broken rule, and only that, when one thing of a valid chain is changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from billing.domain.invoice import InvoiceDocument, document_hash
from billing.domain.numbering import Series, SeriesState
from billing.domain.totals import Discount
from billing.domain.verification import (
    MAX_FINDINGS,
    ChainedDocument,
    ChainLink,
    ChainPosition,
    MissingDocument,
    Rule,
    SeriesEnding,
    Verification,
    VerificationState,
    check_page,
)
from tests.factories import VAT_5_5, content, draft, entry, issued_after, priced
from tests.fakes.clock import MORNING

Chain = list[ChainLink]
DAYS = (date(2026, 12, 30), date(2026, 12, 31), date(2026, 12, 31), date(2027, 1, 1), date(2027, 1, 4))
LATER = MORNING + timedelta(minutes=1)


def _chain() -> tuple[Chain, SeriesState]:
    state = SeriesState.untouched(Series.INVOICE)
    chain: Chain = []
    for index, day in enumerate(DAYS, start=1):
        holding = content(priced("100"), priced("30.37", "3", vat=VAT_5_5), discount=Discount(amount_minor=index))
        invoice, allocation, state = issued_after(state, draft(invoice_id=f"inv_{index}", holding=holding), on=day)
        entries = tuple(entry(rank, 1000) for rank in range(1, index))
        for item in entries:
            invoice = invoice.with_entry(item)
        chain.append(
            ChainedDocument(
                year=allocation.year,
                rank=allocation.rank,
                number=allocation.number,
                canonical=invoice.document.canonical(),
                invoice=invoice,
                entries=entries,
            )
        )
    return chain, state


def _verify(chain: Chain, target: SeriesState, *, page: int = 2) -> Verification:
    verification = Verification(
        tenant_id="ten_a",
        verification_id="ver_1",
        version=1,
        target=target,
        correlation_id="corr",
        started_at=MORNING,
        updated_at=MORNING,
    )
    for start in range(0, len(chain), page):
        verification = verification.advanced(tuple(chain[start : start + page]), LATER)
    place = (target.year, target.last_rank)
    return verification.walked(SeriesEnding(head=place, last_place=place), LATER).finished(LATER)


def _rewritten(item: ChainedDocument, **changes: object) -> ChainedDocument:
    """The document changed together with its text and hash: a forger who knows the format."""
    document: InvoiceDocument = replace(item.invoice.document, **changes)  # type: ignore[arg-type]
    text = document.canonical()
    invoice = replace(item.invoice, document=document, document_hash=document_hash(text))
    return replace(item, canonical=text, invoice=invoice)


def _document(item: ChainLink) -> ChainedDocument:
    assert isinstance(item, ChainedDocument)
    return item


def _rewrite(at: int, change: Callable[[ChainedDocument], ChainLink]) -> Callable[[Chain], Chain]:
    return lambda chain: [change(_document(item)) if index == at else item for index, item in enumerate(chain)]


def _lost(item: ChainedDocument) -> MissingDocument:
    return MissingDocument(
        year=item.year,
        rank=item.rank,
        number=item.number,
        document_hash=item.invoice.document_hash,
        detail="the invoice inv_9 is not there",
    )


def _head(item: ChainedDocument, **changes: object) -> ChainedDocument:
    return replace(item, invoice=replace(item.invoice, ledger=replace(item.invoice.ledger, **changes)))  # type: ignore[arg-type]


def _totals(item: ChainedDocument, **changes: object) -> ChainedDocument:
    return _rewritten(item, totals=replace(item.invoice.document.totals, **changes))  # type: ignore[arg-type]


def _impossible_discount(item: ChainedDocument) -> ChainedDocument:
    totals = item.invoice.document.totals
    first = totals.lines[0]
    broken = replace(first, line=replace(first.line, discount=Discount(amount_minor=10**9)))
    return _totals(item, lines=(broken, *totals.lines[1:]))


# What is changed in the valid chain of five → the rules that must be found broken, and no other.
BREAKS: dict[str, tuple[Callable[[Chain], Chain], set[Rule]]] = {
    "a document in the middle is missing": (
        lambda chain: [*chain[:1], *chain[2:]],
        {Rule.NUMBERS_DENSE, Rule.CHAIN_UNBROKEN},
    ),
    "the first document of a year is missing": (
        lambda chain: [*chain[:3], *chain[4:]],
        {Rule.NUMBERS_DENSE, Rule.CHAIN_UNBROKEN},
    ),
    "the last document of a year is missing": (
        lambda chain: [*chain[:2], *chain[3:]],
        {Rule.CHAIN_UNBROKEN},
    ),
    "the last document of all is missing": (lambda chain: chain[:-1], {Rule.SERIES_HEAD_MATCHES}),
    "every document is missing": (lambda _: [], {Rule.SERIES_HEAD_MATCHES}),
    "the document of a place is lost": (_rewrite(1, _lost), {Rule.DOCUMENT_PRESENT}),
    "the document of the first place is lost": (_rewrite(0, _lost), {Rule.DOCUMENT_PRESENT}),
    "the document of the last place is lost": (_rewrite(4, _lost), {Rule.DOCUMENT_PRESENT}),
    "a lost document hid another one": (
        lambda chain: [*chain[:1], replace(_lost(_document(chain[1])), document_hash="f" * 64), *chain[2:]],
        {Rule.DOCUMENT_PRESENT, Rule.CHAIN_UNBROKEN},
    ),
    "a lost document stands in the wrong place": (
        lambda chain: [*chain[:1], replace(_lost(_document(chain[1])), rank=3), *chain[2:]],
        {Rule.DOCUMENT_PRESENT, Rule.NUMBERS_DENSE},
    ),
    "a document stands twice": (
        lambda chain: [*chain[:2], chain[1], *chain[2:]],
        {Rule.NUMBERS_DENSE, Rule.CHAIN_UNBROKEN},
    ),
    "the years are in the wrong order": (
        lambda chain: [*chain[3:], *chain[:3]],
        {Rule.NUMBERS_DENSE, Rule.CHAIN_UNBROKEN, Rule.DATES_RISE, Rule.SERIES_HEAD_MATCHES},
    ),
    "a place has another number than its document": (
        _rewrite(1, lambda item: replace(item, number="F2026-00009")),
        {Rule.NUMBER_MATCHES_DOCUMENT},
    ),
    "two places are exchanged": (
        lambda chain: [
            replace(chain[1], rank=1, number=chain[0].number),
            replace(chain[0], rank=2, number=chain[1].number),
            *chain[2:],
        ],
        {Rule.NUMBER_MATCHES_DOCUMENT, Rule.CHAIN_UNBROKEN, Rule.DATES_RISE},
    ),
    "a date falls back": (
        _rewrite(4, lambda item: _rewritten(item, issue_date=date(2026, 12, 31))),
        {Rule.DATES_RISE, Rule.SERIES_HEAD_MATCHES},
    ),
    "a document was rewritten with its hash": (
        _rewrite(2, lambda item: _rewritten(item, notes="autre")),
        {Rule.CHAIN_UNBROKEN},
    ),
    "the last document was rewritten with its hash": (
        _rewrite(4, lambda item: _rewritten(item, notes="autre")),
        {Rule.SERIES_HEAD_MATCHES},
    ),
    "a document points at another predecessor": (
        _rewrite(4, lambda item: _rewritten(item, previous_hash="f" * 64)),
        {Rule.CHAIN_UNBROKEN, Rule.SERIES_HEAD_MATCHES},
    ),
    "the stored hash was changed": (
        _rewrite(1, lambda item: replace(item, invoice=replace(item.invoice, document_hash="f" * 64))),
        {Rule.HASH_MATCHES},
    ),
    "the text was changed without its hash": (
        _rewrite(1, lambda item: replace(item, canonical=item.canonical.replace("Lyon", "Caen"))),
        {Rule.HASH_MATCHES, Rule.CHAIN_UNBROKEN},
    ),
    "the text is written otherwise": (
        _rewrite(4, lambda item: replace(item, canonical=item.canonical + " ")),
        {Rule.HASH_MATCHES, Rule.SERIES_HEAD_MATCHES},
    ),
    "a total is a cent too high": (
        _rewrite(4, lambda item: _totals(item, vat_minor=item.invoice.document.totals.vat_minor + 1)),
        {Rule.TOTALS_ADD_UP, Rule.SERIES_HEAD_MATCHES},
    ),
    "a line's discount exceeds the line": (
        _rewrite(4, _impossible_discount),
        {Rule.TOTALS_ADD_UP, Rule.SERIES_HEAD_MATCHES},
    ),
    "the balance was set by hand": (
        _rewrite(2, lambda item: _head(item, paid_minor=0)),
        {Rule.LEDGER_MATCHES_ENTRIES},
    ),
    "the ledger counts an entry too many": (
        _rewrite(2, lambda item: _head(item, entry_count=3)),
        {Rule.LEDGER_MATCHES_ENTRIES},
    ),
    "the ledger starts from another total": (
        _rewrite(0, lambda item: _head(item, total_minor=1)),
        {Rule.LEDGER_MATCHES_ENTRIES},
    ),
    "an entry is missing": (
        _rewrite(3, lambda item: replace(item, entries=item.entries[:-1])),
        {Rule.LEDGER_MATCHES_ENTRIES},
    ),
    "an entry in the middle is missing": (
        _rewrite(3, lambda item: replace(item, entries=(item.entries[0], item.entries[2]))),
        {Rule.LEDGER_MATCHES_ENTRIES},
    ),
    "an entry was changed": (
        _rewrite(3, lambda item: replace(item, entries=(entry(1, 999), *item.entries[1:]))),
        {Rule.LEDGER_MATCHES_ENTRIES},
    ),
    "the entries overpay": (
        _rewrite(1, lambda item: replace(item, entries=(entry(1, 10**9),))),
        {Rule.LEDGER_MATCHES_ENTRIES},
    ),
}


@pytest.mark.parametrize("page", [1, 2, 3, 100])
def test_a_valid_chain_passes(page: int) -> None:
    chain, target = _chain()

    result = _verify(chain, target, page=page)

    assert (result.state, result.findings) == (VerificationState.PASSED, ())
    assert result.documents_checked == len(DAYS)
    assert result.finished_at == LATER


def test_nothing_issued_passes() -> None:
    assert _verify([], SeriesState.untouched(Series.INVOICE)).state is VerificationState.PASSED


@pytest.mark.parametrize("what", BREAKS)
@pytest.mark.parametrize("page", [1, 100])
def test_one_thing_broken_is_found_as_what_it_is(what: str, page: int) -> None:
    chain, target = _chain()
    change, expected = BREAKS[what]

    result = _verify(change(chain), target, page=page)

    assert result.state is VerificationState.FAILED
    assert {finding.rule for finding in result.findings} == expected


def test_the_breaks_cover_every_rule() -> None:
    """Those of credits and of customers' credits are in test_verification_of_credits.py."""
    elsewhere = {Rule.CREDITS_MATCH_NOTES, Rule.NOTE_IS_CREDITED, Rule.CUSTOMER_CREDIT_ADDS_UP}

    assert set().union(*(rules for _, rules in BREAKS.values())) == set(Rule) - elsewhere


def test_a_finding_names_the_document() -> None:
    chain, target = _chain()
    change, _ = BREAKS["the balance was set by hand"]

    (finding,) = _verify(change(chain), target).findings

    assert (finding.rule, finding.subject) == (Rule.LEDGER_MATCHES_ENTRIES, "F2026-00003")


def test_findings_are_bounded_and_still_fail() -> None:
    chain, target = _chain()
    broken = [replace(chain[0], rank=9, number="X")] * 60

    result = _verify(broken, target)

    assert len(result.findings) == MAX_FINDINGS
    assert result.state is VerificationState.FAILED


def test_an_aborted_job_says_why() -> None:
    _, target = _chain()
    running = replace(_verify([], target), state=VerificationState.RUNNING)

    aborted = running.aborted("States.Timeout", LATER)

    assert (aborted.state, aborted.error, aborted.version) == (
        VerificationState.ABORTED,
        "States.Timeout",
        running.version + 1,
    )


def test_the_position_after_a_page_is_that_of_its_last_document() -> None:
    chain, target = _chain()

    position, findings = check_page(ChainPosition(), tuple(chain))

    assert findings == ()
    assert (position.year, position.rank, position.last_hash) == (2027, 2, target.last_hash)
    assert position.last_date == DAYS[-1]


def test_a_series_that_was_set_back_is_a_finding() -> None:
    job = Verification(
        tenant_id="ten_a",
        verification_id="ver_1",
        version=1,
        target=SeriesState.untouched(Series.INVOICE),
        correlation_id="corr",
        started_at=MORNING,
        updated_at=MORNING,
    )

    finished = job.walked(SeriesEnding(head=(0, 0), last_place=(2026, 4)), LATER).finished(LATER)

    assert finished.state is VerificationState.FAILED
    assert [finding.rule for finding in finished.findings] == [Rule.SERIES_HEAD_MATCHES]
