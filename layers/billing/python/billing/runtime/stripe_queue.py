"""The queue that Stripe's events are processed from."""

from __future__ import annotations

from functools import cache

import boto3

from billing.adapters.sqs import SqsStripeEventQueue
from billing.ports.stripe_inbox import StripeEventQueue
from billing.runtime.clients import sdk_config
from billing.runtime.settings import stripe_events_queue_url


@cache
def event_queue() -> StripeEventQueue:
    return SqsStripeEventQueue(boto3.client("sqs", config=sdk_config()), stripe_events_queue_url())
