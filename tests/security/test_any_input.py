"""Whatever is thrown at a route, the answer is 2xx or a problem: never a 5xx, never a stack trace."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.client import ApiClient, Json
from local.operators import ensure_operator, operator_token
from local.testing import LocalCloud
from tests.people import Person

pytestmark = pytest.mark.cloud

ROOT = Path(__file__).resolve().parents[2]
CONTRACT: Json = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
# Signing out everywhere would end the session that the other examples use.
OPERATIONS = [
    (method.upper(), path, operation["operationId"])
    for path, operations in CONTRACT["paths"].items()
    for method, operation in operations.items()
    if operation["operationId"] != "signOut"
]
WRITING = [one for one in OPERATIONS if one[0] in {"POST", "PUT"}]
NO_REQUESTS = {
    "empty": b"",
    "truncated": b"{",
    "null": b"null",
    "list": b"[]",
    "text": b'"text"',
    "not UTF-8": b"\xff\xfe\x00",
    "deep": b'{"lines":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "huge exponent": b'{"quantity": 1e999999}',
    "NaN": b'{"a": NaN}',
    "lone surrogate": b'{"name": "\\ud800"}',
    "NUL": b'{"name": "\\u0000"}',
    "repeated key": b"{" + b'"k":1,' * 20_000 + b'"k":1}',
    "huge integer": b"9" * 10_000,
}
EXAMPLES = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    database=None,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
schema = schemathesis.openapi.from_dict(CONTRACT)


class Callers:
    """A company's owner, and an operator for what only operators are let into."""

    def __init__(self, owner: ApiClient, operator: ApiClient) -> None:
        self.owner = owner
        self._operator = operator

    def of(self, path: str) -> ApiClient:
        return self._operator if path.startswith("/v1/operations/") else self.owner


@pytest.fixture(scope="module")
def someone(signed_up: Callable[..., Person], cloud: LocalCloud) -> Iterator[Callers]:
    assert ensure_operator(cloud.layout)
    with ApiClient(cloud.base_url, token=operator_token(cloud.layout)) as operator:
        yield Callers(signed_up().api, operator)


def assert_answered(answer: httpx.Response, what: str) -> None:
    """2xx, or a problem; API Gateway's own refusals (no such route, body too large) keep its shape."""
    assert answer.status_code < 500, f"{what}: {answer.status_code} {answer.text[:500]}"
    if answer.is_success:
        return
    if answer.headers.get("content-type") == "application/json":
        assert answer.json() in ({"message": "Not Found"}, {"message": "Unauthorized"}), what
        return
    assert answer.headers["content-type"] == "application/problem+json", what
    problem = answer.json()
    assert problem["type"].startswith("/problems/"), what
    assert problem["status"] == answer.status_code, what
    assert "Traceback" not in answer.text, what


@pytest.mark.parametrize(("method", "path", "operation_id"), OPERATIONS, ids=[one[2] for one in OPERATIONS])
def test_requests_of_the_contract_and_beside_it_are_answered(
    someone: Callers, method: str, path: str, operation_id: str
) -> None:
    api = someone.of(path)
    operation = schema[path][method]

    @EXAMPLES
    @given(case=operation.as_strategy())
    def throw(case: Any) -> None:
        sent = case.as_transport_kwargs(base_url=api.base_url)
        given_headers = dict(sent.get("headers") or {})
        headers = {name: value for name, value in given_headers.items() if name.lower() != "authorization"}
        headers["authorization"] = f"Bearer {api.token}"
        answer = api.raw(sent["method"], sent["url"], params=sent.get("params"), json=sent.get("json"), headers=headers)
        assert_answered(answer, f"{operation_id} {sent}")

    throw()


@pytest.mark.parametrize(("method", "path", "operation_id"), WRITING, ids=[one[2] for one in WRITING])
def test_any_json_is_answered(someone: Callers, method: str, path: str, operation_id: str) -> None:
    @EXAMPLES
    @given(body=json_values)
    def throw(body: object) -> None:
        answer = someone.of(path).send(method, _filled(path), body, idempotency_key="fuzz", if_match='"1"')
        assert_answered(answer, f"{operation_id} {body!r}")

    throw()


# All of them at one operation before the next: its worker then serves them all.
@pytest.mark.parametrize(("method", "path", "operation_id"), WRITING, ids=[one[2] for one in WRITING])
def test_bytes_that_are_no_request_are_answered(someone: Callers, method: str, path: str, operation_id: str) -> None:
    for what, content in NO_REQUESTS.items():
        answer = someone.of(path).send(
            method,
            _filled(path),
            content,
            idempotency_key="fuzz",
            if_match='"1"',
            content_type="application/json",
        )
        assert_answered(answer, f"{operation_id} {what}")


@pytest.mark.parametrize("value", ["", "'", "%00", "..%2f", "é", "x" * 3000, "-1", "1e9", "null", "%F0%9F%92%A9"])
def test_odd_parameters_are_answered(someone: Callers, value: str) -> None:
    for path in (
        f"/v1/invoices?limit={value}",
        f"/v1/invoices?status={value}",
        f"/v1/invoices?from={value}",
        f"/v1/invoices?page_token={value}",
        f"/v1/customers/search?q={value}",
        f"/v1/invoices/{value}",
        f"/v1/customers/{value}",
        f"/v1/operations/incidents/{value}",
        f"/v1/operations/alerts?incident_number={value}",
        f"/v1/operations/incidents?year={value}",
    ):
        assert_answered(someone.of(path).send("GET", path), path)


def _filled(path: str) -> str:
    ids = {
        "customer_id": "cus_00000000000000000000000000",
        "product_id": "prd_00000000000000000000000000",
        "invoice_id": "inv_00000000000000000000000000",
        "bulk_job_id": "blk_00000000000000000000000000",
        "verification_id": "ver_00000000000000000000000000",
        "payment_id": "pay_00000000000000000000000000",
        "credit_note_id": "crn_00000000000000000000000000",
        "endpoint_id": "whe_00000000000000000000000000",
        "sequence": "1",
        "recurring_invoice_id": "rec_00000000000000000000000000",
        "quote_id": "quo_00000000000000000000000000",
        "incident_number": "ZB-2026-001",
        "window_id": "mnt_00000000000000000000000000",
        "tenant_id": f"ten_{'0' * 32}",
        "letter_id": "00000000-0000-0000-0000-000000000000",
        "token": "ten_0.quo_0." + "0" * 43,
    }
    return path.format(**ids)
