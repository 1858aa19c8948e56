"""A draft that can change, and the issued document that cannot."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from billing.domain.adjustments import adjustment_errors, regime_errors
from billing.domain.attachments import Attachment
from billing.domain.canonical import LATER, canonical_json
from billing.domain.crediting import CreditSettlement, VatRounding
from billing.domain.delivery import Delivery
from billing.domain.errors import FieldError, FieldErrors
from billing.domain.ledger import Ledger, LedgerEntry
from billing.domain.mentions import Mention, mentions_for
from billing.domain.money import MAX_AMOUNT_MINOR
from billing.domain.numbering import NumberAllocation, Series
from billing.domain.particulars import Particulars
from billing.domain.parties import Company, CompanyDescription, Customer, CustomerDescription, Logo, ProductKind
from billing.domain.payment_terms import PaymentTerms
from billing.domain.printing import Text, company_texts, customer_texts, unprintable_errors
from billing.domain.process import Contracting, PaidAtIssue, ProcessCodes, process_codes
from billing.domain.retention import NOT_YET, Retention, retained_of, retention_errors
from billing.domain.situation import Situation
from billing.domain.template import Template
from billing.domain.territories import is_in_france
from billing.domain.tongue import DocumentLanguage
from billing.domain.totals import Adjustment, Discount, Line, Totals, compute_line, compute_totals
from billing.domain.vat import RULES_VERSION, VatCategory, VatRegime
from billing.domain.vat_cases import party_errors
from billing.domain.warnings import Facts, Notice, notices

MAX_LINES = 500
DEPOSITS_WITHOUT_SUPPLY = 3  # the generation of templates from which a deposit names no date of supply
MAX_DOCUMENT_BYTES = 300_000  # an item of the table has 400 KB: for the document, or for an answer, compressed


class DocumentType(StrEnum):
    """UNTDID 1001 codes (BT-3)."""

    INVOICE = "380"
    CREDIT_NOTE = "381"
    CORRECTIVE = "384"
    DEPOSIT = "386"
    DEPOSIT_CREDIT_NOTE = "503"
    QUOTE = "310"

    @property
    def is_credit_note(self) -> bool:
        return self in {DocumentType.CREDIT_NOTE, DocumentType.DEPOSIT_CREDIT_NOTE}


_DEPOSITS = frozenset({DocumentType.DEPOSIT, DocumentType.DEPOSIT_CREDIT_NOTE})


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecedingDocument:
    """An issued document that this one corrects or deducts (BG-3: number BT-25, date BT-26)."""

    invoice_id: str
    number: str
    issue_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceContent:
    """What a person writes on a draft. Dates left out are decided at issue."""

    customer_id: str
    lines: tuple[Line, ...]
    discount: Discount | None = None
    supply_date: date | None = None
    due_date: date | None = None
    payment_terms_days: int | None = None
    purchase_order: str = ""
    notes: str = ""
    document_type: DocumentType = field(default=DocumentType.INVOICE, metadata=LATER)
    preceding: tuple[PrecedingDocument, ...] = field(default=(), metadata=LATER)
    quote_id: str | None = field(default=None, metadata=LATER)
    allowances: tuple[Adjustment, ...] = field(default=(), metadata=LATER)
    charges: tuple[Adjustment, ...] = field(default=(), metadata=LATER)
    payment_terms: PaymentTerms | None = field(default=None, metadata=LATER)
    particulars: Particulars = field(default=Particulars(), metadata=LATER)
    private_notes: str = field(default="", metadata=LATER)  # the company's own: never on a document
    paid: PaidAtIssue | None = field(default=None, metadata=LATER)
    contracting: Contracting | None = field(default=None, metadata=LATER)
    situation: Situation | None = field(default=None, metadata=LATER)  # of a quote: progress per line
    retention_percent: Decimal | None = field(default=None, metadata=LATER)
    replaces: str | None = field(default=None, metadata=LATER)  # an invoice that was credited whole, and was copied
    continues: str | None = field(default=None, metadata=LATER)  # an invoice of the same quote, issued before

    def computed(self) -> Totals:
        """Raises: ValueError, when a discount or the allowances exceed what they are taken from."""
        totals = compute_totals(self.lines, discount=self.discount, allowances=self.allowances, charges=self.charges)
        return replace(totals, prepaid_minor=totals.total_minor, due_minor=0) if self.paid else totals


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftInvoice:
    """No number yet: it can be edited or deleted."""

    tenant_id: str
    invoice_id: str
    version: int
    content: InvoiceContent
    customer_name: str
    totals: Totals
    created_at: datetime
    updated_at: datetime
    warnings: tuple[Notice, ...] = field(default=(), metadata=LATER)  # as things stood when it was written
    attachments: tuple[Attachment, ...] = field(default=(), metadata=LATER)
    retained_until: date | None = field(default=None, metadata=LATER)  # of its quote, once the work was received

    def holding(self, attachments: tuple[Attachment, ...], *, at: datetime) -> DraftInvoice:
        return replace(self, version=self.version + 1, attachments=attachments, updated_at=at)

    def retained_to(self, until: date | None, at: datetime) -> DraftInvoice:
        return replace(self, version=self.version + 1, retained_until=until, updated_at=at)

    def edited(
        self,
        content: InvoiceContent,
        *,
        customer_name: str,
        totals: Totals,
        at: datetime,
        warnings: tuple[Notice, ...] = (),
    ) -> DraftInvoice:
        return replace(
            self,
            version=self.version + 1,
            content=content,
            customer_name=customer_name,
            totals=totals,
            updated_at=at,
            warnings=warnings,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceDocument:
    """The frozen document: whatever a reader, an auditor or a renderer needs, and nothing that moves."""

    tenant_id: str
    invoice_id: str
    document_type: DocumentType
    series: Series
    year: int
    rank: int
    number: str
    previous_hash: str
    issue_date: date
    issued_at: datetime
    supply_date: date
    due_date: date
    currency: str
    seller: CompanyDescription
    seller_logo: Logo | None
    customer_id: str
    buyer: CustomerDescription
    totals: Totals
    document_discount: Discount | None
    purchase_order: str
    notes: str
    mentions: tuple[Mention, ...]
    rules_version: str
    template_version: str
    preceding: tuple[PrecedingDocument, ...] = field(default=(), metadata=LATER)
    quote_id: str | None = field(default=None, metadata=LATER)
    reason: str = field(default="", metadata=LATER)  # why a credit note was made, and how it was settled
    settlement: CreditSettlement | None = field(default=None, metadata=LATER)
    vat_rounding: tuple[VatRounding, ...] = field(default=(), metadata=LATER)
    allowances: tuple[Adjustment, ...] = field(default=(), metadata=LATER)
    charges: tuple[Adjustment, ...] = field(default=(), metadata=LATER)
    payment_terms: PaymentTerms | None = field(default=None, metadata=LATER)  # none where a date was given instead
    particulars: Particulars = field(default=Particulars(), metadata=LATER)
    paid: PaidAtIssue | None = field(default=None, metadata=LATER)
    contracting: Contracting | None = field(default=None, metadata=LATER)
    codes: ProcessCodes = field(default=ProcessCodes(), metadata=LATER)
    attachments: tuple[Attachment, ...] = field(default=(), metadata=LATER)
    vat_euros_minor: int | None = field(default=None, metadata=LATER)  # BT-111, when the currency is another
    situation: Situation | None = field(default=None, metadata=LATER)
    retention: Retention | None = field(default=None, metadata=LATER)
    supply_to_come: bool = field(default=False, metadata=LATER)  # a deposit: its ``supply_date`` stands for none
    payment_page: str = field(default="", metadata=LATER)  # where its link leads, if it could be paid online at issue

    @property
    def generation(self) -> int:
        """Of the template it is drawn by."""
        return Template.of(self.template_version).generation

    @property
    def supplied_on(self) -> date | None:
        """The date of supply that is told; None while what is paid in advance is still to come."""
        told = not self.supply_to_come or self.generation < DEPOSITS_WITHOUT_SUPPLY
        return self.supply_date if told else None

    @property
    def owed_minor(self) -> int:
        """What the ledger begins with, in cents: what was paid before issue is its first entry."""
        return self.totals.total_minor if self.paid is not None else self.totals.due_minor

    @property
    def payable_minor(self) -> int:
        """What is asked for by the due date, in cents: what is due less what is retained."""
        return self.totals.due_minor - (self.retention.amount_minor if self.retention else 0)

    def canonical(self) -> str:
        return canonical_json(self)


def document_hash(canonical: str) -> str:
    """SHA-256 (hex) of the canonical text; the previous document's hash is part of that text."""
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedInvoice:
    """The frozen document with what happens to it afterwards: payments and deliveries."""

    tenant_id: str
    invoice_id: str
    version: int
    document: InvoiceDocument
    document_hash: str
    ledger: Ledger
    delivery: Delivery = field(default_factory=Delivery)
    private_notes: str = ""
    retained_until: date | None = None  # when what is retained is due; None until the work was received
    warnings: tuple[Notice, ...] = ()  # of a credit note, as things stood when it was issued
    created_at: datetime
    updated_at: datetime

    @property
    def document_id(self) -> str:
        return self.invoice_id

    @property
    def customer_name(self) -> str:
        return self.document.buyer.name

    @property
    def totals(self) -> Totals:
        return self.document.totals

    @property
    def guarantee_minor(self) -> int:
        """What of the balance is the retention of guarantee, whether its day has come or not."""
        retention, ledger = self.document.retention, self.ledger
        if retention is None:
            return 0
        kept = retained_of(ledger.total_minor - ledger.credited_minor, retention.percent)
        return max(min(kept, ledger.balance_minor), 0)

    @property
    def guarantee_due_date(self) -> date:
        return max(self.retained_until, self.document.due_date) if self.retained_until else NOT_YET

    @property
    def due_on(self) -> date:
        """When what is left to pay is due: once all else is paid, when the retained part is."""
        only_retained = 0 < self.ledger.balance_minor == self.guarantee_minor
        return self.guarantee_due_date if only_retained else self.document.due_date

    def retained_minor(self, today: date) -> int:
        """What of the balance need not be paid yet."""
        passed = self.retained_until is not None and self.retained_until <= today
        return 0 if passed else self.guarantee_minor

    def payable_minor(self, today: date) -> int:
        """The balance less what is retained."""
        return self.ledger.balance_minor - self.retained_minor(today)

    def retained_to(self, until: date | None, at: datetime) -> IssuedInvoice:
        return replace(self, version=self.version + 1, retained_until=until, updated_at=at)

    def with_entry(self, *entries: LedgerEntry) -> IssuedInvoice:
        """One version further, after one movement or several of one moment."""
        return replace(
            self,
            ledger=self.ledger.with_entries(entries, currency=self.document.currency),
            version=self.version + 1,
            updated_at=entries[-1].recorded_at,
        )

    def with_delivery(self, delivery: Delivery, at: datetime) -> IssuedInvoice:
        return replace(self, delivery=delivery, version=self.version + 1, updated_at=at)


