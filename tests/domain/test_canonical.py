"""One value has one text: keys sorted, decimals plain, nothing approximate."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from billing.domain.canonical import LATER, canonical_json
from billing.domain.invoice import document_hash
from billing.domain.totals import Discount, Line
from billing.domain.vat import VatCategory
from tests import factories


@dataclass(frozen=True)
class Pair:
    b: object
    a: object


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (12, "12"),
        ("é « ’ \n", '"é « ’ \\n"'),
        (Decimal("20.00"), '"20"'),
        (Decimal("1E+2"), '"100"'),
        (Decimal("-0.0"), '"0"'),
        (VatCategory.REVERSE_CHARGE, '"AE"'),
        (date(2026, 2, 28), '"2026-02-28"'),
        (datetime(2026, 2, 28, 9, 5, tzinfo=UTC), '"2026-02-28T09:05:00+00:00"'),
        ((1, [2]), "[1,[2]]"),
        ({"b": 1, "a": 2}, '{"a":2,"b":1}'),
        (Pair(b=1, a={"d": 1, "c": 2}), '{"a":{"c":2,"d":1},"b":1}'),
    ],
)
def test_a_value_has_one_text(value: object, text: str) -> None:
    assert canonical_json(value) == text


@pytest.mark.parametrize("value", [1.5, {1, 2}, b"bytes", object(), Pair])
def test_what_has_no_exact_text_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="canonical"):
        canonical_json({"inside": value})


def test_equal_values_have_equal_texts() -> None:
    plain = factories.issued(lines=(factories.line(quantity=Decimal(8)),))
    padded = factories.issued(lines=(factories.line(quantity=Decimal("8.000")),))

    assert plain.document == padded.document
    assert plain.document.canonical() == padded.document.canonical()


def test_the_text_of_a_stored_line_never_changes() -> None:
    # A change here breaks the proof of every document stored so far.
    line = Line(
        description="Conseil « été »",
        quantity=Decimal("2.50"),
        unit="HUR",
        unit_price=Decimal("80.00"),
        vat=factories.taxed("5.5"),
        discount=Discount(percent=Decimal("10.0")),
    )

    assert canonical_json(line) == (
        '{"description":"Conseil « été »","details":"","discount":{"amount_minor":null,"percent":"10",'
        '"reason":"Remise"},"kind":"service","product_id":null,"quantity":"2.5","unit":"HUR","unit_price":"80",'
        '"vat":{"category":"S","exemption_code":null,"rate":"5.5"}}'
    )


@dataclass(frozen=True)
class Grown:
    a: int = 1
    b: str = field(default="", metadata=LATER)


def test_a_field_added_later_leaves_older_texts_as_they_are() -> None:
    assert canonical_json(Grown()) == '{"a":1}'
    assert canonical_json(Grown(b="x")) == '{"a":1,"b":"x"}'


def test_the_hash_is_sha_256_of_the_utf_8_text() -> None:
    # FIPS 180-4 example, and the same text with a character beyond ASCII.
    assert document_hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert document_hash("é") == "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"
