"""What a request says of a draft, as the use cases take it."""

from __future__ import annotations

from billing.api.invoices import DraftFields, InvoiceDraftRequest, InvoiceLineRequest, QuoteDraftFields
from billing.api.payment_terms import only_one
from billing.api.vat import AdjustmentRequest, vat_treatment
from billing.domain.errors import FieldError, FieldErrors
from billing.domain.totals import Adjustment
from billing.ports.drafts import DraftInput, LineInput


def draft_input(wanted: DraftFields) -> DraftInput:
    """What the use cases take of a draft. Raises: FieldErrors, all at once."""
    of_invoice = wanted if isinstance(wanted, InvoiceDraftRequest) else None
    errors: list[FieldError] = []
    lines = tuple(_line(line, f"/lines/{index}", errors) for index, line in enumerate(wanted.lines))
    discount = wanted.discount.discount("/discount", errors) if wanted.discount else None
    allowances = _adjustments(wanted.allowances, "/allowances", errors)
    charges = _adjustments(wanted.charges, "/charges", errors)
    only_one(wanted.payment_terms, wanted.payment_terms_days, errors)
    terms = wanted.payment_terms.terms("/payment_terms", errors) if wanted.payment_terms else None
    particulars = wanted.particulars(errors)
    if errors:
        raise FieldErrors(tuple(errors))
    return DraftInput(
        customer_id=wanted.customer_id,
        lines=lines,
        discount=discount,
        supply_date=wanted.supply_date,
        due_date=of_invoice.due_date if of_invoice else None,
        payment_terms_days=wanted.payment_terms_days,
        purchase_order=wanted.purchase_order,
        notes=wanted.notes,
        allowances=allowances,
        charges=charges,
        payment_terms=terms,
        particulars=particulars,
        private_notes=wanted.private_notes,
        paid=of_invoice.paid.paid() if of_invoice and of_invoice.paid else None,
        contracting=wanted.contracting,
        retention_percent=(wanted.retention_percent or None) if isinstance(wanted, QuoteDraftFields) else None,
        speaks_as_customer=wanted.language is None,
    )


def _adjustments(wanted: list[AdjustmentRequest], pointer: str, errors: list[FieldError]) -> tuple[Adjustment, ...]:
    read = (each.adjustment(f"{pointer}/{index}", errors) for index, each in enumerate(wanted))
    return tuple(adjustment for adjustment in read if adjustment is not None)


def _line(line: InvoiceLineRequest, pointer: str, errors: list[FieldError]) -> LineInput:
    return LineInput(
        product_id=line.product_id,
        description=line.description,
        details=line.details,
        quantity=line.quantity,
        unit=line.unit,
        unit_price=line.unit_price,
        vat=vat_treatment(line, pointer, errors),
        discount=line.discount.discount(f"{pointer}/discount", errors) if line.discount else None,
        kind=line.kind,
        charge=line.charge.charge(f"{pointer}/charge", errors) if line.charge else None,
    )
