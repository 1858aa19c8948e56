"""Lambda's filter rules on records of a table's stream."""

from __future__ import annotations

from typing import Any

import pytest

from local.filters import FilterError, passes

RECORD = {
    "eventName": "INSERT",
    "dynamodb": {"NewImage": {"entity": {"S": "delivery_request"}, "count": {"N": "3"}}, "SizeBytes": 120},
}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"eventName": ["INSERT", "MODIFY"]}, True),
        ({"eventName": ["REMOVE"]}, False),
        ({"eventName": ["INSERT"], "dynamodb": {"NewImage": {"entity": {"S": ["delivery_request"]}}}}, True),
        ({"eventName": ["INSERT"], "dynamodb": {"NewImage": {"entity": {"S": ["invoice"]}}}}, False),
        ({"dynamodb": {"OldImage": {"entity": {"S": ["delivery_request"]}}}}, False),
        ({"dynamodb": {"OldImage": {"entity": {"S": [{"exists": False}]}}}}, True),
        ({"dynamodb": {"NewImage": {"entity": {"S": [{"exists": True}]}}}}, True),
        ({"dynamodb": {"NewImage": {"entity": {"S": [{"prefix": "delivery_"}]}}}}, True),
        ({"dynamodb": {"NewImage": {"entity": {"S": [{"suffix": "_order"}]}}}}, False),
        ({"dynamodb": {"NewImage": {"entity": {"S": [{"anything-but": ["invoice"]}]}}}}, True),
        ({"dynamodb": {"NewImage": {"entity": {"S": [{"anything-but": "delivery_request"}]}}}}, False),
        ({"dynamodb": {"NewImage": {"entity": {"S": [{"equals-ignore-case": "Delivery_Request"}]}}}}, True),
        ({"dynamodb": {"SizeBytes": [{"numeric": [">", 100, "<=", 120]}]}}, True),
        ({"dynamodb": {"SizeBytes": [{"numeric": ["=", 1]}]}}, False),
        ({"$or": [{"eventName": ["REMOVE"]}, {"dynamodb": {"SizeBytes": [120]}}]}, True),
        ({"dynamodb": {"SizeBytes": ["120"]}}, False),
    ],
    ids=str,
)
def test_pattern(pattern: dict[str, Any], expected: bool) -> None:
    assert passes(RECORD, [pattern]) is expected


def test_any_of_several_patterns_is_enough_and_none_lets_all_through() -> None:
    assert passes(RECORD, [{"eventName": ["REMOVE"]}, {"eventName": ["INSERT"]}])
    assert passes(RECORD, [])


def test_unknown_comparison_is_refused_rather_than_guessed() -> None:
    with pytest.raises(FilterError, match="cidr"):
        passes(RECORD, [{"eventName": [{"cidr": "10.0.0.0/8"}]}])
