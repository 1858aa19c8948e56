"""Merges of customers: both heads, what goes by their ids, and no record by which the duplicate is found."""

from __future__ import annotations

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import Item
from billing.adapters.dynamodb.customer_credits import credit_of, movement_writes
from billing.adapters.dynamodb.customers import Customers, from_item
from billing.adapters.dynamodb.keys import Key
from billing.adapters.dynamodb.reminders import pause_from_item, pause_to_item
from billing.adapters.dynamodb.table import Table, Write, refuse_with
from billing.domain.access import Caller
from billing.domain.errors import FieldError, NotFound, StaleVersion, UnknownReference
from billing.domain.events import Event
from billing.domain.parties import Customer
from billing.ports.customer_merges import CustomerMerge, MergeContext, MergingCustomer
from billing.ports.idempotency import IdempotentRequest


class CustomerMerges:
    """Port CustomerMerges."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._customers = Customers(table)

    def load(self, caller: Caller, customer_id: str, duplicate_id: str, *, once: IdempotentRequest) -> MergeContext:
        """One request; another one when something was merged into the duplicate before."""
        tenant_id = caller.tenant_id
        wanted = dict.fromkeys(key for one in (customer_id, duplicate_id) for key in _keys(tenant_id, one))
        found = self._table.read(caller, *wanted, once=once)
        survivor = _merging(tenant_id, customer_id, found)
        if survivor is None:
            raise NotFound
        duplicate = _merging(tenant_id, duplicate_id, found)
        if duplicate is None:
            raise UnknownReference((FieldError("/duplicate_id", "Client inconnu.", "Unknown customer."),))
        earlier_keys = [keys.customer(tenant_id, one) for one in duplicate.customer.merged_ids]
        earlier = self._table.batch(earlier_keys) if earlier_keys else {}
        return MergeContext(
            survivor=survivor,
            duplicate=duplicate,
            earlier=tuple(from_item(earlier[key]) for key in earlier_keys if key in earlier),
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
        of_customer, of_duplicate = events
        self._table.write(
            caller,
            *self._customers.replaced(customer, merge.previous, event=of_customer),
            *self._customers.replaced(merge.duplicate, merge.duplicate_before, event=of_duplicate),
            *(self._customers.head(moved, before) for moved, before in merge.earlier),
            *(write for movement in merge.movements for write in movement_writes(self._table, movement)),
            *self._pauses(merge),
            once=once,
            answered=customer,
        )

    def _pauses(self, merge: CustomerMerge) -> tuple[Write, ...]:
        """The pause of the one that goes on, and that nobody paused the duplicate meanwhile."""
        stale, before = refuse_with(StaleVersion), merge.duplicate_pause
        unmoved = self._table.check(
            keys.reminder_pause(before.tenant_id, before.customer_id),
            only_if="version = :version" if before.version else "attribute_not_exists(pk) OR version = :version",
            values={":version": before.version},
            refused=stale,
        )
        if merge.pause is None:
            return (unmoved,)
        content = pause_to_item(merge.pause)
        if merge.pause.version == 1:
            return unmoved, self._table.create(content, stale)
        return unmoved, self._table.replace(content, expected_version=merge.pause.version - 1, refused=stale)


def _keys(tenant_id: str, customer_id: str) -> tuple[Key, Key, Key]:
    return (
        keys.customer(tenant_id, customer_id),
        keys.customer_credit(tenant_id, customer_id),
        keys.reminder_pause(tenant_id, customer_id),
    )


def _merging(tenant_id: str, customer_id: str, found: dict[Key, Item]) -> MergingCustomer | None:
    head, credit, pause = (found.get(key) for key in _keys(tenant_id, customer_id))
    if head is None:
        return None
    return MergingCustomer(
        customer=from_item(head),
        credit=credit_of(tenant_id, customer_id, credit),
        pause=pause_from_item(tenant_id, customer_id, pause),
    )
