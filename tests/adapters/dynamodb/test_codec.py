"""What is stored is read back, and what cannot be read never tells its content."""

from __future__ import annotations

import pytest

from billing.adapters.dynamodb.codec import UnreadableItemError, dump, load
from billing.domain.parties import Customer
from tests import factories


def test_a_customer_is_read_back_as_it_was() -> None:
    customer = factories.customer()

    assert load(Customer, dump(customer)) == customer


def test_an_unreadable_text_says_where_and_never_what() -> None:
    body = dump(factories.customer()).replace('"kind":"business"', '"kind":"secret name"')

    with pytest.raises(UnreadableItemError) as refused:
        load(Customer, body)

    assert "description.kind" in str(refused.value)
    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None
