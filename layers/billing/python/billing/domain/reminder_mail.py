"""The words of a reminder, by level and language; a company's own words take the place of the opening."""

from __future__ import annotations

import re
from collections.abc import Iterator

from billing.domain.currency import EURO
from billing.domain.errors import FieldError
from billing.domain.invoice import InvoiceDocument, IssuedInvoice
from billing.domain.letter import ComposedMail, Letter, LetterLink, greeting_of, laid_out, one_line, transfer_rows
from billing.domain.reminders import Claim, Reminder, ReminderLevel, total_claimed_minor
from billing.domain.tongue import DocumentLanguage, Tongue

VARIABLES = ("number", "issue_date", "due_date", "balance", "total", "days_late")
_VARIABLE = re.compile(r"\{([^{}]*)\}")
_SUBJECTS = {
    ReminderLevel.BEFORE_DUE: "Échéance proche",
    ReminderLevel.FIRST: "Relance",
    ReminderLevel.SECOND: "Deuxième relance",
    ReminderLevel.THIRD: "Dernière relance",
    ReminderLevel.FORMAL_NOTICE: "Mise en demeure de payer",
}
_FRENCH = {
    ReminderLevel.BEFORE_DUE: (
        "La facture {number} du {issue_date} arrive à échéance le {due_date}. "
        "Si votre règlement est déjà parti, merci de ne pas tenir compte de ce message."
    ),
    ReminderLevel.FIRST: (
        "Sauf erreur de notre part, nous n'avons pas encore reçu le règlement de la facture {number} du {issue_date}, "
        "arrivée à échéance le {due_date}. S'il est déjà parti, merci de ne pas tenir compte de ce message."
    ),
    ReminderLevel.SECOND: (
        "{again}la facture {number} du {issue_date}, échue le {due_date}, reste impayée à ce jour. "
        "Nous vous remercions de la régler sous huit jours."
    ),
    ReminderLevel.THIRD: (
        "{again}la facture {number} du {issue_date}, échue le {due_date}, reste impayée depuis {days_late} jours. "
        "Sans règlement de votre part sous huit jours, nous vous adresserons une mise en demeure."
    ),
    ReminderLevel.FORMAL_NOTICE: (
        "{again}la facture {number} du {issue_date}, échue le {due_date}, reste impayée. "
        "Par la présente, nous vous mettons en demeure de nous régler la somme de {total} sous huit jours à compter "
        "de la réception de ce message. À défaut, nous engagerons le recouvrement de cette créance par toute voie "
        "de droit."
    ),
}
_ENGLISH = {
    ReminderLevel.BEFORE_DUE: (
        "Invoice {number} of {issue_date} is due on {due_date}. "
        "If your payment is already on its way, please disregard this message."
    ),
    ReminderLevel.FIRST: (
        "Unless we are mistaken, we have not yet received the payment of invoice {number} of {issue_date}, "
        "which was due on {due_date}. If it is already on its way, please disregard this message."
    ),
    ReminderLevel.SECOND: (
        "{again}invoice {number} of {issue_date}, due on {due_date}, is still unpaid. "
        "Please settle it within eight days."
    ),
    ReminderLevel.THIRD: (
        "{again}invoice {number} of {issue_date}, due on {due_date}, has been unpaid for {days_late} days. "
        "Without your payment within eight days we will send you a formal notice."
    ),
    ReminderLevel.FORMAL_NOTICE: (
        "{again}invoice {number} of {issue_date}, due on {due_date}, is still unpaid. "
        "You are hereby given formal notice to pay us {total} within eight days of receiving this message, "
        "failing which we will recover this debt by all legal means."
    ),
}
_IN_ENGLISH = Tongue(language=DocumentLanguage.ENGLISH)
_FIRM = frozenset({ReminderLevel.SECOND, ReminderLevel.THIRD, ReminderLevel.FORMAL_NOTICE})


def variable_errors(pointer: str, text: str) -> Iterator[FieldError]:
    unknown = sorted({name for name in _VARIABLE.findall(text) if name not in VARIABLES})
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in VARIABLES)
        yield FieldError(
            pointer, f"Variable inconnue : {{{unknown[0]}}}. Connues : {known}.", f"Unknown variable. Known: {known}."
        )


