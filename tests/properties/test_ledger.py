"""No order of movements over-pays, and the status depends on the sums alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from billing.domain.errors import PaymentExceedsBalance
from billing.domain.ledger import EntryKind, InvoiceStatus, Ledger, LedgerEntry
from tests.factories import entry
from tests.properties.strategies import examined

MOVEMENTS = st.lists(st.tuples(st.sampled_from(EntryKind), st.integers(1, 400)), max_size=15)


def _play(total_minor: int, movements: list[tuple[EntryKind, int]]) -> tuple[Ledger, list[LedgerEntry]]:
    """Every movement tried in turn; those refused leave no trace."""
    ledger, kept = Ledger(total_minor=total_minor), []
    for kind, amount in movements:
        attempted = entry(ledger.entry_count + 1, amount, kind=kind)
        try:
            ledger = ledger.with_entry(attempted)
        except (PaymentExceedsBalance, ValueError):
            continue
        kept.append(attempted)
    return ledger, kept


@examined
@given(st.integers(0, 500), MOVEMENTS)
def test_nothing_is_ever_over_paid(total_minor: int, movements: list[tuple[EntryKind, int]]) -> None:
    ledger, _ = _play(total_minor, movements)

    assert ledger.balance_minor >= 0
    assert ledger.kept_minor <= total_minor
    assert ledger.credited_minor <= total_minor
    assert ledger.reversed_minor <= ledger.paid_minor
    assert ledger.kept_minor + ledger.credited_minor + ledger.balance_minor == total_minor


@examined
@given(st.integers(0, 500), MOVEMENTS)
def test_only_a_reversal_takes_back_more_than_is_kept(total_minor: int, movements: list[tuple[EntryKind, int]]) -> None:
    ledger, _ = _play(total_minor, [movement for movement in movements if movement[0] is not EntryKind.REVERSAL])

    assert ledger.kept_minor >= 0


@examined
@given(st.integers(0, 500), MOVEMENTS)
def test_replaying_the_entries_gives_the_ledger(total_minor: int, movements: list[tuple[EntryKind, int]]) -> None:
    ledger, kept = _play(total_minor, movements)

    assert Ledger.replay(total_minor, tuple(kept)) == ledger
    assert ledger.entry_count == len(kept)


@examined
@given(st.integers(0, 500), MOVEMENTS)
def test_the_status_is_a_function_of_the_sums(total_minor: int, movements: list[tuple[EntryKind, int]]) -> None:
    ledger, _ = _play(total_minor, movements)

    kept, credited = ledger.kept_minor, ledger.credited_minor
    if kept + credited == total_minor:
        expected = InvoiceStatus.CANCELLED if total_minor and credited == total_minor else InvoiceStatus.PAID
    else:
        expected = InvoiceStatus.PARTIALLY_PAID if kept > 0 or credited else InvoiceStatus.ISSUED
    assert ledger.status is expected
