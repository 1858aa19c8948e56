"""What a document is found by, and how a query is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.search import MAX_WORDS, compact, document_terms, document_words, matches

WORDS = document_words(
    number="F2026-00042",
    names=("L'Épicerie du Marché 3D-Print",),
    total_minor=123_456,
    references=("BC 2026/17",),
)


@pytest.mark.parametrize(
    "query",
    [
        "F2026-00042", "f2026-0004", "F202600042", "42", "00042", "1234,56", "1 234,56", "1\u202f234,56 €", "1234",
        "1234.5", "epic", "ÉPICERIE marché", "march 42", "bc2026", "BC2026/17", "3d-print", "print",
    ],
)  # fmt: skip
def test_a_document_is_found_by_the_beginning_of_what_it_carries(query: str) -> None:
    assert matches(WORDS, document_terms(query))


@pytest.mark.parametrize("query", ["43", "1234,57", "picerie", "F2025", "march 43", "1235"])
def test_what_it_does_not_carry_finds_nothing(query: str) -> None:
    assert not matches(WORDS, document_terms(query))


def test_what_tells_most_is_looked_up_first() -> None:
    assert document_terms("exemple F2026-00042")[0] == "f202600042"
    assert document_terms("du marché") == ("marche", "du")


@given(st.text(max_size=60))
def test_any_text_has_terms_that_can_be_looked_up(text: str) -> None:
    terms = document_terms(text)

    assert len(terms) <= MAX_WORDS
    assert all(term and term == compact(term) for term in terms)


@given(st.lists(st.text(alphabet="abc é10", min_size=1, max_size=8), min_size=1, max_size=5))
def test_a_name_is_found_by_itself(names: list[str]) -> None:
    held = document_words(names=tuple(names))

    assert matches(held, document_terms(" ".join(names)))


@pytest.mark.parametrize("name", ["Route 007", "1 111", "Lot 1 000 bis", "00123", "0"])
def test_digits_of_a_name_are_found_as_they_are_written(name: str) -> None:
    assert matches(document_words(names=(name,)), document_terms(name))
    assert matches(document_words(references=(name,)), document_terms(name.replace(" ", "")))


def test_a_number_with_zeros_is_found_whatever_else_is_said() -> None:
    held = document_words(references=("00042",), names=tuple(f"mot{chr(97 + rank)}" for rank in range(25)))

    assert len(held) == MAX_WORDS
    assert matches(held, document_terms("00042"))
