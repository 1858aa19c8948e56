"""Receipts and statements look as the company looks now, and nothing in them is clipped or overlaps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from billing.adapters.pdf.logo import PreparedLogo
from billing.adapters.pdf.receipt import ReceiptLayout
from billing.adapters.pdf.sheet import Page
from billing.adapters.pdf.statement import StatementLayout
from billing.adapters.pdf.theme import BUYER_X, BUYER_Y
from billing.domain.parties import CompanyDescription
from billing.domain.template import Design
from tests import factories
from tests.adapters.pdf.placing import assert_well_placed
from tests.adapters.pdf.test_receipt import PAYMENT
from tests.adapters.pdf.test_statement import MOVEMENTS, statement

LOGO = PreparedLogo(pixels=b"", compression="", pixel_width=1, pixel_height=1, width=200, height=80)
LONG = "Société modèle " * 13


def seller(design: Design, **changes: str) -> CompanyDescription:
    return factories.company_description(design=design, accent_colour="#8c2f5a", **changes)


def colours(page: Page) -> set[str]:
    drawn = {box.colour for box in page.boxes} | {text.style.colour for text in page.texts}
    return {"#{:02x}{:02x}{:02x}".format(*(round(255 * channel) for channel in colour)) for colour in drawn}


def assert_in_window(page: Page, heading: str) -> None:
    (found,) = (text for text in page.texts if text.text == heading)
    assert (found.x, found.y) == (BUYER_X, BUYER_Y + 8)


@pytest.mark.parametrize("design", Design)
@pytest.mark.parametrize("logo", [None, LOGO])
@pytest.mark.parametrize("name", ["Exemple SARL", LONG, "W" * 190])
def test_a_receipt_looks_as_the_company_looks_now(design: Design, logo: PreparedLogo | None, name: str) -> None:
    payment = replace(PAYMENT, customer_name=name, amount_minor=99_999_999_999, credited_minor=99_999_999_999 - 24_000)

    (page,) = ReceiptLayout(payment, seller(design, legal_name=name), logo).pages()

    assert_well_placed(page)
    assert_in_window(page, "Reçu de")
    assert "#8c2f5a" in colours(page)
    assert page.logo is None or page.logo[1] >= 10


@pytest.mark.parametrize("design", Design)
@pytest.mark.parametrize("logo", [None, LOGO])
@pytest.mark.parametrize("name", ["Exemple SARL", LONG, "W" * 190])
def test_a_statement_looks_as_the_company_looks_now(design: Design, logo: PreparedLogo | None, name: str) -> None:
    stated = statement(MOVEMENTS * 12, opening=99_999_999_999)
    described = seller(design, legal_name=name)
    account = stated.accounts[0]
    late = replace(account.ageing, until_60_minor=99_999_999_999, beyond_90_minor=99_999_999_999)
    stated = replace(
        stated,
        accounts=(replace(account, ageing=late),),
        company=replace(stated.company, description=described),
        customer=replace(stated.customer, description=replace(stated.customer.description, name=name)),
    )

    first, *further = StatementLayout(stated, logo).pages()

    assert further
    for page in (first, *further):
        assert_well_placed(page)
        assert "#8c2f5a" in colours(page)
    assert_in_window(first, "Client")
    assert all(any("Relevé de compte" in text.text for text in page.texts) for page in further)
