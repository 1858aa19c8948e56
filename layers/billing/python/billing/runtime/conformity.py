"""Who judges documents. Only what judges imports this: the rules take most of a second and 175 MB."""

from __future__ import annotations

from functools import cache

from billing.adapters.facturx.rules import FacturXRules


@cache
def rules() -> FacturXRules:
    return FacturXRules()
