"""Fake repositories over one Store, with the optimistic concurrency that the ports promise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TypeVar, cast

from billing.domain.access import NOWHERE, Caller, Membership, Origin
from billing.domain.bulk import BulkJob
from billing.domain.checkout import CheckoutBook
from billing.domain.customer_account import issued_movements
from billing.domain.deliverable import Deliverable, is_quote_id
from billing.domain.delivery import DeliveryRequest, MailClaim, StoredPdf
from billing.domain.duplicates import likeness_keys
from billing.domain.errors import (
    Busy,
    FieldError,
    MembershipChanged,
    NotFound,
    StaleVersion,
    UnknownReference,
)
from billing.domain.events import Event, membership_created
from billing.domain.invoice import DraftInvoice, Invoice, IssuedInvoice
from billing.domain.ledger import LedgerEntry, is_overdue
from billing.domain.notices import CompanyNotice, is_notice_id
from billing.domain.numbering import NumberAllocation, Series, SeriesState
from billing.domain.parties import Company, Customer, PriceChange, Product
from billing.domain.product_reference import reference_key, reference_taken
from billing.domain.quote import Quote
from billing.domain.reminders import is_reminder_id, reminded_of
from billing.domain.search import fold, words
from billing.domain.subscription import Subscription
from billing.domain.verification import (
    ChainedDocument,
    ChainLink,
    ChainPosition,
    CreditPage,
    CreditPosition,
    MissingDocument,
    SeriesEnding,
    Verification,
    VerificationState,
    verification_ended,
    verification_started,
)
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.repositories import (
    AlreadyReplaced,
    CustomerSummary,
    DraftContext,
    DuplicateCustomer,
    InvoiceQuery,
    InvoiceSummary,
    InvoiceWithCheckouts,
    IssueContext,
    OpenRequest,
    ProductSummary,
)
from tests.fakes.bulk_jobs import BULK, FakeBulkJobs
from tests.fakes.chains import FakeChains
from tests.fakes.checkouts import FakeCheckouts, FakeStripeConnections
from tests.fakes.credit_notes import FakeCreditNotes
from tests.fakes.customer_accounts import FakeCustomerAccounts
from tests.fakes.customer_merges import FakeCustomerMerges
from tests.fakes.event_feed import FakeEventFeed
from tests.fakes.invoice_links import FakeInvoiceLinks
from tests.fakes.payments import FakePayments
from tests.fakes.quotes import FakeQuotes
from tests.fakes.reconciliations import FakeReconciliations
from tests.fakes.recurring_invoices import FakeRecurringInvoices
from tests.fakes.reminders import FakeReminders
from tests.fakes.search import FakeSearch
from tests.fakes.series import FakeSeriesRecords, state_of
from tests.fakes.store import SHARDS, Placed, Store, Waiting, paged, shard_of
from tests.fakes.stripe_inbox import FakeStripeInbox
from tests.fakes.stripe_payments import FakeStripePayments
from tests.fakes.subscriptions import FakeSubscriptions
from tests.fakes.summaries import invoice_summary, product_summary
from tests.fakes.webhooks import FakeWebhooks
from tests.fakes.writes import (
    DELIVERY,
    ask,
    hold_draft,
    hold_notices,
    hold_number,
    last_entries,
    move_account,
    move_head,
    take_number,
    write_notices,
)

T = TypeVar("T")
Rows = list[tuple[str, object]]
VERIFICATION = "verification_request"


class FakeMemberships:
    """Port Memberships."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of_user(self, user_id: str) -> Membership | None:
        with self._store.lock:
            tenant_id = self._store.tenants.get(user_id)
            return self._store.memberships.get((tenant_id, user_id)) if tenant_id else None

    def found(self, membership: Membership, *, at: datetime, origin: Origin = NOWHERE) -> Membership:
        with self._store.lock:
            existing = self.of_user(membership.user_id)
            if existing is not None:
                return existing
            self._store.tenants[membership.user_id] = membership.tenant_id
            self._store.founded_at[membership.tenant_id] = at
            self._store.memberships[membership.tenant_id, membership.user_id] = membership
            event = membership_created(membership, at)
            self._store.record(membership.tenant_id, membership.user_id, event, origin)
            return membership

    def read(self, caller: Caller) -> Membership:
        with self._store.lock:
            self._store.check(caller)
            return self._store.memberships[caller.tenant_id, caller.user_id]

    def change(self, membership: Membership) -> None:
        """What managing people will do: the stored membership is this one from now on."""
        with self._store.lock:
            if (membership.tenant_id, membership.user_id) not in self._store.memberships:
                raise MembershipChanged
            self._store.memberships[membership.tenant_id, membership.user_id] = membership


