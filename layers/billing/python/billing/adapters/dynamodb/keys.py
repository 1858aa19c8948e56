"""Every key of the table, and nowhere else. The tenant comes first in each, but for the few written below.

``USER#…``, ``STRIPE_ACCOUNT#…`` and ``STRIPE_CUSTOMER#…`` find the tenant of a user, of a Stripe account or of a
customer that the platform has there, before any tenant is known;
``CHECKOUTS#…``, ``HEADS#…``, ``OUTBOX#…``, ``RECURRING#…``, ``REFUNDS#…``, ``REMINDERS#…``, ``UNPLACED#…`` and
``WEBHOOKS#…`` let one sweeper serve all tenants and hold identifiers only (docs/decisions/0003-table-keys.md). So do
``STRIPE_DAYS#…`` and
``STRIPE_EVENT#…``, which are kept as they come, before it is known whose they are, and ``STRIPE_EVENTS#…``, where they
wait or are parked. ``OPS_…`` is what operators of the platform keep: alerts, incidents, notices and maintenance windows
(docs/decisions/0036-alerts-and-incidents.md), and in a table of its own the usage of the web app
(docs/decisions/0042-usage-is-counted-and-nobody-is-known.md).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime

from billing.domain.deliverable import is_quote_id
from billing.domain.notices import is_notice_id
from billing.domain.reminders import is_reminder_id, reminded_of

HEAD = "HEAD"
OUTBOX_SHARDS = 4
RANK_WIDTH = 10
SEQUENCE_WIDTH = 12
LEDGER_WIDTH = 6
USAGE_SHARDS = 4
HIGHEST = "\U0010ffff"  # sorts after every character that a key holds, emoji included


@dataclass(frozen=True, slots=True)
class Key:
    pk: str
    sk: str


def _tenant(tenant_id: str, *parts: str) -> str:
    return "#".join((f"T#{tenant_id}", *parts))


def user(user_id: str) -> Key:
    return Key(f"USER#{user_id}", "MEMBERSHIP")


def membership(tenant_id: str, user_id: str) -> Key:
    return Key(_tenant(tenant_id, "MEMBER", user_id), HEAD)


def membership_event(tenant_id: str, user_id: str, event_id: str) -> Key:
    return Key(_tenant(tenant_id, "MEMBER", user_id), f"EVENT#{event_id}")


def company(tenant_id: str) -> Key:
    return Key(_tenant(tenant_id, "COMPANY"), HEAD)


def company_event(tenant_id: str, event_id: str) -> Key:
    return Key(_tenant(tenant_id, "COMPANY"), f"EVENT#{event_id}")


def customer(tenant_id: str, customer_id: str) -> Key:
    return Key(_tenant(tenant_id, "CUSTOMER", customer_id), HEAD)


def customer_event(tenant_id: str, customer_id: str, event_id: str) -> Key:
    return Key(_tenant(tenant_id, "CUSTOMER", customer_id), f"EVENT#{event_id}")


def customer_listing(tenant_id: str) -> str:
    return _tenant(tenant_id, "CUSTOMERS")


def customer_word(tenant_id: str, word: str, customer_id: str) -> Key:
    return Key(_tenant(tenant_id, "SEARCH", "CUSTOMER"), f"{word}#{customer_id}")


def document_word(tenant_id: str, kind: str, word: str, document_id: str) -> Key:
    return Key(_tenant(tenant_id, "SEARCH", kind), f"{word}#{document_id}")


def customer_likeness(tenant_id: str, likeness: str, value: str, customer_id: str) -> Key:
    """The value is hashed: it may be of any length and hold the separator."""
    digest = hashlib.sha256(value.encode()).hexdigest()[:32]
    return Key(_tenant(tenant_id, "ALIKE", "CUSTOMER"), f"{likeness}#{digest}#{customer_id}")


def account_movement(tenant_id: str, customer_id: str, day: date, recorded_at: datetime, movement_id: str) -> Key:
    order = f"{day.isoformat()}#{outbox_order(recorded_at)}#{movement_id}"
    return Key(_tenant(tenant_id, "ACCOUNT", customer_id), f"MOVEMENT#{order}")


def account_movements(day: date) -> str:
    """Where the movements of a day begin."""
    return f"MOVEMENT#{day.isoformat()}"


def account_month(tenant_id: str, customer_id: str, day: date, currency: str) -> Key:
    return Key(_tenant(tenant_id, "ACCOUNT", customer_id), f"{account_months(day)}#{currency}")


def account_months(day: date) -> str:
    """Where the sums of the month of a day begin."""
    return f"MONTH#{day:%Y-%m}"


def product(tenant_id: str, product_id: str) -> Key:
    return Key(_tenant(tenant_id, "PRODUCT", product_id), HEAD)


def product_price(tenant_id: str, product_id: str, version: int) -> Key:
    return Key(_tenant(tenant_id, "PRODUCT", product_id), f"PRICE#{version:0{RANK_WIDTH}d}")


def product_reference(tenant_id: str, reference: str) -> Key:
    """The reference is hashed: it may hold the separator."""
    digest = hashlib.sha256(reference.encode()).hexdigest()[:32]
    return Key(_tenant(tenant_id, "PRODUCT_REFERENCE", digest), HEAD)


def product_event(tenant_id: str, product_id: str, event_id: str) -> Key:
    return Key(_tenant(tenant_id, "PRODUCT", product_id), f"EVENT#{event_id}")


def product_listing(tenant_id: str, *, archived: bool) -> str:
    return _tenant(tenant_id, "PRODUCTS", "ARCHIVED" if archived else "ACTIVE")


def invoice(tenant_id: str, invoice_id: str) -> Key:
    return Key(_tenant(tenant_id, "INVOICE", invoice_id), HEAD)


def invoice_event(tenant_id: str, invoice_id: str, event_id: str) -> Key:
    return Key(_tenant(tenant_id, "INVOICE", invoice_id), f"EVENT#{event_id}")


def ledger_entry(tenant_id: str, invoice_id: str, rank: int) -> Key:
    return Key(_tenant(tenant_id, "INVOICE", invoice_id), f"LEDGER#{rank:0{LEDGER_WIDTH}d}")


def ledger_entry_of(key: Key) -> tuple[str, str, int]:
    """Tenant, document and rank of its key."""
    _, tenant_id, _, document_id = key.pk.split("#")
    return tenant_id, document_id, int(key.sk.rpartition("#")[2])


def document(tenant_id: str, document_id: str) -> Key:
    """Of a quote, an invoice, a credit note, a reminder or a notice, whose id says which."""
    if is_reminder_id(document_id):
        return reminder(tenant_id, document_id)
    if is_notice_id(document_id):
        return notice(tenant_id, document_id)
    return quote(tenant_id, document_id) if is_quote_id(document_id) else invoice(tenant_id, document_id)


def document_event(tenant_id: str, document_id: str, event_id: str) -> Key:
    """On the timeline of the document; a reminder's is its invoice's."""
    if is_reminder_id(document_id):
        return invoice_event(tenant_id, reminded_of(document_id)[0], event_id)
    return Key(document(tenant_id, document_id).pk, f"EVENT#{event_id}")


def delivery(tenant_id: str, document_id: str, attempt: int) -> Key:
    return Key(document(tenant_id, document_id).pk, f"DELIVERY#{attempt:0{LEDGER_WIDTH}d}")


def mail_claim(tenant_id: str, document_id: str, attempt: int, recipient: str) -> Key:
    digest = hashlib.sha256(recipient.strip().lower().encode()).hexdigest()[:32]
    return Key(document(tenant_id, document_id).pk, f"MAIL#{attempt:0{LEDGER_WIDTH}d}#{digest}")


def quote(tenant_id: str, quote_id: str) -> Key:
    return Key(_tenant(tenant_id, "QUOTE", quote_id), HEAD)


def quote_revision(tenant_id: str, quote_id: str, revision: int) -> Key:
    return Key(_tenant(tenant_id, "QUOTE", quote_id), f"REVISION#{revision:0{LEDGER_WIDTH}d}")


def quote_listing(tenant_id: str) -> str:
    return _tenant(tenant_id, "QUOTES")


def quote_status(tenant_id: str, status: str) -> str:
    return _tenant(tenant_id, "QUOTES", "STATUS", status)


def quote_customer(tenant_id: str, customer_id: str) -> str:
    return _tenant(tenant_id, "QUOTES", "CUSTOMER", customer_id)


def credit_note_listing(tenant_id: str) -> str:
    return _tenant(tenant_id, "CREDIT_NOTES")


def credit_note_customer(tenant_id: str, customer_id: str) -> str:
    return _tenant(tenant_id, "CREDIT_NOTES", "CUSTOMER", customer_id)


def credit_note_invoice(tenant_id: str, invoice_id: str) -> str:
    return _tenant(tenant_id, "CREDIT_NOTES", "INVOICE", invoice_id)


def payment(tenant_id: str, payment_id: str) -> Key:
    return Key(_tenant(tenant_id, "PAYMENT", payment_id), HEAD)


def payment_event(tenant_id: str, payment_id: str, event_id: str) -> Key:
    return Key(_tenant(tenant_id, "PAYMENT", payment_id), f"EVENT#{event_id}")


def checkout_book(tenant_id: str, invoice_id: str) -> Key:
    return Key(_tenant(tenant_id, "INVOICE", invoice_id), "CHECKOUT")


def invoice_replaced(tenant_id: str, invoice_id: str) -> Key:
    return Key(_tenant(tenant_id, "INVOICE", invoice_id), "REPLACED")


def invoice_links(tenant_id: str, invoice_id: str) -> Key:
    return Key(_tenant(tenant_id, "INVOICE", invoice_id), "LINKS")


def checkout_listing(tenant_id: str) -> str:
    return _tenant(tenant_id, "CHECKOUTS")


def checkouts_due(tenant_id: str) -> str:
    return checkouts_due_in(_shard(tenant_id))


def checkouts_due_in(shard: int) -> str:
    return f"CHECKOUTS#{shard}"


def checkouts_unsettled(tenant_id: str) -> str:
    """Where a payment waits that was confirmed and has not ended."""
    return checkouts_unsettled_in(_shard(tenant_id))


def checkouts_unsettled_in(shard: int) -> str:
    return f"CHECKOUTS_UNSETTLED#{shard}"


def checkout_of(key: Key) -> tuple[str, str | None]:
    """Tenant and invoice of its key, no invoice for the company's account: the index of what is due holds keys only."""
    _, tenant_id, *rest = key.pk.split("#")
    return tenant_id, rest[-1] if key.sk == "CHECKOUT" else None


