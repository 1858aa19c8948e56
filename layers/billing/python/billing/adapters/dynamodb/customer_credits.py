"""Customers' credits: a head per customer, its entries beside it."""

from __future__ import annotations

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, dump, item, load, number, text
from billing.adapters.dynamodb.table import Table, Write, refuse_with
from billing.domain.customer_credit import CreditMovement, CustomerCredit, CustomerCreditEntry
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
    )


def from_item(stored: Item) -> CustomerCredit:
    return CustomerCredit(
        tenant_id=text(stored, "tenant_id"),
        customer_id=text(stored, "sk"),
        balance_minor=number(stored, "balance_minor"),
        entry_count=number(stored, "version"),
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
    stale = refuse_with(StaleVersion)
    if entry.rank == 1:
        head = table.create(to_item(credit), stale)
    else:
        head = table.replace(to_item(credit), expected_version=entry.rank - 1, refused=stale)
    return head, table.create(content, stale)
