"""What Stripe says by codes, in words. A code that is not here is shown as it is, with where to look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from billing.domain.dates import format_french
from billing.domain.stripe import DisputeStatus, StripeRefundStatus
from billing.domain.stripe_connection import ConnectionState, StripeConnection
from billing.domain.typography import agreeing, amount_words

if TYPE_CHECKING:  # every function that reads an invoice loads this module
    from billing.domain.stripe_payment import MirroredRefund, RefundRequest, StripePayment

Words = tuple[str, str]  # French, English


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """``code`` is Stripe's name of it."""

    code: str
    french: str
    english: str


# By Stripe's name, or its beginning; the first that fits.
_COMPANY = (
    ("external_account", "le compte bancaire qui recevra vos virements", "the bank account for your payouts"),
    ("business_profile.url", "le site internet de l'entreprise, ou ce qu'elle vend", "your website, or what you sell"),
    ("business_profile.product_description", "ce que l'entreprise vend", "what the company sells"),
    ("business_profile.mcc", "le secteur d'activité", "the line of business"),
    ("business_profile.support_phone", "un téléphone pour vos clients", "a phone number for your customers"),
    ("business_profile", "la présentation de l'activité", "the profile of the business"),
    ("business_type", "la forme de l'entreprise", "the type of business"),
    ("tos_acceptance", "l'acceptation des conditions de Stripe", "the acceptance of Stripe's terms"),
    ("settings.payments.statement_descriptor", "le libellé sur le relevé de vos clients", "the statement descriptor"),
    ("company.verification", "un justificatif de l'entreprise (Kbis, statuts)", "a document of the company"),
    ("company.tax_id", "le numéro SIREN de l'entreprise", "the SIREN of the company"),
    ("company.registration_number", "le numéro SIREN de l'entreprise", "the SIREN of the company"),
    ("company.vat_id", "le numéro de TVA de l'entreprise", "the VAT number of the company"),
    ("company.name", "la dénomination de l'entreprise", "the name of the company"),
    ("company.address", "l'adresse de l'entreprise", "the address of the company"),
    ("company.phone", "le téléphone de l'entreprise", "the phone number of the company"),
    ("company.structure", "la structure juridique", "the legal structure"),
    ("company.owners_provided", "les bénéficiaires effectifs (plus de 25 %)", "the owners of more than 25%"),
    ("company.ownership_declaration", "la déclaration des bénéficiaires effectifs", "the declaration of ownership"),
    ("company.directors_provided", "les administrateurs de l'entreprise", "the directors of the company"),
    ("company.executives_provided", "les dirigeants de l'entreprise", "the executives of the company"),
    ("documents", "un justificatif", "a document"),
)  # fmt: skip
_PERSON = (
    ("verification.additional_document", "un justificatif de domicile", "a proof of address"),
    ("verification", "une pièce d'identité", "an identity document"),
    ("first_name", "le prénom", "the first name"),
    ("last_name", "le nom", "the last name"),
    ("dob", "la date de naissance", "the date of birth"),
    ("address", "l'adresse personnelle", "the home address"),
    ("phone", "le téléphone", "the phone number"),
    ("email", "l'adresse e-mail", "the e-mail address"),
    ("id_number", "le numéro d'identité", "the identity number"),
    ("nationality", "la nationalité", "the nationality"),
    ("relationship", "le rôle dans l'entreprise", "the role in the company"),
)
_PEOPLE = (
    ("individual", "du dirigeant", "of the owner"),
    ("representative", "du représentant légal", "of the legal representative"),
    ("owners", "d'un bénéficiaire effectif", "of an owner"),
    ("directors", "d'un administrateur", "of a director"),
    ("executives", "d'un dirigeant", "of an executive"),
    ("person_", "d'une personne de l'entreprise", "of a person of the company"),
)
_REASONS = (
    ("requirements.past_due", "Des informations demandées par Stripe manquent.", "Stripe still needs information."),
    ("requirements.pending_verification", "Stripe vérifie vos informations.", "Stripe is checking your information."),
    ("under_review", "Stripe examine le compte.", "Stripe is reviewing the account."),
    ("listed", "Stripe examine le compte.", "Stripe is reviewing the account."),
    ("rejected", "Stripe a refusé le compte : voyez son assistance.", "Stripe rejected the account: ask its support."),
    ("platform_paused", "Le compte est suspendu.", "The account is paused."),
    ("action_required", "Un moyen de paiement attend une action de votre part.", "A payment method awaits an action."),
)  # fmt: skip

