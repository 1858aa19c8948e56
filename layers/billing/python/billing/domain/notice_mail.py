"""The words of a mail to the company itself: in French, with what matters in English at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from billing.domain.dates import PARIS, civil_date, format_french
from billing.domain.ledger import PaymentMethod
from billing.domain.letter import ComposedMail, Letter, LetterLink, laid_out, one_line
from billing.domain.notices import CompanyNotice, MoneyFact, NoticeKind
from billing.domain.plans import FREE, PlanId, plan_of
from billing.domain.stripe_payment import method_of
from billing.domain.stripe_words import explain_dispute_reason, explain_failure
from billing.domain.tongue import DocumentLanguage, Tongue
from billing.domain.typography import NO_BREAK_SPACE

SENDERS: Final = {True: "Abonnement", False: "Paiements"}  # by whether it is of the subscription
_HOUSE: Final = "ZenBilling"
_EVIDENCE: Final = (
    "Remettez vos justificatifs sur le tableau de bord de Stripe : devis accepté, preuve de livraison ou de "
    "réalisation, échanges avec le client. La réponse part en une seule fois : réunissez tout avant de l'envoyer."
)
_AFTER_LOSS: Final = (
    "ZenBilling l'enregistre comme un remboursement. Si la vente reste due, la facture est à régler par un autre "
    "moyen ; si elle ne l'est plus, établissez un avoir."
)
_FRENCH = Tongue()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """The parts of a mail that differ from kind to kind."""

    subject: str
    opening: list[str]
    facts: list[tuple[str, str]]
    closing: list[str]
    english: str
    link: LetterLink | None = None


def sender_of(notice: CompanyNotice) -> str:
    return SENDERS[notice.fact.kind.is_of_subscription]


def compose_notice(notice: CompanyNotice, *, subscription_url: str) -> ComposedMail:
    """``subscription_url``: the page of the app where the company sees its subscription."""
    said = _SAID[notice.fact.kind](notice.fact, subscription_url)
    return laid_out(
        Letter(
            tongue=_FRENCH,
            subject=said.subject,
            greeting="Bonjour,",
            opening=said.opening,
            facts=said.facts,
            link=said.link,
            transfer=[],
            closing=[*said.closing, f"In English: {said.english}"],
            seller=_HOUSE,
            contact=[],
            foot="Message automatique de ZenBilling, envoyé à l'adresse de votre entreprise.",
        )
    )


def _opened(fact: MoneyFact, _: str) -> _Said:
    money, customer, number = _money(fact), one_line(fact.customer_name), fact.invoice_number
    why = explain_dispute_reason(fact.reason)
    until = f"avant le {format_french(civil_date(fact.due_at))}" if fact.due_at else "dès que possible"
    match fact.kind:
        case NoticeKind.INQUIRY_OPENED:
            what, english = "Demande de la banque sur", f"The bank of {customer} asks about"
            first = (
                f"La banque du client ({customer}) demande des explications sur le paiement de la facture {number}. "
                "L'argent vous reste acquis pour l'instant ; sans réponse, la demande peut devenir un litige."
            )
        case NoticeKind.DISPUTE_DUE:
            what, english = "Rappel, paiement contesté :", f"A reminder: {customer} contests"
            first = (
                f"{customer} conteste le paiement de la facture {number}, et votre réponse est toujours attendue. "
                "Passé l'échéance, la banque tranche sans vous avoir entendu."
            )
        case _:
            what, english = "Litige sur", f"{customer} contests"
            first = (
                f"{customer} conteste auprès de sa banque le paiement de la facture {number}. La somme est retenue "
                "jusqu'à la décision de la banque ; sans réponse de votre part, elle est rendue au client."
            )
    deadline = [("À remettre avant le", _instant(fact.due_at))] if fact.due_at else []
    taken = f" until {_english_instant(fact.due_at)}" if fact.due_at else ""
    return _Said(
        subject=f"{what} la facture {number}, répondez {until}",
        opening=[
            first,
            _EVIDENCE,
        ],
        facts=[("Montant contesté", money), *deadline, *_invoice(fact), ("Motif", why.french)],
        link=LetterLink(url=fact.answer_url, label="Répondre sur Stripe"),
        closing=["Si la contestation est fondée, vous pouvez aussi l'accepter au même endroit."],
        english=f"{english} the payment of invoice {number} ({_english_money(fact)}). {why.english} "
        f"Answer in Stripe's dashboard{taken}.",
    )


def _won(fact: MoneyFact, _: str) -> _Said:
    number, customer = fact.invoice_number, one_line(fact.customer_name)
    return _Said(
        subject=f"Litige gagné : facture {number}",
        opening=[f"La banque du client ({customer}) a tranché en votre faveur : la somme vous revient."],
        facts=[("Montant qui vous revient", _money(fact)), *_invoice(fact)],
        link=LetterLink(url=fact.answer_url, label="Voir le litige sur Stripe"),
        closing=["Vous n'avez rien à faire."],
        english=f"The dispute over invoice {number} is won: {_english_money(fact)} is yours again.",
    )


def _lost(fact: MoneyFact, _: str) -> _Said:
    number, customer = fact.invoice_number, one_line(fact.customer_name)
    return _Said(
        subject=f"Litige perdu : facture {number}",
        opening=[
            f"La banque du client ({customer}) lui a donné raison : la somme lui est rendue.",
            _AFTER_LOSS,
        ],
        facts=[("Montant rendu au client", _money(fact)), *_invoice(fact)],
        link=LetterLink(url=fact.answer_url, label="Voir le litige sur Stripe"),
        closing=[],
        english=f"The dispute over invoice {number} is lost: {customer} has {_english_money(fact)} back.",
    )


def _failed(fact: MoneyFact, _: str) -> _Said:
    number, customer = fact.invoice_number, one_line(fact.customer_name)
    debit = method_of(fact.method) is PaymentMethod.DIRECT_DEBIT
    why = explain_failure(fact.reason) if fact.reason else None
    reason = [("Motif", why.french)] if why else []
    because = f" {why.english}" if why else ""
    return _Said(
        subject=f"{'Prélèvement refusé' if debit else 'Paiement refusé'} : facture {number}",
        opening=[
            f"{customer} avait confirmé {'un prélèvement' if debit else 'un paiement'} pour la facture {number}.",
            "Sa banque l'a refusé : vous n'avez rien reçu, et la facture reste à régler.",
        ],
        facts=[("Montant refusé", _money(fact)), *_invoice(fact), *reason],
        closing=["Le client peut payer de nouveau par le lien de sa facture ; prévenez-le, Stripe ne le fait pas."],
        english=f"The bank of {customer} refused the payment of invoice {number} ({_english_money(fact)}).{because} "
        "The invoice is still to be paid.",
    )


def _unreadable(fact: MoneyFact, _: str) -> _Said:
    number, customer = fact.invoice_number, one_line(fact.customer_name)
    debit = method_of(fact.method) is PaymentMethod.DIRECT_DEBIT
    what = "un prélèvement" if debit else "un paiement"
    day = civil_date(_known(fact.confirmed_at))
    lost = (
        f"{customer} avait confirmé {what} pour la facture {number}. Depuis plusieurs jours, Stripe ne le montre "
        "plus : personne n'a pu lire ce qu'il est devenu."
    )
    then = (
        "La facture est de nouveau à régler, et ses relances reprennent. L'argent peut être venu malgré tout : "
        "vérifiez sur Stripe avant de le réclamer. ZenBilling l'enregistrera s'il arrive et que Stripe le montre."
    )
    return _Said(
        subject=f"{'Prélèvement' if debit else 'Paiement'} sans nouvelles : facture {number}",
        opening=[lost, then],
        facts=[("Montant attendu", _money(fact)), *_invoice(fact), ("Confirmé le", _FRENCH.long_date(day))],
        link=LetterLink(url=fact.answer_url, label="Voir le paiement sur Stripe"),
        closing=["Si vous avez retiré à ZenBilling l'accès à votre compte Stripe, reliez-le de nouveau."],
        english=f"Nobody could read what became of the payment of invoice {number} that {customer} confirmed on "
        f"{_ENGLISH.long_date(day)} ({_english_money(fact)}). The invoice is to be paid again; look at Stripe before "
        "you claim it.",
    )


def _trial(fact: MoneyFact, subscription_url: str) -> _Said:
    plan = plan_of(PlanId(fact.plan))
    day = civil_date(_known(fact.due_at))
    after_fr, after_en = (
        (f"offre {FREE.name_fr}", f"the {FREE.name_en} plan")
        if fact.ends
        else (f"{_money(fact)} HT par mois", f"{_english_money(fact)} a month, excluding VAT")
    )
    then = (
        f"Vous avez demandé l'arrêt : rien ne sera prélevé, et vous passerez à l'offre {FREE.name_fr}."
        if fact.ends
        else "L'abonnement se poursuit ensuite sans rien faire de votre part. Si vous n'en voulez pas, arrêtez-le "
        "avant cette date : rien ne sera prélevé."
    )
    return _Said(
        subject=f"Votre essai de l'offre {plan.name_fr} se termine le {format_french(day)}",
        opening=[f"L'essai gratuit de l'offre {plan.name_fr} se termine bientôt.", then],
        facts=[("Fin de l'essai", _FRENCH.long_date(day)), ("Ensuite", after_fr)],
        link=LetterLink(url=subscription_url, label="Gérer mon abonnement"),
        closing=["Vos documents restent les vôtres, quelle que soit l'offre."],
        english=f"Your trial of the {plan.name_en} plan ends on {_ENGLISH.long_date(day)}; then: {after_en}.",
    )


def _dunned(fact: MoneyFact, subscription_url: str) -> _Said:
    plan = plan_of(PlanId(fact.plan))
    next_day = civil_date(fact.next_attempt_at) if fact.next_attempt_at else None
    last_day = civil_date(fact.due_at) if fact.due_at else None
    again = [("Prochaine tentative", _FRENCH.long_date(next_day))] if next_day else []
    ends = [("Sans paiement, l'offre s'arrête le", _FRENCH.long_date(last_day))] if last_day else []
    until = f" by {_ENGLISH.long_date(last_day)}" if last_day else ""
    return _Said(
        subject=f"Le paiement de votre abonnement {_HOUSE} a échoué",
        opening=[
            f"Le paiement de l'offre {plan.name_fr} a été refusé. "
            + (
                "Tout continue de fonctionner : vérifiez votre carte, ou changez-en."
                if fact.due_at
                else f"Vous êtes passé à l'offre {FREE.name_fr} : réglez pour retrouver l'offre {plan.name_fr}."
            )
        ],
        facts=[("Abonnement", f"{plan.name_fr}, {_money(fact)} HT par mois"), *again, *ends],
        link=LetterLink(url=subscription_url, label="Changer de carte"),
        closing=["Rien de ce que vous avez émis n'est touché."],
        english=f"The payment of your {plan.name_en} plan failed: change the card{until}.",
    )


_SAID: Final[dict[NoticeKind, Callable[[MoneyFact, str], _Said]]] = {
    NoticeKind.INQUIRY_OPENED: _opened,
    NoticeKind.DISPUTE_OPENED: _opened,
    NoticeKind.DISPUTE_DUE: _opened,
    NoticeKind.DISPUTE_WON: _won,
    NoticeKind.DISPUTE_LOST: _lost,
    NoticeKind.PAYMENT_FAILED: _failed,
    NoticeKind.PAYMENT_UNREADABLE: _unreadable,
    NoticeKind.TRIAL_ENDING: _trial,
    NoticeKind.SUBSCRIPTION_PAYMENT_FAILED: _dunned,
}
_ENGLISH = Tongue(language=DocumentLanguage.ENGLISH)


def _invoice(fact: MoneyFact) -> list[tuple[str, str]]:
    return [("Facture", fact.invoice_number), ("Client", one_line(fact.customer_name))]


def _money(fact: MoneyFact) -> str:
    return _FRENCH.money(fact.amount_minor, fact.currency)


def _english_money(fact: MoneyFact) -> str:
    return _ENGLISH.money(fact.amount_minor, fact.currency)


def _instant(at: datetime) -> str:
    local = at.astimezone(PARIS)
    return f"{_FRENCH.long_date(local.date())} à {local:%H}{NO_BREAK_SPACE}h{NO_BREAK_SPACE}{local:%M} (heure de Paris)"


def _english_instant(at: datetime) -> str:
    local = at.astimezone(PARIS)
    return f"{_ENGLISH.long_date(local.date())}, {local:%H:%M} (Paris)"


def _known(at: datetime | None) -> datetime:
    if at is None:
        raise ValueError("what such a notice is of has its day")
    return at
