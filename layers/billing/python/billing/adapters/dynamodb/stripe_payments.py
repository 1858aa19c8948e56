"""Payments at Stripe: one item for each payment intent; what it tells is written with its effect."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.checkouts import book_write
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, counted_text, dump, item, load, load_all, text
from billing.adapters.dynamodb.customer_credits import promise_write
from billing.adapters.dynamodb.notices import notice_writes
from billing.adapters.dynamodb.payment_items import payment_to_item
from billing.adapters.dynamodb.stripe_inbox import entry_write
from billing.adapters.dynamodb.table import Table, Write, refuse_with
from billing.domain.access import Caller
from billing.domain.disputes import ListedDispute, listed_dispute
from billing.domain.errors import StaleVersion
from billing.domain.stripe_payment import PaperRefund, StripePayment
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.stripe_payments import StripeFacts, StripeNews

STRIPE_PAYMENT = "stripe_payment"
LOOKED_FOR = timedelta(days=400)  # nights that were missed so long are made good


def record_of(stored: Item | None) -> StripePayment | None:
    return load(StripePayment, text(stored, "body")) if stored else None


def facts_writes(table: Table, tenant_id: str, facts: StripeFacts) -> Iterator[Write]:
    """Part of a transaction. Refused: StaleVersion."""
    if facts.counts and facts.record is None:
        raise ValueError("what counts changes the record that it is counted from")
    if facts.record is not None:
        yield _record_write(table, facts.record, facts.counts)
        yield from (_source_write(table, facts.record, source_id) for source_id in facts.record.sources)
    if facts.book is not None:
        yield book_write(table, facts.book)
    if facts.entry is not None:
        yield entry_write(table, facts.entry)
    if facts.payment is not None:
        expected = facts.payment.version - 1
        yield table.replace(
            payment_to_item(facts.payment), expected_version=expected, refused=refuse_with(StaleVersion)
        )
    if facts.credit is not None:
        yield promise_write(table, facts.credit)
    if facts.booked is not None:
        key = keys.stripe_booked(tenant_id, facts.booked.day, facts.booked.account_id, facts.booked.source_id)
        yield _day_write(table, tenant_id, key, "stripe_booking", facts.booked.day, facts.booked)
    yield from (paper_refund_write(table, tenant_id, one) for one in facts.on_paper)
    for notice in facts.notices:
        yield from notice_writes(table, notice)
    for news in facts.news:
        yield table.event(_beside(tenant_id, news), tenant_id, news.event)


def paper_refund_write(table: Table, tenant_id: str, refund: PaperRefund) -> Write:
    """Part of a transaction: the night of that day asks whether Stripe gave it back. Refused: StaleVersion."""
    key = keys.refunded_on_paper(tenant_id, refund.day, refund.subject)
    return _day_write(table, tenant_id, key, "paper_refund", refund.day, refund)


def _day_write(table: Table, tenant_id: str, key: keys.Key, entity: str, day: date, held: object) -> Write:
    """What a night looks for; the same day's again is the same item."""
    content = item(
        pk=key.pk,
        sk=key.sk,
        entity=entity,
        schema_version=SCHEMA_VERSION,
        tenant_id=tenant_id,
        body=dump(held),
        expires_at=int(datetime.combine(day + LOOKED_FOR, time(), UTC).timestamp()),
    )
    only_if, values = "attribute_not_exists(pk) OR entity = :entity", {":entity": entity}
    return Write("Put", table.put(content, only_if=only_if, values=values), refuse_with(StaleVersion))