class FakeCompanies:
    """Port Companies."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, caller: Caller) -> Company | None:
        with self._store.lock:
            self._store.check(caller)
            return self._store.companies.get(caller.tenant_id)

    def save(self, caller: Caller, company: Company, *, event: Event) -> None:
        with self._store.writing(caller):
            self._put(company, event)

    def record_onboarding(
        self, caller: Caller, company: Company, *, event: Event | None, once: IdempotentRequest
    ) -> None:
        with self._store.writing(caller, once=once, answered=company.onboarding):
            self._put(company, event)

    def _put(self, company: Company, event: Event | None) -> None:
        stored = self._store.companies.get(company.tenant_id)
        if (stored.version if stored else 0) != company.version - 1:
            raise StaleVersion
        self._store.companies[company.tenant_id] = company
        if event:
            self._store.record(company.tenant_id, "company", event)


class FakeCustomers:
    """Port Customers."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, caller: Caller, customer_id: str, *, once: IdempotentRequest | None = None) -> Customer:
        with self._store.lock:
            self._store.check(caller, once)
            return _found(self._store.customers.get((caller.tenant_id, customer_id)))

    def current(self, caller: Caller, customer_id: str) -> Customer:
        with self._store.lock:
            self._store.check(caller)
            return _found(self._store.current(caller.tenant_id, customer_id))

    def create(self, caller: Caller, customer: Customer, *, event: Event, once: IdempotentRequest) -> None:
        with self._store.writing(caller, once=once, answered=customer):
            if (caller.tenant_id, customer.customer_id) in self._store.customers:
                raise Busy
            self._store.customers[caller.tenant_id, customer.customer_id] = customer
            self._store.record(caller.tenant_id, customer.customer_id, event)

    def save(
        self,
        caller: Caller,
        customer: Customer,
        *,
        previous: Customer,
        event: Event,
        once: IdempotentRequest | None = None,
    ) -> None:
        with self._store.writing(caller, once=once, answered=customer):
            stored = self._store.customers.get((caller.tenant_id, customer.customer_id))
            if stored is None or stored.version != previous.version:
                raise StaleVersion
            self._store.customers[caller.tenant_id, customer.customer_id] = customer
            self._store.record(caller.tenant_id, customer.customer_id, event)

    def list(self, caller: Caller, page: PageRequest) -> Page[CustomerSummary]:
        return cast("Page[CustomerSummary]", paged(self._rows(caller, ()), page))

    def whole(self, caller: Caller, page: PageRequest) -> Page[Customer]:
        found = self.list(caller, page)
        with self._store.lock:
            held = tuple(self._store.customers[caller.tenant_id, row.customer_id] for row in found.items)
        return Page(items=held, position=found.position)

    def alike(self, caller: Caller, customer: Customer) -> tuple[DuplicateCustomer, ...]:
        with self._store.lock:
            self._store.check(caller)
            others = [
                other
                for (tenant_id, customer_id), other in self._store.customers.items()
                if tenant_id == caller.tenant_id and customer_id != customer.customer_id and not other.merged_into
            ]
        mine = likeness_keys(customer.description)
        shared = [(other, [key for key in mine if key in likeness_keys(other.description)]) for other in others]
        return tuple(
            DuplicateCustomer(customer=_customer_summary(other), likenesses=tuple(key.likeness for key in keys))
            for other, keys in shared
            if keys
        )

    def search(self, caller: Caller, words: tuple[str, ...], page: PageRequest) -> Page[CustomerSummary]:
        return cast("Page[CustomerSummary]", paged(self._rows(caller, words), page))

    def _rows(self, caller: Caller, searched: tuple[str, ...]) -> Rows:
        with self._store.lock:
            self._store.check(caller)
            return [
                (f"{fold(customer.description.name)}#{customer.customer_id}", _customer_summary(customer))
                for (tenant_id, _), customer in self._store.customers.items()
                if tenant_id == caller.tenant_id and not customer.merged_into and _has_words(customer, searched)
            ]


