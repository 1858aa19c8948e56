"""Stored aggregates. Every method acts within the caller's tenant and no other.

With a Caller, a method also holds that the membership behind the token still stands, else
MembershipChanged; writes check it in their transaction. Writes raise StaleVersion when the stored
version is not the one expected, AlreadyAnswered when their idempotent request had its effect before,
IdempotencyKeyReused when its key served another request, Busy when contention outlasts the budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from billing.domain.access import NOWHERE, Caller, Origin
from billing.domain.canonical import LATER
from billing.domain.checkout import CheckoutBook
from billing.domain.customer_account import OpenInvoice
from billing.domain.deliverable import Deliverable
from billing.domain.delivery import DeliveryRequest, MailClaim, StoredPdf
from billing.domain.duplicates import Likeness
from billing.domain.events import Event
from billing.domain.invoice import DraftInvoice, Invoice, IssuedInvoice
from billing.domain.ledger import InvoiceStatus, LedgerEntry
from billing.domain.notices import CompanyNotice
from billing.domain.numbering import NumberAllocation, Series, SeriesState
from billing.domain.parties import Company, Customer, CustomerKind, PriceChange, Product, ProductKind
from billing.domain.quote import Quote
from billing.domain.retention import NOT_YET
from billing.domain.subscription import Subscription
from billing.domain.vat import VatTreatment
from billing.domain.verification import (
    ChainLink,
    ChainPosition,
    CreditPage,
    CreditPosition,
    SeriesEnding,
    Verification,
)
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest


class Companies(Protocol):
    def read(self, caller: Caller) -> Company | None: ...

    def save(self, caller: Caller, company: Company, *, event: Event) -> None:
        """Write a company whose version is one above the stored one (1 when there is none)."""
        ...

    def record_onboarding(
        self, caller: Caller, company: Company, *, event: Event | None, once: IdempotentRequest
    ) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerSummary:
    customer_id: str
    kind: CustomerKind
    name: str
    email: str | None
    city: str
    siren: str | None


MAX_ALIKE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateCustomer:
    """A customer that may be the same as another, and by what."""

    customer: CustomerSummary
    likenesses: tuple[Likeness, ...]


class Customers(Protocol):
    def read(self, caller: Caller, customer_id: str, *, once: IdempotentRequest | None = None) -> Customer:
        """Raises: NotFound; with ``once`` also AlreadyAnswered, IdempotencyKeyReused."""
        ...

    def create(self, caller: Caller, customer: Customer, *, event: Event, once: IdempotentRequest) -> None: ...

    def save(
        self,
        caller: Caller,
        customer: Customer,
        *,
        previous: Customer,
        event: Event,
        once: IdempotentRequest | None = None,
    ) -> None: ...

    def current(self, caller: Caller, customer_id: str) -> Customer:
        """As ``read``; of a duplicate, the customer that it became. Raises: NotFound."""
        ...

    def list(self, caller: Caller, page: PageRequest) -> Page[CustomerSummary]:
        """By folded name; duplicates that were merged are in no list, search or likeness."""
        ...

    def whole(self, caller: Caller, page: PageRequest) -> Page[Customer]:
        """The customers of a page of ``list``, whole; two requests."""
        ...

    def alike(self, caller: Caller, customer: Customer) -> tuple[DuplicateCustomer, ...]:
        """Others that share one of its likeness keys, at most ``MAX_ALIKE`` by each; one request by key."""
        ...

    def search(self, caller: Caller, words: tuple[str, ...], page: PageRequest) -> Page[CustomerSummary]:
        """Those having, for each word, a word that begins with it. A page may be short of its limit."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductSummary:
    product_id: str
    kind: ProductKind
    name: str
    reference: str
    unit: str
    unit_price: str
    vat: VatTreatment
    archived: bool


