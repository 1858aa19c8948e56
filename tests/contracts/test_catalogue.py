"""Customers and products: concurrent edits, order and paging of lists, search."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

import pytest

from billing.domain.duplicates import Likeness
from billing.domain.errors import NotFound, ProductReferenceTaken, StaleVersion
from billing.domain.parties import Address, AddressUse, Contact, Customer, FurtherAddress, PriceChange, Product
from billing.domain.search import fold, query_words
from billing.domain.tongue import DocumentLanguage
from billing.ports.paging import Page, PageRequest
from tests import factories
from tests.contracts.conftest import World
from tests.fakes.clock import MORNING

T = TypeVar("T")
NAMES = ("Zola", "Éclair", "eclipse", "àB", "Œuvre", "#hash", "a|b", "😀 Studio", "日本", "Zola", "  blanc")


def every_item(read: Callable[[PageRequest], Page[T]], *, limit: int) -> list[T]:
    """All items of a list, page after page; a page may be short but the walk must end."""
    found: list[T] = []
    position = None
    for _ in range(200):
        page = read(PageRequest(limit=limit, position=position))
        assert len(page.items) <= limit
        found += page.items
        position = page.position
        if position is None:
            return found
    raise AssertionError("the pages never end")


def _edit(world: World, previous: Customer, **changes: object) -> Customer:
    edited = replace(previous, version=previous.version + 1, description=factories.customer_description(**changes))
    event = factories.event(world.new_id("evt"))
    world.repositories.customers.save(world.caller, edited, previous=previous, event=event)
    return edited


def test_what_was_created_is_read_back_whole(world: World) -> None:
    customer = world.add_customer(
        "Crème & Fils « Été »",
        contact_name="Zoé",
        delivery_address=Address(line1="1 quai", line2="bât. B", postal_code="13002", city="Marseille"),
        payment_terms_days=0,
        contacts=(Contact(name="Achats", role="Acheteur", email="achats@exemple.test", receives_invoices=True),),
        addresses=(
            FurtherAddress(
                label="Dépôt",
                use=AddressUse.DELIVERY,
                address=Address(line1="2 quai", postal_code="13002", city="Marseille"),
            ),
        ),
        language=DocumentLanguage.FRENCH_AND_ENGLISH,
    )
    (found,) = world.repositories.customers.search(world.caller, ("achats",), PageRequest()).items
    product = world.add_product()

    assert found.customer_id == customer.customer_id
    assert world.repositories.customers.read(world.caller, customer.customer_id) == customer
    assert world.repositories.products.read(world.caller, product.product_id) == product


def test_two_edits_of_one_version_end_in_one_refusal(world: World) -> None:
    customer = world.add_customer()
    first = _edit(world, customer, name="Premier")

    with pytest.raises(StaleVersion):
        _edit(world, customer, name="Second")

    assert world.repositories.customers.read(world.caller, customer.customer_id) == first


def test_two_edits_of_one_product_version_end_in_one_refusal(world: World) -> None:
    product = world.add_product()
    products = world.repositories.products
    products.save(world.caller, replace(product, version=2), event=factories.event("evt_x"))

    with pytest.raises(StaleVersion):
        products.save(world.caller, replace(product, version=2), event=factories.event("evt_y"))


def test_an_edit_of_what_does_not_exist_is_refused(world: World) -> None:
    with pytest.raises(StaleVersion):
        _edit(world, factories.customer(world.caller.tenant_id, "cus_none"))


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_customers_are_listed_once_each_by_folded_name(world: World, limit: int) -> None:
    for name in NAMES:
        world.add_customer(name)

    listed = every_item(lambda page: world.repositories.customers.list(world.caller, page), limit=limit)

    assert sorted(item.name for item in listed) == sorted(NAMES)
    assert len({item.customer_id for item in listed}) == len(NAMES)
    folded = [fold(item.name).encode() for item in listed]
    assert folded == sorted(folded)


@pytest.mark.parametrize("limit", [2, 100])
def test_customers_are_read_whole_in_the_order_of_their_list(world: World, limit: int) -> None:
    made = {customer.customer_id: customer for customer in map(world.add_customer, NAMES)}
    world.add_customer(of=world.stranger)
    customers = world.repositories.customers

    found = every_item(lambda page: customers.whole(world.caller, page), limit=limit)
    listed = every_item(lambda page: customers.list(world.caller, page), limit=limit)

    assert [customer.customer_id for customer in found] == [row.customer_id for row in listed]
    assert {customer.customer_id: customer for customer in found} == made


def test_an_edited_name_moves_in_the_list(world: World) -> None:
    customer = world.add_customer("Zola")
    world.add_customer("Milieu")

    _edit(world, customer, name="Abeille")

    listed = world.repositories.customers.list(world.caller, PageRequest()).items
    assert [item.name for item in listed] == ["Abeille", "Milieu"]


@pytest.mark.parametrize("limit", [2, 100])
def test_products_are_listed_by_folded_name_archived_ones_apart(world: World, limit: int) -> None:
    products = world.repositories.products
    archived = world.add_product("Ancien")
    for name in NAMES:
        world.add_product(name)
    products.save(world.caller, replace(archived, version=2, archived=True), event=factories.event("evt_x"))

    active = every_item(lambda page: products.list(world.caller, page, archived=False), limit=limit)
    put_away = products.list(world.caller, PageRequest(), archived=True).items

    assert [fold(item.name) for item in active] == sorted((fold(name) for name in NAMES), key=str.encode)
    assert [item.product_id for item in put_away] == [archived.product_id]


SEARCHES = [
    ("epic", {"Épicerie du Marché"}),
    ("ÉPICERIE marché", {"Épicerie du Marché"}),
    ("mar", {"Épicerie du Marché", "Marteau et Marbre"}),
    ("lyon", {"Épicerie du Marché"}),
    ("123456", {"Marteau et Marbre"}),
    ("oeuvre", {"Œuvre d'art"}),
    ("compta", {"Épicerie du Marché", "Marteau et Marbre", "Œuvre d'art"}),
    ("epicerie nantes", set()),
    ("icerie", set()),
]


@pytest.mark.parametrize("limit", [1, 50])
@pytest.mark.parametrize(("query", "expected"), SEARCHES)
def test_search_finds_words_by_their_beginning(world: World, query: str, expected: set[str], limit: int) -> None:
    nantes = Address(line1="1 rue", postal_code="44000", city="Nantes")
    world.add_customer("Épicerie du Marché")
    world.add_customer("Marteau et Marbre", billing_address=nantes, siren=factories.SELLER_SIREN)
    world.add_customer("Œuvre d'art", billing_address=nantes, email=None)

    found = every_item(
        lambda page: world.repositories.customers.search(world.caller, query_words(query), page), limit=limit
    )

    assert sorted(item.name for item in found) == sorted(expected)


def test_search_follows_an_edit(world: World) -> None:
    customer = world.add_customer("Ancien nom", contact_name="Garde")
    customers = world.repositories.customers

    _edit(world, customer, name="Nouveau nom", contact_name="Garde")

    def named(word: str) -> list[str]:
        return [item.name for item in customers.search(world.caller, (word,), PageRequest()).items]

    assert named("ancien") == []
    assert named("nouveau") == ["Nouveau nom"]
    assert named("garde") == ["Nouveau nom"]


def _alike(world: World, customer: Customer) -> dict[str, set[Likeness]]:
    found = world.repositories.customers.alike(world.caller, customer)
    return {one.customer.customer_id: set(one.likenesses) for one in found}


def test_customers_are_alike_by_identifier_email_or_name(world: World) -> None:
    plain: dict[str, Any] = {"siren": None, "siret": None, "vat_number": None, "email": None}
    first = world.add_customer("SARL Dûpont & Fils", **{**plain, "siren": "987654324", "email": "compta@x.test"})
    by_name = world.add_customer("DUPONT, fils S.A.R.L.", **plain)
    by_both = world.add_customer("Tout autre", **{**plain, "siren": "987654324", "email": "Compta@X.test"})
    world.add_customer("Dupont", **plain)
    foreign = world.add_customer("Dupont Fils", of=world.stranger, **{**plain, "siren": "987654324"})

    assert _alike(world, first) == {
        by_name.customer_id: {Likeness.NAME},
        by_both.customer_id: {Likeness.SIREN, Likeness.EMAIL},
    }
    assert _alike(world, by_name) == {first.customer_id: {Likeness.NAME}}
    assert world.repositories.customers.alike(world.stranger, foreign) == ()


def test_what_an_edit_takes_away_is_no_longer_alike(world: World) -> None:
    plain: dict[str, Any] = {"siren": None, "siret": None, "vat_number": None, "email": None}
    first, second = world.add_customer("Dupont", **plain), world.add_customer("Dupont", **plain)
    assert set(_alike(world, first)) == {second.customer_id}

    _edit(world, second, name="Durand", **plain)

    assert _alike(world, first) == {}


def test_each_price_is_kept_with_its_version_and_pages_latest_first(world: World) -> None:
    products = world.repositories.products
    product = world.add_product()
    prices = [
        PriceChange(
            version=version,
            unit_price=Decimal(version),
            vat=product.description.vat,
            changed_at=factories.ISSUED_AT,
            changed_by=factories.USER_ID,
        )
        for version in range(2, 14)
    ]
    for price in prices:
        moved = replace(product, version=price.version)
        products.save(world.caller, moved, event=factories.event(world.new_id("evt")), price=price)

    kept = every_item(lambda page: products.prices(world.caller, product.product_id, page), limit=5)

    assert kept == list(reversed(prices))
    with pytest.raises(NotFound):
        products.prices(world.stranger, product.product_id, PageRequest())


def test_a_refused_edit_keeps_no_price(world: World) -> None:
    products = world.repositories.products
    product = world.add_product()
    price = PriceChange(
        version=5,
        unit_price=Decimal(1),
        vat=product.description.vat,
        changed_at=factories.ISSUED_AT,
        changed_by=factories.USER_ID,
    )

    with pytest.raises(StaleVersion):
        products.save(world.caller, replace(product, version=5), event=factories.event("evt_p"), price=price)

    assert products.prices(world.caller, product.product_id, PageRequest()).items == ()


def _edit_product(world: World, product: Product, **changes: Any) -> Product:
    edited = replace(product, version=product.version + 1, description=replace(product.description, **changes))
    event = factories.event(world.new_id("evt"))
    world.repositories.products.save(world.caller, edited, event=event, previous=product)
    return edited


def test_a_reference_is_of_one_product(world: World) -> None:
    first = world.add_product(reference="Réf  1")

    with pytest.raises(ProductReferenceTaken) as refused:
        world.add_product(reference="REF 1")

    assert [error.pointer for error in refused.value.errors] == ["/reference"]
    assert len(world.repositories.products.list(world.caller, PageRequest(), archived=False).items) == 1
    world.add_product(reference="ref 1", of=world.stranger)
    for _ in range(2):
        world.add_product(reference="")
    assert _edit_product(world, first, reference="ref 1", name="Autre").version == 2


def test_a_reference_that_was_given_up_is_free_again(world: World) -> None:
    first, second = world.add_product(reference="A"), world.add_product(reference="B")
    with pytest.raises(ProductReferenceTaken):
        _edit_product(world, second, reference="a")
    assert world.repositories.products.read(world.caller, second.product_id) == second

    first = _edit_product(world, first, reference="")
    second = _edit_product(world, second, reference="a")

    with pytest.raises(ProductReferenceTaken):
        _edit_product(world, first, reference="A")
    world.add_product(reference="B")


def test_an_archived_product_keeps_its_reference(world: World) -> None:
    product = world.add_product(reference="A")
    archived = replace(product, version=2, archived=True)
    world.repositories.products.save(world.caller, archived, event=factories.event("evt_x"))

    with pytest.raises(ProductReferenceTaken):
        world.add_product(reference="A")


def test_of_many_who_want_a_reference_at_once_one_has_it(world: World) -> None:
    def want(_: int) -> bool:
        try:
            world.add_product(reference="A")
        except ProductReferenceTaken:
            return False
        return True

    with ThreadPoolExecutor(max_workers=8) as people:
        assert sum(people.map(want, range(8))) == 1
    assert len(world.repositories.products.list(world.caller, PageRequest(), archived=False).items) == 1


def _wanting(world: World, *references: str, later: int = 0) -> list[Product]:
    at = MORNING + timedelta(minutes=later)
    return [
        factories.product(world.caller.tenant_id, world.new_id("prd"), reference=reference, updated_at=at)
        for reference in references
    ]


def _create(world: World, product: Product) -> None:
    event = factories.event(world.new_id("evt"))
    world.repositories.products.create(world.caller, product, event=event, once=world.once("createProduct"))


def test_claimed_references_are_of_who_claims_them_for_a_while(world: World) -> None:
    products, until = world.repositories.products, MORNING + timedelta(hours=1)
    mine, theirs = _wanting(world, *(f"R{rank}" for rank in range(100)), ""), _wanting(world, "r99", "S", "")
    products.claim(world.caller, mine, until=until)
    products.claim(world.caller, mine, until=until)

    assert products.taken(world.caller, mine) == frozenset()
    assert products.taken(world.caller, theirs) == {theirs[0].product_id}
    with pytest.raises(ProductReferenceTaken):
        products.claim(world.caller, theirs, until=until)
    with pytest.raises(ProductReferenceTaken):
        _create(world, theirs[0])
    _create(world, mine[99])
    products.claim(world.caller, mine, until=until)  # what is taken stays taken

    (late,) = _wanting(world, "R99", later=61)
    assert products.taken(world.caller, [late]) == {late.product_id}
    for freed in _wanting(world, "R98", later=61):
        assert products.taken(world.caller, [freed]) == frozenset()
        _create(world, freed)


def test_claims_are_given_up_when_one_of_them_is_refused(world: World) -> None:
    products, until = world.repositories.products, MORNING + timedelta(hours=1)
    world.add_product(reference="R99")
    mine = _wanting(world, *(f"R{rank}" for rank in range(100)))

    with pytest.raises(ProductReferenceTaken):
        products.claim(world.caller, mine, until=until)

    others = _wanting(world, *(f"R{rank}" for rank in range(99)))
    assert products.taken(world.caller, others) == frozenset()


@pytest.mark.parametrize("limit", [2, 100])
def test_products_are_read_whole_in_the_order_of_their_list(world: World, limit: int) -> None:
    made = {product.product_id: product for product in map(world.add_product, NAMES)}
    world.add_product(of=world.stranger)
    products = world.repositories.products

    found = every_item(lambda page: products.whole(world.caller, page, archived=False), limit=limit)
    listed = every_item(lambda page: products.list(world.caller, page, archived=False), limit=limit)

    assert [product.product_id for product in found] == [row.product_id for row in listed]
    assert {product.product_id: product for product in found} == made
    assert products.whole(world.caller, PageRequest(), archived=True).items == ()
