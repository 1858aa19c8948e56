"""From an issued document to its customer's mailbox: render, store, mail once, record. A notice to the company itself
goes the same way, with nothing to render.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from billing.domain.access import Origin
from billing.domain.checkout import LEAST_MINOR
from billing.domain.dates import PARIS
from billing.domain.deliverable import (
    Deliverable,
    DeliveryFact,
    Printable,
    frozen,
    is_quote_id,
    is_still_sent,
    named,
)
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
    PaymentInProgress,
    StaleVersion,
)
from billing.domain.events import SYSTEM_ACTOR, Event, EventType
from billing.domain.invoice import InvoiceDocument, IssuedInvoice
from billing.domain.letter import ComposedMail, LetterLink
from billing.domain.links import LinkToken, Portal, hash_of_secret
from billing.domain.mail import compose_mail
from billing.domain.notice_mail import compose_notice, sender_of
from billing.domain.notices import CompanyNotice
from billing.domain.quote import Quote, QuoteDocument
from billing.domain.reminder_mail import compose_reminder_mail
from billing.domain.reminders import Reminder, is_still_owed
from billing.domain.retention_period import kept_until
from billing.ports.checkouts import LinkSecrets
from billing.ports.clock import Clock, Ids
from billing.ports.delivery import DocumentRenderer, Documents, MailedFile, Mailer, OutgoingMail, XmlWriter
from billing.ports.invoice_links import InvoiceLinks
from billing.ports.repositories import Deliveries
from billing.usecases.contention import judged_anew
from billing.usecases.logos import read_logo
from billing.usecases.stored_pdfs import read_pdf
from billing.usecases.turns import Turns

_REFERENCE = re.compile(r"([^.]+)\.([^.]+)\.([1-9][0-9]{0,5})")
_CLAIM_TO_DELIVERY = {
    ClaimState.ACCEPTED: (DeliveryState.SENT, DeliveryFact.SENT),
    ClaimState.DELIVERED: (DeliveryState.DELIVERED, DeliveryFact.DELIVERED),
    ClaimState.BOUNCED: (DeliveryState.BOUNCED, DeliveryFact.BOUNCED),
}
NO_LONGER_OWED = "NoLongerOwed"
AGAIN_LIMIT = 50  # of a shard and a run, which comes every minute
LEFT_ALONE_FOR = timedelta(hours=1)
_FACTS = {
    DeliveryState.SENT: DeliveryFact.SENT,
    DeliveryState.DELIVERED: DeliveryFact.DELIVERED,
    DeliveryState.BOUNCED: DeliveryFact.BOUNCED,
    DeliveryState.UNCONFIRMED: DeliveryFact.UNCONFIRMED,
    DeliveryState.NOT_SENT: DeliveryFact.DROPPED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Where notices to the company lead: their answers, and the page of the app that shows its subscription."""

    reply_to: str
    subscription_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """The stored PDF (a notice has none) and whether a mail must follow; ``fresh`` when these bytes were made just now.

    ``judged``: it carries XML, which is judged before anything is sent.
    """

    pdf: StoredPdf | None
    send: bool
    fresh: bool
    judged: bool

    @property
    def pdf_key(self) -> str:
        """Empty where there is none."""
        return self.pdf.key if self.pdf else ""