class Products(Protocol):
    def read(self, caller: Caller, product_id: str, *, once: IdempotentRequest | None = None) -> Product:
        """Raises: NotFound; with ``once`` also AlreadyAnswered, IdempotencyKeyReused."""
        ...

    def create(
        self,
        caller: Caller,
        product: Product,
        *,
        event: Event,
        once: IdempotentRequest,
        price: PriceChange | None = None,
    ) -> None:
        """Raises: ProductReferenceTaken."""
        ...

    def save(
        self,
        caller: Caller,
        product: Product,
        *,
        event: Event,
        once: IdempotentRequest | None = None,
        price: PriceChange | None = None,
        previous: Product | None = None,
    ) -> None:
        """A changed price is kept in the same transaction. With the ``previous`` product its reference may change.

        Raises: ProductReferenceTaken.
        """
        ...

    def taken(self, caller: Caller, products: Sequence[Product]) -> frozenset[str]:
        """Ids of those whose reference another product has or claims; one request for a hundred."""
        ...

    def claim(self, caller: Caller, products: Sequence[Product], *, until: datetime) -> None:
        """Nobody else may take their references until then; all of them or none. Raises: ProductReferenceTaken."""
        ...

    def prices(self, caller: Caller, product_id: str, page: PageRequest) -> Page[PriceChange]:
        """Latest first. Raises: NotFound."""
        ...

    def list(self, caller: Caller, page: PageRequest, *, archived: bool) -> Page[ProductSummary]: ...

    def whole(self, caller: Caller, page: PageRequest, *, archived: bool) -> Page[Product]:
        """The products of a page of ``list``, whole; two requests."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceSummary:
    """A row of a list; amounts in cents. ``list_date`` is the issue date, or a draft's creation date."""

    invoice_id: str
    status: InvoiceStatus
    number: str | None
    list_date: date
    due_date: date | None
    customer_id: str
    customer_name: str
    currency: str
    total_minor: int
    balance_minor: int
    delivery_state: str
    retained_minor: int = field(default=0, metadata=LATER)  # of the balance: retention of guarantee
    retained_until: date | None = field(default=None, metadata=LATER)

    @property
    def retained_due_date(self) -> date:
        return max(self.retained_until, self.due_date or date.min) if self.retained_until else NOT_YET

    @property
    def due_on(self) -> date | None:
        """When what is left to pay is due."""
        only_retained = 0 < self.balance_minor == self.retained_minor
        return self.retained_due_date if only_retained else self.due_date

    def retained_on(self, today: date) -> int:
        """What of the balance need not be paid yet."""
        passed = self.retained_until is not None and self.retained_until <= today
        return 0 if passed else self.retained_minor

    def still_open(self) -> tuple[OpenInvoice, ...]:
        """What is owed of an issued invoice, by the day it is due."""
        assert self.number is not None  # noqa: S101 - drafts are not owed
        assert self.due_date is not None  # noqa: S101
        dues = {self.due_date: self.balance_minor - self.retained_minor}
        dues[self.retained_due_date] = dues.get(self.retained_due_date, 0) + self.retained_minor
        return tuple(
            OpenInvoice(
                invoice_id=self.invoice_id,
                number=self.number,
                currency=self.currency,
                due_date=due_date,
                balance_minor=owed_minor,
            )
            for due_date, owed_minor in dues.items()
            if owed_minor
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceQuery:
    """By date unless ``status``, ``overdue`` or ``customer_id`` (one at most) picks another order.

    ``from_date``/``to_date`` (inclusive) bound the order's own date: the due date for a status or
    overdue, the list date otherwise.
    """

    status: InvoiceStatus | None = None
    overdue_on: date | None = None
    customer_id: str | None = None
    from_date: date | None = None
    to_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftContext:
    """What writing a draft needs; customer and products in the order asked for."""

    company: Company | None
    customer: Customer
    products: tuple[Product, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceWithCheckouts:
    """An invoice and the attempts to pay it online; none was made of a draft."""

    invoice: Invoice
    checkouts: CheckoutBook


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueContext:
    invoice: Invoice
    company: Company | None
    series: SeriesState
    subscription: Subscription  # of the company to the platform
    takes_payments: bool = False  # online


MAX_ENTRIES_READ = 100


class SeriesMoved(Exception):
    """Another document was issued meanwhile; ``state`` is where the series stands now."""

    def __init__(self, state: SeriesState) -> None:
        self.state = state
        super().__init__("the series moved")


class AlreadyReplaced(Exception):
    """The credited invoice that a draft replaces was replaced by another one before."""


class Invoices(Protocol):
    def draft_context(
        self,
        caller: Caller,
        customer_id: str,
        product_ids: tuple[str, ...],
        *,
        once: IdempotentRequest | None = None,
    ) -> DraftContext:
        """One request; products that do not exist are left out.

        Raises: with ``once`` AlreadyAnswered, IdempotencyKeyReused; then UnknownReference for the customer.
        """
        ...

    def read(self, caller: Caller, invoice_id: str, *, once: IdempotentRequest | None = None) -> Invoice:
        """Raises: NotFound; with ``once`` also AlreadyAnswered, IdempotencyKeyReused."""
        ...

    def read_with_checkouts(
        self, caller: Caller, invoice_id: str, *, once: IdempotentRequest | None = None
    ) -> InvoiceWithCheckouts:
        """One request. Raises: as ``read``."""
        ...

    def last_entries(self, caller: Caller, invoice: IssuedInvoice) -> tuple[LedgerEntry, ...]:
        """The last ``MAX_ENTRIES_READ`` of its ledger, oldest first; one request, none where there is no entry."""
        ...

    def create(self, caller: Caller, draft: DraftInvoice, *, event: Event, once: IdempotentRequest) -> None: ...

    def save_draft(self, caller: Caller, draft: DraftInvoice, *, previous: DraftInvoice, event: Event) -> None:
        """Raises: InvoiceAlreadyIssued, NotFound, StaleVersion."""
        ...

    def delete_draft(self, caller: Caller, invoice_id: str, *, expected_version: int, event: Event) -> None:
        """Only a draft can go. Raises: InvoiceAlreadyIssued, NotFound, StaleVersion."""
        ...

    def list(self, caller: Caller, query: InvoiceQuery, page: PageRequest) -> Page[InvoiceSummary]: ...

    def load_for_issue(self, caller: Caller, invoice_id: str, *, once: IdempotentRequest) -> IssueContext:
        """Invoice, company and series at once. Raises: NotFound, AlreadyAnswered, IdempotencyKeyReused."""
        ...

    def issue(
        self,
        caller: Caller,
        issued: IssuedInvoice,
        *,
        draft: DraftInvoice,
        allocation: NumberAllocation,
        event: Event,
        delivery: DeliveryRequest,
        once: IdempotentRequest,
        payment: tuple[LedgerEntry, Event] | None = None,
        replaces: str | None = None,
        notices: tuple[CompanyNotice, ...] = (),
    ) -> None:
        """All of it in one transaction, or nothing. ``replaces``: an invoice that is replaced by this one for ever.

        Raises: SeriesMoved, NumberTaken, InvoiceAlreadyIssued, AlreadyReplaced.
        """
        ...

    def request_delivery(
        self,
        caller: Caller,
        invoice: IssuedInvoice,
        *,
        delivery: DeliveryRequest,
        event: Event,
        once: IdempotentRequest,
    ) -> None: ...

    def timeline(self, caller: Caller, invoice_id: str, page: PageRequest) -> Page[Event]:
        """Oldest first. Raises: NotFound."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequest:
    """A workflow request without an outcome: a delivery, a verification or a run of a bulk job."""

    entity: str
    tenant_id: str
    subject_id: str
    attempt: int
    executions: int
    correlation_id: str


class Deliveries(Protocol):
    """For the workflow itself: no caller, the tenant comes from the request that the API wrote."""

    shards: int

    def invoice(self, tenant_id: str, invoice_id: str) -> IssuedInvoice: ...

    def owed(self, tenant_id: str, invoice_id: str) -> tuple[IssuedInvoice, CheckoutBook]:
        """An issued invoice, and the attempts to pay it online. One request. Raises: NotFound."""
        ...

    def document(self, tenant_id: str, document_id: str) -> Deliverable:
        """An issued invoice, or a quote with its document. Raises: NotFound."""
        ...

    def request(self, tenant_id: str, invoice_id: str, attempt: int) -> DeliveryRequest: ...

    def record_pdf(
        self, tenant_id: str, document_id: str, pdf: StoredPdf, *, event: Event, origin: Origin = NOWHERE
    ) -> Deliverable:
        """The head gains its PDF once; a second record of the same document changes nothing."""
        ...

    def settle(self, document: Deliverable, request: DeliveryRequest, *, event: Event | None) -> None:
        """Record the outcome on request and head at once. Raises: StaleVersion (moved, or settled before)."""
        ...

    def due_again(self, at: datetime, *, shard: int, limit: int) -> tuple[DeliveryRequest, ...]:
        """Settled requests that another attempt is due for, across tenants, oldest first."""
        ...

    def attempt_again(
        self, document: Deliverable, settled: DeliveryRequest, request: DeliveryRequest, *, event: Event
    ) -> None:
        """Open the attempt that follows a settled one. Raises: StaleVersion (head moved, or it has a successor)."""
        ...

    def put_off(self, settled: DeliveryRequest, *, document: Deliverable | None = None) -> None:
        """Its next attempt is due later, or never; with the head that says so. Raises: StaleVersion."""
        ...

    def claim_mail(self, claim: MailClaim) -> MailClaim:
        """Put the claim unless one stands; returns the one that stands."""
        ...

    def advance_mail(self, claim: MailClaim, *, expected: MailClaim) -> bool:
        """Move a claim forward; False when it is no longer the one expected."""
        ...

    def read_mail(self, tenant_id: str, invoice_id: str, attempt: int, recipient: str) -> MailClaim | None: ...

    def record_mail_event(self, document: Deliverable, *, event: Event, origin: Origin = NOWHERE) -> None:
        """Head and timeline follow what the provider says of a mail. Raises: StaleVersion."""
        ...

    def record_link(self, quote: Quote, *, event: Event, origin: Origin = NOWHERE) -> None:
        """A quote gains the link that its mail will carry. Raises: StaleVersion."""
        ...


class WorkflowRequests(Protocol):
    """The outbox: requests that wait for an execution or for its outcome, across tenants."""

    shards: int

    def stale(self, before: datetime, *, shard: int, limit: int) -> tuple[OpenRequest, ...]:
        """Unsettled requests last started (or written) before an instant, oldest first."""
        ...

    def count_execution(self, request: OpenRequest, *, at: datetime) -> bool:
        """One more execution was started at this instant; False when another counted it or it is settled."""
        ...


class Verifications(Protocol):
    def start(self, caller: Caller, verification: Verification, *, once: IdempotentRequest) -> None:
        """With the event that says so."""
        ...

    def series_heads(self, caller: Caller) -> tuple[SeriesState, ...]:
        """Where each series without gaps stands, invoices first; one request."""
        ...

    def read(self, caller: Caller, verification_id: str) -> Verification:
        """Raises: NotFound."""
        ...

    def load(self, tenant_id: str, verification_id: str) -> Verification: ...

    def page(
        self, tenant_id: str, position: ChainPosition, target: SeriesState, *, limit: int
    ) -> tuple[ChainLink, ...]:
        """Places in rank order after a position, up to the target, each with its document if it can be read."""
        ...

    def ending(self, tenant_id: str, series: Series) -> SeriesEnding:
        """Head and last place of a series while nothing is issued in between."""
        ...

    def credit_page(self, tenant_id: str, position: CreditPosition, *, limit: int) -> CreditPage | None:
        """What follows in the credit of the customer at the position, else the next customer's; None after the last.

        A page that is complete shows head and entries as one moment saw them.
        """
        ...

    def save(self, verification: Verification) -> bool:
        """Checkpoint; False when another run of the job went ahead. Executions counted meanwhile stay counted.

        The last one comes with the event that says how it ended.
        """
        ...
