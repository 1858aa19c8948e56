"""The process of the local Stripe. Usage: ``python -m local.stripe <layout>``."""

from __future__ import annotations

import logging
import signal
import sys
import threading

from billing.domain.plans import PLAN_CURRENCY, PLANS
from local.clock import LocalClock
from local.layout import Layout
from local.stripe.server import LocalStripe, StripeServer


def main(arguments: list[str]) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    layout = Layout.from_json(arguments[0])
    stopped = threading.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_: stopped.set())
    clock = LocalClock(layout.clock_file)
    stripe = LocalStripe(
        layout.stripe_database,
        base_url=layout.stripe_url,
        webhook_url=f"{layout.api_url}/v1/webhooks/stripe",
        now=clock.now,
    )
    for plan in PLANS:
        if plan.lookup_key:
            name, amount = f"ZenBilling {plan.name_fr}", plan.monthly_price_minor
            stripe.sell(name, lookup_key=plan.lookup_key, amount=amount, currency=PLAN_CURRENCY)
    server = StripeServer(layout.ports.stripe)
    threads = stripe.run(stopped)
    threading.Thread(target=server.serve, args=(stripe,), daemon=True).start()
    stopped.wait()
    server.shutdown()
    for thread in threads:
        thread.join(timeout=2)
    stripe.store.close()


if __name__ == "__main__":
    main(sys.argv[1:])
