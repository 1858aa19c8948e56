"""Subscriptions to ZenBilling itself: one item of a tenant, and the tenant of a customer at Stripe."""

from __future__ import annotations

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, dump, item, text
from billing.adapters.dynamodb.invoices import series_from_item
from billing.adapters.dynamodb.notices import notice_writes
from billing.adapters.dynamodb.stripe_inbox import entry_write
from billing.adapters.dynamodb.subscription_items import subscription_of
from billing.adapters.dynamodb.table import Table, Write, refuse_with
from billing.domain.access import Caller
from billing.domain.errors import StaleVersion
from billing.domain.events import Event
from billing.domain.notices import CompanyNotice
from billing.domain.numbering import Series, SeriesState
from billing.domain.stripe_inbox import InboxEntry
from billing.domain.subscription import Subscription
from billing.ports.idempotency import IdempotentRequest

SUBSCRIPTION = "subscription"
STRIPE_CUSTOMER = "stripe_customer"


class Subscriptions:
    """Port Subscriptions."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self, caller: Caller, *, once: IdempotentRequest | None = None) -> Subscription:
        key = keys.subscription(caller.tenant_id)
        return subscription_of(caller.tenant_id, self._table.read(caller, key, once=once).get(key))

    def read_with_use(self, caller: Caller) -> tuple[Subscription, SeriesState]:
        key = keys.subscription(caller.tenant_id)
        series = keys.series(caller.tenant_id, Series.INVOICE.value)
        found = self._table.read(caller, key, series)
        state = series_from_item(Series.INVOICE, found.get(series))
        return subscription_of(caller.tenant_id, found.get(key)), state

    def stored(self, tenant_id: str) -> Subscription:
        return subscription_of(tenant_id, self._table.get(keys.subscription(tenant_id)))

    def save(
        self,
        caller: Caller,
        subscription: Subscription,
        *,
        event: Event | None = None,
        entry: InboxEntry | None = None,
        notices: tuple[CompanyNotice, ...] = (),
        once: IdempotentRequest | None = None,
        answered: object = None,
    ) -> None:
        tenant_id = subscription.tenant_id
        writes = [self._moved(subscription)]
        if subscription.customer_id:
            writes.append(self._customer(tenant_id, subscription.customer_id))
        if entry is not None:
            writes.append(entry_write(self._table, entry))
        for notice in notices:
            writes += notice_writes(self._table, notice)
        if event is not None:
            writes.append(self._table.event(keys.subscription_event(tenant_id, event.event_id), tenant_id, event))
        self._table.write(caller, *writes, once=once, answered=answered)

    def tenant_of(self, customer_id: str) -> str | None:
        stored = self._table.get(keys.stripe_customer(customer_id))
        return text(stored, "tenant_id") if stored else None

    def _moved(self, subscription: Subscription) -> Write:
        key = keys.subscription(subscription.tenant_id)
        content = item(
            pk=key.pk,
            sk=key.sk,
            entity=SUBSCRIPTION,
            schema_version=SCHEMA_VERSION,
            tenant_id=subscription.tenant_id,
            version=subscription.version,
            body=dump(subscription),
        )
        stale = refuse_with(StaleVersion)
        if subscription.version == 1:
            return self._table.create(content, stale)
        return self._table.replace(content, expected_version=subscription.version - 1, refused=stale)

    def _customer(self, tenant_id: str, customer_id: str) -> Write:
        """A customer leads to one tenant, for ever."""
        key = keys.stripe_customer(customer_id)
        content = item(pk=key.pk, sk=key.sk, entity=STRIPE_CUSTOMER, schema_version=SCHEMA_VERSION, tenant_id=tenant_id)
        only_if, values = "attribute_not_exists(pk) OR tenant_id = :tenant", {":tenant": tenant_id}
        return Write("Put", self._table.put(content, only_if=only_if, values=values), refuse_with(StaleVersion))