def stripe_connection(tenant_id: str) -> Key:
    return Key(_tenant(tenant_id, "STRIPE"), HEAD)


def stripe_connection_event(tenant_id: str, event_id: str) -> Key:
    return Key(_tenant(tenant_id, "STRIPE"), f"EVENT#{event_id}")


def stripe_account(account_id: str) -> Key:
    return Key(f"STRIPE_ACCOUNT#{account_id}", HEAD)


def subscription(tenant_id: str) -> Key:
    return Key(_tenant(tenant_id, "SUBSCRIPTION"), HEAD)


def subscription_event(tenant_id: str, event_id: str) -> Key:
    return Key(_tenant(tenant_id, "SUBSCRIPTION"), f"EVENT#{event_id}")


def stripe_customer(customer_id: str) -> Key:
    return Key(f"STRIPE_CUSTOMER#{customer_id}", HEAD)


def stripe_event(event_id: str) -> Key:
    """An event of Stripe, as it came: identifiers only."""
    return Key(f"STRIPE_EVENT#{event_id}", HEAD)


def stripe_event_of(key: Key) -> str:
    return key.pk.partition("#")[2]


def stripe_events_waiting(event_id: str) -> str:
    return stripe_events_waiting_in(_shard(event_id))


def stripe_events_waiting_in(shard: int) -> str:
    return f"STRIPE_EVENTS#{shard}"


