"""What was done about dead letters: of no tenant."""

from __future__ import annotations

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, dump, item, load, load_all, text
from billing.adapters.dynamodb.table import Table, refuse_with
from billing.domain.dates import civil_date
from billing.domain.dead_letters import LetterRecord
from billing.domain.errors import StaleVersion
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest


class LetterBook:
    """Port LetterBook."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def letter(self, letter_id: str, once: IdempotentRequest | None = None) -> LetterRecord | None:
        stored = self._table.get_once(keys.ops_letter(letter_id), once)
        return load(LetterRecord, text(stored, "body")) if stored else None

    def save(self, record: LetterRecord, *, once: IdempotentRequest | None = None) -> None:
        content, refused = _to_item(record), refuse_with(StaleVersion)
        written = (
            self._table.create(content, refused)
            if record.version == 1
            else self._table.replace(content, expected_version=record.version - 1, refused=refused)
        )
        first = [self._table.answered(keys.ops_idempotency(once.operation, once.key), once, record)] if once else []
        self._table.write(None, *first, written)

    def list_open(self, page: PageRequest) -> Page[LetterRecord]:
        rows, position = self._table.page("ByStatus", keys.ops_letters_open(), page, base_key=keys.ops_letter)
        return Page(items=load_all(LetterRecord, [row.summary for row in rows]), position=position)

    def list_all(self, year: int, page: PageRequest) -> Page[LetterRecord]:
        rows, position = self._table.page(
            "Listing", keys.ops_letters(year), page, base_key=keys.ops_letter, forward=False
        )
        return Page(items=load_all(LetterRecord, [row.summary for row in rows]), position=position)


def _to_item(record: LetterRecord) -> Item:
    key = keys.ops_letter(record.letter_id)
    order = f"{keys.outbox_order(record.sent_at)}#{record.letter_id}"
    return item(
        pk=key.pk,
        sk=key.sk,
        entity="ops_dead_letter",
        schema_version=SCHEMA_VERSION,
        version=record.version,
        body=dump(record),
        listing_pk=keys.ops_letters(civil_date(record.sent_at).year),
        listing_sk=order,
        status_pk=None if record.has_ended else keys.ops_letters_open(),
        status_sk=None if record.has_ended else order,
        summary=dump(record),
    )
