"""Check digits of the identifiers of a French company.

SIREN/SIRET: Luhn (INSEE; La Poste's establishments, SIREN 356000000, sum their digits to a multiple of 5).
French VAT: key = (12 + 3 × (SIREN mod 97)) mod 97 (CGI annex; only the numeric keys are issued to companies);
Monaco has French numbers whose nine last digits begin with 000 and are no SIREN.
IBAN: ISO 13616, mod 97 = 1 with check digits 02 to 98; BIC: ISO 9362.
"""

from __future__ import annotations

import re

_LA_POSTE = "356000000"
_VAT_FORMS = {  # country prefix → the form of its VAT numbers (VIES)
    "AT": r"U\d{8}", "BE": r"[01]\d{9}", "BG": r"\d{9,10}", "CY": r"\d{8}[A-Z]", "CZ": r"\d{8,10}",
    "DE": r"\d{9}", "DK": r"\d{8}", "EE": r"\d{9}", "EL": r"\d{9}", "ES": r"[A-Z0-9]\d{7}[A-Z0-9]",
    "FI": r"\d{8}", "HR": r"\d{11}", "HU": r"\d{8}", "IE": r"\d[A-Z0-9+*]\d{5}[A-Z]{1,2}",
    "IT": r"\d{11}", "LT": r"(\d{9}|\d{12})", "LU": r"\d{8}", "LV": r"\d{11}", "MT": r"\d{8}",
    "NL": r"\d{9}B\d{2}", "PL": r"\d{10}", "PT": r"\d{9}", "RO": r"\d{2,10}", "SE": r"\d{12}",
    "SI": r"\d{8}", "SK": r"\d{10}", "XI": r"(\d{9}|\d{12}|(GD|HA)\d{3})",
}  # fmt: skip
_IBAN_LENGTHS = {
    "AD": 24, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20,
    "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GI": 23, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26,
    "IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28,
    "PT": 25, "RO": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "VA": 22,
}  # fmt: skip
_BIC = re.compile(r"[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")


def _luhn_sum(digits: str) -> int:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total


def is_siren(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9]{9}", text)) and text != "000000000" and _luhn_sum(text) % 10 == 0


def is_siret(text: str) -> bool:
    if not re.fullmatch(r"[0-9]{14}", text) or not is_siren(text[:9]):
        return False
    if text.startswith(_LA_POSTE) and sum(map(int, text)) % 5 == 0:
        return True
    return _luhn_sum(text) % 10 == 0


def french_vat_number(siren: str) -> str:
    """The VAT number that belongs to a SIREN."""
    return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"


def is_vat_number(text: str) -> bool:
    """Form of an EU VAT number; for France also its key and its SIREN."""
    country, rest = text[:2], text[2:]
    if country == "FR":
        if not re.fullmatch(r"[0-9]{11}", rest) or text != french_vat_number(rest[2:]):
            return False
        return is_siren(rest[2:]) or (rest[2:5] == "000" and rest[5:] != "000000")
    form = _VAT_FORMS.get(country)
    return form is not None and re.fullmatch(form, rest, re.ASCII) is not None


def is_iban(text: str) -> bool:
    """A SEPA IBAN without spaces, of its country's length and with right check digits."""
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]+", text) or len(text) != _IBAN_LENGTHS.get(text[:2]):
        return False
    # 00, 01 and 99 leave the same remainder as the digits that are right.
    if not "02" <= text[2:4] <= "98":
        return False
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1


def is_bic(text: str) -> bool:
    return _BIC.fullmatch(text) is not None
