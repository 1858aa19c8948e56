"""Invoices: drafts, issue, delivery, payments, and the proof of the ledger."""

from billing.api.invoices import InvoiceDraftRequest, InvoiceLineRequest
from billing.api.vat import vat_treatment
from billing.domain.errors import FieldError, FieldErrors
from billing.usecases.invoices import DraftInput, LineInput


def draft_input(wanted: InvoiceDraftRequest) -> DraftInput:
    """What the use cases take of a draft. Raises: FieldErrors, all at once."""
    errors: list[FieldError] = []
    lines = tuple(_line(line, f"/lines/{index}", errors) for index, line in enumerate(wanted.lines))
    discount = wanted.discount.discount("/discount", errors) if wanted.discount else None
    if errors:
        raise FieldErrors(tuple(errors))
    return DraftInput(
        customer_id=wanted.customer_id,
        lines=lines,
        discount=discount,
        supply_date=wanted.supply_date,
        due_date=wanted.due_date,
        payment_terms_days=wanted.payment_terms_days,
        purchase_order=wanted.purchase_order,
        notes=wanted.notes,
    )


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
    )