def stripe_events_parked() -> str:
    return "STRIPE_EVENTS#PARKED"


def stripe_payment(tenant_id: str, payment_intent_id: str) -> Key:
    return Key(_tenant(tenant_id, "STRIPE_PAYMENT", payment_intent_id), HEAD)


def refunds_asked(tenant_id: str) -> str:
    return refunds_asked_in(_shard(tenant_id))


def refunds_asked_in(shard: int) -> str:
    return f"REFUNDS#{shard}"


def stripe_payment_of(key: Key) -> tuple[str, str]:
    """Tenant and payment intent of its key: the index of what was asked for holds keys only."""
    _, tenant_id, _, payment_intent_id = key.pk.split("#")
    return tenant_id, payment_intent_id


def stripe_source(tenant_id: str, source_id: str) -> Key:
    """A charge, refund or dispute at Stripe, which leads to its payment intent."""
    return Key(_tenant(tenant_id, "STRIPE_SOURCE", source_id), HEAD)


def dispute_listing(tenant_id: str) -> str:
    return _tenant(tenant_id, "DISPUTES")


def disputes_due(tenant_id: str) -> str:
    return disputes_due_in(_shard(tenant_id))


def disputes_due_in(shard: int) -> str:
    return f"DISPUTES#{shard}"


def dispute_order(rank: int, second: int, dispute_id: str) -> str:
    """What comes first, then by an instant or down from one (``domain.disputes``)."""
    return f"{rank}#{second:010d}#{dispute_id}"


