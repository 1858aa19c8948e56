"""The same contract for the fakes and for the real adapters: a world over either, with two companies in it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

import pytest

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.bulk_jobs import BulkJobs as TableBulkJobs
from billing.adapters.dynamodb.chains import Chains as TableChains
from billing.adapters.dynamodb.checkouts import Checkouts as TableCheckouts
from billing.adapters.dynamodb.checkouts import StripeConnections as TableStripeConnections
from billing.adapters.dynamodb.companies import Companies as TableCompanies
from billing.adapters.dynamodb.credit_notes import CreditNotes as TableCreditNotes
from billing.adapters.dynamodb.customer_accounts import CustomerAccounts as TableCustomerAccounts
from billing.adapters.dynamodb.customer_merges import CustomerMerges as TableCustomerMerges
from billing.adapters.dynamodb.customers import Customers as TableCustomers
from billing.adapters.dynamodb.deliveries import Deliveries as TableDeliveries
from billing.adapters.dynamodb.event_feed import EventFeed as TableEventFeed
from billing.adapters.dynamodb.invoice_links import InvoiceLinks as TableInvoiceLinks
from billing.adapters.dynamodb.invoices import Invoices as TableInvoices
from billing.adapters.dynamodb.memberships import Memberships as TableMemberships
from billing.adapters.dynamodb.payments import Payments as TablePayments
from billing.adapters.dynamodb.products import Products as TableProducts
from billing.adapters.dynamodb.quotes import Quotes as TableQuotes
from billing.adapters.dynamodb.reconciliations import Reconciliations as TableReconciliations
from billing.adapters.dynamodb.recurring_invoices import RecurringInvoices as TableRecurringInvoices
from billing.adapters.dynamodb.reminders import Reminders as TableReminders
from billing.adapters.dynamodb.search import Search as TableSearch
from billing.adapters.dynamodb.series import SeriesRecords as TableSeriesRecords
from billing.adapters.dynamodb.stripe_inbox import StripeInbox as TableStripeInbox
from billing.adapters.dynamodb.stripe_payments import StripePayments as TableStripePayments
from billing.adapters.dynamodb.subscriptions import Subscriptions as TableSubscriptions
from billing.adapters.dynamodb.table import Table
from billing.adapters.dynamodb.verifications import Verifications as TableVerifications
from billing.adapters.dynamodb.webhooks import Webhooks as TableWebhooks
from billing.adapters.dynamodb.workflow_requests import WorkflowRequests as TableWorkflowRequests
from billing.domain.access import Caller, Membership, Role
from billing.domain.events import EventType
from billing.domain.invoice import DraftInvoice, InvoiceContent, IssuedInvoice
from billing.domain.ledger import LedgerEntry, PaymentMethod
from billing.domain.notices import CompanyNotice
from billing.domain.numbering import Series, SeriesState
from billing.domain.parties import Customer, Product
from billing.domain.payments import Allocation, Payment
from billing.ports.bulk_jobs import BulkJobs
from billing.ports.chains import Chains
from billing.ports.checkouts import Checkouts, StripeConnections
from billing.ports.credit_notes import CreditNotes
from billing.ports.customer_accounts import CustomerAccounts
from billing.ports.customer_merges import CustomerMerges
from billing.ports.event_feed import EventFeed
from billing.ports.idempotency import IdempotentRequest
from billing.ports.identity import Memberships
from billing.ports.invoice_links import InvoiceLinks
from billing.ports.payments import LedgerMove, Payments
from billing.ports.quotes import Quotes
from billing.ports.reconciliations import Reconciliations
from billing.ports.recurring_invoices import RecurringInvoices
from billing.ports.reminders import Reminders
from billing.ports.repositories import (
    Companies,
    Customers,
    Deliveries,
    Invoices,
    Products,
    Verifications,
    WorkflowRequests,
)
from billing.ports.search import Search
from billing.ports.series import SeriesRecords
from billing.ports.stripe_inbox import StripeInbox
from billing.ports.stripe_payments import StripePayments
from billing.ports.subscriptions import Subscriptions
from billing.ports.webhooks import Webhooks
from tests import factories
from tests.engines import billing_table, dynamodb, dynamodb_endpoint, usage_table
from tests.fakes.clock import MORNING, FakeClock, FakeIds
from tests.fakes.repositories import fake_repositories

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

__all__ = ["billing_table", "dynamodb", "dynamodb_endpoint", "usage_table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repositories:
    """Every repository of one implementation, and ways to change what lies behind it."""

    memberships: Memberships
    companies: Companies
    customers: Customers
    customer_merges: CustomerMerges
    products: Products
    invoices: Invoices
    quotes: Quotes
    recurring_invoices: RecurringInvoices
    reminders: Reminders
    webhooks: Webhooks
    bulk_jobs: BulkJobs
    search: Search
    deliveries: Deliveries
    requests: WorkflowRequests
    verifications: Verifications
    credit_notes: CreditNotes
    payments: Payments
    checkouts: Checkouts
    invoice_links: InvoiceLinks
    stripe_connections: StripeConnections
    accounts: CustomerAccounts
    series: SeriesRecords
    event_feed: EventFeed
    chains: Chains
    stripe_inbox: StripeInbox
    stripe_payments: StripePayments
    subscriptions: Subscriptions
    reconciliations: Reconciliations
    change_membership: Callable[[Membership], None]
    lose_invoice: Callable[[IssuedInvoice, bool], None]


class World:
    """Two companies, each with its owner, and short ways to put things in."""

    def __init__(self, repositories: Repositories) -> None:
        self.repositories = repositories
        self.caller = self._founder()
        self.stranger = self._founder()
        self._last = 0

    def _founder(self) -> Caller:
        mark = uuid.uuid4().hex[:12]
        owner = factories.caller(f"ten_{mark}", user_id=f"user-{mark}", role=Role.OWNER)
        self.repositories.memberships.found(factories.membership(owner), at=MORNING)
        return owner

    def new_id(self, prefix: str) -> str:
        self._last += 1
        return f"{prefix}_{self._last:06d}"

    def once(self, operation: str = "createInvoice") -> IdempotentRequest:
        return factories.once(self.new_id("key"), operation=operation)

    def add_customer(
        self, name: str = "Épicerie du Marché", *, of: Caller | None = None, **changes: object
    ) -> Customer:
        of = of or self.caller
        description = factories.customer_description(name=name, **changes)
        customer = factories.customer(of.tenant_id, self.new_id("cus"), description=description)
        event = factories.event(self.new_id("evt"), EventType.CUSTOMER_CREATED)
        self.repositories.customers.create(of, customer, event=event, once=self.once("createCustomer"))
        return customer

    def add_product(self, name: str = "Conseil", *, of: Caller | None = None, reference: str = "") -> Product:
        of = of or self.caller
        product = factories.product(of.tenant_id, self.new_id("prd"), name=name, reference=reference)
        event = factories.event(self.new_id("evt"), EventType.PRODUCT_CREATED)
        self.repositories.products.create(of, product, event=event, once=self.once("createProduct"))
        return product

    def add_draft(
        self, *, of: Caller | None = None, holding: InvoiceContent | None = None, at: datetime = MORNING
    ) -> DraftInvoice:
        of = of or self.caller
        draft = factories.draft(of.tenant_id, self.new_id("inv"), holding=holding, at=at)
        self.repositories.invoices.create(of, draft, event=factories.event(self.new_id("evt")), once=self.once())
        return draft

    def series(self, *, of: Caller | None = None) -> SeriesState:
        return self.repositories.verifications.series_heads(of or self.caller)[0]

    def issue(
        self,
        draft: DraftInvoice | None = None,
        *,
        of: Caller | None = None,
        after: SeriesState | None = None,
        on: date = date(2026, 11, 23),
        send_to: str | None = None,
        at: datetime = MORNING,
        once: IdempotentRequest | None = None,
        replaces: str | None = None,
        notices: tuple[CompanyNotice, ...] = (),
    ) -> IssuedInvoice:
        of = of or self.caller
        draft = draft or self.add_draft(of=of)
        invoice, allocation, _ = factories.issued_after(after or self.series(of=of), draft, on=on, at=at)
        invoice = invoice.with_delivery(invoice.delivery.requested(send=send_to is not None), at)
        self.repositories.invoices.issue(
            of,
            invoice,
            draft=draft,
            allocation=allocation,
            event=factories.event(self.new_id("evt"), EventType.INVOICE_ISSUED),
            delivery=factories.delivery_request(of.tenant_id, draft.invoice_id, recipient=send_to, at=at),
            once=once or self.once("issueInvoice"),
            replaces=replaces,
            notices=notices,
        )
        return invoice

    def pay(self, invoice: IssuedInvoice, amount_minor: int, *, once: IdempotentRequest | None = None) -> IssuedInvoice:
        payment = self.payment(invoice, amount_minor)
        entry = factories.entry(
            invoice.ledger.entry_count + 1, amount_minor, entry_id=payment.payment_id, source_id=payment.payment_id
        )
        paid = invoice.with_entry(entry)
        self.repositories.payments.write(
            self.caller,
            payment,
            moves=(self.ledger_move(paid, entry),),
            movement=None,
            event=factories.event(self.new_id("evt"), EventType.PAYMENT_RECEIVED),
            once=once or self.once("recordInvoicePayment"),
            answered=paid,
        )
        return paid

    def payment(self, invoice: IssuedInvoice, amount_minor: int, *, credited_minor: int = 0) -> Payment:
        """A payment of one invoice, not stored yet."""
        allocation = Allocation(
            invoice_id=invoice.invoice_id, number=invoice.document.number, amount_minor=amount_minor
        )
        return Payment(
            tenant_id=invoice.tenant_id,
            payment_id=self.new_id("pay"),
            version=1,
            customer_id=invoice.document.customer_id,
            customer_name=invoice.document.buyer.name,
            customer_address=invoice.document.buyer.billing_address,
            currency="EUR",
            amount_minor=amount_minor + credited_minor,
            method=PaymentMethod.TRANSFER,
            paid_on=factories.ISSUED_ON,
            reference="",
            allocations=(allocation,),
            credited_minor=credited_minor,
            recorded_at=factories.ISSUED_AT,
            recorded_by=factories.USER_ID,
        )

    def ledger_move(self, moved: IssuedInvoice, entry: LedgerEntry) -> LedgerMove:
        event = factories.event(self.new_id("evt"), EventType.PAYMENT_RECORDED)
        return LedgerMove(invoice=moved, entry=entry, event=event)


def with_version(draft: DraftInvoice, version: int) -> DraftInvoice:
    return replace(draft, version=version)


UNTOUCHED = SeriesState.untouched(Series.INVOICE)


def _over_fakes() -> Repositories:
    fakes = fake_repositories()

    def lose(invoice: IssuedInvoice, unreadable: bool) -> None:
        del fakes.store.invoices[invoice.tenant_id, invoice.invoice_id]
        if unreadable:
            draft = factories.draft(invoice.tenant_id, invoice.invoice_id)
            fakes.store.invoices[invoice.tenant_id, invoice.invoice_id] = draft

    return Repositories(
        memberships=fakes.memberships,
        companies=fakes.companies,
        customers=fakes.customers,
        customer_merges=fakes.customer_merges,
        products=fakes.products,
        invoices=fakes.invoices,
        quotes=fakes.quotes,
        recurring_invoices=fakes.recurring_invoices,
        reminders=fakes.reminders,
        webhooks=fakes.webhooks,
        bulk_jobs=fakes.bulk_jobs,
        search=fakes.search,
        deliveries=fakes.deliveries,
        requests=fakes.requests,
        verifications=fakes.verifications,
        credit_notes=fakes.credit_notes,
        payments=fakes.payments,
        checkouts=fakes.checkouts,
        invoice_links=fakes.invoice_links,
        stripe_connections=fakes.stripe_connections,
        accounts=fakes.accounts,
        series=fakes.series,
        event_feed=fakes.event_feed,
        chains=fakes.chains,
        stripe_inbox=fakes.stripe_inbox,
        stripe_payments=fakes.stripe_payments,
        subscriptions=fakes.subscriptions,
        reconciliations=fakes.reconciliations,
        change_membership=fakes.memberships.change,
        lose_invoice=lose,
    )


def _over_table(client: DynamoDBClient, name: str) -> Repositories:
    table = Table(client, name, clock=FakeClock(), ids=FakeIds())

    def change(membership: Membership) -> None:
        key = keys.membership(membership.tenant_id, membership.user_id)
        client.update_item(
            TableName=name,
            Key={"pk": {"S": key.pk}, "sk": {"S": key.sk}},
            UpdateExpression="SET #role = :role, version = :version",
            ExpressionAttributeNames={"#role": "role"},
            ExpressionAttributeValues={
                ":role": {"S": membership.role.value},
                ":version": {"N": str(membership.version)},
            },
        )

    def lose(invoice: IssuedInvoice, unreadable: bool) -> None:
        of = keys.invoice(invoice.tenant_id, invoice.invoice_id)
        key = {"pk": {"S": of.pk}, "sk": {"S": of.sk}}
        if unreadable:
            broken = {":broken": {"S": invoice.document.canonical()[:-1]}}
            client.update_item(
                TableName=name,
                Key=key,
                UpdateExpression="SET document = :broken",
                ExpressionAttributeValues=broken,
            )
        else:
            client.delete_item(TableName=name, Key=key)

    return Repositories(
        memberships=TableMemberships(table),
        companies=TableCompanies(table),
        customers=TableCustomers(table),
        customer_merges=TableCustomerMerges(table),
        products=TableProducts(table),
        invoices=TableInvoices(table),
        quotes=TableQuotes(table),
        recurring_invoices=TableRecurringInvoices(table),
        reminders=TableReminders(table),
        webhooks=TableWebhooks(table),
        bulk_jobs=TableBulkJobs(table),
        search=TableSearch(table),
        deliveries=TableDeliveries(table),
        requests=TableWorkflowRequests(table),
        verifications=TableVerifications(table),
        credit_notes=TableCreditNotes(table),
        payments=TablePayments(table),
        checkouts=TableCheckouts(table),
        invoice_links=TableInvoiceLinks(table),
        stripe_connections=TableStripeConnections(table),
        accounts=TableCustomerAccounts(table),
        series=TableSeriesRecords(table),
        event_feed=TableEventFeed(table),
        chains=TableChains(table),
        stripe_inbox=TableStripeInbox(table),
        stripe_payments=TableStripePayments(table),
        subscriptions=TableSubscriptions(table),
        reconciliations=TableReconciliations(table),
        change_membership=change,
        lose_invoice=lose,
    )


@pytest.fixture(params=["fakes", pytest.param("dynamodb", marks=pytest.mark.engine)])
def repositories(request: pytest.FixtureRequest) -> Repositories:
    if request.param == "fakes":
        return _over_fakes()
    return _over_table(request.getfixturevalue("dynamodb"), request.getfixturevalue("billing_table"))


@pytest.fixture
def world(repositories: Repositories) -> World:
    return World(repositories)
