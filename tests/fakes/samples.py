"""Values that tests of rules and stores build again and again, over the factories: by tenant, by rank, by key."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from billing.domain.access import Caller, Membership, Role
from billing.domain.canonical import canonical_json
from billing.domain.delivery import DeliveryRequest
from billing.domain.events import Event, EventType
from billing.domain.invoice import DraftInvoice, InvoiceContent, IssuedInvoice, check_content, freeze
from billing.domain.ledger import EntryKind, LedgerEntry, PaymentMethod
from billing.domain.numbering import NumberAllocation, SeriesState, allocate
from billing.domain.parties import (
    Company,
    CompanyDescription,
    Customer,
    CustomerDescription,
    Logo,
    OnboardingStep,
    Product,
    ProductDescription,
    ProductKind,
)
from billing.domain.totals import Line
from billing.domain.vat import VatRegime, VatTreatment
from billing.ports.idempotency import Answer, IdempotentRequest
from tests import factories
from tests.fakes.clock import MORNING

SIREN = factories.SELLER_SIREN
VAT_20 = factories.taxed("20")
VAT_5_5 = factories.taxed("5.5")


def caller(tenant_id: str = "ten_a", *, role: Role = Role.OWNER, user_id: str = "user-1", version: int = 1) -> Caller:
    return Caller(tenant_id=tenant_id, user_id=user_id, role=role, membership_version=version)


def membership(of: Caller) -> Membership:
    return Membership(tenant_id=of.tenant_id, user_id=of.user_id, role=of.role, version=of.membership_version)


def seller(**changes: Any) -> CompanyDescription:
    return factories.company_description(**changes)


def company(tenant_id: str = "ten_a", *, description: CompanyDescription | None = None, version: int = 1) -> Company:
    return Company(
        tenant_id=tenant_id,
        version=version,
        description=description or seller(),
        onboarding=OnboardingStep.PAYMENTS,
        created_at=MORNING,
        updated_at=MORNING,
    )


def logo(key: str) -> Logo:
    return Logo(key=key, sha256="0" * 64, media_type="image/png", width=200, height=80)


def buyer(**changes: Any) -> CustomerDescription:
    values = {"name": "Épicerie du Marché", "email": "compta@epicerie.example", "contact_name": ""}
    return factories.customer_description(**values | changes)


def customer(
    tenant_id: str = "ten_a",
    customer_id: str = "cus_1",
    *,
    description: CustomerDescription | None = None,
    version: int = 1,
) -> Customer:
    return Customer(
        tenant_id=tenant_id,
        customer_id=customer_id,
        version=version,
        description=description or buyer(),
        created_at=MORNING,
        updated_at=MORNING,
    )


def product(tenant_id: str = "ten_a", product_id: str = "prd_1", *, name: str = "Conseil", **changes: Any) -> Product:
    value = Product(
        tenant_id=tenant_id,
        product_id=product_id,
        version=1,
        description=ProductDescription(
            kind=ProductKind.SERVICE, name=name, unit="HUR", unit_price=Decimal("80.00"), vat=VAT_20
        ),
        archived=False,
        created_at=MORNING,
        updated_at=MORNING,
    )
    return replace(value, **changes)


def line(price: str = "100.00", quantity: str = "1", *, vat: VatTreatment = VAT_20, **changes: Any) -> Line:
    value = Line(description="Prestation", quantity=Decimal(quantity), unit="C62", unit_price=Decimal(price), vat=vat)
    return replace(value, **changes)


def content(*lines: Line, **changes: Any) -> InvoiceContent:
    return replace(InvoiceContent(customer_id="cus_1", lines=lines or (line(),)), **changes)


def draft(
    tenant_id: str = "ten_a",
    invoice_id: str = "inv_1",
    *,
    holding: InvoiceContent | None = None,
    at: datetime = MORNING,
    regime: VatRegime = VatRegime.NORMAL,
) -> DraftInvoice:
    holding = holding or content()
    return DraftInvoice(
        tenant_id=tenant_id,
        invoice_id=invoice_id,
        version=1,
        content=holding,
        customer_name="Épicerie du Marché",
        totals=check_content(holding, regime),
        created_at=at,
        updated_at=at,
    )


def issued(
    of: DraftInvoice | None = None,
    *,
    after: SeriesState,
    on: date = date(2026, 11, 23),
    by: CompanyDescription | None = None,
    to: CustomerDescription | None = None,
    at: datetime = MORNING,
) -> tuple[IssuedInvoice, NumberAllocation, SeriesState]:
    """An issued invoice, the number it took, and where its series stands afterwards."""
    of = of or draft()
    selling = company(of.tenant_id, description=by)
    allocation = allocate(after, selling.description.invoice_number_pattern, on)
    buying = customer(of.tenant_id, of.content.customer_id, description=to)
    invoice = freeze(of, company=selling, customer=buying, allocation=allocation, issued_at=at)
    state = SeriesState(
        series=allocation.series,
        year=allocation.year,
        last_rank=allocation.rank,
        last_date=allocation.issue_date,
        last_hash=invoice.document_hash,
    )
    return invoice, allocation, state


def entry(rank: int, amount_minor: int, *, kind: EntryKind = EntryKind.PAYMENT) -> LedgerEntry:
    return LedgerEntry(
        entry_id=f"pay_{rank:06d}",
        rank=rank,
        kind=kind,
        amount_minor=amount_minor,
        entry_date=date(2026, 11, 23),
        method=PaymentMethod.TRANSFER,
        recorded_at=MORNING,
        recorded_by="user-1",
    )


def event(event_id: str = "evt_1", event_type: EventType = EventType.INVOICE_CREATED) -> Event:
    return Event(event_id=event_id, event_type=event_type, occurred_at=MORNING, actor="user-1", data={"version": 1})


def delivery_request(
    tenant_id: str = "ten_a",
    invoice_id: str = "inv_1",
    *,
    attempt: int = 1,
    recipient: str | None = "compta@epicerie.example",
    at: datetime = MORNING,
) -> DeliveryRequest:
    return DeliveryRequest(
        tenant_id=tenant_id,
        invoice_id=invoice_id,
        attempt=attempt,
        send=recipient is not None,
        recipient=recipient,
        requested_at=at,
        correlation_id="corr-1",
    )


def once(key: str = "key-1", *, operation: str = "createInvoice", body: str = "{}") -> IdempotentRequest:
    return IdempotentRequest(
        operation=operation,
        key=key,
        fingerprint=hashlib.sha256(body.encode()).hexdigest(),
        answer_of=lambda value: Answer(status=200, body=canonical_json(value), headers={"ETag": '"1"'}),
    )
