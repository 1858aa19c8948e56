"""The mail that carries an invoice to its customer, in its languages: subject, text and HTML saying the same."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from billing.domain.credit_notes import settlement_lines
from billing.domain.deliverable import Deliverable
from billing.domain.invoice import DocumentType, InvoiceDocument, IssuedInvoice
from billing.domain.parties import CustomerDescription, CustomerKind
from billing.domain.quote import Quote, QuoteDocument
from billing.domain.tongue import DocumentLanguage, Tongue
from billing.domain.typography import NO_BREAK_SPACE, format_long_date, grouped, printable

# Both travel with the mail; the provider's events give one of them back.
DELIVERY_HEADER = "X-ZenBilling-Delivery"
DELIVERY_TAG = "delivery_reference"

_NAMES = {
    DocumentType.INVOICE: ("Facture", "la facture", "invoice"),
    DocumentType.CREDIT_NOTE: ("Avoir", "l'avoir", "credit note"),
    DocumentType.CORRECTIVE: ("Facture rectificative", "la facture rectificative", "corrective invoice"),
    DocumentType.DEPOSIT: ("Facture d'acompte", "la facture d'acompte", "deposit invoice"),
    DocumentType.DEPOSIT_CREDIT_NOTE: ("Avoir sur acompte", "l'avoir sur acompte", "credit note on a deposit"),
    DocumentType.QUOTE: ("Devis", "le devis", "quote"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedMail:
    subject: str
    text: str
    html: str


def compose_invoice_mail(invoice: IssuedInvoice, *, link: str | None = None) -> ComposedMail:
    """The mail as it stands today: what was paid meanwhile is no longer asked for.

    ``link`` is where the customer can see the document, when there is such a place.
    """
    document = invoice.document
    tongue = document.particulars.tongue
    seller = _one_line(document.seller.display_name)
    letter = _Letter(
        tongue=tongue,
        subject=f"{tongue.say(_NAMES[document.document_type][0])} {document.number} – {seller}",
        greeting=_greeting(document.buyer, tongue),
        opening=_opening(document, tongue),
        facts=_credit_facts(document) if document.document_type.is_credit_note else _facts(invoice),
        link=link,
        transfer=_transfer(document) if _asks_for_money(invoice) else [],
        closing=tongue.choose(
            "Pour toute question, répondez simplement à ce message.",
            "If you have any question, simply reply to this message.",
        ),
        seller=seller,
        contact=[part for part in (document.seller.phone, document.seller.email, document.seller.website) if part],
    )
    return ComposedMail(subject=letter.subject, text=_text(letter), html=_html(letter))


def _opening(document: InvoiceDocument, tongue: Tongue) -> list[str]:
    _, french, english = _NAMES[document.document_type]
    total_minor, taxed = document.totals.total_minor, bool(document.totals.vat_minor)
    in_french = Tongue(currency=document.currency)
    in_english = Tongue(language=DocumentLanguage.ENGLISH, currency=document.currency)
    return tongue.choose(
        f"Veuillez trouver ci-joint {french} {document.number} du {format_long_date(document.issue_date)}, "
        f"d'un montant de {in_french.money(total_minor)}{f'{NO_BREAK_SPACE}TTC' if taxed else ''}.",
        f"Please find attached the {english} {document.number} of {in_english.long_date(document.issue_date)}, "
        f"for {in_english.money(total_minor)}{' including VAT' if taxed else ''}.",
    )


def compose_mail(issued: Deliverable, *, link: str | None = None) -> ComposedMail:
    return (
        compose_quote_mail(issued, link=link) if isinstance(issued, Quote) else compose_invoice_mail(issued, link=link)
    )


def compose_quote_mail(quote: Quote, *, link: str | None = None) -> ComposedMail:
    """The mail that offers a quote; its link is where the customer accepts or declines."""
    document = quote.frozen
    tongue = document.particulars.tongue
    seller = _one_line(document.seller.display_name)
    version = f" (version {document.revision})" if document.revision > 1 else ""
    letter = _Letter(
        tongue=tongue,
        subject=f"{tongue.say('Devis')} {document.number}{version} – {seller}",
        greeting=_greeting(document.buyer, tongue),
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
    return ComposedMail(subject=letter.subject, text=_text(letter), html=_html(letter))


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    """What is said, before it is laid out as text and as HTML."""

    tongue: Tongue
    subject: str
    greeting: str
    opening: list[str]
    facts: list[tuple[str, str]]
    link: str | None
    transfer: list[tuple[str, str]]
    closing: list[str]
    seller: str
    contact: list[str]


def _greeting(buyer: CustomerDescription, tongue: Tongue) -> str:
    person = buyer.contact_name or (buyer.name if buyer.kind is CustomerKind.INDIVIDUAL else "")
    named = f" {_one_line(person)}" if person else ""
    return " / ".join(tongue.choose(f"Bonjour{named},", f"Hello{named},"))


def _facts(invoice: IssuedInvoice) -> list[tuple[str, str]]:
    tongue, left = invoice.document.particulars.tongue, invoice.ledger.balance_minor
    if left <= 0:
        return [(tongue.say("Reste à payer"), tongue.say("rien, tout est réglé"))]
    facts = [(tongue.say("Échéance"), tongue.long_date(invoice.document.due_date))]
    label = "Montant à régler" if left == invoice.document.totals.total_minor else "Reste à payer"
    return [(tongue.say(label), tongue.money(left)), *facts]


def _credit_facts(document: InvoiceDocument) -> list[tuple[str, str]]:
    """What comes back to the customer, and how: nothing is asked for."""
    tongue = document.particulars.tongue
    of = "of" if tongue.is_english else "du"
    facts = [("Montant à votre crédit", tongue.money(document.totals.total_minor))]
    facts += [
        ("Facture concernée", f"{one.number} {of} {tongue.long_date(one.issue_date)}") for one in document.preceding
    ]
    facts += [(label, tongue.money(amount)) for label, amount in settlement_lines(document)]
    return [(tongue.say(label), value) for label, value in facts]


def _asks_for_money(invoice: IssuedInvoice) -> bool:
    return invoice.ledger.balance_minor > 0 and not invoice.document.document_type.is_credit_note


def _transfer(document: InvoiceDocument) -> list[tuple[str, str]]:
    """What a bank transfer needs; nothing when the company gives no account."""
    seller = document.seller
    if not seller.iban:
        return []
    rows = [("IBAN", grouped(seller.iban, 4))]
    if seller.bic:
        rows.append(("BIC", seller.bic))
    return [*rows, (document.particulars.tongue.say("Référence à rappeler"), document.number)]


def _text(letter: _Letter) -> str:
    say, colon = letter.tongue.say, _colon(letter.tongue)
    blocks = [letter.greeting, *letter.opening, _text_rows(letter.facts, colon)]
    if letter.link:
        blocks.append(f"{say('Voir le document')}{colon} {letter.link}")
    if letter.transfer:
        blocks.append(f"{say('Règlement par virement')}\n" + _text_rows(letter.transfer, colon))
    blocks += [*letter.closing, "\n".join([say("Cordialement,"), letter.seller, *letter.contact])]
    return "\n\n".join(blocks) + "\n"


def _text_rows(rows: list[tuple[str, str]], colon: str) -> str:
    return "\n".join(f"{label}{colon} {value}" for label, value in rows)


def _colon(tongue: Tongue) -> str:
    """A space stands before the colon in French."""
    return ":" if tongue.is_english else " :"


_FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_INK, _GREY, _ACCENT, _PANEL = "#1c242e", "#616b78", "#0a5c5e", "#f3f7f7"


def _html(letter: _Letter) -> str:
    """Tables and inline styles only: what mail programs display alike. Every value is escaped."""
    name, say, colon = escape(letter.seller), letter.tongue.say, _colon(letter.tongue)
    sent = letter.tongue.choose("Message envoyé avec ZenBilling pour", "Sent with ZenBilling for")[0]
    (first_label, first_value), *others = letter.facts
    remaining = "".join(
        f'<p style="margin:6px 0 0;color:{_GREY}">{escape(label)}{colon} '
        f'<strong style="color:{_INK}">{escape(value)}</strong></p>'
        for label, value in others
    )
    button = (
        f'<p style="margin:0 0 24px"><a href="{escape(letter.link)}" style="display:inline-block;background:{_ACCENT};'
        'color:#ffffff;text-decoration:none;font-weight:600;padding:12px 20px;border-radius:6px">'
        f"{escape(say('Voir le document'))}</a></p>"
        if letter.link
        else ""
    )
    return f"""<!DOCTYPE html>
