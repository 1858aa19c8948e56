"""By what two customers may be the same one: an identifier, an e-mail, or a name written alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from billing.domain.parties import CustomerDescription
from billing.domain.search import words

# What stands in a name without telling who it is.
_FORMS = frozenset({"ei", "eurl", "sarl", "sas", "sasu", "sa", "snc", "sci", "selarl", "ste", "societe", "ets"})
_LONGEST = 100


class Likeness(StrEnum):
    SIREN = "siren"
    VAT_NUMBER = "vat_number"
    EMAIL = "email"
    NAME = "name"


@dataclass(frozen=True, slots=True, kw_only=True)
class LikenessKey:
    """Two customers with one of the same keys may be one."""

    likeness: Likeness
    value: str


def likeness_keys(description: CustomerDescription) -> tuple[LikenessKey, ...]:
    """At most four."""
    held = ((likeness, value[:_LONGEST]) for likeness, value in _keys(description))
    return tuple(LikenessKey(likeness=likeness, value=value) for likeness, value in held if value)


def _keys(description: CustomerDescription) -> Iterator[tuple[Likeness, str]]:
    yield Likeness.SIREN, description.siren or ""
    yield Likeness.VAT_NUMBER, description.vat_number or ""
    yield Likeness.EMAIL, (description.email or "").strip().lower()
    yield Likeness.NAME, normal_name(description.name)


def normal_name(name: str) -> str:
    """``SARL Dûpont & Fils`` and ``Dupont, fils`` alike; empty when nothing but legal forms stands in it."""
    dotless = name.replace(".", "")  # S.A.R.L.
    told = [word for word in words(dotless) if word not in _FORMS]
    return " ".join(told)
