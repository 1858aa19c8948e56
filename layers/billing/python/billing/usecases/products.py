"""The catalogue of a tenant."""

from __future__ import annotations

from dataclasses import replace

from billing.domain.access import Caller, Permission
from billing.domain.errors import StaleVersion
from billing.domain.events import Event, EventType
from billing.domain.parties import PriceChange, Product, ProductDescription
from billing.domain.printing import product_texts, refuse_unprintable
from billing.ports.clock import Clock, Ids
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.repositories import Products, ProductSummary
from billing.usecases.contention import judged_anew


def create_product(
    caller: Caller,
    description: ProductDescription,
    *,
    once: IdempotentRequest,
    products: Products,
    clock: Clock,
    ids: Ids,
) -> Product:
    """Raises: FieldErrors, ProductReferenceTaken."""
    caller.require(Permission.WRITE_DOCUMENTS)
    refuse_unprintable(product_texts(description))
    now = clock.now()
    product = Product(
        tenant_id=caller.tenant_id,
        product_id=ids.new("prd"),
        version=1,
        description=description,
        archived=False,
        created_at=now,
        updated_at=now,
    )
    event = product_event(EventType.PRODUCT_CREATED, caller, product, ids)
    products.create(caller, product, event=event, once=once, price=product_price(caller, product))
    return product


def read_product(caller: Caller, product_id: str, *, products: Products) -> Product:
    """Raises: NotFound."""
    return products.read(caller, product_id)


def edit_product(
    caller: Caller,
    product_id: str,
    description: ProductDescription,
    *,
    expected_version: int,
    products: Products,
    clock: Clock,
    ids: Ids,
) -> Product:
    """Documents keep the product as it was when they were written.

    Raises: NotFound, StaleVersion, FieldErrors, ProductReferenceTaken.
    """
    caller.require(Permission.WRITE_DOCUMENTS)
    refuse_unprintable(product_texts(description))
    current = products.read(caller, product_id)
    if current.version != expected_version:
        raise StaleVersion
    product = replace(current, version=current.version + 1, description=description, updated_at=clock.now())
    before = current.description
    changed = (before.unit_price, before.vat) != (description.unit_price, description.vat)
    event = product_event(EventType.PRODUCT_EDITED, caller, product, ids)
    price = product_price(caller, product) if changed else None
    products.save(caller, product, event=event, price=price, previous=current)
    return product


def archive_product(
    caller: Caller, product_id: str, *, once: IdempotentRequest, products: Products, clock: Clock, ids: Ids
) -> Product:
    """No longer offered; documents that have it keep it, and it keeps its reference, so that it can be restored.

    Archiving twice changes nothing. Raises: NotFound, Busy.
    """
    caller.require(Permission.WRITE_DOCUMENTS)

    def attempt() -> Product:
        current = products.read(caller, product_id, once=once)
        if current.archived:
            return current
        product = replace(current, version=current.version + 1, archived=True, updated_at=clock.now())
        event = product_event(EventType.PRODUCT_ARCHIVED, caller, product, ids)
        products.save(caller, product, event=event, once=once)
        return product

    return judged_anew(attempt, clock=clock, ids=ids)


def restore_product(
    caller: Caller, product_id: str, *, once: IdempotentRequest, products: Products, clock: Clock, ids: Ids
) -> Product:
    """Offered again. Restoring twice changes nothing. Raises: NotFound, Busy."""
    caller.require(Permission.WRITE_DOCUMENTS)

    def attempt() -> Product:
        current = products.read(caller, product_id, once=once)
        if not current.archived:
            return current
        product = replace(current, version=current.version + 1, archived=False, updated_at=clock.now())
        event = product_event(EventType.PRODUCT_RESTORED, caller, product, ids)
        products.save(caller, product, event=event, once=once)
        return product

    return judged_anew(attempt, clock=clock, ids=ids)


def list_product_prices(caller: Caller, product_id: str, page: PageRequest, *, products: Products) -> Page[PriceChange]:
    """What a product cost from when, latest first. Raises: NotFound."""
    caller.require(Permission.READ)
    return products.prices(caller, product_id, page)


def list_products(caller: Caller, page: PageRequest, *, archived: bool, products: Products) -> Page[ProductSummary]:
    return products.list(caller, page, archived=archived)


def product_event(event_type: EventType, caller: Caller, product: Product, ids: Ids) -> Event:
    return Event(
        event_id=ids.new("evt"),
        event_type=event_type,
        occurred_at=product.updated_at,
        actor=caller.user_id,
        data={"product_id": product.product_id, "version": product.version},
    )


def product_price(caller: Caller, product: Product) -> PriceChange:
    described = product.description
    return PriceChange(
        version=product.version,
        unit_price=described.unit_price,
        vat=described.vat,
        changed_at=product.updated_at,
        changed_by=caller.user_id,
    )
