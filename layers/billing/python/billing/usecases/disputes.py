"""What customers contest at their banks, as Stripe last told it."""

from __future__ import annotations

from billing.domain.access import Caller, Permission
from billing.domain.disputes import ListedDispute
from billing.ports.paging import Page, PageRequest
from billing.ports.stripe_payments import StripePayments


def list_payment_disputes(caller: Caller, page: PageRequest, *, stripe_payments: StripePayments) -> Page[ListedDispute]:
    """Those that wait for the company first, by their deadline. Raises: Forbidden, PageTokenInvalid."""
    caller.require(Permission.READ)
    return stripe_payments.disputes(caller, page)
