"""Who may do what: every operation with every role."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.domain.access import Caller, Origin, Role
from billing.domain.bulk import BulkJob, BulkOperation
from billing.domain.canonical import canonical_json
from billing.domain.credit_notes import CreditInFull, CreditNoteInput
from billing.domain.customer_csv import CustomerRow
from billing.domain.errors import Forbidden, MembershipChanged
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import PaymentMethod
from billing.domain.numbering import Series, SeriesStart
from billing.domain.parties import Logo, OnboardingStep
from billing.domain.plans import PRO, PlanId
from billing.domain.product_csv import ProductRow
from billing.domain.quote import Quote, QuoteAnswer
from billing.domain.quote_billing import Share
from billing.domain.recurrence import Frequency, Recurrence
from billing.domain.recurring_invoice import RecurringInvoice, RecurringMode
from billing.domain.reminders import DEFAULT_STEPS, HoldReason
from billing.domain.retention import Reception
from billing.domain.stripe_payment import StripePayment
from billing.domain.webhooks import WebhookEndpoint, WebhookTargets
from billing.ports.credit_notes import CreditNoteQuery
from billing.ports.paging import PageRequest
from billing.ports.quotes import QuoteQuery
from billing.ports.reminders import ReminderInput
from billing.ports.repositories import InvoiceQuery
from billing.ports.stripe import AccountWanted
from billing.usecases import (
    attachments,
    bulk_jobs,
    company,
    conformity,
    credit_notes,
    customer_accounts,
    customer_csv,
    customers,
    disputes,
    events,
    invoice_links,
    invoices,
    marked_duplicates,
    payments,
    previews,
    product_csv,
    products,
    quotes,
    reconciliations,
    recurring_invoices,
    reminders,
    search,
    series,
    stripe_account,
    subscriptions,
    verifications,
    webhooks,
)
from billing.usecases.customer_merges import merge_customer
from tests import factories
from tests.fakes.bulk_jobs import FakeArchives
from tests.fakes.customer_accounts import FakeStatementRenderer
from tests.fakes.delivery import FakeLogoChecker
from tests.fakes.stripe import FakeStripe
from tests.fakes.vat_numbers import FakeVatNumberRegister
from tests.fakes.webhooks import FakeWebhookSecrets
from tests.usecases.conftest import Shop
from tests.usecases.test_conformity import judge

READERS = set(Role)
WRITERS = {Role.OWNER, Role.ADMIN, Role.MEMBER}
FOLLOWERS = {Role.OWNER, Role.ADMIN, Role.ACCOUNTANT, Role.MEMBER}
MANAGERS = {Role.OWNER, Role.ADMIN}
ACCOUNTS = {Role.OWNER, Role.ADMIN, Role.ACCOUNTANT}
PAGE = PageRequest()


class Acts:
    """Every operation on things that exist, as one person. Each method is named as its use case."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.held = shop.repositories
        companies = self.held.store.companies
        logo = Logo(key="logo", sha256="0" * 64, media_type="image/png", width=1, height=1)
        companies[shop.caller.tenant_id] = replace(companies[shop.caller.tenant_id], logo=logo)
        shop.documents.stored["logo"] = b"\x89PNG"
        self.stripe = FakeStripe(clock=shop.clock)
        self.stripe.sell(PRO.lookup_key, PRO.monthly_price_minor)
        self.customer_id = shop.customer().customer_id
        self.product_id = shop.product().product_id
        self.draft = shop.draft(shop.wanted(self.customer_id))
        self.issued = shop.issue(shop.draft(shop.wanted(self.customer_id)))
        shop.render(self.issued)
        shop.record(self.issued)
        self.wanted = shop.wanted(self.customer_id)
        made = self.create_quote(shop.caller), self.create_quote(shop.caller)
        assert isinstance(made[0], Quote)
        assert isinstance(made[1], Quote)
        connection = self.held.stripe_connections.read(shop.caller)
        wanted = AccountWanted(email="a@exemple.test", country="FR", business_name="Exemple")
        account = self.stripe.create_account(wanted, idempotency_key="acts")
        self.held.stripe_connections.save(shop.caller, connection.connected(account, shop.clock.now()))
        self.draft_quote, self.quote = made[0], self._send(shop.caller, made[1])

    def read_company(self, by: Caller) -> object:
        return company.read_company(by, companies=self.held.companies)

    def read_company_onboarding(self, by: Caller) -> object:
        return company.read_company_onboarding(by, companies=self.held.companies)

    def describe_company(self, by: Caller) -> object:
        description = factories.company_description()
        return company.describe_company(
            by, description, expected_version=1, companies=self.held.companies, clock=self.shop.clock, ids=self.shop.ids
        )

    def upload_company_logo(self, by: Caller) -> object:
        return company.upload_company_logo(
            by,
            b"\x89PNG",
            expected_version=1,
            companies=self.held.companies,
            documents=self.shop.documents,
            checker=FakeLogoChecker(),
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def remove_company_logo(self, by: Caller) -> object:
        return company.remove_company_logo(
            by, expected_version=1, companies=self.held.companies, clock=self.shop.clock, ids=self.shop.ids
        )

    def advance_company_onboarding(self, by: Caller) -> object:
        return company.advance_company_onboarding(
            by,
            OnboardingStep.PAYMENTS,
            once=self.shop.once(),
            companies=self.held.companies,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def list_events(self, by: Caller) -> object:
        return events.list_events(by, after=0, limit=50, feed=self.held.event_feed)

    def list_audit(self, by: Caller) -> object:
        return events.list_audit(by, after=0, limit=50, feed=self.held.event_feed)

    def create_customer(self, by: Caller) -> object:
        return customers.create_customer(
            by,
            factories.customer_description(),
            once=self.shop.once(),
            customers=self.held.customers,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def import_customer_csv(self, by: Caller) -> object:
        return customer_csv.import_customer_csv(
            by,
            (CustomerRow(line=2, description=factories.customer_description()),),
            dry_run=False,
            once=self.shop.once(),
            customers=self.held.customers,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def export_customer_csv(self, by: Caller) -> object:
        return customer_csv.export_customer_csv(by, PageRequest(), customers=self.held.customers)

    def read_customer(self, by: Caller) -> object:
        return customers.read_customer(by, self.customer_id, customers=self.held.customers)

    def check_customer_vat_number(self, by: Caller) -> object:
        return customers.check_customer_vat_number(
            by,
            self.customer_id,
            once=self.shop.once(),
            customers=self.held.customers,
            companies=self.held.companies,
            register=FakeVatNumberRegister(),
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def merge_customer(self, by: Caller) -> object:
        return merge_customer(
            by,
            self.customer_id,
            self.shop.customer(siren=None, siret=None, vat_number=None).customer_id,
            once=self.shop.once(),
            merges=self.held.customer_merges,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def find_duplicate_customers(self, by: Caller) -> object:
        return customers.find_duplicate_customers(by, self.customer_id, customers=self.held.customers)

    def read_customer_statement(self, by: Caller) -> object:
        return customer_accounts.read_customer_statement(
            by, self.customer_id, None, None, accounts=self.held.accounts, clock=self.shop.clock
        )

    def download_customer_statement(self, by: Caller) -> object:
        return customer_accounts.download_customer_statement(
            by,
            self.customer_id,
            None,
            None,
            accounts=self.held.accounts,
            documents=self.shop.documents,
            renderer=FakeStatementRenderer(),
            clock=self.shop.clock,
        )

    def list_customers(self, by: Caller) -> object:
        return customers.list_customers(by, PAGE, customers=self.held.customers)

    def search_customers(self, by: Caller) -> object:
        return customers.search_customers(by, "epicerie", PAGE, customers=self.held.customers)

    def edit_customer(self, by: Caller) -> object:
        return customers.edit_customer(
            by,
            self.customer_id,
            factories.customer_description(),
            expected_version=1,
            customers=self.held.customers,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def create_product(self, by: Caller) -> object:
        return products.create_product(
            by,
            factories.product().description,
            once=self.shop.once(),
            products=self.held.products,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def read_product(self, by: Caller) -> object:
        return products.read_product(by, self.product_id, products=self.held.products)

    def list_products(self, by: Caller) -> object:
        return products.list_products(by, PAGE, archived=False, products=self.held.products)

    def import_product_csv(self, by: Caller) -> object:
        return product_csv.import_product_csv(
            by,
            (ProductRow(line=2, description=factories.product(reference="A").description),),
            dry_run=False,
            once=self.shop.once(),
            products=self.held.products,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def export_product_csv(self, by: Caller) -> object:
        return product_csv.export_product_csv(by, PAGE, archived=False, products=self.held.products)

    def edit_product(self, by: Caller) -> object:
        return products.edit_product(
            by,
            self.product_id,
            factories.product().description,
            expected_version=1,
            products=self.held.products,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def restore_product(self, by: Caller) -> object:
        self.shop.archive(self.product_id)
        return products.restore_product(
            by,
            self.product_id,
            once=self.shop.once(),
            products=self.held.products,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def list_product_prices(self, by: Caller) -> object:
        return products.list_product_prices(by, self.product_id, PAGE, products=self.held.products)

    def archive_product(self, by: Caller) -> object:
        return products.archive_product(
            by,
            self.product_id,
            once=self.shop.once(),
            products=self.held.products,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def create_invoice(self, by: Caller) -> object:
        return invoices.create_invoice(
            by,
            self.wanted,
            once=self.shop.once(),
            invoices=self.held.invoices,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def duplicate_invoice(self, by: Caller) -> object:
        return invoices.duplicate_invoice(
            by,
            self.issued.invoice_id,
            once=self.shop.once("duplicateInvoice"),
            invoices=self.held.invoices,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def upload_invoice_attachment(self, by: Caller) -> object:
        return attachments.upload_invoice_attachment(
            by,
            self.draft.invoice_id,
            b"a;b\n1;2\n",
            name="exemple.csv",
            expected_version=self.draft.version,
            invoices=self.held.invoices,
            documents=self.shop.documents,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def list_company_series(self, by: Caller) -> object:
        return series.list_company_series(by, series=self.held.series)

    def start_company_series(self, by: Caller) -> object:
        start = SeriesStart(series=Series.CREDIT_NOTE, last_rank=1, last_date=self.shop.clock.today(), last_number="A1")
        return series.start_company_series(
            by,
            start,
            once=self.shop.once("startCompanySeries"),
            series=self.held.series,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def preview_invoice(self, by: Caller) -> object:
        return invoices.preview_invoice(by, self.wanted, invoices=self.held.invoices, clock=self.shop.clock)

    def _drawing(self, *names: str) -> dict[str, Any]:
        drawn = {"documents": self.shop.documents, "renderer": self.shop.renderer, "clock": self.shop.clock}
        return drawn | {name: getattr(self.held, name) for name in names}

    def preview_invoice_pdf(self, by: Caller) -> object:
        return previews.preview_invoice_pdf(by, self.wanted, editing=None, **self._drawing("invoices"))

    def preview_invoice_draft_pdf(self, by: Caller) -> object:
        return previews.preview_invoice_draft_pdf(by, self.draft.invoice_id, **self._drawing("invoices"))

    def preview_quote_pdf(self, by: Caller) -> object:
        return previews.preview_quote_pdf(by, self._quoted(), editing=None, **self._drawing("quotes", "invoices"))

    def preview_quote_draft_pdf(self, by: Caller) -> object:
        return previews.preview_quote_draft_pdf(by, self.draft_quote.quote_id, **self._drawing("quotes", "invoices"))

    def preview_credit_note_pdf(self, by: Caller) -> object:
        drawing = self._drawing("credit_notes")
        return previews.preview_credit_note_pdf(by, self.issued.invoice_id, self._credit(), **drawing)

    def download_invoice_duplicate(self, by: Caller) -> object:
        return marked_duplicates.download_invoice_duplicate(by, self.issued.invoice_id, **self._drawing("invoices"))

    def download_credit_note_duplicate(self, by: Caller) -> object:
        note = self.issue_credit_note(self.shop.caller)
        drawing = self._drawing("invoices")
        return marked_duplicates.download_credit_note_duplicate(by, note.invoice_id, **drawing)

    def read_invoice(self, by: Caller) -> object:
        return invoices.read_invoice(by, self.issued.invoice_id, invoices=self.held.invoices)

    def list_invoices(self, by: Caller) -> object:
        return invoices.list_invoices(by, InvoiceQuery(), PAGE, invoices=self.held.invoices)

    def edit_invoice(self, by: Caller) -> object:
        return invoices.edit_invoice(
            by,
            self.draft.invoice_id,
            self.wanted,
            expected_version=1,
            invoices=self.held.invoices,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def delete_invoice(self, by: Caller) -> object:
        invoices.delete_invoice(
            by,
            self.draft.invoice_id,
            expected_version=1,
            invoices=self.held.invoices,
            quotes=self.held.quotes,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )
        return None

    def issue_invoice(self, by: Caller) -> object:
        return self.shop.issue(self.draft, caller=by)

    def send_invoice(self, by: Caller) -> object:
        return invoices.send_invoice(
            by,
            self.issued.invoice_id,
            recipient=None,
            correlation_id="corr",
            once=self.shop.once(),
            invoices=self.held.invoices,
            customers=self.held.customers,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def record_invoice_payment(self, by: Caller) -> object:
        return payments.record_invoice_payment(
            by,
            self.issued.invoice_id,
            payments.PaymentInput(amount_minor=1, method=PaymentMethod.CASH),
            once=self.shop.once(),
            invoices=self.held.invoices,
            payments=self.held.payments,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def read_payment_online(self, by: Caller) -> object:
        self.shop.pay(self.issued.invoice_id, 100)
        key, paid = next(iter(self.held.store.payments.items()))
        record = StripePayment(
            tenant_id=paid.tenant_id,
            payment_intent_id="pi_1",
            account_id="acct_1",
            invoice_id=self.issued.invoice_id,
            attempt=1,
            amount_minor=100,
            currency="EUR",
            created=self.shop.clock.now(),
        )
        self.held.store.payments[key] = replace(paid, payment_intent_id=record.payment_intent_id)
        self.held.store.stripe_payments[paid.tenant_id, record.payment_intent_id] = record
        ports = {"payments": self.held.payments, "stripe_payments": self.held.stripe_payments}
        return payments.read_payment_online(by, paid.payment_id, **ports)  # type: ignore[arg-type]

    def list_payment_disputes(self, by: Caller) -> object:
        return disputes.list_payment_disputes(by, PAGE, stripe_payments=self.held.stripe_payments)

    def list_payment_reconciliations(self, by: Caller) -> object:
        return reconciliations.list_payment_reconciliations(by, PAGE, reconciliations=self.held.reconciliations)

    def read_invoice_timeline(self, by: Caller) -> object:
        return invoices.read_invoice_timeline(by, self.issued.invoice_id, PAGE, invoices=self.held.invoices)

    def download_invoice(self, by: Caller) -> object:
        return invoices.download_invoice(
            by,
            self.issued.invoice_id,
            invoices=self.held.invoices,
            documents=self.shop.documents,
            clock=self.shop.clock,
        )

    def _credit(self) -> CreditNoteInput:
        return CreditNoteInput(scope=CreditInFull(), reason="Retour")

    def preview_credit_note(self, by: Caller) -> object:
        return credit_notes.preview_credit_note(
            by, self.issued.invoice_id, self._credit(), credit_notes=self.held.credit_notes
        )

    def issue_credit_note(self, by: Caller) -> IssuedInvoice:
        return credit_notes.issue_credit_note(
            by,
            self.issued.invoice_id,
            self._credit(),
            send=False,
            correlation_id="corr",
            once=self.shop.once(),
            credit_notes=self.held.credit_notes,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def list_credit_notes(self, by: Caller) -> object:
        return credit_notes.list_credit_notes(by, CreditNoteQuery(), PAGE, credit_notes=self.held.credit_notes)

    def _quoted(self) -> quotes.QuoteInput:
        return quotes.QuoteInput(draft=self.wanted)

    def _quote_ports(self, *names: str) -> dict[str, Any]:
        ports = {"clock": self.shop.clock, "ids": self.shop.ids, "once": self.shop.once()}
        return ports | {name: getattr(self.held, name) for name in ("quotes", *names)}

    def create_quote(self, by: Caller) -> object:
        return quotes.create_quote(by, self._quoted(), **self._quote_ports("invoices"))

    def duplicate_quote(self, by: Caller) -> object:
        return quotes.duplicate_quote(by, self.quote.quote_id, **self._quote_ports("invoices"))

    def preview_quote(self, by: Caller) -> object:
        return quotes.preview_quote(by, self._quoted(), invoices=self.held.invoices, clock=self.shop.clock)

    def read_quote(self, by: Caller) -> object:
        return quotes.read_quote(by, self.quote.quote_id, quotes=self.held.quotes)

    def list_quotes(self, by: Caller) -> object:
        return quotes.list_quotes(by, QuoteQuery(on=self.shop.clock.today()), PAGE, quotes=self.held.quotes)

    def read_quote_timeline(self, by: Caller) -> object:
        return quotes.read_quote_timeline(by, self.quote.quote_id, PAGE, quotes=self.held.quotes)

    def edit_quote(self, by: Caller) -> object:
        ports = self._quote_ports("invoices")
        ports.pop("once")
        return quotes.edit_quote(by, self.draft_quote.quote_id, self._quoted(), expected_version=1, **ports)

    def delete_quote(self, by: Caller) -> object:
        ports = self._quote_ports()
        ports.pop("once")
        quotes.delete_quote(by, self.draft_quote.quote_id, expected_version=1, **ports)
        return None

    def _send(self, by: Caller, quote: Quote) -> Quote:
        return quotes.send_quote(
            by,
            quote.quote_id,
            expected_version=1,
            mail=False,
            recipient=None,
            correlation_id="corr",
            **self._quote_ports("customers"),
        )

    def send_quote(self, by: Caller) -> object:
        return self._send(by, self.draft_quote)

    def revise_quote(self, by: Caller) -> object:
        return quotes.revise_quote(by, self.quote.quote_id, **self._quote_ports())

    def read_stripe_account(self, by: Caller) -> object:
        return stripe_account.read_stripe_account(by, connections=self.held.stripe_connections)

    def connect_stripe_account(self, by: Caller) -> object:
        ports = self._stripe_ports() | {"companies": self.held.companies, "return_url": "https://exemple.test"}
        return stripe_account.connect_stripe_account(by, **ports)

    def create_stripe_account_link(self, by: Caller) -> object:
        ports = self._stripe_ports() | {"return_url": "https://exemple.test"}
        return stripe_account.create_stripe_account_link(by, **ports)

    def refresh_stripe_account(self, by: Caller) -> object:
        return stripe_account.refresh_stripe_account(by, **self._stripe_ports())

    def disconnect_stripe_account(self, by: Caller) -> object:
        ports = self._stripe_ports()
        del ports["stripe"]
        return stripe_account.disconnect_stripe_account(by, **ports)

    def edit_stripe_account(self, by: Caller) -> object:
        return stripe_account.edit_stripe_account(
            by,
            allows_partial_payments=True,
            expected_version=1,
            connections=self.held.stripe_connections,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def read_subscription(self, by: Caller) -> object:
        return subscriptions.read_subscription(by, subscriptions=self.held.subscriptions, clock=self.shop.clock)

    def start_subscription(self, by: Caller) -> object:
        ports = self._subscription_ports() | {"companies": self.held.companies, "return_url": "https://exemple.test"}
        return subscriptions.start_subscription(by, PlanId.PRO, **ports)

    def refresh_subscription(self, by: Caller) -> object:
        self.start_subscription(self.shop.caller)
        self.stripe.subscribe(next(iter(self.stripe.subscribing)))
        ports = self._subscription_ports() | {"companies": self.held.companies}
        return subscriptions.refresh_subscription(by, **ports)

    def open_subscription_portal(self, by: Caller) -> object:
        self.refresh_subscription(self.shop.caller)
        ports = self._subscription_ports() | {"return_url": "https://exemple.test"}
        return subscriptions.open_subscription_portal(by, **ports)

    def _subscription_ports(self) -> dict[str, Any]:
        ports = self._stripe_ports()
        del ports["connections"]
        return ports | {"subscriptions": self.held.subscriptions}

    def _stripe_ports(self) -> dict[str, Any]:
        return {
            "once": self.shop.once(),
            "connections": self.held.stripe_connections,
            "stripe": self.stripe,
            "clock": self.shop.clock,
            "ids": self.shop.ids,
        }

    def create_invoice_link(self, by: Caller) -> object:
        return invoice_links.create_invoice_link(by, self.issued.invoice_id, **self._link_ports())

    def revoke_invoice_links(self, by: Caller) -> object:
        return invoice_links.revoke_invoice_links(by, self.issued.invoice_id, **self._link_ports())

    def _link_ports(self) -> dict[str, Any]:
        links = self.held.invoice_links
        return {"once": self.shop.once(), "links": links, "clock": self.shop.clock, "ids": self.shop.ids}

    def create_quote_link(self, by: Caller) -> object:
        return quotes.create_quote_link(by, self.quote.quote_id, **self._quote_ports())

    def revoke_quote_links(self, by: Caller) -> object:
        return quotes.revoke_quote_links(by, self.quote.quote_id, **self._quote_ports())

    def record_quote_answer(self, by: Caller) -> object:
        given = quotes.AnswerInput(answer=QuoteAnswer.ACCEPTED, name="Direction")
        return quotes.record_quote_answer(by, self.quote.quote_id, given, **self._quote_ports())

    def record_quote_reception(self, by: Caller) -> object:
        self.record_quote_answer(self.shop.caller)
        reception = Reception(received_on=self.shop.clock.today())
        return quotes.record_quote_reception(by, self.quote.quote_id, reception, **self._quote_ports())

    def convert_quote(self, by: Caller) -> object:
        self.record_quote_answer(self.shop.caller)
        return quotes.convert_quote(by, self.quote.quote_id, **self._quote_ports("invoices"))

    def bill_quote_deposit(self, by: Caller) -> object:
        self.record_quote_answer(self.shop.caller)
        share = Share(percent=Decimal(30))
        return quotes.bill_quote_deposit(by, self.quote.quote_id, share, **self._quote_ports("invoices"))

    def bill_quote_part(self, by: Caller) -> object:
        self.record_quote_answer(self.shop.caller)
        share = Share(percent=Decimal(30))
        return quotes.bill_quote_part(by, self.quote.quote_id, share, **self._quote_ports("invoices"))

    def read_quote_billing(self, by: Caller) -> object:
        return quotes.read_quote_billing(by, self.quote.quote_id, quotes=self.held.quotes)

    def download_quote(self, by: Caller) -> object:
        self.shop.render(self.quote)
        return quotes.download_quote(
            by, self.quote.quote_id, quotes=self.held.quotes, documents=self.shop.documents, clock=self.shop.clock
        )

    def _recurring_input(self) -> recurring_invoices.RecurringInput:
        rule = Recurrence(frequency=Frequency.MONTHLY, start=self.shop.clock.today(), day=1)
        return recurring_invoices.RecurringInput(
            name="Maintenance", draft=self.wanted, recurrence=rule, mode=RecurringMode.DRAFT
        )

    def _recurring_ports(self) -> dict[str, Any]:
        return {
            "once": self.shop.once(),
            "recurring_invoices": self.held.recurring_invoices,
            "clock": self.shop.clock,
            "ids": self.shop.ids,
        }

    def create_recurring_invoice(self, by: Caller) -> object:
        return recurring_invoices.create_recurring_invoice(
            by, self._recurring_input(), invoices=self.held.invoices, **self._recurring_ports()
        )

    def preview_recurring_invoice(self, by: Caller) -> object:
        return recurring_invoices.preview_recurring_invoice(
            by, self._recurring_input(), invoices=self.held.invoices, clock=self.shop.clock
        )

    def _template(self) -> RecurringInvoice:
        made = self.create_recurring_invoice(self.shop.caller)
        assert isinstance(made, RecurringInvoice)
        return made

    def read_recurring_invoice(self, by: Caller) -> object:
        return recurring_invoices.read_recurring_invoice(
            by, self._template().recurring_invoice_id, recurring_invoices=self.held.recurring_invoices
        )

    def list_recurring_invoices(self, by: Caller) -> object:
        return recurring_invoices.list_recurring_invoices(by, PAGE, recurring_invoices=self.held.recurring_invoices)

    def read_recurring_invoice_timeline(self, by: Caller) -> object:
        return recurring_invoices.read_recurring_invoice_timeline(
            by, self._template().recurring_invoice_id, PAGE, recurring_invoices=self.held.recurring_invoices
        )

    def edit_recurring_invoice(self, by: Caller) -> object:
        ports = self._recurring_ports()
        ports.pop("once")
        return recurring_invoices.edit_recurring_invoice(
            by,
            self._template().recurring_invoice_id,
            self._recurring_input(),
            expected_version=1,
            invoices=self.held.invoices,
            **ports,
        )

    def pause_recurring_invoice(self, by: Caller) -> object:
        template = self._template().recurring_invoice_id
        return recurring_invoices.pause_recurring_invoice(by, template, **self._recurring_ports())

    def resume_recurring_invoice(self, by: Caller) -> object:
        template = self._template().recurring_invoice_id
        recurring_invoices.pause_recurring_invoice(self.shop.caller, template, **self._recurring_ports())
        return recurring_invoices.resume_recurring_invoice(by, template, **self._recurring_ports())

    def skip_recurring_invoice(self, by: Caller) -> object:
        template = self._template()
        return recurring_invoices.skip_recurring_invoice(
            by, template.recurring_invoice_id, template.next_dates()[0], **self._recurring_ports()
        )

    def end_recurring_invoice(self, by: Caller) -> object:
        template = self._template().recurring_invoice_id
        return recurring_invoices.end_recurring_invoice(by, template, **self._recurring_ports())

    def _reminder_ports(self) -> dict[str, Any]:
        return {
            "once": self.shop.once(),
            "reminders": self.held.reminders,
            "clock": self.shop.clock,
            "ids": self.shop.ids,
        }

    def read_reminder_plan(self, by: Caller) -> object:
        return reminders.read_reminder_plan(by, reminders=self.held.reminders)

    def edit_reminder_plan(self, by: Caller) -> object:
        ports = self._reminder_ports()
        ports.pop("once")
        return reminders.edit_reminder_plan(by, active=True, steps=DEFAULT_STEPS, expected_version=0, **ports)

    def list_reminders(self, by: Caller) -> object:
        return reminders.list_reminders(
            by, self.issued.invoice_id, reminders=self.held.reminders, clock=self.shop.clock
        )

    def preview_reminder(self, by: Caller) -> object:
        return reminders.preview_reminder(
            by, self.issued.invoice_id, ReminderInput(), reminders=self.held.reminders, clock=self.shop.clock
        )

    def send_reminder(self, by: Caller) -> object:
        return reminders.send_reminder(
            by, self.issued.invoice_id, ReminderInput(), correlation_id="corr", **self._reminder_ports()
        )

    def hold_reminder(self, by: Caller) -> object:
        return reminders.hold_reminder(
            by, self.issued.invoice_id, reason=HoldReason.DISPUTE, until=None, **self._reminder_ports()
        )

    def release_reminder(self, by: Caller) -> object:
        return reminders.release_reminder(by, self.issued.invoice_id, **self._reminder_ports())

    def read_reminder_pause(self, by: Caller) -> object:
        return reminders.read_reminder_pause(by, self.shop.customer().customer_id, reminders=self.held.reminders)

    def pause_reminder(self, by: Caller) -> object:
        return reminders.pause_reminder(by, self.shop.customer().customer_id, until=None, **self._reminder_ports())

    def resume_reminder(self, by: Caller) -> object:
        return reminders.resume_reminder(by, self.shop.customer().customer_id, **self._reminder_ports())

    def search_invoices(self, by: Caller) -> object:
        return search.search_invoices(by, "exemple", PAGE, search=self.held.search)

    def search_quotes(self, by: Caller) -> object:
        return search.search_quotes(by, "exemple", PAGE, search=self.held.search)

    def search_credit_notes(self, by: Caller) -> object:
        return search.search_credit_notes(by, "exemple", PAGE, search=self.held.search)

    def search_products(self, by: Caller) -> object:
        return search.search_products(by, "conseil", PAGE, search=self.held.search)

    def _endpoint_ports(self) -> dict[str, Any]:
        return {"webhooks": self.held.webhooks, "clock": self.shop.clock, "ids": self.shop.ids}

    def _endpoint_input(self) -> webhooks.EndpointInput:
        return webhooks.EndpointInput(url="https://exemple.fr/", event_types=(), description="")

    def _endpoint(self) -> WebhookEndpoint:
        made = self.create_webhook_endpoint(self.shop.caller)
        assert isinstance(made, tuple)
        endpoint: WebhookEndpoint = made[0]
        return endpoint

    def create_webhook_endpoint(self, by: Caller) -> object:
        return webhooks.create_webhook_endpoint(
            by,
            self._endpoint_input(),
            once=self.shop.once(),
            secrets=FakeWebhookSecrets(),
            targets=WebhookTargets.PUBLIC,
            **self._endpoint_ports(),
        )

    def list_webhook_endpoints(self, by: Caller) -> object:
        return webhooks.list_webhook_endpoints(by, webhooks=self.held.webhooks)

    def read_webhook_endpoint(self, by: Caller) -> object:
        return webhooks.read_webhook_endpoint(by, self._endpoint().endpoint_id, webhooks=self.held.webhooks)

    def edit_webhook_endpoint(self, by: Caller) -> object:
        return webhooks.edit_webhook_endpoint(
            by,
            self._endpoint().endpoint_id,
            self._endpoint_input(),
            expected_version=1,
            targets=WebhookTargets.PUBLIC,
            **self._endpoint_ports(),
        )

    def delete_webhook_endpoint(self, by: Caller) -> object:
        endpoint = self._endpoint().endpoint_id
        webhooks.delete_webhook_endpoint(by, endpoint, expected_version=1, **self._endpoint_ports())
        return None

    def rotate_webhook_endpoint_secret(self, by: Caller) -> object:
        return webhooks.rotate_webhook_endpoint_secret(
            by,
            self._endpoint().endpoint_id,
            once=self.shop.once(),
            secrets=FakeWebhookSecrets(),
            **self._endpoint_ports(),
        )

    def list_webhook_endpoint_deliveries(self, by: Caller) -> object:
        endpoint = self._endpoint().endpoint_id
        return webhooks.list_webhook_endpoint_deliveries(by, endpoint, PAGE, webhooks=self.held.webhooks)

    def replay_webhook_endpoint_delivery(self, by: Caller) -> object:
        endpoint = self._endpoint()
        self.shop.customer()
        self.shop.place_events()
        sequence = max(rank for _, of, rank in self.held.store.webhook_deliveries if of == endpoint.endpoint_id)
        return webhooks.replay_webhook_endpoint_delivery(
            by, endpoint.endpoint_id, sequence, once=self.shop.once(), **self._endpoint_ports()
        )

    def read_invoice_conformity(self, by: Caller) -> object:
        return self._conformity(by, conformity.read_invoice_conformity)

    def read_credit_note_conformity(self, by: Caller) -> object:
        return self._conformity(by, conformity.read_credit_note_conformity)

    def _conformity(self, by: Caller, read: Callable[..., object]) -> object:
        judge(self.shop, self.issued)
        return read(by, self.issued.invoice_id, invoices=self.held.invoices, documents=self.shop.documents)

    def start_bulk_export(self, by: Caller) -> object:
        return self._bulk_job(by)

    def start_bulk_job(self, by: Caller) -> object:
        return self._bulk_job(by, BulkOperation.ISSUE)

    def _bulk_job(self, by: Caller, operation: BulkOperation = BulkOperation.EXPORT) -> BulkJob:
        return bulk_jobs.start_bulk_job(
            by,
            operation,
            (self.issued.invoice_id,),
            correlation_id="corr",
            once=self.shop.once(),
            bulk_jobs=self.held.bulk_jobs,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def read_bulk_job(self, by: Caller) -> object:
        job = self._bulk_job(self.shop.caller)
        return bulk_jobs.read_bulk_job(by, job.bulk_job_id, bulk_jobs=self.held.bulk_jobs)

    def list_bulk_jobs(self, by: Caller) -> object:
        return bulk_jobs.list_bulk_jobs(by, PAGE, bulk_jobs=self.held.bulk_jobs)

    def list_bulk_job_results(self, by: Caller) -> object:
        job = self._bulk_job(self.shop.caller)
        return bulk_jobs.list_bulk_job_results(by, job.bulk_job_id, PAGE, bulk_jobs=self.held.bulk_jobs)

    def resume_bulk_job(self, by: Caller) -> object:
        job = self._bulk_job(self.shop.caller, BulkOperation.SEND)
        stop: dict[str, Any] = {"run": 1, "bulk_jobs": self.held.bulk_jobs, "clock": self.shop.clock}
        bulk_jobs.stop_bulk_job(job.tenant_id, job.bulk_job_id, "ExecutionsExhausted", **stop)
        return bulk_jobs.resume_bulk_job(
            by,
            job.bulk_job_id,
            correlation_id="corr",
            once=self.shop.once(),
            bulk_jobs=self.held.bulk_jobs,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def download_bulk_job(self, by: Caller) -> object:
        job = self._bulk_job(self.shop.caller)
        ports: dict[str, Any] = {"bulk_jobs": self.held.bulk_jobs, "clock": self.shop.clock}
        work = {**ports, "invoices": self.held.invoices, "quotes": self.held.quotes, "customers": self.held.customers}
        bulk_jobs.run_bulk_lane(job.tenant_id, job.bulk_job_id, run=1, lane=0, ids=self.shop.ids, **work)
        archives = FakeArchives(self.shop.documents)
        self.shop.place_events()
        proofs: dict[str, Any] = {"chains": self.held.chains, "documents": self.shop.documents, "verifier": "print()"}
        bulk_jobs.finish_bulk_job(job.tenant_id, job.bulk_job_id, run=1, archives=archives, **proofs, **ports)
        return bulk_jobs.download_bulk_job(by, job.bulk_job_id, documents=self.shop.documents, **ports)

    def start_invoice_verification(self, by: Caller) -> object:
        return verifications.start_invoice_verification(
            by,
            correlation_id="corr",
            once=self.shop.once(),
            verifications=self.held.verifications,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )


ALLOWED: dict[str, set[Role]] = {
    "read_company": READERS,
    "read_company_onboarding": READERS,
    "describe_company": MANAGERS,
    "upload_company_logo": MANAGERS,
    "remove_company_logo": MANAGERS,
    "list_company_series": READERS,
    "start_company_series": MANAGERS,
    "advance_company_onboarding": MANAGERS,
    "create_customer": WRITERS,
    "import_customer_csv": WRITERS,
    "export_customer_csv": READERS,
    "read_customer": READERS,
    "merge_customer": WRITERS,
    "list_customers": READERS,
    "search_customers": READERS,
    "read_customer_statement": READERS,
    "find_duplicate_customers": READERS,
    "check_customer_vat_number": WRITERS,
    "download_customer_statement": READERS,
    "edit_customer": WRITERS,
    "list_events": FOLLOWERS,
    "list_audit": MANAGERS,
    "create_product": WRITERS,
    "read_product": READERS,
    "list_products": READERS,
    "edit_product": WRITERS,
    "archive_product": WRITERS,
    "restore_product": WRITERS,
    "import_product_csv": WRITERS,
    "export_product_csv": READERS,
    "list_product_prices": READERS,
    **dict.fromkeys(
        ("preview_quote", "read_quote", "list_quotes", "read_quote_timeline", "download_quote", "read_quote_billing"),
        READERS,
    ),
    **dict.fromkeys(
        (
            "create_quote",
            "duplicate_quote",
            "edit_quote",
            "delete_quote",
            "send_quote",
            "revise_quote",
            "create_invoice_link",
            "revoke_invoice_links",
            "create_quote_link",
            "revoke_quote_links",
            "record_quote_answer",
            "record_quote_reception",
            "convert_quote",
            "bill_quote_deposit",
            "bill_quote_part",
        ),
        WRITERS,
    ),
    **dict.fromkeys(
        (
            "preview_recurring_invoice",
            "read_recurring_invoice",
            "list_recurring_invoices",
            "read_recurring_invoice_timeline",
        ),
        READERS,
    ),
    **dict.fromkeys(
        (
            "create_recurring_invoice",
            "edit_recurring_invoice",
            "pause_recurring_invoice",
            "resume_recurring_invoice",
            "skip_recurring_invoice",
            "end_recurring_invoice",
        ),
        WRITERS,
    ),
    **dict.fromkeys(("search_invoices", "search_quotes", "search_credit_notes", "search_products"), READERS),
    **dict.fromkeys(("read_reminder_plan", "list_reminders", "preview_reminder", "read_reminder_pause"), READERS),
    **dict.fromkeys(
        ("send_reminder", "hold_reminder", "release_reminder", "pause_reminder", "resume_reminder"), WRITERS
    ),
    "edit_reminder_plan": MANAGERS,
    "read_subscription": READERS,
    **dict.fromkeys(
        (
            "read_stripe_account",
            "connect_stripe_account",
            "create_stripe_account_link",
            "refresh_stripe_account",
            "disconnect_stripe_account",
            "edit_stripe_account",
            "start_subscription",
            "refresh_subscription",
            "open_subscription_portal",
            "create_webhook_endpoint",
            "list_webhook_endpoints",
            "read_webhook_endpoint",
            "edit_webhook_endpoint",
            "delete_webhook_endpoint",
            "rotate_webhook_endpoint_secret",
            "list_webhook_endpoint_deliveries",
            "replay_webhook_endpoint_delivery",
        ),
        MANAGERS,
    ),
    "create_invoice": WRITERS,
    "duplicate_invoice": WRITERS,
    "upload_invoice_attachment": WRITERS,
    "preview_invoice": READERS,
    **dict.fromkeys(
        (
            "preview_invoice_pdf",
            "preview_invoice_draft_pdf",
            "preview_quote_pdf",
            "preview_quote_draft_pdf",
            "preview_credit_note_pdf",
            "download_invoice_duplicate",
            "download_credit_note_duplicate",
        ),
        READERS,
    ),
    "read_invoice": READERS,
    "list_invoices": READERS,
    "edit_invoice": WRITERS,
    "delete_invoice": WRITERS,
    "issue_invoice": WRITERS,
    "send_invoice": WRITERS,
    "record_invoice_payment": ACCOUNTS,
    "list_payment_disputes": READERS,
    "list_payment_reconciliations": READERS,
    "read_payment_online": READERS,
    "read_invoice_timeline": READERS,
    "download_invoice": READERS,
    "preview_credit_note": READERS,
    "issue_credit_note": WRITERS,
    "list_credit_notes": READERS,
    "read_invoice_conformity": READERS,
    "read_credit_note_conformity": READERS,
    "start_bulk_export": FOLLOWERS,
    "start_bulk_job": WRITERS,
    "read_bulk_job": READERS,
    "list_bulk_jobs": READERS,
    "list_bulk_job_results": READERS,
    "resume_bulk_job": WRITERS,
    "download_bulk_job": FOLLOWERS,
    "start_invoice_verification": ACCOUNTS,
}


def _act(acts: Acts, operation: str) -> Callable[[Caller], object]:
    act: Callable[[Caller], object] = getattr(acts, operation)
    return act


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("operation", ALLOWED)
def test_a_role_may_do_what_the_table_says(shop: Shop, operation: str, role: Role) -> None:
    acts = Acts(shop)
    before = dict(shop.repositories.store.invoices), dict(shop.repositories.store.companies)

    if role in ALLOWED[operation]:
        _act(acts, operation)(shop.person(role))
        return
    with pytest.raises(Forbidden):
        _act(acts, operation)(shop.person(role))

    assert (shop.repositories.store.invoices, shop.repositories.store.companies) == before


@pytest.mark.parametrize("operation", ALLOWED)
def test_a_token_older_than_the_membership_opens_nothing(shop: Shop, operation: str) -> None:
    acts = Acts(shop)
    shop.clock.advance(timedelta(seconds=10))
    stale = factories.caller(shop.caller.tenant_id, user_id=shop.caller.user_id, version=0)

    with pytest.raises(MembershipChanged):
        _act(acts, operation)(stale)


READING = {operation for operation in ALLOWED if operation.split("_")[0] in {"read", "list", "search", "preview"}}
READING |= {"download_invoice", "download_invoice_attachment", "download_quote", "download_credit_note"}
READING |= {"download_bulk_job", "download_invoice_duplicate", "download_credit_note_duplicate"}
READING |= {"download_payment_receipt", "download_customer_statement", "find_duplicate_customers"}
READING |= {"export_customer_csv", "export_product_csv"}


@pytest.mark.parametrize("operation", [one for one in ALLOWED if one not in READING])
def test_whatever_changes_something_tells_it_with_who_and_where(shop: Shop, operation: str) -> None:
    """The change feed misses no effect, and the audit knows as whom and from where it came."""
    acts = Acts(shop)
    before = dict(shop.repositories.store.unplaced)
    owner = replace(shop.person(Role.OWNER), origin=Origin(ip_address="203.0.113.7", correlation_id="corr-7"))

    _act(acts, operation)(owner)

    told = [one for mark, one in shop.repositories.store.unplaced.items() if mark not in before]
    own = [one for one in told if one.event.actor == owner.user_id and one.event.event_type != "membership.created"]
    assert own, "nothing says it"
    assert {(one.audit.role, one.audit.ip_address, one.audit.correlation_id) for one in own} == {
        ("owner", "203.0.113.7", "corr-7")
    }
    assert not [one for one in own if "203.0.113.7" in canonical_json(one.event)]
