"""What an operation does not declare is refused, as unknown fields are: parameters, and a body where there is none."""

from __future__ import annotations

import base64
import json

import pytest

from local.openapi.handlers import Route
from tests.fakes.stripe_inbox import FakeStripeEventQueue
from tests.handlers.conftest import Answered, Person, answered, invoke, sample
from tests.handlers.test_contract import CONTRACT, ROUTES
from tests.handlers.test_stripe_events import signed, told

DECLARED = {route.name.module: CONTRACT["paths"][route.path][route.method] for route in ROUTES}
WITHOUT_BODY = [route for route in ROUTES if "requestBody" not in DECLARED[route.name.module]]
OF_OURS = [route for route in ROUTES if route.name.domain != "webhooks"]


def call(route: Route, **changes: object) -> Answered:
    operation = route.name.module.replace(".", "/")
    return answered(invoke(operation, sample(operation) | changes))


def pointers(answer: Answered) -> list[str]:
    return [error["pointer"] for error in answer.body["errors"]]


@pytest.mark.parametrize("route", WITHOUT_BODY, ids=lambda route: route.name.module)
def test_a_body_that_is_not_declared_is_refused_field_by_field(route: Route) -> None:
    refused = call(route, body=json.dumps({"x": 1, "a/b": None}))

    assert (refused.status, refused.body["type"]) == (422, "/problems/invalid-fields")
    assert pointers(refused) == ["/x", "/a~1b"]
    assert refused.body["detail"] == "Champ inconnu."


@pytest.mark.parametrize("body", ["", "  ", "{}", " { }\n"])
@pytest.mark.parametrize("encoded", [False, True])
def test_no_body_and_an_empty_object_are_the_same(owner: Person, body: str, encoded: bool) -> None:
    event = sample("invoices/list")
    event["requestContext"]["authorizer"]["jwt"]["claims"].update(tenant_id=owner.tenant_id, sub=owner.user_id)
    sent = base64.b64encode(body.encode()).decode() if encoded else body

    answer = answered(invoke("invoices/list", event | {"body": sent, "isBase64Encoded": encoded}))

    assert answer.status == 200


def test_a_form_without_content_is_no_body(owner: Person) -> None:
    form: dict[str, str | None] = {"content-type": "application/x-www-form-urlencoded"}

    assert owner.call("invoices/list", headers=form, body="").status == 200
    refused = owner.call("invoices/list", headers=form, body="x=1")
    assert (refused.status, refused.body["type"]) == (415, "/problems/unsupported-media-type")


@pytest.mark.parametrize("body", ["[1]", "null?", '"x"', '{"x":'])
def test_what_is_no_object_is_refused_where_there_is_no_body(owner: Person, body: str) -> None:
    refused = owner.call("invoices/list", body=body)

    assert (refused.status, refused.body["type"]) == (422, "/problems/invalid-input")


@pytest.mark.parametrize("route", OF_OURS, ids=lambda route: route.name.module)
def test_a_parameter_that_is_not_declared_is_refused(route: Route) -> None:
    sent = sample(route.name.module.replace(".", "/")).get("queryStringParameters") or {}

    refused = call(route, queryStringParameters={**sent, "limite": "5"})

    assert (refused.status, refused.body["type"]) == (422, "/problems/invalid-fields")
    assert pointers(refused) == ["/query/limite"]
    assert refused.body["detail"] == "Paramètre inconnu."


def test_what_is_wrong_with_what_is_declared_is_said_first(owner: Person) -> None:
    unknown = {"x": "1"}

    lost = owner.call("invoices/read", query=unknown, invoice_id="what")
    key = owner.call("invoices/duplicate", query=unknown, headers={"idempotency-key": None})

    assert (lost.status, key.status) == (404, 428)


def test_third_parties_say_what_they_like(queue: FakeStripeEventQueue) -> None:
    body = json.dumps(told()).encode()
    event = sample("webhooks/receive_stripe_event")
    event["headers"]["stripe-signature"] = signed(body)

    kept = answered(
        invoke("webhooks/receive_stripe_event", event | {"body": body.decode(), "queryStringParameters": {"x": "1"}})
    )

    assert kept.status == 200


def test_an_upload_is_no_undeclared_body(owner: Person) -> None:
    raw = owner.call("products/import_csv", body=b'{"x": 1}', headers={"content-type": "text/csv"})

    assert raw.status == 422
    assert "Champ inconnu" not in raw.text


@pytest.mark.parametrize("route", OF_OURS, ids=lambda route: route.name.module)
def test_the_contract_says_that_it_may_be_refused(route: Route) -> None:
    assert "422" in DECLARED[route.name.module]["responses"]
