"""What is wrong with a field, in French and English, by the kind of error that validation reports.

Texts take the values of the error's context: ``{max_length}``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_QUOTED = re.compile(r"'([^']*)'")
_OTHER = ("Valeur invalide.", "Invalid value.")
_TOO_LONG = ("Au plus {max_length} caractères.", "At most {max_length} characters.")
_WHOLE_NUMBER = ("Un nombre entier est attendu.", "A whole number is expected.")
_ISO_DATE = ("Une date AAAA-MM-JJ est attendue.", "A date YYYY-MM-DD is expected.")
_INSTANT = (
    "Une date et une heure avec leur décalage sont attendues : 2026-11-28T22:00:00+01:00.",
    "A date and time with their offset are expected: 2026-11-28T22:00:00+01:00.",
)
_BOOLEAN = ("Répondez par vrai (true) ou faux (false).", "Answer true or false.")
_EMPTY = ("Ce champ est vide.", "This field is empty.")
_EMPTY_LIST = ("Cette liste est vide.", "This list is empty.")
_SHOWN_VALUES = 12
_MISSING = ("Ce champ est obligatoire.", "This field is required.")

_TEXTS: dict[str, tuple[str, str]] = {
    "missing": _MISSING,
    "extra_forbidden": ("Champ inconnu.", "Unknown field."),
    "parameter_unknown": ("Paramètre inconnu.", "Unknown parameter."),
    "string_type": ("Un texte est attendu.", "A text is expected."),
    "string_too_long": _TOO_LONG,
    "string_too_short": ("Au moins {min_length} caractères.", "At least {min_length} characters."),
    "string_pattern_mismatch": ("Ce format n'est pas accepté.", "This format is not accepted."),
    "string_unicode": ("Ce texte n'est pas de l'Unicode valide.", "This text is not valid Unicode."),
    "int_type": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_parsing_size": ("Ce nombre est trop grand.", "This number is too large."),
    "int_from_float": _WHOLE_NUMBER,
    "bool_type": _BOOLEAN,
    "bool_parsing": _BOOLEAN,
    "list_type": ("Une liste est attendue.", "A list is expected."),
    "tuple_type": ("Une liste est attendue.", "A list is expected."),
    "too_long": ("Au plus {max_length} éléments.", "At most {max_length} items."),
    "too_short": ("Au moins {min_length} éléments.", "At least {min_length} items."),
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
    "exact_decimal_comma": (
        "Nombre décimal attendu, avec un point : 12.50.",
        "A decimal number is expected, with a point: 12.50.",
    ),
    "iso_date": _ISO_DATE,
    "instant": _INSTANT,
    "control_character": ("Ce texte contient un caractère de contrôle.", "This text holds a control character."),
    "siren": (
        "Ce SIREN n'est pas valide (9 chiffres, clé de contrôle).",
        "This SIREN is not valid (9 digits, check digit).",
    ),
    "siret": (
        "Ce SIRET n'est pas valide (14 chiffres, clé de contrôle).",
        "This SIRET is not valid (14 digits, check digit).",
    ),
    "vat_number": (
        "Ce numéro de TVA n'est pas valide (format ou clé de contrôle).",
        "This VAT number is not valid (form or check digits).",
    ),
    "iban": (
        "Cet IBAN n'est pas valide (format ou clé de contrôle).",
        "This IBAN is not valid (form or check digits).",
    ),
    "bic": ("Ce BIC n'est pas valide.", "This BIC is not valid."),
    "country_code": ("Deux lettres, par exemple FR.", "Two capital letters, such as FR."),
    "email": ("Cette adresse e-mail n'est pas valide.", "This e-mail address is not valid."),
    "unit": (
        "Cette unité n'est pas dans la liste (GET /v1/units).",
        "This unit is not in the list (GET /v1/units).",
    ),
    "colour": ("Une couleur s'écrit #rrvvbb, ainsi #0a5c5e.", "A colour is written #rrggbb, such as #0a5c5e."),
    "number_pattern": (
        "Un modèle de numéro contient {{year}} puis {{00001}}, et au plus 35 lettres, chiffres ou + - _ /.",
        "A number pattern holds {{year}} then {{00001}}, and at most 35 letters, digits or + - _ /.",
    ),
}


def field_texts(kind: str, context: Mapping[str, Any]) -> tuple[str, str]:
    """The French and English texts of a validation error."""
    if kind in {"enum", "literal_error"}:
        return _possible_values(str(context.get("expected", "")))
    if kind == "string_too_short" and context.get("min_length") == 1:
        return _EMPTY
    if kind == "too_short" and context.get("min_length") == 1:
        return _EMPTY_LIST
    french, english = _TEXTS.get(kind, _OTHER)
    try:
        return french.format(**context), english.format(**context)
    except KeyError:
        return _OTHER


def _possible_values(expected: str) -> tuple[str, str]:
    """Pydantic lists values as ``'a', 'b' or 'c'``, or as ``<Step.A: 'a'>`` those of a literal."""
    values = _QUOTED.findall(expected)
    if not values:
        return _OTHER
    if len(values) == 1:
        return f"Valeur attendue : {values[0]}.", f"Expected value: {values[0]}."
    if len(values) > _SHOWN_VALUES:
        shown = ", ".join(values[:_SHOWN_VALUES])
        return (
            f"Valeur inconnue. {len(values)} valeurs sont possibles, dont {shown} : voir la documentation de l'API.",
            f"Unknown value. {len(values)} values are possible, such as {shown}: see the documentation of the API.",
        )
    first = ", ".join(values[:-1])
    return f"Valeurs possibles : {first} ou {values[-1]}.", f"Possible values: {first} or {values[-1]}."
