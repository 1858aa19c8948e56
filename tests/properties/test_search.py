"""Every word of a record is found by each of its beginnings."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from billing.domain.search import MAX_WORDS, fold, query_words, words
from billing.ports.paging import PageRequest
from tests import factories
from tests.fakes.clock import MORNING
from tests.fakes.repositories import fake_repositories
from tests.properties.strategies import examined

NAMES = st.text(max_size=40)


@examined
@given(NAMES)
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@examined
@given(NAMES)
def test_case_does_not_matter(text: str) -> None:
    assert words(text.upper()) == words(text.upper().lower())


@examined
@given(NAMES, st.integers(1, 8))
def test_each_beginning_of_each_word_finds_the_record(name: str, length: int) -> None:
    held, caller = fake_repositories(), factories.caller()
    held.memberships.found(factories.membership(caller), at=MORNING)
    customer = factories.customer(description=factories.customer_description(name=name))
    held.customers.create(caller, customer, event=factories.event(), once=factories.once())

    for word in words(name)[:MAX_WORDS]:
        found = held.customers.search(caller, query_words(word[:length]), PageRequest())
        assert [item.customer_id for item in found.items] == [customer.customer_id]


@examined
@given(NAMES)
def test_a_query_of_the_whole_name_finds_it(name: str) -> None:
    held = words(name)

    assert all(any(word.startswith(part) for word in held) for part in query_words(name))
