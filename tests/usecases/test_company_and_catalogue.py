"""The company, its customers and its products."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from billing.domain.errors import (
    CompanyNotDescribed,
    FieldErrors,
    InvalidInput,
    NotFound,
    OnboardingStepUnavailable,
    StaleVersion,
)
from billing.domain.numbering import NumberPattern
from billing.domain.parties import Company, Customer, OnboardingStep, Product
from billing.ports.idempotency import AlreadyAnswered, IdempotentRequest
from billing.ports.paging import PageRequest
from billing.usecases import company, customers, products
from tests import factories
from tests.fakes.delivery import FakeLogoChecker
from tests.fakes.repositories import FakeCompanies, FakeProducts
from tests.usecases.conftest import Shop

PNG = b"\x89PNG picture"


def _read(shop: Shop) -> Company:
    return company.read_company(shop.caller, companies=shop.repositories.companies)


def _describe(shop: Shop, *, expected_version: int, **changes: Any) -> Company:
    return company.describe_company(
        shop.caller,
        factories.company_description(**changes),
        expected_version=expected_version,
        companies=shop.repositories.companies,
        clock=shop.clock,
        ids=shop.ids,
    )


def _upload(shop: Shop, content: bytes, *, expected_version: int = 1) -> Company:
    return company.upload_company_logo(
        shop.caller,
        content,
        expected_version=expected_version,
        companies=shop.repositories.companies,
        documents=shop.documents,
        checker=FakeLogoChecker(),
        clock=shop.clock,
        ids=shop.ids,
    )


def _remove_logo(shop: Shop, *, expected_version: int) -> Company:
    return company.remove_company_logo(
        shop.caller,
        expected_version=expected_version,
        companies=shop.repositories.companies,
        clock=shop.clock,
        ids=shop.ids,
    )


def _onboarding(shop: Shop) -> OnboardingStep:
    return company.read_company_onboarding(shop.caller, companies=shop.repositories.companies)


def _advance(shop: Shop, step: OnboardingStep, *, held: FakeCompanies | None = None) -> OnboardingStep:
    return company.advance_company_onboarding(
        shop.caller,
        step,
        once=shop.once("advanceCompanyOnboarding"),
        companies=held or shop.repositories.companies,
        clock=shop.clock,
        ids=shop.ids,
    )


def test_a_company_not_yet_described_is_a_problem_of_its_own() -> None:
    bare = Shop()

    with pytest.raises(CompanyNotDescribed):
        _read(bare)
    with pytest.raises(CompanyNotDescribed):
        _upload(bare, PNG)
    with pytest.raises(CompanyNotDescribed):
        _advance(bare, OnboardingStep.PAYMENTS)
    assert _onboarding(bare) is OnboardingStep.COMPANY


def test_describing_anew_needs_the_version_seen(shop: Shop) -> None:
    for stale in (0, 2):
        with pytest.raises(StaleVersion):
            _describe(shop, expected_version=stale)

    described = _describe(shop, expected_version=1, phone="0199001234")

    assert (described.version, described.description.phone) == (2, "0199001234")
    assert _read(shop) == described


@pytest.mark.parametrize(
    ("changes", "pointer", "said"),
    [
        ({"late_penalty_rate": Decimal("7.85")}, "/late_penalty_rate", "7,86"),
        ({"invoice_number_pattern": NumberPattern("A{year}-0{1}")}, "/invoice_number_pattern", "les avoirs"),
        ({"invoice_number_pattern": NumberPattern("D{year}-{1}")}, "/invoice_number_pattern", "les devis"),
        ({"footer_text": "Merci 😀"}, "/footer_text", "😀"),
        ({"address": factories.address(city="漢")}, "/address/city", "漢"),
    ],
)
def test_a_description_that_no_invoice_may_carry_is_refused(
    shop: Shop, changes: dict[str, Any], pointer: str, said: str
) -> None:
    with pytest.raises(FieldErrors) as refused:
        _describe(shop, expected_version=1, **changes)

    (error,) = refused.value.errors
    assert error.pointer == pointer
    assert said in error.detail_fr
    assert _read(shop).version == 1


def test_the_lowest_penalty_rate_and_an_own_number_pattern_are_taken(shop: Shop) -> None:
    pattern = NumberPattern("FA{year}/{1}")

    described = _describe(
        shop, expected_version=1, late_penalty_rate=Decimal("7.86"), invoice_number_pattern=pattern
    ).description

    assert (described.late_penalty_rate, described.invoice_number_pattern) == (Decimal("7.86"), pattern)


def test_a_first_description_expects_no_version() -> None:
    bare = Shop()

    with pytest.raises(StaleVersion):
        _describe(bare, expected_version=1)
    assert _describe(bare, expected_version=0).version == 1


def test_onboarding_goes_company_payments_finished(shop: Shop) -> None:
    steps = [_onboarding(shop), _advance(shop, OnboardingStep.PAYMENTS), _onboarding(shop)]

    assert steps == [OnboardingStep.PAYMENTS, OnboardingStep.FINISHED, OnboardingStep.FINISHED]


@pytest.mark.parametrize("step", [OnboardingStep.COMPANY, OnboardingStep.FINISHED])
def test_only_the_payments_step_is_left_by_hand(shop: Shop, step: OnboardingStep) -> None:
    with pytest.raises(OnboardingStepUnavailable):
        _advance(shop, step)


def test_leaving_a_step_twice_changes_nothing(shop: Shop) -> None:
    _advance(shop, OnboardingStep.PAYMENTS)
    version = _read(shop).version

    assert _advance(shop, OnboardingStep.PAYMENTS) is OnboardingStep.FINISHED
    assert _read(shop).version == version


class ContendedCompanies(FakeCompanies):
    """The company is described anew just before its onboarding is recorded."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop.repositories.store)
        self._shop = shop

    def record_onboarding(self, *args: Any, **kwargs: Any) -> None:
        if _read(self._shop).version == 1:
            _describe(self._shop, expected_version=1, phone="0199001234")
        super().record_onboarding(*args, **kwargs)