_METHODS: Mapping[str, Words] = {
    "card": ("carte bancaire", "card"),
    "card_present": ("carte bancaire", "card"),
    "link": ("Link", "Link"),
    "sepa_debit": ("prélèvement SEPA", "SEPA direct debit"),
    "bancontact": ("Bancontact", "Bancontact"),
    "ideal": ("iDEAL", "iDEAL"),
    "eps": ("EPS", "EPS"),
    "p24": ("Przelewy24", "Przelewy24"),
    "klarna": ("Klarna", "Klarna"),
    "alma": ("Alma", "Alma"),
    "paypal": ("PayPal", "PayPal"),
    "revolut_pay": ("Revolut Pay", "Revolut Pay"),
    "customer_balance": ("virement", "bank transfer"),
}
_ANSWERED_AT_ONCE = frozenset({"card", "card_present", "link"})
# Why a bank or Stripe refused: payments, refunds that come back, what we asked for.
_FAILURES: Mapping[str, Words] = {
    "card_declined": ("La banque du client a refusé la carte.", "The customer's bank declined the card."),
    "generic_decline": ("La banque du client a refusé la carte.", "The customer's bank declined the card."),
    "expired_card": ("La carte du client a expiré.", "The customer's card has expired."),
    "incorrect_cvc": ("Le cryptogramme de la carte est faux.", "The security code of the card is wrong."),
    "incorrect_number": ("Le numéro de la carte est faux.", "The number of the card is wrong."),
    "processing_error": (
        "La banque n'a pas pu traiter le paiement : il peut être refait.",
        "The bank could not process it: try again.",
    ),
    "authentication_required": (
        "Le client n'a pas confirmé auprès de sa banque.",
        "The customer did not confirm with the bank.",
    ),
    "payment_intent_authentication_failure": (
        "Le client n'a pas confirmé auprès de sa banque.",
        "The customer did not confirm with the bank.",
    ),
    "insufficient_funds": (
        "Le compte du client n'est pas assez approvisionné.",
        "The customer's account lacks the money.",
    ),
    "debit_not_authorized": (
        "Le client n'a pas autorisé ce prélèvement.",
        "The customer did not authorise this debit.",
    ),
    "account_closed": ("Le compte bancaire du client est clos.", "The customer's bank account is closed."),
    "bank_account_restricted": (
        "Le compte bancaire du client n'accepte pas de prélèvement.",
        "The customer's bank account takes no debits.",
    ),
    "bank_account_unusable": (
        "Le compte bancaire du client ne peut pas être utilisé.",
        "The customer's bank account cannot be used.",
    ),
    "debit_disputed": (
        "Le client a contesté le prélèvement auprès de sa banque.",
        "The customer contested the debit with the bank.",
    ),
    "debit_authorization_not_match": (
        "Le mandat de prélèvement ne correspond pas au compte.",
        "The mandate does not match the account.",
    ),
    "invalid_account_number": ("L'IBAN du client est faux.", "The customer's account number is wrong."),
    "recipient_deceased": ("Le titulaire du compte est décédé.", "The account holder died."),
    "refer_to_customer": (
        "La banque renvoie le client vers vous : demandez-lui un autre moyen de paiement.",
        "The bank refers to the customer: ask for another means of payment.",
    ),
    "charge_for_pending_refund_disputed": (
        "Le client a contesté le paiement pendant le remboursement.",
        "The customer contested the payment meanwhile.",
    ),
    "declined": ("La banque du client a refusé le remboursement.", "The customer's bank declined the refund."),
    "expired_or_canceled_card": (
        "La carte du client a expiré ou est annulée : remboursez par virement.",
        "The customer's card expired or was cancelled: refund by transfer.",
    ),
    "lost_or_stolen_card": (
        "La carte du client est perdue ou volée : remboursez par virement.",
        "The customer's card was lost or stolen: refund by transfer.",
    ),
    "merchant_request": ("Le remboursement a été annulé à votre demande.", "The refund was cancelled at your request."),
    "amount_too_small": ("Le montant est inférieur au minimum de Stripe.", "The amount is below Stripe's minimum."),
    "amount_too_large": ("Le montant dépasse le maximum de Stripe.", "The amount is above Stripe's maximum."),
    "balance_insufficient": (
        "Votre solde Stripe ne suffit pas : attendez d'autres encaissements ou alimentez-le.",
        "Your Stripe balance does not suffice: wait for payments or top it up.",
    ),
    "charge_already_refunded": (
        "Ce paiement est déjà remboursé chez Stripe.",
        "This payment is refunded at Stripe already.",
    ),
    "charge_disputed": (
        "Ce paiement est contesté : Stripe ne le rembourse pas.",
        "This payment is disputed: Stripe does not refund it.",
    ),
    "refund_disputed_payment": (
        "Ce paiement est contesté : Stripe ne le rembourse pas.",
        "This payment is disputed: Stripe does not refund it.",
    ),
    "account_invalid": (
        "Votre compte Stripe n'est plus relié à ZenBilling : reliez-le à nouveau.",
        "Your Stripe account is no longer linked to ZenBilling: link it again.",
    ),
    "country_unsupported": ("Stripe n'ouvre pas de compte dans ce pays.", "Stripe opens no account in this country."),
    "rate_limit": (
        "Stripe reçoit trop de demandes : réessayez dans une minute.",
        "Stripe gets too many requests: try again in a minute.",
    ),
    "unknown": ("Stripe n'en connaît pas la raison.", "Stripe does not know the reason."),
}
# To the customer, of their own debit; nothing more is said of other codes.
_DEBIT_REFUSALS: Mapping[str, Words] = {
    "insufficient_funds": ("le compte n'était pas assez approvisionné", "the account lacked the money"),
    "debit_not_authorized": ("le prélèvement n'était pas autorisé", "the debit was not authorised"),
    "account_closed": ("le compte est clos", "the account is closed"),
    "bank_account_restricted": ("ce compte n'accepte pas de prélèvement", "this account takes no debits"),
    "bank_account_unusable": ("ce compte ne peut pas être utilisé", "this account cannot be used"),
    "debit_disputed": ("le prélèvement a été contesté", "the debit was contested"),
    "debit_authorization_not_match": (
        "le mandat ne correspond pas au compte",
        "the mandate does not match the account",
    ),
    "invalid_account_number": ("l'IBAN est faux", "the account number is wrong"),
}
_REFUND_REFUSALS: Mapping[str, Words] = {
    "charge_already_refunded": (
        "Ce paiement est déjà entièrement remboursé chez Stripe.",
        "This payment is refunded in full at Stripe already.",
    ),
    "charge_disputed": (
        "Ce paiement est contesté auprès de la banque : répondez dans Stripe, ou acceptez et la banque rend l'argent.",
        "This payment is contested at the bank: answer at Stripe, or accept and the bank gives the money back.",
    ),
    "insufficient_funds": (
        "Le solde de votre compte Stripe ne suffit pas pour ce remboursement.",
        "The balance of your Stripe account is not enough for this refund.",
    ),
    "balance_insufficient": (
        "Le solde de votre compte Stripe ne suffit pas pour ce remboursement.",
        "The balance of your Stripe account is not enough for this refund.",
    ),
    "account_invalid": (
        "Ce compte Stripe n'est pas relié. Voyez dans Stripe si ce remboursement y est ; sinon, faites-le là.",
        "This Stripe account is not linked. See at Stripe whether it is there; if it is not, make it there.",
    ),
    "amount_too_large": (
        "Le montant dépasse ce qui reste à rembourser chez Stripe.",
        "The amount exceeds what is left to refund at Stripe.",
    ),
    "given_back_meanwhile": (
        (
            "Entre-temps cet argent a été rendu autrement (dans Stripe, ou par la banque) : il n'en reste pas autant. "
            "Rien n'a été demandé à Stripe ; s'il reste quelque chose à rendre, demandez-le de nouveau."
        ),
        (
            "Meanwhile this money was given back otherwise (at Stripe, or by the bank): not as much of it is left. "
            "Nothing was asked of Stripe; if something is still to be given back, ask for it again."
        ),
    ),
}
_SUBSCRIPTION_REFUSALS: Mapping[str, Words] = {
    "not_for_sale": (
        "Cette offre s'obtient sans abonnement : choisissez-en une autre.",
        "This plan is had without a subscription: choose another one.",
    ),
    "price_differs": (
        "Le prix a changé chez Stripe et rien n'est vendu à un autre prix : écrivez à l'assistance de ZenBilling.",
        "The price changed at Stripe and nothing is sold at another price: write to ZenBilling's support.",
    ),
    "price_missing": (
        "L'offre n'est pas encore en vente chez Stripe : écrivez à l'assistance de ZenBilling.",
        "The plan is not on sale at Stripe yet: write to ZenBilling's support.",
    ),
    "resource_missing": (
        "Stripe ne connaissait plus cette demande : recommencez.",
        "Stripe knew this request no more: try again.",
    ),
}
_DISPUTE_REASONS: Mapping[str, Words] = {
    "bank_cannot_process": (
        "La banque du client n'a pas pu traiter le paiement.",
        "The customer's bank could not process it.",
    ),
    "check_returned": ("Le chèque a été rejeté.", "The cheque was returned."),
    "credit_not_processed": (
        "Le client dit qu'un remboursement promis n'est pas venu.",
        "The customer says that a promised refund did not come.",
    ),
    "customer_initiated": (
        "Le client a demandé à sa banque de lui rendre l'argent.",
        "The customer asked the bank for the money back.",
    ),
    "debit_not_authorized": (
        "Le client dit ne pas avoir autorisé le prélèvement.",
        "The customer says that the debit was not authorised.",
    ),
    "duplicate": ("Le client dit avoir payé deux fois.", "The customer says that it was paid twice."),
    "fraudulent": (
        "Le titulaire dit ne pas avoir fait ce paiement.",
        "The cardholder says not to have made this payment.",
    ),
    "general": ("La banque du client ne donne pas de motif précis.", "The customer's bank gives no precise reason."),
    "incorrect_account_details": ("Les coordonnées bancaires sont fausses.", "The bank details are wrong."),
    "insufficient_funds": (
        "Le compte du client n'est pas assez approvisionné.",
        "The customer's account lacks the money.",
    ),
    "noncompliant": (
        "La banque dit que le paiement ne suit pas ses règles.",
        "The bank says that the payment breaks its rules.",
    ),
    "product_not_received": (
        "Le client dit n'avoir pas reçu ce qu'il a payé.",
        "The customer says that nothing was received.",
    ),
    "product_unacceptable": (
        "Le client dit que ce qu'il a reçu n'est pas conforme.",
        "The customer says that it is not as described.",
    ),
    "subscription_canceled": (
        "Le client dit avoir résilié son abonnement.",
        "The customer says that the subscription was cancelled.",
    ),
    "unrecognized": ("Le client ne reconnaît pas ce paiement.", "The customer does not recognise this payment."),
}
_DISPUTES: Mapping[str, Words] = {
    DisputeStatus.WARNING_NEEDS_RESPONSE: (
        "La banque demande des explications : répondez dans Stripe avant l'échéance.",
        "The bank inquires: answer at Stripe in time.",
    ),
    DisputeStatus.WARNING_UNDER_REVIEW: ("La banque examine vos explications.", "The bank is looking at your answer."),
    DisputeStatus.WARNING_CLOSED: (
        "La demande de la banque est close : l'argent vous reste.",
        "The inquiry is closed: the money stays with you.",
    ),
    DisputeStatus.NEEDS_RESPONSE: (
        "Le paiement est contesté : donnez vos preuves dans Stripe avant l'échéance.",
        "The payment is disputed: hand in evidence at Stripe in time.",
    ),
    DisputeStatus.UNDER_REVIEW: ("La banque examine vos preuves.", "The bank is looking at your evidence."),
    DisputeStatus.WON: (
        "La banque vous a donné raison : l'argent vous revient.",
        "The bank decided for you: the money is yours.",
    ),
    DisputeStatus.LOST: (
        "La banque a donné raison au client : l'argent lui a été rendu.",
        "The bank decided for the customer, who has the money back.",
    ),
    DisputeStatus.UNKNOWN: (
        "Stripe annonce un état que ZenBilling ne connaît pas encore : voyez dans Stripe.",
        "Stripe tells a state that ZenBilling does not know yet: see at Stripe.",
    ),
    DisputeStatus.PREVENTED: ("La contestation a été évitée.", "The dispute was prevented."),
}
_REFUNDS: Mapping[str, Words] = {
    StripeRefundStatus.PENDING: ("Le remboursement est en route.", "The refund is on its way."),
    StripeRefundStatus.REQUIRES_ACTION: (
        "Le client doit donner ses coordonnées à Stripe pour être remboursé.",
        "The customer has to give Stripe details to be refunded.",
    ),
    StripeRefundStatus.SUCCEEDED: ("Le client est remboursé.", "The customer is refunded."),
    StripeRefundStatus.FAILED: (
        "Le remboursement n'a pas abouti : l'argent est revenu chez vous.",
        "The refund failed: the money is with you again.",
    ),
    StripeRefundStatus.UNKNOWN: (
        "Stripe annonce un état que ZenBilling ne connaît pas encore : voyez dans Stripe.",
        "Stripe tells a state that ZenBilling does not know yet: see at Stripe.",
    ),
    StripeRefundStatus.CANCELED: ("Le remboursement a été annulé.", "The refund was cancelled."),
}
_REQUESTS: Mapping[str, Words] = {
    "requested": (
        "La demande est enregistrée, Stripe n'a pas encore répondu.",
        "It is asked for; Stripe has not answered yet.",
    ),
    "accepted": ("Stripe a accepté ce remboursement.", "Stripe accepted this refund."),
    "refused": ("Stripe a refusé ce remboursement.", "Stripe refused this refund."),
}
_PAYMENTS: Mapping[str, Words] = {
    "pending": ("Le client n'a pas encore payé.", "The customer has not paid yet."),
    "processing": (
        "Le client a confirmé ; la banque n'a pas encore répondu.",
        "The customer confirmed; the bank has not answered yet.",
    ),
    "failed": ("La banque a refusé le paiement.", "The bank refused the payment."),
    "canceled": ("Le paiement a été abandonné.", "The payment was cancelled."),
    "succeeded": ("Le paiement est encaissé.", "The payment was made."),
}
_CONNECTIONS = {
    ConnectionState.NONE: (
        "Aucun compte Stripe : reliez-en un pour être payé en ligne.",
        "No Stripe account: link one to be paid online.",
    ),
    ConnectionState.CREATING: (
        "Le compte Stripe est en cours de création : réessayez dans un instant.",
        "The Stripe account is being made: try again in a moment.",
    ),
    ConnectionState.DISCONNECTED: (
        "Le compte Stripe n'est plus relié : vos factures ne se paient plus en ligne.",
        "The Stripe account is no longer linked: invoices are not paid online.",
    ),
}


