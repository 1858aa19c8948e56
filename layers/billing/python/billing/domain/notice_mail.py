"""The words of a mail to the company itself: in French, with what matters in English at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from billing.domain.checkout import method_of
from billing.domain.currency import EURO
from billing.domain.dates import PARIS, civil_date, first_of_next_month, format_french
from billing.domain.ledger import PaymentMethod
from billing.domain.letter import ComposedMail, Letter, LetterLink, laid_out, one_line
from billing.domain.notices import CompanyNotice, MoneyFact, NoticeKind
from billing.domain.plans import FREE, PLAN_CURRENCY, PRO, PlanId, plan_of
from billing.domain.stripe_words import explain_dispute_reason, explain_failure, explain_reason, explain_requirement
from billing.domain.tongue import DocumentLanguage, Tongue
from billing.domain.typography import NO_BREAK_SPACE
from billing.domain.unborne import UnborneCause

SENDERS: Final = {True: "Abonnement", False: "Paiements"}  # by whether it is of the subscription
_HOUSE: Final = "ZenBilling"
_EVIDENCE: Final = (
    "Remettez vos justificatifs sur le tableau de bord de Stripe : devis accepté, preuve de livraison ou de "
    "réalisation, échanges avec le client. La réponse part en une seule fois : réunissez tout avant de l'envoyer."
)
_TO_BE_DECIDED: Final = "Si la vente reste due, la facture est à régler par un autre moyen"
_FOLLOWS: Final = (
    "Dès que c'est fait, ZenBilling l'enregistre de lui-même, au plus tard le lendemain.",
    "ZenBilling then records it by itself, by the next day.",
)
_UNBORNE: Final = {
    UnborneCause.CREDIT_SPENT: (
        "cet argent était devenu un crédit du client, qui a été dépensé ou rendu autrement",
        "this money had become credit of the customer, which was spent or given back otherwise",
    ),
    UnborneCause.GIVEN_BACK_TWICE: (
        "vos comptes ont déjà rendu cet argent au client autrement",
        "your books gave this money back to the customer otherwise already",
    ),
    UnborneCause.OTHER: (
        "il faut qu'une personne de ZenBilling regarde ce qui ne correspond pas",
        "somebody at ZenBilling has to look at what does not fit",
    ),
}
_CONTESTED_MEANWHILE: Final = "charge_for_pending_refund_disputed"
_CONTESTED: Final = (
    "Ne le remboursez pas une seconde fois : répondez au litige, ou acceptez-le, sur le tableau de bord de Stripe.",
    "Do not refund it as well: answer the dispute at Stripe, or accept it.",
)
_BY_TRANSFER: Final = (
    "Demandez au client ses coordonnées bancaires et remboursez-le par virement.",
    "Ask the customer for bank details and refund by transfer.",
)
AWAITED_AT_MOST: Final = 8  # of what Stripe waits for; its dashboard has them all
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
            opening=[_kept_together(one) for one in said.opening],
            facts=said.facts,
            link=said.link,
            transfer=[],
            closing=[*(_kept_together(one) for one in said.closing), f"In English: {said.english}"],
            seller=_HOUSE,
            contact=[],
            foot="Message automatique de ZenBilling, envoyé à l'adresse de votre entreprise.",
        )
    )


def _kept_together(french: str) -> str:
    """No line begins with a mark that a space stands before."""
    return french.replace(" ;", f"{NO_BREAK_SPACE};").replace(" :", f"{NO_BREAK_SPACE}:")


def _inquired(fact: MoneyFact, _: str) -> _Said:
    """A bank asks, and decides nothing: the money stays where it is."""
    customer, number, until = one_line(fact.customer_name), fact.invoice_number, _until(fact)
    if fact.kind is NoticeKind.INQUIRY_DUE:
        what = "Rappel : demande de la banque"
        first = (
            f"La banque du client ({customer}) attend toujours vos explications sur le paiement de la facture "
            f"{number}. L'argent est encore chez vous ; sans réponse, la demande peut devenir un litige, et la somme "
            "être retenue."
        )
    else:
        what = "Demande de la banque"
        first = (
            f"La banque du client ({customer}) demande des explications sur le paiement de la facture {number}. "
            "L'argent vous reste acquis pour l'instant ; sans réponse, la demande peut devenir un litige."
        )
    reminder = "A reminder: the" if fact.kind is NoticeKind.INQUIRY_DUE else "The"
    return _answerable(
        fact,
        subject=f"{what} sur la facture {number}, répondez {until}",
        first=first,
        amount="Montant concerné",
        closing="Si le client a raison, remboursez-lui ce paiement : la demande est alors sans objet.",
        english=f"{reminder} bank of {customer} asks about",
    )


def _disputed(fact: MoneyFact, _: str) -> _Said:
    customer, number, until = one_line(fact.customer_name), fact.invoice_number, _until(fact)
    if fact.kind is NoticeKind.DISPUTE_DUE:
        what, english = "Rappel : litige", f"A reminder: {customer} contests"
        first = (
            f"{customer} conteste le paiement de la facture {number}, et votre réponse est toujours attendue. "
            "Passé l'échéance, la banque tranche sans vous avoir entendu."
        )
    else:
        what, english = "Litige", f"{customer} contests"
        first = (
            f"{customer} conteste auprès de sa banque le paiement de la facture {number}. La somme est retenue "
            "jusqu'à la décision de la banque ; sans réponse de votre part, elle est rendue au client."
        )
    return _answerable(
        fact,
        subject=f"{what} sur la facture {number}, répondez {until}",
        first=first,
        amount="Montant contesté",
        closing="Si la contestation est fondée, vous pouvez aussi l'accepter au même endroit.",
        english=english,
    )


def _until(fact: MoneyFact) -> str:
    return f"avant le {format_french(civil_date(fact.due_at))}" if fact.due_at else "dès que possible"


def _answerable(fact: MoneyFact, *, subject: str, first: str, amount: str, closing: str, english: str) -> _Said:
    """What a bank waits for an answer to."""
    why = explain_dispute_reason(fact.reason)
    deadline = [("À remettre avant le", _instant(fact.due_at))] if fact.due_at else []
    taken = f" until {_english_instant(fact.due_at)}" if fact.due_at else ""
    return _Said(
        subject=subject,
        opening=[first, _EVIDENCE],
        facts=[(amount, _money(fact)), *deadline, *_invoice(fact), ("Motif", why.french)],
        link=LetterLink(url=fact.answer_url, label="Répondre sur Stripe"),
        closing=[closing],
        english=f"{english} the payment of invoice {fact.invoice_number} ({_english_money(fact)}). {why.english} "
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
    opening, fee, english_fee = [], [], ""
    if fact.fee_minor > 0:
        opening = ["Stripe garde aussi ses frais de litige, qui ne vous sont pas rendus."]
        english_fee = " Stripe also keeps its dispute fee."
        if fact.currency == EURO:  # what is contested in another one costs a fee in that of the account
            fee = [("Frais de litige de Stripe", _FRENCH.money(fact.fee_minor, EURO))]
            english_fee = f" Stripe also keeps its dispute fee of {_ENGLISH.money(fact.fee_minor, EURO)}."
    booked, english_booked = _booked_of_loss(fact)
    unbooked = [("Pas dans vos comptes", _FRENCH.money(fact.unbooked_minor, fact.currency))]
    todo, english_todo = _to_do_of_unborne(fact) if fact.unbooked_minor else ([], "")
    return _Said(
        subject=f"Litige perdu : facture {number}",
        opening=[
            f"La banque du client ({customer}) lui a donné raison : la somme lui est rendue.",
            *opening,
            booked,
            *todo,
        ],
        facts=[
            ("Montant rendu au client", _money(fact)),
            *(unbooked if fact.unbooked_minor else []),
            *fee,
            *_invoice(fact),
        ],
        link=LetterLink(url=fact.answer_url, label="Voir le litige sur Stripe"),
        closing=[],
        english=f"The dispute over invoice {number} is lost: {customer} has {_english_money(fact)} back.{english_fee}"
        f"{english_booked}{english_todo}",
    )


def _booked_of_loss(fact: MoneyFact) -> tuple[str, str]:
    """What of a loss is in the books, and what becomes of the sale."""
    if fact.unbooked_minor:
        french, english = _UNBORNE[UnborneCause(fact.cause)]
        if fact.unbooked_minor >= fact.amount_minor:
            return f"ZenBilling n'a rien pu en enregistrer : {french}.", f" None of it is in your books: {english}."
        booked = fact.amount_minor - fact.unbooked_minor
        part, english_part = _FRENCH.money(booked, fact.currency), _ENGLISH.money(booked, fact.currency)
        return (
            f"ZenBilling en a enregistré {part}, et pas le reste : {french}.",
            f" Your books have {english_part} of it, and not the rest: {english}.",
        )
    if fact.noted_minor >= fact.amount_minor:
        nothing = "Vos avoirs l'avaient déjà rendue au client dans vos comptes : rien n'y change, et vous n'avez pas"
        return f"{nothing} d'autre avoir à établir.", " Your credit notes had given it back in your books already."
    return f"{_recorded(fact)} {_still_to_do(fact)}", ""


def _recorded(fact: MoneyFact) -> str:
    if not fact.noted_minor:
        return "ZenBilling l'enregistre comme un remboursement."
    noted = _FRENCH.money(fact.noted_minor, fact.currency)
    return f"ZenBilling l'enregistre comme un remboursement, sauf {noted} que vos avoirs avaient déjà rendus."


def _still_to_do(fact: MoneyFact) -> str:
    if fact.credited_minor >= fact.invoiced_minor > 0:
        return "L'avoir qui annule cette facture existe déjà : n'en établissez pas d'autre."
    if fact.credited_minor:
        credited = _FRENCH.money(fact.credited_minor, fact.currency)
        known = f"la facture porte déjà {credited} d'avoirs : n'en établissez un autre que pour ce qui n'est plus dû"
        return f"{_TO_BE_DECIDED} ; {known} au-delà."
    return f"{_TO_BE_DECIDED} ; si elle ne l'est plus, établissez un avoir."


def _to_do_of_unborne(fact: MoneyFact) -> tuple[list[str], str]:
    """How a company sets its books right, for ZenBilling to follow."""
    missing = _FRENCH.money(fact.missing_minor, fact.currency)
    english_missing = _ENGLISH.money(fact.missing_minor, fact.currency)
    match UnborneCause(fact.cause):
        case UnborneCause.CREDIT_SPENT:
            reverse = (
                f"Il manque {missing} au crédit du client. Annulez les paiements faits avec ce crédit : les factures "
                f"qu'ils réglaient seront de nouveau à payer. {_FOLLOWS[0]}"
            )
            claim = (
                "Si vous avez rendu ce crédit au client d'une autre façon, il a cet argent deux fois : réclamez-le-lui."
            )
            english = (
                f" The customer's credit lacks {english_missing}. Reverse the payments made from it: {_FOLLOWS[1]} "
                "If you gave that credit back otherwise, claim the sum from the customer."
            )
            if fact.twice_minor:
                twice, english_twice = (one.money(fact.twice_minor, fact.currency) for one in (_FRENCH, _ENGLISH))
                more = f"Le client a de plus reçu {twice} deux fois : réclamez-lui cette somme."
                return [reverse, claim, more], f"{english} The customer has {english_twice} of it twice: claim it."
            return [reverse, claim], english
        case UnborneCause.GIVEN_BACK_TWICE:
            twice = (
                f"Le client a reçu {missing} deux fois : réclamez-lui cette somme. Si un remboursement vous revient, "
                "ZenBilling l'enregistre de lui-même."
            )
            english = f" The customer has {english_missing} twice: claim it. A refund that comes back is recorded."
            return [twice], english
        case UnborneCause.OTHER:
            return [], ""


def _not_borne(fact: MoneyFact, _: str) -> _Said:
    number, customer = fact.invoice_number, one_line(fact.customer_name)
    why, english_why = _UNBORNE[UnborneCause(fact.cause)]
    todo, english_todo = _to_do_of_unborne(fact)
    first = (
        f"Stripe a rendu {_money(fact)} à {customer} sur le paiement de la facture {number}. ZenBilling n'a pas pu "
        f"l'enregistrer : {why}."
    )
    return _Said(
        subject=f"Remboursement que vos comptes ne suivent pas : facture {number}",
        opening=[first, *todo],
        facts=[
            ("Rendu par Stripe", _money(fact)),
            ("Pas dans vos comptes", _FRENCH.money(fact.unbooked_minor, fact.currency)),
            *_invoice(fact),
        ],
        link=LetterLink(url=fact.answer_url, label="Voir le paiement sur Stripe"),
        closing=[],
        english=f"Stripe gave {_english_money(fact)} of the payment of invoice {number} back to {customer}, and it is "
        f"not in your books: {english_why}.{english_todo}",
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


def _sent_back(fact: MoneyFact, _: str) -> _Said:
    number, customer = fact.invoice_number, one_line(fact.customer_name)
    why = explain_failure(fact.reason)
    todo, english = _CONTESTED if fact.reason == _CONTESTED_MEANWHILE else _BY_TRANSFER
    first = (
        f"Le remboursement à {customer} pour la facture {number} n'a pas abouti : le client n'a rien reçu, et l'argent "
        "est revenu sur votre compte Stripe."
    )
    return _Said(
        subject=f"Remboursement refusé par la banque : facture {number}",
        opening=[first, todo],
        facts=[("Montant revenu chez vous", _money(fact)), *_invoice(fact), ("Motif", why.french)],
        closing=[],
        english=f"The refund of {_english_money(fact)} to {customer} for invoice {number} failed, and the money is "
        f"with you again. {why.english} {english}",
    )


def _beyond(fact: MoneyFact, _: str) -> _Said:
    number, customer = fact.invoice_number, one_line(fact.customer_name)
    received = _FRENCH.money(fact.received_minor, fact.currency)
    if fact.amount_minor == fact.received_minor:
        owed, settled, became = "ne devait plus rien", "soldée", "Ce paiement est devenu"
        back = "remboursez-lui ce paiement, Stripe le lui rend."
    else:  # a refund is taken from the invoice first
        owed, settled, became = "ne devait plus autant", "réglée en partie", "Ce qui dépasse est devenu"
        back = (
            "remboursez ce montant sur le paiement, puis imputez le crédit à la facture, qui sera de nouveau due "
            "d'autant."
        )
    first = (
        f"{customer} a payé {received} en ligne pour la facture {number}, qui {owed} : un avoir ou un autre paiement "
        f"l'avait {settled} entre-temps. {became} un crédit du client."
    )
    return _Said(
        subject=f"Payé en trop : {_money(fact)} sur la facture {number}",
        opening=[first, f"Gardez ce crédit pour une prochaine facture du client. Pour le rendre : {back}"],
        facts=[("Crédit du client", _money(fact)), ("Reçu en ligne", received), *_invoice(fact)],
        closing=["Prévenez le client : sa page le lui dit, mais aucun mail."],
        english=f"{customer} paid invoice {number} online when it was credited or paid otherwise: "
        f"{_english_money(fact)} became credit of the customer. Use it for another invoice, or refund the payment.",
    )


def _closed(fact: MoneyFact, _: str) -> _Said:
    why = explain_reason(fact.reason)
    awaited = [explain_requirement(code) for code in fact.awaited]
    french = list(dict.fromkeys(one.french for one in awaited))[:AWAITED_AT_MOST]
    english = list(dict.fromkeys(one.english for one in awaited))[:AWAITED_AT_MOST]
    first = (
        "Stripe n'accepte plus de paiements pour votre compte : vos clients ne peuvent plus payer vos factures en "
        "ligne. Les virements et les autres moyens de paiement ne sont pas touchés."
    )
    if awaited:
        closed = "attend des informations"
        todo = "Donnez à Stripe ce qu'il attend : les paiements reprennent dès qu'il l'a accepté."
    else:
        closed = "a fermé les paiements"
        todo = "Stripe ne dit pas ce qu'il attend : voyez sur son tableau de bord, ou avec son assistance."
    return _Said(
        subject=f"Vos factures ne se paient plus en ligne : Stripe {closed}",
        opening=[first, todo],
        facts=[
            ("Paiements en ligne", "Fermés par Stripe"),
            *([("Motif", why.french)] if why else []),
            *(("À fournir", sentence) for sentence in french),
        ],
        link=LetterLink(url=fact.answer_url, label="Ouvrir Stripe"),
        closing=[],
        english=" ".join(
            ["Stripe takes no payments for your account any more.", *([why.english] if why else []), *english]
        ),
    )


def _trial(fact: MoneyFact, subscription_url: str) -> _Said:
    plan = plan_of(PlanId(fact.plan))
    day = civil_date(_known(fact.due_at))
    after_fr, after_en = (
        (FREE.offer_fr, f"the {FREE.name_en} plan")
        if fact.ends
        else (f"{_money(fact)} HT par mois", f"{_english_money(fact)} a month, excluding VAT")
    )
    then = (
        f"Vous avez demandé l'arrêt : rien ne sera prélevé, et vous passerez à l'{FREE.offer_fr}."
        if fact.ends
        else "L'abonnement se poursuit ensuite sans action de votre part. Si vous n'en voulez pas, arrêtez-le avant le "
        f"{_FRENCH.long_date(day)} : rien ne sera prélevé."
    )
    return _Said(
        subject=f"Votre essai de l'{plan.offer_fr} se termine le {format_french(day)}",
        opening=[f"L'essai gratuit de l'{plan.offer_fr} se termine bientôt.", then],
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
            f"Le paiement de l'{plan.offer_fr} a été refusé. "
            + (
                "Tout continue de fonctionner : vérifiez votre carte, ou changez-en."
                if fact.due_at
                else f"Vous êtes passé à l'{FREE.offer_fr} : réglez pour retrouver l'{plan.offer_fr}."
            )
        ],
        facts=[("Abonnement", f"{plan.name_fr}, {_money(fact)} HT par mois"), *again, *ends],
        link=LetterLink(url=subscription_url, label="Changer de carte"),
        closing=["Rien de ce que vous avez émis n'est touché."],
        english=f"The payment of your {plan.name_en} plan failed: change the card{until}.",
    )


def _used(fact: MoneyFact, subscription_url: str) -> _Said:
    plan = plan_of(PlanId(fact.plan))
    month = _known_month(fact.month)
    anew, full = first_of_next_month(month), fact.kind is NoticeKind.PLAN_FULL
    stops_at, price = plan.stops_at or plan.invoices_a_month, _FRENCH.money(PRO.monthly_price_minor, PLAN_CURRENCY)
    if full:
        subject = f"{plan.offer_fr.capitalize()} : plus de nouvelle facture avant le {format_french(anew)}"
        first = (
            f"Vous avez émis {fact.issued} factures ce mois-ci, le maximum de l'{plan.offer_fr}. Les suivantes "
            f"restent en brouillon : vous pourrez les émettre à partir du {_FRENCH.long_date(anew)}."
        )
        english = (
            f"The {plan.name_en} plan is used up: new invoices stay drafts, which you can issue from "
            f"{_ENGLISH.long_date(anew)} on."
        )
    else:
        subject = f"{plan.offer_fr.capitalize()} : {fact.issued} factures sur {plan.invoices_a_month} ce mois-ci"
        first = (
            f"Vous avez émis {fact.issued} des {plan.invoices_a_month} factures par mois que prévoit "
            f"l'{plan.offer_fr}. Rien ne s'arrête encore : une marge vous mène à {stops_at}. Au-delà, les "
            f"nouvelles factures restent en brouillon : vous pourrez les émettre à partir du {_FRENCH.long_date(anew)}."
        )
        english = (
            f"{fact.issued} of the {plan.invoices_a_month} invoices a month of the {plan.name_en} plan are issued; "
            f"beyond {stops_at}, new ones stay drafts, which you can issue from {_ENGLISH.long_date(anew)} on."
        )
    return _Said(
        subject=subject,
        opening=[first, f"L'offre {PRO.name_fr} ({price} HT par mois) les émet tout de suite."],
        facts=[
            ("Factures de ce mois", str(fact.issued) if full else f"{fact.issued} sur {plan.invoices_a_month}"),
            ("Maximum, marge comprise", str(stops_at)),
            ("Le compte repart de zéro le", _FRENCH.long_date(anew)),
        ],
        link=LetterLink(url=subscription_url, label="Voir les offres"),
        closing=["Avoirs, encaissements, relances, envois et exports restent ouverts."],
        english=english,
    )


_SAID: Final[dict[NoticeKind, Callable[[MoneyFact, str], _Said]]] = {
    NoticeKind.INQUIRY_OPENED: _inquired,
    NoticeKind.INQUIRY_DUE: _inquired,
    NoticeKind.DISPUTE_OPENED: _disputed,
    NoticeKind.DISPUTE_DUE: _disputed,
    NoticeKind.DISPUTE_WON: _won,
    NoticeKind.DISPUTE_LOST: _lost,
    NoticeKind.PAYMENT_FAILED: _failed,
    NoticeKind.PAYMENT_UNREADABLE: _unreadable,
    NoticeKind.REFUND_FAILED: _sent_back,
    NoticeKind.REFUND_NOT_BORNE: _not_borne,
    NoticeKind.PAID_BEYOND: _beyond,
    NoticeKind.CHARGES_CLOSED: _closed,
    NoticeKind.TRIAL_ENDING: _trial,
    NoticeKind.SUBSCRIPTION_PAYMENT_FAILED: _dunned,
    NoticeKind.PLAN_NEAR: _used,
    NoticeKind.PLAN_FULL: _used,
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


def _known_month(month: date | None) -> date:
    if month is None:
        raise ValueError("the month that a plan is used in is known")
    return month
