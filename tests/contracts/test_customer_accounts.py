"""Customers' accounts over the fakes and the table: exact at any day, whatever came before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from billing.adapters.dynamodb import customer_accounts as table_accounts
from billing.domain.customer_account import MovementKind, StatementPeriod
from billing.domain.customer_credit import CreditEntryKind
from billing.domain.errors import NotFound, StaleVersion, StatementTooLong
from billing.domain.invoice import IssuedInvoice
from billing.ports.customer_accounts import AccountExtract
from tests import factories
from tests.contracts.conftest import World
from tests.contracts.test_payments import credit, movement
from tests.fakes import customer_accounts as fake_accounts

JUNE, NOVEMBER = date(2026, 6, 10), date(2026, 11, 23)


def issued(world: World, customer_id: str, on: date) -> IssuedInvoice:
    at = datetime(on.year, on.month, on.day, 8, tzinfo=UTC)
    draft = world.add_draft(holding=factories.content(customer_id=customer_id), at=at)
    return world.issue(draft, on=on, at=at)


def extract(world: World, customer_id: str, first: date, last: date) -> AccountExtract:
    period = StatementPeriod(first=first, last=last)
    return world.repositories.accounts.extract(world.caller, customer_id, period)


def test_an_account_opens_with_all_that_was_before_whatever_the_day(world: World) -> None:
    customer_id = world.add_customer().customer_id
    days = [date(2025, 12, 31), date(2026, 1, 1), JUNE, JUNE, date(2026, 6, 30), date(2026, 7, 1), NOVEMBER]
    invoices = [issued(world, customer_id, day) for day in days]
    world.pay(invoices[0], 5_000)  # on the day of the last
    total = invoices[0].ledger.total_minor

    for first in (*days, date(2025, 1, 1), date(2026, 2, 28), JUNE + timedelta(days=1), date(2026, 11, 1)):
        shown = extract(world, customer_id, first, NOVEMBER)

        assert shown.opening.get("EUR", 0) == total * sum(day < first for day in days)
        moved = [one.day for one in shown.movements if one.kind is MovementKind.INVOICE]
        assert moved == [day for day in days if day >= first]
        assert sum(one.owed_minor for one in shown.movements) + shown.opening.get("EUR", 0) == total * 7 - 5_000
    still_open = extract(world, customer_id, NOVEMBER, NOVEMBER).still_open
    assert len(still_open) == 7
    assert [one.due_date for one in still_open] == sorted(one.due_date for one in still_open)
    assert extract(world, customer_id, JUNE, JUNE).opening == {"EUR": 2 * total}


def test_what_is_paid_leaves_what_is_open(world: World) -> None:
    customer_id = world.add_customer().customer_id
    invoice = issued(world, customer_id, NOVEMBER)
    assert [one.invoice_id for one in extract(world, customer_id, JUNE, NOVEMBER).still_open] == [invoice.invoice_id]

    world.pay(invoice, invoice.ledger.balance_minor)

    shown = extract(world, customer_id, JUNE, NOVEMBER)
    assert shown.still_open == ()
    assert [one.kind for one in shown.movements] == [MovementKind.INVOICE, MovementKind.PAYMENT]
    assert sum(one.owed_minor for one in shown.movements) == 0


def test_credit_that_is_given_back_is_a_movement(world: World) -> None:
    customer_id = world.add_customer().customer_id
    gained = movement(world, credit(world, customer_id), CreditEntryKind.OVER_PAYMENT, 500)
    spent = movement(world, gained.credit, CreditEntryKind.REFUND, 500)
    for one in (gained, spent):
        world.repositories.payments.move_credit(
            world.caller, one, event=factories.event(world.new_id("evt")), once=world.once("refundCustomerCredit")
        )

    moved = extract(world, customer_id, factories.ISSUED_ON, factories.ISSUED_ON).movements

    assert [(one.kind, one.owed_minor) for one in moved][-1] == (MovementKind.REFUND, 500)


def test_what_is_refused_leaves_no_trace_on_the_account(world: World) -> None:
    customer_id = world.add_customer().customer_id
    invoice = issued(world, customer_id, NOVEMBER)
    before = extract(world, customer_id, JUNE, NOVEMBER)

    with pytest.raises(StaleVersion):
        world.pay(replace(invoice, version=invoice.version + 3), 100)

    assert extract(world, customer_id, JUNE, NOVEMBER) == before


def test_accounts_are_of_a_customer_and_of_a_tenant(world: World) -> None:
    mine, other = world.add_customer().customer_id, world.add_customer().customer_id
    issued(world, mine, NOVEMBER)

    assert extract(world, other, JUNE, NOVEMBER).movements == ()
    with pytest.raises(NotFound):
        world.repositories.accounts.extract(world.stranger, mine, StatementPeriod(first=JUNE, last=NOVEMBER))


def test_more_than_a_statement_holds_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (table_accounts, fake_accounts):
        monkeypatch.setattr(module, "MAX_MOVEMENTS", 2)
    customer_id = world.add_customer().customer_id
    for _ in range(3):
        issued(world, customer_id, NOVEMBER)

    with pytest.raises(StatementTooLong):
        extract(world, customer_id, JUNE, NOVEMBER)
    assert extract(world, customer_id, date(2026, 11, 1), date(2026, 11, 22)).movements == ()
