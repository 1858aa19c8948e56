"""What the processing of Stripe's facts rests on, put together."""

from __future__ import annotations

from billing.runtime import stripe, table
from billing.runtime.clock import clock, ids
from billing.runtime.observability import count
from billing.usecases.stripe_events import StripeDesk


def desk() -> StripeDesk:
    return StripeDesk(
        inbox=table.stripe_inbox(),
        stripe=stripe.gateway(),
        connections=table.stripe_connections(),
        checkouts=table.checkouts(),
        stripe_payments=table.stripe_payments(),
        payments=table.payments(),
        subscriptions=table.subscriptions(),
        invoices=table.invoices(),
        companies=table.companies(),
        count=count,
        clock=clock,
        ids=ids,
    )
