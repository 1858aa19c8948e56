"""Fake of the port Payments."""

from __future__ import annotations

from typing import cast

from billing.domain.access import Caller
from billing.domain.canonical import canonical_json
from billing.domain.customer_account import credit_refund_movement, payment_movement
from billing.domain.customer_credit import CreditMovement, CustomerCreditEntry
from billing.domain.errors import NotFound, StaleVersion
from billing.domain.events import Event
from billing.domain.parties import CompanyDescription
from billing.domain.payments import Payment
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.payments import LedgerMove, PaymentContext, PaymentQuery, PaymentSummary
from billing.ports.stripe_payments import StripeFacts
from tests.fakes.store import Store, paged
from tests.fakes.stripe_payments import hold_facts, move_facts
from tests.fakes.writes import (
    credit_of,
    hold_book,
    hold_credit,
    hold_head,
    move_account,
    move_book,
    move_credit,
    move_ledger,
)


class FakeReceiptRenderer:
    """Port ReceiptRenderer: the same payment and seller give the same bytes."""

    def render(self, payment: Payment, seller: CompanyDescription, *, logo: bytes | None) -> bytes:
        return b"%PDF " + canonical_json([payment, seller]).encode() + b" logo " + (logo or b"none")


class FakePayments:
    """Port Payments."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def load(
        self,
        caller: Caller,
        customer_id: str,
        invoice_ids: tuple[str, ...],
        *,
        once: IdempotentRequest | None = None,
    ) -> PaymentContext:
        with self._store.lock:
            self._store.check(caller, once)
            wanted = {
                invoice_id: self._store.invoices.get((caller.tenant_id, invoice_id)) for invoice_id in invoice_ids
            }
            customer = self._store.current(caller.tenant_id, customer_id)
            return PaymentContext(
                customer=customer,
                credit=credit_of(self._store, caller.tenant_id, customer.customer_id if customer else customer_id),
                invoices={invoice_id: invoice for invoice_id, invoice in wanted.items() if invoice},
                checkouts={
                    invoice_id: self._store.checkouts_of(caller.tenant_id, invoice_id) for invoice_id in invoice_ids
                },
            )

    def read(self, caller: Caller, payment_id: str, *, once: IdempotentRequest | None = None) -> Payment:
        with self._store.lock:
            self._store.check(caller, once)
            payment = self._store.payments.get((caller.tenant_id, payment_id))
        if payment is None:
            raise NotFound
        return payment

    def write(
        self,
        caller: Caller,
        payment: Payment,
        *,
        moves: tuple[LedgerMove, ...],
        movement: CreditMovement | None,
        event: Event,
        once: IdempotentRequest | None = None,
        answered: object = None,
        told: StripeFacts | None = None,
    ) -> None:
        key = (caller.tenant_id, payment.payment_id)
        with self._store.writing(caller, once=once, answered=answered):
            stored = self._store.payments.get(key)
            if (stored.version if stored else 0) != payment.version - 1:
                raise StaleVersion
            for move in moves:
                hold_head(self._store, move.invoice)
                if move.book is not None:
                    hold_book(self._store, move.book)
            hold_credit(self._store, movement)
            hold_facts(self._store, caller.tenant_id, told)
            for move in moves:
                move_ledger(self._store, move.invoice, (move.entry,))
                self._store.record(caller.tenant_id, move.invoice.invoice_id, move.event)
                if move.book is not None:
                    move_book(self._store, move.book)
            move_credit(self._store, movement)
            move_account(self._store, caller.tenant_id, payment.customer_id, payment_movement(payment))
            self._store.payments[key] = payment
            self._store.record(*key, event)
            move_facts(self._store, caller.tenant_id, told)

    def list(self, caller: Caller, query: PaymentQuery, page: PageRequest) -> Page[PaymentSummary]:
        with self._store.lock:
            self._store.check(caller)
            ids = self._store.ids_of(caller.tenant_id, query.customer_id) if query.customer_id else ()
            held = [
                payment for (tenant_id, _), payment in self._store.payments.items() if tenant_id == caller.tenant_id
            ]
        rows: list[tuple[str, object]] = [
            (f"{payment.paid_on.isoformat()}#{payment.payment_id}", PaymentSummary.of(payment))
            for payment in held
            if (query.customer_id is None or payment.customer_id in ids)
            and (query.from_date is None or query.from_date <= payment.paid_on)
            and (query.to_date is None or payment.paid_on <= query.to_date)
        ]
        return cast("Page[PaymentSummary]", paged(rows, page, forward=False))

    def move_credit(self, caller: Caller, movement: CreditMovement, *, event: Event, once: IdempotentRequest) -> None:
        with self._store.writing(caller, once=once, answered=movement.credit):
            move_credit(self._store, movement)
            customer_id = movement.credit.customer_id
            move_account(self._store, caller.tenant_id, customer_id, credit_refund_movement(movement))
            self._store.record(caller.tenant_id, movement.credit.customer_id, event)

    def credit_entries(self, caller: Caller, customer_id: str, page: PageRequest) -> Page[CustomerCreditEntry]:
        with self._store.lock:
            self._store.check(caller)
            entries = self._store.credit_entries.get((caller.tenant_id, customer_id), ())
        rows: list[tuple[str, object]] = [(f"{entry.rank:010d}", entry) for entry in entries]
        return cast("Page[CustomerCreditEntry]", paged(rows, page, forward=False))