class FakeProducts:
    """Port Products."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, caller: Caller, product_id: str, *, once: IdempotentRequest | None = None) -> Product:
        with self._store.lock:
            self._store.check(caller, once)
            return _found(self._store.products.get((caller.tenant_id, product_id)))

    def create(
        self,
        caller: Caller,
        product: Product,
        *,
        event: Event,
        once: IdempotentRequest,
        price: PriceChange | None = None,
    ) -> None:
        with self._store.writing(caller, once=once, answered=product):
            if (caller.tenant_id, product.product_id) in self._store.products:
                raise Busy
            self._name(product)
            self._keep(product, price)
            self._store.products[caller.tenant_id, product.product_id] = product
            self._store.record(caller.tenant_id, product.product_id, event)

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
        with self._store.writing(caller, once=once, answered=product):
            stored = self._store.products.get((caller.tenant_id, product.product_id))
            if stored is None or stored.version != product.version - 1:
                raise StaleVersion
            if previous:
                self._name(product, previous)
            self._keep(product, price)
            self._store.products[caller.tenant_id, product.product_id] = product
            self._store.record(caller.tenant_id, product.product_id, event)

    def taken(self, caller: Caller, products: Sequence[Product]) -> frozenset[str]:
        with self._store.lock:
            self._store.check(caller)
            return frozenset(
                product.product_id
                for product in products
                if not self._is_free(product, reference_key(product.description.reference))
            )

    def claim(self, caller: Caller, products: Sequence[Product], *, until: datetime) -> None:
        with self._store.writing(caller):
            for product in products:
                if not self._is_free(product, reference_key(product.description.reference)):
                    raise reference_taken(product.description.reference)
            for product in products:
                reference = reference_key(product.description.reference)
                if reference:
                    self._store.claims_of_references[product.tenant_id, reference] = (product.product_id, until)

    def _is_free(self, product: Product, reference: str) -> bool:
        key = (product.tenant_id, reference)
        claimant, until = self._store.claims_of_references.get(key, (product.product_id, product.updated_at))
        holder = self._store.references.get(key)
        if holder is not None:
            return holder == product.product_id
        return claimant == product.product_id or until < product.updated_at

    def _name(self, product: Product, previous: Product | None = None) -> None:
        has = reference_key(product.description.reference)
        if has and not self._is_free(product, has):
            raise reference_taken(product.description.reference)
        if previous:
            self._store.references.pop((product.tenant_id, reference_key(previous.description.reference)), None)
        if has:
            self._store.references[product.tenant_id, has] = product.product_id

    def _keep(self, product: Product, price: PriceChange | None) -> None:
        key = (product.tenant_id, product.product_id)
        if price is not None:
            self._store.prices[key] = (*self._store.prices.get(key, ()), price)

    def prices(self, caller: Caller, product_id: str, page: PageRequest) -> Page[PriceChange]:
        self.read(caller, product_id)
        with self._store.lock:
            held = self._store.prices.get((caller.tenant_id, product_id), ())
        rows: Rows = [(f"{price.version:010d}", price) for price in held]
        return cast("Page[PriceChange]", paged(rows, page, forward=False))

    def whole(self, caller: Caller, page: PageRequest, *, archived: bool) -> Page[Product]:
        found = self.list(caller, page, archived=archived)
        with self._store.lock:
            held = tuple(self._store.products[caller.tenant_id, row.product_id] for row in found.items)
        return Page(items=held, position=found.position)

    def list(self, caller: Caller, page: PageRequest, *, archived: bool) -> Page[ProductSummary]:
        with self._store.lock:
            self._store.check(caller)
            rows: Rows = [
                (f"{fold(product.description.name)}#{product.product_id}", product_summary(product))
                for (tenant_id, _), product in self._store.products.items()
                if tenant_id == caller.tenant_id and product.archived is archived
            ]
        return cast("Page[ProductSummary]", paged(rows, page))


class FakeInvoices:
    """Port Invoices."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def draft_context(
        self,
        caller: Caller,
        customer_id: str,
        product_ids: tuple[str, ...],
        *,
        once: IdempotentRequest | None = None,
    ) -> DraftContext:
        with self._store.lock:
            self._store.check(caller, once)
            customer = self._store.current(caller.tenant_id, customer_id)
            if customer is None:
                raise UnknownReference((FieldError("/customer_id", "Client inconnu.", "Unknown customer."),))
            wanted = ((caller.tenant_id, product_id) for product_id in product_ids)
            return DraftContext(
                company=self._store.companies.get(caller.tenant_id),
                customer=customer,
                products=tuple(self._store.products[key] for key in wanted if key in self._store.products),
            )

    def read(self, caller: Caller, invoice_id: str, *, once: IdempotentRequest | None = None) -> Invoice:
        with self._store.lock:
            self._store.check(caller, once)
            return _invoice(self._store, caller.tenant_id, invoice_id)

    def read_with_checkouts(
        self, caller: Caller, invoice_id: str, *, once: IdempotentRequest | None = None
    ) -> InvoiceWithCheckouts:
        with self._store.lock:
            checkouts = self._store.checkouts_of(caller.tenant_id, invoice_id)
            return InvoiceWithCheckouts(invoice=self.read(caller, invoice_id, once=once), checkouts=checkouts)

    def last_entries(self, caller: Caller, invoice: IssuedInvoice) -> tuple[LedgerEntry, ...]:
        with self._store.lock:
            return last_entries(self._store, caller.tenant_id, invoice)

    def create(self, caller: Caller, draft: DraftInvoice, *, event: Event, once: IdempotentRequest) -> None:
        with self._store.writing(caller, once=once, answered=draft):
            self._store.invoices[caller.tenant_id, draft.invoice_id] = draft
            self._store.record(caller.tenant_id, draft.invoice_id, event)

    def save_draft(self, caller: Caller, draft: DraftInvoice, *, previous: DraftInvoice, event: Event) -> None:
        with self._store.writing(caller):
            hold_draft(self._store, caller.tenant_id, draft.invoice_id, previous.version)
            self._store.invoices[caller.tenant_id, draft.invoice_id] = draft
            self._store.record(caller.tenant_id, draft.invoice_id, event)

    def delete_draft(self, caller: Caller, invoice_id: str, *, expected_version: int, event: Event) -> None:
        with self._store.writing(caller):
            hold_draft(self._store, caller.tenant_id, invoice_id, expected_version)
            del self._store.invoices[caller.tenant_id, invoice_id]
            self._store.record(caller.tenant_id, invoice_id, event)

    def list(self, caller: Caller, query: InvoiceQuery, page: PageRequest) -> Page[InvoiceSummary]:
        by_due = query.status is not None or query.overdue_on is not None
        with self._store.lock:
            self._store.check(caller)
            rows: Rows = []
            ids = self._store.ids_of(caller.tenant_id, query.customer_id) if query.customer_id else ()
            for (tenant_id, invoice_id), invoice in self._store.invoices.items():
                if tenant_id != caller.tenant_id or _is_credit_note(invoice):
                    continue
                summary = invoice_summary(invoice)
                day = (summary.due_on or summary.list_date) if by_due else summary.list_date
                if _asked_for(invoice, summary, query, ids) and _within(day, query):
                    rows.append((f"{day.isoformat()}#{invoice_id}", summary))
        return cast("Page[InvoiceSummary]", paged(rows, page, forward=by_due))

    def load_for_issue(self, caller: Caller, invoice_id: str, *, once: IdempotentRequest) -> IssueContext:
        with self._store.lock:
            self._store.check(caller, once)
            connection = self._store.stripe_connections.get(caller.tenant_id)
            return IssueContext(
                takes_payments=connection is not None and connection.accepts_payments,
                invoice=_invoice(self._store, caller.tenant_id, invoice_id),
                company=self._store.companies.get(caller.tenant_id),
                series=self._series(caller.tenant_id),
                subscription=self._store.subscriptions.get(caller.tenant_id)
                or Subscription(tenant_id=caller.tenant_id),
            )

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
        tenant_id, invoice_id = caller.tenant_id, issued.invoice_id
        with self._store.writing(caller, once=once, answered=issued):
            hold_draft(self._store, tenant_id, invoice_id, draft.version)
            hold_number(self._store, tenant_id, allocation)
            if replaces:
                if (tenant_id, replaces) in self._store.replaced:
                    raise AlreadyReplaced
                self._store.replaced[tenant_id, replaces] = invoice_id
            hold_notices(self._store, notices)
            self._store.invoices[tenant_id, invoice_id] = issued
            take_number(self._store, issued, allocation)
            ask(self._store, delivery)
            write_notices(self._store, notices)
            self._store.record(tenant_id, invoice_id, event)
            moved = issued_movements(issued, payment[0] if payment else None)
            move_account(self._store, tenant_id, issued.document.customer_id, *moved)
            if payment is not None:
                self._store.entries[tenant_id, invoice_id] = (payment[0],)
                self._store.record(tenant_id, invoice_id, payment[1])

    def request_delivery(
        self,
        caller: Caller,
        invoice: IssuedInvoice,
        *,
        delivery: DeliveryRequest,
        event: Event,
        once: IdempotentRequest,
    ) -> None:
        with self._store.writing(caller, once=once, answered=invoice):
            move_head(self._store, invoice)
            ask(self._store, delivery)
            self._store.record(caller.tenant_id, invoice.invoice_id, event)

    def timeline(self, caller: Caller, invoice_id: str, page: PageRequest) -> Page[Event]:
        with self._store.lock:
            self._store.check(caller)
            _invoice(self._store, caller.tenant_id, invoice_id)
            events = self._store.events.get((caller.tenant_id, invoice_id), ())
        rows: Rows = [(f"{event.occurred_at.isoformat()}#{event.event_id}", event) for event in events]
        return cast("Page[Event]", paged(rows, page))

    def _series(self, tenant_id: str) -> SeriesState:
        return self._store.series.get((tenant_id, Series.INVOICE)) or SeriesState.untouched(Series.INVOICE)