def test_leaving_a_step_while_another_describes_keeps_both(shop: Shop) -> None:
    _advance(shop, OnboardingStep.PAYMENTS, held=ContendedCompanies(shop))

    left = _read(shop)
    assert (left.version, left.onboarding, left.description.phone) == (
        3,
        OnboardingStep.FINISHED,
        "0199001234",
    )


def test_describing_anew_keeps_onboarding_and_logo(shop: Shop) -> None:
    _upload(shop, PNG)
    _advance(shop, OnboardingStep.PAYMENTS)

    described = _describe(shop, expected_version=3)

    assert described.onboarding is OnboardingStep.FINISHED
    assert described.logo is not None


def test_a_logo_is_stored_under_its_content_and_the_tenant(shop: Shop) -> None:
    uploaded = _upload(shop, PNG)

    assert uploaded.logo is not None
    assert uploaded.logo.key == f"{shop.caller.tenant_id}/logos/{uploaded.logo.sha256}"
    assert shop.documents.stored[uploaded.logo.key] == PNG
    assert shop.documents.media_types[uploaded.logo.key] == "image/png"


def test_a_logo_is_taken_off_what_is_issued_from_then_on(shop: Shop) -> None:
    _upload(shop, PNG)
    before = shop.issue()

    removed = _remove_logo(shop, expected_version=2)
    again = _remove_logo(shop, expected_version=3)

    assert (removed.logo, removed.version) == (None, 3)
    assert again == removed, "without one nothing changes"
    assert shop.stored(before).document.seller_logo is not None
    assert shop.issue().document.seller_logo is None
    with pytest.raises(StaleVersion):
        _remove_logo(shop, expected_version=2)


def test_a_logo_that_is_no_picture_or_comes_late_is_refused(shop: Shop) -> None:
    with pytest.raises(InvalidInput):
        _upload(shop, b"<svg/>")
    with pytest.raises(StaleVersion):
        _upload(shop, PNG, expected_version=9)

    assert shop.documents.stored == {}


def _edit_customer(shop: Shop, customer_id: str, *, expected_version: int, **changes: Any) -> Customer:
    return customers.edit_customer(
        shop.caller,
        customer_id,
        factories.customer_description(**changes),
        expected_version=expected_version,
        customers=shop.repositories.customers,
        clock=shop.clock,
        ids=shop.ids,
    )


def test_a_customer_is_created_read_and_edited_at_the_version_seen(shop: Shop) -> None:
    created = shop.customer()
    held = shop.repositories.customers

    edited = _edit_customer(shop, created.customer_id, expected_version=1, name="Autre")

    assert customers.read_customer(shop.caller, created.customer_id, customers=held) == edited
    assert (edited.version, edited.created_at) == (2, created.created_at)
    with pytest.raises(StaleVersion):
        _edit_customer(shop, created.customer_id, expected_version=1)
    with pytest.raises(NotFound):
        _edit_customer(shop, "cus_none", expected_version=1)


def test_a_customer_that_cannot_be_printed_is_refused_when_it_is_typed(shop: Shop) -> None:
    customer = shop.customer()
    elsewhere = factories.address(line2="😀")

    with pytest.raises(FieldErrors) as created:
        shop.customer(name="漢字", delivery_address=elsewhere)
    with pytest.raises(FieldErrors) as edited:
        _edit_customer(shop, customer.customer_id, expected_version=1, billing_address=elsewhere)

    assert [error.pointer for error in created.value.errors] == ["/name", "/delivery_address/line2"]
    assert [error.pointer for error in edited.value.errors] == ["/billing_address/line2"]
    assert shop.customer(notes="😀").description.notes == "😀", "notes are never printed"


def test_customers_are_listed_and_searched(shop: Shop) -> None:
    shop.customer(name="Zola")
    shop.customer(name="Épicerie Dûpont")
    held, page = shop.repositories.customers, PageRequest()

    listed = customers.list_customers(shop.caller, page, customers=held).items
    found = customers.search_customers(shop.caller, "dupo épic", page, customers=held).items

    assert [item.name for item in listed] == ["Épicerie Dûpont", "Zola"]
    assert [item.name for item in found] == ["Épicerie Dûpont"]