def render_invoice(
    tenant_id: str,
    document_id: str,
    attempt: int,
    *,
    deliveries: Deliveries,
    documents: Documents,
    renderer: DocumentRenderer,
    xml: XmlWriter,
    links: InvoiceLinks,
    secrets: LinkSecrets,
    clock: Clock,
    ids: Ids,
) -> Rendering:
    """Render and store the PDF unless it is stored already. A crash in between makes the same bytes again.

    What could be paid online at issue has a link on it, whose secret is made again whenever it is drawn.
    """
    request = deliveries.request(tenant_id, document_id, attempt)
    issued = deliveries.document(tenant_id, document_id)
    if isinstance(issued, CompanyNotice):
        return Rendering(pdf=None, send=request.send, fresh=False, judged=False)
    if isinstance(issued, Reminder):
        return Rendering(pdf=_reminded(issued, deliveries)[1], send=request.send, fresh=False, judged=True)
    judged = isinstance(issued, IssuedInvoice)
    if issued.delivery.pdf is not None:
        return Rendering(pdf=issued.delivery.pdf, send=request.send, fresh=False, judged=judged)
    document = frozen(issued)
    printed = _printed_link(issued, secrets)
    if printed is not None:
        _keep_printed(printed, links=links, clock=clock, ids=ids)
    content = _drawn(issued, documents=documents, renderer=renderer, secrets=secrets)
    sha256 = hashlib.sha256(content).hexdigest()
    folder = "quotes" if is_quote_id(document_id) else "invoices"
    key = f"{tenant_id}/{folder}/{document.year}/{document_id}/{sha256}.pdf"
    kept = kept_until(document.issue_date) if judged else None  # a quote is no accounting document
    documents.put(key, content, media_type="application/pdf", kept_until=kept)
    for attachment in document.attachments if isinstance(document, InvoiceDocument) else ():
        documents.keep(attachment.key, kept_until(document.issue_date))
    pdf = StoredPdf(key=key, sha256=sha256, size_bytes=len(content), rendered_at=clock.now())
    event = Event(
        event_id=ids.new("evt"),
        event_type=DeliveryFact.RENDERED.of(document_id),
        occurred_at=pdf.rendered_at,
        actor=SYSTEM_ACTOR,
        data={**named(issued), **_hashes(issued, xml), "sha256": sha256, "size_bytes": len(content)},
    )
    recorded = deliveries.record_pdf(
        tenant_id, document_id, pdf, event=event, origin=Origin(correlation_id=request.correlation_id)
    )
    return Rendering(pdf=recorded.delivery.pdf or pdf, send=request.send, fresh=True, judged=judged)


class PdfDiffers(RuntimeError):
    """What is stored, or what the snapshot gives, is not what was recorded: nothing is stored or replaced."""


def restore_pdf(
    tenant_id: str,
    document_id: str,
    *,
    deliveries: Deliveries,
    documents: Documents,
    renderer: DocumentRenderer,
    secrets: LinkSecrets,
) -> bool:
    """Draw a PDF that was lost again from its snapshot, and store it under its key when its bytes are the same.

    Returns whether it had been lost.

    Raises: NotFound when it was never rendered; PdfDiffers, DependencyUnavailable.
    """
    issued = deliveries.document(tenant_id, document_id)
    pdf = None if isinstance(issued, (Reminder, CompanyNotice)) else issued.delivery.pdf
    if pdf is None or isinstance(issued, (Reminder, CompanyNotice)):
        raise NotFound
    stored = documents.get(pdf.key)
    drawn = _drawn(issued, documents=documents, renderer=renderer, secrets=secrets) if stored is None else stored
    if hashlib.sha256(drawn).hexdigest() != pdf.sha256:
        raise PdfDiffers(document_id)
    if stored is None:
        kept = kept_until(frozen(issued).issue_date) if isinstance(issued, IssuedInvoice) else None
        documents.put(pdf.key, drawn, media_type="application/pdf", kept_until=kept)
    return stored is None


def _drawn(issued: Printable, *, documents: Documents, renderer: DocumentRenderer, secrets: LinkSecrets) -> bytes:
    logo = read_logo(frozen(issued).seller_logo, documents)
    token = _printed_link(issued, secrets)
    if token is None or isinstance(issued, Quote):
        return renderer.render(issued, logo=logo)
    return renderer.render(issued, logo=logo, pay_url=f"{issued.document.payment_page}/{token.text}")