Invoice = DraftInvoice | IssuedInvoice


def check_content(content: InvoiceContent, regime: VatRegime) -> Totals:
    """The totals of a content that may stand on a draft.

    Raises:
        FieldErrors: each wrong field by its pointer into the request body.
    """
    if len(content.lines) > MAX_LINES:
        raise _refused("/lines", f"Une facture a au plus {MAX_LINES} lignes.", f"At most {MAX_LINES} lines.")
    errors = [error for index, line in enumerate(content.lines) for error in _line_errors(index, line, regime)]
    errors += _out_of_scope_errors(content.lines)
    errors += _second_reason_errors(content.lines)
    errors += adjustment_errors(content.lines, content.allowances, content.charges, regime)
    errors += _process_errors(content)
    errors += retention_errors(content.retention_percent)
    errors += unprintable_errors(_content_texts(content))
    if errors:
        raise FieldErrors(tuple(errors))
    try:
        totals = content.computed()
    except ValueError:
        raise _refused(
            "/allowances" if content.allowances else "/discount",
            "La remise dépasse le total des lignes.",
            "The discount exceeds the lines.",
        ) from None
    if totals.total_minor < 0:
        raise _refused("/lines", "Un total négatif demande un avoir.", "A negative total calls for a credit note.")
    if content.paid is not None and content.lines and totals.total_minor == 0:  # BR-FR-CO-09
        raise _refused(
            "/paid", "Le total est nul : rien n'a été payé.", "The total is nothing: there was nothing to pay."
        )
    if totals.total_minor > MAX_AMOUNT_MINOR:
        raise _refused("/lines", "Montant trop élevé.", "The amount is too large.")
    if len(canonical_json(content).encode()) > MAX_DOCUMENT_BYTES:
        raise _refused("/lines", "La facture est trop volumineuse.", "The invoice is too large.")
    return totals


