"""Repositories over the table."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3

from billing.adapters.dynamodb.alerts import AlertDesk
from billing.adapters.dynamodb.bulk_jobs import BulkJobs
from billing.adapters.dynamodb.chains import Chains
from billing.adapters.dynamodb.checkouts import Checkouts, StripeConnections, moved_ledger_from_image
from billing.adapters.dynamodb.codec import counted_in, text
from billing.adapters.dynamodb.companies import Companies
from billing.adapters.dynamodb.credit_notes import CreditNotes
from billing.adapters.dynamodb.customer_accounts import CustomerAccounts
from billing.adapters.dynamodb.customer_merges import CustomerMerges
from billing.adapters.dynamodb.customers import Customers
from billing.adapters.dynamodb.dead_letters import LetterBook
from billing.adapters.dynamodb.deliveries import Deliveries
from billing.adapters.dynamodb.event_feed import EventFeed, unplaced_from_image
from billing.adapters.dynamodb.invoice_links import InvoiceLinks
from billing.adapters.dynamodb.invoices import Invoices
from billing.adapters.dynamodb.memberships import Memberships
from billing.adapters.dynamodb.payments import Payments
from billing.adapters.dynamodb.products import Products
from billing.adapters.dynamodb.quotes import Quotes
from billing.adapters.dynamodb.reconciliations import Reconciliations
from billing.adapters.dynamodb.recurring_invoices import RecurringInvoices
from billing.adapters.dynamodb.reminders import Reminders
from billing.adapters.dynamodb.search import Search
from billing.adapters.dynamodb.series import SeriesRecords
from billing.adapters.dynamodb.stripe_inbox import StripeInbox
from billing.adapters.dynamodb.stripe_payments import StripePayments
from billing.adapters.dynamodb.subscriptions import Subscriptions
from billing.adapters.dynamodb.table import EVENT, Table
from billing.adapters.dynamodb.verifications import Verifications
from billing.adapters.dynamodb.webhooks import Webhooks
from billing.adapters.dynamodb.workflow_requests import WorkflowRequests, open_request_from_image
from billing.domain.feed import UnplacedEvent
from billing.ports.checkouts import MovedLedger
from billing.ports.repositories import OpenRequest
from billing.runtime.clients import measured, sdk_config
from billing.runtime.clock import clock, ids
from billing.runtime.settings import billing_table_name


@cache
def table() -> Table:
    client = measured(boto3.client("dynamodb", config=sdk_config()), "TableLatency")
    return Table(client, billing_table_name(), clock=clock, ids=ids)


@cache
def alert_desk() -> AlertDesk:
    return AlertDesk(table())


@cache
def letter_book() -> LetterBook:
    return LetterBook(table())


def left_alone() -> frozenset[str]:
    """The tenants that nothing is done for by itself until an operator releases them."""
    return frozenset(one.tenant_id for one in alert_desk().parked_tenants())


@cache
def companies() -> Companies:
    return Companies(table())


@cache
def customers() -> Customers:
    return Customers(table())


@cache
def customer_accounts() -> CustomerAccounts:
    return CustomerAccounts(table())


@cache
def customer_merges() -> CustomerMerges:
    return CustomerMerges(table())


@cache
def products() -> Products:
    return Products(table())


@cache
def invoices() -> Invoices:
    return Invoices(table())


@cache
def quotes() -> Quotes:
    return Quotes(table())


@cache
def credit_notes() -> CreditNotes:
    return CreditNotes(table())


@cache
def payments() -> Payments:
    return Payments(table())


@cache
def checkouts() -> Checkouts:
    return Checkouts(table())


@cache
def invoice_links() -> InvoiceLinks:
    return InvoiceLinks(table())


@cache
def stripe_connections() -> StripeConnections:
    return StripeConnections(table())


@cache
def stripe_inbox() -> StripeInbox:
    return StripeInbox(table())


@cache
def stripe_payments() -> StripePayments:
    return StripePayments(table())


@cache
def subscriptions() -> Subscriptions:
    return Subscriptions(table())


@cache
def reconciliations() -> Reconciliations:
    return Reconciliations(table())


@cache
def series() -> SeriesRecords:
    return SeriesRecords(table())


@cache
def recurring_invoices() -> RecurringInvoices:
    return RecurringInvoices(table())


@cache
def reminders() -> Reminders:
    return Reminders(table())


@cache
def bulk_jobs() -> BulkJobs:
    return BulkJobs(table())


@cache
def search() -> Search:
    return Search(table())


@cache
def webhooks() -> Webhooks:
    return Webhooks(table())


@cache
def deliveries() -> Deliveries:
    return Deliveries(table())


@cache
def chains() -> Chains:
    return Chains(table())


@cache
def event_feed() -> EventFeed:
    return EventFeed(table())


@cache
def memberships() -> Memberships:
    return Memberships(table())


@cache
def verifications() -> Verifications:
    return Verifications(table())


@cache
def workflow_requests() -> WorkflowRequests:
    return WorkflowRequests(table())


def open_request(image: Mapping[str, Any]) -> OpenRequest | None:
    """The request in a record of the table's stream; None once it is settled."""
    return open_request_from_image(image)


def moved_ledger(image: Mapping[str, Any]) -> MovedLedger | None:
    """The ledger entry in a record of the table's stream; None when it is something else."""
    return moved_ledger_from_image(image)


def counted_facts(image: Mapping[str, Any]) -> tuple[str, ...]:
    """Metrics of the facts that a record of the table's stream tells."""
    return counted_in(image)


def is_business_event(image: Mapping[str, Any]) -> bool:
    """Whether a record of the table's stream tells of one."""
    return text(image, "entity") == EVENT


def unplaced_event(image: Mapping[str, Any]) -> UnplacedEvent:
    """The event in a record of the table's stream."""
    return unplaced_from_image(image)