class FakeDeliveries:
    """Port Deliveries."""

    shards = SHARDS

    def __init__(self, store: Store) -> None:
        self._store = store

    def invoice(self, tenant_id: str, invoice_id: str) -> IssuedInvoice:
        with self._store.lock:
            invoice = _invoice(self._store, tenant_id, invoice_id)
        if isinstance(invoice, DraftInvoice):
            raise NotFound
        return invoice

    def owed(self, tenant_id: str, invoice_id: str) -> tuple[IssuedInvoice, CheckoutBook]:
        with self._store.lock:
            return self.invoice(tenant_id, invoice_id), self._store.checkouts_of(tenant_id, invoice_id)

    def document(self, tenant_id: str, document_id: str) -> Deliverable:
        if is_notice_id(document_id):
            with self._store.lock:
                return _found(self._store.notices.get((tenant_id, document_id)))
        if is_reminder_id(document_id):
            with self._store.lock:
                return _found(self._store.reminders.get((tenant_id, document_id)))
        if not is_quote_id(document_id):
            return self.invoice(tenant_id, document_id)
        with self._store.lock:
            quote = _found(self._store.quotes.get((tenant_id, document_id)))
        if quote.document is None:
            raise NotFound
        return quote

    def request(self, tenant_id: str, invoice_id: str, attempt: int) -> DeliveryRequest:
        with self._store.lock:
            request = _found(self._store.requests.get((tenant_id, invoice_id, attempt)))
            waiting = self._store.outbox.get((DELIVERY, tenant_id, invoice_id, attempt))
        return replace(request, executions=waiting.executions) if waiting else request

    def record_pdf(
        self, tenant_id: str, document_id: str, pdf: StoredPdf, *, event: Event, origin: Origin = NOWHERE
    ) -> Deliverable:
        with self._store.lock:
            document = self.document(tenant_id, document_id)
            if document.delivery.pdf is not None:
                return document
            recorded = document.with_delivery(replace(document.delivery, pdf=pdf), pdf.rendered_at)
            move_head(self._store, recorded)
            self._store.record(tenant_id, document_id, event, origin)
            return recorded

    def settle(self, document: Deliverable, request: DeliveryRequest, *, event: Event | None) -> None:
        key = (request.tenant_id, request.invoice_id, request.attempt)
        with self._store.lock:
            if self._store.requests[key].outcome is not None:
                raise StaleVersion
            move_head(self._store, document)
            self._store.requests[key] = request
            self._store.outbox.pop((DELIVERY, *key))
            if event:
                origin = Origin(correlation_id=request.correlation_id)
                self._store.record(request.tenant_id, _told_on(request.invoice_id), event, origin)

    def due_again(self, at: datetime, *, shard: int, limit: int) -> tuple[DeliveryRequest, ...]:
        with self._store.lock:
            due = sorted(
                (one.again_at, key)
                for key, one in self._store.requests.items()
                if one.again_at is not None and one.again_at <= at and shard_of(one.tenant_id) == shard
            )
            return tuple(self._store.requests[key] for _, key in due[:limit])

    def attempt_again(
        self, document: Deliverable, settled: DeliveryRequest, request: DeliveryRequest, *, event: Event
    ) -> None:
        key = (request.tenant_id, request.invoice_id, request.attempt)
        with self._store.lock:
            self._held_again(settled)
            if key in self._store.requests:
                raise StaleVersion
            move_head(self._store, document)
            self._store.requests[settled.tenant_id, settled.invoice_id, settled.attempt] = settled
            self._store.requests[key] = request
            self._store.outbox[(DELIVERY, *key)] = Waiting(0, request.requested_at)
            origin = Origin(correlation_id=request.correlation_id)
            self._store.record(request.tenant_id, _told_on(request.invoice_id), event, origin)

    def put_off(self, settled: DeliveryRequest, *, document: Deliverable | None = None) -> None:
        with self._store.lock:
            self._held_again(settled)
            if document is not None:
                move_head(self._store, document)
            self._store.requests[settled.tenant_id, settled.invoice_id, settled.attempt] = settled

    def _held_again(self, settled: DeliveryRequest) -> None:
        if self._store.requests[settled.tenant_id, settled.invoice_id, settled.attempt].again_at is None:
            raise StaleVersion

    def claim_mail(self, claim: MailClaim) -> MailClaim:
        with self._store.lock:
            return self._store.claims.setdefault(_claim_key(claim), claim)

    def advance_mail(self, claim: MailClaim, *, expected: MailClaim) -> bool:
        with self._store.lock:
            standing = self._store.claims.get(_claim_key(claim))
            if standing is None or standing.state is not expected.state:
                return False
            self._store.claims[_claim_key(claim)] = claim
            return True

    def read_mail(self, tenant_id: str, invoice_id: str, attempt: int, recipient: str) -> MailClaim | None:
        with self._store.lock:
            return self._store.claims.get((tenant_id, invoice_id, attempt, recipient.strip().lower()))

    def record_mail_event(self, document: Deliverable, *, event: Event, origin: Origin = NOWHERE) -> None:
        with self._store.lock:
            move_head(self._store, document)
            self._store.record(document.tenant_id, _told_on(document.document_id), event, origin)

    def record_link(self, quote: Quote, *, event: Event, origin: Origin = NOWHERE) -> None:
        with self._store.lock:
            move_head(self._store, quote)
            self._store.record(quote.tenant_id, quote.quote_id, event, origin)


