"""French names of the countries that addresses abroad end with (ISO 3166-1 alpha-2)."""

from __future__ import annotations

COUNTRY_NAMES = {
    "AD": "Andorre", "AE": "Émirats arabes unis", "AL": "Albanie", "AR": "Argentine", "AT": "Autriche",
    "AU": "Australie", "BA": "Bosnie-Herzégovine", "BE": "Belgique", "BG": "Bulgarie", "BR": "Brésil",
    "CA": "Canada", "CH": "Suisse", "CI": "Côte d'Ivoire", "CL": "Chili", "CM": "Cameroun", "CN": "Chine",
    "CO": "Colombie", "CY": "Chypre", "CZ": "Tchéquie", "DE": "Allemagne", "DK": "Danemark", "DZ": "Algérie",
    "EE": "Estonie", "EG": "Égypte", "ES": "Espagne", "FI": "Finlande", "FR": "France", "GB": "Royaume-Uni",
    "GF": "Guyane", "GP": "Guadeloupe", "GR": "Grèce", "HK": "Hong Kong", "HR": "Croatie", "HU": "Hongrie",
    "IE": "Irlande", "IL": "Israël", "IN": "Inde", "IS": "Islande", "IT": "Italie", "JP": "Japon",
    "KR": "Corée du Sud", "LB": "Liban", "LI": "Liechtenstein", "LT": "Lituanie", "LU": "Luxembourg",
    "LV": "Lettonie", "MA": "Maroc", "MC": "Monaco", "MD": "Moldavie", "ME": "Monténégro", "MG": "Madagascar",
    "MK": "Macédoine du Nord", "MQ": "Martinique", "MT": "Malte", "MU": "Maurice", "MX": "Mexique",
    "NC": "Nouvelle-Calédonie", "NL": "Pays-Bas", "NO": "Norvège", "NZ": "Nouvelle-Zélande",
    "PF": "Polynésie française", "PL": "Pologne", "PT": "Portugal", "QA": "Qatar", "RE": "La Réunion",
    "RO": "Roumanie", "RS": "Serbie", "SA": "Arabie saoudite", "SE": "Suède", "SG": "Singapour",
    "SI": "Slovénie", "SK": "Slovaquie", "SM": "Saint-Marin", "SN": "Sénégal", "TN": "Tunisie", "TR": "Turquie",
    "UA": "Ukraine", "US": "États-Unis", "VA": "Vatican", "VN": "Viêt Nam", "YT": "Mayotte", "ZA": "Afrique du Sud",
}  # fmt: skip


def country_name(code: str) -> str:
    """The French name of a country, or its code when it is not in the list."""
    return COUNTRY_NAMES.get(code, code)
