"""Stored quotes. With a Caller, as in ``repositories``; the public side has none: its link is its right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from billing.domain.access import NOWHERE, Caller, Origin
from billing.domain.dates import civil_date
from billing.domain.delivery import DeliveryRequest
from billing.domain.events import Event
from billing.domain.invoice import DraftInvoice, Invoice
from billing.domain.numbering import NumberAllocation, SeriesState
from billing.domain.parties import Company
from billing.domain.quote import Quote, QuoteStatus
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteSummary:
    """A row of a list; amounts in cents. ``status`` is as stored: what was sent and not answered may have expired."""

    quote_id: str
    status: QuoteStatus
    number: str | None
    revision: int
    list_date: date
    valid_until: date | None
    customer_id: str
    customer_name: str
    currency: str
    total_minor: int
    delivery_state: str

    @classmethod
    def of(cls, quote: Quote) -> QuoteSummary:
        """No date makes a difference, so that nothing need be rewritten when a quote expires."""
        document = quote.document
        return cls(
            quote_id=quote.quote_id,
            status=quote.status(date.min),
            number=quote.number,
            revision=quote.revision,
            list_date=document.issue_date if document else civil_date(quote.created_at),
            valid_until=document.valid_until if document else quote.valid_until,
            customer_id=quote.content.customer_id,
            customer_name=quote.customer_name,
            currency=quote.content.particulars.currency,
            total_minor=quote.totals.total_minor,
            delivery_state=quote.delivery.state.value,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteQuery:
    """By date, latest first, unless ``status`` or ``customer_id`` (one at most) picks another order.

    A status is ordered by validity, most urgent first; ``on`` is the day that tells sent from expired.
    """

    on: date
    status: QuoteStatus | None = None
    customer_id: str | None = None
    from_date: date | None = None
    to_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteContext:
    """What sending a quote needs of the tenant."""

    quote: Quote
    company: Company | None
    series: SeriesState


class Quotes(Protocol):
    def read(self, caller: Caller, quote_id: str, *, once: IdempotentRequest | None = None) -> Quote:
        """One request. Raises: NotFound; with ``once`` also AlreadyAnswered, IdempotencyKeyReused."""
        ...

    def create(self, caller: Caller, quote: Quote, *, event: Event, once: IdempotentRequest) -> None: ...

    def save(
        self,
        caller: Caller,
        quote: Quote,
        *,
        event: Event,
        once: IdempotentRequest | None = None,
        former: Quote | None = None,
    ) -> None:
        """The next version; ``former`` is a revision to keep as it was. Raises: StaleVersion."""
        ...

    def delete(self, caller: Caller, quote_id: str, *, expected_version: int, event: Event) -> None:
        """Only a draft that never had a number can go. Raises: QuoteAlreadySent, NotFound, StaleVersion."""
        ...

    def list(self, caller: Caller, query: QuoteQuery, page: PageRequest) -> Page[QuoteSummary]: ...

    def load_for_send(self, caller: Caller, quote_id: str, *, once: IdempotentRequest) -> QuoteContext:
        """One request. Raises: NotFound, AlreadyAnswered, IdempotencyKeyReused."""
        ...

    def send(
        self,
        caller: Caller,
        quote: Quote,
        *,
        previous: Quote,
        allocation: NumberAllocation | None,
        delivery: DeliveryRequest,
        event: Event,
        once: IdempotentRequest,
    ) -> None:
        """Number (when it is taken now), frozen revision and delivery request in one transaction.

        Raises: SeriesMoved, NumberTaken, StaleVersion.
        """
        ...

    def invoices(self, caller: Caller, quote: Quote) -> dict[str, Invoice]:
        """The invoices of its parts by id, one request; nothing is asked when there is none."""
        ...

    def convert(
        self,
        caller: Caller,
        quote: Quote,
        *,
        draft: DraftInvoice,
        events: tuple[Event, Event],
        once: IdempotentRequest,
    ) -> None:
        """The draft invoice and what the quote says of it in one transaction; ``events`` are the quote's, the draft's.

        Raises: StaleVersion.
        """
        ...

    def receive(
        self,
        caller: Caller,
        quote: Quote,
        *,
        invoices: tuple[Invoice, ...],
        event: Event,
        once: IdempotentRequest,
    ) -> None:
        """The quote and its invoices, each one version further, in one transaction.

        What would not fit into one goes before it: whoever asks again finds that done and goes on.

        Raises: StaleVersion.
        """
        ...

    def release(
        self,
        caller: Caller,
        quote: Quote,
        *,
        invoice_id: str,
        expected_version: int,
        events: tuple[Event, Event],
    ) -> None:
        """The draft goes and the quote can be invoiced again, in one transaction; ``events``: the quote's, the draft's.

        Raises: InvoiceAlreadyIssued, NotFound, StaleVersion (either of them).
        """
        ...

    def timeline(self, caller: Caller, quote_id: str, page: PageRequest) -> Page[Event]:
        """Oldest first. Raises: NotFound."""
        ...

    def open(self, tenant_id: str, quote_id: str) -> Quote | None:
        """For the public side: the caller judges the link."""
        ...

    def revision(self, tenant_id: str, quote_id: str, revision: int) -> Quote | None:
        """An earlier revision as it was sent."""
        ...

    def decide(self, quote: Quote, *, event: Event, origin: Origin = NOWHERE) -> None:
        """For the public side: the next version with its answer. Raises: StaleVersion."""
        ...
