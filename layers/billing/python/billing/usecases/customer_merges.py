"""Duplicates of customers become one."""

from __future__ import annotations

from dataclasses import replace

from billing.domain.access import Caller, Permission
from billing.domain.customer_merge import merged, merged_credits, merged_pause, moved_to
from billing.domain.events import EventType
from billing.domain.parties import Customer
from billing.ports.clock import Clock, Ids
from billing.ports.customer_merges import CustomerMerge, CustomerMerges
from billing.ports.idempotency import IdempotentRequest
from billing.usecases.contention import judged_anew
from billing.usecases.customers import customer_event


def merge_customer(
    caller: Caller,
    customer_id: str,
    duplicate_id: str,
    *,
    once: IdempotentRequest,
    merges: CustomerMerges,
    clock: Clock,
    ids: Ids,
) -> Customer:
    """One customer of two: the duplicate's documents, credit and pause are the other's from now on.

    Nothing that was issued changes. There is no way back.

    Raises: NotFound, UnknownReference, CustomerMerged, FieldErrors, Busy.
    """
    caller.require(Permission.WRITE_DOCUMENTS)

    def attempt() -> Customer:
        context = merges.load(caller, customer_id, duplicate_id, once=once)
        now, today = clock.now(), clock.today()
        survivor, duplicate = context.survivor, context.duplicate
        customer, gone = merged(survivor.customer, duplicate.customer, at=now)
        movements = merged_credits(
            survivor.credit,
            duplicate.credit,
            entry_ids=(ids.new("ent"), ids.new("ent")),
            on=today,
            at=now,
            by=caller.user_id,
        )
        told: dict[str, str | int] = {
            "merged_id": duplicate_id,
            "into_id": customer_id,
            "credit_minor": duplicate.credit.balance_minor,
        }
        of_customer, of_duplicate = (
            replace(event, data={**event.data, **told})
            for event in (customer_event(EventType.CUSTOMER_MERGED, caller, one, ids) for one in (customer, gone))
        )
        merges.write(
            caller,
            customer,
            CustomerMerge(
                previous=survivor.customer,
                duplicate=gone,
                duplicate_before=duplicate.customer,
                earlier=tuple((moved_to(one, customer_id, at=now), one) for one in context.earlier),
                movements=movements,
                pause=merged_pause(survivor.pause, duplicate.pause, today=today, at=now),
                duplicate_pause=duplicate.pause,
            ),
            events=(of_customer, of_duplicate),
            once=once,
        )
        return customer

    return judged_anew(attempt, clock=clock, ids=ids)