def _told_on(document_id: str) -> str:
    """Whose timeline tells of a document: a reminder's is its invoice's."""
    return reminded_of(document_id)[0] if is_reminder_id(document_id) else document_id


class FakeWorkflowRequests:
    """Port WorkflowRequests."""

    shards = SHARDS

    def __init__(self, store: Store) -> None:
        self._store = store

    def stale(self, before: datetime, *, shard: int, limit: int) -> tuple[OpenRequest, ...]:
        with self._store.lock:
            waiting = sorted(
                (waiting.touched_at, key)
                for key, waiting in self._store.outbox.items()
                if waiting.touched_at < before and shard_of(key[1]) == shard
            )
            return tuple(self._open(key) for _, key in waiting[:limit])

    def count_execution(self, request: OpenRequest, *, at: datetime) -> bool:
        with self._store.lock:
            key = (request.entity, request.tenant_id, request.subject_id, request.attempt)
            waiting = self._store.outbox.get(key)
            if waiting is None or waiting.executions != request.executions:
                return False
            self._store.outbox[key] = Waiting(waiting.executions + 1, at)
            return True

    def _open(self, key: tuple[str, str, str, int]) -> OpenRequest:
        entity, tenant_id, subject_id, attempt = key
        subject: DeliveryRequest | Verification | BulkJob
        if entity == DELIVERY:
            subject = self._store.requests[tenant_id, subject_id, attempt]
        elif entity == BULK:
            subject = self._store.bulk_jobs[tenant_id, subject_id]
        else:
            subject = self._store.verifications[tenant_id, subject_id]
        return OpenRequest(
            entity=entity,
            tenant_id=tenant_id,
            subject_id=subject_id,
            attempt=attempt,
            executions=self._store.outbox[key].executions,
            correlation_id=subject.correlation_id,
        )


