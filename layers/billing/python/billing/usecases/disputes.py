"""What customers contest at their banks, as Stripe last told it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from billing.domain.access import Caller, Permission
from billing.domain.disputes import ListedDispute
from billing.domain.errors import StaleVersion
from billing.domain.notices import NoticeKind
from billing.domain.stripe import DisputeStatus
from billing.ports.paging import Page, PageRequest
from billing.ports.stripe_inbox import SHARDS
from billing.ports.stripe_payments import StripeFacts, StripePayments
from billing.usecases.notices import addressed, dispute_fact
from billing.usecases.stripe_events import StripeDesk
from billing.usecases.stripe_ledger import STRIPE
from billing.usecases.turns import Turns, turning

REMINDED_AT_ONCE: Final = 50  # of a shard


def list_payment_disputes(caller: Caller, page: PageRequest, *, stripe_payments: StripePayments) -> Page[ListedDispute]:
    """Those that wait for the company first, by their deadline. Raises: Forbidden, PageTokenInvalid."""
    caller.require(Permission.READ)
    return stripe_payments.disputes(caller, page)


def remind_of_disputes(*, desk: StripeDesk) -> int:
    """Companies are written again of deadlines that are near, once for each. Returns how many were.

    As Stripe last told: an answer that was handed in is told by an event. Raises: what went wrong for one, once every
    other had its turn.
    """
    turns, reminded, now = Turns(), 0, desk.clock.now()
    for shard in turning(SHARDS, desk.ids.jitter()):
        for tenant_id, payment_intent_id, dispute_id in desk.stripe_payments.disputes_due(shard, now, REMINDED_AT_ONCE):
            with turns.one(passed_over=StaleVersion):  # another told of the payment: the next run sees how it stands
                reminded += _reminded(tenant_id, payment_intent_id, dispute_id, now, desk)
    turns.end()
    return reminded


def _reminded(tenant_id: str, payment_intent_id: str, dispute_id: str, now: datetime, desk: StripeDesk) -> bool:
    stored = desk.stripe_payments.stored(tenant_id, payment_intent_id)
    dispute = next((one for one in stored.disputes if one.dispute_id == dispute_id), None) if stored else None
    if stored is None or dispute is None or dispute.remind_at is None or dispute.remind_at > now:
        return False  # the index follows the table a little later
    caller = Caller.system(tenant_id, STRIPE)
    is_late = dispute.evidence_due_by is not None and dispute.evidence_due_by <= now  # nothing can be done any more
    inquires = dispute.status is DisputeStatus.WARNING_NEEDS_RESPONSE
    kind = NoticeKind.INQUIRY_DUE if inquires else NoticeKind.DISPUTE_DUE
    facts = () if is_late else (dispute_fact(kind, stored, dispute_id),)
    notices = addressed(caller, facts, str(stored.version), companies=desk.companies, at=now)
    record = stored.reminded_of(dispute_id).next_after(stored)
    desk.stripe_payments.write(caller, StripeFacts(record=record, notices=notices))
    return bool(notices)
