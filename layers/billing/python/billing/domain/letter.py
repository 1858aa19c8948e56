"""A mail to a customer, laid out as text and as HTML that say the same."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from billing.domain.invoice import InvoiceDocument
from billing.domain.parties import CustomerDescription, CustomerKind
from billing.domain.tongue import Tongue
from billing.domain.typography import grouped, printable


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedMail:
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterLink:
    """Where the reader can go, and what it says there, in French."""

    url: str
    label: str = "Voir le document"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is said, before it is laid out as text and as HTML."""

    tongue: Tongue
    subject: str
    greeting: str
    opening: list[str]
    facts: list[tuple[str, str]]
    link: LetterLink | None
    transfer: list[tuple[str, str]]
    closing: list[str]
    seller: str
    contact: list[str]
    foot: str = ""  # of a mail that is from nobody's company


def greeting_of(
    buyer: CustomerDescription, tongue: Tongue, recipient: str | None = None, recipient_name: str = ""
) -> str:
    """By name where it is known whom the mail reaches: who was told, or at the customer's own address; else by none."""
    elsewhere = recipient is not None and recipient.casefold() != (buyer.email or "").casefold()
    own = buyer.contact_name or (buyer.name if buyer.kind is CustomerKind.INDIVIDUAL else "")
    person = recipient_name or ("" if elsewhere else own)
    named = f" {one_line(person)}" if person else ""
    return " / ".join(tongue.choose(f"Bonjour{named},", f"Hello{named},"))


def transfer_rows(document: InvoiceDocument) -> list[tuple[str, str]]:
    """What a bank transfer needs; nothing when the company gives no account."""
    seller = document.seller
    if not seller.iban:
        return []
    rows = [("IBAN", grouped(seller.iban, 4))]
    if seller.bic:
        rows.append(("BIC", seller.bic))
    return [*rows, (document.particulars.tongue.say("Référence à rappeler"), document.number)]


def laid_out(letter: Letter) -> ComposedMail:
    return ComposedMail(subject=letter.subject, text=_text(letter), html=_html(letter))


def _text(letter: Letter) -> str:
    say, colon = letter.tongue.say, _colon(letter.tongue)
    blocks = [letter.greeting, *letter.opening, _text_rows(letter.facts, colon)]
    if letter.link:
        blocks.append(f"{say(letter.link.label)}{colon} {letter.link.url}")
    if letter.transfer:
        blocks.append(f"{say('Règlement par virement')}\n" + _text_rows(letter.transfer, colon))
    blocks += [*letter.closing, "\n".join([say("Cordialement,"), letter.seller, *letter.contact])]
    blocks += [letter.foot] if letter.foot else []
    return "\n\n".join(blocks) + "\n"


def _text_rows(rows: list[tuple[str, str]], colon: str) -> str:
    return "\n".join(f"{label}{colon} {value}" for label, value in rows)


def _colon(tongue: Tongue) -> str:
    """A space stands before the colon in French."""
    return ":" if tongue.is_english else " :"


_FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_INK, _GREY, _ACCENT, _PANEL = "#1c242e", "#616b78", "#0a5c5e", "#f3f7f7"


def _html(letter: Letter) -> str:
    """Tables and inline styles only: what mail programs display alike. Every value is escaped."""
    name, say, colon = escape(letter.seller), letter.tongue.say, _colon(letter.tongue)
    sent = letter.tongue.choose("Message envoyé avec ZenBilling pour", "Sent with ZenBilling for")[0]
    contact = " · ".join(escape(part) for part in letter.contact)
    foot = escape(letter.foot) if letter.foot else f"{contact}<br>{escape(sent)} {name}."
    (first_label, first_value), *others = letter.facts
    remaining = "".join(
        f'<p style="margin:6px 0 0;color:{_GREY}">{escape(label)}{colon} '
        f'<strong style="color:{_INK}">{escape(value)}</strong></p>'
        for label, value in others
    )
    button = (
        f'<p style="margin:0 0 24px"><a href="{escape(letter.link.url)}" style="display:inline-block;'
        f'background:{_ACCENT};color:#ffffff;text-decoration:none;font-weight:600;padding:12px 20px;border-radius:6px">'
        f"{escape(say(letter.link.label))}</a></p>"
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
{foot}
</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
"""


def _paragraphs(texts: list[str], style: str) -> str:
    return "\n".join(f'<p style="{style}">{escape(text)}</p>' for text in texts)


def _html_transfer(letter: Letter) -> str:
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


def one_line(text: str) -> str:
    return " ".join(printable(text).split("\n")).strip()