def _printed_link(issued: Printable, secrets: LinkSecrets) -> LinkToken | None:
    """The link on the paper: the same whenever it is asked for, for the bytes of a document never change."""
    if isinstance(issued, Quote) or not issued.document.payment_page:
        return None
    context = {"tenant_id": issued.tenant_id, "invoice_id": issued.invoice_id, "printed": "1"}
    secret = secrets.secret(context=context)
    return LinkToken(tenant_id=issued.tenant_id, document_id=issued.invoice_id, secret=secret)


def _keep_printed(token: LinkToken, *, links: InvoiceLinks, clock: Clock, ids: Ids) -> None:
    """The link opens the invoice before its PDF is stored; not again where all were revoked meanwhile."""

    def attempt() -> None:
        book = links.stored(token.tenant_id, token.document_id).links
        known = any(link.secret_hash == hash_of_secret(token.secret) for link in book.links)
        if not known and book.revoked_at is None:
            links.record(book.with_link(token.secret, clock.now()))

    judged_anew(attempt, clock=clock, ids=ids, exhausted=DependencyUnavailable)


def _hashes(issued: Printable, xml: XmlWriter) -> dict[str, str]:
    """What else the chain keeps beside the bytes of the PDF: the text it shows, and the XML it carries."""
    hashes = {"document_hash": issued.document_hash}
    if isinstance(issued, IssuedInvoice):
        hashes["xml_sha256"] = hashlib.sha256(xml(issued.document).content).hexdigest()
    return hashes


def mail_invoice(
    tenant_id: str,
    document_id: str,
    attempt: int,
    *,
    deliveries: Deliveries,
    documents: Documents,
    mailer: Mailer,
    links: InvoiceLinks,
    portal: Portal,
    house: House,
    clock: Clock,
    ids: Ids,
) -> MailClaim:
    """Send the PDF, or what a notice says, to the recipient of this attempt, once whatever is retried.

    The claim says how far the sending went. Cut while transmitting, it waits for the provider's word.
    Nothing is sent for an attempt that has its outcome: a person may have opened the next one.
    A reminder of what was paid or credited meanwhile, or is being paid online, is dropped, up to the last moment: its
    claim is abandoned.

    Raises: NotFound, DocumentDamaged, MailTemporarilyRefused, MailUnconfirmed, MailRefused, DependencyUnavailable.
    """
    request = deliveries.request(tenant_id, document_id, attempt)
    issued = deliveries.document(tenant_id, document_id)
    pdf = _reminded(issued, deliveries)[1] if isinstance(issued, Reminder) else issued.delivery.pdf
    if request.recipient is None or (pdf is None and not isinstance(issued, CompanyNotice)):
        raise NotFound
    claim = deliveries.claim_mail(
        MailClaim(
            tenant_id=tenant_id,
            invoice_id=document_id,
            attempt=attempt,
            recipient=request.recipient,
            state=ClaimState.CLAIMED,
            updated_at=clock.now(),
        )
    )
    if _is_settled(claim, issued, request):
        return claim
    content = read_pdf(pdf, documents) if pdf else b""
    if claim.state is ClaimState.TRANSMITTING:
        raise MailUnconfirmed
    moving = _MovingClaim(claim, deliveries, clock, reminder=issued if isinstance(issued, Reminder) else None)
    letter = _Addressed(request=request, content=content, further=_further(issued, documents), sent_at=clock.now())
    try:
        moving.hold_owed()
        linking = _Linking(request=request, portal=portal, deliveries=deliveries, links=links, clock=clock, ids=ids)
        if isinstance(issued, CompanyNotice):
            mail = letter.noticing(issued, house)
        elif isinstance(issued, Reminder):
            reminded = _reminded(issued, deliveries)[0]
            mail = letter.reminding(issued, reminded, linking.to_invoice(reminded))
        else:
            mail = letter.carrying(issued, linking.to(issued))
        message_id = mailer.send(mail, hand_over=moving.hand_over)
    except _Dropped as dropped:
        moving.advance(state=ClaimState.ABANDONED, dropped_for=dropped.reason)
        return moving.claim
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


