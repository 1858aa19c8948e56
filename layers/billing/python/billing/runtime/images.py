"""What checks uploaded pictures."""

from __future__ import annotations

from functools import cache

from billing.adapters.images.logo_checker import PillowLogoChecker


@cache
def logo_checker() -> PillowLogoChecker:
    return PillowLogoChecker()
