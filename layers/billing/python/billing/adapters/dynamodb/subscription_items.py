"""A company's subscription as an item; issuing reads it beside the draft."""

from __future__ import annotations

from billing.adapters.dynamodb.codec import Item, load, text
from billing.domain.subscription import Subscription


def subscription_of(tenant_id: str, stored: Item | None) -> Subscription:
    return load(Subscription, text(stored, "body")) if stored else Subscription(tenant_id=tenant_id)
