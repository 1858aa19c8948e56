"""Search, over the fakes and over the table: prefixes of words, numbers and amounts, each document once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from billing.domain.access import Caller
from billing.domain.events import EventType
from billing.domain.search import document_terms
from billing.ports.paging import Page, PageRequest
from tests import factories
from tests.contracts.conftest import World


def found(
    find: Callable[[Caller, tuple[str, ...], PageRequest], Page[Any]], by: Caller, query: str, *, limit: int = 50
) -> list[Any]:
    """Every page of a search."""
    items: list[Any] = []
    position: str | None = None
    while True:
        page = find(by, document_terms(query), PageRequest(limit=limit, position=position))
        items += page.items
        position = page.position
        if position is None:
            return items


def test_invoices_are_found_by_number_customer_and_amount_as_they_stand(world: World) -> None:
    search = world.repositories.search
    draft = world.add_draft()
    issued = world.issue(world.add_draft())
    paid = world.pay(issued, 100)
    number = issued.document.number

    for query in (number, number.lower(), number[:-1], str(issued.document.rank), issued.document.buyer.name):
        (row,) = [one for one in found(search.invoices, world.caller, query) if one.number]
        assert (row.invoice_id, row.number) == (issued.invoice_id, number)
        assert row.balance_minor == paid.ledger.balance_minor
    amount = f"{draft.totals.total_minor // 100},{draft.totals.total_minor % 100:02d}"
    assert draft.invoice_id in {row.invoice_id for row in found(search.invoices, world.caller, amount)}
    assert found(search.invoices, world.caller, f"{number} inconnu") == []
    assert found(search.invoices, world.stranger, number) == []


def test_a_draft_is_found_by_what_it_says_now_and_not_once_it_is_gone(world: World) -> None:
    search, invoices = world.repositories.search, world.repositories.invoices
    draft = world.add_draft()
    edited = replace(draft, version=2, customer_name="Boulangerie Modèle")
    invoices.save_draft(world.caller, edited, previous=draft, event=factories.event(world.new_id("evt")))

    assert [row.invoice_id for row in found(search.invoices, world.caller, "boulang")] == [draft.invoice_id]
    assert found(search.invoices, world.caller, draft.customer_name.split()[0]) == []

    invoices.save_draft(
        world.caller,
        replace(edited, version=3, customer_name=draft.customer_name),
        previous=edited,
        event=factories.event(world.new_id("evt")),
    )
    again = draft.customer_name.split()[0]
    assert [row.invoice_id for row in found(search.invoices, world.caller, again)] == [draft.invoice_id]
    invoices.delete_draft(
        world.caller, draft.invoice_id, expected_version=3, event=factories.event(world.new_id("evt"))
    )
    assert found(search.invoices, world.caller, again) == []


def test_a_document_with_two_words_alike_comes_once_over_the_pages(world: World) -> None:
    content = factories.content()
    for _ in range(5):
        world.repositories.invoices.create(
            world.caller,
            replace(
                factories.draft(world.caller.tenant_id, world.new_id("inv"), holding=content),
                customer_name="Dupontel Dupont Dupond",
            ),
            event=factories.event(world.new_id("evt")),
            once=world.once(),
        )

    rows = found(world.repositories.search.invoices, world.caller, "dup", limit=2)

    assert len(rows) == len({row.invoice_id for row in rows}) == 5


def test_products_are_found_by_name_reference_and_price(world: World) -> None:
    search, products = world.repositories.search, world.repositories.products
    made = world.add_product("Conception graphique")
    world.add_product("Autre chose")
    renamed = replace(
        made,
        version=2,
        archived=True,
        description=replace(made.description, name="Identité visuelle", reference="IV-07"),
    )
    event = factories.event(world.new_id("evt"), EventType.PRODUCT_EDITED)

    assert [row.product_id for row in found(search.products, world.caller, "concep graph")] == [made.product_id]
    products.save(world.caller, renamed, event=event)
    assert found(search.products, world.caller, "conception") == []
    for query in ("identite", "iv-07", "IV07"):
        assert [row.name for row in found(search.products, world.caller, query)] == ["Identité visuelle"]
    assert found(search.products, world.stranger, "identite") == []


@pytest.mark.parametrize("kind", ["quotes", "credit_notes"])
def test_other_kinds_are_not_mixed_in(world: World, kind: str) -> None:
    issued = world.issue()

    assert found(getattr(world.repositories.search, kind), world.caller, issued.document.number) == []