def stripe_booked(tenant_id: str, day: date, account_id: str, source_id: str) -> Key:
    """What was booked on a day of what an account at Stripe moved."""
    return Key(stripe_booked_on(tenant_id, day), f"{account_id}#{source_id}")


def stripe_booked_on(tenant_id: str, day: date) -> str:
    return _tenant(tenant_id, "STRIPE_BOOKED", day.isoformat())


def refunded_on_paper(tenant_id: str, day: date, subject: str) -> Key:
    """What a credit note gave back on a day."""
    return Key(refunded_on_paper_on(tenant_id, day), f"BY#{subject}")


def refunded_on_paper_on(tenant_id: str, day: date) -> str:
    return _tenant(tenant_id, "REFUNDED_ON_PAPER", day.isoformat())


def stripe_day(tenant_id: str, account_id: str, day: date) -> Key:
    return stripe_day_named(tenant_id, f"{account_id}@{day.isoformat()}")


def stripe_day_named(tenant_id: str, name: str) -> Key:
    return Key(_tenant(tenant_id, "STRIPE_DAY", name), HEAD)


def stripe_day_of(key: Key) -> tuple[str, str, date]:
    """Tenant, account and day of its key: the index of what is judged again holds keys only."""
    _, tenant_id, _, name = key.pk.split("#")
    account_id, _, day = name.rpartition("@")
    return tenant_id, account_id, date.fromisoformat(day)


def stripe_days_again(tenant_id: str) -> str:
    return stripe_days_again_in(_shard(tenant_id))


def stripe_days_again_in(shard: int) -> str:
    return f"STRIPE_DAYS_AGAIN#{shard}"


def stripe_days(tenant_id: str) -> str:
    return _tenant(tenant_id, "STRIPE_DAYS")


def stripe_day_due(tenant_id: str, account_id: str) -> Key:
    """Where an account waits for its next day to be reconciled."""
    return Key(_tenant(tenant_id, "STRIPE"), f"DAYS#{account_id}")


def stripe_day_due_of(key: Key) -> tuple[str, str]:
    """Tenant and account of its key: the index of what is due holds keys only."""
    return key.pk.split("#")[1], key.sk.partition("#")[2]


def stripe_days_due(tenant_id: str) -> str:
    return stripe_days_due_in(_shard(tenant_id))


def stripe_days_due_in(shard: int) -> str:
    return f"STRIPE_DAYS#{shard}"


def payment_listing(tenant_id: str) -> str:
    return _tenant(tenant_id, "PAYMENTS")


def payment_customer(tenant_id: str, customer_id: str) -> str:
    return _tenant(tenant_id, "PAYMENTS", "CUSTOMER", customer_id)


def customer_credit(tenant_id: str, customer_id: str) -> Key:
    """The heads of all customers' credits stand in one partition: a verification walks it."""
    return Key(_tenant(tenant_id, "CREDITS"), customer_id)


def customer_credit_entry(tenant_id: str, customer_id: str, rank: int) -> Key:
    return Key(_tenant(tenant_id, "CREDIT", customer_id), f"ENTRY#{rank:0{RANK_WIDTH}d}")


def invoice_listing(tenant_id: str) -> str:
    return _tenant(tenant_id, "INVOICES")


def invoice_status(tenant_id: str, status: str) -> str:
    return _tenant(tenant_id, "INVOICES", "STATUS", status)


def invoice_customer(tenant_id: str, customer_id: str) -> str:
    return _tenant(tenant_id, "INVOICES", "CUSTOMER", customer_id)


