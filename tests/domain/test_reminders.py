"""The claim of a reminder: simple interest at the printed rate on what was owed each day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.ledger import EntryKind, LedgerEntry
from billing.domain.money import round_minor
from billing.domain.reminders import (
    DEFAULT_STEPS,
    ReminderLevel,
    ReminderPlan,
    late_penalty_minor,
    reminded_of,
    reminder_id_of,
)
from tests import factories

INVOICE = factories.issued()
DUE = INVOICE.document.due_date
TOTAL = INVOICE.ledger.total_minor
RATE = INVOICE.document.seller.late_penalty_rate


def moved(*entries: tuple[EntryKind, int, int]) -> tuple[LedgerEntry, ...]:
    """Entries of (kind, cents, days after the due date)."""
    return tuple(
        factories.entry(rank, amount, kind=kind, entry_date=DUE + timedelta(days=days))
        for rank, (kind, amount, days) in enumerate(entries, 1)
    )


@pytest.mark.parametrize(
    ("entries", "late", "owed_days"),
    [
        ((), 0, 0),
        ((), 1, TOTAL),
        ((), 30, TOTAL * 30),
        (((EntryKind.PAYMENT, 1_000, -5),), 10, (TOTAL - 1_000) * 10),
        # Paid at the end of the fifth day: five days on all of it, but for the day of the payment itself.
        (((EntryKind.PAYMENT, 1_000, 5),), 10, TOTAL * 4 + (TOTAL - 1_000) * 6),
        (((EntryKind.CREDIT, 1_000, 8),), 10, (TOTAL - 1_000) * 10),
        (((EntryKind.PAYMENT, TOTAL, 2), (EntryKind.REVERSAL, TOTAL, 6)), 10, TOTAL * 1 + TOTAL * 5),
    ],
)
def test_interest_runs_on_what_was_owed_each_day(
    entries: tuple[tuple[EntryKind, int, int], ...], late: int, owed_days: int
) -> None:
    penalty = late_penalty_minor(INVOICE, moved(*entries), today=DUE + timedelta(days=late))

    assert penalty == round_minor(Decimal(owed_days) * RATE / 36_500)


@given(st.lists(st.tuples(st.integers(1, 5_000), st.integers(-10, 400)), max_size=6), st.integers(0, 400))
def test_interest_is_the_sum_over_the_days(payments: list[tuple[int, int]], late: int) -> None:
    entries = moved(*((EntryKind.PAYMENT, amount, day) for amount, day in payments))
    owed = sum(max(TOTAL - sum(amount for amount, paid in payments if paid <= day), 0) for day in range(1, late + 1))

    penalty = late_penalty_minor(INVOICE, entries, today=DUE + timedelta(days=late))

    assert penalty == round_minor(Decimal(owed) * RATE / 36_500)


@pytest.mark.parametrize("level", ReminderLevel)
def test_an_id_is_made_of_invoice_and_level(level: ReminderLevel) -> None:
    made = reminder_id_of("inv_01JDCRX8R4T6V8W0X2Y4Z6A8BC", level)

    assert reminded_of(made) == ("inv_01JDCRX8R4T6V8W0X2Y4Z6A8BC", level)


def test_the_furthest_step_is_the_one_that_is_reached() -> None:
    plan, due = ReminderPlan(tenant_id="ten"), date(2027, 1, 31)

    assert plan.reached(due, due - timedelta(days=4)) is None
    assert plan.reached(due, due + timedelta(days=29)) == DEFAULT_STEPS[2]
    assert plan.to_come(due, due + timedelta(days=29)) == DEFAULT_STEPS[3]
    assert plan.to_come(due, due + timedelta(days=45)) is None
