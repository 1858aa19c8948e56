"""The catalogue over the local cloud: units, references of one product each."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from local.client import ApiError
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
