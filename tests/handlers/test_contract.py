"""What handlers answer is what the OpenAPI document says: bodies, statuses, headers."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from billing.domain.dead_letters import DeadLetter, LetterQueue, LetterRecord
from billing.domain.parking import ParkReason
from billing.runtime import stripe_webhooks, table
from billing.runtime.clock import clock, ids
from billing.runtime.stripe_webhooks import SigningSecrets
from billing.usecases.parking import park_tenant
from local.openapi.handlers import Route, routes
from local.openapi.published import published_contract
from operations import read_health
from tests.fakes.delivery import FakeDocuments, FakeHealthProbes, FakeLogoChecker
from tests.fakes.identity import FakeIdentity
from tests.handlers.conftest import EVENTS, STRIPE, Answered, Json, Person, answered, invoke, sample, take_payments

ROUTES = routes()
CONTRACT = published_contract(ROUTES, version="1")


def mismatches(schema: Json, value: object) -> list[str]:
    """What in a value is not as a schema of the contract says."""
    validator = Draft202012Validator(schema | {"components": CONTRACT["components"]})
    return [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(value)]


def responses(route: Route) -> Json:
    found: Json = CONTRACT["paths"][route.path][route.method]["responses"]
    return found


def assert_as_documented(route: Route, answer: Answered) -> None:
    documented = responses(route)
    name = f"{route.name.module} {answer.status} {answer.text[:300]}"
    assert str(answer.status) in documented, name
    response = documented[str(answer.status)]
    if not response.get("content"):
        assert answer.text == "", name
        return
    media_type = answer.headers["Content-Type"].partition(";")[0]
    content = answer.body if "json" in media_type else answer.text
    assert mismatches(response["content"][media_type]["schema"], content) == [], name
    declared = set(response.get("headers", {}))
    assert declared <= set(answer.headers), name
    undeclared = {"ETag", "Location"} & set(answer.headers) - declared
    assert undeclared == set(), name


@pytest.mark.parametrize(
    ("operation", "status", "slug"),
    [
        ("auth/sign_up", "409", "account-exists"),
        ("auth/sign_in", "403", "email-not-confirmed"),
        ("auth/sign_in", "409", "sign-in-challenge-required"),
        ("company/read", "409", "company-not-described"),
        ("invoices/download", "409", "pdf-not-ready"),
        ("invoices/edit", "409", "invoice-already-issued"),
        ("invoices/delete", "409", "invoice-already-issued"),
        ("invoices/preview", "404", "unknown-reference"),
    ],
)
def test_refusals_of_an_operation_of_its_own_are_documented(operation: str, status: str, slug: str) -> None:
    (route,) = (route for route in ROUTES if route.name.module == operation.replace("/", "."))

    assert slug in responses(route)[status]["description"]


@pytest.fixture
def surrounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fakes where the table is not what is asked for."""
    identity, documents = FakeIdentity(), FakeDocuments()
    for route in ROUTES:
        module = importlib.import_module(route.name.module)
        for name, fake in (
            ("identity", lambda: identity),
            ("documents", lambda: documents),
            ("logo_checker", FakeLogoChecker),
            ("probes", FakeHealthProbes),
        ):
            if name in vars(module) and not isinstance(vars(module)[name], type):
                monkeypatch.setattr(module, name, fake)
    signed_by_nobody = SigningSecrets(lambda: ("whsec_of_another_time",), clock)
    monkeypatch.setattr(stripe_webhooks, "signing_secrets", lambda: signed_by_nobody)