def invoice_due(tenant_id: str) -> str:
    return _tenant(tenant_id, "INVOICES", "DUE")


def invoice_owed_by(tenant_id: str, customer_id: str) -> str:
    return _tenant(tenant_id, "INVOICES", "OWED_BY", customer_id)


def series(tenant_id: str, name: str) -> Key:
    return Key(_tenant(tenant_id, "SERIES", name), HEAD)


def series_start(tenant_id: str, name: str) -> Key:
    return Key(_tenant(tenant_id, "SERIES", name), "START")


def series_year(tenant_id: str, name: str, year: int) -> Key:
    return Key(_tenant(tenant_id, "SERIES", name), f"YEAR#{year:04d}")


def rank_partition(tenant_id: str, name: str) -> str:
    return _tenant(tenant_id, "RANKS", name)


def rank_sort(year: int, rank: int) -> str:
    return f"{year:04d}#{rank:0{RANK_WIDTH}d}"


def rank(tenant_id: str, name: str, year: int, value: int) -> Key:
    return Key(rank_partition(tenant_id, name), rank_sort(year, value))


def number(tenant_id: str, formatted: str) -> Key:
    return Key(_tenant(tenant_id, "NUMBER", formatted), HEAD)


def idempotency(tenant_id: str, operation: str, key: str) -> Key:
    digest = hashlib.sha256(key.encode()).hexdigest()
    return Key(_tenant(tenant_id, "IDEMPOTENCY", operation, digest), HEAD)


def verification(tenant_id: str, verification_id: str) -> Key:
    return Key(_tenant(tenant_id, "VERIFICATION", verification_id), HEAD)


def verification_event(tenant_id: str, verification_id: str, event_id: str) -> Key:
    return Key(_tenant(tenant_id, "VERIFICATION", verification_id), f"EVENT#{event_id}")


def bulk_job(tenant_id: str, bulk_job_id: str) -> Key:
    return Key(_tenant(tenant_id, "BULK", bulk_job_id), HEAD)


def bulk_selection(tenant_id: str, bulk_job_id: str) -> Key:
    return Key(_tenant(tenant_id, "BULK", bulk_job_id), "SELECTION")


def bulk_progress(tenant_id: str, bulk_job_id: str) -> Key:
    return Key(_tenant(tenant_id, "BULK", bulk_job_id), "PROGRESS")


def bulk_result(tenant_id: str, bulk_job_id: str, rank: int) -> Key:
    return Key(_tenant(tenant_id, "BULK", bulk_job_id), f"RESULT#{rank:0{LEDGER_WIDTH}d}")


def bulk_run(tenant_id: str, bulk_job_id: str, run: int) -> Key:
    return Key(_tenant(tenant_id, "BULK", bulk_job_id), f"RUN#{run:0{LEDGER_WIDTH}d}")


def bulk_job_event(tenant_id: str, bulk_job_id: str, event_id: str) -> Key:
    return Key(_tenant(tenant_id, "BULK", bulk_job_id), f"EVENT#{event_id}")


def bulk_job_listing(tenant_id: str) -> str:
    return _tenant(tenant_id, "BULK_JOBS")


def feed_head(tenant_id: str) -> Key:
    return Key(_tenant(tenant_id, "FEED"), HEAD)


def feed_place(tenant_id: str, sequence: int) -> Key:
    return Key(_tenant(tenant_id, "FEED"), f"{sequence:0{SEQUENCE_WIDTH}d}")


def chain_head(tenant_id: str, day: date) -> Key:
    return Key(_tenant(tenant_id, "HEADS"), day.isoformat())


def chain_head_of(key: Key) -> tuple[str, date]:
    """Tenant and day of its key: the index of what is awaited holds keys only."""
    return key.pk.split("#")[1], date.fromisoformat(key.sk)


def chain_heads_awaited(tenant_id: str) -> str:
    return chain_heads_awaited_in(_shard(tenant_id))


def chain_heads_awaited_in(shard: int) -> str:
    return f"HEADS#{shard}"


def subject_of(event: Key) -> str:
    """The id of what an event's key stands beside; of the company itself, the tenant's."""
    _, tenant_id, *rest = event.pk.split("#")
    return rest[-1] if len(rest) > 1 else tenant_id


