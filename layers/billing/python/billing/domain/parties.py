"""The company that sells, the customers that buy, what is sold."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from billing.domain.canonical import LATER
from billing.domain.colours import DEFAULT_ACCENT
from billing.domain.errors import CustomerMerged
from billing.domain.late_payment import DEFAULT_LATE_PENALTY_RATE
from billing.domain.numbering import DEFAULT_PATTERNS, NumberPattern, Series
from billing.domain.payment_terms import PaymentTerms
from billing.domain.template import Design
from billing.domain.tongue import DocumentLanguage
from billing.domain.trades import TradeProfile
from billing.domain.vat import VatRegime, VatTreatment

DEFAULT_PAYMENT_TERMS_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    line1: str
    line2: str = ""
    postal_code: str
    city: str
    country_code: str = "FR"


class LegalForm(StrEnum):
    SOLE_TRADER = "EI"
    EURL = "EURL"
    SARL = "SARL"
    SASU = "SASU"
    SAS = "SAS"
    SA = "SA"
    SNC = "SNC"
    SCI = "SCI"
    SELARL = "SELARL"
    ASSOCIATION = "ASSOCIATION"

    @property
    def has_share_capital(self) -> bool:
        return self not in {LegalForm.SOLE_TRADER, LegalForm.ASSOCIATION}


class OnboardingStep(StrEnum):
    COMPANY = "company"
    PAYMENTS = "payments"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Logo:
    """A checked picture: where its bytes are stored, and what they are."""

    key: str
    sha256: str
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyDescription:
    """What a company says of itself; identifiers are checked before it is built."""

    legal_name: str
    trade_name: str = ""
    legal_form: LegalForm
    siren: str
    siret: str
    vat_number: str | None = None
    vat_regime: VatRegime
    vat_on_debits: bool = False
    rcs_city: str | None = None
    share_capital_minor: int | None = None
    address: Address
    email: str
    phone: str = ""
    website: str = ""
    iban: str | None = None
    bic: str | None = None
    bank_name: str = ""
    payment_terms_days: int = DEFAULT_PAYMENT_TERMS_DAYS
    late_penalty_rate: Decimal = DEFAULT_LATE_PENALTY_RATE
    early_payment_discount: str = ""
    footer_text: str = ""
    invoice_number_pattern: NumberPattern = field(default_factory=lambda: DEFAULT_PATTERNS[Series.INVOICE])
    quote_number_pattern: NumberPattern = field(default=DEFAULT_PATTERNS[Series.QUOTE], metadata=LATER)
    credit_note_number_pattern: NumberPattern = field(default=DEFAULT_PATTERNS[Series.CREDIT_NOTE], metadata=LATER)
    payment_terms: PaymentTerms | None = field(default=None, metadata=LATER)  # before payment_terms_days
    trade: TradeProfile = field(default=TradeProfile(), metadata=LATER)
    design: Design = field(default=Design.CLASSIC, metadata=LATER)
    accent_colour: str = field(default=DEFAULT_ACCENT, metadata=LATER)  # ``#rrggbb`` as chosen; printed readable
    header_text: str = field(default="", metadata=LATER)  # before the lines of each document

    @property
    def display_name(self) -> str:
        """The name on documents; a sole trader's carries "EI" (Code de commerce R526-27)."""
        return f"{self.legal_name} EI" if self.legal_form is LegalForm.SOLE_TRADER else self.legal_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    tenant_id: str
    version: int
    description: CompanyDescription
    onboarding: OnboardingStep
    logo: Logo | None = None
    created_at: datetime
    updated_at: datetime


class CustomerKind(StrEnum):
    BUSINESS = "business"
    INDIVIDUAL = "individual"


