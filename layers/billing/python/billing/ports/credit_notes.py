"""Stored credit notes: issued documents of their own series, with what they move on their invoice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from billing.domain.access import Caller
from billing.domain.checkout import CheckoutBook
from billing.domain.customer_credit import CreditMovement, CustomerCredit
from billing.domain.delivery import DeliveryRequest
from billing.domain.events import Event
from billing.domain.invoice import Invoice, IssuedInvoice
from billing.domain.ledger import LedgerEntry
from billing.domain.numbering import NumberAllocation, SeriesState
from billing.domain.parties import Company, Customer
from billing.domain.quote import Quote
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNoteSummary:
    """A row of a list; amounts in cents."""

    credit_note_id: str
    number: str
    issue_date: date
    invoice_id: str
    invoice_number: str
    customer_id: str
    customer_name: str
    currency: str
    total_minor: int
    delivery_state: str

    @classmethod
    def of(cls, note: IssuedInvoice) -> CreditNoteSummary:
        document = note.document
        return cls(
            credit_note_id=note.invoice_id,
            number=document.number,
            issue_date=document.issue_date,
            invoice_id=document.preceding[0].invoice_id,
            invoice_number=document.preceding[0].number,
            customer_id=document.customer_id,
            customer_name=document.buyer.name,
            currency=document.currency,
            total_minor=document.totals.total_minor,
            delivery_state=note.delivery.state.value,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNoteQuery:
    """By date, latest first; of one customer or of one invoice when named (one at most); dates inclusive."""

    customer_id: str | None = None
    invoice_id: str | None = None
    from_date: date | None = None
    to_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNoteContext:
    """What issuing a credit note needs of the tenant."""

    invoice: Invoice
    company: Company | None
    series: SeriesState
    checkouts: CheckoutBook


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditedCustomer:
    """The customer, None when it is no longer there, and its credit; the quote that the invoice bills, if any.

    ``entries``: the last of the ledger that was asked for, oldest first.
    """

    customer: Customer | None
    credit: CustomerCredit
    quote: Quote | None = None
    entries: tuple[LedgerEntry, ...] = ()


class CreditNotes(Protocol):
    def load(self, caller: Caller, invoice_id: str, *, once: IdempotentRequest | None = None) -> CreditNoteContext:
        """One request. Raises: NotFound; with ``once`` also AlreadyAnswered, IdempotencyKeyReused."""
        ...

    def customer(
        self,
        caller: Caller,
        customer_id: str,
        *,
        quote_id: str | None = None,
        ledger_of: IssuedInvoice | None = None,
    ) -> CreditedCustomer:
        """One request, one more where the ledger is as long as it is read."""
        ...

    def issue(
        self,
        caller: Caller,
        note: IssuedInvoice,
        *,
        allocation: NumberAllocation,
        invoice: IssuedInvoice,
        entries: tuple[LedgerEntry, ...],
        movement: CreditMovement | None,
        events: tuple[Event, Event],
        delivery: DeliveryRequest,
        once: IdempotentRequest,
        quote: tuple[Quote, Event] | None = None,
        book: CheckoutBook | None = None,
    ) -> None:
        """All of it in one transaction, or nothing. ``events`` are the credit note's and the invoice's.

        ``book``: of what pays the invoice online, one version further, where what comes back of that was judged with.

        Raises: SeriesMoved, NumberTaken, StaleVersion (the invoice, its book, the quote or the customer's credit
            moved).
        """
        ...

    def list(self, caller: Caller, query: CreditNoteQuery, page: PageRequest) -> Page[CreditNoteSummary]: ...
