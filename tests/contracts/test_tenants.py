"""Nobody meets another tenant's data, and a token whose membership moved opens nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from billing.domain.access import Role
from billing.domain.errors import MembershipChanged, NotFound, StaleVersion, UnknownReference
from billing.domain.template import Design
from billing.ports.paging import PageRequest
from billing.ports.repositories import InvoiceQuery
from tests import factories
from tests.contracts.conftest import World
from tests.fakes.clock import MORNING

PAGE = PageRequest()
LOOK: dict[str, Any] = {
    "phone": "0102030405",
    "design": Design.MODERN,
    "accent_colour": "#8c2f5a",
    "header_text": "Bonjour",
}


def test_a_user_founds_one_tenant_whoever_asks_again(world: World) -> None:
    memberships = world.repositories.memberships
    again = replace(factories.membership(world.caller), tenant_id="ten_other")

    held = memberships.found(again, at=MORNING)

    assert held == factories.membership(world.caller)
    assert memberships.of_user(world.caller.user_id) == held
    assert memberships.read(world.caller) == held


def test_an_unknown_user_has_no_membership(world: World) -> None:
    assert world.repositories.memberships.of_user("nobody") is None


def test_single_reads_of_another_tenants_ids_find_nothing(world: World) -> None:
    customer, product = world.add_customer(), world.add_product()
    invoice, draft = world.issue(), world.add_draft()
    held = world.repositories
    reads: list[Callable[[], object]] = [
        lambda: held.customers.read(world.stranger, customer.customer_id),
        lambda: held.products.read(world.stranger, product.product_id),
        lambda: held.invoices.read(world.stranger, invoice.invoice_id),
        lambda: held.invoices.load_for_issue(world.stranger, draft.invoice_id, once=world.once()),
        lambda: held.invoices.timeline(world.stranger, invoice.invoice_id, PAGE),
        lambda: held.verifications.read(world.stranger, "ver_1"),
        lambda: held.deliveries.invoice(world.stranger.tenant_id, invoice.invoice_id),
        lambda: held.deliveries.request(world.stranger.tenant_id, invoice.invoice_id, 1),
    ]

    for read in reads:
        with pytest.raises(NotFound):
            read()


def test_lists_and_searches_hold_nothing_of_another_tenant(world: World) -> None:
    world.add_customer("Zénith")
    world.add_product()
    world.issue()
    held = world.repositories

    assert held.customers.list(world.stranger, PAGE).items == ()
    assert held.customers.search(world.stranger, ("zenith",), PAGE).items == ()
    assert held.products.list(world.stranger, PAGE, archived=False).items == ()
    assert held.invoices.list(world.stranger, InvoiceQuery(), PAGE).items == ()
    assert held.companies.read(world.stranger) is None


def test_writes_on_another_tenants_draft_find_nothing_and_change_nothing(world: World) -> None:
    draft = world.add_draft()
    foreign = replace(draft, tenant_id=world.stranger.tenant_id)
    invoices = world.repositories.invoices

    with pytest.raises(NotFound):
        invoices.delete_draft(world.stranger, draft.invoice_id, expected_version=1, event=factories.event())
    with pytest.raises(NotFound):
        invoices.save_draft(world.stranger, replace(foreign, version=2), previous=foreign, event=factories.event())
    with pytest.raises(NotFound):
        world.issue(foreign, of=world.stranger)

    assert invoices.read(world.caller, draft.invoice_id) == draft


def test_a_draft_cannot_name_another_tenants_customer_or_product(world: World) -> None:
    customer, product = world.add_customer(), world.add_product()
    own = world.add_customer(of=world.stranger)
    invoices = world.repositories.invoices

    with pytest.raises(UnknownReference) as refused:
        invoices.draft_context(world.stranger, customer.customer_id, ())
    context = invoices.draft_context(world.stranger, own.customer_id, (product.product_id,))

    assert [error.pointer for error in refused.value.errors] == ["/customer_id"]
    assert context.products == ()


def test_draft_context_gives_customer_and_products_in_the_order_asked_for(world: World) -> None:
    customer = world.add_customer()
    first, second = world.add_product("Pose"), world.add_product("Abonnement")

    context = world.repositories.invoices.draft_context(
        world.caller, customer.customer_id, (second.product_id, "prd_none", first.product_id)
    )

    assert context.customer == customer
    assert context.products == (second, first)
    assert context.company is None


def test_a_moved_membership_refuses_reads_and_writes(world: World) -> None:
    customer, draft = world.add_customer(), world.add_draft()
    held = world.repositories
    held.change_membership(replace(factories.membership(world.caller), role=Role.VIEWER, version=2))
    refused: list[Callable[[], object]] = [
        lambda: held.memberships.read(world.caller),
        lambda: held.companies.read(world.caller),
        lambda: held.customers.read(world.caller, customer.customer_id),
        lambda: held.invoices.read(world.caller, draft.invoice_id),
        lambda: held.invoices.load_for_issue(world.caller, draft.invoice_id, once=world.once()),
        lambda: held.companies.save(world.caller, factories.company(world.caller.tenant_id), event=factories.event()),
        lambda: world.add_customer("Autre"),
        world.add_product,
        world.add_draft,
        lambda: held.invoices.delete_draft(
            world.caller, draft.invoice_id, expected_version=1, event=factories.event("evt_x")
        ),
    ]

    for operation in refused:
        with pytest.raises(MembershipChanged):
            operation()

    refreshed = replace(world.caller, role=Role.VIEWER, membership_version=2)
    assert held.memberships.read(refreshed).role is Role.VIEWER
    assert held.invoices.read(refreshed, draft.invoice_id) == draft


def test_a_company_is_written_from_the_version_read(world: World) -> None:
    companies = world.repositories.companies
    first = factories.company(world.caller.tenant_id)
    companies.save(world.caller, first, event=factories.event("evt_1"))
    second = replace(first, version=2, description=factories.company_description(**LOOK))
    companies.save(world.caller, second, event=factories.event("evt_2"))

    for stale in (first, replace(first, version=2), replace(first, version=5)):
        with pytest.raises(StaleVersion):
            companies.save(world.caller, stale, event=factories.event("evt_3"))

    assert companies.read(world.caller) == second