def draft_warnings(
    content: InvoiceContent,
    totals: Totals,
    *,
    company: CompanyDescription,
    customer: CustomerDescription,
    today: date,
) -> tuple[Notice, ...]:
    """What the document would be warned of if it were issued today."""
    terms = payment_terms(content, company, customer)
    return notices(
        Facts(
            issue_date=today,
            due_date=content.paid.paid_on if content.paid else content.due_date or terms.due_date(today),
            terms=None if content.due_date or content.paid else terms,
            paid=content.paid,
            supply_date=content.supply_date,
            seller=company,
            buyer=buyer_of(customer, content.particulars),
            particulars=content.particulars,
            totals=totals,
        )
    )


def document_warnings(document: InvoiceDocument) -> tuple[Notice, ...]:
    """What an issued document is warned of: judged by its own date, for ever the same."""
    return notices(
        Facts(
            issue_date=document.issue_date,
            due_date=document.due_date,
            terms=document.payment_terms,
            paid=document.paid,
            supply_date=document.supply_date,
            seller=document.seller,
            buyer=document.buyer,
            particulars=document.particulars,
            totals=document.totals,
        )
    )


def _refused(pointer: str, detail_fr: str, detail_en: str) -> FieldErrors:
    return FieldErrors((FieldError(pointer, detail_fr, detail_en),))


