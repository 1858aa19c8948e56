"""Company, customers and products through their handlers."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from billing.adapters.images.logo_checker import PillowLogoChecker
from billing.adapters.pdf.logo import prepare_logo
from billing.domain.colours import contrast
from billing.domain.errors import InvalidInput
from company import upload_logo
from local.samples import COMPANY, CUSTOMER, SERVICE
from tests.fakes.delivery import FakeDocuments, FakeLogoChecker
from tests.handlers.conftest import Json, Person, answered, invoke, sample


def test_a_company_is_described_once_from_version_zero(member: Callable[..., Person]) -> None:
    person = member()
    missing = person.call("company/read")
    first = person.call("company/describe")
    again = person.call("company/describe", headers={"if-match": '"0"'})
    changed = person.call("company/describe", body=COMPANY | {"phone": "01"}, headers={"if-match": '"1"'})

    assert (missing.status, missing.body["type"]) == (409, "/problems/company-not-described")
    assert (first.status, first.headers["ETag"]) == (200, '"1"')
    assert first.body["late_penalty_rate"] == "12.15"
    assert first.body["share_capital_minor"] == 1_000_000
    assert again.status == 412
    assert (changed.headers["ETag"], changed.body["phone"]) == ('"2"', "01")
    assert person.call("company/read").body == changed.body


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"siren": "123456789"}, {"/siren"}),
        ({"siret": "12345678200011"}, {"/siret"}),
        ({"siret": "73282932000074"}, {"/siret"}),
        ({"vat_number": "FR12123456782"}, {"/vat_number"}),
        ({"vat_number": "FR44732829320"}, {"/vat_number"}),
        ({"vat_number": None}, {"/vat_number"}),
        ({"iban": "FR7630006000011234567890180"}, {"/iban"}),
        ({"iban": None}, {"/iban"}),
        ({"bic": "XXX"}, {"/bic"}),
        ({"bic": "COBADEFF"}, {"/bic"}),
        ({"share_capital_minor": None}, {"/share_capital_minor"}),
        ({"rcs_city": None}, {"/rcs_city"}),
        ({"rcs_city": None, "share_capital_minor": None}, {"/rcs_city", "/share_capital_minor"}),
        ({"legal_form": "EI"}, {"/share_capital_minor"}),
        ({"legal_form": "EI", "rcs_city": None}, {"/share_capital_minor"}),
        ({"legal_form": "GMBH"}, {"/legal_form"}),
        ({"share_capital_minor": "100"}, {"/share_capital_minor"}),
        ({"share_capital_minor": 1.5}, {"/share_capital_minor"}),
        ({"email": "nobody"}, {"/email"}),
        ({"email": "a\r\nb@c.fr"}, {"/email"}),
        ({"late_penalty_rate": 12.15}, {"/late_penalty_rate"}),
        ({"vat_regime": "franchise", "vat_on_debits": True}, {"/vat_on_debits"}),
        ({"invoice_number_pattern": "F{00001}"}, {"/invoice_number_pattern"}),
        ({"invoice_number_pattern": "F {year}-{00001}"}, {"/invoice_number_pattern"}),
        ({"invoice_number_pattern": "A{year}-{001}"}, {"/invoice_number_pattern"}),
        ({"design": "baroque"}, {"/design"}),
        ({"accent_colour": "teal"}, {"/accent_colour"}),
        ({"accent_colour": "#0a5c5"}, {"/accent_colour"}),
        ({"accent_colour": None}, {"/accent_colour"}),
        ({"header_text": "Merci 😀"}, {"/header_text"}),
        ({"header_text": "x" * 301}, {"/header_text"}),
        ({"address": {"line1": "x"}}, {"/address/postal_code", "/address/city"}),
        ({"address": COMPANY["address"] | {"postal_code": "6900"}}, {"/address/postal_code"}),
        ({"tenant_id": "ten_other"}, {"/tenant_id"}),
    ],
)
def test_a_legal_identity_must_hold_together(member: Callable[..., Person], changes: Json, pointers: set[str]) -> None:
    answer = member().call("company/describe", body=COMPANY | changes)

    assert answer.status == 422, answer.text
    assert {error["pointer"] for error in answer.body["errors"]} == pointers


def test_an_accent_is_kept_as_it_was_chosen_and_told_as_it_is_printed(member: Callable[..., Person]) -> None:
    person = member()
    plain = person.call("company/describe", body={**COMPANY, "accent_colour": "#0A5C5E"})
    light = person.call("company/describe", body={**COMPANY, "accent_colour": "#FFD400"}, headers={"if-match": '"1"'})

    assert (plain.body["accent_colour"], plain.body["printed_accent_colour"]) == ("#0a5c5e", "#0a5c5e")
    assert light.body["accent_colour"] == "#ffd400"
    assert contrast(light.body["printed_accent_colour"], "#ffffff") >= 4.5
    assert person.call("company/read").body == light.body


def test_identifiers_may_be_typed_in_groups(member: Callable[..., Person]) -> None:
    typed = {"siren": "123 456 782", "iban": "fr76 3000 6000 0112 3456 7890 189"}

    answer = member().call("company/describe", body=COMPANY | typed)

    assert (answer.body["siren"], answer.body["iban"]) == (COMPANY["siren"], COMPANY["iban"])


def test_a_company_under_the_franchise_needs_no_vat_number(member: Callable[..., Person]) -> None:
    body = COMPANY | {"vat_regime": "franchise", "vat_number": None, "legal_form": "EI", "share_capital_minor": None}

    assert member().call("company/describe", body=body).status == 200


def test_a_french_postal_code_has_five_digits_and_others_their_own_form(owner: Person) -> None:
    wrong = {"line1": "1 rue de l'Exemple", "postal_code": "7500A", "city": "Paris"}
    belgian = wrong | {"postal_code": "1000", "city": "Bruxelles", "country_code": "BE"}

    refused = owner.call("customers/create", body=CUSTOMER | {"billing_address": wrong, "delivery_address": wrong})
    taken = owner.call("customers/create", body=CUSTOMER | {"billing_address": belgian})

    assert {error["pointer"] for error in refused.body["errors"]} == {
        "/billing_address/postal_code",
        "/delivery_address/postal_code",
    }
    assert taken.status == 201


def test_onboarding_goes_on_step_by_step(member: Callable[..., Person]) -> None:
    person = member()
    steps = [person.call("company/read_onboarding").body["step"]]
    early = person.call("company/advance_onboarding")
    person.call("company/describe")
    steps.append(person.call("company/read_onboarding").body["step"])
    advanced = person.call("company/advance_onboarding")
    steps.append(person.call("company/read_onboarding").body["step"])
    late = person.call("company/advance_onboarding")

    assert steps == ["company", "payments", "finished"]
    assert early.status == 409
    assert advanced.body == {"step": "finished"}
    assert (late.status, late.body) == (200, {"step": "finished"})


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> FakeDocuments:
    store = FakeDocuments()
    monkeypatch.setattr(upload_logo, "documents", lambda: store)
    monkeypatch.setattr(upload_logo, "logo_checker", FakeLogoChecker)
    return store


def test_a_logo_is_stored_as_its_bytes_are(owner: Person, stored: FakeDocuments) -> None:
    answer = owner.call("company/upload_logo")

    assert answer.status == 200
    assert answer.headers["ETag"] == '"2"'
    assert answer.body["logo"]["media_type"] == "image/png"
    assert list(stored.stored.values()) == [base64.b64decode(sample("company/upload_logo")["body"])]


@pytest.mark.parametrize("body", ["", "!!!", base64.b64encode(b"GIF").decode()])
def test_what_is_no_picture_is_refused(owner: Person, stored: FakeDocuments, body: str) -> None:
    answer = owner.call("company/upload_logo", body=body)

    assert (answer.status, answer.body["type"]) == (422, f"/problems/{InvalidInput.slug}")
    assert stored.stored == {}


def test_a_picture_that_no_document_can_carry_is_refused_by_its_field(
    owner: Person, stored: FakeDocuments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_logo, "logo_checker", lambda: PillowLogoChecker(prepare_logo))

    answer = owner.call(
        "company/upload_logo", body=base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'/>").decode()
    )

    assert answer.status == 422
    ((pointer, detail),) = ((error["pointer"], error["detail"]) for error in answer.body["errors"])
    assert pointer == "/logo"
    assert "ce fichier est de type SVG" in detail
    assert stored.stored == {}


def test_customers_are_read_edited_and_found(owner: Person) -> None:
    path = {"customer_id": owner.ids["customer_id"]}
    read = owner.call("customers/read", **path)
    edited = owner.call("customers/edit", **path)
    stale = owner.call("customers/edit", **path)
    created = owner.call("customers/create", body=CUSTOMER | {"name": "Épicerie du Marché"})

    assert (read.status, read.headers["ETag"]) == (200, '"1"')
    assert (edited.body["payment_terms_days"], edited.headers["ETag"]) == (45, '"2"')
    assert stale.status == 412
    assert created.headers["Location"] == f"/v1/customers/{created.body['customer_id']}"
    listed = owner.call("customers/list").body["items"]
    assert [row["name"] for row in listed] == ["Client Exemple SAS", "Épicerie du Marché"]
    found = owner.call("customers/search", query={"q": "EPIC mar"}).body["items"]
    assert [row["name"] for row in found] == ["Épicerie du Marché"]


@pytest.mark.parametrize("query", [{}, {"q": ""}, {"q": "x" * 101}, {"q": "  "}, {"q": "!!"}])
def test_a_search_needs_a_word(owner: Person, query: dict[str, str]) -> None:
    assert owner.call("customers/search", query=query).status == 422


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"kind": "individual"}, {"/siren", "/siret", "/vat_number"}),
        ({"siren": "732829320"}, {"/siret", "/vat_number"}),
        ({"billing_address": None}, {"/billing_address"}),
        ({"payment_terms_days": -1}, {"/payment_terms_days"}),
        ({"payment_terms_days": True}, {"/payment_terms_days"}),
        ({"name": " "}, {"/name"}),
        ({"name": "🙂"}, {"/name"}),
    ],
)
def test_a_customer_must_hold_together(owner: Person, changes: Json, pointers: set[str]) -> None:
    answer = owner.call("customers/create", body=CUSTOMER | changes)

    assert answer.status == 422
    assert {error["pointer"] for error in answer.body["errors"]} == pointers


def test_a_siret_alone_says_the_siren(owner: Person) -> None:
    body = {name: value for name, value in CUSTOMER.items() if name not in {"siren", "vat_number"}}

    assert owner.call("customers/create", body=body).body["siren"] == CUSTOMER["siren"]


def test_products_are_read_edited_and_archived(owner: Person) -> None:
    path = {"product_id": owner.ids["product_id"]}
    read = owner.call("products/read", **path)
    edited = owner.call("products/edit", **path)
    archived = owner.call("products/archive", **path)

    assert (read.body["unit_price"], read.body["vat_rate"]) == ("85", "20")
    assert edited.body["unit_price"] == "90"
    assert archived.body["archived"] is True
    assert owner.call("products/list").body["items"] == []
    assert [row["product_id"] for row in owner.call("products/list", query={"archived": "true"}).body["items"]] == [
        owner.ids["product_id"]
    ]


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"vat_rate": None}, {"/vat_rate"}),
        ({"vat_rate": "7"}, {"/vat_rate"}),
        ({"unit_price": "1e2"}, {"/unit_price"}),
        ({"unit_price": "٣"}, {"/unit_price"}),
        ({"unit_price": "99999999999"}, {"/unit_price"}),
        ({"unit": "KILO"}, {"/unit"}),
    ],
)
def test_a_product_must_hold_together(owner: Person, changes: Json, pointers: set[str]) -> None:
    answer = owner.call("products/create", body=SERVICE | changes)

    assert answer.status == 422
    assert {error["pointer"] for error in answer.body["errors"]} == pointers


def test_another_company_finds_nothing(owner: Person, member: Callable[..., Person]) -> None:
    stranger = member()

    for operation, name in (
        ("customers/read", "customer_id"), ("customers/edit", "customer_id"), ("products/read", "product_id"),
        ("products/edit", "product_id"), ("products/archive", "product_id"),
    ):  # fmt: skip
        assert stranger.call(operation, **{name: owner.ids[name]}).status == 404, operation


def test_a_token_without_a_company_is_not_a_member() -> None:
    assert answered(invoke("customers/list", sample("customers/list"))).body["type"] == "/problems/membership-changed"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"contacts": [{"name": "Achats", "receives_invoices": True}]}, "/contacts/0/email"),
        ({"contacts": [{"name": ""}]}, "/contacts/0/name"),
        ({"contacts": [{"name": "x"}] * 21}, "/contacts"),
        ({"language": "en"}, "/language"),
        (
            {
                "addresses": [
                    {"label": "Dépôt", "use": "delivery", "line1": "1 quai", "postal_code": "1", "city": "Sète"}
                ]
            },
            "/addresses/0/postal_code",
        ),
    ],
)
def test_contacts_addresses_and_language_hold_together(owner: Person, changes: Json, pointer: str) -> None:
    answer = owner.call("customers/create", body=CUSTOMER | changes)

    assert answer.status == 422
    assert [error["pointer"] for error in answer.body["errors"]] == [pointer]


def test_a_customer_keeps_its_contacts_and_further_addresses(owner: Person) -> None:
    depot = {"label": "Dépôt", "use": "delivery", "line1": "1 quai", "postal_code": "34200", "city": "Sète"}
    rich = {
        "contacts": [{"name": "Achats", "email": "a@exemple.test", "receives_reminders": True}],
        "addresses": [depot],
    }
    created = owner.call("customers/create", body=CUSTOMER | rich).body

    read = owner.call("customers/read", customer_id=created["customer_id"]).body

    assert read["contacts"][0]["receives_reminders"] is True
    assert read["addresses"] == [{**depot, "line2": "", "country_code": "FR"}]