@pytest.mark.parametrize("query", ["", "  ", "!?", "😀"])
def test_a_search_without_a_letter_or_digit_is_refused(shop: Shop, query: str) -> None:
    with pytest.raises(FieldErrors) as refused:
        customers.search_customers(shop.caller, query, PageRequest(), customers=shop.repositories.customers)

    assert refused.value.errors[0].pointer == "/q"


def _archive(
    shop: Shop, product_id: str, *, held: FakeProducts | None = None, once: IdempotentRequest | None = None
) -> Product:
    return products.archive_product(
        shop.caller,
        product_id,
        once=once or shop.once("archiveProduct"),
        products=held or shop.repositories.products,
        clock=shop.clock,
        ids=shop.ids,
    )


def _edit_product(shop: Shop, product_id: str, *, expected_version: int, name: str = "Autre") -> Product:
    return products.edit_product(
        shop.caller,
        product_id,
        factories.product(name=name).description,
        expected_version=expected_version,
        products=shop.repositories.products,
        clock=shop.clock,
        ids=shop.ids,
    )


def test_a_product_is_edited_at_the_version_seen(shop: Shop) -> None:
    product = shop.product()

    edited = _edit_product(shop, product.product_id, expected_version=1)

    assert (edited.version, edited.description.name) == (2, "Autre")
    with pytest.raises(StaleVersion):
        _edit_product(shop, product.product_id, expected_version=1)
    with pytest.raises(NotFound):
        _edit_product(shop, "prd_none", expected_version=1)
    with pytest.raises(NotFound):
        products.read_product(shop.caller, "prd_none", products=shop.repositories.products)


def test_a_product_that_cannot_be_printed_is_refused_when_it_is_typed(shop: Shop) -> None:
    product = shop.product()

    with pytest.raises(FieldErrors) as created:
        shop.product(description="Pose\n😀")
    with pytest.raises(FieldErrors) as edited:
        _edit_product(shop, product.product_id, expected_version=1, name="😀")

    assert [error.pointer for error in created.value.errors] == ["/description"]
    assert [error.pointer for error in edited.value.errors] == ["/name"]


class ContendedProducts(FakeProducts):
    """Somebody else edits, or archives, the product just before it is saved."""

    def __init__(self, shop: Shop, first: Callable[[], object]) -> None:
        super().__init__(shop.repositories.store)
        self._pending = [first]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._pending:
            self._pending.pop()()
        super().save(*args, **kwargs)


def test_archiving_while_another_edits_archives_what_was_edited(shop: Shop) -> None:
    product = shop.product()
    contended = ContendedProducts(shop, lambda: _edit_product(shop, product.product_id, expected_version=1))

    archived = _archive(shop, product.product_id, held=contended)

    assert (archived.version, archived.archived, archived.description.name) == (3, True, "Autre")


def test_archiving_while_another_archives_is_done(shop: Shop) -> None:
    product = shop.product()
    contended = ContendedProducts(shop, lambda: _archive(shop, product.product_id))

    assert _archive(shop, product.product_id, held=contended).version == 2


def test_archiving_asked_twice_is_answered_once_even_when_the_product_came_back(shop: Shop) -> None:
    product = shop.product()
    once = shop.once("archiveProduct")
    _archive(shop, product.product_id, once=once)
    _edit_product(shop, product.product_id, expected_version=2)

    with pytest.raises(AlreadyAnswered):
        _archive(shop, product.product_id, once=once)


def test_an_archived_product_leaves_the_catalogue_and_archiving_twice_changes_nothing(shop: Shop) -> None:
    product = shop.product()
    held = shop.repositories.products

    archived = _archive(shop, product.product_id)

    assert _archive(shop, product.product_id) == archived
    with pytest.raises(NotFound):
        _archive(shop, "prd_none")
    assert products.list_products(shop.caller, PageRequest(), archived=False, products=held).items == ()
    assert len(products.list_products(shop.caller, PageRequest(), archived=True, products=held).items) == 1


def test_an_archived_product_is_restored_once_and_for_all(shop: Shop) -> None:
    product = shop.product()
    shop.archive(product.product_id)

    def restore() -> Product:
        return products.restore_product(
            shop.caller,
            product.product_id,
            once=shop.once("restoreProduct"),
            products=shop.repositories.products,
            clock=shop.clock,
            ids=shop.ids,
        )

    assert (restore().archived, restore().version) == (False, 3)


def test_a_price_is_kept_when_it_changes_and_only_then(shop: Shop) -> None:
    product = shop.product(unit_price=Decimal(95))
    _edit_product(shop, product.product_id, expected_version=1, name="Même prix")
    products.edit_product(
        shop.caller,
        product.product_id,
        factories.product(unit_price=Decimal(110)).description,
        expected_version=2,
        products=shop.repositories.products,
        clock=shop.clock,
        ids=shop.ids,
    )

    kept = products.list_product_prices(
        shop.caller, product.product_id, PageRequest(), products=shop.repositories.products
    ).items

    assert [(price.version, price.unit_price) for price in kept] == [(3, Decimal(110)), (1, Decimal(95))]
    assert {price.changed_by for price in kept} == {shop.caller.user_id}