def test_every_success_is_as_documented(owner: Person, draft_body: Json, surrounded: None) -> None:
    by_name = {route.name.module.replace(".", "/"): route for route in ROUTES}
    seen: set[str] = set()

    def check(operation: str, **options: Any) -> Answered:
        answer = owner.call(operation, **options)
        assert answer.status < 300, f"{operation}: {answer.text}"
        assert_as_documented(by_name[operation], answer)
        seen.add(operation)
        return answer

    invoice = {"invoice_id": owner.ids["invoice_id"]}
    customer = {"customer_id": owner.ids["customer_id"]}
    product = {"product_id": owner.ids["product_id"]}
    for operation in ("auth/sign_up", "auth/resend_code", "auth/confirm_email"):
        check(operation)
    session = check("auth/sign_in").body
    check("auth/sign_out", headers={"authorization": f"Bearer {session['access_token']}"})
    for operation in ("auth/who_am_i", "company/read", "company/upload_logo", "company/read_onboarding"):
        check(operation)
    check("company/remove_logo", headers={"if-match": '"2"'})
    check("company/describe", headers={"if-match": '"3"'})
    check("company/advance_onboarding")
    check("stripe_account/edit", headers={"if-match": '"0"'})
    for operation in ("connect", "create_link", "refresh", "read", "disconnect"):
        check(f"stripe_account/{operation}")
    for operation in ("read", "list_plans", "start"):
        check(f"subscription/{operation}")
    STRIPE.subscribe(next(reversed(STRIPE.subscribing)))
    for operation in ("refresh", "open_portal"):
        check(f"subscription/{operation}")
    check("company/list_series")
    check("events/list")
    check("audit/list")
    check("company/start_series", body={**json.loads(sample("company/start_series")["body"]), "series": "quote"})
    for operation in ("customers/create", "customers/list", "customers/search", "products/create", "products/list"):
        check(operation)
    check("products/list_units")
    check("products/import_csv")
    check("products/export_csv")
    check("customers/import_csv")
    check("customers/export_csv")
    check("customers/read", **customer)
    check("customers/edit", **customer)
    check("customers/check_vat_number", **customer)
    double = json.loads(sample("customers/create")["body"]) | {"email": "double@client.exemple.test"}
    duplicate_id = check("customers/create", body=double).body["customer_id"]
    check("customers/merge", body={"duplicate_id": duplicate_id}, **customer)
    check("customers/list_duplicates", **customer)
    for operation in ("products/read", "products/edit", "products/list_prices", "products/archive", "products/restore"):
        check(operation, **product)
    check("invoices/preview", body=draft_body)
    check("invoices/preview_pdf", body=draft_body)
    check("invoices/preview_draft_pdf", **invoice)
    doomed = check("invoices/create", body=draft_body).body["invoice_id"]
    check("invoices/edit", body=draft_body, invoice_id=doomed)
    check("invoices/delete", headers={"if-match": '"2"'}, invoice_id=doomed)
    check("invoices/duplicate", **invoice)
    (kept,) = check("invoices/upload_attachment", **invoice).body["attachments"]
    file = {**invoice, "attachment_id": kept["attachment_id"]}
    check("invoices/download_attachment", **file)
    check("invoices/remove_attachment", headers={"if-match": '"2"'}, **file)
    check("invoices/read", **invoice)
    check("invoices/issue", body={"version": 3}, **invoice)
    check("invoices/read", **invoice)
    check("invoices/list")
    cash = {"amount_minor": 100, "method": "cash", "confirm_cash_above_limit": True}
    check("invoices/record_payment", body=cash, **invoice)
    allocated = {"allocations": [{"invoice_id": invoice["invoice_id"], "amount_minor": 100}]}
    over_paid = {**customer, **allocated, "amount_minor": 300, "method": "transfer", "excess": "customer_credit"}
    paid = {"payment_id": check("payments/record", body=over_paid).body["payment_id"]}
    check("payments/list")
    check("payments/list_reconciliations")
    check("payments/list_disputes")
    check("payments/read", **paid)
    check("payments/download_receipt", **paid)
    check("payments/refund", body={"amount_minor": 10}, **paid)
    check("customers/read_credit", **customer)
    check("customers/read_statement", **customer)
    check("customers/download_statement", **customer)
    applied = check("customers/apply_credit", body=allocated, **customer).body["payment_id"]
    check("payments/reverse", payment_id=applied)
    check("customers/refund_credit", body={"amount_minor": 10}, **customer)
    check("invoices/read_timeline", **invoice)
    shared = check("invoices/create_link", **invoice).body["url"].rpartition("/")[2]
    check("portal/read_invoice", token=shared)
    take_payments(owner.tenant_id)
    check("portal/pay_invoice", token=shared)
    check("invoices/revoke_links", **invoice)
    taken = {"mode": "amounts", "amounts": [{"vat_rate": "20", "net_minor": 10}], "reason": "Geste"}
    check("credit_notes/preview", body=taken, **invoice)
    check("credit_notes/preview_pdf", body=taken, **invoice)
    check("invoices/download_duplicate", **invoice)
    note = {"credit_note_id": check("credit_notes/issue", body=taken, **invoice).body["credit_note_id"]}
    check("credit_notes/list")
    check("credit_notes/read", **note)
    check("credit_notes/read_timeline", **note)
    check("credit_notes/download_duplicate", **note)
    check("quotes/preview", body=quoted_body(draft_body))
    check("quotes/preview_pdf", body=quoted_body(draft_body))
    quote = {"quote_id": check("quotes/create", body=quoted_body(draft_body)).body["quote_id"]}
    check("quotes/edit", body=quoted_body(draft_body), **quote)
    check("quotes/preview_draft_pdf", **quote)
    copy = check("quotes/duplicate", **quote).body["quote_id"]
    check("quotes/delete", quote_id=copy)
    check("quotes/send", body={"version": 2}, **quote)
    check("quotes/read", **quote)
    check("quotes/list")
    check("quotes/read_timeline", **quote)
    link = check("quotes/create_link", **quote).body["url"].rpartition("/")[2]
    shown = check("portal/read_quote", token=link).body
    check("quotes/revise", **quote)
    check("quotes/send", body={"version": check("quotes/read", **quote).body["version"], "mail": False}, **quote)
    check("quotes/revoke_links", **quote)
    link = check("quotes/create_link", **quote).body["url"].rpartition("/")[2]
    shown = check("portal/read_quote", token=link).body
    answer = {"answer": "accepted", "name": "Direction", "document_hash": shown["document_hash"]}
    check("portal/answer_quote", body=answer, token=link)
    deposit = check("quotes/bill_deposit", body={"percent": "30"}, **quote).body["invoice_id"]
    owner.call("invoices/issue", body={"version": 1}, invoice_id=deposit)
    part = check("quotes/bill_part", body={"net_minor": 100}, **quote).body["invoice_id"]
    owner.call("invoices/issue", body={"version": 1}, invoice_id=part)
    check("quotes/convert", **quote)
    check("quotes/read_billing", **quote)
    other = {"quote_id": check("quotes/duplicate", **quote).body["quote_id"]}
    check("quotes/send", body={"version": 1, "mail": False}, **other)
    check("quotes/record_answer", **other)
    received = {"received_on": owner.call("quotes/read", **other).body["issue_date"]}
    check("quotes/record_reception", body=received, **other)
    template = json.loads(sample("recurring_invoices/create")["body"]) | {"customer_id": owner.ids["customer_id"]}
    check("recurring_invoices/preview", body=template)
    made = check("recurring_invoices/create", body=template).body
    recurring = {"recurring_invoice_id": made["recurring_invoice_id"]}
    check("recurring_invoices/edit", body=template, **recurring)
    check("recurring_invoices/pause", **recurring)
    check("recurring_invoices/resume", **recurring)
    check("recurring_invoices/skip", body={"date": made["next_dates"][1]}, **recurring)
    check("recurring_invoices/read", **recurring)
    check("recurring_invoices/list")
    check("recurring_invoices/read_timeline", **recurring)
    check("recurring_invoices/end", **recurring)
    for domain in ("invoices", "quotes", "credit_notes", "products"):
        check(f"{domain}/search")
    endpoint = {"endpoint_id": check("webhook_endpoints/create").body["endpoint_id"]}
    check("webhook_endpoints/list")
    check("webhook_endpoints/read", **endpoint)
    check("webhook_endpoints/edit", **endpoint)
    check("webhook_endpoints/rotate_secret", **endpoint)
    check("webhook_endpoints/list_deliveries", **endpoint)
    check("webhook_endpoints/delete", headers={"if-match": '"3"'}, **endpoint)
    check("reminders/read_plan")
    check("reminders/edit_plan")
    check("reminders/preview", **invoice)
    check("reminders/hold", **invoice)
    check("reminders/release", **invoice)
    check("reminders/send", **invoice)
    check("reminders/list", **invoice)
    check("reminders/pause", **customer)
    check("reminders/resume", **customer)
    check("reminders/read_pause", **customer)
    bulk = {"bulk_job_id": check("bulk_jobs/start").body["bulk_job_id"]}
    check("bulk_jobs/list")
    check("bulk_jobs/read", **bulk)
    job_input = {"tenant_id": owner.tenant_id, "run": 1, "lane": 0, "correlation_id": "c", **bulk}
    assert invoke("workflows/run_bulk_lane", job_input) == {"done": True, "waiting": False}
    assert check("bulk_jobs/list_results", **bulk).body["items"][0]["problem"]["type"] == "/problems/not-found"
    job = check("invoices/start_verification").body["verification_id"]
    check("invoices/read_verification", verification_id=job)
    check("operations/read_health")
    check("usage/record")
    operate(check)

    # They need what the workflow, Cognito or Stripe makes: their own tests hold them.
    assert set(by_name) - seen == {"auth/refresh_session", "invoices/download", "invoices/send"} | {
        "webhooks/receive_stripe_event",
        "payments/read_online",
        "webhook_endpoints/replay_delivery",
        "bulk_jobs/resume",
        "bulk_jobs/download",
        "invoices/read_conformity",
        "credit_notes/read_conformity",
        "credit_notes/download",
        "credit_notes/send",
        "portal/download_invoice",
        "portal/download_quote",
        "quotes/download",
    }


