"""Fake of the port CustomerMerges."""

from __future__ import annotations

from billing.domain.access import Caller
from billing.domain.errors import FieldError, NotFound, StaleVersion, UnknownReference
from billing.domain.events import Event
from billing.domain.parties import Customer
from billing.domain.reminders import ReminderPause
from billing.ports.customer_merges import CustomerMerge, MergeContext, MergingCustomer
from billing.ports.idempotency import IdempotentRequest
from tests.fakes.store import Store
from tests.fakes.writes import credit_of, hold_credit, move_credit


class FakeCustomerMerges:
    """Port CustomerMerges."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def load(self, caller: Caller, customer_id: str, duplicate_id: str, *, once: IdempotentRequest) -> MergeContext:
        with self._store.lock:
            self._store.check(caller, once)
            survivor = self._merging(caller.tenant_id, customer_id)
            if survivor is None:
                raise NotFound
            duplicate = self._merging(caller.tenant_id, duplicate_id)
            if duplicate is None:
                raise UnknownReference((FieldError("/duplicate_id", "Client inconnu.", "Unknown customer."),))
            return MergeContext(
                survivor=survivor,
                duplicate=duplicate,
                earlier=tuple(self._store.customers[caller.tenant_id, one] for one in duplicate.customer.merged_ids),
            )

    def write(
        self,
        caller: Caller,
        customer: Customer,
        merge: CustomerMerge,
        *,
        events: tuple[Event, Event],
        once: IdempotentRequest,
    ) -> None:
        with self._store.writing(caller, once=once, answered=customer):
            moves = [(customer, merge.previous), (merge.duplicate, merge.duplicate_before), *merge.earlier]
            for moved, before in moves:
                if self._store.customers[caller.tenant_id, moved.customer_id].version != before.version:
                    raise StaleVersion
            if self._pause(caller.tenant_id, merge.duplicate.customer_id).version != merge.duplicate_pause.version:
                raise StaleVersion
            pause = merge.pause
            if pause is not None and self._pause(caller.tenant_id, pause.customer_id).version != pause.version - 1:
                raise StaleVersion
            for movement in merge.movements:
                hold_credit(self._store, movement)
            for movement in merge.movements:
                move_credit(self._store, movement)
            for moved, _ in moves:
                self._store.customers[caller.tenant_id, moved.customer_id] = moved
            if pause is not None:
                self._store.reminder_pauses[caller.tenant_id, pause.customer_id] = pause
            for one, event in zip((customer, merge.duplicate), events, strict=True):
                self._store.record(caller.tenant_id, one.customer_id, event)

    def _merging(self, tenant_id: str, customer_id: str) -> MergingCustomer | None:
        customer = self._store.customers.get((tenant_id, customer_id))
        if customer is None:
            return None
        return MergingCustomer(
            customer=customer,
            credit=credit_of(self._store, tenant_id, customer_id),
            pause=self._pause(tenant_id, customer_id),
        )

    def _pause(self, tenant_id: str, customer_id: str) -> ReminderPause:
        standing = self._store.reminder_pauses.get((tenant_id, customer_id))
        return standing or ReminderPause(tenant_id=tenant_id, customer_id=customer_id)
