"""The mail that carries an invoice to its customer, in French: subject, text and HTML saying the same."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from billing.domain.credit_notes import settlement_lines
from billing.domain.deliverable import Deliverable
from billing.domain.invoice import DocumentType, InvoiceDocument, IssuedInvoice
from billing.domain.parties import CustomerDescription, CustomerKind
from billing.domain.quote import Quote
from billing.domain.typography import NO_BREAK_SPACE, format_euros, format_long_date, grouped, printable

# Both travel with the mail; the provider's events give one of them back.
DELIVERY_HEADER = "X-ZenBilling-Delivery"
DELIVERY_TAG = "delivery_reference"

_NAMES = {
    DocumentType.INVOICE: ("Facture", "la facture"),
    DocumentType.CREDIT_NOTE: ("Avoir", "l'avoir"),
    DocumentType.CORRECTIVE: ("Facture rectificative", "la facture rectificative"),
    DocumentType.DEPOSIT: ("Facture d'acompte", "la facture d'acompte"),
    DocumentType.DEPOSIT_CREDIT_NOTE: ("Avoir sur acompte", "l'avoir sur acompte"),
    DocumentType.QUOTE: ("Devis", "le devis"),
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
    title, name = _NAMES[document.document_type]
    seller = _one_line(document.seller.display_name)
    taxed = f"{NO_BREAK_SPACE}TTC" if document.totals.vat_minor else ""
    letter = _Letter(
        subject=f"{title} {document.number} – {seller}",
        greeting=_greeting(document.buyer),
        opening=f"Veuillez trouver ci-joint {name} {document.number} du {format_long_date(document.issue_date)}, "
        f"d'un montant de {format_euros(document.totals.total_minor)}{taxed}.",
        facts=_credit_facts(document) if document.document_type.is_credit_note else _facts(invoice),
        link=link,
        transfer=_transfer(document) if _asks_for_money(invoice) else [],
        closing="Pour toute question, répondez simplement à ce message.",
        seller=seller,
        contact=[part for part in (document.seller.phone, document.seller.email, document.seller.website) if part],
    )
    return ComposedMail(subject=letter.subject, text=_text(letter), html=_html(letter))


def compose_mail(issued: Deliverable, *, link: str | None = None) -> ComposedMail:
    return (
        compose_quote_mail(issued, link=link) if isinstance(issued, Quote) else compose_invoice_mail(issued, link=link)
    )


def compose_quote_mail(quote: Quote, *, link: str | None = None) -> ComposedMail:
    """The mail that offers a quote; its link is where the customer accepts or declines."""
    document = quote.frozen
    seller = _one_line(document.seller.display_name)
    taxed = f"{NO_BREAK_SPACE}TTC" if document.totals.vat_minor else ""
    version = f" (version {document.revision})" if document.revision > 1 else ""
    letter = _Letter(
        subject=f"Devis {document.number}{version} – {seller}",
        greeting=_greeting(document.buyer),
        opening=f"Veuillez trouver ci-joint notre devis {document.number}{version} "
        f"du {format_long_date(document.issue_date)}, d'un montant de "
        f"{format_euros(document.totals.total_minor)}{taxed}.",
        facts=[
            ("Montant du devis", format_euros(document.totals.total_minor)),
            ("Valable jusqu'au", format_long_date(document.valid_until)),
        ],
        link=link,
        transfer=[],
        closing="Vous pouvez l'accepter en ligne par ce lien, ou nous répondre simplement par e-mail."
        if link
        else "Pour l'accepter ou pour toute question, répondez simplement à ce message.",
        seller=seller,
        contact=[part for part in (document.seller.phone, document.seller.email, document.seller.website) if part],
    )
    return ComposedMail(subject=letter.subject, text=_text(letter), html=_html(letter))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    """What is said, before it is laid out as text and as HTML."""

    subject: str
    greeting: str
    opening: str
    facts: list[tuple[str, str]]
    link: str | None
    transfer: list[tuple[str, str]]
    closing: str
    seller: str
    contact: list[str]


def _greeting(buyer: CustomerDescription) -> str:
    person = buyer.contact_name or (buyer.name if buyer.kind is CustomerKind.INDIVIDUAL else "")
    return f"Bonjour {_one_line(person)}," if person else "Bonjour,"


def _facts(invoice: IssuedInvoice) -> list[tuple[str, str]]:
    left = invoice.ledger.balance_minor
    if left <= 0:
        return [("Reste à payer", "rien, tout est réglé")]
    facts = [("Échéance", format_long_date(invoice.document.due_date))]
    label = "Montant à régler" if left == invoice.document.totals.total_minor else "Reste à payer"
    return [(label, format_euros(left)), *facts]


def _credit_facts(document: InvoiceDocument) -> list[tuple[str, str]]:
    """What comes back to the customer, and how: nothing is asked for."""
    facts = [("Montant à votre crédit", format_euros(document.totals.total_minor))]
    facts += [
        ("Facture concernée", f"{one.number} du {format_long_date(one.issue_date)}") for one in document.preceding
    ]
    return facts + [(label, format_euros(amount)) for label, amount in settlement_lines(document)]


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
    return [*rows, ("Référence à rappeler", document.number)]


def _text(letter: _Letter) -> str:
    blocks = [letter.greeting, letter.opening, _text_rows(letter.facts)]
    if letter.link:
        blocks.append(f"Voir le document : {letter.link}")
    if letter.transfer:
        blocks.append("Règlement par virement\n" + _text_rows(letter.transfer))
    blocks += [letter.closing, "\n".join(["Cordialement,", letter.seller, *letter.contact])]
    return "\n\n".join(blocks) + "\n"


def _text_rows(rows: list[tuple[str, str]]) -> str:
    return "\n".join(f"{label} : {value}" for label, value in rows)


_FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_INK, _GREY, _ACCENT, _PANEL = "#1c242e", "#616b78", "#0a5c5e", "#f3f7f7"


def _html(letter: _Letter) -> str:
    """Tables and inline styles only: what mail programs display alike. Every value is escaped."""
    name = escape(letter.seller)
    (first_label, first_value), *others = letter.facts
    remaining = "".join(
        f'<p style="margin:6px 0 0;color:{_GREY}">{escape(label)} : '
        f'<strong style="color:{_INK}">{escape(value)}</strong></p>'
        for label, value in others
    )
    button = (
        f'<p style="margin:0 0 24px"><a href="{escape(letter.link)}" style="display:inline-block;background:{_ACCENT};'
        'color:#ffffff;text-decoration:none;font-weight:600;padding:12px 20px;border-radius:6px">'
        "Voir le document</a></p>"
        if letter.link
        else ""
    )
    return f"""<!DOCTYPE html>
