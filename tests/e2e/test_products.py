"""The catalogue over the local cloud: units, references of one product each, files."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from local.client import ApiError, Json
from local.samples import BOOK, SERVICE
from tests.people import Person

pytestmark = pytest.mark.cloud


def test_a_product_takes_a_unit_of_the_list_and_a_reference_of_its_own(person: Callable[..., Person]) -> None:
    api = person().api
    units = {unit["code"]: unit["label"] for unit in api.get("/v1/units")["items"]}
    made = api.post("/v1/products", SERVICE)
    assert units[made["unit"]] == "heure"

    with pytest.raises(ApiError) as refused:
        api.post("/v1/products", {**BOOK, "reference": "cg-01"})
    assert (refused.value.status, refused.value.problem["type"]) == (409, "/problems/product-reference-taken")
    assert [error["pointer"] for error in refused.value.problem["errors"]] == ["/reference"]

    archived = api.post(f"/v1/products/{made['product_id']}/archive")
    with pytest.raises(ApiError):
        api.post("/v1/products", {**BOOK, "reference": "CG-01"})
    api.put(f"/v1/products/{made['product_id']}", {**SERVICE, "reference": "CG-01-OLD"}, version=archived["version"])
    assert api.post("/v1/products", {**BOOK, "reference": "CG-01"})["reference"] == "CG-01"
    assert api.post(f"/v1/products/{made['product_id']}/restore")["reference"] == "CG-01-OLD"


def test_what_one_company_exports_another_imports_once(person: Callable[..., Person]) -> None:
    api, other = person().api, person(described=False).api
    for product in (SERVICE, BOOK, {**BOOK, "reference": "", "name": "=Formule & Cie", "unit": "MTK"}):
        api.post("/v1/products", product)
    exported = api.send("GET", "/v1/products/export")
    assert exported.headers["content-type"] == "text/csv; charset=utf-8"
    key = str(uuid.uuid4())

    def send(content: bytes, query: str = "") -> tuple[int, Json]:
        path = f"/v1/products/import{query}"
        answer = other.send("POST", path, content, idempotency_key=key, content_type="text/csv")
        return answer.status_code, answer.json()

    status, tried = send(exported.content, "?dry_run=true")
    assert (status, tried["rows"], tried["errors"], tried["imported"]) == (200, 3, [], [])
    status, done = send(exported.content)
    assert (status, len(done["imported"])) == (200, 3)
    assert send(exported.content) == (200, done)
    assert other.send("GET", "/v1/products/export").content == exported.content

    key = str(uuid.uuid4())
    status, problem = send(exported.content)
    assert status == 422
    assert {error["pointer"] for error in problem["errors"]} == {"/rows/3/reference", "/rows/4/reference"}
    assert len(other.get("/v1/products")["items"]) == 3