def _is_settled(claim: MailClaim, issued: Deliverable, request: DeliveryRequest) -> bool:
    """Whether the mail left already, or was dropped by a run that died before it could say so. Raises: MailRefused."""
    if claim.state in _CLAIM_TO_DELIVERY:
        return True
    if isinstance(issued, Reminder) and claim.state is ClaimState.ABANDONED and request.outcome is None:
        return True
    if claim.state in {ClaimState.REFUSED, ClaimState.ABANDONED} or request.outcome is not None:
        raise MailRefused
    return False


class _Dropped(Exception):
    """What a reminder asks for was paid, credited, or confirmed online, before it left."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class _MovingClaim:
    """The claim of a mail while this run sends it; each step holds that nobody else moved it."""

    def __init__(
        self, claim: MailClaim, deliveries: Deliveries, clock: Clock, *, reminder: Reminder | None = None
    ) -> None:
        self.claim = claim
        self._deliveries = deliveries
        self._clock = clock
        self._reminder = reminder

    def hold_owed(self) -> None:
        """Raises: _Dropped."""
        reminder = self._reminder
        if reminder is None:
            return
        invoice, checkouts = self._deliveries.owed(reminder.tenant_id, reminder.invoice_id)
        if not is_still_owed(reminder, invoice):
            raise _Dropped(NO_LONGER_OWED)
        if checkouts.in_progress is not None:
            raise _Dropped(PaymentInProgress.__name__)

    def advance(self, **changes: Any) -> bool:
        expected, self.claim = self.claim, replace(self.claim, updated_at=self._clock.now(), **changes)
        return self._deliveries.advance_mail(self.claim, expected=expected)

    def hand_over(self) -> None:
        """Raises: MailUnconfirmed, when another run hands this mail over; _Dropped."""
        self.hold_owed()
        if not self.advance(state=ClaimState.TRANSMITTING):
            raise MailUnconfirmed


def record_invoice_delivery(
    tenant_id: str,
    document_id: str,
    attempt: int,
    *,
    error: str | None,
    deliveries: Deliveries,
    clock: Clock,
    ids: Ids,
) -> DeliveryOutcome:
    """Settle an attempt: what was reached, or the class name of the error that ended it."""

    def settle() -> DeliveryOutcome:
        request = deliveries.request(tenant_id, document_id, attempt)
        if request.outcome is not None:
            # Another run settled it, and may have died before the head heard of what the provider said meanwhile.
            _catch_up(request, None, deliveries=deliveries, clock=clock, ids=ids)
            return request.outcome
        issued = deliveries.document(tenant_id, document_id)
        claim = _closed_claim(request, deliveries, clock)
        now = clock.now()
        # A reminder has its day, its hours and its order: its plan makes it, or a person.
        refused = claim is not None and claim.state is ClaimState.REFUSED
        may_repeat = not isinstance(issued, Reminder) and not refused
        settled = request.ended(_outcome(request, claim, error, issued), now, may_repeat=may_repeat)
        outcome = settled.outcome
        assert outcome is not None  # noqa: S101 - it ended
        head = issued.with_delivery(issued.delivery.settled(outcome, attempt=attempt), now)
        event = _outcome_event(request, outcome, issued, now, ids)
        deliveries.settle(head, settled, event=event)
        _catch_up(request, claim, deliveries=deliveries, clock=clock, ids=ids)
        return outcome

    return judged_anew(settle, clock=clock, ids=ids, exhausted=DependencyUnavailable)


def attempt_deliveries_again(
    *, left_alone: Collection[str] = (), deliveries: Deliveries, clock: Clock, ids: Ids
) -> int:
    """Open the next attempt of what failed and time may have healed, to the same recipient; how many were opened.

    A person who sent it again meanwhile was quicker. ``left_alone``: tenants whose attempts wait an hour more.

    Raises: the first failure, once every other delivery had its turn.
    """
    opened = 0
    turns = Turns()
    for shard in range(deliveries.shards):
        for failed in deliveries.due_again(clock.now(), shard=shard, limit=AGAIN_LIMIT):
            with turns.one(passed_over=StaleVersion):  # another run, or a person, moved it
                if failed.tenant_id in left_alone:
                    _put_off(failed, clock.now() + LEFT_ALONE_FOR, deliveries=deliveries, clock=clock)
                else:
                    opened += _attempt_again(failed, deliveries=deliveries, clock=clock, ids=ids)
    turns.end()
    return opened


def _attempt_again(failed: DeliveryRequest, *, deliveries: Deliveries, clock: Clock, ids: Ids) -> int:
    """Raises: StaleVersion."""
    issued = _standing(failed, deliveries)
    if issued is None or (failed.send and not is_still_sent(issued, clock.today())):
        _put_off(failed, None, deliveries=deliveries, clock=clock)
        return 0
    standing = issued.delivery
    now = clock.now()
    head = issued.with_delivery(standing.requested(send=failed.send), now)
    request = failed.repeated(head.delivery.attempt, now)
    event = Event(
        event_id=ids.new("evt"),
        event_type=DeliveryFact.REQUESTED.of(failed.invoice_id),
        occurred_at=now,
        actor=SYSTEM_ACTOR,
        data={**named(issued), "attempt": request.attempt},
    )
    deliveries.attempt_again(head, failed.left(), request, event=event)
    return 1


def _standing(failed: DeliveryRequest, deliveries: Deliveries) -> Deliverable | None:
    """The document while this attempt is its latest and is to be followed; None of a quote that is a draft again."""
    try:
        issued = deliveries.document(failed.tenant_id, failed.invoice_id)
    except NotFound:
        return None
    standing = issued.delivery
    followed = standing.attempt == failed.attempt and not standing.in_progress and standing.again_at is not None
    return issued if followed else None


def _put_off(failed: DeliveryRequest, until: datetime | None, *, deliveries: Deliveries, clock: Clock) -> None:
    """Its next attempt is due then, or never, and the document says so. Raises: StaleVersion."""
    issued = _standing(failed, deliveries)
    head = issued.with_delivery(replace(issued.delivery, again_at=until), clock.now()) if issued else None
    deliveries.put_off(failed.put_off(until), document=head)


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
    tenant_id, document_id, attempt = parsed
    claim = deliveries.read_mail(tenant_id, document_id, attempt, recipient)
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


def delivery_reference(tenant_id: str, document_id: str, attempt: int) -> str:
    """What travels with a mail so that the provider's events find their claim; identifiers only."""
    return f"{tenant_id}.{document_id}.{attempt}"


