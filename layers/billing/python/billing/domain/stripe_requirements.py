"""What Stripe still wants to know of a company, in words; and why an account is held back."""

from __future__ import annotations

from dataclasses import dataclass


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


def explain_reason(code: str) -> Explained | None:
    """Why an account cannot be paid; None without a reason."""
    if not code:
        return None
    found = next((one for one in _REASONS if code.startswith(one[0])), None)
    if found is None:
        return Explained(code=code, french=f"Stripe limite le compte ({code}).", english=f"Stripe limits it ({code}).")
    return Explained(code=code, french=found[1], english=found[2])