class FakeVerifications:
    """Port Verifications."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def start(self, caller: Caller, verification: Verification, *, once: IdempotentRequest) -> None:
        key = (caller.tenant_id, verification.verification_id)
        with self._store.writing(caller, once=once, answered=verification):
            self._store.verifications[key] = verification
            self._store.outbox[VERIFICATION, *key, 1] = Waiting(0, verification.started_at)
            self._store.record(*key, verification_started(verification, caller.user_id))

    def series_heads(self, caller: Caller) -> tuple[SeriesState, ...]:
        with self._store.lock:
            self._store.check(caller)
            return tuple(
                state_of(self._store, caller.tenant_id, series) for series in (Series.INVOICE, Series.CREDIT_NOTE)
            )

    def read(self, caller: Caller, verification_id: str) -> Verification:
        with self._store.lock:
            self._store.check(caller)
            return self.load(caller.tenant_id, verification_id)

    def load(self, tenant_id: str, verification_id: str) -> Verification:
        with self._store.lock:
            verification = _found(self._store.verifications.get((tenant_id, verification_id)))
            waiting = self._store.outbox.get((VERIFICATION, tenant_id, verification_id, 1))
        return replace(verification, executions=waiting.executions) if waiting else verification

    def ending(self, tenant_id: str, series: Series) -> SeriesEnding:
        with self._store.lock:
            state = state_of(self._store, tenant_id, series)
            begun = (state.start.last_date.year, state.start.last_rank) if state.start else (0, 0)
            places = [
                (year, rank) for owner, of, year, rank in self._store.places if (owner, of) == (tenant_id, series)
            ]
        return SeriesEnding(head=(state.year, state.last_rank), last_place=max(places, default=begun))

    def page(
        self, tenant_id: str, position: ChainPosition, target: SeriesState, *, limit: int
    ) -> tuple[ChainLink, ...]:
        after, last = (position.year, position.rank), (target.year, target.last_rank)
        with self._store.lock:
            places = sorted(
                (year, rank)
                for owner, series, year, rank in self._store.places
                if owner == tenant_id and series is target.series and after < (year, rank) <= last
            )
            return tuple(
                self._chained(tenant_id, *place, self._store.places[tenant_id, target.series, *place])
                for place in places[:limit]
            )

    def credit_page(self, tenant_id: str, position: CreditPosition, *, limit: int) -> CreditPage | None:
        with self._store.lock:
            customers = sorted(customer for owner, customer in self._store.credits if owner == tenant_id)
            ahead = [one for one in customers if one > position.customer_id]
            if not position.complete:
                ahead = [position.customer_id]
            if not ahead:
                return None
            after = 0 if position.complete else position.rank
            known = self._store.credit_entries.get((tenant_id, ahead[0]), ())  # none while there are only promises
            entries, head = known[after : after + limit], self._store.credits[tenant_id, ahead[0]]
            complete = after + len(entries) == len(known)
            return CreditPage(head=head, entries=entries, complete=complete)

    def save(self, verification: Verification) -> bool:
        key = (verification.tenant_id, verification.verification_id)
        with self._store.lock:
            if self._store.verifications[key].version != verification.version - 1:
                return False
            waiting = self._store.outbox.pop((VERIFICATION, *key, 1))
            self._store.verifications[key] = replace(verification, executions=waiting.executions)
            if verification.state is VerificationState.RUNNING:
                self._store.outbox[VERIFICATION, *key, 1] = Waiting(waiting.executions, verification.updated_at)
            else:
                origin = Origin(correlation_id=verification.correlation_id)
                self._store.record(*key, verification_ended(verification), origin)
            return True

    def _chained(self, tenant_id: str, year: int, rank: int, placed: Placed) -> ChainLink:
        invoice = self._store.invoices.get((tenant_id, placed.invoice_id))
        if not isinstance(invoice, IssuedInvoice):
            what = "cannot be read" if invoice else "is not there"
            return MissingDocument(
                year=year,
                rank=rank,
                number=placed.number,
                document_hash=placed.document_hash,
                detail=f"the invoice {placed.invoice_id} {what}",
            )
        return ChainedDocument(
            year=year,
            rank=rank,
            number=placed.number,
            canonical=invoice.document.canonical(),
            invoice=invoice,
            entries=(entries := self._store.entries.get((tenant_id, placed.invoice_id), ())),
            credit_notes=tuple(
                note.document
                for entry in entries
                if isinstance(note := self._store.invoices.get((tenant_id, entry.source_id)), IssuedInvoice)
            ),
            credited=tuple(
                entry
                for one in invoice.document.preceding
                if invoice.document.document_type.is_credit_note
                for entry in self._store.entries.get((tenant_id, one.invoice_id), ())
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeRepositories:
    """All fakes over one store."""

    store: Store
    memberships: FakeMemberships
    companies: FakeCompanies
    customers: FakeCustomers
    customer_merges: FakeCustomerMerges
    products: FakeProducts
    invoices: FakeInvoices
    quotes: FakeQuotes
    recurring_invoices: FakeRecurringInvoices
    reminders: FakeReminders
    webhooks: FakeWebhooks
    bulk_jobs: FakeBulkJobs
    search: FakeSearch
    deliveries: FakeDeliveries
    requests: FakeWorkflowRequests
    verifications: FakeVerifications
    credit_notes: FakeCreditNotes
    payments: FakePayments
    checkouts: FakeCheckouts
    invoice_links: FakeInvoiceLinks
    stripe_connections: FakeStripeConnections
    accounts: FakeCustomerAccounts
    series: FakeSeriesRecords
    event_feed: FakeEventFeed
    chains: FakeChains
    stripe_inbox: FakeStripeInbox
    stripe_payments: FakeStripePayments
    subscriptions: FakeSubscriptions
    reconciliations: FakeReconciliations


def fake_repositories() -> FakeRepositories:
    store = Store()
    return FakeRepositories(
        store=store,
        memberships=FakeMemberships(store),
        companies=FakeCompanies(store),
        customers=FakeCustomers(store),
        customer_merges=FakeCustomerMerges(store),
        products=FakeProducts(store),
        invoices=FakeInvoices(store),
        quotes=FakeQuotes(store),
        recurring_invoices=FakeRecurringInvoices(store),
        reminders=FakeReminders(store),
        webhooks=FakeWebhooks(store),
        bulk_jobs=FakeBulkJobs(store),
        search=FakeSearch(store),
        deliveries=FakeDeliveries(store),
        requests=FakeWorkflowRequests(store),
        verifications=FakeVerifications(store),
        credit_notes=FakeCreditNotes(store),
        payments=FakePayments(store),
        checkouts=FakeCheckouts(store),
        invoice_links=FakeInvoiceLinks(store),
        stripe_connections=FakeStripeConnections(store),
        accounts=FakeCustomerAccounts(store),
        series=FakeSeriesRecords(store),
        event_feed=FakeEventFeed(store),
        chains=FakeChains(store),
        stripe_inbox=FakeStripeInbox(store),
        stripe_payments=FakeStripePayments(store),
        subscriptions=FakeSubscriptions(store),
        reconciliations=FakeReconciliations(store),
    )


def _customer_summary(customer: Customer) -> CustomerSummary:
    description = customer.description
    return CustomerSummary(
        customer_id=customer.customer_id,
        kind=description.kind,
        name=description.name,
        email=description.email,
        city=description.billing_address.city,
        siren=description.siren,
    )


def _has_words(customer: Customer, searched: tuple[str, ...]) -> bool:
    description = customer.description
    held = words(
        description.name,
        description.contact_name,
        description.billing_address.city,
        description.siren or "",
        description.siret or "",
        description.vat_number or "",
        (description.email or "").partition("@")[0],
        *(contact.name for contact in description.contacts),
    )
    return all(any(word.startswith(prefix) for word in held) for prefix in searched)


def _asked_for(invoice: Invoice, summary: InvoiceSummary, query: InvoiceQuery, ids: tuple[str, ...]) -> bool:
    if query.overdue_on is not None:
        return isinstance(invoice, IssuedInvoice) and is_overdue(invoice.ledger, invoice.due_on, query.overdue_on)
    if query.status is not None:
        return summary.status is query.status
    return query.customer_id is None or summary.customer_id in ids


def _is_credit_note(invoice: Invoice) -> bool:
    return isinstance(invoice, IssuedInvoice) and invoice.document.document_type.is_credit_note


def _within(day: date, query: InvoiceQuery) -> bool:
    return (query.from_date is None or query.from_date <= day) and (query.to_date is None or day <= query.to_date)


def _invoice(store: Store, tenant_id: str, invoice_id: str) -> Invoice:
    invoice = store.invoices.get((tenant_id, invoice_id))
    if invoice is None:
        raise NotFound
    return invoice


def _claim_key(claim: MailClaim) -> tuple[str, str, int, str]:
    return claim.tenant_id, claim.invoice_id, claim.attempt, claim.recipient.strip().lower()


def _found(value: T | None) -> T:
    if value is None:
        raise NotFound
    return value