def parse_reference(reference: str) -> tuple[str, str, int] | None:
    parts = _REFERENCE.fullmatch(reference)
    return (parts[1], parts[2], int(parts[3])) if parts else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Linking:
    """A mail carries a link of its own; only the hash of its secret is kept, before the mail leaves."""

    request: DeliveryRequest
    portal: Portal
    deliveries: Deliveries
    links: InvoiceLinks
    clock: Clock
    ids: Ids

    def to(self, issued: Printable) -> LetterLink | None:
        return self._to_quote(issued) if isinstance(issued, Quote) else self.to_invoice(issued)

    def to_invoice(self, invoice: IssuedInvoice) -> LetterLink | None:
        """While something is left to pay. None for a credit note."""
        if invoice.ledger.balance_minor <= 0 or invoice.document.document_type.is_credit_note:
            return None
        token = LinkToken(tenant_id=invoice.tenant_id, document_id=invoice.invoice_id, secret=self.ids.secret())

        def attempt() -> bool:
            context = self.links.stored(invoice.tenant_id, invoice.invoice_id)
            self.links.record(context.links.with_link(token.secret, self.clock.now()))
            payable_minor = invoice.payable_minor(self.clock.today())
            return context.connection.accepts_payments and payable_minor >= LEAST_MINOR

        pays = judged_anew(attempt, clock=self.clock, ids=self.ids, exhausted=DependencyUnavailable)
        return LetterLink(
            url=f"{self.portal.invoices_url}/{token.text}", label="Payer en ligne" if pays else "Voir la facture"
        )

    def _to_quote(self, issued: Quote) -> LetterLink:
        secret, clock, ids = self.ids.secret(), self.clock, self.ids

        def attempt() -> None:
            quote = self.deliveries.document(issued.tenant_id, issued.quote_id)
            assert isinstance(quote, Quote)  # noqa: S101 - the id said so
            linked = quote.with_link(secret, clock.now())
            event = Event(
                event_id=ids.new("evt"),
                event_type=EventType.QUOTE_LINK_CREATED,
                occurred_at=linked.updated_at,
                actor=SYSTEM_ACTOR,
                data={**named(linked), "version": linked.version},
            )
            origin = Origin(correlation_id=self.request.correlation_id)
            self.deliveries.record_link(linked, event=event, origin=origin)

        judged_anew(attempt, clock=clock, ids=ids, exhausted=DependencyUnavailable)
        token = LinkToken(tenant_id=issued.tenant_id, document_id=issued.quote_id, secret=secret)
        return LetterLink(url=f"{self.portal.quotes_url}/{token.text}")