def _line_errors(index: int, line: Line, regime: VatRegime) -> Iterator[FieldError]:
    yield from regime_errors(f"/lines/{index}", line.vat, regime)
    if line.unit_price < 0:  # BR-27; what is taken off goes by a negative quantity
        yield FieldError(f"/lines/{index}/unit_price", "Un prix n'est pas négatif.", "A price is not negative.")
    elif line.discount and line.discount.of(_gross(line)) > _gross(line):
        yield FieldError(f"/lines/{index}/discount", "La remise dépasse la ligne.", "The discount exceeds the line.")


def _out_of_scope_errors(lines: tuple[Line, ...]) -> Iterator[FieldError]:
    """BR-O-11 … BR-O-14: nothing else stands on a document that is outside the scope of VAT."""
    outside = [line.vat.category is VatCategory.OUT_OF_SCOPE for line in lines]
    if all(outside) or not any(outside):
        return
    for index in (index for index, out in enumerate(outside) if out):
        yield FieldError(
            f"/lines/{index}/vat_category",
            "Une opération hors du champ de la TVA se facture seule.",
            "What is outside the scope of VAT is invoiced alone.",
        )


def _second_reason_errors(lines: tuple[Line, ...]) -> Iterator[FieldError]:
    """BR-E-01, BR-AE-01, BR-IC-01, BR-G-01, BR-O-01: the breakdown has one group for each category without VAT."""
    first: dict[VatCategory, str | None] = {}
    for index, line in enumerate(lines):
        code = first.setdefault(line.vat.category, line.vat.exemption_code)
        if line.vat.exemption_code != code:
            yield FieldError(
                f"/lines/{index}/exemption_code",
                f"Les motifs {code} et {line.vat.exemption_code} ne vont pas sur la même facture : faites-en deux.",
                f"{code} and {line.vat.exemption_code} cannot stand on one invoice: make two of them.",
            )


