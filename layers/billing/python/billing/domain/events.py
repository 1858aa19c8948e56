"""Business events: what happened to a document, by whom, when. Written with their effect."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from billing.domain.access import Membership

SYSTEM_ACTOR = "system"


class EventType(StrEnum):
    MEMBERSHIP_CREATED = "membership.created"
    COMPANY_DESCRIBED = "company.described"
    SERIES_STARTED = "company.series_started"
    NOTICE_REQUESTED = "company.notice_requested"  # a mail to the company itself, that failed and is tried again
    NOTICE_SENT = "company.notice_sent"
    NOTICE_DELIVERED = "company.notice_delivered"
    NOTICE_BOUNCED = "company.notice_bounced"
    NOTICE_FAILED = "company.notice_failed"
    NOTICE_UNCONFIRMED = "company.notice_unconfirmed"
    CUSTOMER_CREATED = "customer.created"
    CUSTOMER_EDITED = "customer.edited"
    CUSTOMER_VAT_NUMBER_CHECKED = "customer.vat_number_checked"
    CUSTOMER_MERGED = "customer.merged"
    PRODUCT_CREATED = "product.created"
    PRODUCT_EDITED = "product.edited"
    PRODUCT_ARCHIVED = "product.archived"
    PRODUCT_RESTORED = "product.restored"
    INVOICE_CREATED = "invoice.created"
    INVOICE_EDITED = "invoice.edited"
    INVOICE_DELETED = "invoice.deleted"
    ATTACHMENT_ADDED = "invoice.attachment_added"
    ATTACHMENT_REMOVED = "invoice.attachment_removed"
    INVOICE_ISSUED = "invoice.issued"
    DELIVERY_REQUESTED = "invoice.delivery_requested"
    PDF_RENDERED = "invoice.pdf_rendered"
    INVOICE_SENT = "invoice.sent"
    INVOICE_DELIVERED = "invoice.delivered"
    INVOICE_BOUNCED = "invoice.bounced"
    DELIVERY_FAILED = "invoice.delivery_failed"
    DELIVERY_UNCONFIRMED = "invoice.delivery_unconfirmed"
    PAYMENT_RECORDED = "invoice.payment_recorded"
    INVOICE_LINK_CREATED = "invoice.link_created"
    INVOICE_LINKS_REVOKED = "invoice.links_revoked"
    QUOTE_CREATED = "quote.created"
    QUOTE_EDITED = "quote.edited"
    QUOTE_DELETED = "quote.deleted"
    QUOTE_FINALISED = "quote.finalised"  # numbered and frozen: from here on it can be sent
    QUOTE_REVISED = "quote.revised"
    QUOTE_LINK_CREATED = "quote.link_created"
    QUOTE_LINKS_REVOKED = "quote.links_revoked"
    QUOTE_ACCEPTED = "quote.accepted"
    QUOTE_REJECTED = "quote.rejected"
    QUOTE_INVOICED = "quote.invoiced"
    QUOTE_RELEASED = "quote.released"  # the draft invoice it had become was deleted
    QUOTE_CREDITED = "quote.credited"  # a credit note took back what one of its invoices billed
    QUOTE_WORK_RECEIVED = "quote.work_received"  # or what was retained was released
    QUOTE_DELIVERY_REQUESTED = "quote.delivery_requested"
    QUOTE_PDF_RENDERED = "quote.pdf_rendered"
    QUOTE_SENT = "quote.sent"
    QUOTE_DELIVERED = "quote.delivered"
    QUOTE_BOUNCED = "quote.bounced"
    QUOTE_DELIVERY_FAILED = "quote.delivery_failed"
    QUOTE_DELIVERY_UNCONFIRMED = "quote.delivery_unconfirmed"
    INVOICE_CREDITED = "invoice.credited"
    PAYMENT_REVERSED_ON_INVOICE = "invoice.payment_reversed"
    PAYMENT_REFUNDED_ON_INVOICE = "invoice.payment_refunded"
    PAYMENT_RECEIVED = "payment.recorded"
    PAYMENT_REVERSED = "payment.reversed"
    PAYMENT_REFUNDED = "payment.refunded"
    PAYMENT_REFUND_RETURNED = "payment.refund_returned"  # the bank sent it back
    PAYMENT_REFUND_RETURNED_ON_INVOICE = "invoice.payment_refund_returned"
    PAYMENT_REFUND_REQUESTED = "payment.refund_requested"  # of a payment at Stripe
    PAYMENT_REFUND_REFUSED = "payment.refund_refused"
    PAYMENT_NOT_BORNE = "payment.not_borne"  # what Stripe gave back, or a bank took, and the books cannot bear (yet)
    PAYMENT_DISPUTE_MOVED = "payment.dispute_moved"  # opened, or further; its data say how it stands
    ONLINE_PAYMENT_PROCESSING = "invoice.online_payment_processing"
    ONLINE_PAYMENT_SUCCEEDED = "invoice.online_payment_succeeded"  # whatever the invoice still owed of it
    ONLINE_PAYMENT_FAILED = "invoice.online_payment_failed"
    STRIPE_PAYOUT_PAID = "stripe.payout_paid"
    STRIPE_PAYOUT_FAILED = "stripe.payout_failed"
    STRIPE_RECONCILIATION_DIFFERS = "stripe.reconciliation_differs"
    STRIPE_ACCOUNT_WITHDRAWN = "stripe.account_withdrawn"  # the company withdrew the platform's access, at Stripe
    CUSTOMER_CREDIT_REFUNDED = "customer_credit.refunded"
    CREDIT_NOTE_ISSUED = "credit_note.issued"
    STRIPE_ACCOUNT_CONNECTED = "stripe_account.connected"
    STRIPE_ACCOUNT_REFRESHED = "stripe_account.refreshed"
    STRIPE_ACCOUNT_EDITED = "stripe_account.edited"
    STRIPE_ACCOUNT_DISCONNECTED = "stripe_account.disconnected"
    SUBSCRIPTION_REQUESTED = "subscription.requested"
    SUBSCRIPTION_PORTAL_OPENED = "subscription.portal_opened"
    SUBSCRIPTION_STARTED = "subscription.started"  # of the company to ZenBilling itself
    SUBSCRIPTION_CHANGED = "subscription.changed"
    SUBSCRIPTION_PAYMENT_FAILED = "subscription.payment_failed"
    SUBSCRIPTION_ENDED = "subscription.ended"
    WEBHOOK_ENDPOINT_CREATED = "webhook_endpoint.created"
    WEBHOOK_ENDPOINT_EDITED = "webhook_endpoint.edited"
    WEBHOOK_ENDPOINT_DELETED = "webhook_endpoint.deleted"
    WEBHOOK_ENDPOINT_DISABLED = "webhook_endpoint.disabled"  # after days of nothing but failures
    WEBHOOK_SECRET_ROTATED = "webhook_endpoint.secret_rotated"  # noqa: S105 - an event, not a secret
    WEBHOOK_DELIVERY_REPLAYED = "webhook_endpoint.delivery_replayed"
    VERIFICATION_STARTED = "verification.started"
    VERIFICATION_ENDED = "verification.ended"
    BULK_JOB_STARTED = "bulk_job.started"
    BULK_JOB_RESUMED = "bulk_job.resumed"
    BULK_JOB_ENDED = "bulk_job.ended"
    BULK_JOB_STOPPED = "bulk_job.stopped"
    RECURRING_INVOICE_CREATED = "recurring_invoice.created"
    RECURRING_INVOICE_EDITED = "recurring_invoice.edited"
    RECURRING_INVOICE_PAUSED = "recurring_invoice.paused"
    RECURRING_INVOICE_RESUMED = "recurring_invoice.resumed"
    RECURRING_INVOICE_SKIPPED = "recurring_invoice.skipped"
    RECURRING_INVOICE_ENDED = "recurring_invoice.ended"
    RECURRING_INVOICE_MADE = "recurring_invoice.made"
    RECURRING_INVOICE_PARKED = "recurring_invoice.parked"
    REMINDER_PLAN_EDITED = "reminder_plan.edited"
    REMINDER_REQUESTED = "invoice.reminder_requested"
    REMINDER_SENT = "invoice.reminder_sent"
    REMINDER_DELIVERED = "invoice.reminder_delivered"
    REMINDER_BOUNCED = "invoice.reminder_bounced"
    REMINDER_FAILED = "invoice.reminder_failed"
    REMINDER_UNCONFIRMED = "invoice.reminder_unconfirmed"
    REMINDER_DROPPED = "invoice.reminder_dropped"  # paid or credited before it left
    REMINDERS_HELD = "invoice.reminders_held"
    REMINDERS_RELEASED = "invoice.reminders_released"
    REMINDERS_PAUSED = "customer.reminders_paused"
    REMINDERS_RESUMED = "customer.reminders_resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """``data`` holds identifiers and figures, never names, addresses or mail addresses."""

    event_id: str
    event_type: EventType
    occurred_at: datetime
    actor: str
    data: dict[str, str | int] = field(default_factory=dict)


def derived_event_id(*parts: str) -> str:
    """The id of an event that can only happen once: whoever tells it tells the same event."""
    digest = hashlib.sha256("\n".join(parts).encode()).digest()
    return f"evt_{base64.b32hexencode(digest[:16]).decode().rstrip('=')}"


def membership_created(membership: Membership, at: datetime) -> Event:
    """A tenant is founded by its first member."""
    return Event(
        event_id=derived_event_id("membership", membership.tenant_id, membership.user_id),
        event_type=EventType.MEMBERSHIP_CREATED,
        occurred_at=at,
        actor=membership.user_id,
        data={"user_id": membership.user_id, "role": membership.role.value},
    )