def operate(check: Callable[..., Answered]) -> None:
    tenant = sample("operations/release_parked_tenant")["pathParameters"]
    park_tenant(tenant["tenant_id"], ParkReason.LEDGER_DIFFERS, desk=table.alert_desk(), clock=clock, ids=ids)
    letter = sample("operations/decide_dead_letter")["pathParameters"]
    table.letter_book().save(LetterRecord.of(_set_aside(letter["letter_id"])))
    for operation, named in (
        ("list_parked_tenants", {}),
        ("release_parked_tenant", tenant),
        ("list_dead_letters", {}),
        ("decide_dead_letter", letter),
    ):
        check(f"operations/{operation}", **named)
    for operation in ("list_incidents", "list_alerts", "list_maintenance", "read_usage"):
        check(f"operations/{operation}")
    check("operations/end_maintenance", window_id=check("operations/plan_maintenance").body["window_id"])
    for steps in (("close_incident", "read_incident", "read_post_mortem"), ("note_incident", "approve_incident")):
        incident = {"incident_number": check("operations/open_incident").body["incident_number"]}
        for operation in steps:
            check(f"operations/{operation}", **incident)


def _set_aside(letter_id: str) -> DeadLetter:
    return DeadLetter(
        letter_id=letter_id,
        queue=LetterQueue.STRIPE_EVENTS,
        receipt="r",
        sent_at=clock.now(),
        text='{"event_id": "evt_1"}',
        attributes={},
    )


