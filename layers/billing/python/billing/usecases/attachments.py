"""The files that go with an invoice: added to and taken off a draft, frozen with the document."""

from __future__ import annotations

from billing.domain.access import Caller, Permission
from billing.domain.attachments import Attachment, checked, with_attachment
from billing.domain.errors import InvoiceAlreadyIssued, NotFound, StaleVersion
from billing.domain.events import Event, EventType
from billing.domain.invoice import DraftInvoice, IssuedInvoice
from billing.ports.clock import Clock, Ids
from billing.ports.delivery import Documents, DownloadLink
from billing.ports.repositories import Invoices


def upload_invoice_attachment(
    caller: Caller,
    invoice_id: str,
    content: bytes,
    *,
    name: str,
    expected_version: int,
    invoices: Invoices,
    documents: Documents,
    clock: Clock,
    ids: Ids,
) -> DraftInvoice:
    """The draft with one file more; the same bytes again only take the new name.

    Raises: NotFound, InvoiceAlreadyIssued, StaleVersion, InvalidInput, FieldErrors, DependencyUnavailable.
    """
    caller.require(Permission.WRITE_DOCUMENTS)
    current = _draft(caller, invoice_id, expected_version, invoices)
    attachment = checked(caller.tenant_id, name, content)
    held = with_attachment(current.attachments, attachment)
    # Bytes first: a file that no draft names is harmless, a draft that names no file is not.
    documents.put(attachment.key, content, media_type=attachment.media_type)
    draft = current.holding(held, at=clock.now())
    event = _event(EventType.ATTACHMENT_ADDED, caller, draft, attachment, ids)
    invoices.save_draft(caller, draft, previous=current, event=event)
    return draft


def remove_invoice_attachment(
    caller: Caller,
    invoice_id: str,
    attachment_id: str,
    *,
    expected_version: int,
    invoices: Invoices,
    clock: Clock,
    ids: Ids,
) -> DraftInvoice:
    """The draft without a file; its bytes stay, for another document may name them.

    Raises: NotFound, InvoiceAlreadyIssued, StaleVersion.
    """
    caller.require(Permission.WRITE_DOCUMENTS)
    current = _draft(caller, invoice_id, expected_version, invoices)
    removed = _found(current.attachments, attachment_id)
    held = tuple(one for one in current.attachments if one != removed)
    draft = current.holding(held, at=clock.now())
    event = _event(EventType.ATTACHMENT_REMOVED, caller, draft, removed, ids)
    invoices.save_draft(caller, draft, previous=current, event=event)
    return draft


def download_invoice_attachment(
    caller: Caller, invoice_id: str, attachment_id: str, *, invoices: Invoices, documents: Documents, clock: Clock
) -> DownloadLink:
    """A short-lived address of the bytes. Raises: NotFound."""
    invoice = invoices.read(caller, invoice_id)
    held = invoice.document.attachments if isinstance(invoice, IssuedInvoice) else invoice.attachments
    attachment = _found(held, attachment_id)
    return documents.link(attachment.key, file_name=attachment.name, now=clock.now())


def _draft(caller: Caller, invoice_id: str, expected_version: int, invoices: Invoices) -> DraftInvoice:
    invoice = invoices.read(caller, invoice_id)
    if isinstance(invoice, IssuedInvoice):
        raise InvoiceAlreadyIssued
    if invoice.version != expected_version:
        raise StaleVersion
    return invoice


def _found(held: tuple[Attachment, ...], attachment_id: str) -> Attachment:
    for one in held:
        if one.sha256 == attachment_id:
            return one
    raise NotFound


def _event(event_type: EventType, caller: Caller, draft: DraftInvoice, subject: Attachment, ids: Ids) -> Event:
    return Event(
        event_id=ids.new("evt"),
        event_type=event_type,
        occurred_at=draft.updated_at,
        actor=caller.user_id,
        data={
            "invoice_id": draft.invoice_id,
            "version": draft.version,
            "sha256": subject.sha256,
            "size_bytes": subject.size_bytes,
        },
    )
