"""From an issued invoice to its customer's mailbox: render, store, mail once, record."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from billing.domain.delivery import (
    ClaimState,
    DeliveryOutcome,
    DeliveryRequest,
    DeliveryState,
    MailClaim,
    StoredPdf,
)
from billing.domain.errors import (
    DependencyUnavailable,
    MailRefused,
    MailTemporarilyRefused,
    MailUnconfirmed,
    NotFound,
)
from billing.domain.events import SYSTEM_ACTOR, Event, EventType
from billing.domain.invoice import IssuedInvoice
from billing.domain.mail import compose_invoice_mail
from billing.ports.clock import Clock, Ids
from billing.ports.delivery import Documents, InvoiceRenderer, MailedFile, Mailer, OutgoingMail
from billing.ports.repositories import Deliveries
from billing.usecases.contention import judged_anew

_REFERENCE = re.compile(r"([^.]+)\.([^.]+)\.([1-9][0-9]{0,5})")
_CLAIM_TO_DELIVERY = {
    ClaimState.ACCEPTED: (DeliveryState.SENT, EventType.INVOICE_SENT),
    ClaimState.DELIVERED: (DeliveryState.DELIVERED, EventType.INVOICE_DELIVERED),
    ClaimState.BOUNCED: (DeliveryState.BOUNCED, EventType.INVOICE_BOUNCED),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """The stored PDF and whether a mail must follow; ``fresh`` when these bytes were made just now."""

    pdf: StoredPdf
    send: bool
    fresh: bool


def render_invoice(
    tenant_id: str,
    invoice_id: str,
    attempt: int,
    *,
    deliveries: Deliveries,
    documents: Documents,
    renderer: InvoiceRenderer,
    clock: Clock,
    ids: Ids,
) -> Rendering:
    """Render and store the PDF unless it is stored already. A crash in between makes the same bytes again."""
    request = deliveries.request(tenant_id, invoice_id, attempt)
    invoice = deliveries.invoice(tenant_id, invoice_id)
    if invoice.delivery.pdf is not None:
        return Rendering(pdf=invoice.delivery.pdf, send=request.send, fresh=False)
    logo = invoice.document.seller_logo
    content = renderer.render(invoice, logo=documents.get(logo.key) if logo else None)
    sha256 = hashlib.sha256(content).hexdigest()
    key = f"{tenant_id}/invoices/{invoice.document.year}/{invoice_id}/{sha256}.pdf"
    documents.put(key, content, media_type="application/pdf")
    pdf = StoredPdf(key=key, sha256=sha256, size_bytes=len(content), rendered_at=clock.now())
    event = Event(
        event_id=ids.new("evt"),
        event_type=EventType.PDF_RENDERED,
        occurred_at=pdf.rendered_at,
        actor=SYSTEM_ACTOR,
        data={"invoice_id": invoice_id, "sha256": sha256, "size_bytes": len(content)},
    )
    recorded = deliveries.record_pdf(tenant_id, invoice_id, pdf, event=event)
    return Rendering(pdf=recorded.delivery.pdf or pdf, send=request.send, fresh=True)


def mail_invoice(
    tenant_id: str,
    invoice_id: str,
    attempt: int,
    *,
    deliveries: Deliveries,
    documents: Documents,
    mailer: Mailer,
    clock: Clock,
) -> MailClaim:
    """Send the PDF to the recipient of this attempt, once whatever is retried.

    The claim says how far the sending went. Cut while transmitting, it waits for the provider's word.
    Nothing is sent for an attempt that has its outcome: a person may have opened the next one.

    Raises: MailTemporarilyRefused, MailUnconfirmed, MailRefused, DependencyUnavailable.
    """
    request = deliveries.request(tenant_id, invoice_id, attempt)
    invoice = deliveries.invoice(tenant_id, invoice_id)
    pdf = invoice.delivery.pdf
    if request.recipient is None or pdf is None:
        raise NotFound
    claim = deliveries.claim_mail(
        MailClaim(
            tenant_id=tenant_id,
            invoice_id=invoice_id,
            attempt=attempt,
            recipient=request.recipient,
            state=ClaimState.CLAIMED,
            updated_at=clock.now(),
        )
    )
    if claim.state in _CLAIM_TO_DELIVERY:
        return claim
    if claim.state in {ClaimState.REFUSED, ClaimState.ABANDONED} or request.outcome is not None:
        raise MailRefused
    content = documents.get(pdf.key)
    if content is None:
        raise NotFound
    further = _further(invoice, documents)
    if claim.state is ClaimState.TRANSMITTING:
        raise MailUnconfirmed
    moving = _MovingClaim(claim, deliveries, clock)
    try:
        message_id = mailer.send(_mail(invoice, request, content, further, clock), hand_over=moving.hand_over)
    except MailTemporarilyRefused:
        if moving.claim.state is ClaimState.TRANSMITTING:
            moving.advance(state=ClaimState.CLAIMED)
        raise
    except MailRefused:
        moving.advance(state=ClaimState.REFUSED)
        raise
    # The provider's own event may have moved the claim further already: that is as good.
    moving.advance(state=ClaimState.ACCEPTED, provider_message_id=message_id)
    return moving.claim


class _MovingClaim:
    """The claim of a mail while this run sends it; each step holds that nobody else moved it."""

    def __init__(self, claim: MailClaim, deliveries: Deliveries, clock: Clock) -> None:
        self.claim = claim
        self._deliveries = deliveries
        self._clock = clock

    def advance(self, **changes: Any) -> bool:
        expected, self.claim = self.claim, replace(self.claim, updated_at=self._clock.now(), **changes)
        return self._deliveries.advance_mail(self.claim, expected=expected)

    def hand_over(self) -> None:
        """Raises: MailUnconfirmed, when another run hands this mail over."""
        if not self.advance(state=ClaimState.TRANSMITTING):
            raise MailUnconfirmed


def record_invoice_delivery(
    tenant_id: str,
    invoice_id: str,
    attempt: int,
    *,
    error: str | None,
    deliveries: Deliveries,
    clock: Clock,
    ids: Ids,
) -> DeliveryOutcome:
    """Settle an attempt: what was reached, or the class name of the error that ended it."""

    def settle() -> DeliveryOutcome:
        request = deliveries.request(tenant_id, invoice_id, attempt)
        if request.outcome is not None:
            # Another run settled it, and may have died before the head heard of what the provider said meanwhile.
            _catch_up(request, None, deliveries=deliveries, clock=clock, ids=ids)
            return request.outcome
        invoice = deliveries.invoice(tenant_id, invoice_id)
        claim = _closed_claim(request, deliveries, clock)
        outcome = _outcome(request, claim, error, invoice)
        now = clock.now()
        head = invoice.with_delivery(invoice.delivery.settled(outcome, attempt=attempt), now)
        event = _outcome_event(request, outcome, now, ids)
        deliveries.settle(head, replace(request, outcome=outcome), event=event)
        _catch_up(request, claim, deliveries=deliveries, clock=clock, ids=ids)
        return outcome

    return judged_anew(settle, clock=clock, ids=ids, exhausted=DependencyUnavailable)


def receive_mail_event(
    reference: str,
    recipient: str,
    state: ClaimState,
    provider_message_id: str,
    *,
    deliveries: Deliveries,
    clock: Clock,
    ids: Ids,
) -> bool:
    """Apply what the provider says of a mail; late or unknown events change nothing.

    An event comes again when its first run died between claim and head: then the head follows.
    Returns whether something changed.
    """
    parsed = parse_reference(reference)
    if parsed is None:
        return False
    tenant_id, invoice_id, attempt = parsed
    claim = deliveries.read_mail(tenant_id, invoice_id, attempt, recipient)
    if claim is None:
        return False
    if state.progress <= claim.state.progress:
        return _follow_provider(claim, deliveries=deliveries, clock=clock, ids=ids)
    moved = replace(
        claim,
        state=state,
        provider_message_id=provider_message_id or claim.provider_message_id,
        updated_at=clock.now(),
    )
    if not deliveries.advance_mail(moved, expected=claim):
        return receive_mail_event(
            reference, recipient, state, provider_message_id, deliveries=deliveries, clock=clock, ids=ids
        )
    _follow_provider(moved, deliveries=deliveries, clock=clock, ids=ids)
    return True


def delivery_reference(tenant_id: str, invoice_id: str, attempt: int) -> str:
    """What travels with a mail so that the provider's events find their claim; identifiers only."""
    return f"{tenant_id}.{invoice_id}.{attempt}"