def _further(issued: Deliverable, documents: Documents) -> tuple[MailedFile, ...]:
    """The files that were frozen with the document. Raises: NotFound, DependencyUnavailable."""
    files = []
    attachments = issued.document.attachments if isinstance(issued, IssuedInvoice) else ()
    for attachment in attachments:
        content = documents.get(attachment.key)
        if content is None:
            raise NotFound
        files.append(MailedFile(name=attachment.name, media_type=attachment.media_type, content=content))
    return tuple(files)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Addressed:
    """What travels to a recipient whatever is said: the PDF, what goes with it, the reference of the delivery."""

    request: DeliveryRequest
    content: bytes
    further: tuple[MailedFile, ...]
    sent_at: datetime

    def carrying(self, issued: Printable, link: LetterLink | None) -> OutgoingMail:
        document = frozen(issued)
        composed = compose_mail(
            issued,
            link=link,
            recipient=self.request.recipient,
            recipient_name=self.request.recipient_name,
            on=self.sent_at.astimezone(PARIS).date(),
        )
        return self._mail(composed, document)

    def reminding(self, reminder: Reminder, invoice: IssuedInvoice, link: LetterLink | None) -> OutgoingMail:
        to, name = self.request.recipient, self.request.recipient_name
        composed = compose_reminder_mail(reminder, invoice, link=link, recipient=to, recipient_name=name)
        return self._mail(composed, invoice.document)

    def noticing(self, notice: CompanyNotice, house: House) -> OutgoingMail:
        composed = compose_notice(notice, subscription_url=house.subscription_url)
        return OutgoingMail(
            sender_name=sender_of(notice),
            reply_to=house.reply_to,
            recipient=notice.recipient,
            recipient_name="",
            subject=composed.subject,
            text=composed.text,
            html=composed.html,
            attachment_name="",
            attachment=b"",
            delivery_reference=self._reference,
            message_id=self._reference,
            sent_at=self.sent_at,
            language="fr, en",
        )

    @property
    def _reference(self) -> str:
        return delivery_reference(self.request.tenant_id, self.request.invoice_id, self.request.attempt)

    def _mail(self, composed: ComposedMail, document: InvoiceDocument | QuoteDocument) -> OutgoingMail:
        request, reference = self.request, self._reference
        assert request.recipient is not None  # noqa: S101 - held by mail_invoice
        return OutgoingMail(
            sender_name=document.seller.display_name,
            reply_to=document.seller.email,
            recipient=request.recipient,
            recipient_name=document.buyer.name,
            subject=composed.subject,
            text=composed.text,
            html=composed.html,
            attachment_name=f"{document.number}.pdf",
            attachment=self.content,
            delivery_reference=reference,
            message_id=reference,
            sent_at=self.sent_at,
            further=self.further,
            language=document.particulars.language.value.replace("fr-en", "fr, en"),
        )