<html lang="{"en" if letter.tongue.is_english else "fr"}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(letter.subject)}</title>
</head>
<body style="margin:0;padding:0;background:#e9eeee;{_FONT};font-size:15px;line-height:1.55;color:{_INK}">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#e9eeee">
<tr><td align="center" style="padding:32px 12px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:580px;background:#ffffff;\
border-radius:8px;border-top:4px solid {_ACCENT}">
<tr><td style="padding:28px 32px 0;font-size:18px;font-weight:600;color:{_ACCENT}">{name}</td></tr>
<tr><td style="padding:20px 32px 4px">
<p style="margin:0 0 14px">{escape(letter.greeting)}</p>
{_paragraphs(letter.opening, "margin:0 0 24px")}
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:{_PANEL};border-radius:6px;\
margin:0 0 24px">
<tr><td style="padding:18px 20px">
<p style="margin:0;color:{_GREY};font-size:13px">{escape(first_label)}</p>
<p style="margin:2px 0 0;font-size:24px;line-height:1.3;font-weight:700;color:{_ACCENT}">{escape(first_value)}</p>
{remaining}
</td></tr>
</table>
{button}{_html_transfer(letter)}{_paragraphs(letter.closing, "margin:0 0 20px")}
<p style="margin:0 0 28px">{escape(say("Cordialement,"))}<br><strong>{name}</strong></p>
</td></tr>
<tr><td style="padding:16px 32px 20px;border-top:1px solid #dde3e4;font-size:12px;color:{_GREY}">
{" · ".join(escape(part) for part in letter.contact)}<br>{escape(sent)} {name}.
</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
"""


def _paragraphs(texts: list[str], style: str) -> str:
    return "\n".join(f'<p style="{style}">{escape(text)}</p>' for text in texts)


def _html_transfer(letter: _Letter) -> str:
    transfer = letter.transfer
    if not transfer:
        return ""
    rows = "\n".join(
        f'<tr><td style="padding:3px 16px 3px 0;color:{_GREY};white-space:nowrap">{escape(label)}</td>'
        f'<td style="padding:3px 0;font-weight:600">{escape(value)}</td></tr>'
        for label, value in transfer
    )
    return f"""<p style="margin:0 0 6px;font-weight:600">{escape(letter.tongue.say("Règlement par virement"))}</p>
<table role="presentation" cellpadding="0" cellspacing="0" style="margin:0 0 24px;font-size:14px">
{rows}
</table>
"""


def _one_line(text: str) -> str:
    return " ".join(printable(text).split("\n")).strip()
