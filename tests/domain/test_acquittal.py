"""What a marked duplicate says of an invoice: since when nothing is left to pay, and how it was paid."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from billing.domain.acquittal import Acquittal, acquittal_of
from billing.domain.credit_notes import CreditInFull
from billing.domain.ledger import EntryKind, LedgerEntry, PaymentMethod
from tests import factories
from tests.documents import credit_of

TRANSFER, CHEQUE = PaymentMethod.TRANSFER, PaymentMethod.CHEQUE
FIRST, SECOND = date(2026, 12, 1), date(2026, 12, 20)


def entry(rank: int, amount_minor: int, **changes: Any) -> LedgerEntry:
    return factories.entry(rank, amount_minor, **{"entry_date": FIRST, "source_id": f"pay_{rank}", **changes})


def said(*entries: LedgerEntry) -> Acquittal | None:
    invoice = factories.issued(lines=(factories.priced("100"),))
    return acquittal_of(replace(invoice, ledger=invoice.ledger.with_entries(entries)), entries)


def test_an_invoice_that_was_paid_at_once_says_the_day_and_the_means() -> None:
    assert said(entry(1, 12_000)) == Acquittal(on=FIRST, methods=(TRANSFER,))


@pytest.mark.parametrize("entries", [(), (entry(1, 11_999),)], ids=["unpaid", "a cent is left"])
def test_nothing_is_said_while_something_is_left_to_pay(entries: tuple[LedgerEntry, ...]) -> None:
    assert said(*entries) is None


def test_the_last_payment_is_the_day_and_each_means_stands_once() -> None:
    parts = (
        entry(1, 5_000, method=CHEQUE, entry_date=SECOND),
        entry(2, 3_000),
        entry(3, 4_000, method=CHEQUE),
    )

    assert said(*parts) == Acquittal(on=SECOND, methods=(CHEQUE, TRANSFER))


def test_a_cheque_that_bounced_paid_nothing() -> None:
    bounced = entry(2, 12_000, kind=EntryKind.REVERSAL, source_id="pay_1", entry_date=SECOND)

    assert said(entry(1, 12_000, method=CHEQUE), bounced) is None
    assert said(entry(1, 12_000, method=CHEQUE), bounced, entry(3, 12_000)) == Acquittal(on=FIRST, methods=(TRANSFER,))


def test_the_customers_credit_is_a_means_without_a_name() -> None:
    assert said(entry(1, 12_000, method=None)) == Acquittal(on=FIRST, methods=(None,))


def test_what_was_paid_and_credited_is_settled_by_both() -> None:
    credited = entry(2, 2_000, kind=EntryKind.CREDIT, source_id="crn_1", method=None, entry_date=SECOND)

    assert said(entry(1, 10_000), credited) == Acquittal(on=SECOND, methods=(TRANSFER,), credited=True)


def test_what_was_credited_in_full_was_not_paid() -> None:
    assert said(entry(1, 12_000, kind=EntryKind.CREDIT, source_id="crn_1", method=None)) is None


def test_a_credit_note_is_never_paid() -> None:
    note = credit_of(factories.issued(), CreditInFull())

    assert acquittal_of(note, ()) is None
