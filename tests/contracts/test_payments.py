"""Payments and customers' credit over the fakes and the table."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from billing.domain.customer_credit import CreditEntryKind, CreditMovement, CustomerCredit
from billing.domain.errors import NotFound, StaleVersion
from billing.domain.events import EventType
from billing.domain.ledger import EntryKind
from billing.domain.payments import MAX_ALLOCATIONS, Payment, PaymentReversal
from billing.ports.idempotency import AlreadyAnswered
from billing.ports.paging import PageRequest
from billing.ports.payments import LedgerMove, PaymentQuery
from billing.usecases.payments import MOST_PAID_ONLINE
from tests import factories
from tests.contracts.conftest import World
from tests.contracts.test_catalogue import every_item
from tests.contracts.test_credit_notes import proof


def movement(world: World, credit: CustomerCredit, kind: CreditEntryKind, amount_minor: int) -> CreditMovement:
    moved, entry = credit.moved(
        kind,
        amount_minor,
        entry_id=world.new_id("ent"),
        source_id="pay_x",
        on=factories.ISSUED_ON,
        at=factories.ISSUED_AT,
        by=factories.USER_ID,
    )
    return CreditMovement(credit=moved, entry=entry)


def write(
    world: World,
    payment: Payment,
    *moves: LedgerMove,
    gained: CreditMovement | None = None,
    key: str | None = None,
) -> None:
    world.repositories.payments.write(
        world.caller,
        payment,
        moves=moves,
        movement=gained,
        event=factories.event(world.new_id("evt"), EventType.PAYMENT_RECEIVED),
        once=factories.once(key) if key else world.once("recordPayment"),
        answered=payment,
    )


def credit(world: World, customer_id: str) -> CustomerCredit:
    return world.repositories.payments.load(world.caller, customer_id, ()).credit


def test_a_payment_its_ledgers_and_its_credit_are_written_together(world: World) -> None:
    customer = world.add_customer()
    holding = factories.content(customer_id=customer.customer_id)
    invoices = [world.issue(world.add_draft(holding=holding)) for _ in range(2)]
    payment = world.payment(invoices[0], 12_000, credited_minor=500)
    both = replace(
        payment,
        amount_minor=24_500,
        allocations=(*payment.allocations, *world.payment(invoices[1], 12_000).allocations),
    )
    moves = []
    for invoice in invoices:
        entry = factories.entry(1, 12_000, source_id=both.payment_id)
        moves.append(world.ledger_move(invoice.with_entry(entry), entry))
    gained = movement(world, credit(world, customer.customer_id), CreditEntryKind.OVER_PAYMENT, 500)

    write(world, both, *moves, gained=gained)

    held = world.repositories.payments
    assert held.read(world.caller, both.payment_id) == both
    context = held.load(world.caller, customer.customer_id, (invoices[0].invoice_id, "inv_none"))
    assert (context.customer, context.credit.balance_minor) == (customer, 500)
    assert list(context.invoices) == [invoices[0].invoice_id]
    for invoice in invoices:
        stored = world.repositories.deliveries.invoice(invoice.tenant_id, invoice.invoice_id)
        assert stored.ledger.balance_minor == 0
    assert held.credit_entries(world.caller, customer.customer_id, PageRequest()).items == (gained.entry,)
    assert proof(world).findings == ()


def test_a_payment_stale_in_one_place_is_refused_whole(world: World) -> None:
    first, second = world.issue(), world.issue()
    payment = world.payment(first, 6_000)
    moves = []
    for invoice in (first, second):
        entry = factories.entry(1, 6_000, source_id=payment.payment_id)
        moves.append(world.ledger_move(invoice.with_entry(entry), entry))
    world.pay(second, 1)

    with pytest.raises(StaleVersion):
        write(world, payment, *moves)

    with pytest.raises(NotFound):
        world.repositories.payments.read(world.caller, payment.payment_id)
    stored = world.repositories.deliveries.invoice(first.tenant_id, first.invoice_id)
    assert stored.ledger.paid_minor == 0


def test_a_payment_is_refused_whole_when_what_pays_its_invoice_online_moved(world: World) -> None:
    invoice, held = world.issue(), world.repositories
    payment = world.payment(invoice, 6_000)
    entry = factories.entry(1, 6_000, source_id=payment.payment_id)
    move = world.ledger_move(invoice.with_entry(entry), entry)
    book = replace(held.checkouts.book(invoice.tenant_id, invoice.invoice_id), version=1)
    held.checkouts.save(book)

    with pytest.raises(StaleVersion):
        write(world, payment, replace(move, book=book))
    assert world.repositories.deliveries.invoice(invoice.tenant_id, invoice.invoice_id).ledger.paid_minor == 0

    write(world, payment, replace(move, book=replace(book, version=2)))
    assert held.checkouts.book(invoice.tenant_id, invoice.invoice_id).version == 2
    assert held.payments.read(world.caller, payment.payment_id) == payment


def test_a_reversal_over_as_many_invoices_as_there_may_be_fits_into_one_transaction(world: World) -> None:
    """With what moves the customer's credit: the largest of what moves a payment."""
    customer = world.add_customer()
    holding = factories.content(customer_id=customer.customer_id)
    invoices = [world.issue(world.add_draft(holding=holding)) for _ in range(MAX_ALLOCATIONS)]
    parts = tuple(part for invoice in invoices for part in world.payment(invoice, 100).allocations)
    payment = replace(world.payment(invoices[0], 100 * MAX_ALLOCATIONS), allocations=parts)
    moves: list[LedgerMove] = []
    for invoice in invoices:
        entry = factories.entry(1, 100, source_id=payment.payment_id)
        book = replace(world.repositories.checkouts.book(invoice.tenant_id, invoice.invoice_id), version=1)
        beside = book if len(moves) < MOST_PAID_ONLINE else None
        moves.append(replace(world.ledger_move(invoice.with_entry(entry), entry), book=beside))

    gained = movement(world, credit(world, customer.customer_id), CreditEntryKind.APPLICATION_REVERSED, 100)
    write(world, payment, *moves, gained=gained)

    assert world.repositories.payments.read(world.caller, payment.payment_id) == payment


