"""Payments: one item each, written together with the ledgers and the credit that they move."""

from __future__ import annotations

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.checkout_items import book_of
from billing.adapters.dynamodb.checkouts import book_write
from billing.adapters.dynamodb.codec import load_all
from billing.adapters.dynamodb.customer_accounts import account_writes
from billing.adapters.dynamodb.customer_credits import credit_of, entry_from_item, movement_writes
from billing.adapters.dynamodb.customers import from_item as customer_from_item
from billing.adapters.dynamodb.customers import list_of
from billing.adapters.dynamodb.invoices import Invoices
from billing.adapters.dynamodb.invoices import from_item as invoice_from_item
from billing.adapters.dynamodb.payment_items import payment_from_item, payment_to_item
from billing.adapters.dynamodb.stripe_payments import facts_writes
from billing.adapters.dynamodb.table import Table, refuse_with
from billing.domain.access import Caller
from billing.domain.customer_account import credit_refund_movement, payment_movement
from billing.domain.customer_credit import CreditMovement, CustomerCreditEntry
from billing.domain.errors import NotFound, StaleVersion
from billing.domain.events import Event
from billing.domain.payments import Payment
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.payments import LedgerMove, PaymentContext, PaymentQuery, PaymentSummary
from billing.ports.stripe_payments import StripeFacts


class Payments:
    """Port Payments."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._invoices = Invoices(table)

    def load(
        self,
        caller: Caller,
        customer_id: str,
        invoice_ids: tuple[str, ...],
        *,
        once: IdempotentRequest | None = None,
    ) -> PaymentContext:
        customer_key = keys.customer(caller.tenant_id, customer_id)
        credit_key = keys.customer_credit(caller.tenant_id, customer_id)
        invoice_keys = {invoice_id: keys.invoice(caller.tenant_id, invoice_id) for invoice_id in invoice_ids}
        book_keys = {invoice_id: keys.checkout_book(caller.tenant_id, invoice_id) for invoice_id in invoice_ids}
        found = self._table.read(
            caller, customer_key, credit_key, *invoice_keys.values(), *book_keys.values(), once=once
        )
        stored = found.get(customer_key)
        customer = customer_from_item(stored) if stored else None
        if customer is not None and customer.merged_into is not None:
            return self.load(caller, customer.merged_into, invoice_ids, once=once)
        return PaymentContext(
            customer=customer,
            credit=credit_of(caller.tenant_id, customer_id, found.get(credit_key)),
            invoices={
                invoice_id: invoice_from_item(found[key]) for invoice_id, key in invoice_keys.items() if key in found
            },
            checkouts={
                invoice_id: book_of(caller.tenant_id, invoice_id, found.get(key))
                for invoice_id, key in book_keys.items()
            },
        )

    def read(self, caller: Caller, payment_id: str, *, once: IdempotentRequest | None = None) -> Payment:
        key = keys.payment(caller.tenant_id, payment_id)
        stored = self._table.read(caller, key, once=once).get(key)
        if stored is None:
            raise NotFound
        return payment_from_item(stored)

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
        tenant_id, stale = caller.tenant_id, refuse_with(StaleVersion)
        if payment.version == 1:
            head = self._table.create(payment_to_item(payment), stale)
        else:
            head = self._table.replace(payment_to_item(payment), expected_version=payment.version - 1, refused=stale)
        ledgers = [
            write
            for move in moves
            for write in (
                *self._invoices.moved_ledger(move.invoice, (move.entry,)),
                self._table.event(
                    keys.invoice_event(tenant_id, move.invoice.invoice_id, move.event.event_id), tenant_id, move.event
                ),
                *((book_write(self._table, move.book),) if move.book else ()),
            )
        ]
        self._table.write(
            caller,
            head,
            *ledgers,
            *(movement_writes(self._table, movement) if movement else ()),
            *account_writes(self._table, tenant_id, payment.customer_id, (payment_movement(payment),)),
            self._table.event(keys.payment_event(tenant_id, payment.payment_id, event.event_id), tenant_id, event),
            *(facts_writes(self._table, tenant_id, told) if told else ()),
            once=once,
            answered=answered,
        )

    def list(self, caller: Caller, query: PaymentQuery, page: PageRequest) -> Page[PaymentSummary]:
        every = "Listing", keys.payment_listing(caller.tenant_id)
        index, partitions = list_of(self._table, caller, query.customer_id, keys.payment_customer, otherwise=every)
        rows, position = self._table.pages(
            index,
            partitions,
            page,
            base_key=lambda payment_id: keys.payment(caller.tenant_id, payment_id),
            low=query.from_date.isoformat() if query.from_date else "",
            high=f"{query.to_date.isoformat()}#{keys.HIGHEST}" if query.to_date else keys.HIGHEST,
            forward=False,
        )
        return Page(items=load_all(PaymentSummary, [row.summary for row in rows]), position=position)

    def move_credit(self, caller: Caller, movement: CreditMovement, *, event: Event, once: IdempotentRequest) -> None:
        credit = movement.credit
        key = keys.customer_event(caller.tenant_id, credit.customer_id, event.event_id)
        self._table.write(
            caller,
            *movement_writes(self._table, movement),
            *account_writes(self._table, caller.tenant_id, credit.customer_id, (credit_refund_movement(movement),)),
            self._table.event(key, caller.tenant_id, event),
            once=once,
            answered=credit,
        )

    def credit_entries(self, caller: Caller, customer_id: str, page: PageRequest) -> Page[CustomerCreditEntry]:
        first = keys.customer_credit_entry(caller.tenant_id, customer_id, 0)
        stored, position = self._table.query(
            first.pk, low=first.sk, high=f"ENTRY#{keys.HIGHEST}", limit=page.limit, after=page.position, forward=False
        )
        return Page(items=tuple(entry_from_item(row) for row in stored), position=position)
