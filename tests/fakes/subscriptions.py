"""Fake of the port Subscriptions."""

from __future__ import annotations

from billing.domain.access import Caller
from billing.domain.errors import StaleVersion
from billing.domain.events import Event
from billing.domain.notices import CompanyNotice
from billing.domain.numbering import Series, SeriesState
from billing.domain.stripe_inbox import InboxEntry
from billing.domain.subscription import Subscription
from billing.ports.idempotency import IdempotentRequest
from tests.fakes.store import Store
from tests.fakes.stripe_inbox import hold_entry
from tests.fakes.writes import hold_notices, write_notices


class FakeSubscriptions:
    """Port Subscriptions."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, caller: Caller, *, once: IdempotentRequest | None = None) -> Subscription:
        with self._store.lock:
            self._store.check(caller, once)
            return self.stored(caller.tenant_id)

    def read_with_use(self, caller: Caller) -> tuple[Subscription, SeriesState]:
        with self._store.lock:
            state = self._store.series.get((caller.tenant_id, Series.INVOICE))
            return self.read(caller), state or SeriesState.untouched(Series.INVOICE)

    def stored(self, tenant_id: str) -> Subscription:
        with self._store.lock:
            return self._store.subscriptions.get(tenant_id) or Subscription(tenant_id=tenant_id)

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
        tenant_id, customer_id = subscription.tenant_id, subscription.customer_id
        with self._store.writing(caller, once=once, answered=answered):
            if self.stored(tenant_id).version != subscription.version - 1:
                raise StaleVersion
            if customer_id and self._store.stripe_customers.get(customer_id, tenant_id) != tenant_id:
                raise StaleVersion
            hold_notices(self._store, notices)
            if entry is not None:
                hold_entry(self._store, entry)
                self._store.stripe_events[entry.event.event_id] = entry
            self._store.subscriptions[tenant_id] = subscription
            if customer_id:
                self._store.stripe_customers[customer_id] = tenant_id
            write_notices(self._store, notices)
            if event is not None:
                self._store.record(tenant_id, "SUBSCRIPTION", event)

    def tenant_of(self, customer_id: str) -> str | None:
        with self._store.lock:
            return self._store.stripe_customers.get(customer_id)