def test_a_payment_is_new_once_and_moves_by_version(world: World) -> None:
    invoice = world.issue()
    payment = world.payment(invoice, 100)
    entry = factories.entry(1, 100, source_id=payment.payment_id)
    paid = invoice.with_entry(entry)
    write(world, payment, world.ledger_move(paid, entry))
    with pytest.raises(StaleVersion):
        write(world, payment)
    reversal = PaymentReversal(
        reason="Erreur", reversed_on=date(2026, 11, 24), reversed_at=factories.ISSUED_AT, reversed_by="usr"
    )
    taken_back = payment.reversed(reversal)
    back = factories.entry(2, 100, kind=EntryKind.REVERSAL, source_id=payment.payment_id)

    write(world, taken_back, world.ledger_move(paid.with_entry(back), back))

    assert world.repositories.payments.read(world.caller, payment.payment_id) == taken_back
    with pytest.raises(StaleVersion):
        write(world, taken_back)
    assert proof(world).findings == ()


def test_a_credit_moves_one_entry_after_the_other(world: World) -> None:
    payments, nothing = world.repositories.payments, credit(world, "cus_1")
    gain = movement(world, nothing, CreditEntryKind.OVER_PAYMENT, 500)
    event = factories.event(world.new_id("evt"), EventType.CUSTOMER_CREDIT_REFUNDED)
    payments.move_credit(world.caller, gain, event=event, once=world.once())

    for stale in (gain, movement(world, nothing, CreditEntryKind.OVER_PAYMENT, 1)):
        again = factories.event(world.new_id("evt"), EventType.CUSTOMER_CREDIT_REFUNDED)
        with pytest.raises(StaleVersion):
            payments.move_credit(world.caller, stale, event=again, once=world.once())
    spent = movement(world, gain.credit, CreditEntryKind.REFUND, 200)
    other = factories.event(world.new_id("evt"), EventType.CUSTOMER_CREDIT_REFUNDED)
    payments.move_credit(world.caller, spent, event=other, once=world.once())

    assert credit(world, "cus_1") == spent.credit
    listed = every_item(lambda page: payments.credit_entries(world.caller, "cus_1", page), limit=1)
    assert listed == [spent.entry, gain.entry]
    assert proof(world).credits_checked == 1


def test_the_same_request_is_answered_once(world: World) -> None:
    payment = world.payment(world.issue(), 100)
    write(world, payment, key="once")

    with pytest.raises(AlreadyAnswered):
        write(world, replace(payment, payment_id="pay_other"), key="once")
    with pytest.raises(AlreadyAnswered):
        world.repositories.payments.load(world.caller, payment.customer_id, (), once=factories.once("once"))


def test_payments_are_listed_by_day_and_customer(world: World) -> None:
    invoice = world.issue()
    made = []
    for day in (20, 22, 21):
        payment = replace(world.payment(invoice, 100), paid_on=date(2026, 11, day))
        write(world, payment)
        made.append(payment)
    other = replace(world.payment(invoice, 100), customer_id="cus_other", paid_on=date(2026, 11, 23))
    write(world, other)

    def listed(query: PaymentQuery) -> list[str]:
        rows = every_item(lambda page: world.repositories.payments.list(world.caller, query, page), limit=2)
        return [row.payment_id for row in rows]

    ordered = [other.payment_id, made[1].payment_id, made[2].payment_id, made[0].payment_id]
    assert listed(PaymentQuery()) == ordered
    assert listed(PaymentQuery(customer_id=invoice.document.customer_id)) == ordered[1:]
    assert listed(PaymentQuery(from_date=date(2026, 11, 21), to_date=date(2026, 11, 22))) == ordered[1:3]


def test_another_company_sees_nothing(world: World) -> None:
    invoice = world.pay(world.issue(), 100)
    (row,) = world.repositories.payments.list(world.caller, PaymentQuery(), PageRequest()).items

    held = world.repositories.payments
    with pytest.raises(NotFound):
        held.read(world.stranger, row.payment_id)
    assert held.list(world.stranger, PaymentQuery(), PageRequest()).items == ()
    assert held.load(world.stranger, row.customer_id, (invoice.invoice_id,)).invoices == {}
    assert held.credit_entries(world.stranger, row.customer_id, PageRequest()).items == ()
