"""Links to an invoice that its company gives out, and takes back."""

from __future__ import annotations

from billing.domain.access import Caller, Permission
from billing.domain.errors import InvoiceNotIssued, NotFound
from billing.domain.events import Event, EventType
from billing.domain.invoice import Invoice, IssuedInvoice
from billing.domain.invoice_links import InvoiceLinkBook
from billing.domain.links import LinkToken
from billing.ports.clock import Clock, Ids
from billing.ports.idempotency import IdempotentRequest
from billing.ports.invoice_links import InvoiceLinks
from billing.usecases.contention import judged_anew


def create_invoice_link(
    caller: Caller, invoice_id: str, *, once: IdempotentRequest, links: InvoiceLinks, clock: Clock, ids: Ids
) -> tuple[InvoiceLinkBook, LinkToken]:
    """A public link to an issued invoice; shown now and never again. Raises: NotFound, InvoiceNotIssued."""
    caller.require(Permission.WRITE_DOCUMENTS)
    token = LinkToken(tenant_id=caller.tenant_id, document_id=invoice_id, secret=ids.secret())

    def attempt() -> InvoiceLinkBook:
        context = links.read(caller, invoice_id, once=once)
        invoice = _issued(context.invoice)
        linked = context.links.with_link(token.secret, clock.now())
        event = link_event(EventType.INVOICE_LINK_CREATED, invoice, linked, ids, actor=caller.user_id, clock=clock)
        links.save(caller, linked, event=event, once=once, answered=linked)
        return linked

    return judged_anew(attempt, clock=clock, ids=ids), token


def revoke_invoice_links(
    caller: Caller, invoice_id: str, *, once: IdempotentRequest, links: InvoiceLinks, clock: Clock, ids: Ids
) -> InvoiceLinkBook:
    """No link to this invoice opens anything any more, those of mails included; a page to pay that is open is closed.

    Raises: NotFound, InvoiceNotIssued.
    """
    caller.require(Permission.WRITE_DOCUMENTS)

    def attempt() -> InvoiceLinkBook:
        context = links.read(caller, invoice_id, once=once)
        invoice = _issued(context.invoice)
        closed = context.links.revoked(clock.now())
        event = link_event(EventType.INVOICE_LINKS_REVOKED, invoice, closed, ids, actor=caller.user_id, clock=clock)
        book = context.checkouts.withdrawn(clock.now())
        changed = book if book is not context.checkouts else None
        links.save(caller, closed, checkouts=changed, event=event, once=once, answered=closed)
        return closed

    return judged_anew(attempt, clock=clock, ids=ids)


def link_event(
    kind: EventType, invoice: IssuedInvoice, links: InvoiceLinkBook, ids: Ids, *, actor: str, clock: Clock
) -> Event:
    return Event(
        event_id=ids.new("evt"),
        event_type=kind,
        occurred_at=clock.now(),
        actor=actor,
        data={
            "invoice_id": invoice.invoice_id,
            "number": invoice.document.number,
            "links": len(links.links),
        },
    )


def _issued(invoice: Invoice | None) -> IssuedInvoice:
    if invoice is None or (isinstance(invoice, IssuedInvoice) and invoice.document.document_type.is_credit_note):
        raise NotFound
    if not isinstance(invoice, IssuedInvoice):
        raise InvoiceNotIssued
    return invoice