def parse_reference(reference: str) -> tuple[str, str, int] | None:
    parts = _REFERENCE.fullmatch(reference)
    return (parts[1], parts[2], int(parts[3])) if parts else None


def _further(invoice: IssuedInvoice, documents: Documents) -> tuple[MailedFile, ...]:
    """The files that were frozen with the document. Raises: NotFound, DependencyUnavailable."""
    files = []
    for attachment in invoice.document.attachments:
        content = documents.get(attachment.key)
        if content is None:
            raise NotFound
        files.append(MailedFile(name=attachment.name, media_type=attachment.media_type, content=content))
    return tuple(files)


def _mail(
    invoice: IssuedInvoice,
    request: DeliveryRequest,
    content: bytes,
    further: tuple[MailedFile, ...],
    clock: Clock,
) -> OutgoingMail:
    composed = compose_invoice_mail(invoice)
    reference = delivery_reference(request.tenant_id, request.invoice_id, request.attempt)
    assert request.recipient is not None  # noqa: S101 - held by mail_invoice
    return OutgoingMail(
        sender_name=invoice.document.seller.display_name,
        reply_to=invoice.document.seller.email,
        recipient=request.recipient,
        recipient_name=invoice.document.buyer.name,
        subject=composed.subject,
        text=composed.text,
        html=composed.html,
        attachment_name=f"{invoice.document.number}.pdf",
        attachment=content,
        delivery_reference=reference,
        message_id=reference,
        sent_at=clock.now(),
        further=further,
        language=invoice.document.particulars.language.value.replace("fr-en", "fr, en"),
    )


