"""Whether a document is what it says: judged before it leaves, by the rules of its date, and explained by field."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from billing.domain.canonical import canonical_json

MAX_VIOLATIONS = 100
_TERM = re.compile(r"\bB[TG]-[0-9]+\b")
# The business terms of EN 16931 as a person knows them.
TERMS = {
    "BT-1": "numéro de la facture",
    "BT-2": "date d'émission",
    "BT-3": "type de document",
    "BT-5": "devise",
    "BT-6": "devise de la TVA",
    "BT-7": "date d'exigibilité de la TVA",
    "BT-8": "exigibilité de la TVA",
    "BT-9": "échéance",
    "BT-10": "référence de l'acheteur",
    "BT-13": "bon de commande",
    "BT-20": "conditions de paiement",
    "BT-21": "code de la mention",
    "BT-22": "mention",
    "BT-23": "cadre de facturation",
    "BT-24": "profil du document",
    "BT-25": "numéro de la facture d'origine",
    "BT-26": "date de la facture d'origine",
    "BT-27": "nom du vendeur",
    "BT-29": "SIRET du vendeur",
    "BT-30": "SIREN du vendeur",
    "BT-31": "numéro de TVA du vendeur",
    "BT-32": "identifiant fiscal du vendeur",
    "BT-34": "adresse électronique du vendeur",
    "BT-40": "pays du vendeur",
    "BT-44": "nom de l'acheteur",
    "BT-46": "SIRET de l'acheteur",
    "BT-47": "SIREN de l'acheteur",
    "BT-48": "numéro de TVA de l'acheteur",
    "BT-49": "adresse électronique de l'acheteur",
    "BT-55": "pays de l'acheteur",
    "BT-72": "date de livraison",
    "BT-73": "début de la période",
    "BT-74": "fin de la période",
    "BT-80": "pays de livraison",
    "BT-81": "moyen de paiement",
    "BT-84": "IBAN",
    "BT-92": "montant d'une remise du document",
    "BT-97": "motif d'une remise du document",
    "BT-99": "montant de frais du document",
    "BT-104": "motif de frais du document",
    "BT-106": "somme des lignes",
    "BT-107": "somme des remises",
    "BT-108": "somme des frais",
    "BT-109": "total sans TVA",
    "BT-110": "total de la TVA",
    "BT-111": "total de la TVA en euros",
    "BT-112": "total avec TVA",
    "BT-113": "montant déjà payé",
    "BT-115": "montant à payer",
    "BT-116": "base d'imposition d'un taux",
    "BT-117": "TVA d'un taux",
    "BT-118": "catégorie de TVA",
    "BT-119": "taux de TVA",
    "BT-120": "motif d'exonération",
    "BT-121": "code du motif d'exonération",
    "BT-126": "numéro de ligne",
    "BT-129": "quantité d'une ligne",
    "BT-130": "unité d'une ligne",
    "BT-131": "montant d'une ligne",
    "BT-146": "prix unitaire",
    "BT-151": "catégorie de TVA d'une ligne",
    "BT-152": "taux de TVA d'une ligne",
    "BT-153": "désignation d'une ligne",
}


class Judge(StrEnum):
    """Whose rule it is."""

    SCHEMA = "xsd"
    EN_16931 = "en16931"
    BR_FR = "br-fr"
    OURS = "zenbilling"  # what no rule set catches
    PDF = "pdf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A broken rule: its name (``BR-CO-15``), where in the document, and what its judge says."""

    judge: Judge
    rule: str
    location: str
    text: str

    @property
    def terms(self) -> tuple[str, ...]:
        """The business terms that it is about, those that its text names."""
        return tuple(dict.fromkeys(_TERM.findall(f"{self.rule} {self.text}")))

    @property
    def explained(self) -> str:
        """In French, by field."""
        fields = [f"{TERMS[term]} ({term})" for term in self.terms if term in TERMS]
        if not fields:
            return f"Règle {self.rule} : {self.text}"
        return f"Règle {self.rule} : vérifiez {', '.join(fields)}. {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """A version of the rules, and from which date of issue on it judges."""

    name: str
    since: date


# Newest first. A document is judged by the first whose date it reached; an older one keeps those it had. ``zb1`` counts
# the revisions of our own checks: one more, and what was refused wrongly is judged again.
RULE_SETS = (RuleSet(name="factur-x-1.09.2-zb1", since=date(2000, 1, 1)),)


def rules_of(issue_date: date) -> RuleSet:
    return next(rules for rules in RULE_SETS if issue_date >= rules.since)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformityReport:
    """Kept beside the document: what was judged, by which rules, and the rules that it breaks (the first hundred).

    It says nothing of when: the same document and rules give the same report.
    """

    document_hash: str
    pdf_sha256: str
    rules: str
    violations: tuple[Violation, ...]

    @property
    def conforms(self) -> bool:
        return not self.violations

    def text(self) -> str:
        return canonical_json(self)

    @classmethod
    def read(cls, text: str) -> ConformityReport:
        held = json.loads(text)
        violations = (
            Violation(judge=Judge(one["judge"]), rule=one["rule"], location=one["location"], text=one["text"])
            for one in held["violations"]
        )
        return cls(**{**held, "violations": tuple(violations)})


def report_key(pdf_key: str, rules: RuleSet) -> str:
    """Where the report of a stored PDF is kept, by the rules that judged it."""
    return f"{pdf_key.removesuffix('.pdf')}.{rules.name}.json"