def method_words(method: str) -> Explained:
    """A means of payment by Stripe's name, as it stands within a sentence: ``prélèvement SEPA``."""
    french, english = _METHODS.get(method, (method or "paiement en ligne", method or "online payment"))
    return Explained(code=method, french=french, english=english)


def answer_words(method: str) -> Words:
    """When a payment that was confirmed by this means is answered, as it stands at the end of a sentence."""
    if not method:
        return (
            "une carte est confirmée en quelques minutes, un prélèvement en plusieurs jours",
            "a card is confirmed within minutes, a debit within days",
        )
    if method in _ANSWERED_AT_ONCE:
        return "la réponse arrive d'habitude en quelques minutes", "the answer usually comes within minutes"
    return "la banque peut mettre plusieurs jours à répondre", "the bank may take days to answer"


def explain_refused_payment(code: str, method: str, *, day: date, amount: Words) -> Explained:
    """To the customer who had confirmed it on that day; ``amount`` in words."""
    means = method_words(method)
    if method == "sepa_debit":
        what = f"Votre prélèvement de {amount[0]}", f"Your direct debit of {amount[1]}"
    else:
        what = f"Votre paiement de {amount[0]} ({means.french})", f"Your payment of {amount[1]} ({means.english})"
    why = _DEBIT_REFUSALS.get(code)
    french, english = (f" : {why[0]}.", f": {why[1]}.") if why else (".", ".")
    return Explained(
        code=code,
        french=f"{what[0]} du {format_french(day)} a été refusé par votre banque{french}",
        english=f"{what[1]} of {day.isoformat()} was refused by your bank{english}",
    )