def _record_write(table: Table, record: StripePayment, counts: tuple[str, ...]) -> Write:
    key, due_at = keys.stripe_payment(record.tenant_id, record.payment_intent_id), record.due_at
    content = item(
        pk=key.pk,
        sk=key.sk,
        entity=STRIPE_PAYMENT,
        schema_version=SCHEMA_VERSION,
        tenant_id=record.tenant_id,
        version=record.version,
        body=dump(record),
        counted=counted_text(counts),  # of this version: the next one is another item whole
        outbox_pk=keys.refunds_asked(record.tenant_id) if due_at else None,
        outbox_sk=keys.outbox_order(due_at) if due_at else None,
    )
    stale = refuse_with(StaleVersion)
    if record.version == 1:
        return table.create(content, stale)
    return table.replace(content, expected_version=record.version - 1, refused=stale)


def _source_write(table: Table, record: StripePayment, source_id: str) -> Write:
    """A charge, refund or dispute leads to its payment intent, for ever; a dispute is listed by it."""
    key = keys.stripe_source(record.tenant_id, source_id)
    dispute = next((one for one in record.disputes if one.dispute_id == source_id), None)
    listed = listed_dispute(record, source_id) if dispute else None
    remind_at = dispute.remind_at if dispute else None
    content = item(
        pk=key.pk,
        sk=key.sk,
        entity="stripe_source",
        schema_version=SCHEMA_VERSION,
        tenant_id=record.tenant_id,
        payment_intent_id=record.payment_intent_id,
        listing_pk=keys.dispute_listing(record.tenant_id) if listed else None,
        listing_sk=keys.dispute_order(*listed.order, source_id) if listed else None,
        summary=dump(listed) if listed else None,
        outbox_pk=keys.disputes_due(record.tenant_id) if remind_at else None,
        outbox_sk=keys.outbox_order(remind_at) if remind_at else None,
    )
    only_if, values = "attribute_not_exists(pk) OR payment_intent_id = :intent", {":intent": record.payment_intent_id}
    return Write("Put", table.put(content, only_if=only_if, values=values), refuse_with(StaleVersion))


def _beside(tenant_id: str, news: StripeNews) -> keys.Key:
    event_id = news.event.event_id
    if news.invoice_id:
        return keys.invoice_event(tenant_id, news.invoice_id, event_id)
    return keys.stripe_connection_event(tenant_id, event_id)


class StripePayments:
    """Port StripePayments."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def stored(self, tenant_id: str, payment_intent_id: str) -> StripePayment | None:
        return record_of(self._table.get(keys.stripe_payment(tenant_id, payment_intent_id)))

    def read(
        self, caller: Caller, payment_intent_id: str, *, once: IdempotentRequest | None = None
    ) -> StripePayment | None:
        key = keys.stripe_payment(caller.tenant_id, payment_intent_id)
        return record_of(self._table.read(caller, key, once=once).get(key))

    def disputes(self, caller: Caller, page: PageRequest) -> Page[ListedDispute]:
        self._table.trust(caller)
        rows, position = self._table.page(
            "Listing",
            keys.dispute_listing(caller.tenant_id),
            page,
            base_key=lambda dispute_id: keys.stripe_source(caller.tenant_id, dispute_id),
        )
        return Page(items=load_all(ListedDispute, [row.summary for row in rows]), position=position)

    def disputes_due(self, shard: int, before: datetime, limit: int) -> list[tuple[str, str, str]]:
        found, _ = self._table.due(keys.disputes_due_in(shard), keys.outbox_order(before), limit)
        stored = self._table.batch(found) if found else {}
        return [
            (text(stored[key], "tenant_id"), text(stored[key], "payment_intent_id"), key.pk.rpartition("#")[2])
            for key in found
            if key in stored
        ]

    def asked(self, shard: int, before: datetime, limit: int) -> list[tuple[str, str]]:
        found, _ = self._table.due(keys.refunds_asked_in(shard), keys.outbox_order(before), limit)
        return [keys.stripe_payment_of(key) for key in found]

    def write(
        self,
        caller: Caller,
        facts: StripeFacts,
        *,
        once: IdempotentRequest | None = None,
        answered: object = None,
    ) -> None:
        writes = facts_writes(self._table, caller.tenant_id, facts)
        self._table.write(caller, *writes, once=once, answered=answered)
