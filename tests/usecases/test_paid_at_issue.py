"""An invoice that was paid before it is issued: its payment is written with it, once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from billing.domain.errors import FieldErrors, PaymentExceedsBalance
from billing.domain.events import EventType
from billing.domain.ledger import EntryKind, InvoiceStatus, Ledger, PaymentMethod
from billing.domain.process import PaidAtIssue
from billing.ports.drafts import LineInput
from billing.ports.idempotency import AlreadyAnswered
from tests.factories import VAT_20
from tests.usecases.conftest import Shop

PAID = PaidAtIssue(paid_on=date(2026, 11, 20), method=PaymentMethod.CARD, reference="TPE 42")


def test_the_payment_is_the_first_entry_and_leaves_nothing_to_pay(shop: Shop) -> None:
    issued = shop.issue(shop.draft(shop.wanted(shop.customer().customer_id, paid=PAID)))

    (entry,) = shop.repositories.store.entries[shop.caller.tenant_id, issued.invoice_id]
    assert (entry.kind, entry.amount_minor, entry.entry_date) == (EntryKind.PAYMENT, 12_000, PAID.paid_on)
    assert (issued.ledger.status, issued.ledger.balance_minor) == (InvoiceStatus.PAID, 0)
    assert issued.ledger == Ledger.replay(issued.document.owed_minor, (entry,))
    types = [event.event_type for event in shop.events(issued.invoice_id)]
    assert types == [EventType.INVOICE_CREATED, EventType.INVOICE_ISSUED, EventType.PAYMENT_RECORDED]


def test_a_retried_issue_records_one_payment(shop: Shop) -> None:
    draft = shop.draft(shop.wanted(shop.customer().customer_id, paid=PAID))
    once = shop.once("issueInvoice")
    shop.issue(draft, once=once)

    with pytest.raises(AlreadyAnswered):
        shop.issue(draft, once=once)

    assert len(shop.repositories.store.entries[shop.caller.tenant_id, draft.invoice_id]) == 1


def test_nothing_more_can_be_paid_on_it(shop: Shop) -> None:
    issued = shop.issue(shop.draft(shop.wanted(shop.customer().customer_id, paid=PAID)))

    with pytest.raises(PaymentExceedsBalance):
        shop.pay(issued.invoice_id, 1)


def test_a_payment_to_come_is_no_payment(shop: Shop) -> None:
    tomorrow = PaidAtIssue(paid_on=date(2026, 11, 24), method=PaymentMethod.CARD)

    with pytest.raises(FieldErrors) as refused:
        shop.draft(shop.wanted(shop.customer().customer_id, paid=tomorrow))

    assert [error.pointer for error in refused.value.errors] == ["/paid/paid_on"]


def test_nothing_to_pay_was_not_paid(shop: Shop) -> None:
    free = LineInput(description="Offert", quantity=Decimal(1), unit_price=Decimal(0), vat=VAT_20)

    with pytest.raises(FieldErrors) as refused:
        shop.draft(shop.wanted(shop.customer().customer_id, free, paid=PAID))

    assert [error.pointer for error in refused.value.errors] == ["/paid"]