def _content_texts(content: InvoiceContent) -> Iterator[Text]:
    for index, line in enumerate(content.lines):
        yield f"/lines/{index}/description", line.description
        yield f"/lines/{index}/details", line.details
        yield f"/lines/{index}/unit", line.unit
        if line.discount:
            yield f"/lines/{index}/discount/reason", line.discount.reason
        if line.charge:
            yield f"/lines/{index}/charge/reason", line.charge.reason
    if content.discount:
        yield "/discount/reason", content.discount.reason
    for index, allowance in enumerate(content.allowances):
        yield f"/allowances/{index}/reason", allowance.reason
    for index, charge in enumerate(content.charges):
        yield f"/charges/{index}/reason", charge.reason
    yield "/purchase_order", content.purchase_order
    yield "/notes", content.notes
    yield from content.particulars.texts()


def _party_errors(seller: CompanyDescription, buyer: CustomerDescription, totals: Totals) -> Iterator[FieldError]:
    """What the two parties still lack for this document. The parties are asked for at issue, not on a draft."""
    yield from party_errors(seller, buyer, {group.vat for group in totals.vat_breakdown})
    yield from unprintable_errors((*company_texts(seller, "/company"), *customer_texts(buyer, "/customer")))


def _process_errors(content: InvoiceContent) -> Iterator[FieldError]:
    if content.paid is not None and content.preceding:  # B4 and BT-113 together count the deposit's VAT twice
        yield FieldError(
            "/paid",
            "Une facture qui déduit des acomptes ne s'émet pas déjà payée.",
            "An invoice that deducts deposits is not issued as already paid.",
        )
    if content.contracting is not None:
        for index, line in enumerate(content.lines):
            if line.kind is not ProductKind.SERVICE:
                yield FieldError(
                    f"/lines/{index}/kind",
                    "La sous-traitance et la cotraitance portent sur des prestations de services.",
                    "Subcontractors and co-contractors invoice services.",
                )


def _gross(line: Line) -> int:
    return compute_line(line).gross_minor


def freeze(
    draft: DraftInvoice,
    *,
    company: Company,
    customer: Customer,
    allocation: NumberAllocation,
    issued_at: datetime,
    payment_page: str = "",
) -> IssuedInvoice:
    """The issued document of a draft: a full snapshot that takes the allocated number.

    ``payment_page``: where it can be paid online; printed on what asks for money.

    Raises:
        FieldErrors: an empty document, a due date before the issue date, a party that lacks its VAT number
            (pointers ``/company/…`` and ``/customer/…``), a text that cannot be printed.
    """
    content = draft.content
    if not content.lines:
        raise _refused("/lines", "Une facture a au moins une ligne.", "An invoice has at least one line.")
    totals = check_content(content, company.description.vat_regime)
    lacking = (
        *language_errors(content.particulars, customer.description),
        *_party_errors(company.description, customer.description, totals),
    )
    if lacking:
        raise FieldErrors(lacking)
    terms = payment_terms(content, company.description, customer.description)
    due = content.due_date or terms.due_date(allocation.issue_date)
    if content.paid is not None:
        due = content.paid.paid_on  # BT-9 of B2, S2, M2
    elif due < allocation.issue_date:
        raise _refused("/due_date", "L'échéance précède la date d'émission.", "The due date precedes the issue date.")
    document = InvoiceDocument(
        tenant_id=draft.tenant_id,
        invoice_id=draft.invoice_id,
        document_type=content.document_type,
        series=allocation.series,
        year=allocation.year,
        rank=allocation.rank,
        number=allocation.number,
        previous_hash=allocation.previous.last_hash,
        issue_date=allocation.issue_date,
        issued_at=issued_at,
        supply_date=content.supply_date or allocation.issue_date,
        due_date=due,
        currency=content.particulars.currency,
        seller=company.description,
        seller_logo=company.logo,
        customer_id=customer.customer_id,
        buyer=buyer_of(customer.description, content.particulars),
        totals=totals,
        document_discount=content.discount,
        purchase_order=content.purchase_order,
        notes=content.notes,
        mentions=mentions_for(
            company.description,
            customer.description,
            totals,
            in_english=content.particulars.language is not DocumentLanguage.FRENCH,
        ),
        rules_version=RULES_VERSION,
        template_version=Template(design=company.description.design).version,
        preceding=content.preceding,
        quote_id=content.quote_id,
        allowances=content.allowances,
        charges=content.charges,
        payment_terms=None if content.due_date or content.paid else terms,
        payment_page=payment_page if content.paid is None and totals.due_minor > 0 else "",
        particulars=content.particulars,
        paid=content.paid,
        contracting=content.contracting,
        codes=process_codes(
            company.description,
            customer.description,
            totals,
            is_deposit=content.document_type in _DEPOSITS,
            deducts_deposits=content.document_type is DocumentType.INVOICE and bool(content.preceding),
            paid=content.paid,
            contracting=content.contracting,
        ),
        attachments=draft.attachments,
        vat_euros_minor=vat_in_euros(content.particulars, totals),
        situation=content.situation,
        retention=_retention(content, totals, draft.retained_until),
        supply_to_come=_supply_to_come(content, totals),
    )
    canonical = document.canonical()
    if len(canonical.encode()) > MAX_DOCUMENT_BYTES:
        raise _refused("/lines", "La facture est trop volumineuse.", "The invoice is too large.")
    return IssuedInvoice(
        tenant_id=draft.tenant_id,
        invoice_id=draft.invoice_id,
        version=draft.version + 1,
        document=document,
        document_hash=document_hash(canonical),
        ledger=Ledger(total_minor=document.owed_minor),
        private_notes=content.private_notes,
        retained_until=draft.retained_until if document.retention else None,
        created_at=draft.created_at,
        updated_at=issued_at,
    )


