"""The same request twice has its effect once and gets the same answer; another body is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from random import Random

import pytest

from billing.api.invoices import invoice_answer
from billing.domain.canonical import canonical_json
from billing.domain.errors import IdempotencyKeyReused
from billing.domain.events import EventType
from billing.domain.invoice import MAX_DOCUMENT_BYTES, InvoiceContent
from billing.domain.parties import OnboardingStep, Product
from billing.domain.verification import Verification
from billing.ports.idempotency import AlreadyAnswered, Answer, IdempotentRequest
from billing.ports.paging import PageRequest
from billing.ports.repositories import InvoiceQuery
from tests import factories
from tests.contracts.conftest import World
from tests.fakes.clock import MORNING

Effect = Callable[[World, IdempotentRequest], object]


def _create_customer(world: World, once: IdempotentRequest) -> object:
    customer = factories.customer(world.caller.tenant_id, world.new_id("cus"))
    world.repositories.customers.create(world.caller, customer, event=factories.event(world.new_id("evt")), once=once)
    return customer


def _create_product(world: World, once: IdempotentRequest) -> object:
    product = factories.product(world.caller.tenant_id, world.new_id("prd"))
    world.repositories.products.create(world.caller, product, event=factories.event(world.new_id("evt")), once=once)
    return product


def _archive_product(world: World, once: IdempotentRequest) -> object:
    product = replace(world.add_product(), version=2, archived=True)
    world.repositories.products.save(world.caller, product, event=factories.event(world.new_id("evt")), once=once)
    return product


def _create_draft(world: World, once: IdempotentRequest) -> object:
    draft = factories.draft(world.caller.tenant_id, world.new_id("inv"))
    world.repositories.invoices.create(world.caller, draft, event=factories.event(world.new_id("evt")), once=once)
    return draft


def _issue(world: World, once: IdempotentRequest) -> object:
    return world.issue(once=once)


def _pay(world: World, once: IdempotentRequest) -> object:
    return world.pay(world.issue(), 100, once=once)


def _send(world: World, once: IdempotentRequest) -> object:
    invoice = world.issue()
    requested = invoice.with_delivery(invoice.delivery.requested(send=True), MORNING)
    world.repositories.invoices.request_delivery(
        world.caller,
        requested,
        delivery=factories.delivery_request(world.caller.tenant_id, invoice.invoice_id, attempt=2),
        event=factories.event(world.new_id("evt"), EventType.DELIVERY_REQUESTED),
        once=once,
    )
    return requested


def _advance_onboarding(world: World, once: IdempotentRequest) -> object:
    companies = world.repositories.companies
    company = companies.read(world.caller)
    if company is None:
        company = factories.company(world.caller.tenant_id)
        companies.save(world.caller, company, event=factories.event(world.new_id("evt")))
    moved = replace(company, version=company.version + 1, onboarding=OnboardingStep.FINISHED)
    event = factories.event(world.new_id("evt"))
    companies.record_onboarding(world.caller, moved, event=event, once=once)
    return moved.onboarding


def _start_verification(world: World, once: IdempotentRequest) -> object:
    verification = Verification(
        tenant_id=world.caller.tenant_id,
        verification_id=world.new_id("ver"),
        version=1,
        target=world.series(),
        correlation_id="corr",
        started_at=MORNING,
        updated_at=MORNING,
    )
    world.repositories.verifications.start(world.caller, verification, once=once)
    return verification


EFFECTS: dict[str, Effect] = {
    "createCustomer": _create_customer,
    "createProduct": _create_product,
    "archiveProduct": _archive_product,
    "createInvoice": _create_draft,
    "issueInvoice": _issue,
    "recordInvoicePayment": _pay,
    "sendInvoice": _send,
    "advanceCompanyOnboarding": _advance_onboarding,
    "startInvoiceVerification": _start_verification,
}


@pytest.mark.parametrize("operation", EFFECTS)
def test_a_repeated_request_gets_the_first_answer(world: World, operation: str) -> None:
    once = factories.once("key", operation=operation, body="{}")
    result = EFFECTS[operation](world, once)

    with pytest.raises(AlreadyAnswered) as replayed:
        EFFECTS[operation](world, once)

    assert replayed.value.answer == Answer(status=200, body=canonical_json(result), headers={"ETag": '"1"'})


def test_reading_for_a_draft_gives_the_answer_before_anything_else(world: World) -> None:
    once = factories.once("key", operation="createInvoice")
    _create_draft(world, once)
    invoices = world.repositories.invoices

    with pytest.raises(AlreadyAnswered):
        invoices.draft_context(world.caller, "cus_gone", ("prd_gone",), once=once)
    with pytest.raises(IdempotencyKeyReused):
        invoices.draft_context(
            world.caller, "cus_gone", (), once=factories.once("key", operation="createInvoice", body="other")
        )


def test_reading_a_product_with_a_request_that_had_its_effect_gives_its_answer(world: World) -> None:
    once = factories.once("key", operation="archiveProduct")
    product = _archive_product(world, once)
    assert isinstance(product, Product)

    with pytest.raises(AlreadyAnswered):
        world.repositories.products.read(world.caller, product.product_id, once=once)
    assert world.repositories.products.read(world.caller, product.product_id, once=world.once()) == product


@pytest.mark.parametrize("operation", EFFECTS)
def test_a_key_used_for_another_body_is_refused(world: World, operation: str) -> None:
    EFFECTS[operation](world, factories.once("key", operation=operation, body="{}"))

    with pytest.raises(IdempotencyKeyReused):
        EFFECTS[operation](world, factories.once("key", operation=operation, body='{"other": 1}'))


def test_a_replay_leaves_nothing_behind(world: World) -> None:
    once = factories.once("key", operation="createInvoice")
    _create_draft(world, once)

    with pytest.raises(AlreadyAnswered):
        _create_draft(world, once)

    assert len(world.repositories.invoices.list(world.caller, InvoiceQuery(), PageRequest()).items) == 1


def test_a_key_belongs_to_its_operation_and_its_tenant(world: World) -> None:
    _create_customer(world, factories.once("key", operation="createCustomer"))

    _create_product(world, factories.once("key", operation="createProduct"))
    customer = factories.customer(world.stranger.tenant_id, "cus_9")
    world.repositories.customers.create(
        world.stranger, customer, event=factories.event(), once=factories.once("key", operation="createCustomer")
    )

    assert world.repositories.customers.read(world.stranger, "cus_9") == customer


def test_reading_with_a_request_that_had_its_effect_gives_its_answer(world: World) -> None:
    once = factories.once("key", operation="issueInvoice")
    invoice = world.issue(once=once)
    invoices = world.repositories.invoices

    with pytest.raises(AlreadyAnswered):
        invoices.read(world.caller, invoice.invoice_id, once=once)
    with pytest.raises(AlreadyAnswered):
        invoices.load_for_issue(world.caller, invoice.invoice_id, once=once)
    with pytest.raises(IdempotencyKeyReused):
        invoices.read(
            world.caller, invoice.invoice_id, once=factories.once("key", operation="issueInvoice", body="other")
        )


def _largest_content() -> InvoiceContent:
    """As near to the limit as random text gets: ASCII has the most information for its bytes."""
    random = Random(1)  # noqa: S311 - the same text each time
    signs = [chr(code) for code in range(0x20, 0x7F)]

    def text(length: int) -> str:
        return "".join(random.choices(signs, k=length))

    return factories.content(
        *(factories.priced("10.37", "3.1416", description=text(200), details=text(985)) for _ in range(200))
    )


def test_the_answers_about_the_largest_invoice_fit_into_their_records(world: World) -> None:
    answer_of = partial(invoice_answer, today=date(2026, 11, 23))
    created, issued, paid = (replace(factories.once(key), answer_of=answer_of) for key in ("created", "issued", "paid"))
    draft = factories.draft(world.caller.tenant_id, world.new_id("inv"), holding=_largest_content())
    invoices = world.repositories.invoices

    invoices.create(world.caller, draft, event=factories.event(world.new_id("evt")), once=created)
    invoice = world.issue(draft, once=issued)
    world.pay(invoice, 100, once=paid)

    assert 0.95 * MAX_DOCUMENT_BYTES < len(invoice.document.canonical().encode()) <= MAX_DOCUMENT_BYTES
    for once in (created, issued, paid):
        with pytest.raises(AlreadyAnswered) as replayed:
            invoices.read(world.caller, invoice.invoice_id, once=once)
        assert len(json.loads(replayed.value.answer.body)["lines"]) == 200
