"""The proof, page by page, that a tenant's invoices are dense, chained, right and settled."""

from __future__ import annotations

from billing.domain.access import Caller, Permission
from billing.domain.verification import Verification, VerificationState
from billing.ports.clock import Clock, Ids
from billing.ports.idempotency import IdempotentRequest
from billing.ports.repositories import Verifications

PAGE_LIMIT = 40


def start_invoice_verification(
    caller: Caller,
    *,
    correlation_id: str,
    once: IdempotentRequest,
    verifications: Verifications,
    clock: Clock,
    ids: Ids,
) -> Verification:
    """Ask for the proof of everything issued so far; documents issued later belong to the next one."""
    caller.require(Permission.VERIFY_LEDGER)
    now = clock.now()
    verification = Verification(
        tenant_id=caller.tenant_id,
        verification_id=ids.new("ver"),
        version=1,
        target=verifications.series_head(caller),
        correlation_id=correlation_id,
        started_at=now,
        updated_at=now,
    )
    verifications.start(caller, verification, once=once)
    return verification


def read_invoice_verification(caller: Caller, verification_id: str, *, verifications: Verifications) -> Verification:
    """Raises: NotFound."""
    return verifications.read(caller, verification_id)


def verify_ledger_page(
    tenant_id: str, verification_id: str, *, verifications: Verifications, clock: Clock
) -> Verification:
    """One page further from the checkpoint; finished when the target is reached. Safe to run twice."""
    verification = verifications.load(tenant_id, verification_id)
    if verification.state is not VerificationState.RUNNING:
        return verification
    page = verifications.page(tenant_id, verification.position, verification.target, limit=PAGE_LIMIT)
    now = clock.now()
    moved = verification.advanced(page, now) if page else verification.finished(verifications.ending(tenant_id), now)
    return moved if verifications.save(moved) else verifications.load(tenant_id, verification_id)


def abort_invoice_verification(
    tenant_id: str, verification_id: str, error: str, *, verifications: Verifications, clock: Clock
) -> Verification:
    """The job itself could not go on: said on the job, so that nobody waits for it."""
    verification = verifications.load(tenant_id, verification_id)
    if verification.state is not VerificationState.RUNNING:
        return verification
    aborted = verification.aborted(error, clock.now())
    return aborted if verifications.save(aborted) else verifications.load(tenant_id, verification_id)