def quoted_body(body: Json) -> Json:
    return {name: value for name, value in body.items() if name not in {"due_date", "paid"}}


def test_every_refusal_is_as_documented(member: Callable[..., Person], surrounded: None) -> None:
    person = member()
    for route in ROUTES:
        if route.name.domain == "auth":
            continue
        without: dict[str, str | None] = {"idempotency-key": None, "if-match": None}
        for headers in ({}, without):
            answer = person.call(route.name.module.replace(".", "/"), headers=headers)
            if answer.status < 400:
                continue
            documented = responses(route)
            response: Json = documented[str(answer.status) if str(answer.status) in documented else "default"]
            reference = response.get("$ref", "").rpartition("/")[2]
            described: Json = CONTRACT["components"]["responses"][reference] if reference else response
            schema = described["content"]["application/problem+json"]["schema"]
            assert mismatches(schema, answer.body) == [], answer.text


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name.module)
def test_the_sample_request_is_as_documented(route: Route) -> None:
    event = sample(route.name.module.replace(".", "/"))
    declared = CONTRACT["paths"][route.path][route.method]

    if "body" in event and not event["isBase64Encoded"]:
        schema = declared["requestBody"]["content"]["application/json"]["schema"]
        assert mismatches(schema, json.loads(event["body"])) == []
    for parameter in declared.get("parameters", []):
        source = {"path": "pathParameters", "query": "queryStringParameters", "header": "headers"}[parameter["in"]]
        name = parameter["name"].lower() if parameter["in"] == "header" else parameter["name"]
        value = event.get(source, {}).get(name)
        assert value is not None or not parameter.get("required"), parameter["name"]
        pattern = parameter["schema"].get("pattern")
        assert value is None or pattern is None or re.search(pattern, value), parameter["name"]


def test_public_operations_are_named_one_by_one() -> None:
    public = {route.name.operation_id for route in ROUTES if route.public}

    assert public == {
        "signUp", "confirmEmail", "resendCode", "signIn", "refreshSession", "readHealth",
        "readPortalQuote", "downloadPortalQuote", "answerPortalQuote",
        "readPortalInvoice", "downloadPortalInvoice", "payPortalInvoice", "receiveStripeEvent",
        "recordUsage",
    }  # fmt: skip


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name.module)
def test_what_creates_issues_or_sends_needs_a_key_and_what_edits_needs_a_version(route: Route) -> None:
    declared = CONTRACT["paths"][route.path][route.method]
    required = {parameter["name"] for parameter in declared.get("parameters", []) if parameter["in"] == "header"}
    # Who answers a quote by its link answers once, whatever is repeated; an event of Stripe has its own id; a page that
    # is looked at again is another view.
    effect = (
        route.method == "post"
        and route.name.domain not in {"auth", "portal", "usage", "webhooks"}
        and route.name.operation not in {"preview", "preview_pdf"}
    )

    assert ("Idempotency-Key" in required) is effect
    assert ("If-Match" in required) is (route.method in {"put", "delete"})


def test_no_number_of_the_contract_is_a_float() -> None:
    def numbers(schema: Any) -> list[Any]:
        if isinstance(schema, list):
            return [found for item in schema for found in numbers(item)]
        if not isinstance(schema, Mapping):
            return []
        here = [schema] if schema.get("type") == "number" else []
        return here + [found for value in schema.values() for found in numbers(value)]

    assert numbers(CONTRACT) == []


def test_every_sample_is_of_an_operation() -> None:
    for path in EVENTS.rglob("*.json"):
        assert hasattr(importlib.import_module(f"{path.parent.name}.{path.stem}"), "handler")


def test_a_health_answer_of_503_is_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_health, "probes", lambda: FakeHealthProbes(failing=frozenset({"table"})))
    [route] = [route for route in ROUTES if route.name.operation_id == "readHealth"]

    assert_as_documented(route, answered(invoke("operations/read_health", sample("operations/read_health"))))
