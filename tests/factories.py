"""Plainly invented companies, customers, products and invoices, with identifiers whose check digits are right.

Most functions take keyword overrides of what they build: ``company(legal_name="Autre Exemple SAS")``.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from billing.domain.access import Caller, Membership, Role
from billing.domain.canonical import canonical_json
from billing.domain.dates import civil_date
from billing.domain.delivery import DeliveryRequest
from billing.domain.events import Event, EventType
from billing.domain.identifiers import french_vat_number
from billing.domain.invoice import DraftInvoice, InvoiceContent, IssuedInvoice, check_content, freeze
from billing.domain.ledger import EntryKind, Ledger, LedgerEntry, PaymentMethod
from billing.domain.numbering import NumberAllocation, Series, SeriesState, allocate
from billing.domain.parties import (
    Address,
    Company,
    CompanyDescription,
    Customer,
    CustomerDescription,
    CustomerKind,
    LegalForm,
    Logo,
    OnboardingStep,
    Product,
    ProductDescription,
    ProductKind,
)
from billing.domain.plans import PRO
from billing.domain.stripe import StripeSubscription, SubscriptionStatus
from billing.domain.subscription import Subscription
from billing.domain.totals import Discount, Line
from billing.domain.vat import FRANCHISE_TREATMENT, VatCategory, VatRegime, VatTreatment
from billing.ports.idempotency import Answer, IdempotentRequest

TENANT_ID = "ten_01EXEMPLE"
INVOICE_ID = "inv_01EXEMPLE"
CUSTOMER_ID = "cus_01EXEMPLE"
PRODUCT_ID = "prd_01EXEMPLE"
USER_ID = "usr_01EXEMPLE"
SELLER_SIREN = "123456782"
SELLER_SIRET = "12345678200010"
BUYER_SIREN = "987654324"
BUYER_SIRET = "98765432400019"
IBAN = "FR1420041010050500013M02606"  # the example of ISO 13616
BIC = "EXEMFRPPXXX"
BUYER_EMAIL = "compta@modele.example"
ISSUED_AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ISSUED_ON = civil_date(ISSUED_AT)

_DESCRIPTION_FIELDS = frozenset(CompanyDescription.__dataclass_fields__)
_CUSTOMER_FIELDS = frozenset(CustomerDescription.__dataclass_fields__)
_CONTENT_FIELDS = frozenset(InvoiceContent.__dataclass_fields__)


def caller(tenant_id: str = TENANT_ID, *, role: Role = Role.OWNER, user_id: str = USER_ID, version: int = 1) -> Caller:
    return Caller(tenant_id=tenant_id, user_id=user_id, role=role, membership_version=version)


def membership(of: Caller) -> Membership:
    return Membership(tenant_id=of.tenant_id, user_id=of.user_id, role=of.role, version=of.membership_version)


def taxed(rate: str = "20") -> VatTreatment:
    return VatTreatment(category=VatCategory.STANDARD, rate=Decimal(rate))


def exempt(code: str, category: VatCategory = VatCategory.EXEMPT) -> VatTreatment:
    return VatTreatment(category=category, rate=Decimal(0), exemption_code=code)


VAT_20 = taxed("20")
VAT_5_5 = taxed("5.5")


def address(**overrides: Any) -> Address:
    values: dict[str, Any] = {"line1": "12 rue de l'Exemple", "postal_code": "75011", "city": "Paris"}
    return Address(**values | overrides)


def company_description(**overrides: Any) -> CompanyDescription:
    values: dict[str, Any] = {
        "legal_name": "Exemple SARL",
        "legal_form": LegalForm.SARL,
        "siren": SELLER_SIREN,
        "siret": SELLER_SIRET,
        "vat_number": french_vat_number(SELLER_SIREN),
        "vat_regime": VatRegime.NORMAL,
        "rcs_city": "Paris",
        "share_capital_minor": 1_000_000,
        "address": address(),
        "email": "facturation@exemple.example",
        "phone": "01 99 00 12 34",  # a number that ARCEP keeps for fiction
        "website": "www.exemple.example",
        "iban": IBAN,
        "bic": BIC,
        "bank_name": "Banque Exemple",
    }
    return CompanyDescription(**values | overrides)


def logo(key: str) -> Logo:
    return Logo(key=key, sha256="0" * 64, media_type="image/png", width=200, height=80)


def company(tenant_id: str = TENANT_ID, **overrides: Any) -> Company:
    """Overrides may name fields of the company or of its description."""
    described = {name: value for name, value in overrides.items() if name in _DESCRIPTION_FIELDS}
    values: dict[str, Any] = {
        "tenant_id": tenant_id,
        "version": 1,
        "description": company_description(**described),
        "onboarding": OnboardingStep.FINISHED,
        "created_at": ISSUED_AT,
        "updated_at": ISSUED_AT,
    }
    return Company(**values | {name: value for name, value in overrides.items() if name not in described})


def franchise_company(**overrides: Any) -> Company:
    """A sole trader under the VAT franchise (CGI art. 293 B)."""
    values: dict[str, Any] = {
        "legal_name": "Entreprise Exemple",
        "legal_form": LegalForm.SOLE_TRADER,
        "vat_number": None,
        "vat_regime": VatRegime.FRANCHISE,
        "rcs_city": None,
        "share_capital_minor": None,
    }
    return company(**values | overrides)


def customer_description(**overrides: Any) -> CustomerDescription:
    values: dict[str, Any] = {
        "kind": CustomerKind.BUSINESS,
        "name": "Atelier Modèle SAS",
        "contact_name": "Service comptabilité",
        "email": BUYER_EMAIL,
        "billing_address": address(line1="8 avenue du Modèle", postal_code="69003", city="Lyon"),
        "siren": BUYER_SIREN,
        "siret": BUYER_SIRET,
        "vat_number": french_vat_number(BUYER_SIREN),
    }
    return CustomerDescription(**values | overrides)


def individual_description(**overrides: Any) -> CustomerDescription:
    values: dict[str, Any] = {
        "kind": CustomerKind.INDIVIDUAL,
        "name": "Particulier Modèle",
        "contact_name": "",
        "siren": None,
        "siret": None,
        "vat_number": None,
    }
    return customer_description(**values | overrides)


def customer(tenant_id: str = TENANT_ID, customer_id: str = CUSTOMER_ID, **overrides: Any) -> Customer:
    """Overrides may name fields of the customer or of its description."""
    described = {name: value for name, value in overrides.items() if name in _CUSTOMER_FIELDS}
    values: dict[str, Any] = {
        "tenant_id": tenant_id,
        "customer_id": customer_id,
        "version": 1,
        "description": customer_description(**described),
        "created_at": ISSUED_AT,
        "updated_at": ISSUED_AT,
    }
    return Customer(**values | {name: value for name, value in overrides.items() if name not in described})


def product(tenant_id: str = TENANT_ID, product_id: str = PRODUCT_ID, **overrides: Any) -> Product:
    """Overrides may name fields of the product or of its description."""
    description: dict[str, Any] = {
        "kind": ProductKind.SERVICE,
        "name": "Conseil",
        "description": "Accompagnement sur site",
        "reference": "",
        "unit": "HUR",
        "unit_price": Decimal("95.00"),
        "vat": taxed(),
    }
    described = {name: value for name, value in overrides.items() if name in description}
    values: dict[str, Any] = {
        "tenant_id": tenant_id,
        "product_id": product_id,
        "version": 1,
        "description": ProductDescription(**description | described),
        "archived": False,
        "created_at": ISSUED_AT,
        "updated_at": ISSUED_AT,
    }
    return Product(**values | {name: value for name, value in overrides.items() if name not in described})


def line(**overrides: Any) -> Line:
    values: dict[str, Any] = {
        "description": "Conseil en organisation",
        "quantity": Decimal(8),
        "unit": "HUR",
        "unit_price": Decimal("95.00"),
        "vat": taxed(),
    }
    return Line(**values | overrides)


def sample_lines() -> tuple[Line, ...]:
    """Services and goods at 20 % and 5.5 %, one of them discounted."""
    return (
        line(details="Atelier de lancement et compte rendu, dans vos locaux"),
        line(description="Développement d'un module de suivi", quantity=Decimal("3.5"), unit="DAY",
             unit_price=Decimal(640), discount=Discount(percent=Decimal(10))),
        line(description="Guide pratique de l'utilisateur, broché", quantity=Decimal(25), unit="C62",
             unit_price=Decimal("18.90"), vat=taxed("5.5")),
        line(description="Hébergement et maintenance", details="Du 1er au 30 novembre 2026", quantity=Decimal(1),
             unit="MON", unit_price=Decimal("149.00")),
    )  # fmt: skip


def many_lines(count: int, *, vat: VatTreatment | None = None) -> tuple[Line, ...]:
    """Different quantities and prices, details now and then."""
    return tuple(
        line(
            description=f"Article d'exemple n° {rank}",
            details="Coloris au choix, livré monté" if rank % 4 == 0 else "",
            quantity=Decimal(rank % 7 + 1),
            unit="C62",
            unit_price=Decimal(rank * 137 % 9000 + 45).scaleb(-2),
            vat=vat or taxed("20" if rank % 3 else "5.5"),
        )
        for rank in range(1, count + 1)
    )


def priced(price: str = "100.00", quantity: str = "1", *, vat: VatTreatment = VAT_20, **overrides: Any) -> Line:
    """A line whose amount is what matters."""
    values: dict[str, Any] = {"description": "Prestation", "unit": "C62"}
    return line(quantity=Decimal(quantity), unit_price=Decimal(price), vat=vat, **values | overrides)


def content(*lines: Line, **overrides: Any) -> InvoiceContent:
    """One line of 100 euros unless told."""
    values: dict[str, Any] = {"customer_id": CUSTOMER_ID, "lines": lines or (priced(),)}
    return InvoiceContent(**values | overrides)


def draft(
    tenant_id: str = TENANT_ID,
    invoice_id: str = INVOICE_ID,
    *,
    holding: InvoiceContent | None = None,
    at: datetime = ISSUED_AT,
    regime: VatRegime = VatRegime.NORMAL,
    **overrides: Any,
) -> DraftInvoice:
    holding = holding or content()
    values: dict[str, Any] = {
        "tenant_id": tenant_id,
        "invoice_id": invoice_id,
        "version": 1,
        "content": holding,
        "customer_name": customer_description().name,
        "totals": check_content(holding, regime),
        "created_at": at,
        "updated_at": at,
    }
    return DraftInvoice(**values | overrides)


def issued(
    *,
    seller: Company | None = None,
    buyer: Customer | None = None,
    series: SeriesState | None = None,
    issued_at: datetime = ISSUED_AT,
    **overrides: Any,
) -> IssuedInvoice:
    """An invoice of sample lines issued through the domain's own rules.

    Overrides may name fields of the draft or of its content.
    """
    seller, buyer = seller or company(), buyer or customer()
    regime = seller.description.vat_regime
    written = {name: value for name, value in overrides.items() if name in _CONTENT_FIELDS}
    lines = sample_lines()
    if regime is VatRegime.FRANCHISE:
        lines = tuple(replace(item, vat=FRANCHISE_TREATMENT) for item in lines)
    of = draft(
        holding=content(**{"lines": lines} | written),
        regime=regime,
        customer_name=buyer.description.name,
        **{name: value for name, value in overrides.items() if name not in written},
    )
    return _numbered(of, seller, buyer, after=series, on=civil_date(issued_at), at=issued_at)[0]


def issued_after(
    after: SeriesState,
    of: DraftInvoice | None = None,
    *,
    on: date = ISSUED_ON,
    by: CompanyDescription | None = None,
    to: CustomerDescription | None = None,
    at: datetime = ISSUED_AT,
) -> tuple[IssuedInvoice, NumberAllocation, SeriesState]:
    """An issued invoice, the number it took, and where its series stands afterwards."""
    of = of or draft()
    seller = company(of.tenant_id, description=by or company_description())
    buyer = customer(of.tenant_id, of.content.customer_id, description=to or customer_description())
    return _numbered(of, seller, buyer, after=after, on=on, at=at)


def _numbered(
    of: DraftInvoice, seller: Company, buyer: Customer, *, after: SeriesState | None, on: date, at: datetime
) -> tuple[IssuedInvoice, NumberAllocation, SeriesState]:
    pattern = seller.description.invoice_number_pattern
    allocation = allocate(after or SeriesState.untouched(Series.INVOICE), pattern, on)
    invoice = freeze(of, company=seller, customer=buyer, allocation=allocation, issued_at=at)
    return invoice, allocation, allocation.state_after(invoice.document_hash)


def entry(rank: int = 1, amount_minor: int = 10_000, **overrides: Any) -> LedgerEntry:
    values: dict[str, Any] = {
        "entry_id": f"pay_{rank:06d}",
        "rank": rank,
        "kind": EntryKind.PAYMENT,
        "amount_minor": amount_minor,
        "entry_date": ISSUED_ON,
        "method": PaymentMethod.TRANSFER,
        "recorded_at": ISSUED_AT,
        "recorded_by": USER_ID,
    }
    return LedgerEntry(**values | overrides)


def ledger(total_minor: int, *amounts_minor: int) -> Ledger:
    """A ledger with these payments."""
    return Ledger.replay(total_minor, tuple(entry(rank, amount) for rank, amount in enumerate(amounts_minor, start=1)))


def event(
    event_id: str = "evt_1", event_type: EventType = EventType.INVOICE_CREATED, *, at: datetime = ISSUED_AT
) -> Event:
    return Event(event_id=event_id, event_type=event_type, occurred_at=at, actor=USER_ID, data={"version": 1})


def delivery_request(
    tenant_id: str = TENANT_ID,
    invoice_id: str = INVOICE_ID,
    *,
    attempt: int = 1,
    recipient: str | None = BUYER_EMAIL,
    at: datetime = ISSUED_AT,
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


def pro_subscription(tenant_id: str = TENANT_ID, **overrides: Any) -> Subscription:
    """A company that pays for its plan: it issues as many invoices as it likes."""
    held = StripeSubscription(
        subscription_id="sub_1",
        customer_id=f"cus_{tenant_id}",
        status=SubscriptionStatus.ACTIVE,
        created=datetime(2026, 1, 1, tzinfo=UTC),
        current_period_end=datetime(2027, 1, 1, tzinfo=UTC),
        lookup_key=PRO.lookup_key,
    )
    return Subscription(tenant_id=tenant_id, version=1, customer_id=held.customer_id, held=replace(held, **overrides))


def once(key: str = "key-1", *, operation: str = "createInvoice", body: str = "{}") -> IdempotentRequest:
    """A request whose answer is the canonical text of its result."""
    return IdempotentRequest(
        operation=operation,
        key=key,
        fingerprint=hashlib.sha256(body.encode()).hexdigest(),
        answer_of=lambda value: Answer(status=200, body=canonical_json(value), headers={"ETag": '"1"'}),
    )
