"""What is wrong with a field, in French and English, by the kind of error that validation reports.

Texts take the values of the error's context: ``{max_length}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_OTHER = ("Valeur invalide.", "Invalid value.")
_TOO_LONG = ("Au plus {max_length} caractères.", "At most {max_length} characters.")
_WHOLE_NUMBER = ("Un nombre entier est attendu.", "A whole number is expected.")
_ISO_DATE = ("Une date AAAA-MM-JJ est attendue.", "A date YYYY-MM-DD is expected.")
_MISSING = ("Ce champ est obligatoire.", "This field is required.")

_TEXTS: dict[str, tuple[str, str]] = {
    "missing": _MISSING,
    "extra_forbidden": ("Champ inconnu.", "Unknown field."),
    "string_type": ("Un texte est attendu.", "A text is expected."),
    "string_too_long": _TOO_LONG,
    "string_too_short": ("Au moins {min_length} caractère(s).", "At least {min_length} character(s)."),
    "string_pattern_mismatch": ("Ce format n'est pas accepté.", "This format is not accepted."),
    "string_unicode": ("Ce texte n'est pas de l'Unicode valide.", "This text is not valid Unicode."),
    "int_type": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_parsing_size": ("Ce nombre est trop grand.", "This number is too large."),
    "int_from_float": _WHOLE_NUMBER,
    "bool_type": ("true ou false est attendu.", "true or false is expected."),
    "bool_parsing": ("true ou false est attendu.", "true or false is expected."),
    "enum": ("Valeurs possibles : {expected}.", "Possible values: {expected}."),
    "literal_error": ("Valeurs possibles : {expected}.", "Possible values: {expected}."),
    "list_type": ("Une liste est attendue.", "A list is expected."),
    "tuple_type": ("Une liste est attendue.", "A list is expected."),
    "too_long": ("Au plus {max_length} éléments.", "At most {max_length} items."),
    "too_short": ("Au moins {min_length} élément(s).", "At least {min_length} item(s)."),
    "dict_type": ("Un objet est attendu.", "An object is expected."),
    "model_type": ("Un objet est attendu.", "An object is expected."),
    "model_attributes_type": ("Un objet est attendu.", "An object is expected."),
    "greater_than": ("La valeur doit dépasser {gt}.", "The value must exceed {gt}."),
    "greater_than_equal": ("La valeur doit être d'au moins {ge}.", "The value must be at least {ge}."),
    "less_than_equal": ("La valeur doit être d'au plus {le}.", "The value must be at most {le}."),
    "exact_decimal_type": (
        'Un nombre décimal exact est attendu, entre guillemets : "12.50".',
        'An exact decimal is expected, as a string: "12.50".',
    ),
    "exact_decimal_form": (
        "Un nombre décimal est attendu, avec au plus {max_decimals} décimales.",
        "A decimal number with at most {max_decimals} decimals is expected.",
    ),
    "iso_date": _ISO_DATE,
    "control_character": ("Ce texte contient un caractère de contrôle.", "This text holds a control character."),
    "siren": ("Ce SIREN n'existe pas : 9 chiffres et leur clé.", "Not a SIREN: 9 digits with their check digit."),
    "siret": ("Ce SIRET n'existe pas : 14 chiffres et leur clé.", "Not a SIRET: 14 digits with their check digit."),
    "vat_number": ("Ce numéro de TVA n'est pas valide.", "This VAT number is not valid."),
    "iban": ("Cet IBAN n'est pas valide.", "This IBAN is not valid."),
    "bic": ("Ce BIC n'est pas valide.", "This BIC is not valid."),
    "email": ("Cette adresse e-mail n'est pas valide.", "This e-mail address is not valid."),
    "unit": ("Cette unité n'est pas dans la liste.", "This unit is not in the list."),
    "number_pattern": (
        "Un modèle de numéro contient {{year}} puis {{00001}}, et au plus 35 lettres, chiffres ou + - _ /.",
        "A number pattern holds {{year}} then {{00001}}, and at most 35 letters, digits or + - _ /.",
    ),
}


def field_texts(kind: str, context: Mapping[str, Any]) -> tuple[str, str]:
    """The French and English texts of a validation error."""
    french, english = _TEXTS.get(kind, _OTHER)
    try:
        return french.format(**context), english.format(**context)
    except KeyError:
        return _OTHER
