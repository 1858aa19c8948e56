"""Customers: requests, answers and list rows."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from billing.api.addresses import AddressRequest, AddressResponse, FurtherAddressRequest, FurtherAddressResponse
from billing.api.answers import Reply, Request, answer
from billing.api.companies import identifier_errors
from billing.api.fields import CustomerReference, EmailAddress, PaymentTermsDays, Siren, Siret, Text, VatNumber
from billing.api.paging import PageReply
from billing.api.payment_terms import PaymentTermsRequest, PaymentTermsResponse, only_one
from billing.domain.duplicates import Likeness
from billing.domain.errors import FieldError, FieldErrors
from billing.domain.parties import (
    MAX_CONTACTS,
    MAX_FURTHER_ADDRESSES,
    MAX_NOTES,
    Contact,
    Customer,
    CustomerDescription,
    CustomerKind,
    VatCheck,
    VatNumberStatus,
)
from billing.domain.territories import FRENCH_COUNTRIES
from billing.domain.tongue import DocumentLanguage
from billing.ports.idempotency import Answer
from billing.ports.repositories import CustomerSummary, DuplicateCustomer


class ContactRequest(Request):
    name: Annotated[str, Text(100, min_length=1)]
    role: Annotated[str, Text(60), Field(examples=["Comptabilité"])] = ""
    email: EmailAddress | None = None
    phone: Annotated[str, Text(30)] = ""
    receives_invoices: Annotated[
        bool, Field(description="Invoices go to the first such contact with an e-mail, instead of the customer's own")
    ] = False
    receives_reminders: bool = False

    def errors(self, pointer: str) -> list[FieldError]:
        """Who is to receive something can be written to."""
        if self.email is not None or not (self.receives_invoices or self.receives_reminders):
            return []
        return [
            FieldError(
                f"{pointer}/email", "Ce contact reçoit du courrier : son e-mail manque.", "This contact receives mail."
            )
        ]

    def contact(self) -> Contact:
        return Contact(
            name=self.name,
            role=self.role,
            email=self.email,
            phone=self.phone,
            receives_invoices=self.receives_invoices,
            receives_reminders=self.receives_reminders,
        )


class ContactResponse(Reply):
    name: str
    role: str
    email: str | None
    phone: str
    receives_invoices: bool
    receives_reminders: bool

    @classmethod
    def of(cls, contact: Contact) -> ContactResponse:
        return cls(
            name=contact.name,
            role=contact.role,
            email=contact.email,
            phone=contact.phone,
            receives_invoices=contact.receives_invoices,
            receives_reminders=contact.receives_reminders,
        )


class VatCheckResponse(Reply):
    """What VIES said of the current number."""

    valid: bool
    checked_at: datetime
    consultation_number: str | None
    name: str
    address: str

    @classmethod
    def of(cls, check: VatCheck) -> VatCheckResponse:
        return cls(
            valid=check.valid,
            checked_at=check.checked_at,
            consultation_number=check.consultation_number,
            name=check.name,
            address=check.address,
        )


class CustomerFields(Request):
    """What a customer is described by."""

    kind: CustomerKind
    name: Annotated[str, Text(120, min_length=1), Field(examples=["Épicerie du Marché"])]
    contact_name: Annotated[str, Text(100)] = ""
    email: Annotated[EmailAddress | None, Field(description="Where invoices are sent")] = None
    phone: Annotated[str, Text(30)] = ""
    billing_address: AddressRequest
    delivery_address: AddressRequest | None = None
    siren: Siren | None = None
    siret: Siret | None = None
    vat_number: VatNumber | None = None
    payment_terms_days: Annotated[PaymentTermsDays | None, Field(description="Instead of the company's own terms")] = (
        None
    )
    payment_terms: Annotated[PaymentTermsRequest | None, Field(description="Instead of `payment_terms_days`")] = None
    notes: Annotated[str, Text(MAX_NOTES, lines=True), Field(description="Never printed")] = ""
    contacts: Annotated[list[ContactRequest], Field(max_length=MAX_CONTACTS)] = Field(default_factory=list)
    addresses: Annotated[
        list[FurtherAddressRequest],
        Field(max_length=MAX_FURTHER_ADDRESSES, description="Beside the two that are the defaults"),
    ] = Field(default_factory=list)
    language: Annotated[
        DocumentLanguage, Field(description="Of documents that name none; English alone for a customer abroad")
    ] = DocumentLanguage.FRENCH

    def description(self) -> CustomerDescription:
        """Raises: FieldErrors, when fields contradict each other."""
        errors = self.billing_address.errors("/billing_address")
        if self.delivery_address is not None:
            errors += self.delivery_address.errors("/delivery_address")
        for index, contact in enumerate(self.contacts):
            errors += contact.errors(f"/contacts/{index}")
        for index, further in enumerate(self.addresses):
            errors += further.errors(f"/addresses/{index}")
        errors += self._language_errors()
        errors += identifier_errors(self.siren, self.siret, self.vat_number)
        only_one(self.payment_terms, self.payment_terms_days, errors)
        terms = self.payment_terms.terms("/payment_terms", errors) if self.payment_terms else None
        if self.kind is CustomerKind.INDIVIDUAL:
            errors += [
                FieldError(
                    f"/{name}",
                    "Un particulier n'a pas d'identifiant d'entreprise.",
                    "An individual has no company identifier.",
                )
                for name in ("siren", "siret", "vat_number")
                if getattr(self, name) is not None
            ]
        if errors:
            raise FieldErrors(tuple(errors))
        return CustomerDescription(
            kind=self.kind,
            name=self.name,
            contact_name=self.contact_name,
            email=self.email,
            phone=self.phone,
            billing_address=self.billing_address.address(),
            delivery_address=self.delivery_address.address() if self.delivery_address else None,
            siren=self.siren or (self.siret[:9] if self.siret else None),
            siret=self.siret,
            vat_number=self.vat_number,
            payment_terms_days=self.payment_terms_days,
            notes=self.notes,
            payment_terms=terms,
            contacts=tuple(contact.contact() for contact in self.contacts),
            addresses=tuple(further.further() for further in self.addresses),
            language=self.language,
        )

    def _language_errors(self) -> list[FieldError]:
        if self.language is not DocumentLanguage.ENGLISH or self.billing_address.country_code not in FRENCH_COUNTRIES:
            return []
        return [
            FieldError(
                "/language",
                "Un client établi en France reçoit ses documents en français, seul ou avec l'anglais (« fr-en »).",
                "A customer in France receives documents in French, alone or with English beside it (`fr-en`).",
            )
        ]


class CreateCustomerRequest(CustomerFields):
    pass


class MergeCustomerRequest(Request):
    duplicate_id: Annotated[CustomerReference, Field(description="The customer that becomes this one")]


class EditCustomerRequest(CustomerFields):
    """The whole description anew; what is left out becomes empty."""


class CustomerResponse(Reply):
    customer_id: str
    version: int
    kind: CustomerKind
    name: str
    contact_name: str
    email: str | None
    phone: str
    billing_address: AddressResponse
    delivery_address: AddressResponse | None
    siren: str | None
    siret: str | None
    vat_number: str | None
    payment_terms_days: int | None
    payment_terms: PaymentTermsResponse | None
    notes: str
    contacts: list[ContactResponse]
    addresses: list[FurtherAddressResponse]
    language: DocumentLanguage
    vat_number_status: Annotated[VatNumberStatus | None, Field(description="null without a number")]
    vat_check: VatCheckResponse | None
    merged_into: Annotated[
        str | None, Field(description="The customer that this duplicate became; it can only be read from then on")
    ]
    merged_ids: Annotated[list[str], Field(description="Duplicates that became this customer: other names of it")]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, customer: Customer) -> CustomerResponse:
        described = customer.description
        delivery = described.delivery_address
        return cls(
            customer_id=customer.customer_id,
            version=customer.version,
            kind=described.kind,
            name=described.name,
            contact_name=described.contact_name,
            email=described.email,
            phone=described.phone,
            billing_address=AddressResponse.of(described.billing_address),
            delivery_address=AddressResponse.of(delivery) if delivery else None,
            siren=described.siren,
            siret=described.siret,
            vat_number=described.vat_number,
            payment_terms_days=described.payment_terms_days,
            payment_terms=PaymentTermsResponse.of(described.payment_terms) if described.payment_terms else None,
            notes=described.notes,
            contacts=[ContactResponse.of(contact) for contact in described.contacts],
            addresses=[FurtherAddressResponse.of_further(further) for further in described.addresses],
            language=described.language,
            vat_number_status=customer.vat_number_status,
            vat_check=VatCheckResponse.of(customer.current_vat_check) if customer.current_vat_check else None,
            merged_into=customer.merged_into,
            merged_ids=list(customer.merged_ids),
            created_at=customer.created_at,
            updated_at=customer.updated_at,
        )


class CustomerRowResponse(Reply):
    customer_id: str
    kind: CustomerKind
    name: str
    email: str | None
    city: str
    siren: str | None

    @classmethod
    def of(cls, row: CustomerSummary) -> CustomerRowResponse:
        return cls(
            customer_id=row.customer_id,
            kind=row.kind,
            name=row.name,
            email=row.email,
            city=row.city,
            siren=row.siren,
        )


class CustomerPageResponse(PageReply):
    items: list[CustomerRowResponse]


class DuplicateCustomerResponse(CustomerRowResponse):
    likenesses: Annotated[list[Likeness], Field(description="By what it may be the same customer")]

    @classmethod
    def of_duplicate(cls, found: DuplicateCustomer) -> DuplicateCustomerResponse:
        row = CustomerRowResponse.of(found.customer)
        return cls(likenesses=list(found.likenesses), **row.model_dump())


class DuplicateCustomersResponse(Reply):
    items: list[DuplicateCustomerResponse]


def customer_answer(customer: Customer) -> Answer:
    return answer(200, CustomerResponse.of(customer), version=customer.version)


def created_customer_answer(customer: Customer) -> Answer:
    location = f"/v1/customers/{customer.customer_id}"
    return answer(201, CustomerResponse.of(customer), version=customer.version, location=location)
