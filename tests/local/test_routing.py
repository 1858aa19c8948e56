"""The most specific route wins, whatever the order they are written in."""

from __future__ import annotations

import itertools

import pytest

from local.routing import Router
from local.stack import Route

PATHS = [
    ("GET", "/v1/invoices/{invoice_id}"),
    ("GET", "/v1/invoices/search"),
    ("GET", "/v1/{domain}/search"),
    ("ANY", "/v1/invoices/{invoice_id}"),
    ("GET", "/v1/{proxy+}"),
]


@pytest.mark.parametrize("order", list(itertools.permutations(PATHS))[::7])
@pytest.mark.parametrize(
    ("method", "path", "expected", "parameters"),
    [
        ("GET", "/v1/invoices/search", "GET /v1/invoices/search", {}),
        ("GET", "/v1/invoices/42", "GET /v1/invoices/{invoice_id}", {"invoice_id": "42"}),
        ("PUT", "/v1/invoices/42", "ANY /v1/invoices/{invoice_id}", {"invoice_id": "42"}),
        ("GET", "/v1/products/search", "GET /v1/{domain}/search", {"domain": "products"}),
        ("GET", "/v1/a/b/c", "GET /v1/{proxy+}", {"proxy": "a/b/c"}),
    ],
)
def test_most_specific_route_wins(
    order: tuple[tuple[str, str], ...], method: str, path: str, expected: str, parameters: dict[str, str]
) -> None:
    router = Router(Route(method=verb, path=pattern, function="f", timeout_seconds=30) for verb, pattern in order)

    found = router.find(method, path)

    assert found is not None
    assert (found[0].key, found[1]) == (expected, parameters)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/invoices/"), ("GET", "/v1/invoices/1/2"), ("POST", "/v1/invoices"), ("DELETE", "/v1/invoices/1")],
)
def test_what_no_route_serves_is_not_found(method: str, path: str) -> None:
    routes = [Route(method="GET", path="/v1/invoices/{invoice_id}", function="f", timeout_seconds=30)]

    assert Router(routes).find(method, path) is None


def test_path_parameters_are_decoded_and_an_encoded_slash_stays_in_its_segment() -> None:
    router = Router([Route(method="GET", path="/v1/things/{thing_id}", function="f", timeout_seconds=30)])

    found = router.find("GET", "/v1/things/a%2Fb%20c")

    assert found is not None
    assert found[1] == {"thing_id": "a/b c"}
