"""Task of the verification workflow — prove one page more, or say why the job could not go on."""

from typing import Any

from billing.api.entry import task_point
from billing.domain.parking import ParkReason
from billing.domain.verification import VerificationState
from billing.runtime.clock import clock, ids
from billing.runtime.observability import count, logger
from billing.runtime.table import alert_desk, verifications
from billing.usecases import verifications as usecases
from billing.usecases.parking import park_tenant


def verify_ledger_page(event: dict[str, Any]) -> dict[str, Any]:
    tenant_id, verification_id = event["tenant_id"], event["verification_id"]
    if "error" in event:
        verification = usecases.abort_invoice_verification(
            tenant_id, verification_id, event["error"], verifications=verifications(), clock=clock
        )
    else:
        verification = usecases.verify_ledger_page(
            tenant_id, verification_id, verifications=verifications(), clock=clock
        )
    if verification.state is VerificationState.FAILED:
        count("LedgerVerificationFailed")
        logger.error("ledger differs")
        park_tenant(tenant_id, ParkReason.LEDGER_DIFFERS, desk=alert_desk(), clock=clock, ids=ids)
    return {"done": verification.state is not VerificationState.RUNNING, "state": verification.state.value}


handler = task_point(verify_ledger_page)