def explain_failure(code: str) -> Explained:
    """Why a payment, a refund or a request was refused; ``code`` is Stripe's."""
    if not code:
        return Explained(code="", french="Stripe ne donne pas de motif.", english="Stripe gives no reason.")
    return _explained(code, _FAILURES, "Motif donné par Stripe", "The reason given by Stripe")


def explain_refund_refusal(code: str) -> Explained:
    """Why Stripe did not make a refund that was asked for here."""
    known = _REFUND_REFUSALS.get(code)
    return Explained(code=code, french=known[0], english=known[1]) if known else explain_failure(code)


def explain_subscription_refusal(code: str) -> Explained:
    known = _SUBSCRIPTION_REFUSALS.get(code)
    return Explained(code=code, french=known[0], english=known[1]) if known else explain_failure(code)


def explain_dispute_reason(code: str) -> Explained:
    return _explained(code, _DISPUTE_REASONS, "Motif donné par la banque", "The reason given by the bank")


def explain_dispute(status: DisputeStatus) -> Explained:
    return _explained(status.value, _DISPUTES, "État de la contestation chez Stripe", "State of the dispute at Stripe")


def explain_refund(refund: MirroredRefund) -> Explained:
    """How it stands and, where it failed, why."""
    status = refund.status.value
    state = _explained(status, _REFUNDS, "État du remboursement chez Stripe", "State of the refund at Stripe")
    return _with_reason(state, explain_failure(refund.failure_reason) if refund.failure_reason else None)


