"""Fake of the port StripePayments, and the part of a transaction that Stripe's facts are."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import cast

from billing.domain.access import Caller
from billing.domain.disputes import ListedDispute, listed_dispute
from billing.domain.errors import Busy, StaleVersion
from billing.domain.stripe_payment import StripePayment
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.stripe_payments import StripeFacts, StripeNews
from tests.fakes.store import Store, paged, shard_of
from tests.fakes.stripe_inbox import hold_entry, move_entry
from tests.fakes.writes import hold_book, hold_notices, hold_promises, move_book, move_promises, write_notices


def hold_facts(store: Store, tenant_id: str, facts: StripeFacts | None) -> None:
    """Raises: StaleVersion, unless each part is the next version; Busy, as the table does, of an event that it has."""
    if facts is None:
        return
    if facts.counts and facts.record is None:
        raise ValueError("what counts changes the record that it is counted from")
    if facts.record is not None:
        stored = store.stripe_payments.get((facts.record.tenant_id, facts.record.payment_intent_id))
        if (stored.version if stored else 0) != facts.record.version - 1:
            raise StaleVersion
    if facts.book is not None:
        hold_book(store, facts.book)
    if facts.entry is not None:
        hold_entry(store, facts.entry)
    if facts.payment is not None:
        payment = store.payments.get((facts.payment.tenant_id, facts.payment.payment_id))
        if payment is None or payment.version != facts.payment.version - 1:
            raise StaleVersion
    if facts.credit is not None:
        hold_promises(store, facts.credit)
    hold_notices(store, facts.notices)
    _hold_news(store, tenant_id, facts.news)


def _hold_news(store: Store, tenant_id: str, told: tuple[StripeNews, ...]) -> None:
    for news in told:
        known = store.events.get((tenant_id, news.invoice_id or "STRIPE"), ())
        if any(one.event_id == news.event.event_id for one in known):
            raise Busy


def move_facts(store: Store, tenant_id: str, facts: StripeFacts | None) -> None:
    if facts is None:
        return
    if facts.record is not None:
        store.stripe_payments[facts.record.tenant_id, facts.record.payment_intent_id] = facts.record
    if facts.book is not None:
        move_book(store, facts.book)
    store.counted.update(facts.counts)
    store.streamed.append(replace(facts, entry=None))
    if facts.entry is not None:
        move_entry(store, facts.entry)
    if facts.payment is not None:
        store.payments[facts.payment.tenant_id, facts.payment.payment_id] = facts.payment
    if facts.credit is not None:
        move_promises(store, facts.credit)
    if facts.booked is not None:
        store.stripe_booked[tenant_id, facts.booked.day, facts.booked.account_id, facts.booked.source_id] = facts.booked
    for refund in facts.on_paper:
        store.on_paper[tenant_id, refund.day, refund.subject] = refund
    write_notices(store, facts.notices)
    for news in facts.news:
        store.record(tenant_id, news.invoice_id or "STRIPE", news.event)


class FakeStripePayments:
    """Port StripePayments."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def stored(self, tenant_id: str, payment_intent_id: str) -> StripePayment | None:
        with self._store.lock:
            return self._store.stripe_payments.get((tenant_id, payment_intent_id))

    def read(
        self, caller: Caller, payment_intent_id: str, *, once: IdempotentRequest | None = None
    ) -> StripePayment | None:
        with self._store.lock:
            self._store.check(caller, once)
            return self.stored(caller.tenant_id, payment_intent_id)

    def disputes(self, caller: Caller, page: PageRequest) -> Page[ListedDispute]:
        with self._store.lock:
            self._store.check(caller)
            found = [
                listed_dispute(record, one.dispute_id)
                for (tenant_id, _), record in self._store.stripe_payments.items()
                for one in record.disputes
                if tenant_id == caller.tenant_id
            ]
        rows: list[tuple[str, object]] = [
            (f"{one.order[0]}#{one.order[1]:010d}#{one.dispute_id}", one) for one in found
        ]
        return cast("Page[ListedDispute]", paged(rows, page))

    def disputes_due(self, shard: int, before: datetime, limit: int) -> list[tuple[str, str, str]]:
        with self._store.lock:
            found = [
                (one.remind_at, (*key, one.dispute_id))
                for key, record in self._store.stripe_payments.items()
                for one in record.disputes
                if one.remind_at is not None and one.remind_at <= before and shard_of(key[0]) == shard
            ]
        return [key for _, key in sorted(found)[:limit]]

    def asked(self, shard: int, before: datetime, limit: int) -> list[tuple[str, str]]:
        with self._store.lock:
            found = [
                (record.due_at, key)
                for key, record in self._store.stripe_payments.items()
                if record.due_at and record.due_at <= before and shard_of(key[0]) == shard
            ]
        return [key for _, key in sorted(found)[:limit]]

    def write(
        self,
        caller: Caller,
        facts: StripeFacts,
        *,
        once: IdempotentRequest | None = None,
        answered: object = None,
    ) -> None:
        with self._store.writing(caller, once=once, answered=answered):
            hold_facts(self._store, caller.tenant_id, facts)
            move_facts(self._store, caller.tenant_id, facts)