def unplaced(tenant_id: str, event_id: str) -> Key:
    """The mark of an event that has no place in the feed yet."""
    return Key(_tenant(tenant_id, "UNPLACED"), event_id)


def unplaced_shard(tenant_id: str) -> str:
    return unplaced_in(_shard(tenant_id))


def unplaced_in(shard: int) -> str:
    return f"UNPLACED#{shard}"


def webhook_book(tenant_id: str) -> Key:
    return Key(_tenant(tenant_id, "WEBHOOKS"), HEAD)


def webhook_endpoint_event(tenant_id: str, endpoint_id: str, event_id: str) -> Key:
    return Key(_tenant(tenant_id, "WEBHOOK", endpoint_id), f"EVENT#{event_id}")


def webhook_delivery(tenant_id: str, endpoint_id: str, sequence: int) -> Key:
    return Key(_tenant(tenant_id, "WEBHOOK", endpoint_id), f"DELIVERY#{sequence:0{SEQUENCE_WIDTH}d}")


def webhooks_due(tenant_id: str) -> str:
    return webhooks_due_in(_shard(tenant_id))


def webhooks_due_in(shard: int) -> str:
    return f"WEBHOOKS#{shard}"


def outbox(tenant_id: str) -> str:
    return outbox_shard(_shard(tenant_id))


def deliveries_again(tenant_id: str) -> str:
    return deliveries_again_in(_shard(tenant_id))


def deliveries_again_in(shard: int) -> str:
    return f"DELIVERIES_AGAIN#{shard}"


def _shard(tenant_id: str) -> int:
    return int(hashlib.sha256(tenant_id.encode()).hexdigest()[:8], 16) % OUTBOX_SHARDS


def outbox_shard(shard: int) -> str:
    return f"OUTBOX#{shard}"


