"""Endpoints of webhooks over their handlers: the secret is shown once, and what is wrong is pointed at."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.handlers.conftest import Person, invoke, sample


def test_a_secret_is_shown_once(owner: Person) -> None:
    event = sample("webhook_endpoints/create")
    claims = event["requestContext"]["authorizer"]["jwt"]["claims"]
    claims.update(tenant_id=owner.tenant_id, sub=owner.user_id, role="owner")

    first = json.loads(invoke("webhook_endpoints/create", event)["body"])
    again = invoke("webhook_endpoints/create", event)
    repeated = json.loads(again["body"])

    assert first["secret"].startswith("whsec_")
    assert again["headers"]["Idempotency-Replayed"] == "true"
    assert repeated["secret"] is None
    assert repeated["endpoint_id"] == first["endpoint_id"]
    assert owner.call("webhook_endpoints/read", endpoint_id=first["endpoint_id"]).body["secret"] is None
    rotated = owner.call("webhook_endpoints/rotate_secret", endpoint_id=first["endpoint_id"]).body
    assert rotated["secret"] not in {None, first["secret"]}
    assert rotated["old_secret_until"] is not None


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"url": "http://exemple.fr/"}, "/url"),
        ({"url": "https://192.168.1.10/"}, "/url"),
        ({"url": "https://exemple.fr/", "event_types": ["invoice.imagined"]}, "/event_types/0"),
        ({"url": "https://exemple.fr/", "event_types": ["invoice.issued"] * 2}, "/event_types"),
        ({"url": "https://exemple.fr/", "secret": "le mien"}, "/secret"),
        ({}, "/url"),
    ],
)
def test_what_is_wrong_is_pointed_at(owner: Person, body: Any, pointer: str) -> None:
    answered = owner.call("webhook_endpoints/create", body=body)

    assert answered.status == 422
    assert [error["pointer"] for error in answered.body["errors"]] == [pointer]
