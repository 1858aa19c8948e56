"""A document is frozen with the design of its company, and the generation of the rules that draw it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from billing.domain.credit_notes import CreditInFull
from billing.domain.template import GENERATION, Design, Template
from tests import factories
from tests.documents import credit_of


@pytest.mark.parametrize("design", Design)
@pytest.mark.parametrize("generation", [1, 2, 3, 12])
def test_a_version_says_design_and_generation(design: Design, generation: int) -> None:
    template = Template(design=design, generation=generation)

    assert Template.of(template.version) == template
    assert template.version == f"{design.value}-{generation}"


@pytest.mark.parametrize("version", ["", "classic", "classic-", "baroque-3", "3-classic", "modern-x"])
def test_another_text_is_no_version(version: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Template.of(version)


@pytest.mark.parametrize("design", Design)
def test_an_invoice_and_its_credit_note_are_frozen_with_the_design_of_their_day(design: Design) -> None:
    before = factories.company(design=design, accent_colour="#8c2f5a", header_text="Bonjour")
    after = factories.company(design=Design.COMPACT, accent_colour="#1f4e8c", header_text="Au revoir")

    invoice = factories.issued(seller=before)
    credit_note = credit_of(invoice, CreditInFull(), company=after)

    assert invoice.document.template_version == f"{design.value}-{GENERATION}"
    assert (invoice.document.seller.accent_colour, invoice.document.seller.header_text) == ("#8c2f5a", "Bonjour")
    assert credit_note.document.template_version == f"compact-{GENERATION}"
    assert (credit_note.document.seller.accent_colour, credit_note.document.seller.header_text) == (
        "#1f4e8c",
        "Au revoir",
    )


def test_what_a_company_chose_later_leaves_older_texts_as_they_were() -> None:
    plain = factories.issued().document

    assert not {"design", "accent_colour"} & set(plain.canonical().replace('"', " ").split())
    chosen = replace(plain, seller=replace(plain.seller, design=Design.MODERN, accent_colour="#8c2f5a"))
    assert {"design", "accent_colour"} <= set(chosen.canonical().replace('"', " ").split())