def explain_refund_request(request: RefundRequest) -> Explained:
    french, english = _REQUESTS[request.state]
    state = Explained(code=request.state.value, french=french, english=english)
    return _with_reason(state, explain_refund_refusal(request.refusal) if request.refusal else None)


def explain_payment(payment: StripePayment) -> Explained:
    """How it stands at Stripe and, where a bank refused it, why."""
    french, english = _PAYMENTS[payment.state]
    if payment.with_customer_minor:
        back = amount_words(payment.with_customer_minor, payment.currency)
        been = agreeing(payment.with_customer_minor, "en a été rendu", "en ont été rendus")
        french = f"{french.removesuffix('.')} ; {back[0]} {been} au client."
        english = f"{english.removesuffix('.')}; {back[1]} of it have been given back to the customer."
    state = Explained(code=payment.state.value, french=french, english=english)
    refused = payment.state.value != "succeeded" and payment.last_error_code
    return _with_reason(state, explain_failure(payment.last_error_code) if refused else None)


def explain_connection(connection: StripeConnection) -> Explained:
    """Where a company stands with being paid online, and what it does next."""
    if connection.state is not ConnectionState.CONNECTED:
        french, english = _CONNECTIONS[connection.state]
    elif not connection.accepts_payments and connection.accepted_once:
        french = "Le compte est relié, mais n'encaisse plus : donnez à Stripe ce qu'il attend."
        english = "The account is linked and takes no payments any more: give Stripe what it waits for."
    elif not connection.accepts_payments:
        french = "Le compte est relié, mais n'encaisse pas encore : donnez à Stripe ce qu'il attend."
        english = "The account is linked and takes no payments yet: give Stripe what it waits for."
    elif connection.account is not None and not connection.account.payouts_enabled:
        french = "Vos factures se paient en ligne ; Stripe garde l'argent tant qu'il lui manque des informations."
        english = "Invoices can be paid online; Stripe keeps the money until it has what it waits for."
    else:
        french, english = "Vos factures peuvent être payées en ligne.", "Your invoices can be paid online."
    return Explained(code=connection.state.value, french=french, english=english)


