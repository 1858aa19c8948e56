"""The proof that a customer's credit is the sum of its entries."""

from __future__ import annotations

from dataclasses import replace

import pytest

from billing.domain.customer_credit import CreditEntryKind, CustomerCredit, CustomerCreditEntry
from billing.domain.errors import CustomerCreditExceeded
from billing.domain.verification import CreditPage, CreditPosition, Rule, check_credit_page
from tests import factories

START = CustomerCredit(tenant_id="ten_a", customer_id="cus_1")


def _move(credit: CustomerCredit, kind: CreditEntryKind, amount: int) -> tuple[CustomerCredit, CustomerCreditEntry]:
    return credit.moved(
        kind,
        amount,
        entry_id="ent",
        source_id="pay_1",
        on=factories.ISSUED_ON,
        at=factories.ISSUED_AT,
        by="usr",
    )


def _story() -> tuple[CustomerCredit, tuple[CustomerCreditEntry, ...]]:
    credit, entries = START, []
    for kind, amount in (
        (CreditEntryKind.OVER_PAYMENT, 500),
        (CreditEntryKind.APPLICATION, 200),
        (CreditEntryKind.CREDIT_NOTE, 100),
        (CreditEntryKind.REFUND, 400),
    ):
        credit, entry = _move(credit, kind, amount)
        entries.append(entry)
    return credit, tuple(entries)


def test_a_credit_is_the_sum_of_its_entries() -> None:
    head, entries = _story()

    position, findings, checked = check_credit_page(
        CreditPosition(), CreditPage(head=head, entries=entries, complete=True)
    )

    assert (head.balance_minor, head.entry_count) == (0, 4)
    assert (findings, checked) == ((), 1)
    assert position == CreditPosition(customer_id="cus_1", rank=4, balance_minor=0, complete=True)


def test_a_credit_is_walked_page_by_page() -> None:
    head, entries = _story()
    first, findings, checked = check_credit_page(
        CreditPosition(), CreditPage(head=head, entries=entries[:3], complete=False)
    )
    assert (findings, checked, first.complete) == ((), 0, False)

    last, findings, checked = check_credit_page(first, CreditPage(head=head, entries=entries[3:], complete=True))

    assert (findings, checked, last.complete) == ((), 1, True)


def test_more_than_there_is_is_not_taken() -> None:
    credit, _ = _move(START, CreditEntryKind.OVER_PAYMENT, 5)

    with pytest.raises(CustomerCreditExceeded):
        _move(credit, CreditEntryKind.REFUND, 6)
    with pytest.raises(ValueError, match="positive"):
        _move(credit, CreditEntryKind.REFUND, 0)


@pytest.mark.parametrize("broken", ["head", "missing", "amount", "balance"])
def test_a_credit_that_does_not_add_up_is_found(broken: str) -> None:
    head, entries = _story()
    match broken:
        case "head":
            head = replace(head, balance_minor=1)
        case "missing":
            entries = entries[1:]
        case "amount":
            entries = (replace(entries[0], amount_minor=501), *entries[1:])
        case _:
            entries = (*entries[:-1], replace(entries[-1], balance_minor=1))

    _, findings, _ = check_credit_page(CreditPosition(), CreditPage(head=head, entries=entries, complete=True))

    assert {finding.rule for finding in findings} == {Rule.CUSTOMER_CREDIT_ADDS_UP}
    assert {finding.subject for finding in findings} == {"cus_1"}