def _reminded(reminder: Reminder, deliveries: Deliveries) -> tuple[IssuedInvoice, StoredPdf]:
    """The invoice of a reminder and its stored PDF. Raises: DependencyUnavailable while it has none."""
    invoice = deliveries.invoice(reminder.tenant_id, reminder.invoice_id)
    if invoice.delivery.pdf is None:
        raise DependencyUnavailable
    return invoice, invoice.delivery.pdf


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
    request: DeliveryRequest, claim: MailClaim | None, error: str | None, issued: Deliverable
) -> DeliveryOutcome:
    if not request.send:
        return DeliveryOutcome(state=None, error=error or "", pdf=issued.delivery.pdf)
    reached = _CLAIM_TO_DELIVERY.get(claim.state) if claim else None
    if reached is not None:  # whatever failed after the acceptance, the mail did leave
        return DeliveryOutcome(state=reached[0], pdf=issued.delivery.pdf)
    if isinstance(issued, Reminder) and error is None and claim and claim.state is ClaimState.ABANDONED:
        return DeliveryOutcome(state=DeliveryState.NOT_SENT, error=claim.dropped_for or NO_LONGER_OWED)
    unconfirmed = claim is not None and claim.state is ClaimState.TRANSMITTING
    state = DeliveryState.UNCONFIRMED if unconfirmed else DeliveryState.FAILED
    return DeliveryOutcome(state=state, error=error or "NotSent", pdf=issued.delivery.pdf)


def _outcome_event(
    request: DeliveryRequest, outcome: DeliveryOutcome, issued: Deliverable, at: datetime, ids: Ids
) -> Event | None:
    if outcome.state is None and not outcome.error:
        return None
    fact = _FACTS.get(outcome.state or DeliveryState.FAILED, DeliveryFact.FAILED)
    document_id = request.invoice_id
    data: dict[str, str | int] = {**named(issued), "attempt": request.attempt}
    if outcome.error:
        data["error"] = outcome.error
    return Event(
        event_id=ids.new("evt"), event_type=fact.of(document_id), occurred_at=at, actor=SYSTEM_ACTOR, data=data
    )


def _follow_provider(claim: MailClaim, *, deliveries: Deliveries, clock: Clock, ids: Ids) -> bool:
    """Bring the head of the invoice after its claim, unless the workflow still holds the attempt."""
    reached = _CLAIM_TO_DELIVERY.get(claim.state)
    if claim.state is ClaimState.REFUSED:
        reached = (DeliveryState.FAILED, DeliveryFact.FAILED)
    if reached is None:
        return False
    state, fact = reached

    def follow() -> bool:
        issued = deliveries.document(claim.tenant_id, claim.invoice_id)
        delivery = issued.delivery
        if delivery.in_progress or delivery.attempt != claim.attempt or delivery.state == state:
            return False
        now = clock.now()
        event = Event(
            event_id=ids.new("evt"),
            event_type=fact.of(claim.invoice_id),
            occurred_at=now,
            actor=SYSTEM_ACTOR,
            data={**named(issued), "attempt": claim.attempt},
        )
        moved = replace(delivery, state=state, error="MailRefused" if state is DeliveryState.FAILED else "")
        deliveries.record_mail_event(
            issued.with_delivery(moved, now),
            event=event,
            origin=Origin(correlation_id=claim.provider_message_id or ""),
        )
        return True

    return judged_anew(follow, clock=clock, ids=ids, exhausted=DependencyUnavailable)
