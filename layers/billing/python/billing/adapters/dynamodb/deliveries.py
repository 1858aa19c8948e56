"""Deliveries, for the workflow: requests, PDF record, mail claims, outcomes. No caller: the request has the tenant."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.checkout_items import book_of
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, dump, item, load, number, text
from billing.adapters.dynamodb.delivery_items import delivery_to_item
from billing.adapters.dynamodb.invoices import Invoices, issued_from_item
from billing.adapters.dynamodb.notices import moved_notice, notice_from_item
from billing.adapters.dynamodb.quotes import Quotes
from billing.adapters.dynamodb.reminders import moved_reminder, reminder_from_item
from billing.adapters.dynamodb.table import Table, Write, refuse_with
from billing.domain.access import NOWHERE, Origin
from billing.domain.checkout import CheckoutBook
from billing.domain.deliverable import Deliverable, is_quote_id
from billing.domain.delivery import DeliveryRequest, MailClaim, StoredPdf
from billing.domain.errors import DependencyUnavailable, NotFound, StaleVersion
from billing.domain.events import Event
from billing.domain.invoice import IssuedInvoice
from billing.domain.notices import CompanyNotice, is_notice_id
from billing.domain.quote import Quote
from billing.domain.reminders import Reminder, is_reminder_id

_HEAD_ATTEMPTS = 10


def request_from_item(stored: Item) -> DeliveryRequest:
    """The executions are counted on the item itself, beside the body."""
    return replace(load(DeliveryRequest, text(stored, "body")), executions=number(stored, "executions"))


def claim_to_item(claim: MailClaim) -> Item:
    key = keys.mail_claim(claim.tenant_id, claim.invoice_id, claim.attempt, claim.recipient)
    return item(
        pk=key.pk,
        sk=key.sk,
        entity="mail_claim",
        schema_version=SCHEMA_VERSION,
        tenant_id=claim.tenant_id,
        claim_state=claim.state.value,
        body=dump(claim),
    )


class Deliveries:
    """Port Deliveries."""

    shards = keys.OUTBOX_SHARDS

    def __init__(self, table: Table) -> None:
        self._table = table
        self._invoices = Invoices(table)
        self._quotes = Quotes(table)

    def invoice(self, tenant_id: str, invoice_id: str) -> IssuedInvoice:
        stored = self._table.get(keys.invoice(tenant_id, invoice_id))
        if stored is None or "document" not in stored:
            raise NotFound
        return issued_from_item(stored)

    def owed(self, tenant_id: str, invoice_id: str) -> tuple[IssuedInvoice, CheckoutBook]:
        key, book_key = keys.invoice(tenant_id, invoice_id), keys.checkout_book(tenant_id, invoice_id)
        found = self._table.batch([key, book_key])
        stored = found.get(key)
        if stored is None or "document" not in stored:
            raise NotFound
        return issued_from_item(stored), book_of(tenant_id, invoice_id, found.get(book_key))

    def document(self, tenant_id: str, document_id: str) -> Deliverable:
        if is_reminder_id(document_id):
            return self._reminder(tenant_id, document_id)
        if is_notice_id(document_id):
            return self._notice(tenant_id, document_id)
        if not is_quote_id(document_id):
            return self.invoice(tenant_id, document_id)
        quote = self._quotes.open(tenant_id, document_id)
        if quote is None or quote.document is None:
            raise NotFound
        return quote

    def request(self, tenant_id: str, invoice_id: str, attempt: int) -> DeliveryRequest:
        stored = self._table.get(keys.delivery(tenant_id, invoice_id, attempt))
        if stored is None:
            raise NotFound
        return request_from_item(stored)

    def record_pdf(
        self, tenant_id: str, document_id: str, pdf: StoredPdf, *, event: Event, origin: Origin = NOWHERE
    ) -> Deliverable:
        for _ in range(_HEAD_ATTEMPTS):
            document = self.document(tenant_id, document_id)
            if document.delivery.pdf is not None:
                return document
            recorded = document.with_delivery(replace(document.delivery, pdf=pdf), pdf.rendered_at)
            try:
                self._table.write(None, self._moved_head(recorded), self._event(recorded, event), origin=origin)
            except StaleVersion:
                continue
            return recorded
        raise DependencyUnavailable

    def settle(self, document: Deliverable, request: DeliveryRequest, *, event: Event | None) -> None:
        content = self._table.put(delivery_to_item(request), only_if="settled = :open", values={":open": False})
        events = [self._event(document, event)] if event else []
        self._table.write(
            None,
            self._moved_head(document),
            Write("Put", content, refuse_with(StaleVersion)),
            *events,
            origin=Origin(correlation_id=request.correlation_id),
        )

    def due_again(self, at: datetime, *, shard: int, limit: int) -> tuple[DeliveryRequest, ...]:
        due, _ = self._table.due(keys.deliveries_again_in(shard), keys.outbox_order(at), limit)
        found = self._table.batch(due)
        # The index follows the table a little later: what was taken up meanwhile is left out.
        requests = (request_from_item(found[key]) for key in due if key in found)
        return tuple(one for one in requests if one.again_at is not None and one.again_at <= at)

    def attempt_again(
        self, document: Deliverable, settled: DeliveryRequest, request: DeliveryRequest, *, event: Event
    ) -> None:
        self._table.write(
            None,
            self._moved_head(document),
            self._moved_again(settled),
            self._table.create(delivery_to_item(request), refuse_with(StaleVersion)),
            self._event(document, event),
            origin=Origin(correlation_id=request.correlation_id),
        )

    def put_off(self, settled: DeliveryRequest, *, document: Deliverable | None = None) -> None:
        heads = [self._moved_head(document)] if document else []
        self._table.write(None, *heads, self._moved_again(settled))

    def _moved_again(self, settled: DeliveryRequest) -> Write:
        content = self._table.put(
            delivery_to_item(settled), only_if="settled = :yes AND attribute_exists(outbox_pk)", values={":yes": True}
        )
        return Write("Put", content, refuse_with(StaleVersion))

    def claim_mail(self, claim: MailClaim) -> MailClaim:
        try:
            self._table.write(None, self._table.create(claim_to_item(claim), refuse_with(StaleVersion)))
        except StaleVersion:
            standing = self.read_mail(claim.tenant_id, claim.invoice_id, claim.attempt, claim.recipient)
            if standing is None:
                raise
            return standing
        return claim

    def advance_mail(self, claim: MailClaim, *, expected: MailClaim) -> bool:
        content = self._table.put(
            claim_to_item(claim), only_if="claim_state = :expected", values={":expected": expected.state.value}
        )
        try:
            self._table.write(None, Write("Put", content, refuse_with(StaleVersion)))
        except StaleVersion:
            return False
        return True

    def read_mail(self, tenant_id: str, invoice_id: str, attempt: int, recipient: str) -> MailClaim | None:
        stored = self._table.get(keys.mail_claim(tenant_id, invoice_id, attempt, recipient))
        return load(MailClaim, text(stored, "body")) if stored else None

    def record_mail_event(self, document: Deliverable, *, event: Event, origin: Origin = NOWHERE) -> None:
        self._table.write(None, self._moved_head(document), self._event(document, event), origin=origin)

    def record_link(self, quote: Quote, *, event: Event, origin: Origin = NOWHERE) -> None:
        self._table.write(None, self._quotes.moved_head(quote), self._event(quote, event), origin=origin)

    def _reminder(self, tenant_id: str, reminder_id: str) -> Reminder:
        stored = self._table.get(keys.reminder(tenant_id, reminder_id))
        if stored is None:
            raise NotFound
        return reminder_from_item(stored)

    def _notice(self, tenant_id: str, notice_id: str) -> CompanyNotice:
        stored = self._table.get(keys.notice(tenant_id, notice_id))
        if stored is None:
            raise NotFound
        return notice_from_item(stored)

    def _moved_head(self, document: Deliverable) -> Write:
        if isinstance(document, CompanyNotice):
            return moved_notice(self._table, document)
        if isinstance(document, Reminder):
            return moved_reminder(self._table, document)
        if isinstance(document, Quote):
            return self._quotes.moved_head(document)
        return self._invoices.moved_head(document)

    def _event(self, document: Deliverable, event: Event) -> Write:
        key = keys.document_event(document.tenant_id, document.document_id, event.event_id)
        return self._table.event(key, document.tenant_id, event)
