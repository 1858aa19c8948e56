"""Plainly invented companies, customers, products and invoices, with identifiers whose check digits are right.

Each function takes keyword overrides of what it builds: ``company(legal_name="Autre Exemple SAS")``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from billing.domain.dates import civil_date
from billing.domain.identifiers import french_vat_number
from billing.domain.invoice import DraftInvoice, InvoiceContent, IssuedInvoice, check_content, freeze
from billing.domain.ledger import EntryKind, Ledger, LedgerEntry, PaymentMethod
from billing.domain.numbering import Series, SeriesState, allocate
from billing.domain.parties import (
    Address,
    Company,
    CompanyDescription,
    Customer,
    CustomerDescription,
    CustomerKind,
    LegalForm,
    OnboardingStep,
    Product,
    ProductDescription,
    ProductKind,
)
from billing.domain.totals import Discount, Line
from billing.domain.vat import FRANCHISE_TREATMENT, VatCategory, VatRegime, VatTreatment

TENANT_ID = "ten_01EXEMPLE"
INVOICE_ID = "inv_01EXEMPLE"
CUSTOMER_ID = "cus_01EXEMPLE"
PRODUCT_ID = "prd_01EXEMPLE"
SELLER_SIREN = "123456782"
SELLER_SIRET = "12345678200010"
BUYER_SIREN = "987654324"
BUYER_SIRET = "98765432400019"
IBAN = "FR1420041010050500013M02606"  # the example of ISO 13616
BIC = "EXEMFRPPXXX"
ISSUED_AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)

_DESCRIPTION_FIELDS = frozenset(CompanyDescription.__dataclass_fields__)
_CUSTOMER_FIELDS = frozenset(CustomerDescription.__dataclass_fields__)
_CONTENT_FIELDS = frozenset(InvoiceContent.__dataclass_fields__)


def taxed(rate: str = "20") -> VatTreatment:
    return VatTreatment(category=VatCategory.STANDARD, rate=Decimal(rate))


def exempt(code: str, category: VatCategory = VatCategory.EXEMPT) -> VatTreatment:
    return VatTreatment(category=category, rate=Decimal(0), exemption_code=code)


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


def company(**overrides: Any) -> Company:
    """Overrides may name fields of the company or of its description."""
    described = {name: value for name, value in overrides.items() if name in _DESCRIPTION_FIELDS}
    values: dict[str, Any] = {
        "tenant_id": TENANT_ID,
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
        "legal_name": "Camille Exemple",
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
        "contact_name": "Dominique Modèle",
        "email": "compta@modele.example",
        "billing_address": address(line1="8 avenue du Modèle", postal_code="69003", city="Lyon"),
        "siren": BUYER_SIREN,
        "siret": BUYER_SIRET,
        "vat_number": french_vat_number(BUYER_SIREN),
    }
    return CustomerDescription(**values | overrides)


def individual_description(**overrides: Any) -> CustomerDescription:
    values: dict[str, Any] = {
        "kind": CustomerKind.INDIVIDUAL,
        "name": "Dominique Modèle",
        "contact_name": "",
        "siren": None,
        "siret": None,
        "vat_number": None,
    }
    return customer_description(**values | overrides)


def customer(**overrides: Any) -> Customer:
    """Overrides may name fields of the customer or of its description."""
    described = {name: value for name, value in overrides.items() if name in _CUSTOMER_FIELDS}
    values: dict[str, Any] = {
        "tenant_id": TENANT_ID,
        "customer_id": CUSTOMER_ID,
        "version": 1,
        "description": customer_description(**described),
        "created_at": ISSUED_AT,
        "updated_at": ISSUED_AT,
    }
    return Customer(**values | {name: value for name, value in overrides.items() if name not in described})


def product(**overrides: Any) -> Product:
    """Overrides may name fields of the product or of its description."""
    description: dict[str, Any] = {
        "kind": ProductKind.SERVICE,
        "name": "Conseil",
        "description": "Accompagnement sur site",
        "reference": "CONSEIL",
        "unit": "HUR",
        "unit_price": Decimal("95.00"),
        "vat": taxed(),
    }
    described = {name: value for name, value in overrides.items() if name in description}
    values: dict[str, Any] = {
        "tenant_id": TENANT_ID,
        "product_id": PRODUCT_ID,
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


def content(**overrides: Any) -> InvoiceContent:
    values: dict[str, Any] = {"customer_id": CUSTOMER_ID, "lines": sample_lines()}
    return InvoiceContent(**values | overrides)


def draft(*, regime: VatRegime = VatRegime.NORMAL, **overrides: Any) -> DraftInvoice:
    """Overrides may name fields of the draft or of its content."""
    written = {name: value for name, value in overrides.items() if name in _CONTENT_FIELDS}
    if regime is VatRegime.FRANCHISE and "lines" not in written:
        written["lines"] = tuple(replace(item, vat=FRANCHISE_TREATMENT) for item in sample_lines())
    what = content(**written)
    values: dict[str, Any] = {
        "tenant_id": TENANT_ID,
        "invoice_id": INVOICE_ID,
        "version": 1,
        "content": what,
        "customer_name": customer_description().name,
        "totals": check_content(what, regime),
        "created_at": ISSUED_AT,
        "updated_at": ISSUED_AT,
    }
    return DraftInvoice(**values | {name: value for name, value in overrides.items() if name not in written})


def issued(
    *,
    seller: Company | None = None,
    buyer: Customer | None = None,
    series: SeriesState | None = None,
    issued_at: datetime = ISSUED_AT,
    **overrides: Any,
) -> IssuedInvoice:
    """An invoice issued through the domain's own rules; overrides are those of ``draft``."""
    seller = seller or company()
    buyer = buyer or customer()
    allocation = allocate(
        series or SeriesState.untouched(Series.INVOICE),
        seller.description.invoice_number_pattern,
        civil_date(issued_at),
    )
    written = draft(regime=seller.description.vat_regime, customer_name=buyer.description.name, **overrides)
    return freeze(written, company=seller, customer=buyer, allocation=allocation, issued_at=issued_at)


def entry(**overrides: Any) -> LedgerEntry:
    values: dict[str, Any] = {
        "entry_id": "ent_01EXEMPLE",
        "rank": 1,
        "kind": EntryKind.PAYMENT,
        "amount_minor": 10_000,
        "entry_date": date(2026, 11, 24),
        "method": PaymentMethod.TRANSFER,
        "recorded_at": ISSUED_AT,
        "recorded_by": "usr_01EXEMPLE",
    }
    return LedgerEntry(**values | overrides)


def ledger(total_minor: int, *amounts_minor: int) -> Ledger:
    """A ledger with these payments."""
    return Ledger.replay(
        total_minor,
        tuple(entry(rank=rank, amount_minor=amount) for rank, amount in enumerate(amounts_minor, start=1)),
    )
