"""What checks uploaded pictures."""

from __future__ import annotations

from functools import cache

from billing.adapters.images.logo_checker import PillowLogoChecker
from billing.adapters.pdf.logo import prepare_logo


@cache
def logo_checker() -> PillowLogoChecker:
    return PillowLogoChecker(prepare_logo)
