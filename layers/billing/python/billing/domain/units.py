"""Units of measure: UN/ECE Recommendation 20 codes behind French labels."""

from __future__ import annotations

UNITS = {
    "C62": "unité",
    "HUR": "heure",
    "DAY": "jour",
    "MON": "mois",
    "ANN": "année",
    "MIN": "minute",
    "E48": "prestation",
    "LS": "forfait",
    "KGM": "kg",
    "GRM": "g",
    "TNE": "tonne",
    "MTR": "m",
    "CMT": "cm",
    "MTK": "m²",
    "MTQ": "m³",
    "LTR": "litre",
    "KMT": "km",
    "KWH": "kWh",
    "XBX": "boîte",
    "XPP": "pièce",
    "XPK": "paquet",
    "XCT": "carton",
    "P1": "%",
}
