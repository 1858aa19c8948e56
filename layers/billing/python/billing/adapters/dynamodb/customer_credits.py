"""Customers' credits: a head per customer, its entries beside it."""

from __future__ import annotations

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, dump, item, load, number, text
from billing.adapters.dynamodb.table import Table, Write, refuse_with
from billing.domain.customer_credit import CreditMovement, CreditPromise, CustomerCredit, CustomerCreditEntry
from billing.domain.errors import StaleVersion

CUSTOMER_CREDIT = "customer_credit"
CUSTOMER_CREDIT_ENTRY = "customer_credit_entry"


def to_item(credit: CustomerCredit) -> Item:
    key = keys.customer_credit(credit.tenant_id, credit.customer_id)
    return item(
        pk=key.pk,
        sk=key.sk,
        entity=CUSTOMER_CREDIT,
        schema_version=SCHEMA_VERSION,
        tenant_id=credit.tenant_id,
        version=credit.entry_count,
        balance_minor=credit.balance_minor,
        promised=dump(credit.promised) if credit.promised else None,
        promise_count=credit.promise_count or None,
    )


def from_item(stored: Item) -> CustomerCredit:
    return CustomerCredit(
        tenant_id=text(stored, "tenant_id"),
        customer_id=text(stored, "sk"),
        balance_minor=number(stored, "balance_minor"),
        entry_count=number(stored, "version"),
        promised=load(tuple[CreditPromise, ...], text(stored, "promised")) if "promised" in stored else (),
        promise_count=number(stored, "promise_count") if "promise_count" in stored else 0,
    )


def credit_of(tenant_id: str, customer_id: str, stored: Item | None) -> CustomerCredit:
    """The credit of a customer, who has none before its first entry."""
    return from_item(stored) if stored else CustomerCredit(tenant_id=tenant_id, customer_id=customer_id)


def entry_from_item(stored: Item) -> CustomerCreditEntry:
    return load(CustomerCreditEntry, text(stored, "body"))


def movement_writes(table: Table, movement: CreditMovement) -> tuple[Write, Write]:
    """Head and entry; refused as stale when another movement came first."""
    credit, entry = movement.credit, movement.entry
    key = keys.customer_credit_entry(credit.tenant_id, credit.customer_id, entry.rank)
    content = item(
        pk=key.pk,
        sk=key.sk,
        entity=CUSTOMER_CREDIT_ENTRY,
        schema_version=SCHEMA_VERSION,
        tenant_id=credit.tenant_id,
        body=dump(entry),
    )
    head = _head_write(table, credit, entries=entry.rank - 1, promises=credit.promise_count)
    return head, table.create(content, refuse_with(StaleVersion))


def promise_write(table: Table, credit: CustomerCredit) -> Write:
    """The head alone: what is promised of it changed. Refused as stale when anything else did first."""
    return _head_write(table, credit, entries=credit.entry_count, promises=credit.promise_count - 1)


def _head_write(table: Table, credit: CustomerCredit, *, entries: int, promises: int) -> Write:
    """``entries`` and ``promises``: the version that it follows."""
    content, stale = to_item(credit), refuse_with(StaleVersion)
    if not entries and not promises:
        return table.create(content, stale)
    only_if, values = "version = :entries AND attribute_not_exists(promise_count)", {":entries": entries}
    if promises:
        only_if, values = "version = :entries AND promise_count = :promises", {**values, ":promises": promises}
    return Write("Put", table.put(content, only_if=only_if, values=values), stale)
