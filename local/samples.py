"""Plainly sample companies with valid check digits, for the demo, the journeys and the bench."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

COMPANY: Json = {
    "legal_name": "Atelier Exemple",
    "legal_form": "SARL",
    "siren": "123456782",
    "siret": "12345678200010",
    "vat_number": "FR11123456782",
    "vat_regime": "normal",
    "rcs_city": "Lyon",
    "share_capital_minor": 1_000_000,
    "address": {"line1": "12 rue de l'Exemple", "postal_code": "69001", "city": "Lyon", "country_code": "FR"},
    "email": "facturation@atelier.exemple.test",
    "phone": "04 00 00 00 00",
    "website": "https://atelier.exemple.test",
    "iban": "FR7630006000011234567890189",
    "bic": "AGRIFRPP",
    "bank_name": "Banque Exemple",
    "design": "modern",
    "accent_colour": "#1f4e8c",
    "header_text": "Atelier et dépôt ouverts du lundi au vendredi.",
}

CUSTOMER: Json = {
    "kind": "business",
    "name": "Client Exemple SAS",
    "contact_name": "Service comptabilité",
    "email": "compta@client.exemple.test",
    "billing_address": {
        "line1": "8 avenue de l'Échantillon",
        "postal_code": "75011",
        "city": "Paris",
        "country_code": "FR",
    },
    "siren": "987654324",
    "siret": "98765432400019",
    "vat_number": "FR14987654324",
}

SERVICE: Json = {
    "kind": "service",
    "name": "Conception graphique",
    "description": "Identité visuelle, déclinaisons et fichiers sources",
    "reference": "CG-01",
    "unit": "HUR",
    "unit_price": "85.00",
    "vat_rate": "20",
}

BOOK: Json = {
    "kind": "goods",
    "name": "Livre d'atelier",
    "description": "Exemplaire broché, 96 pages",
    "reference": "LA-96",
    "unit": "C62",
    "unit_price": "18.90",
    "vat_rate": "5.5",
}


def draft(customer_id: str, *, lines: int = 1) -> Json:
    """A small draft with free lines."""
    return {
        "customer_id": customer_id,
        "lines": [
            {
                "description": f"Prestation d'exemple {rank}",
                "quantity": "2",
                "unit": "HUR",
                "unit_price": "50.00",
                "vat_rate": "20",
            }
            for rank in range(1, lines + 1)
        ],
    }


def quoted(customer_id: str) -> Json:
    """A small quote with a free line."""
    return {"customer_id": customer_id, "lines": draft(customer_id)["lines"], "notes": "Délai : trois semaines."}


def recurring(customer_id: str, *, start: str = "2099-01-01", mode: str = "issue") -> Json:
    """A monthly template, far in the future unless told."""
    line = {**draft(customer_id)["lines"][0], "description": "Maintenance de {month}"}
    rule = {"frequency": "monthly", "start": start, "day": int(start[-2:])}
    return {"customer_id": customer_id, "lines": [line], "name": "Maintenance", "recurrence": rule, "mode": mode}
