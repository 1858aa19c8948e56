"""Each printed text is asked for by its own pointer; what has no glyph is refused before a number is taken."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.errors import FieldErrors
from billing.domain.parties import Address, CompanyDescription, CustomerDescription, ProductDescription
from billing.domain.printing import company_texts, customer_texts, product_texts, refuse_unprintable, unprintable_errors
from billing.domain.typography import are_printable, first_unprintable
from tests import factories

FACE = "😀"
# Held to ASCII by their own form, or never printed.
NOT_FREE_TEXT: dict[type, set[str]] = {
    CompanyDescription: {"siren", "siret", "vat_number", "iban", "bic", "accent_colour"},
    CustomerDescription: {"email", "phone", "siren", "siret", "vat_number", "notes"},
    ProductDescription: set(),
    Address: {"country_code"},
}
DESCRIBED = {
    CompanyDescription: (factories.company_description(), company_texts),
    CustomerDescription: (
        factories.customer_description(delivery_address=factories.address(line1="Quai 2")),
        customer_texts,
    ),
    ProductDescription: (factories.product().description, product_texts),
}


def _free_texts(kind: type) -> set[str]:
    hints = get_type_hints(kind)
    return {item.name for item in fields(kind) if hints[item.name] in {str, str | None}} - NOT_FREE_TEXT[kind]


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in DESCRIBED for name in sorted(_free_texts(kind))])
def test_every_free_text_of_a_description_is_held_to_the_fonts(kind: type, name: str) -> None:
    described, texts = DESCRIBED[kind]

    errors = unprintable_errors(texts(replace(described, **{name: f"Nom {FACE}"})))  # type: ignore[operator,type-var]

    assert [error.pointer for error in errors] == [f"/{name}"]
    assert FACE in errors[0].detail_fr
    assert FACE in errors[0].detail_en


@pytest.mark.parametrize(
    ("kind", "holder"),
    [
        (CompanyDescription, "address"),
        (CustomerDescription, "billing_address"),
        (CustomerDescription, "delivery_address"),
    ],
)
@pytest.mark.parametrize("name", sorted(_free_texts(Address)))
def test_every_line_of_an_address_is_held_to_the_fonts(kind: type, holder: str, name: str) -> None:
    described, texts = DESCRIBED[kind]
    wrong = replace(described, **{holder: factories.address(**{name: FACE})})  # type: ignore[type-var]

    assert [error.pointer for error in unprintable_errors(texts(wrong))] == [f"/{holder}/{name}"]  # type: ignore[operator]


def test_every_wrong_field_is_named_at_once() -> None:
    with pytest.raises(FieldErrors) as refused:
        refuse_unprintable([("/name", FACE), ("/city", "Évreux"), ("/notes", "été 漢")])

    assert [error.pointer for error in refused.value.errors] == ["/name", "/notes"]
    assert "« 漢 »" in refused.value.errors[1].detail_fr


def test_decomposed_accents_tabs_and_invisible_signs_are_drawn_as_they_should() -> None:
    refuse_unprintable([("/name", "Cafe\u0301\u200b\tdu\r\nport")])


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), max_size=4))
def test_many_texts_are_judged_as_each_of_them(texts: list[str]) -> None:
    assert are_printable(texts) is all(first_unprintable(text) is None for text in texts)


def test_what_composes_from_printable_signs_is_printable() -> None:
    """The quick look at distinct characters rests on it."""
    printable = [chr(code) for code in range(0x20, 0x3000) if are_printable([chr(code)])]

    assert all(first_unprintable(one) is None for one in printable)
    assert all(first_unprintable(f"{one}{other}") is None for one in "Aaeo" for other in printable)
