"""The catalogue: one item each, listed by name, archived ones apart."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from billing.adapters.dynamodb import keys, search
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, dump, item, load, load_all, optional_text, text
from billing.adapters.dynamodb.keys import Key
from billing.adapters.dynamodb.search import word_records
from billing.adapters.dynamodb.table import Row, Table, Write, refuse_with
from billing.domain.access import Caller
from billing.domain.errors import Busy, NotFound, ProductReferenceTaken, StaleVersion
from billing.domain.events import Event
from billing.domain.findable import product_words
from billing.domain.money import format_decimal
from billing.domain.parties import PriceChange, Product
from billing.domain.product_reference import reference_key, reference_taken
from billing.domain.search import fold
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.repositories import ProductSummary

Rows = list[Row]
# A reference is taken by the product that has it, or claimed for a while by one that is about to be imported.
_FREE = "attribute_not_exists(pk) OR product_id = :product_id OR (attribute_not_exists(taken) AND claimed_until < :now)"
_CLAIMS = 90  # of a transaction's hundred


def summary_of(product: Product) -> ProductSummary:
    description = product.description
    return ProductSummary(
        product_id=product.product_id,
        kind=description.kind,
        name=description.name,
        reference=description.reference,
        unit=description.unit,
        unit_price=format_decimal(description.unit_price),
        vat=description.vat,
        archived=product.archived,
    )


def to_item(product: Product) -> Item:
    key = keys.product(product.tenant_id, product.product_id)
    return item(
        pk=key.pk,
        sk=key.sk,
        entity="product",
        schema_version=SCHEMA_VERSION,
        tenant_id=product.tenant_id,
        version=product.version,
        body=dump(product),
        summary=dump(summary_of(product)),
        words=" ".join(product_words(product)),
        listing_pk=keys.product_listing(product.tenant_id, archived=product.archived),
        listing_sk=f"{fold(product.description.name)[:100]}#{product.product_id}",
    )


def from_item(stored: Item) -> Product:
    return load(Product, text(stored, "body"))


class Products:
    """Port Products."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self, caller: Caller, product_id: str, *, once: IdempotentRequest | None = None) -> Product:
        key = keys.product(caller.tenant_id, product_id)
        stored = self._table.read(caller, key, once=once).get(key)
        if stored is None:
            raise NotFound
        return from_item(stored)

    def create(
        self,
        caller: Caller,
        product: Product,
        *,
        event: Event,
        once: IdempotentRequest,
        price: PriceChange | None = None,
    ) -> None:
        content = to_item(product)
        head = self._table.create(content, refuse_with(Busy))
        found = word_records(self._table, search.PRODUCT, content)
        held = self._reference(product)
        written = (head, *found, *held, *self._price(product, price), self._event(product, event))
        self._table.write(caller, *written, once=once, answered=product)

    def save(
        self,
        caller: Caller,
        product: Product,
        *,
        event: Event,
        once: IdempotentRequest | None = None,
        price: PriceChange | None = None,
        previous: Product | None = None,
    ) -> None:
        content = to_item(product)
        head = self._table.replace(content, expected_version=product.version - 1, refused=refuse_with(StaleVersion))
        found = word_records(self._table, search.PRODUCT, content)
        held = self._reference(product, previous) if previous else ()
        written = (head, *found, *held, *self._price(product, price), self._event(product, event))
        self._table.write(caller, *written, once=once, answered=product)

    def prices(self, caller: Caller, product_id: str, page: PageRequest) -> Page[PriceChange]:
        self.read(caller, product_id)
        first = keys.product_price(caller.tenant_id, product_id, 0)
        stored, position = self._table.query(
            first.pk, low=first.sk, high=f"PRICE#{keys.HIGHEST}", limit=page.limit, after=page.position, forward=False
        )
        return Page(items=load_all(PriceChange, [text(row, "body") for row in stored]), position=position)

    def list(self, caller: Caller, page: PageRequest, *, archived: bool) -> Page[ProductSummary]:
        rows, position = self._listed(caller, page, archived)
        return Page(items=load_all(ProductSummary, [row.summary for row in rows]), position=position)

    def whole(self, caller: Caller, page: PageRequest, *, archived: bool) -> Page[Product]:
        rows, position = self._listed(caller, page, archived)
        wanted = [keys.product(caller.tenant_id, row.resource_id) for row in rows]
        stored = self._table.batch(wanted, only=("body",))
        bodies = [text(stored[key], "body") for key in wanted if key in stored]
        return Page(items=load_all(Product, bodies), position=position)

    def taken(self, caller: Caller, products: Sequence[Product]) -> frozenset[str]:
        wanted = _references(products)
        stored = self._table.read(caller, *wanted)
        return frozenset(
            product.product_id
            for key, wanting in wanted.items()
            for product in wanting
            if key in stored and not _is_free(stored[key], product)
        )

    def claim(self, caller: Caller, products: Sequence[Product], *, until: datetime) -> None:
        wanted = [(key, wanting[0]) for key, wanting in _references(products).items()]
        for start in range(0, len(wanted), _CLAIMS):
            claims = [self._claim(key, product, until) for key, product in wanted[start : start + _CLAIMS]]
            try:
                self._table.write(caller, *claims)
            except ProductReferenceTaken:
                self._give_up(caller, wanted[:start])
                raise

    def _claim(self, key: Key, product: Product, until: datetime) -> Write:
        """What is taken by the product itself stays taken."""
        return self._table.mark(
            key,
            sets={
                "entity": "product_reference",
                "schema_version": SCHEMA_VERSION,
                "tenant_id": product.tenant_id,
                "product_id": product.product_id,
                "claimed_until": keys.outbox_order(until),
            },
            only_if=_FREE,
            values={":now": keys.outbox_order(product.updated_at)},
            refused=lambda _: reference_taken(product.description.reference),
        )

    def _give_up(self, caller: Caller, claimed: Sequence[tuple[Key, Product]]) -> None:
        """Or else they end by themselves."""
        for start in range(0, len(claimed), _CLAIMS):
            writes = [
                self._table.delete(
                    key,
                    refused=refuse_with(StaleVersion),
                    only_if="attribute_not_exists(pk) OR (product_id = :product_id AND attribute_not_exists(taken))",
                    values={":product_id": product.product_id},
                )
                for key, product in claimed[start : start + _CLAIMS]
            ]
            with suppress(StaleVersion):
                self._table.write(caller, *writes)

    def _listed(self, caller: Caller, page: PageRequest, archived: bool) -> tuple[Rows, str | None]:
        self._table.trust(caller)
        return self._table.page(
            "Listing",
            keys.product_listing(caller.tenant_id, archived=archived),
            page,
            base_key=lambda product_id: keys.product(caller.tenant_id, product_id),
        )

    def _reference(self, product: Product, previous: Product | None = None) -> tuple[Write, ...]:
        """The record of the reference that it has, and of the one that it no longer has."""
        has = reference_key(product.description.reference)
        had = reference_key(previous.description.reference) if previous else ""
        writes = []
        if has:
            writes.append(self._hold(product, has))
        if had not in ("", has):
            release = self._table.delete(
                keys.product_reference(product.tenant_id, had),
                refused=refuse_with(StaleVersion),
                only_if="attribute_not_exists(pk) OR product_id = :product_id",
                values={":product_id": product.product_id},
            )
            writes.append(release)
        return tuple(writes)

    def _hold(self, product: Product, reference: str) -> Write:
        key = keys.product_reference(product.tenant_id, reference)
        content = item(
            pk=key.pk,
            sk=key.sk,
            entity="product_reference",
            schema_version=SCHEMA_VERSION,
            tenant_id=product.tenant_id,
            product_id=product.product_id,
            taken=True,
        )
        request = self._table.put(
            content,
            only_if=_FREE,
            values={":product_id": product.product_id, ":now": keys.outbox_order(product.updated_at)},
        )
        return Write("Put", request, lambda _: reference_taken(product.description.reference))

    def _price(self, product: Product, price: PriceChange | None) -> tuple[Write, ...]:
        if price is None:
            return ()
        key = keys.product_price(product.tenant_id, product.product_id, price.version)
        content = item(
            pk=key.pk,
            sk=key.sk,
            entity="product_price",
            schema_version=SCHEMA_VERSION,
            tenant_id=product.tenant_id,
            body=dump(price),
        )
        return (self._table.create(content, refuse_with(StaleVersion)),)

    def _event(self, product: Product, event: Event) -> Write:
        key = keys.product_event(product.tenant_id, product.product_id, event.event_id)
        return self._table.event(key, product.tenant_id, event)


def _references(products: Sequence[Product]) -> dict[Key, list[Product]]:
    """Who wants which."""
    wanted: dict[Key, list[Product]] = {}
    for product in products:
        reference = reference_key(product.description.reference)
        if reference:
            wanted.setdefault(keys.product_reference(product.tenant_id, reference), []).append(product)
    return wanted


def _is_free(stored: Item, product: Product) -> bool:
    """As ``_FREE`` says it."""
    if text(stored, "product_id") == product.product_id:
        return True
    claimed_until = optional_text(stored, "claimed_until")
    return "taken" not in stored and claimed_until is not None and claimed_until < keys.outbox_order(product.updated_at)
