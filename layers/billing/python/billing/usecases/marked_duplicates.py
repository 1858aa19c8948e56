"""Marked duplicates of issued documents. The stored original is never touched: a duplicate is drawn from the snapshot.

What it adds is what is true today and was not at issue: that the invoice is settled.
"""

from __future__ import annotations

import hashlib

from billing.domain.access import Caller, Permission
from billing.domain.acquittal import acquittal_of
from billing.domain.canonical import canonical_json
from billing.domain.errors import InvoiceNotIssued
from billing.domain.invoice import DraftInvoice, IssuedInvoice
from billing.domain.ledger import LedgerEntry
from billing.ports.clock import Clock
from billing.ports.delivery import DocumentRenderer, Documents, DownloadLink, Mark, MarkKind
from billing.ports.repositories import Invoices
from billing.usecases.credit_notes import read_credit_note
from billing.usecases.logos import read_logo


def download_invoice_duplicate(
    caller: Caller,
    invoice_id: str,
    *,
    invoices: Invoices,
    documents: Documents,
    renderer: DocumentRenderer,
    clock: Clock,
) -> DownloadLink:
    """A short-lived address of a duplicate, drawn when first asked for; another one once more is paid.

    Raises: NotFound, InvoiceNotIssued.
    """
    caller.require(Permission.READ)
    invoice = invoices.read(caller, invoice_id)
    if isinstance(invoice, DraftInvoice):
        raise InvoiceNotIssued
    return _link(invoice, invoices.last_entries(caller, invoice), documents, renderer, clock)


def download_credit_note_duplicate(
    caller: Caller,
    credit_note_id: str,
    *,
    invoices: Invoices,
    documents: Documents,
    renderer: DocumentRenderer,
    clock: Clock,
) -> DownloadLink:
    """As of an invoice; there is nothing to settle. Raises: NotFound."""
    caller.require(Permission.READ)
    return _link(read_credit_note(caller, credit_note_id, invoices=invoices), (), documents, renderer, clock)


def _link(
    issued: IssuedInvoice,
    entries: tuple[LedgerEntry, ...],
    documents: Documents,
    renderer: DocumentRenderer,
    clock: Clock,
) -> DownloadLink:
    document, ledger = issued.document, issued.ledger
    mark = Mark(
        kind=MarkKind.DUPLICATE,
        acquittal=acquittal_of(issued, entries),
        asks=ledger.balance_minor == document.owed_minor > 0,
        settled=ledger.balance_minor <= 0,
        **_standing(issued),
    )
    says = hashlib.sha256(canonical_json(mark).encode()).hexdigest()
    key = f"{issued.tenant_id}/duplicates/{issued.invoice_id}/{says}.pdf"
    if documents.get(key) is None:
        content = renderer.render_marked(issued, mark, logo=read_logo(document.seller_logo, documents))
        documents.put(key, content, media_type="application/pdf")
    return documents.link(key, file_name=f"{document.number}-duplicata.pdf", now=clock.now())


def _standing(issued: IssuedInvoice) -> dict[str, int]:
    """What is left of an invoice of which something was paid or credited since; nothing of a credit note."""
    ledger = issued.ledger
    if issued.document.document_type.is_credit_note or not (ledger.kept_minor or ledger.credited_minor):
        return {}
    return {
        "kept_minor": ledger.kept_minor,
        "credited_minor": ledger.credited_minor,
        "left_minor": max(ledger.balance_minor, 0),
    }
