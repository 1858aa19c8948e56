"""Receipts of payments: drawn when first asked for, stored, the same bytes from then on."""

from __future__ import annotations

from billing.domain.access import Caller, Permission
from billing.domain.errors import CompanyNotDescribed
from billing.ports.clock import Clock
from billing.ports.delivery import Documents, DownloadLink
from billing.ports.payments import Payments, ReceiptRenderer
from billing.ports.repositories import Companies
from billing.usecases.logos import read_logo


def download_payment_receipt(
    caller: Caller,
    payment_id: str,
    *,
    payments: Payments,
    companies: Companies,
    documents: Documents,
    renderer: ReceiptRenderer,
    clock: Clock,
) -> DownloadLink:
    """A short-lived address of the receipt. One per version of the payment: a reversed one says so.

    Raises: NotFound, CompanyNotDescribed, InvalidInput (a character that cannot be printed).
    """
    caller.require(Permission.READ)
    payment = payments.read(caller, payment_id)
    key = f"{payment.tenant_id}/receipts/{payment_id}/{payment.version}.pdf"
    if documents.get(key) is None:
        company = companies.read(caller)
        if company is None:
            raise CompanyNotDescribed
        logo = read_logo(company.logo, documents)
        documents.put(key, renderer.render(payment, company.description, logo=logo), media_type="application/pdf")
    return documents.link(key, file_name=f"Recu-{payment.paid_on.isoformat()}.pdf", now=clock.now())
