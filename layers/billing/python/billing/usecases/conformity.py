"""The judgement of an issued document before it leaves, kept beside it."""

from __future__ import annotations

from billing.domain.access import Caller
from billing.domain.conformity import MAX_VIOLATIONS, ConformityReport, report_key, rules_of
from billing.domain.errors import DependencyUnavailable, InvoiceNotIssued, PdfNotReady
from billing.domain.invoice import IssuedInvoice
from billing.domain.reminders import is_reminder_id, reminded_of
from billing.domain.retention_period import kept_until
from billing.ports.conformity import ConformityRules
from billing.ports.delivery import Documents, XmlWriter
from billing.ports.repositories import Deliveries, Invoices
from billing.usecases.stored_pdfs import read_pdf


def judge_invoice(
    tenant_id: str,
    document_id: str,
    *,
    deliveries: Deliveries,
    documents: Documents,
    xml: XmlWriter,
    rules: ConformityRules,
) -> ConformityReport:
    """Judge the stored bytes by the rules of the document's date, once: a report that is there stands.

    A reminder carries the PDF of its invoice, and leaves by the same judgement.

    Raises: NotFound, DocumentDamaged, DependencyUnavailable.
    """
    invoice_id = reminded_of(document_id)[0] if is_reminder_id(document_id) else document_id
    invoice = deliveries.invoice(tenant_id, invoice_id)
    pdf, judging = invoice.delivery.pdf, rules_of(invoice.document.issue_date)
    if pdf is None:
        raise DependencyUnavailable
    key = report_key(pdf.key, judging)
    standing = documents.get(key)
    if standing is not None:
        return ConformityReport.read(standing.decode())
    content = read_pdf(pdf, documents)
    report = ConformityReport(
        document_hash=invoice.document_hash,
        pdf_sha256=pdf.sha256,
        rules=judging.name,
        violations=rules.judge(xml(invoice.document).content, content, judging)[:MAX_VIOLATIONS],
    )
    kept = kept_until(invoice.document.issue_date)
    documents.put(key, report.text().encode(), media_type="application/json", kept_until=kept)
    return report


def read_invoice_conformity(
    caller: Caller, invoice_id: str, *, invoices: Invoices, documents: Documents
) -> ConformityReport:
    """Raises: NotFound, InvoiceNotIssued, PdfNotReady while it is being made or judged."""
    invoice = invoices.read(caller, invoice_id)
    if not isinstance(invoice, IssuedInvoice):
        raise InvoiceNotIssued
    pdf = invoice.delivery.pdf
    report = documents.get(report_key(pdf.key, rules_of(invoice.document.issue_date))) if pdf else None
    if report is None:
        raise PdfNotReady
    return ConformityReport.read(report.decode())


def read_credit_note_conformity(
    caller: Caller, credit_note_id: str, *, invoices: Invoices, documents: Documents
) -> ConformityReport:
    """Raises: NotFound, PdfNotReady while it is being made or judged."""
    return read_invoice_conformity(caller, credit_note_id, invoices=invoices, documents=documents)
