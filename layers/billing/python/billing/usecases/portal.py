"""The public side of a quote: whoever holds its link sees it, takes its PDF, and answers once."""

from __future__ import annotations

from dataclasses import dataclass

from billing.domain.access import Origin
from billing.domain.errors import FieldError, FieldErrors, NotFound, QuoteSuperseded
from billing.domain.events import Event, EventType
from billing.domain.links import LinkToken
from billing.domain.quote import Quote, QuoteAnswer, QuoteDecision
from billing.ports.clock import Clock, Ids
from billing.ports.delivery import Documents, DownloadLink
from billing.ports.quotes import Quotes
from billing.usecases.contention import judged_anew
from billing.usecases.quotes import pdf_link

CUSTOMER_ACTOR = "customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedQuote:
    """The revision that a link opens, and whether a newer one took its place."""

    quote: Quote
    superseded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalAnswer:
    """``document_hash`` is the one that was shown: nobody accepts what was not read. ``origin``: where from."""

    answer: QuoteAnswer
    name: str
    comment: str
    document_hash: str
    origin: Origin


def read_portal_quote(token: str, *, quotes: Quotes, clock: Clock) -> OpenedQuote:
    """Unknown, expired and revoked links are all the same. Raises: NotFound."""
    return _opened(token, quotes, clock)


def download_portal_quote(token: str, *, quotes: Quotes, documents: Documents, clock: Clock) -> DownloadLink:
    """Raises: NotFound, PdfNotReady."""
    return pdf_link(_opened(token, quotes, clock).quote, documents=documents, clock=clock)


def answer_portal_quote(token: str, given: PortalAnswer, *, quotes: Quotes, clock: Clock, ids: Ids) -> Quote:
    """Accept or reject, once; the answer is kept with its evidence and locks the quote.

    Raises: NotFound, QuoteSuperseded, QuoteExpired, QuoteAlreadyAnswered, FieldErrors (another document was shown).
    """

    def attempt() -> Quote:
        opened = _opened(token, quotes, clock)
        if opened.superseded:
            raise QuoteSuperseded
        quote, now = opened.quote, clock.now()
        if _repeats(quote.decision, given):  # a second click, or an answer that was lost on its way
            return quote
        decision = QuoteDecision(
            answer=given.answer,
            name=given.name,
            comment=given.comment,
            decided_at=now,
            ip_address=given.origin.ip_address,
            recorded_by="",
            document_hash=quote.document_hash,
            pdf_sha256=quote.delivery.pdf.sha256 if quote.delivery.pdf else "",
        )
        decided = quote.decided(decision, clock.today())
        if given.document_hash != quote.document_hash:
            shown = "Ce n'est pas le document qui vous a été présenté : rechargez la page."
            raise FieldErrors((FieldError("/document_hash", shown, "Another document was shown: reload the page."),))
        accepted = given.answer is QuoteAnswer.ACCEPTED
        event = Event(
            event_id=ids.new("evt"),
            event_type=EventType.QUOTE_ACCEPTED if accepted else EventType.QUOTE_REJECTED,
            occurred_at=now,
            actor=CUSTOMER_ACTOR,
            data={
                "quote_id": quote.quote_id,
                "number": quote.number or "",
                "version": decided.version,
                "total_minor": quote.totals.total_minor,
                "document_hash": quote.document_hash,
            },
        )
        quotes.decide(decided, event=event, origin=given.origin)
        return decided

    return judged_anew(attempt, clock=clock, ids=ids)


def _repeats(decision: QuoteDecision | None, given: PortalAnswer) -> bool:
    return decision is not None and (
        (decision.answer, decision.name, decision.document_hash, decision.recorded_by)
        == (given.answer, given.name, given.document_hash, "")
    )


def _opened(token: str, quotes: Quotes, clock: Clock) -> OpenedQuote:
    parsed = LinkToken.parse(token)
    quote = quotes.open(parsed.tenant_id, parsed.document_id) if parsed else None
    link = quote.link_of(parsed.secret, clock.now()) if parsed and quote else None
    if quote is None or link is None:
        raise NotFound
    if link.revision == quote.revision:
        if quote.document is None:
            raise NotFound
        return OpenedQuote(quote=quote, superseded=False)
    former = quotes.revision(quote.tenant_id, quote.quote_id, link.revision)
    if former is None:
        raise NotFound
    return OpenedQuote(quote=former, superseded=True)
