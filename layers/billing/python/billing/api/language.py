"""French unless the client prefers English."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from billing.api.events import header


class Language(StrEnum):
    FRENCH = "fr"
    ENGLISH = "en"


def preferred_language(accept_language: str) -> Language:
    """The better of French and English in an Accept-Language header (RFC 9110 §12.5.4)."""
    french = english = 0.0
    for choice in accept_language.split(",")[:20]:
        tag, _, parameter = choice.partition(";")
        weight = _weight(parameter)
        primary = tag.strip().lower().partition("-")[0]
        if primary == Language.ENGLISH:
            english = max(english, weight)
        elif primary in {Language.FRENCH, "*"}:
            french = max(french, weight)
    return Language.ENGLISH if english > french else Language.FRENCH


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def language_of(event: Mapping[str, Any]) -> Language:
    return preferred_language(header(event, "accept-language"))
