"""Drafts as the PDF they would be issued as today: frozen by the same rules, under no number, and never saved.

What would be refused at issue is refused here, with the same pointers: a preview is an issue that stops before its
number.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from billing.domain.access import Caller, Permission
from billing.domain.credit_notes import (
    CreditNoteInput,
    compute_credit,
    earliest_credit_date,
    freeze_credit_note,
    settle,
)
from billing.domain.deliverable import Printable, frozen
from billing.domain.errors import FieldError, InvoiceAlreadyIssued, NotFound, UnknownReference
from billing.domain.invoice import DraftInvoice, Invoice, IssuedInvoice, freeze
from billing.domain.numbering import Series
from billing.domain.parties import Company, Customer
from billing.domain.preview import drawn_at, provisional_allocation
from billing.domain.quote import Quote, finalise
from billing.ports.clock import Clock
from billing.ports.credit_notes import CreditNotes
from billing.ports.delivery import DRAFT_MARK, DocumentRenderer, Documents, PdfFile
from billing.ports.drafts import DraftInput
from billing.ports.quotes import Quotes
from billing.ports.repositories import Invoices
from billing.usecases.credit_notes import creditable
from billing.usecases.drafting import compose_draft, described, held_products
from billing.usecases.invoices import edited_draft, new_draft
from billing.usecases.logos import read_logo
from billing.usecases.quotes import QuoteInput, edited_quote, new_quote

_INVOICE_FILE = "facture-brouillon.pdf"
_QUOTE_FILE = "devis-brouillon.pdf"
_CREDIT_NOTE_FILE = "avoir-brouillon.pdf"


def preview_invoice_pdf(
    caller: Caller,
    wanted: DraftInput,
    *,
    editing: str | None,
    invoices: Invoices,
    documents: Documents,
    renderer: DocumentRenderer,
    clock: Clock,
) -> PdfFile:
    """What a person writes, as the invoice it would be; ``editing`` is the draft that it would replace.

    Raises: CompanyNotDescribed, UnknownReference, NotFound, InvoiceAlreadyIssued, QuoteAmountsFixed, FieldErrors.
    """
    caller.require(Permission.READ)
    now = clock.now()
    current = None
    if editing:
        with _named("/invoice_id"):
            current = _draft(invoices.read(caller, editing))
    held = held_products(current.content) if current else frozenset()
    composed = compose_draft(caller, wanted, invoices=invoices, today=clock.today(), held=held)
    draft = edited_draft(current, composed, at=now) if current else new_draft(caller, "", composed, at=now)
    return _invoice(draft, composed.company, composed.customer, documents, renderer, clock)


def preview_invoice_draft_pdf(
    caller: Caller,
    invoice_id: str,
    *,
    invoices: Invoices,
    documents: Documents,
    renderer: DocumentRenderer,
    clock: Clock,
) -> PdfFile:
    """A saved draft as the invoice it would be.

    Raises: NotFound, InvoiceAlreadyIssued, CompanyNotDescribed, FieldErrors.
    """
    caller.require(Permission.READ)
    draft = _draft(invoices.read(caller, invoice_id))
    context = invoices.draft_context(caller, draft.content.customer_id, ())
    return _invoice(draft, described(context.company), context.customer, documents, renderer, clock)


def preview_quote_pdf(
    caller: Caller,
    wanted: QuoteInput,
    *,
    editing: str | None,
    quotes: Quotes,
    invoices: Invoices,
    documents: Documents,
    renderer: DocumentRenderer,
    clock: Clock,
) -> PdfFile:
    """What a person writes, as the quote it would be; ``editing`` is the draft that it would replace.

    Raises: CompanyNotDescribed, UnknownReference, NotFound, QuoteAlreadySent, FieldErrors.
    """
    caller.require(Permission.READ)
    now = clock.now()
    current = None
    if editing:
        with _named("/quote_id"):
            current = quotes.read(caller, editing)
        current.require_draft()
    held = held_products(current.content) if current else frozenset()
    composed = compose_draft(caller, wanted.draft, invoices=invoices, today=clock.today(), held=held)
    if current:
        quote = edited_quote(current, composed, valid_until=wanted.valid_until, at=now)
    else:
        quote = new_quote(caller, "", composed, valid_until=wanted.valid_until, at=now)
    return _quote(quote, composed.company, composed.customer, documents, renderer, clock)


def preview_quote_draft_pdf(
    caller: Caller,
    quote_id: str,
    *,
    quotes: Quotes,
    invoices: Invoices,
    documents: Documents,
    renderer: DocumentRenderer,
    clock: Clock,
) -> PdfFile:
    """A saved draft as the quote it would be. Raises: NotFound, QuoteAlreadySent, CompanyNotDescribed, FieldErrors."""
    caller.require(Permission.READ)
    quote = quotes.read(caller, quote_id)
    quote.require_draft()
    context = invoices.draft_context(caller, quote.content.customer_id, ())
    return _quote(quote, described(context.company), context.customer, documents, renderer, clock)


def preview_credit_note_pdf(
    caller: Caller,
    invoice_id: str,
    wanted: CreditNoteInput,
    *,
    credit_notes: CreditNotes,
    documents: Documents,
    renderer: DocumentRenderer,
    clock: Clock,
) -> PdfFile:
    """The credit note as it would be issued now.

    Raises: NotFound, InvoiceNotIssued, CompanyNotDescribed, CreditExceedsRemaining, FieldErrors.
    """
    caller.require(Permission.READ)
    context = credit_notes.load(caller, invoice_id)
    invoice, company = creditable(context.invoice), described(context.company)
    document = invoice.document
    computed = compute_credit(document, invoice.ledger, wanted.scope)
    day = earliest_credit_date(invoice, context.series.last_date, clock.today())
    note = freeze_credit_note(
        "",
        invoice,
        computed,
        company=company,
        allocation=provisional_allocation(Series.CREDIT_NOTE, document.particulars.language, day),
        settlement=settle(invoice.ledger, computed.totals.total_minor, wanted.excess, currency=document.currency),
        reason=wanted.reason,
        issued_at=drawn_at(day),
    )
    return _drawn(note, _CREDIT_NOTE_FILE, documents, renderer)


def _invoice(
    draft: DraftInvoice,
    company: Company,
    customer: Customer,
    documents: Documents,
    renderer: DocumentRenderer,
    clock: Clock,
) -> PdfFile:
    today = clock.today()
    allocation = provisional_allocation(Series.INVOICE, draft.content.particulars.language, today)
    issued = freeze(draft, company=company, customer=customer, allocation=allocation, issued_at=drawn_at(today))
    return _drawn(issued, _INVOICE_FILE, documents, renderer)


def _quote(
    quote: Quote,
    company: Company,
    customer: Customer,
    documents: Documents,
    renderer: DocumentRenderer,
    clock: Clock,
) -> PdfFile:
    """A further revision has the number of the first one, which says nothing about this draft either."""
    today = clock.today()
    allocation = provisional_allocation(Series.QUOTE, quote.content.particulars.language, today)
    unnumbered, at = replace(quote, number=None), drawn_at(today)
    sent = finalise(unnumbered, company=company, customer=customer, allocation=allocation, issued_at=at)
    return _drawn(sent, _QUOTE_FILE, documents, renderer)


def _drawn(issued: Printable, name: str, documents: Documents, renderer: DocumentRenderer) -> PdfFile:
    logo = read_logo(frozen(issued).seller_logo, documents)
    content = renderer.render_marked(issued, DRAFT_MARK, logo=logo)
    return PdfFile(name=name, content=content)


@contextmanager
def _named(pointer: str) -> Iterator[None]:
    """A draft that a field of the body names."""
    try:
        yield
    except NotFound as error:
        raise UnknownReference((FieldError(pointer, "Brouillon inconnu.", "Unknown draft."),)) from error


def _draft(invoice: Invoice) -> DraftInvoice:
    if isinstance(invoice, IssuedInvoice):
        raise InvoiceAlreadyIssued(
            f"Elle porte le numéro {invoice.document.number}.", f"Its number is {invoice.document.number}."
        )
    return invoice