MAX_CONTACTS = 20
MAX_FURTHER_ADDRESSES = 20
MAX_NOTES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person or a service at a customer; none of it stands on documents."""

    name: str
    role: str = ""
    email: str | None = None
    phone: str = ""
    receives_invoices: bool = False
    receives_reminders: bool = False


class AddressUse(StrEnum):
    BILLING = "billing"
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True, kw_only=True)
class FurtherAddress:
    """An address beside the default one of its use, under a label of the company's own."""

    label: str
    use: AddressUse
    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerDescription:
    """``billing_address`` and ``delivery_address`` are the defaults; documents are written in ``language``."""

    kind: CustomerKind
    name: str
    contact_name: str = ""
    email: str | None = None
    phone: str = ""
    billing_address: Address
    delivery_address: Address | None = None
    siren: str | None = None
    siret: str | None = None
    vat_number: str | None = None
    payment_terms_days: int | None = None
    notes: str = ""
    payment_terms: PaymentTerms | None = field(default=None, metadata=LATER)  # before payment_terms_days
    contacts: tuple[Contact, ...] = field(default=(), metadata=LATER)
    addresses: tuple[FurtherAddress, ...] = field(default=(), metadata=LATER)
    language: DocumentLanguage = field(default=DocumentLanguage.FRENCH, metadata=LATER)

    @property
    def invoice_email(self) -> str | None:
        """Where invoices go: to the first contact that receives them, else to the customer's own address."""
        return next((one.email for one in self.contacts if one.receives_invoices and one.email), self.email)

    def person_at(self, email: str | None) -> str:
        """Whom mail to an address reaches: the contact who has it, or who stands for the customer at its own."""
        if not email:
            return ""
        at = email.casefold()
        named = next((one.name for one in self.contacts if (one.email or "").casefold() == at), "")
        return named or (self.contact_name if at == (self.email or "").casefold() else "")

    @property
    def reminder_email(self) -> str | None:
        """Where reminders go: to the first contact that wants them, else where invoices go."""
        return next((one.email for one in self.contacts if one.receives_reminders and one.email), self.invoice_email)


class VatNumberStatus(StrEnum):
    UNVERIFIED = "unverified"
    VALID = "valid"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class VatCheck:
    """What VIES said of a number at an instant; the consultation number proves that it was asked."""

    vat_number: str
    valid: bool
    checked_at: datetime
    consultation_number: str | None
    name: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    tenant_id: str
    customer_id: str
    version: int
    description: CustomerDescription
    created_at: datetime
    updated_at: datetime
    vat_check: VatCheck | None = field(default=None, metadata=LATER)
    merged_into: str | None = field(default=None, metadata=LATER)  # the customer that this one was a duplicate of
    merged_ids: tuple[str, ...] = field(default=(), metadata=LATER)  # the duplicates that became this one

    @property
    def ids(self) -> tuple[str, ...]:
        """Every id under which its documents stand, its own first."""
        return (self.customer_id, *self.merged_ids)

    def require_current(self, pointer: str = "") -> None:
        """Raises: CustomerMerged."""
        if self.merged_into is not None:
            raise CustomerMerged(
                f"Ce client est devenu {self.merged_into} : utilisez cet identifiant.",
                f"This customer became {self.merged_into}: use that id.",
                pointer=pointer,
            )

    @property
    def current_vat_check(self) -> VatCheck | None:
        """The latest check, while the number is still the one that was checked."""
        check = self.vat_check
        return check if check is not None and check.vat_number == self.description.vat_number else None

    @property
    def vat_number_status(self) -> VatNumberStatus | None:
        """None without a number."""
        if self.description.vat_number is None:
            return None
        check = self.current_vat_check
        if check is None:
            return VatNumberStatus.UNVERIFIED
        return VatNumberStatus.VALID if check.valid else VatNumberStatus.INVALID


class ProductKind(StrEnum):
    GOODS = "goods"
    SERVICE = "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductDescription:
    kind: ProductKind
    name: str
    description: str = ""
    reference: str = ""
    unit: str
    unit_price: Decimal
    vat: VatTreatment


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    tenant_id: str
    product_id: str
    version: int
    description: ProductDescription
    archived: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChange:
    """What a product costs from a version on, and who said so."""

    version: int
    unit_price: Decimal
    vat: VatTreatment
    changed_at: datetime
    changed_by: str