<html lang="fr">
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
<p style="margin:0 0 24px">{escape(letter.opening)}</p>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:{_PANEL};border-radius:6px;\
margin:0 0 24px">
<tr><td style="padding:18px 20px">
<p style="margin:0;color:{_GREY};font-size:13px">{escape(first_label)}</p>
<p style="margin:2px 0 0;font-size:24px;line-height:1.3;font-weight:700;color:{_ACCENT}">{escape(first_value)}</p>
{remaining}
</td></tr>
</table>
{button}{_html_transfer(letter.transfer)}<p style="margin:0 0 20px">{escape(letter.closing)}</p>
<p style="margin:0 0 28px">Cordialement,<br><strong>{name}</strong></p>
</td></tr>
<tr><td style="padding:16px 32px 20px;border-top:1px solid #dde3e4;font-size:12px;color:{_GREY}">
{" · ".join(escape(part) for part in letter.contact)}<br>Message envoyé avec ZenBilling pour {name}.
</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
"""


def _html_transfer(transfer: list[tuple[str, str]]) -> str:
    if not transfer:
        return ""
    rows = "\n".join(
        f'<tr><td style="padding:3px 16px 3px 0;color:{_GREY};white-space:nowrap">{escape(label)}</td>'
        f'<td style="padding:3px 0;font-weight:600">{escape(value)}</td></tr>'
        for label, value in transfer
    )
    return f"""<p style="margin:0 0 6px;font-weight:600">Règlement par virement</p>
<table role="presentation" cellpadding="0" cellspacing="0" style="margin:0 0 24px;font-size:14px">
{rows}
</table>
"""


def _one_line(text: str) -> str:
    return " ".join(printable(text).split("\n")).strip()
