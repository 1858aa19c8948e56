"""How an alarm says in French from where it rings: in the template's descriptions and in what people are told."""

from __future__ import annotations

from decimal import Decimal

from billing.domain.watch import Indicator, Level, Unusual

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_UNUSUAL = {
    Unusual.BELOW: "moins que d'habitude",
    Unusual.ABOVE: "plus que d'habitude",
    Unusual.BOTH: "hors de l'habitude",
}
_NARROW = "\N{NARROW NO-BREAK SPACE}"


def in_words(indicator: Indicator, level: Level) -> str:
    """From where it rings: ``Requêtes en erreur : 2 % des requêtes ou plus, 3 minutes sur 5``."""
    if indicator.below:
        return f"{indicator.says} : aucune {indicator.unit} depuis {_long(level.periods * indicator.period)}"
    if indicator.unusual is not None:
        return f"{indicator.says} : {_UNUSUAL[indicator.unusual]} à cette heure, {_window(indicator.period, level)}"
    limit = number(level.limit)
    return f"{indicator.says} : {limit} {indicator.unit} ou plus, {_window(indicator.period, level)}"


def number(value: Decimal | float) -> str:
    """As French writes it: ``60 000``, ``0,05``."""
    return f"{value:,.6f}".rstrip("0").rstrip(".").replace(",", _NARROW).replace(".", ",")


def _window(period: int, level: Level) -> str:
    if level.periods == 1:
        return f"en {_long(period)}"
    if period == _MINUTE:
        return f"{level.datapoints} minutes sur {level.periods}"
    return f"{level.datapoints} fois {_long(period)} sur {level.periods}"


def _long(seconds: int) -> str:
    if seconds % _DAY == 0:
        return f"{seconds // _DAY * 24} heures"
    if seconds % _HOUR == 0:
        hours = seconds // _HOUR
        return f"{hours} heure{'s' * (hours > 1)}"
    minutes = seconds // _MINUTE
    return f"{minutes} minute{'s' * (minutes > 1)}"