def outbox_order(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")


def dated(day: date, resource_id: str) -> str:
    """Sort key of a list by date; ids of the same day keep their order of creation."""
    return f"{day.isoformat()}#{resource_id}"


def recurring_invoice(tenant_id: str, recurring_invoice_id: str) -> Key:
    return Key(_tenant(tenant_id, "RECURRING", recurring_invoice_id), HEAD)


def recurring_invoice_of(key: Key) -> tuple[str, str]:
    """Tenant and template of its key: the index of what is due holds keys only."""
    _, tenant_id, _, recurring_invoice_id = key.pk.split("#")
    return tenant_id, recurring_invoice_id


def recurring_invoice_event(tenant_id: str, recurring_invoice_id: str, event_id: str) -> Key:
    return Key(_tenant(tenant_id, "RECURRING", recurring_invoice_id), f"EVENT#{event_id}")


def recurring_period(tenant_id: str, recurring_invoice_id: str, day: date | None) -> Key:
    return Key(_tenant(tenant_id, "RECURRING", recurring_invoice_id), f"PERIOD#{day.isoformat() if day else ''}")


def recurring_invoice_listing(tenant_id: str) -> str:
    return _tenant(tenant_id, "RECURRING_INVOICES")


def recurring_due(tenant_id: str) -> str:
    return recurring_due_shard(_shard(tenant_id))


def recurring_due_shard(shard: int) -> str:
    return f"RECURRING#{shard}"


def reminder(tenant_id: str, reminder_id: str) -> Key:
    return Key(_tenant(tenant_id, "REMINDER", reminder_id), HEAD)


def notice(tenant_id: str, notice_id: str) -> Key:
    return Key(_tenant(tenant_id, "NOTICE", notice_id), HEAD)


def reminder_plan(tenant_id: str) -> Key:
    return Key(_tenant(tenant_id, "REMINDERS"), "PLAN")


def reminder_run(tenant_id: str) -> Key:
    return Key(_tenant(tenant_id, "REMINDERS"), "RUN")


def reminder_run_of(key: Key) -> str:
    """The tenant of its key: the index of what is due holds keys only."""
    return key.pk.split("#")[1]


def reminder_hold(tenant_id: str, invoice_id: str) -> Key:
    return Key(_tenant(tenant_id, "REMINDERS", "HOLD", invoice_id), HEAD)


def reminder_holds(tenant_id: str) -> str:
    return _tenant(tenant_id, "REMINDERS", "HOLDS")


def reminder_pause(tenant_id: str, customer_id: str) -> Key:
    return Key(_tenant(tenant_id, "REMINDERS", "PAUSE", customer_id), HEAD)


def reminders_due(tenant_id: str) -> str:
    return reminders_due_shard(_shard(tenant_id))


def reminders_due_shard(shard: int) -> str:
    return f"REMINDERS#{shard}"


def ops_alert(message_id: str) -> Key:
    return Key(f"OPS_ALERT#{message_id}", HEAD)


def ops_alerts(year: int) -> str:
    return f"OPS_ALERTS#{year:04d}"


def ops_alarm(subject: str) -> Key:
    return Key(f"OPS_ALARM#{subject}", HEAD)


def ops_service(service: str) -> Key:
    return Key(f"OPS_SERVICE#{service}", HEAD)


def ops_services_due() -> str:
    return "OPS_SERVICES#DUE"


def ops_incident(number: str) -> Key:
    return Key(f"OPS_INCIDENT#{number}", HEAD)


def ops_incident_series(year: int) -> Key:
    return Key(f"OPS_INCIDENT_SERIES#{year:04d}", HEAD)


def ops_incidents(year: int) -> str:
    return f"OPS_INCIDENTS#{year:04d}"


def ops_incidents_open() -> str:
    return "OPS_INCIDENTS#OPEN"


def ops_incidents_closed(year: int) -> str:
    return f"OPS_INCIDENTS#CLOSED#{year:04d}"


def ops_incident_alerts(number: str) -> str:
    return f"OPS_INCIDENT_ALERTS#{number}"


def ops_idempotency(operation: str, key: str) -> Key:
    return Key(f"OPS_IDEMPOTENCY#{operation}#{hashlib.sha256(key.encode()).hexdigest()}", HEAD)


def ops_letter(letter_id: str) -> Key:
    return Key(f"OPS_LETTER#{letter_id}", HEAD)


def ops_letters(year: int) -> str:
    return f"OPS_LETTERS#{year:04d}"


def ops_letters_open() -> str:
    return "OPS_LETTERS#OPEN"


def ops_tenant(tenant_id: str) -> Key:
    return Key(f"OPS_TENANT#{tenant_id}", HEAD)


def ops_tenants_parked() -> str:
    return "OPS_TENANTS#PARKED"


def ops_incidents_due() -> str:
    return "OPS_INCIDENTS#DUE"


def ops_notice(notice_id: str) -> Key:
    return Key(f"OPS_NOTICE#{notice_id}", HEAD)


def ops_delivery(notice_id: str, channel: str) -> Key:
    return Key(f"OPS_NOTICE#{notice_id}", f"CHANNEL#{channel}")


def ops_notices_due() -> str:
    return "OPS_NOTICES#DUE"


def ops_named(key: Key) -> str:
    """Message, service, incident or notice of its key: the index of what is due holds keys only."""
    return key.pk.partition("#")[2]


def ops_maintenance(ends_at: datetime, window_id: str) -> Key:
    return Key("OPS_MAINTENANCE", f"{outbox_order(ends_at)}#{window_id}")


def ops_maintenance_window(window_id: str) -> Key:
    return Key(f"OPS_MAINTENANCE#{window_id}", HEAD)


def ops_usage_salt() -> Key:
    """One key for all days: what is written for a day takes the place of the day before."""
    return Key("OPS_USAGE_SALT", HEAD)


def ops_usage_visitor(day: date, mark: str) -> Key:
    return Key(f"OPS_USAGE_VISITOR#{day.isoformat()}#{mark}", HEAD)


def ops_usage_address(day: date, mark: str) -> Key:
    return Key(f"OPS_USAGE_ADDRESS#{day.isoformat()}#{mark}", HEAD)


def ops_usage_day(day: date, mark: str) -> Key:
    """The part of the day's sums that a visitor's mark falls into; marks are hexadecimal."""
    return Key("OPS_USAGE_DAYS", f"{day.isoformat()}#{int(mark[:8], 16) % USAGE_SHARDS}")


def ops_usage_day_bounds(first: date, last: date) -> tuple[Key, Key]:
    """Where the sums of days begin and end, both included."""
    return Key("OPS_USAGE_DAYS", first.isoformat()), Key("OPS_USAGE_DAYS", f"{last.isoformat()}#{HIGHEST}")
