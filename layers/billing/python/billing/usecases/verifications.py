"""The proof, page by page, that a tenant's invoices and credit notes are dense, chained, right and settled."""

from __future__ import annotations

from datetime import datetime

from billing.domain.access import Caller, Permission
from billing.domain.verification import Verification, VerificationState
from billing.ports.clock import Clock, Ids
from billing.ports.idempotency import IdempotentRequest
from billing.ports.repositories import Verifications

PAGE_LIMIT = 40
CREDIT_PAGE_LIMIT = 200


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
    invoices, *further = verifications.series_heads(caller)
    verification = Verification(
        tenant_id=caller.tenant_id,
        verification_id=ids.new("ver"),
        version=1,
        target=invoices,
        further=tuple(further),
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
    moved = _further(verification, verifications, clock.now())
    return moved if verifications.save(moved) else verifications.load(tenant_id, verification_id)


def _further(verification: Verification, verifications: Verifications, now: datetime) -> Verification:
    tenant_id = verification.tenant_id
    if verification.credits is not None:
        customer = verifications.credit_page(tenant_id, verification.credits, limit=CREDIT_PAGE_LIMIT)
        return verification.credited(customer, now) if customer else verification.finished(now)
    page = verifications.page(tenant_id, verification.position, verification.target, limit=PAGE_LIMIT)
    if page:
        return verification.advanced(page, now)
    return verification.walked(verifications.ending(tenant_id, verification.target.series), now)


def abort_invoice_verification(
    tenant_id: str, verification_id: str, error: str, *, verifications: Verifications, clock: Clock
) -> Verification:
    """The job itself could not go on: said on the job, so that nobody waits for it."""
    verification = verifications.load(tenant_id, verification_id)
    if verification.state is not VerificationState.RUNNING:
        return verification
    aborted = verification.aborted(error, clock.now())
    return aborted if verifications.save(aborted) else verifications.load(tenant_id, verification_id)
