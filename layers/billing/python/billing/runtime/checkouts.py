"""The deployment's own of a page to pay on."""

from __future__ import annotations

from functools import cache

from billing.domain.checkout import CheckoutSite
from billing.runtime.settings import platform_fee_basis_points, portal_invoices_url


@cache
def site() -> CheckoutSite:
    return CheckoutSite(invoices_url=portal_invoices_url(), fee_basis_points=platform_fee_basis_points())
