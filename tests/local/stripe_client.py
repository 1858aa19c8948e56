"""Who asks the local Stripe, makes things happen there, and holds its objects to Stripe's own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest

from local.stripe.objects import API_VERSION
from local.stripe.server import API_KEY, LocalStripe
from tests.stripe_world import MOCK, needs_official_mock

SAMPLES = Path(os.environ.get("ZENBILLING_CONTRACTS", "../shared/contracts")) / "stripe" / "fixtures3.json"
STANDARD = {
    "country": "FR",
    "email": "contact@exemple.fr",
    "business_profile[name]": "Exemple SARL",
    "controller[fees][payer]": "account",
    "controller[losses][payments]": "stripe",
    "controller[requirement_collection]": "stripe",
    "controller[stripe_dashboard][type]": "full",
    "capabilities[card_payments][requested]": "true",
    "capabilities[sepa_debit_payments][requested]": "true",
}


@dataclass
class Client:
    """Who asks the API, stands for customers and banks, and reads what comes of it."""

    http: httpx.Client
    stripe: LocalStripe
    account: str = ""

    def ask(self, method: str, path: str, form: Any = None, *, key: str = "", **headers: str) -> httpx.Response:
        told = {"authorization": f"Bearer {API_KEY}", "stripe-version": API_VERSION}
        if self.account:
            told["stripe-account"] = self.account
        if key:
            told["idempotency-key"] = key
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        if method == "GET":
            return self.http.get(path, params=form, headers=told)
        return self.http.request(method, path, data=form, headers=told)

    def get(self, path: str, **query: str) -> Any:
        answer = self.ask("GET", path, query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, form: Any = None, *, key: str = "") -> Any:
        answer = self.ask("POST", path, form, key=key)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def happens(self, operation: str, verb: str = "POST", /, **asked: Any) -> Any:
        answer = self.http.request(verb, f"/_control/{operation}", json=asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def onboarded(self) -> str:
        self.account = ""
        account: str = self.post("/v1/accounts", STANDARD)["id"]
        self.happens(f"accounts/{account}/enable")
        self.account = account
        return account

    def session(self, amount: int = 12_000, *, key: str = "", **changes: str) -> Any:
        return self.post("/v1/checkout/sessions", session_form(amount) | changes, key=key)

    def paid(self, amount: int = 12_000, *, method: str = "card", fee: int = 0) -> str:
        changes = {"payment_intent_data[application_fee_amount]": str(fee)} if fee else {}
        session = self.session(amount, **changes)
        intent_id: str = self.happens(f"checkout/{session['id']}/pay", method=method)["id"]
        return intent_id

    @property
    def events(self) -> list[str]:
        """Types, oldest first."""
        return [one["type"] for one in reversed(self.get("/v1/events", limit="100")["data"])]


def session_form(amount: int = 12_000) -> dict[str, str]:
    return {
        "mode": "payment",
        "success_url": "https://exemple.fr/paye?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://exemple.fr/annule",
        "line_items[0][quantity]": "1",
        "line_items[0][price_data][currency]": "eur",
        "line_items[0][price_data][unit_amount]": str(amount),
        "line_items[0][price_data][product_data][name]": "Facture <F2026-00001>",
        "metadata[invoice_id]": "inv_1",
        "payment_intent_data[metadata][invoice_id]": "inv_1",
    }


def unlike_the_samples(objects: Iterable[Any]) -> list[str]:
    """What Stripe's samples have that these objects have not, or otherwise. Skips where there are no samples."""
    if not SAMPLES.exists():
        pytest.skip("Stripe's samples are not on this machine: set ZENBILLING_CONTRACTS")
    samples = json.loads(SAMPLES.read_text(encoding="utf-8"))["resources"]
    return [wrong for one in objects for wrong in differences(samples[one["object"]], one, one["object"])]


def contradictions(objects: Iterable[Any]) -> list[str]:
    """What Stripe's own description of its API says against these objects. Skips where there is none."""
    needs_official_mock()
    described = json.loads((MOCK.parent / "spec3.json").read_text(encoding="utf-8"))["components"]["schemas"]
    schemas = {name: as_json_schema(schema) for name, schema in described.items()}
    validators: dict[str, Any] = {}
    found = []
    for one in objects:
        kind = one["object"]
        if kind not in validators:
            validators[kind] = jsonschema_rs.Draft7Validator(
                {"components": {"schemas": schemas}, "allOf": [{"$ref": f"#/components/schemas/{kind}"}]}
            )
        found += [f"{kind}: {error.message[:300]}" for error in validators[kind].iter_errors(one)]
        assert not validators[kind].is_valid(one | {"object": "surprise"})
    return found


def as_json_schema(schema: Any) -> Any:
    """OpenAPI 3.0 says ``nullable`` where JSON Schema has a type."""
    if isinstance(schema, list):
        return [as_json_schema(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    known = {name: as_json_schema(value) for name, value in schema.items() if name != "nullable"}
    return {"anyOf": [{"type": "null"}, known]} if schema.get("nullable") is True else known


# What has a shape of its own for each kind of what it is about.
VARIES = {"data", "metadata", "payment_method_details", "destination_details", "controller", "last_payment_error"}
# Hashes that are not simulated are null, or say less than the samples.
MAY_BE_EMPTY = {"capabilities", "external_accounts", "shipping", "evidence_details", "enhanced_evidence"}


def differences(sample: Any, found: Any, path: str) -> list[str]:
    """Fields that the sample has and what was found has not, and values of another type."""
    if sample is None or found is None:
        return []
    if type(sample) is not type(found):
        return [f"{path}: {type(found).__name__} instead of {type(sample).__name__}"]
    if isinstance(sample, dict) and path.rpartition(".")[2] not in VARIES | MAY_BE_EMPTY:
        missing = [f"{path}.{field} is missing" for field in sample if field not in found]
        return missing + [
            wrong
            for field in sample
            if field in found
            for wrong in differences(sample[field], found[field], f"{path}.{field}")
        ]
    if isinstance(sample, list) and sample:
        return [wrong for one in found for wrong in differences(sample[0], one, f"{path}.0")]
    return []