def _explained(code: str, words: Mapping[str, Words], french: str, english: str) -> Explained:
    """By its words; else the code itself after what it is."""
    known = words.get(code)
    if known is None:
        return Explained(code=code, french=f"{french} : {code}.", english=f"{english}: {code}.")
    return Explained(code=code, french=known[0], english=known[1])


def _with_reason(state: Explained, why: Explained | None) -> Explained:
    if why is None:
        return state
    return Explained(code=state.code, french=f"{state.french} {why.french}", english=f"{state.english} {why.english}")


def explain_requirement(code: str) -> Explained:
    """``individual.verification.document`` → an identity document of the owner."""
    first, _, rest = code.partition(".")
    of = next((one for one in _PEOPLE if first.startswith(one[0])), None)
    named = next((one for one in (_PERSON if of else _COMPANY) if (rest if of else code).startswith(one[0])), None)
    if named is None:
        return Explained(
            code=code,
            french=f"Stripe demande une information ({code}) : ouvrez le tableau de bord de Stripe.",
            english=f"Stripe asks for something ({code}): open Stripe's dashboard.",
        )
    french, english = (f"{named[1]} {of[1]}", f"{named[2]} {of[2]}") if of else (named[1], named[2])
    return Explained(code=code, french=f"Stripe attend {french}.", english=f"Stripe waits for {english}.")


def explain_requirements(codes: Iterable[str]) -> list[Explained]:
    """Each sentence once: the date and the address of an acceptance are one thing to do."""
    said: dict[str, Explained] = {}
    for code in codes:
        explained = explain_requirement(code)
        said.setdefault(explained.french, explained)
    return list(said.values())


def explain_reason(code: str) -> Explained | None:
    """Why an account cannot be paid; None without a reason."""
    if not code:
        return None
    found = next((one for one in _REASONS if code.startswith(one[0])), None)
    if found is None:
        return Explained(code=code, french=f"Stripe limite le compte ({code}).", english=f"Stripe limits it ({code}).")
    return Explained(code=code, french=found[1], english=found[2])
