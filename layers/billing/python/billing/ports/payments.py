"""Stored payments and customers' credits. Methods and refusals as in ports/repositories.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from billing.domain.access import Caller
from billing.domain.checkout import CheckoutBook
from billing.domain.customer_credit import CreditMovement, CustomerCredit, CustomerCreditEntry
from billing.domain.events import Event
from billing.domain.invoice import Invoice, IssuedInvoice
from billing.domain.ledger import LedgerEntry, PaymentMethod
from billing.domain.parties import CompanyDescription, Customer
from billing.domain.payments import Payment, PaymentState
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.stripe_payments import StripeFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSummary:
    """A row of a list; amounts in cents."""

    payment_id: str
    state: PaymentState
    paid_on: date
    customer_id: str
    customer_name: str
    currency: str
    amount_minor: int
    method: PaymentMethod | None
    reference: str
    credited_minor: int
    refunded_minor: int
    invoice_numbers: tuple[str, ...]

    @classmethod
    def of(cls, payment: Payment) -> PaymentSummary:
        return cls(
            payment_id=payment.payment_id,
            state=payment.state,
            paid_on=payment.paid_on,
            customer_id=payment.customer_id,
            customer_name=payment.customer_name,
            currency=payment.currency,
            amount_minor=payment.amount_minor,
            method=payment.method,
            reference=payment.reference,
            credited_minor=payment.credited_minor,
            refunded_minor=payment.refunded_minor,
            invoice_numbers=tuple(allocation.number for allocation in payment.allocations),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentQuery:
    """By day of payment, latest first; of one customer when named; dates inclusive."""

    customer_id: str | None = None
    from_date: date | None = None
    to_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentContext:
    """What a payment touches: the customer (None when it is gone), its credit, the invoices that exist.

    ``checkouts`` of each invoice that was named.
    """

    customer: Customer | None
    credit: CustomerCredit
    invoices: Mapping[str, Invoice]
    checkouts: Mapping[str, CheckoutBook]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerMove:
    """An invoice one version further, the entry that makes it so, and its event.

    ``book``: of what pays it online, one version further, where what comes back of that was judged with.
    """

    invoice: IssuedInvoice
    entry: LedgerEntry
    event: Event
    book: CheckoutBook | None = None


class ReceiptRenderer(Protocol):
    def render(self, payment: Payment, seller: CompanyDescription, *, logo: bytes | None) -> bytes:
        """A PDF/A-3b; the same payment and seller give the same bytes. Raises: InvalidInput for a missing glyph."""
        ...


class Payments(Protocol):
    def load(
        self,
        caller: Caller,
        customer_id: str,
        invoice_ids: tuple[str, ...],
        *,
        once: IdempotentRequest | None = None,
    ) -> PaymentContext:
        """One request. Raises: with ``once`` AlreadyAnswered, IdempotencyKeyReused."""
        ...

    def read(self, caller: Caller, payment_id: str, *, once: IdempotentRequest | None = None) -> Payment:
        """Raises: NotFound; with ``once`` also AlreadyAnswered, IdempotencyKeyReused."""
        ...

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
        """A payment (new when its version is 1) with all that it moves, in one transaction, or nothing.

        ``told``: what Stripe told that made it so.

        Raises: StaleVersion, when the payment, an invoice or its book, the customer's credit or what Stripe told moved.
        """
        ...

    def list(self, caller: Caller, query: PaymentQuery, page: PageRequest) -> Page[PaymentSummary]: ...

    def move_credit(self, caller: Caller, movement: CreditMovement, *, event: Event, once: IdempotentRequest) -> None:
        """A customer's credit moves by itself: a refund. Raises: StaleVersion."""
        ...

    def credit_entries(self, caller: Caller, customer_id: str, page: PageRequest) -> Page[CustomerCreditEntry]:
        """Latest first."""
        ...
