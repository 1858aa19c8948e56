"""A described company with a customer and a product, over fakes, and short ways to act in it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from billing.domain.access import Caller, Role
from billing.domain.deliverable import Deliverable
from billing.domain.delivery import DeliveryOutcome
from billing.domain.events import Event
from billing.domain.invoice import DraftInvoice, IssuedInvoice
from billing.domain.ledger import PaymentMethod
from billing.domain.links import Portal
from billing.domain.parties import Customer, Product
from billing.domain.verification import Verification, VerificationState
from billing.ports.drafts import DraftInput, LineInput
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import PageRequest
from billing.usecases import company, customers, deliveries, events, invoices, payments, products, verifications
from tests import factories
from tests.fakes.clock import FakeClock, FakeIds
from tests.fakes.delivery import FakeDocuments, FakeMailer, FakeRenderer, FakeWorkflows, fake_xml
from tests.fakes.links import FakeLinkSecrets
from tests.fakes.repositories import FakeRepositories, fake_repositories

TAXED = factories.taxed()
HOUSE = deliveries.House(reply_to="factures@zenbilling.test", subscription_url="https://app.exemple.test/abonnement")
PORTAL = Portal(quotes_url="https://app.exemple.test/devis", invoices_url="https://app.exemple.test/factures")


@dataclass
class Shop:
    """One company's whole world. ``caller`` is its owner."""

    repositories: FakeRepositories = field(default_factory=fake_repositories)
    clock: FakeClock = field(default_factory=FakeClock)
    ids: FakeIds = field(default_factory=FakeIds)
    documents: FakeDocuments = field(default_factory=FakeDocuments)
    renderer: FakeRenderer = field(default_factory=FakeRenderer)
    mailer: FakeMailer = field(default_factory=FakeMailer)
    workflows: FakeWorkflows = field(default_factory=FakeWorkflows)
    caller: Caller = field(default_factory=factories.caller)
    keys: int = 0

    def __post_init__(self) -> None:
        self.repositories.memberships.found(factories.membership(self.caller), at=self.clock.now())

    def once(self, operation: str = "operation") -> IdempotentRequest:
        self.keys += 1
        return factories.once(f"key-{self.keys}", operation=operation)

    def person(self, role: Role) -> Caller:
        """A member of the same company."""
        someone = factories.caller(self.caller.tenant_id, role=role, user_id=f"user-{role.value}")
        self.repositories.memberships.found(factories.membership(someone), at=self.clock.now())
        return someone

    def describe(self, **changes: Any) -> None:
        stored = self.repositories.companies.read(self.caller)
        company.describe_company(
            self.caller,
            factories.company_description(**changes),
            expected_version=stored.version if stored else 0,
            companies=self.repositories.companies,
            clock=self.clock,
            ids=self.ids,
        )

    def subscribe(self) -> None:
        """The company issues more than the free plan is meant for."""
        subscription = factories.pro_subscription(self.caller.tenant_id)
        self.repositories.subscriptions.save(self.caller, subscription)

    def customer(self, **changes: Any) -> Customer:
        return customers.create_customer(
            self.caller,
            factories.customer_description(**changes),
            once=self.once("createCustomer"),
            customers=self.repositories.customers,
            clock=self.clock,
            ids=self.ids,
        )

    def product(self, **changes: Any) -> Product:
        return products.create_product(
            self.caller,
            factories.product(**changes).description,
            once=self.once("createProduct"),
            products=self.repositories.products,
            clock=self.clock,
            ids=self.ids,
        )

    def wanted(self, customer_id: str, *lines: LineInput, **changes: Any) -> DraftInput:
        one = LineInput(description="Prestation", quantity=Decimal(1), unit_price=Decimal(100), vat=TAXED)
        return replace(DraftInput(customer_id=customer_id, lines=lines or (one,)), **changes)

    def draft(self, wanted: DraftInput | None = None, **changes: Any) -> DraftInvoice:
        once = changes.pop("once", None) or self.once("createInvoice")
        wanted = wanted or self.wanted(self.customer().customer_id, **changes)
        return invoices.create_invoice(
            self.caller,
            wanted,
            once=once,
            invoices=self.repositories.invoices,
            clock=self.clock,
            ids=self.ids,
        )

    def archive(self, product_id: str) -> Product:
        return products.archive_product(
            self.caller,
            product_id,
            once=self.once("archiveProduct"),
            products=self.repositories.products,
            clock=self.clock,
            ids=self.ids,
        )

    def issue(self, draft: DraftInvoice | None = None, **changes: Any) -> IssuedInvoice:
        draft = draft or self.draft()
        values: dict[str, Any] = {
            "expected_version": draft.version,
            "issue_date": None,
            "send": False,
            "correlation_id": "corr",
            "once": self.once("issueInvoice"),
            "invoices": self.repositories.invoices,
            "customers": self.repositories.customers,
            "clock": self.clock,
            "ids": self.ids,
        }
        return invoices.issue_invoice(changes.pop("caller", self.caller), draft.invoice_id, **values | changes)

    def pay(self, invoice_id: str, amount_minor: int, **changes: Any) -> IssuedInvoice:
        values: dict[str, Any] = {
            "once": self.once("recordInvoicePayment"),
            "invoices": self.repositories.invoices,
            "payments": self.repositories.payments,
            "clock": self.clock,
            "ids": self.ids,
        }
        method = changes.pop("method", PaymentMethod.TRANSFER)
        payment = payments.PaymentInput(amount_minor=amount_minor, method=method)
        payment = replace(payment, paid_on=changes.pop("paid_on", None))
        return payments.record_invoice_payment(self.caller, invoice_id, payment, **values | changes).invoice

    def send(self, invoice_id: str, **changes: Any) -> IssuedInvoice:
        values: dict[str, Any] = {
            "recipient": None,
            "correlation_id": "corr",
            "once": self.once("sendInvoice"),
            "invoices": self.repositories.invoices,
            "customers": self.repositories.customers,
            "clock": self.clock,
            "ids": self.ids,
        }
        return invoices.send_invoice(self.caller, invoice_id, **values | changes)

    def render(self, issued: Deliverable, attempt: int = 1, **ports: Any) -> deliveries.Rendering:
        values: dict[str, Any] = {
            "deliveries": self.repositories.deliveries,
            "documents": self.documents,
            "renderer": self.renderer,
            "xml": fake_xml,
            "links": self.repositories.invoice_links,
            "secrets": FakeLinkSecrets(),
            "clock": self.clock,
            "ids": self.ids,
        }
        return deliveries.render_invoice(issued.tenant_id, issued.document_id, attempt, **values | ports)

    def mail(self, issued: Deliverable, attempt: int = 1, **ports: Any) -> object:
        values: dict[str, Any] = {
            "deliveries": self.repositories.deliveries,
            "documents": self.documents,
            "mailer": self.mailer,
            "links": self.repositories.invoice_links,
            "portal": PORTAL,
            "house": HOUSE,
            "clock": self.clock,
            "ids": self.ids,
        }
        return deliveries.mail_invoice(issued.tenant_id, issued.document_id, attempt, **values | ports)

    def record(
        self, issued: Deliverable, attempt: int = 1, *, error: str | None = None, **ports: Any
    ) -> DeliveryOutcome:
        values: dict[str, Any] = {
            "deliveries": self.repositories.deliveries,
            "clock": self.clock,
            "ids": self.ids,
        }
        return deliveries.record_invoice_delivery(
            issued.tenant_id, issued.document_id, attempt, error=error, **values | ports
        )

    def proof(self) -> Verification:
        """The finished verification of everything issued so far."""
        job = verifications.start_invoice_verification(
            self.caller,
            correlation_id="corr",
            once=self.once("startInvoiceVerification"),
            verifications=self.repositories.verifications,
            clock=self.clock,
            ids=self.ids,
        )
        while job.state is VerificationState.RUNNING:
            job = verifications.verify_ledger_page(
                job.tenant_id,
                job.verification_id,
                verifications=self.repositories.verifications,
                clock=self.clock,
            )
        return job

    def place_events(self) -> None:
        """As the stream's consumer does at once."""
        waiting = list(self.repositories.store.unplaced.values())
        events.place_events(waiting, feed=self.repositories.event_feed, clock=self.clock, ids=self.ids)

    def stored(self, invoice: IssuedInvoice) -> IssuedInvoice:
        return self.repositories.deliveries.invoice(invoice.tenant_id, invoice.invoice_id)

    def events(self, invoice_id: str) -> list[Event]:
        page = PageRequest(limit=100)
        return list(self.repositories.invoices.timeline(self.caller, invoice_id, page).items)


@pytest.fixture
def shop() -> Shop:
    """Described, at work."""
    made = Shop()
    made.describe()
    return made