def compose_reminder_mail(
    reminder: Reminder,
    invoice: IssuedInvoice,
    *,
    link: LetterLink | None = None,
    recipient: str | None = None,
    recipient_name: str = "",
) -> ComposedMail:
    """The claim as it was frozen with the reminder, in the languages of the invoice."""
    document = invoice.document
    tongue = document.particulars.tongue
    seller = one_line(document.seller.display_name)
    return laid_out(
        Letter(
            tongue=tongue,
            subject=f"{tongue.say(_SUBJECTS[reminder.level])}{_colon(tongue)}{document.number} – {seller}",
            greeting=greeting_of(document.buyer, tongue, recipient, recipient_name),
            opening=_opening(reminder, document, tongue),
            facts=list(_facts(reminder.claim, document, tongue)),
            link=link,
            transfer=transfer_rows(document),
            closing=_closing(tongue),
            seller=seller,
            contact=[part for part in (document.seller.phone, document.seller.email, document.seller.website) if part],
        )
    )


def _colon(tongue: Tongue) -> str:
    return ": " if tongue.is_english else " : "


def _opening(reminder: Reminder, document: InvoiceDocument, tongue: Tongue) -> list[str]:
    french = Tongue(currency=document.currency)
    english = Tongue(language=DocumentLanguage.ENGLISH, currency=document.currency)
    firm = reminder.level in _FIRM
    return tongue.choose(
        _filled(
            reminder.french or _FRENCH[reminder.level],
            reminder.claim,
            document,
            french,
            again=_again("Malgré notre précédent message, ", "Sauf erreur de notre part, ", reminder) if firm else "",
        ),
        _filled(
            reminder.english or _ENGLISH[reminder.level],
            reminder.claim,
            document,
            english,
            again=_again("Despite our earlier message, ", "Unless we are mistaken, ", reminder) if firm else "",
        ),
    )


def _again(followed: str, first: str, reminder: Reminder) -> str:
    return followed if reminder.followed else first


def _filled(text: str, claim: Claim, document: InvoiceDocument, tongue: Tongue, *, again: str) -> str:
    values = {
        "number": document.number,
        "issue_date": tongue.long_date(document.issue_date),
        "due_date": tongue.long_date(claim.due_date or document.due_date),
        "balance": tongue.money(claim.balance_minor),
        "total": tongue.money(total_claimed_minor(claim, document.currency)),
        "days_late": str(claim.days_late),
        "again": again,
    }
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), text)


def _facts(claim: Claim, document: InvoiceDocument, tongue: Tongue) -> Iterator[tuple[str, str]]:
    yield tongue.say("Reste à payer"), tongue.money(claim.balance_minor)
    yield tongue.say("Échéance"), tongue.long_date(claim.due_date or document.due_date)
    if claim.days_late:
        yield tongue.say("Retard"), _days(claim.days_late, tongue)
    fees = claim.late_fees
    if fees is None:
        return
    rate = " / ".join(tongue.choose(f"{Tongue().percent(fees.rate)} l'an", f"{_IN_ENGLISH.percent(fees.rate)} a year"))
    yield f"{tongue.say('Pénalités de retard')} ({rate})", tongue.money(fees.penalty_minor)
    yield tongue.say("Indemnité forfaitaire de recouvrement"), tongue.money(fees.fee_minor, EURO)
    if document.currency == EURO:
        yield tongue.say("Total dû à ce jour"), tongue.money(total_claimed_minor(claim, document.currency))


def _days(days: int, tongue: Tongue) -> str:
    one = days == 1
    return " / ".join(tongue.choose(f"{days} jour{'' if one else 's'}", f"{days} day{'' if one else 's'}"))


def _closing(tongue: Tongue) -> list[str]:
    return tongue.choose(
        "La facture est jointe à ce message. En cas de difficulté ou de désaccord, répondez simplement à ce message.",
        "The invoice is attached. If there is a difficulty or a disagreement, simply reply to this message.",
    )
