"""Rows of lists, as the fakes make them."""

from __future__ import annotations

from billing.domain.dates import civil_date
from billing.domain.invoice import DraftInvoice, Invoice
from billing.domain.ledger import InvoiceStatus
from billing.domain.money import format_decimal
from billing.domain.parties import Product
from billing.ports.repositories import InvoiceSummary, ProductSummary


def invoice_summary(invoice: Invoice) -> InvoiceSummary:
    if isinstance(invoice, DraftInvoice):
        return InvoiceSummary(
            invoice_id=invoice.invoice_id,
            status=InvoiceStatus.DRAFT,
            number=None,
            list_date=civil_date(invoice.created_at),
            due_date=invoice.content.due_date,
            customer_id=invoice.content.customer_id,
            customer_name=invoice.customer_name,
            currency=invoice.content.particulars.currency,
            total_minor=invoice.totals.total_minor,
            balance_minor=invoice.totals.due_minor,
            delivery_state="not_sent",
        )
    document = invoice.document
    return InvoiceSummary(
        invoice_id=invoice.invoice_id,
        status=invoice.ledger.status,
        number=document.number,
        list_date=document.issue_date,
        due_date=document.due_date,
        customer_id=document.customer_id,
        customer_name=document.buyer.name,
        currency=document.currency,
        total_minor=document.totals.total_minor,
        balance_minor=invoice.ledger.balance_minor,
        delivery_state=invoice.delivery.state.value,
        retained_minor=invoice.guarantee_minor,
        retained_until=invoice.retained_until,
    )


def product_summary(product: Product) -> ProductSummary:
    description = product.description
    return ProductSummary(
        product_id=product.product_id,
        kind=description.kind,
        name=description.name,
        reference=description.reference,
        unit=description.unit,
        unit_price=format_decimal(description.unit_price),
        vat=description.vat,
        archived=product.archived,
    )
