"""Companies that are parked while their books contradict themselves, and released by an operator."""

from __future__ import annotations

from billing.domain.errors import NotFound
from billing.domain.parking import ParkedTenant, ParkReason
from billing.ports.alerts import AlertDesk
from billing.ports.clock import Clock, Ids
from billing.ports.idempotency import IdempotentRequest
from billing.usecases.alerts import apply_with_alert
from billing.usecases.contention import judged_anew


def park_tenant(tenant_id: str, reason: ParkReason, *, desk: AlertDesk, clock: Clock, ids: Ids) -> bool:
    """Leave a company out of what runs by itself, and open its incident, in one transaction; once until it is released.

    Returns whether it was not parked before. Its notice is sent by the next run of alerts.
    """

    def attempt() -> bool:
        now = clock.now()
        standing = desk.parked_tenant(tenant_id)
        if standing is None:
            parked = ParkedTenant(tenant_id=tenant_id, version=1, reason=reason, parked_at=now)
        elif standing.is_parked:
            return False
        else:
            parked = standing.parked_again(reason, now)
        apply_with_alert(*parked.message(), tenants=(parked,), desk=desk, now=now, ids=ids)
        return True

    return judged_anew(attempt, clock=clock, ids=ids)


def release_parked_tenant(
    tenant_id: str,
    *,
    by: str,
    note: str,
    once: IdempotentRequest | None = None,
    desk: AlertDesk,
    clock: Clock,
    ids: Ids,
) -> ParkedTenant:
    """What runs by itself takes it up again where it stopped, and its incident can be closed.

    Raises: NotFound, TenantNotParked, AlreadyAnswered, IdempotencyKeyReused.
    """

    def attempt() -> ParkedTenant:
        now = clock.now()
        standing = desk.parked_tenant(tenant_id, once)
        if standing is None:
            raise NotFound
        released = standing.released(by, note, now)
        apply_with_alert(
            *released.message(), tenants=(released,), desk=desk, now=now, ids=ids, once=once, answered=released
        )
        return released

    return judged_anew(attempt, clock=clock, ids=ids)


def list_parked_tenants(*, desk: AlertDesk) -> tuple[ParkedTenant, ...]:
    """Those that are parked now, who waits longest first."""
    return desk.parked_tenants()
