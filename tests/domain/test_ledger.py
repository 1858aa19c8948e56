"""Status and balance are functions of what was paid, credited and refunded."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from billing.domain.errors import PaymentExceedsBalance
from billing.domain.ledger import EntryKind, InvoiceStatus, Ledger, is_overdue
from billing.domain.typography import format_euros
from tests.factories import entry

PAY, CREDIT, REFUND = EntryKind.PAYMENT, EntryKind.CREDIT, EntryKind.REFUND
DUE = date(2026, 12, 23)

STORIES = [
    pytest.param(100, (), "issued", 100, id="nothing-yet"),
    pytest.param(100, ((PAY, 1),), "partially_paid", 99, id="a-cent"),
    pytest.param(100, ((PAY, 99),), "partially_paid", 1, id="all-but-a-cent"),
    pytest.param(100, ((PAY, 100),), "paid", 0, id="paid"),
    pytest.param(100, ((PAY, 40), (PAY, 60)), "paid", 0, id="paid-in-two"),
    pytest.param(100, ((CREDIT, 40),), "partially_paid", 60, id="credited-in-part"),
    pytest.param(100, ((CREDIT, 100),), "cancelled", 0, id="credited-in-full"),
    pytest.param(100, ((CREDIT, 40), (PAY, 60)), "paid", 0, id="credit-then-payment-of-the-rest"),
    pytest.param(100, ((PAY, 100), (REFUND, 100)), "issued", 100, id="refunded-in-full-is-owed-again"),
    pytest.param(100, ((PAY, 100), (REFUND, 30)), "partially_paid", 30, id="refunded-in-part"),
    pytest.param(100, ((PAY, 100), (REFUND, 100), (CREDIT, 100)), "cancelled", 0, id="refunded-then-cancelled"),
    pytest.param(0, (), "paid", 0, id="free-of-charge"),
]


def _ledger(total_minor: int, movements: tuple[tuple[EntryKind, int], ...]) -> Ledger:
    entries = tuple(entry(rank, amount, kind=kind) for rank, (kind, amount) in enumerate(movements, start=1))
    return Ledger.replay(total_minor, entries)


@pytest.mark.parametrize(("total_minor", "movements", "status", "balance_minor"), STORIES)
def test_status_and_balance_follow_from_the_movements(
    total_minor: int, movements: tuple[tuple[EntryKind, int], ...], status: str, balance_minor: int
) -> None:
    ledger = _ledger(total_minor, movements)

    assert (ledger.status.value, ledger.balance_minor) == (status, balance_minor)
    assert ledger.entry_count == len(movements)


@pytest.mark.parametrize("kind", [PAY, CREDIT])
@pytest.mark.parametrize("movements", [(), ((PAY, 60),), ((CREDIT, 60),), ((PAY, 60), (REFUND, 10)), ((PAY, 100),)])
def test_no_payment_or_credit_exceeds_the_balance(
    kind: EntryKind, movements: tuple[tuple[EntryKind, int], ...]
) -> None:
    ledger = _ledger(100, movements)

    with pytest.raises(PaymentExceedsBalance) as refused:
        ledger.with_entry(entry(len(movements) + 1, ledger.balance_minor + 1, kind=kind))

    left = format_euros(ledger.balance_minor)
    assert refused.value.detail_fr == (
        f"Il reste {left} à payer." if ledger.balance_minor else "La facture est déjà réglée."
    )


def test_the_balance_is_written_as_the_reader_writes_it() -> None:
    with pytest.raises(PaymentExceedsBalance) as refused:
        Ledger(total_minor=123_450).with_entry(entry(1, 123_451, kind=PAY))

    assert refused.value.detail_fr == "Il reste 1\u202f234,50\u00a0€ à payer."
    assert refused.value.detail_en == "€1,234.50 is left to pay."


def test_a_refund_never_exceeds_what_was_paid() -> None:
    with pytest.raises(ValueError, match="refund"):
        _ledger(100, ((REFUND, 1),))
    with pytest.raises(ValueError, match="refund"):
        _ledger(100, ((PAY, 50), (REFUND, 30), (REFUND, 21)))


@pytest.mark.parametrize("rank", [0, 1, 3])
def test_entries_follow_each_other(rank: int) -> None:
    ledger = _ledger(100, ((PAY, 10),))

    with pytest.raises(ValueError, match="follow"):
        ledger.with_entry(entry(rank, 10))


@pytest.mark.parametrize("amount_minor", [0, -1])
def test_an_amount_is_positive(amount_minor: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        entry(1, amount_minor)


@pytest.mark.parametrize(
    ("movements", "today", "overdue"),
    [
        ((), DUE, False),
        ((), DUE + timedelta(days=1), True),
        (((PAY, 99),), DUE + timedelta(days=1), True),
        (((PAY, 100),), DUE + timedelta(days=1), False),
        (((CREDIT, 100),), DUE + timedelta(days=1), False),
        (((PAY, 100), (REFUND, 100)), DUE + timedelta(days=1), True),
    ],
)
def test_overdue_is_owed_the_day_after_the_due_date(
    movements: tuple[tuple[EntryKind, int], ...],
    today: date,
    overdue: bool,
) -> None:
    assert is_overdue(_ledger(100, movements), DUE, today) is overdue


def test_a_status_is_one_of_five() -> None:
    assert {status.value for status in InvoiceStatus} == {"draft", "issued", "partially_paid", "paid", "cancelled"}
