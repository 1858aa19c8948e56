"""The register of VAT numbers."""

from __future__ import annotations

from functools import cache

from billing.adapters.vies import Vies
from billing.runtime.clock import clock
from billing.runtime.settings import vies_api_url


@cache
def vat_numbers() -> Vies:
    return Vies(vies_api_url(), clock=clock)
