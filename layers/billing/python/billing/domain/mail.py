"""The mail that carries an invoice to its customer, in its languages: subject, text and HTML saying the same."""

from __future__ import annotations

from datetime import date

from billing.domain.credit_notes import settlement_lines
from billing.domain.deliverable import Printable
from billing.domain.document_names import name_of
from billing.domain.invoice import InvoiceDocument, IssuedInvoice
from billing.domain.letter import ComposedMail, Letter, LetterLink, greeting_of, laid_out, one_line, transfer_rows
from billing.domain.quote import Quote, QuoteDocument
from billing.domain.tongue import DocumentLanguage, Tongue
from billing.domain.typography import NO_BREAK_SPACE, format_long_date

# Both travel with the mail; the provider's events give one of them back.
DELIVERY_HEADER = "X-ZenBilling-Delivery"
DELIVERY_TAG = "delivery_reference"


def compose_invoice_mail(
    invoice: IssuedInvoice,
    *,
    link: LetterLink | None = None,
    recipient: str | None = None,
    recipient_name: str = "",
    on: date | None = None,
) -> ComposedMail:
    """The mail as it stands today: what was paid meanwhile is no longer asked for,
    and what was retained is once its day has come; ``on`` the day of issue unless said.

    ``link`` is where the customer can see the document, when there is such a place.
    """
    document = invoice.document
    tongue = document.particulars.tongue
    seller = one_line(document.seller.display_name)
    letter = Letter(
        tongue=tongue,
        subject=f"{name_of(document).numbered(tongue, document.number)} – {seller}",
        greeting=greeting_of(document.buyer, tongue, recipient, recipient_name),
        opening=_opening(document, tongue),
        facts=_credit_facts(document)
        if document.document_type.is_credit_note
        else _facts(invoice, on or document.issue_date),
        link=link,
        transfer=transfer_rows(document) if _asks_for_money(invoice) else [],
        closing=tongue.choose(
            "Pour toute question, répondez simplement à ce message.",
            "If you have any question, simply reply to this message.",
        ),
        seller=seller,
        contact=[part for part in (document.seller.phone, document.seller.email, document.seller.website) if part],
    )
    return laid_out(letter)


def _opening(document: InvoiceDocument, tongue: Tongue) -> list[str]:
    named = name_of(document)
    total_minor, taxed = document.totals.total_minor, bool(document.totals.vat_minor)
    in_french = Tongue(currency=document.currency)
    in_english = Tongue(language=DocumentLanguage.ENGLISH, currency=document.currency)
    return tongue.choose(
        f"Veuillez trouver ci-joint {named.within}{named.joint}{document.number} "
        f"du {format_long_date(document.issue_date)}, "
        f"d'un montant de {in_french.money(total_minor)}{f'{NO_BREAK_SPACE}TTC' if taxed else ''}.",
        f"Please find attached the {named.english}{named.joint}{document.number} "
        f"of {in_english.long_date(document.issue_date)}, "
        f"for {in_english.money(total_minor)}{' including VAT' if taxed else ''}.",
    )


def compose_mail(
    issued: Printable, *, link: LetterLink | None, recipient: str | None, recipient_name: str, on: date
) -> ComposedMail:
    if isinstance(issued, Quote):
        return compose_quote_mail(issued, link=link, recipient=recipient, recipient_name=recipient_name)
    return compose_invoice_mail(issued, link=link, recipient=recipient, recipient_name=recipient_name, on=on)


def compose_quote_mail(
    quote: Quote, *, link: LetterLink | None = None, recipient: str | None = None, recipient_name: str = ""
) -> ComposedMail:
    """The mail that offers a quote; its link is where the customer accepts or declines."""
    document = quote.frozen
    tongue = document.particulars.tongue
    seller = one_line(document.seller.display_name)
    version = f" (version {document.revision})" if document.revision > 1 else ""
    letter = Letter(
        tongue=tongue,
        subject=f"{tongue.say('Devis')} {document.number}{version} – {seller}",
        greeting=greeting_of(document.buyer, tongue, recipient, recipient_name),
        opening=_quote_opening(document, version, tongue),
        facts=[
            (tongue.say("Montant du devis"), tongue.money(document.totals.total_minor)),
            (tongue.say("Valable jusqu'au"), tongue.long_date(document.valid_until)),
        ],
        link=link,
        transfer=[],
        closing=_quote_closing(tongue, linked=link is not None),
        seller=seller,
        contact=[part for part in (document.seller.phone, document.seller.email, document.seller.website) if part],
    )
    return laid_out(letter)


def _quote_opening(document: QuoteDocument, version: str, tongue: Tongue) -> list[str]:
    total_minor, taxed = document.totals.total_minor, bool(document.totals.vat_minor)
    in_french = Tongue(currency=document.currency)
    in_english = Tongue(language=DocumentLanguage.ENGLISH, currency=document.currency)
    return tongue.choose(
        f"Veuillez trouver ci-joint notre devis {document.number}{version} "
        f"du {format_long_date(document.issue_date)}, d'un montant de "
        f"{in_french.money(total_minor)}{f'{NO_BREAK_SPACE}TTC' if taxed else ''}.",
        f"Please find attached our quote {document.number}{version} of {in_english.long_date(document.issue_date)}, "
        f"for {in_english.money(total_minor)}{' including VAT' if taxed else ''}.",
    )


def _quote_closing(tongue: Tongue, *, linked: bool) -> list[str]:
    if linked:
        return tongue.choose(
            "Vous pouvez l'accepter en ligne par ce lien, ou nous répondre simplement par e-mail.",
            "You can accept it online by this link, or simply reply by e-mail.",
        )
    return tongue.choose(
        "Pour l'accepter ou pour toute question, répondez simplement à ce message.",
        "To accept it, or for any question, simply reply to this message.",
    )


def _facts(invoice: IssuedInvoice, on: date) -> list[tuple[str, str]]:
    tongue, left = invoice.document.particulars.tongue, invoice.ledger.balance_minor
    if left <= 0:
        return [(tongue.say("Reste à payer"), tongue.say("rien, tout est réglé"))]
    facts = [(tongue.say("Échéance"), tongue.long_date(invoice.document.due_date))]
    label = "Montant à régler" if left == invoice.document.totals.total_minor else "Reste à payer"
    retained = invoice.retained_minor(on)
    if retained:
        facts.append((tongue.say("Retenue de garantie"), tongue.money(retained)))
    return [(tongue.say(label), tongue.money(left - retained if retained < left else left)), *facts]


def _credit_facts(document: InvoiceDocument) -> list[tuple[str, str]]:
    """What comes back to the customer, and how: nothing is asked for."""
    tongue = document.particulars.tongue
    of = "of" if tongue.is_english else "du"
    facts = [("Montant de l'avoir", tongue.money(document.totals.total_minor))]
    facts += [
        ("Facture concernée", f"{one.number} {of} {tongue.long_date(one.issue_date)}") for one in document.preceding
    ]
    facts += [(label, tongue.money(amount)) for label, amount in settlement_lines(document)]
    return [(tongue.say(label), value) for label, value in facts]


def _asks_for_money(invoice: IssuedInvoice) -> bool:
    return invoice.ledger.balance_minor > 0 and not invoice.document.document_type.is_credit_note
