"""Notices to the company: one item each, its request and its claims beside it."""

from __future__ import annotations

from collections.abc import Iterator

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, dump, item, load, text
from billing.adapters.dynamodb.delivery_items import delivery_to_item
from billing.adapters.dynamodb.table import Table, Write, refuse_with
from billing.domain.errors import StaleVersion
from billing.domain.notices import CompanyNotice

NOTICE = "company_notice"


def notice_to_item(notice: CompanyNotice) -> Item:
    key = keys.notice(notice.tenant_id, notice.notice_id)
    return item(
        pk=key.pk,
        sk=key.sk,
        entity=NOTICE,
        schema_version=SCHEMA_VERSION,
        tenant_id=notice.tenant_id,
        version=notice.version,
        body=dump(notice),
    )


def notice_from_item(stored: Item) -> CompanyNotice:
    return load(CompanyNotice, text(stored, "body"))


def notice_writes(table: Table, notice: CompanyNotice) -> Iterator[Write]:
    """Part of a transaction: a new notice, and that it is to be mailed. Refused: StaleVersion."""
    yield table.create(notice_to_item(notice), refuse_with(StaleVersion))
    yield table.create(delivery_to_item(notice.request), refuse_with(StaleVersion))


def moved_notice(table: Table, notice: CompanyNotice) -> Write:
    return table.replace(
        notice_to_item(notice), expected_version=notice.version - 1, entity=NOTICE, refused=refuse_with(StaleVersion)
    )
