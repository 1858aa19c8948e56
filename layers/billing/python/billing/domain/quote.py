"""A quote: what is offered, until when, and what the customer answered. What was sent never changes.

A quote that needs another offer gets a new revision; the earlier one is kept as it was sent.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from billing.domain.canonical import LATER, canonical_json
from billing.domain.crediting import CreditedGroup
from billing.domain.delivery import Delivery
from billing.domain.errors import (
    FieldError,
    FieldErrors,
    QuoteAlreadyAnswered,
    QuoteAlreadyInvoiced,
    QuoteAlreadySent,
    QuoteExpired,
    QuoteNotAccepted,
    QuoteNotSent,
)
from billing.domain.invoice import (
    DocumentType,
    InvoiceContent,
    buyer_of,
    check_content,
    document_hash,
    language_errors,
    payment_terms,
)
from billing.domain.links import hash_of_secret
from billing.domain.mentions import Mention, NoteCode, mentions_for
from billing.domain.numbering import NumberAllocation
from billing.domain.particulars import Particulars
from billing.domain.parties import Company, CompanyDescription, Customer, CustomerDescription, CustomerKind, Logo
from billing.domain.payment_terms import PaymentTerms
from billing.domain.printing import company_texts, customer_texts, refuse_unprintable
from billing.domain.retention import Reception
from billing.domain.template import Template
from billing.domain.tongue import DocumentLanguage
from billing.domain.totals import Adjustment, Discount, Totals
from billing.domain.trades import quote_mentions
from billing.domain.vat import RULES_VERSION, VatTreatment
from billing.domain.warnings import Notice

DEFAULT_VALIDITY_DAYS = 30
LINK_LIFE_AFTER_VALIDITY_DAYS = 90  # an answered quote can still be looked at for a while
MAX_LINKS = 20
MAX_REVISIONS = 99
MAX_PARTS = 20
_OF_PAYMENT = frozenset({NoteCode.PENALTIES, NoteCode.COLLECTION_FEE, NoteCode.EARLY_PAYMENT})


class QuoteStatus(StrEnum):
    DRAFT = "draft"
    SENT = "sent"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    EXPIRED = "expired"
    INVOICED = "invoiced"


class QuoteAnswer(StrEnum):
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteDecision:
    """The customer's answer and its evidence: who, when, from where, and the hashes of what was answered.

    ``recorded_by`` is the id of the member who recorded an answer given elsewhere; empty when the customer gave it
    by the public link, then ``ip_address`` is where from.
    """

    answer: QuoteAnswer
    name: str
    comment: str
    decided_at: datetime
    ip_address: str
    recorded_by: str
    document_hash: str
    pdf_sha256: str


class PartKind(StrEnum):
    FULL = "full"  # everything at once
    DEPOSIT = "deposit"  # type 386
    PART = "part"  # a share of the work done
    FINAL = "final"  # the rest, what was billed before deducted


@dataclass(frozen=True, slots=True, kw_only=True)
class PartGroup:
    """Cents without VAT that a part bills at one rate."""

    vat: VatTreatment
    net_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotePart:
    """An invoice that bills the quote, or a part of it.

    ``lines``: cents without VAT of each line of the quote; ``credited``: what credit notes took back of it;
    ``deducts``: deposits billed before it were taken off.
    """

    invoice_id: str
    kind: PartKind
    groups: tuple[PartGroup, ...]
    lines: tuple[int, ...] = field(default=(), metadata=LATER)
    credited: tuple[PartGroup, ...] = field(default=(), metadata=LATER)
    deducts: bool = field(default=False, metadata=LATER)

    @property
    def taken_back(self) -> bool:
        """Whether all that it billed was credited."""
        return bool(self.credited) and set(self.credited) == set(self.groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteLink:
    """The right to see one revision: the SHA-256 (hex) of its secret, never the secret."""

    secret_hash: str
    revision: int
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteDocument:
    """One revision as it was sent: whatever a reader or a renderer needs, and nothing that moves."""

    tenant_id: str
    quote_id: str
    revision: int
    number: str
    issue_date: date
    issued_at: datetime
    valid_until: date
    supply_date: date | None
    currency: str
    seller: CompanyDescription
    seller_logo: Logo | None
    customer_id: str
    buyer: CustomerDescription
    totals: Totals
    document_discount: Discount | None
    allowances: tuple[Adjustment, ...]
    charges: tuple[Adjustment, ...]
    payment_terms: PaymentTerms
    purchase_order: str
    notes: str
    mentions: tuple[Mention, ...]
    particulars: Particulars
    rules_version: str
    template_version: str
    retention_percent: Decimal | None = field(default=None, metadata=LATER)

    @property
    def document_type(self) -> DocumentType:
        return DocumentType.QUOTE

    @property
    def generation(self) -> int:
        """Of the template it is drawn by."""
        return Template.of(self.template_version).generation

    @property
    def year(self) -> int:
        return self.issue_date.year

    def canonical(self) -> str:
        return canonical_json(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The current revision of a quote and its answer. ``document`` is there once the revision was finalised."""

    tenant_id: str
    quote_id: str
    version: int
    revision: int = 1
    content: InvoiceContent
    valid_until: date | None
    customer_name: str
    totals: Totals
    number: str | None = None
    document: QuoteDocument | None = None
    document_hash: str = ""
    links: tuple[QuoteLink, ...] = ()
    decision: QuoteDecision | None = None
    parts: tuple[QuotePart, ...] = ()
    delivery: Delivery = field(default_factory=Delivery)
    warnings: tuple[Notice, ...] = ()
    reception: Reception | None = field(default=None, metadata=LATER)
    created_at: datetime
    updated_at: datetime

    @property
    def document_id(self) -> str:
        return self.quote_id

    def status(self, today: date) -> QuoteStatus:
        """Derived, never set: what was answered stands whatever the date, what was not expires by itself."""
        if self.parts and not any(self.unbilled.values()):
            return QuoteStatus.INVOICED
        if self.decision is not None:
            return QuoteStatus(self.decision.answer.value)
        if self.document is None:
            return QuoteStatus.DRAFT
        return QuoteStatus.EXPIRED if self.document.valid_until < today else QuoteStatus.SENT

    @property
    def frozen(self) -> QuoteDocument:
        """Raises: QuoteNotSent."""
        if self.document is None:
            raise QuoteNotSent
        return self.document

    def require_draft(self) -> None:
        """Raises: QuoteAlreadySent."""
        if self.document is not None:
            raise QuoteAlreadySent(f"Il porte le numéro {self.number}.", f"Its number is {self.number}.")

    def edited(
        self,
        content: InvoiceContent,
        *,
        valid_until: date | None,
        customer_name: str,
        totals: Totals,
        warnings: tuple[Notice, ...],
        at: datetime,
    ) -> Quote:
        """Raises: QuoteAlreadySent."""
        self.require_draft()
        return replace(
            self._moved(at),
            content=content,
            valid_until=valid_until,
            customer_name=customer_name,
            totals=totals,
            warnings=warnings,
        )

    def with_delivery(self, delivery: Delivery, at: datetime) -> Quote:
        return replace(self._moved(at), delivery=delivery)

    def with_link(self, secret: str, at: datetime) -> Quote:
        """One more link to this revision; the oldest go when there are many. Raises: QuoteNotSent."""
        life = timedelta(days=LINK_LIFE_AFTER_VALIDITY_DAYS)
        expires_at = max(at, datetime.combine(self.frozen.valid_until, datetime.min.time(), at.tzinfo)) + life
        link = QuoteLink(
            secret_hash=hash_of_secret(secret), revision=self.revision, created_at=at, expires_at=expires_at
        )
        return replace(self._moved(at), links=(*self.links, link)[-MAX_LINKS:])

    def without_links(self, at: datetime) -> Quote:
        return replace(self._moved(at), links=())

    def link_of(self, secret: str, at: datetime) -> QuoteLink | None:
        """The link that a secret opens, unless it has expired; compared in constant time."""
        given = hash_of_secret(secret)
        found = [link for link in self.links if hmac.compare_digest(link.secret_hash, given)]
        return next((link for link in found if at < link.expires_at), None)

    def decided(self, decision: QuoteDecision, today: date) -> Quote:
        """Raises: QuoteNotSent, QuoteExpired, QuoteAlreadyAnswered."""
        status = self.status(today)
        if status is QuoteStatus.DRAFT:
            raise QuoteNotSent
        if status is QuoteStatus.EXPIRED:
            raise QuoteExpired
        if status is not QuoteStatus.SENT:
            raise QuoteAlreadyAnswered
        return replace(self._moved(decision.decided_at), decision=decision)

    def revised(self, at: datetime) -> Quote:
        """A draft of the next revision, under the same number. Raises: QuoteNotSent, QuoteAlreadyAnswered.

        What was accepted is an agreement: it is not revised but replaced by another quote.
        """
        if self.document is None:
            raise QuoteNotSent
        if self.parts or (self.decision and self.decision.answer is QuoteAnswer.ACCEPTED):
            raise QuoteAlreadyAnswered
        if self.revision >= MAX_REVISIONS:
            raise FieldErrors((FieldError("", "Trop de versions de ce devis.", "Too many versions of this quote."),))
        return replace(
            self._moved(at),
            revision=self.revision + 1,
            document=None,
            document_hash="",
            decision=None,
            valid_until=None,
            delivery=Delivery(attempt=self.delivery.attempt),  # attempts are counted over all revisions
        )

    @property
    def unbilled(self) -> dict[VatTreatment, int]:
        """Cents without VAT that no part bills, or that were credited since, by rate."""
        left = {group.vat: group.taxable_minor for group in self.totals.vat_breakdown}
        for part in self.parts:
            for group in part.groups:
                left[group.vat] -= group.net_minor
            for group in part.credited:
                left[group.vat] += group.net_minor
        return left

    def require_accepted(self) -> None:
        """Raises: QuoteNotAccepted."""
        if self.decision is None or self.decision.answer is not QuoteAnswer.ACCEPTED:
            raise QuoteNotAccepted

    def billed(self, part: QuotePart, at: datetime) -> Quote:
        """Raises: QuoteNotAccepted, QuoteAlreadyInvoiced (too many parts)."""
        self.require_accepted()
        if len(self.parts) >= MAX_PARTS:
            raise QuoteAlreadyInvoiced("Trop de factures pour ce devis.", "Too many invoices for this quote.")
        return replace(self._moved(at), parts=(*self.parts, part))

    @property
    def retained_until(self) -> date | None:
        """When what its invoices retain is due; None until the work was received."""
        return self.reception.retained_until if self.reception else None

    def received(self, reception: Reception, at: datetime) -> Quote:
        """Raises: QuoteNotAccepted."""
        self.require_accepted()
        return replace(self._moved(at), reception=reception)

    def credited(self, invoice_id: str, groups: tuple[CreditedGroup, ...], at: datetime) -> Quote | None:
        """The quote once so much of an invoice is credited, which can be invoiced again; None when it is none of its.

        ``groups`` is all that was ever credited of it.
        """
        back = tuple(PartGroup(vat=group.vat, net_minor=group.net_minor) for group in groups if group.net_minor)
        parts = tuple(replace(part, credited=back) if part.invoice_id == invoice_id else part for part in self.parts)
        return replace(self._moved(at), parts=parts) if parts != self.parts else None

    def has_deducted(self, invoice_id: str) -> bool:
        """Whether an invoice is a deposit that a later one, still standing, took off what it billed."""
        place = next((place for place, part in enumerate(self.parts) if part.invoice_id == invoice_id), None)
        if place is None or self.parts[place].kind is not PartKind.DEPOSIT:
            return False
        return any(part.deducts and not part.taken_back for part in self.parts[place + 1 :])

    def released(self, invoice_id: str, at: datetime) -> Quote | None:
        """The quote once a draft that billed it is gone; None when that one did not."""
        parts = tuple(part for part in self.parts if part.invoice_id != invoice_id)
        return replace(self._moved(at), parts=parts) if parts != self.parts else None

    def _moved(self, at: datetime) -> Quote:
        return replace(self, version=self.version + 1, updated_at=at)


