"""Refusals: status, language, pointers; and nothing that a client sends becomes a 5xx."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.api.advice import ADVICE
from billing.api.bulk_jobs import BulkProblemResponse
from billing.api.language import Language, preferred_language
from billing.api.messages import field_texts
from billing.api.problems import STATUSES, status_of
from billing.domain.bulk import Refusal
from billing.domain.errors import BillingError, Busy, CodeRefused, EmailNotConfirmed, FieldError, NotFound
from invoices import read
from local.samples import COMPANY
from tests.handlers.conftest import Json, Person, answered, invoke, sample

WITH_BODY = [
    "auth/sign_up", "auth/confirm_email", "auth/resend_code", "auth/sign_in", "auth/refresh_session",
    "company/describe", "company/advance_onboarding", "customers/create", "customers/edit", "products/create",
    "products/edit", "invoices/create", "invoices/preview", "invoices/edit", "invoices/issue", "invoices/send",
    "invoices/record_payment", "operations/open_incident", "operations/note_incident", "operations/close_incident",
    "operations/plan_maintenance", "operations/release_parked_tenant", "operations/decide_dead_letter",
]  # fmt: skip


def every_subclass(error: type[BillingError]) -> Iterator[type[BillingError]]:
    for child in error.__subclasses__():
        yield child
        yield from every_subclass(child)


@pytest.mark.parametrize("error", list(every_subclass(BillingError)))
def test_every_refusal_has_a_status_a_slug_and_titles(error: type[BillingError]) -> None:
    assert 400 <= status_of(error) < 504
    assert error.slug == error.slug.lower().replace("_", "-")
    assert error.title_fr
    assert error.title_en


# Refusals that no field of the request can mend, by what they speak of.
OF_NO_FIELD = {
    "the state of what the path names": {
        "company-not-described", "invoice-already-issued", "invoice-not-issued", "not-duplicable", "payment-reversed",
        "delivery-in-progress", "pdf-not-ready", "bulk-job-not-stopped", "export-not-ready", "quote-already-sent",
        "quote-not-sent", "quote-expired", "quote-superseded", "quote-already-answered", "quote-not-accepted",
        "online-payment-unavailable", "payment-in-progress", "stripe-account-not-connected",
        "quote-already-invoiced", "quote-part-open", "quote-amounts-fixed", "recurring-invoice-ended",
        "recurring-invoice-not-paused", "nothing-left-to-pay", "reminder-already-sent", "reminder-not-due",
        "webhook-endpoint-limit-reached", "webhook-endpoint-disabled", "onboarding-step-unavailable",
        "vat-number-missing", "customer-merged", "series-already-started", "recipient-missing", "number-taken",
        "stale-version", "not-found", "conflict", "document-not-conformant", "payment-by-stripe", "refund-refused",
        "payment-from-credit",
        "tenant-not-parked", "maintenance-window-over", "dead-letter-ended", "incident-not-closable",
        "incident-timeline-full",
    },
    "the pointer depends on what is asked for": {
        "invalid-input", "invalid-fields", "unknown-reference", "product-reference-taken", "credit-exceeds-remaining",
        "customer-credit-exceeded", "statement-too-long",
    },
    "the caller, or a secret that is not said": {
        "unauthenticated", "credentials-refused", "email-not-confirmed", "session-ended", "membership-changed",
        "forbidden", "too-many-attempts", "too-many-payment-pages", "sign-in-challenge-required",
    },
    "headers, tokens, others at work, third parties": {
        "checkout-refused", "stripe-account-refused", "subscription-running", "subscription-not-started",
        "subscription-refused", "plan-limit-reached",
        "page-token-invalid", "idempotency-key-reused", "precondition-required", "busy", "dependency-unavailable",
        "mail-temporarily-refused", "mail-unconfirmed", "mail-refused", "document-damaged", "body-too-large",
        "stripe-signature-refused",
    },
}  # fmt: skip


@pytest.mark.parametrize("error", list(every_subclass(BillingError)))
def test_a_refusal_names_its_field_or_there_is_none(error: type[BillingError]) -> None:
    excused = set().union(*OF_NO_FIELD.values())

    assert bool(error.field) is not (error.slug in excused)
    if error.field:
        assert [one.pointer for one in error("Non.", "No.").errors] == [error.field]
        assert error().errors[0].detail_fr == error.title_fr


# Their details are made of the fields, or of the time, that they are about.
IN_THEIR_OWN_WORDS = {
    "invalid-fields": (FieldError("/x", "Champ inconnu.", "Unknown field."),),
    "unknown-reference": (FieldError("/customer_id", "Client inconnu.", "Unknown customer."),),
    "product-reference-taken": (FieldError("/reference", "Cette référence est prise.", "It is taken."),),
    "too-many-payment-pages": 60,
}


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("error", list(every_subclass(BillingError)))
def test_every_refusal_says_what_to_do(
    owner: Person, monkeypatch: pytest.MonkeyPatch, error: type[BillingError], language: str
) -> None:
    def refused(*_: object, **__: object) -> None:
        own = IN_THEIR_OWN_WORDS.get(error.slug)
        raise error(own) if own is not None else error  # type: ignore[arg-type]

    monkeypatch.setattr(read, "read_invoice", refused)
    path = {"invoice_id": owner.ids["invoice_id"]}

    answer = owner.call("invoices/read", headers={"accept-language": language}, **path)

    detail = answer.body["detail"]
    assert answer.status == status_of(error)
    assert detail != answer.body["title"]
    assert detail.endswith(".")
    assert (error in ADVICE) is (error.slug not in IN_THEIR_OWN_WORDS)


@pytest.mark.parametrize("error", list(every_subclass(BillingError)))
def test_a_refusal_that_a_job_kept_says_the_same(error: type[BillingError]) -> None:
    own = IN_THEIR_OWN_WORDS.get(error.slug)
    kept = Refusal.of(error(own) if own is not None else error())  # type: ignore[arg-type]

    told = [BulkProblemResponse.of(kept, language).detail for language in (Language.FRENCH, Language.ENGLISH)]

    assert all(detail.endswith(".") for detail in told)
    assert error not in ADVICE or tuple(told) == ADVICE[error]


def test_what_to_do_is_said_in_two_languages_each_by_its_own_marks() -> None:
    for error, (french, english) in ADVICE.items():
        assert french != english, error
        assert re.search(r"\w[;:!?](\s|$)", french) is None, error
        assert re.search(r"\s[;:!?]", english) is None, error


def test_no_status_is_left_to_the_root_of_the_tree() -> None:
    assert BillingError not in STATUSES


def test_slugs_are_unique() -> None:
    slugs = [error.slug for error in every_subclass(BillingError)]

    assert len(slugs) == len(set(slugs))


@pytest.mark.parametrize("error", [CodeRefused, EmailNotConfirmed])
def test_401_is_kept_for_sessions(error: type[BillingError]) -> None:
    assert status_of(error) != 401


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", "fr"), ("fr", "fr"), ("en", "en"), ("en-US,en;q=0.9", "en"), ("de", "fr"), ("*", "fr"),
        ("fr;q=0.4, en;q=0.8", "en"), ("en;q=0.4,fr", "fr"), ("en;q=0", "fr"), ("en;q=x", "fr"), (";;,,q=1", "fr"),
    ],
)  # fmt: skip
def test_french_unless_english_is_preferred(header: str, expected: str) -> None:
    assert preferred_language(header) == expected


@pytest.mark.parametrize(("accept", "language"), [("fr", "fr"), ("en", "en")])
def test_a_problem_is_complete_and_in_the_clients_language(owner: Person, accept: str, language: str) -> None:
    path = "/v1/invoices/inv_00000000000000000000000000"
    answer = owner.call(
        "invoices/read", headers={"accept-language": accept}, invoice_id="inv_00000000000000000000000000"
    )

    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Content-Language"] == language
    assert answer.headers["Vary"] == "Accept-Language"
    title = "Introuvable" if language == "fr" else "Not found"
    detail = ADVICE[NotFound][language == "en"]
    told = {"title": title, "status": 404, "detail": detail, "instance": path}
    assert answer.body == {"type": "/problems/not-found", **told}


def test_wrong_fields_are_all_named_by_pointer(owner: Person, draft_body: Json) -> None:
    body = draft_body | {
        "unknown/~field": 1,
        "lines": [
            {"description": "Un", "quantity": 2, "unit_price": "1.1234567", "vat_rate": "20"},
            {"description": "Deux\u0007", "quantity": "0", "unit_price": "-1", "unit": "XXX", "vat_rate": "20"},
            {"description": "", "quantity": "1", "discount": {"percent": "101"}},
        ],
        "due_date": "2026-02-30",
    }

    answer = owner.call("invoices/create", body=body)

    assert answer.status == 422
    assert answer.body["type"] == "/problems/invalid-fields"
    told = {error["pointer"]: error["detail"] for error in answer.body["errors"]}
    assert set(told) == {
        "/unknown~1~0field", "/due_date", "/lines/0/quantity", "/lines/0/unit_price", "/lines/1/description",
        "/lines/1/quantity", "/lines/1/unit_price", "/lines/1/unit", "/lines/2/description",
        "/lines/2/discount/percent",
    }  # fmt: skip
    assert told["/unknown~1~0field"] == "Champ inconnu."
    assert told["/lines/1/quantity"] == "La valeur doit dépasser 0."


@pytest.mark.parametrize(
    ("line", "pointer"),
    [
        ({"vat_rate": "19.6"}, "/lines/0/vat_rate"),
        ({"vat_category": "S"}, "/lines/0/vat_rate"),
        ({"vat_category": "AE"}, "/lines/0/exemption_code"),
        ({"vat_category": "AE", "vat_rate": "20", "exemption_code": "VATEX-EU-AE"}, "/lines/0/vat_rate"),
        ({"vat_category": "K", "exemption_code": "VATEX-EU-AE"}, "/lines/0/exemption_code"),
        ({"vat_rate": "20", "exemption_code": "VATEX-EU-AE"}, "/lines/0/vat_rate"),
        ({"vat_rate": "20", "exemption_code": "NONE"}, "/lines/0/exemption_code"),
        ({"vat_rate": "20", "discount": {}}, "/lines/0/discount"),
        ({"vat_rate": "20", "discount": {"percent": "1", "amount_minor": 1}}, "/lines/0/discount"),
        ({"vat_rate": "20", "discount": {"amount_minor": 10_000}}, "/lines/0/discount"),
        ({"vat_rate": "20", "unit_price": 1.5}, "/lines/0/unit_price"),
        ({"vat_rate": "20", "description": "Fusée 🚀"}, "/lines/0/description"),
        ({"vat_rate": "20", "product_id": "cus_00000000000000000000000000"}, "/lines/0/product_id"),
    ],
)
def test_rules_between_fields_have_pointers_too(owner: Person, draft_body: Json, line: Json, pointer: str) -> None:
    whole = {"description": "Conseil", "quantity": "1", "unit_price": "10"} | line

    answer = owner.call("invoices/preview", body=draft_body | {"lines": [whole], "discount": None})

    assert answer.status == 422, answer.text
    assert [error["pointer"] for error in answer.body["errors"]] == [pointer]


def test_an_exemption_code_alone_names_its_category(owner: Person, draft_body: Json) -> None:
    line = {"description": "Conseil", "quantity": "1", "unit_price": "10", "exemption_code": "VATEX-EU-AE"}

    answer = owner.call("invoices/preview", body=draft_body | {"lines": [line], "discount": None})

    assert answer.body["vat_breakdown"][0]["vat_category"] == "AE"
    assert answer.body["vat_minor"] == 0


def test_more_lines_than_a_document_holds_are_refused(owner: Person, draft_body: Json) -> None:
    line = draft_body["lines"][1]

    assert owner.call("invoices/preview", body=draft_body | {"lines": [line] * 500}).status == 200
    answer = owner.call("invoices/preview", body=draft_body | {"lines": [line] * 501})
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/lines")


def test_what_may_be_left_out_may_be_null(owner: Person, draft_body: Json) -> None:
    line = {
        "product_id": owner.ids["product_id"], "quantity": "1", "description": None, "details": None, "unit": None,
        "unit_price": None, "vat_category": None, "vat_rate": None, "exemption_code": None, "discount": None,
    }  # fmt: skip
    empty = dict.fromkeys(("discount", "supply_date", "due_date", "payment_terms_days"))

    answer = owner.call("invoices/preview", body=draft_body | empty | {"lines": [line]})

    assert answer.status == 200, answer.text
    without = {"iban": None, "bic": None}
    assert owner.call("company/describe", body=COMPANY | without, headers={"if-match": '"1"'}).status == 200


@pytest.mark.parametrize(
    ("operation", "changes", "french", "english"),
    [
        (
            "company/describe",
            {"legal_form": "GMBH"},
            "Valeurs possibles : EI, EURL, SARL, SASU, SAS, SA, SNC, SCI, SELARL ou ASSOCIATION.",
            "Possible values: EI, EURL, SARL, SASU, SAS, SA, SNC, SCI, SELARL or ASSOCIATION.",
        ),
        ("company/describe", {"legal_name": " "}, "Ce champ est vide.", "This field is empty."),
        (
            "company/describe",
            {"late_penalty_rate": "12,15"},
            "Nombre décimal attendu, avec un point : 12.50.",
            "A decimal number is expected, with a point: 12.50.",
        ),
        (
            "company/describe",
            {"address": COMPANY["address"] | {"country_code": "France"}},
            "Deux lettres, par exemple FR.",
            "Two capital letters, such as FR.",
        ),
        (
            "company/describe",
            {"siren": "123456789"},
            "Ce SIREN n'est pas valide (9 chiffres, clé de contrôle).",
            "This SIREN is not valid (9 digits, check digit).",
        ),
        (
            "company/describe",
            {"vat_on_debits": "oui"},
            "Répondez par vrai (true) ou faux (false).",
            "Answer true or false.",
        ),
        (
            "company/advance_onboarding",
            {"step": "finished"},
            "Valeur attendue : payments.",
            "Expected value: payments.",
        ),
    ],
)
def test_a_wrong_field_is_explained_in_the_words_of_the_reader(
    member: Callable[..., Person], operation: str, changes: Json, french: str, english: str
) -> None:
    body = (COMPANY if operation == "company/describe" else {}) | changes
    for language, text in (("fr", french), ("en", english)):
        answer = member().call(operation, body=body, headers={"accept-language": language})
        assert [error["detail"] for error in answer.body["errors"]] == [text]
        assert answer.body["detail"] == text


def test_several_wrong_fields_are_counted_and_each_explained(member: Callable[..., Person]) -> None:
    answer = member().call("company/describe", body=COMPANY | {"siren": "1", "iban": "FR00", "legal_name": ""})

    assert answer.body["detail"] == "3 champs sont à corriger."
    assert len(answer.body["errors"]) == 3


def test_errors_of_parameters_name_where_they_are(owner: Person) -> None:
    query = owner.call("invoices/list", query={"limit": "0", "status": "lost", "from": "hier"})
    header = owner.call("invoices/delete", headers={"if-match": "1"}, invoice_id=owner.ids["invoice_id"])

    assert {error["pointer"] for error in query.body["errors"]} == {"/query/limit", "/query/status", "/query/from"}
    assert [error["pointer"] for error in header.body["errors"]] == ["/header/If-Match"]


def test_a_period_that_ends_before_it_starts_is_refused(owner: Person) -> None:
    reverse = owner.call("invoices/list", query={"from": "2026-11-24", "to": "2026-11-23"})
    one_day = owner.call("invoices/list", query={"from": "2026-11-23", "to": "2026-11-23"})

    assert (reverse.status, [error["pointer"] for error in reverse.body["errors"]]) == (422, ["/query/to"])
    assert one_day.status == 200


def test_busy_says_when_to_try_again(owner: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object, **__: object) -> None:
        raise Busy

    monkeypatch.setattr(read, "read_invoice", busy)

    answer = owner.call("invoices/read", invoice_id=owner.ids["invoice_id"])

    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")


def test_an_unknown_error_propagates(owner: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(read, "read_invoice", broken)

    with pytest.raises(KeyError):
        owner.call("invoices/read", invoice_id=owner.ids["invoice_id"])


@pytest.mark.parametrize(
    "claims",
    [
        {"token_use": "id"}, {"tenant_id": None}, {"role": "king"}, {"membership_version": "x"}, {"role": None},
    ],
)  # fmt: skip
def test_a_token_that_names_no_member_is_refused(claims: Json) -> None:
    event = sample("company/read")
    held = event["requestContext"]["authorizer"]["jwt"]["claims"]
    for name, value in claims.items():
        held.pop(name)
        if value is not None:
            held[name] = value

    answer = answered(invoke("company/read", event))

    assert (answer.status, answer.body["type"]) == (401, "/problems/unauthenticated")


def test_a_membership_that_changed_is_told(owner: Person) -> None:
    event = sample("company/read")
    event["requestContext"]["authorizer"]["jwt"]["claims"].update(
        tenant_id=owner.tenant_id, sub=owner.user_id, membership_version="2"
    )

    answer = answered(invoke("company/read", event))

    assert (answer.status, answer.body["type"]) == (401, "/problems/membership-changed")


def test_a_path_that_is_not_the_operations_own_is_a_problem() -> None:
    event = sample("company/read")
    event["rawPath"] = event["requestContext"]["http"]["path"] = "/v1/elsewhere"

    answer = answered(invoke("company/read", event))

    assert (answer.status, answer.body["instance"]) == (404, "/v1/elsewhere")


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain", "application/xml", "é"]
)
def test_only_json_is_accepted(owner: Person, draft_body: Json, content_type: str) -> None:
    answer = owner.call("invoices/create", body=draft_body, headers={"content-type": content_type})

    assert (answer.status, answer.body["type"]) == (415, "/problems/unsupported-media-type")


STRANGE = {
    "empty": "", "spaces": " \n", "truncated": "{", "null": "null", "list": "[]", "list of one": '[{"a": 1}]',
    "text": '"text"', "deep": '{"lines":' + "[" * 50_000 + "]" * 50_000 + "}", "huge exponent": '{"version": 1e999999}',
    "nan": '{"version": NaN}', "infinity": '{"version": -Infinity}', "surrogate": '{"name": "\\ud800"}',
    "surrogate key": '{"\\udfff": 1}', "nul": '{"name": "\\u0000", "email": "a\\u0000@b.fr"}',
    "repeated key": "{" + '"k":1,' * 20_000 + '"k":1}', "many keys": json.dumps({f"k{n}": n for n in range(20_000)}),
    "endless integer": '{"version": ' + "9" * 10_000 + "}", "bare integer": "9" * 10_000,
    "long key": json.dumps({"k" * 100_000: 1}), "html": "<html>",
}  # fmt: skip


@pytest.mark.parametrize("content", list(STRANGE.values()), ids=list(STRANGE))
@pytest.mark.parametrize("operation", WITH_BODY)
def test_strange_bodies_are_problems(owner: Person, operation: str, content: str) -> None:
    event = as_member(owner, sample(operation))
    event["body"] = content

    answer = answered(invoke(operation, event))

    assert 400 <= answer.status < 500 or (operation == "invoices/send" and answer.status < 500), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert len(answer.text) < 40_000


def as_member(person: Person, event: Json) -> Json:
    authorizer = event["requestContext"].get("authorizer")
    if authorizer and "tenant_id" in authorizer["jwt"]["claims"]:
        authorizer["jwt"]["claims"].update(tenant_id=person.tenant_id, sub=person.user_id)
    return event


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\xed\xa0\x80", b'{"name": "\xe9"}'])
def test_bytes_that_are_not_utf8_are_problems(owner: Person, content: bytes) -> None:
    for operation in WITH_BODY:
        event = as_member(owner, sample(operation))
        event |= {"body": base64.b64encode(content).decode(), "isBase64Encoded": True}

        answer = answered(invoke(operation, event))

        assert (answer.status, answer.body["type"]) == (422, "/problems/invalid-input")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("operation", [name for name in WITH_BODY if not name.startswith("auth/")])
def test_any_value_in_any_field_is_answered(owner: Person, operation: str) -> None:
    body = json.loads(sample(operation)["body"])
    fields = st.sampled_from(sorted(body) or ["recipient"])

    @settings(max_examples=40, suppress_health_check=list(HealthCheck))
    @given(field=fields, value=json_values, line_field=st.sampled_from(["quantity", "vat_rate", "discount", "unit"]))
    def throw(field: str, value: Any, line_field: str) -> None:
        changed = {**body, field: value}
        if field == "lines":
            changed["lines"] = [{**body["lines"][0], line_field: value}]
        event = as_member(owner, sample(operation))
        event["body"] = json.dumps(changed)

        answer = answered(invoke(operation, event))

        assert answer.status < 500, answer.text
        if answer.status >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json"

    throw()


def test_texts_of_errors_exist_in_both_languages() -> None:
    assert field_texts("missing", {}) == ("Ce champ est obligatoire.", "This field is required.")
    assert field_texts("string_too_long", {"max_length": 5}) == ("Au plus 5 caractères.", "At most 5 characters.")
    assert field_texts("never_seen", {}) == ("Valeur invalide.", "Invalid value.")
    assert field_texts("string_too_long", {}) == ("Valeur invalide.", "Invalid value.")


def test_nothing_personal_is_logged(owner: Person, draft_body: Json, logged: Callable[[], list[Json]]) -> None:
    owner.call("customers/create", headers={"idempotency-key": None})
    owner.call("invoices/create", body=draft_body | {"customer_id": "nobody"})

    lines = logged()
    assert {line["problem"] for line in lines} == {"precondition-required", "invalid-fields"}
    for line in lines:
        assert line["tenant_id"] == owner.tenant_id
        assert line["correlation_id"] == sample("invoices/create")["requestContext"]["requestId"]
        assert "Client" not in json.dumps(line)


@pytest.mark.parametrize(("given_id", "kept"), [("trace-0001", True), ("x" * 200, False), ("a b", False)])
def test_a_sane_correlation_id_of_the_client_is_kept(
    member: Callable[..., Person], logged: Callable[[], list[Json]], given_id: str, kept: bool
) -> None:
    member().call("company/read", headers={"x-correlation-id": given_id})

    (line,) = logged()
    assert (line["correlation_id"] == given_id) is kept