def _claim(request: DeliveryRequest, deliveries: Deliveries) -> MailClaim | None:
    if request.recipient is None:
        return None
    return deliveries.read_mail(request.tenant_id, request.invoice_id, request.attempt, request.recipient)


def _closed_claim(request: DeliveryRequest, deliveries: Deliveries, clock: Clock) -> MailClaim | None:
    """Where the mail of an attempt stands as the attempt ends; what is not being transmitted never will be.

    Without this, another execution of the attempt could still mail what is recorded as failed.
    """
    if request.recipient is None:
        return None
    abandoned = MailClaim(
        tenant_id=request.tenant_id,
        invoice_id=request.invoice_id,
        attempt=request.attempt,
        recipient=request.recipient,
        state=ClaimState.ABANDONED,
        updated_at=clock.now(),
    )
    standing = _claim(request, deliveries) or deliveries.claim_mail(abandoned)
    if standing.state is not ClaimState.CLAIMED:
        return standing
    return abandoned if deliveries.advance_mail(abandoned, expected=standing) else _claim(request, deliveries)


def _catch_up(
    request: DeliveryRequest, seen: MailClaim | None, *, deliveries: Deliveries, clock: Clock, ids: Ids
) -> None:
    """Bring the head after the claim when it moved since it was seen."""
    claim = _claim(request, deliveries)
    if claim is not None and (seen is None or claim.state != seen.state):
        _follow_provider(claim, deliveries=deliveries, clock=clock, ids=ids)


def _outcome(
    request: DeliveryRequest, claim: MailClaim | None, error: str | None, invoice: IssuedInvoice
) -> DeliveryOutcome:
    if not request.send:
        return DeliveryOutcome(state=None, error=error or "", pdf=invoice.delivery.pdf)
    reached = _CLAIM_TO_DELIVERY.get(claim.state) if claim else None
    if reached is not None:  # whatever failed after the acceptance, the mail did leave
        return DeliveryOutcome(state=reached[0], pdf=invoice.delivery.pdf)
    unconfirmed = claim is not None and claim.state is ClaimState.TRANSMITTING
    state = DeliveryState.UNCONFIRMED if unconfirmed else DeliveryState.FAILED
    return DeliveryOutcome(state=state, error=error or "NotSent", pdf=invoice.delivery.pdf)


def _outcome_event(request: DeliveryRequest, outcome: DeliveryOutcome, at: datetime, ids: Ids) -> Event | None:
    if outcome.state is None and not outcome.error:
        return None
    event_type = {
        DeliveryState.SENT: EventType.INVOICE_SENT,
        DeliveryState.DELIVERED: EventType.INVOICE_DELIVERED,
        DeliveryState.BOUNCED: EventType.INVOICE_BOUNCED,
        DeliveryState.UNCONFIRMED: EventType.DELIVERY_UNCONFIRMED,
    }.get(outcome.state or DeliveryState.FAILED, EventType.DELIVERY_FAILED)
    data: dict[str, str | int] = {"invoice_id": request.invoice_id, "attempt": request.attempt}
    if outcome.error:
        data["error"] = outcome.error
    return Event(event_id=ids.new("evt"), event_type=event_type, occurred_at=at, actor=SYSTEM_ACTOR, data=data)


def _follow_provider(claim: MailClaim, *, deliveries: Deliveries, clock: Clock, ids: Ids) -> bool:
    """Bring the head of the invoice after its claim, unless the workflow still holds the attempt."""
    reached = _CLAIM_TO_DELIVERY.get(claim.state)
    if claim.state is ClaimState.REFUSED:
        reached = (DeliveryState.FAILED, EventType.DELIVERY_FAILED)
    if reached is None:
        return False
    state, event_type = reached

    def follow() -> bool:
        invoice = deliveries.invoice(claim.tenant_id, claim.invoice_id)
        delivery = invoice.delivery
        if delivery.in_progress or delivery.attempt != claim.attempt or delivery.state == state:
            return False
        now = clock.now()
        event = Event(
            event_id=ids.new("evt"),
            event_type=event_type,
            occurred_at=now,
            actor=SYSTEM_ACTOR,
            data={"invoice_id": claim.invoice_id, "attempt": claim.attempt},
        )
        moved = replace(delivery, state=state, error="MailRefused" if state is DeliveryState.FAILED else "")
        deliveries.record_mail_event(invoice.with_delivery(moved, now), event=event)
        return True

    return judged_anew(follow, clock=clock, ids=ids, exhausted=DependencyUnavailable)