def finalise(
    quote: Quote, *, company: Company, customer: Customer, allocation: NumberAllocation, issued_at: datetime
) -> Quote:
    """The revision as it goes to the customer: a full snapshot under the quote's number.

    Raises:
        QuoteAlreadySent: this revision was finalised before.
        FieldErrors: no line, a validity that has passed, a text that cannot be printed.
    """
    quote.require_draft()
    content = quote.content
    if not content.lines:
        raise _refused("/lines", "Un devis a au moins une ligne.", "A quote has at least one line.")
    totals = check_content(content, company.description.vat_regime)
    refuse_unprintable(
        (*company_texts(company.description, "/company"), *customer_texts(customer.description, "/customer"))
    )
    wrong = tuple(language_errors(content.particulars, customer.description))
    if wrong:
        raise FieldErrors(wrong)
    valid_until = quote.valid_until or allocation.issue_date + timedelta(days=DEFAULT_VALIDITY_DAYS)
    if valid_until < allocation.issue_date:
        raise _refused("/valid_until", "La date de validité est passée.", "The validity has passed.")
    buyer = buyer_of(customer.description, content.particulars)
    document = QuoteDocument(
        tenant_id=quote.tenant_id,
        quote_id=quote.quote_id,
        revision=quote.revision,
        number=quote.number or allocation.number,
        issue_date=allocation.issue_date,
        issued_at=issued_at,
        valid_until=valid_until,
        supply_date=content.supply_date,
        currency=content.particulars.currency,
        seller=company.description,
        seller_logo=company.logo,
        customer_id=customer.customer_id,
        buyer=buyer,
        totals=totals,
        document_discount=content.discount,
        allowances=content.allowances,
        charges=content.charges,
        payment_terms=payment_terms(content, company.description, customer.description),
        purchase_order=content.purchase_order,
        notes=content.notes,
        mentions=tuple(
            mention
            for mention in (
                *mentions_for(
                    company.description,
                    buyer,
                    totals,
                    in_english=content.particulars.language is not DocumentLanguage.FRENCH,
                ),
                *_of_quotes(company.description, buyer),
            )
            if mention.code not in _OF_PAYMENT  # a quote asks for no payment yet
        ),
        particulars=content.particulars,
        rules_version=RULES_VERSION,
        template_version=Template(design=company.description.design).version,
        retention_percent=content.retention_percent,
    )
    return replace(
        quote,
        version=quote.version + 1,
        number=document.number,
        document=document,
        document_hash=document_hash(document.canonical()),
        customer_name=buyer.name,
        totals=totals,
        updated_at=issued_at,
    )


def _of_quotes(seller: CompanyDescription, buyer: CustomerDescription) -> Iterator[Mention]:
    to_consumer = buyer.kind is CustomerKind.INDIVIDUAL
    return (Mention(code=NoteCode.GENERAL, text=text) for text in quote_mentions(seller.trade, to_consumer=to_consumer))


def _refused(pointer: str, detail_fr: str, detail_en: str) -> FieldErrors:
    return FieldErrors((FieldError(pointer, detail_fr, detail_en),))
