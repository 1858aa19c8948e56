"""The company of a tenant: one item."""

from __future__ import annotations

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, dump, item, load, text
from billing.adapters.dynamodb.table import Table, Write, refuse_with
from billing.domain.access import Caller
from billing.domain.errors import StaleVersion
from billing.domain.events import Event
from billing.domain.parties import Company
from billing.ports.idempotency import IdempotentRequest


def to_item(company: Company) -> Item:
    key = keys.company(company.tenant_id)
    return item(
        pk=key.pk,
        sk=key.sk,
        entity="company",
        schema_version=SCHEMA_VERSION,
        tenant_id=company.tenant_id,
        version=company.version,
        body=dump(company),
    )


def from_item(stored: Item) -> Company:
    return load(Company, text(stored, "body"))


class Companies:
    """Port Companies."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self, caller: Caller) -> Company | None:
        key = keys.company(caller.tenant_id)
        stored = self._table.read(caller, key).get(key)
        return from_item(stored) if stored else None

    def save(self, caller: Caller, company: Company, *, event: Event) -> None:
        self._table.write(caller, self._head(company), self._event(company, event))

    def record_onboarding(
        self, caller: Caller, company: Company, *, event: Event | None, once: IdempotentRequest
    ) -> None:
        events = [self._event(company, event)] if event else []
        self._table.write(caller, self._head(company), *events, once=once, answered=company.onboarding)

    def _head(self, company: Company) -> Write:
        if company.version == 1:
            return self._table.create(to_item(company), refuse_with(StaleVersion))
        return self._table.replace(
            to_item(company), expected_version=company.version - 1, refused=refuse_with(StaleVersion)
        )

    def _event(self, company: Company, event: Event) -> Write:
        return self._table.event(keys.company_event(company.tenant_id, event.event_id), company.tenant_id, event)
