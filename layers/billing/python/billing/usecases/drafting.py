"""From what a person wrote to what a draft says: completed from the catalogue, checked, computed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from billing.domain.access import Caller
from billing.domain.errors import CompanyNotDescribed, FieldError, FieldErrors, UnknownReference
from billing.domain.invoice import InvoiceContent, check_content, draft_warnings, language_errors
from billing.domain.particulars import Particulars
from billing.domain.parties import Company, Customer, Product, ProductKind
from billing.domain.totals import Line, Totals
from billing.domain.vat import FRANCHISE_TREATMENT, VatRegime, VatTreatment
from billing.domain.warnings import Notice
from billing.ports.drafts import DraftInput, LineInput
from billing.ports.idempotency import IdempotentRequest
from billing.ports.repositories import Invoices

DEFAULT_UNIT = "C62"


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """What a draft says once it is complete, between whom, and what it is warned of."""

    content: InvoiceContent
    company: Company
    customer: Customer
    totals: Totals
    customer_name: str
    warnings: tuple[Notice, ...]


def compose_draft(
    caller: Caller,
    wanted: DraftInput,
    *,
    invoices: Invoices,
    today: date,
    once: IdempotentRequest | None = None,
    held: frozenset[str] = frozenset(),
) -> Composed:
    """What a draft says, completed from the catalogue; archived products only where the draft ``held`` them."""
    product_ids = tuple(dict.fromkeys(line.product_id for line in wanted.lines if line.product_id))
    context = invoices.draft_context(caller, wanted.customer_id, product_ids, once=once)
    company = described(context.company)
    particulars = wanted.particulars
    if wanted.speaks_as_customer:
        particulars = replace(particulars, language=context.customer.description.language)
    catalogue = {product.product_id: product for product in context.products}
    unknown = tuple(
        FieldError(f"/lines/{index}/product_id", "Produit inconnu.", "Unknown product.")
        for index, line in enumerate(wanted.lines)
        if line.product_id and line.product_id not in catalogue
    )
    if unknown:
        raise UnknownReference(unknown)
    errors = [
        FieldError(f"/lines/{index}/product_id", "Ce produit est archivé.", "This product is archived.")
        for index, line in enumerate(wanted.lines)
        if line.product_id and catalogue[line.product_id].archived and line.product_id not in held
    ]
    lines: list[Line] = []
    for index, line in enumerate(wanted.lines):
        product = catalogue.get(line.product_id) if line.product_id else None
        lines += _line(f"/lines/{index}", line, product, company.description.vat_regime, errors)
    if errors:
        raise FieldErrors(tuple(errors))
    content = InvoiceContent(
        customer_id=context.customer.customer_id,
        lines=tuple(lines),
        discount=wanted.discount,
        supply_date=wanted.supply_date,
        due_date=wanted.due_date,
        payment_terms_days=wanted.payment_terms_days,
        purchase_order=wanted.purchase_order,
        notes=wanted.notes,
        allowances=wanted.allowances,
        charges=wanted.charges,
        payment_terms=wanted.payment_terms,
        particulars=particulars,
        private_notes=wanted.private_notes,
        paid=wanted.paid,
        contracting=wanted.contracting,
        retention_percent=wanted.retention_percent,
    )
    if wanted.paid is not None and wanted.paid.paid_on > today:
        raise FieldErrors(
            (FieldError("/paid/paid_on", "Cette date est dans le futur.", "This date is in the future."),)
        )
    _refuse_other_siret(particulars, context.customer)
    foreign = tuple(language_errors(particulars, context.customer.description))
    if foreign:
        raise FieldErrors(foreign)
    totals = check_content(content, company.description.vat_regime)
    customer = context.customer.description
    warnings = draft_warnings(content, totals, company=company.description, customer=customer, today=today)
    return Composed(
        content=content,
        company=company,
        customer=context.customer,
        totals=totals,
        customer_name=customer.name,
        warnings=warnings,
    )


def _refuse_other_siret(particulars: Particulars, customer: Customer) -> None:
    """The establishment that is billed belongs to the customer."""
    siret, siren = particulars.buyer_siret, customer.description.siren
    if siret is not None and siren is not None and not siret.startswith(siren):
        raise FieldErrors(
            (
                FieldError(
                    "/buyer_siret",
                    "Ce SIRET n'est pas celui d'un établissement du client.",
                    "This SIRET is no establishment of the customer.",
                ),
            )
        )


def _line(
    pointer: str, line: LineInput, product: Product | None, regime: VatRegime, errors: list[FieldError]
) -> list[Line]:
    """The complete line, or nothing and its errors."""
    known = product.description if product else None
    description = line.description or (known.name if known else None)
    unit_price = line.unit_price if line.unit_price is not None else (known.unit_price if known else None)
    vat = line.vat or _default_vat(product, regime)
    if description is None:
        errors.append(FieldError(f"{pointer}/description", "Désignation obligatoire.", "A description is required."))
    if unit_price is None:
        errors.append(FieldError(f"{pointer}/unit_price", "Prix unitaire obligatoire.", "A unit price is required."))
    if vat is None:
        errors.append(FieldError(f"{pointer}/vat_rate", "Taux de TVA obligatoire.", "A VAT rate is required."))
    if description is None or unit_price is None or vat is None:
        return []
    return [
        Line(
            description=description,
            details=line.details if line.details is not None else (known.description if known else ""),
            quantity=line.quantity,
            unit=line.unit or (known.unit if known else DEFAULT_UNIT),
            unit_price=unit_price,
            vat=vat,
            discount=line.discount,
            product_id=line.product_id,
            kind=line.kind or (known.kind if known else ProductKind.SERVICE),
            charge=line.charge,
        )
    ]


def _default_vat(product: Product | None, regime: VatRegime) -> VatTreatment | None:
    if regime is VatRegime.FRANCHISE:
        return FRANCHISE_TREATMENT
    return product.description.vat if product else None


def copied_lines(lines: tuple[Line, ...]) -> tuple[LineInput, ...]:
    """Lines as they would be written again."""
    return tuple(
        LineInput(
            product_id=line.product_id,
            description=line.description,
            details=line.details,
            quantity=line.quantity,
            unit=line.unit,
            unit_price=line.unit_price,
            vat=line.vat,
            discount=line.discount,
            kind=line.kind,
            charge=line.charge,
        )
        for line in lines
    )


def held_products(content: InvoiceContent | DraftInput) -> frozenset[str]:
    """Those that a draft names already, which it keeps when they are archived."""
    return frozenset(line.product_id for line in content.lines if line.product_id)


def described(company: Company | None) -> Company:
    """Raises: CompanyNotDescribed."""
    if company is None:
        raise CompanyNotDescribed
    return company