def _supply_to_come(content: InvoiceContent, totals: Totals) -> bool:
    """A deposit is paid before the supply. Goods to another member state need a date or a period (BR-IC-11)."""
    if content.document_type is not DocumentType.DEPOSIT or content.supply_date is not None:
        return False
    categories = {group.vat.category for group in totals.vat_breakdown}
    return VatCategory.INTRA_COMMUNITY not in categories or content.particulars.period is not None


def _retention(content: InvoiceContent, totals: Totals, until: date | None) -> Retention | None:
    """Of what is still to be paid: nothing is retained of what was paid before the issue."""
    amount_minor = retained_of(totals.due_minor, content.retention_percent)
    if content.retention_percent is None or not amount_minor:
        return None
    return Retention(percent=content.retention_percent, amount_minor=amount_minor, due_date=until)


def vat_in_euros(particulars: Particulars, totals: Totals) -> int | None:
    """The VAT total in the currency in which it is accounted for; None where that is the document's own."""
    return particulars.exchange.in_euros(totals.vat_minor) if particulars.exchange else None


def language_errors(particulars: Particulars, buyer: CustomerDescription) -> Iterator[FieldError]:
    """French is required in France, beside or instead of any other language."""
    if particulars.language is DocumentLanguage.ENGLISH and is_in_france(buyer.billing_address):
        yield FieldError(
            "/language",
            "Un client établi en France reçoit ses documents en français, seul ou avec l'anglais (« fr-en »).",
            "A customer in France receives documents in French, alone or with English beside it (`fr-en`).",
        )


def buyer_of(described: CustomerDescription, particulars: Particulars) -> CustomerDescription:
    """The customer as this document names it; private notes, contacts and other addresses are no part of it."""
    siret = particulars.buyer_siret
    return replace(
        described,
        notes="",
        contacts=(),
        addresses=(),
        language=DocumentLanguage.FRENCH,  # the document's own stands on the document
        siret=siret or described.siret,
        siren=described.siren or (siret[:9] if siret else None),
        delivery_address=particulars.delivery_address or described.delivery_address,
    )


def payment_terms(content: InvoiceContent, company: CompanyDescription, customer: CustomerDescription) -> PaymentTerms:
    """The document's own terms, else the customer's, else the company's."""
    for described in (content, customer):
        if described.payment_terms is not None:
            return described.payment_terms
        if described.payment_terms_days is not None:
            return PaymentTerms.net(described.payment_terms_days)
    return company.payment_terms or PaymentTerms.net(company.payment_terms_days)
