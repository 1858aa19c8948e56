"""What is read can be sent back: an edit that changes nothing changes nothing, whatever was written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel

from billing.api.companies import DescribeCompanyRequest
from billing.api.customers import EditCustomerRequest
from billing.api.invoices import EditInvoiceRequest
from billing.api.products import EditProductRequest
from billing.api.quotes import EditQuoteRequest
from billing.api.recurring_invoices import EditRecurringInvoiceRequest
from billing.api.reminders import EditReminderPlanRequest
from billing.api.webhook_endpoints import EditWebhookEndpointRequest
from tests.handlers.conftest import Json, Person, sample

ADDRESS = {
    "line1": "1 quai du Modèle",
    "line2": "Bât. C",
    "postal_code": "13002",
    "city": "Marseille",
    "country_code": "FR",
}
LINE: Json = {
    "description": "Conception",
    "details": "Deux\nlignes",
    "quantity": "2.5",
    "unit": "HUR",
    "unit_price": "120.00",
    "vat_category": "E",
    "vat_rate": "0",
    "exemption_code": "VATEX-FR-CGI261-4",
    "discount": {"percent": "10", "reason": "Remise client"},
    "kind": "service",
    "charge": {"amount_minor": 150, "reason": "Emballage"},
}
PLAIN: Json = {"description": "Pose", "quantity": "1", "unit_price": "80.00", "vat_rate": "20"}
WRITTEN: Json = {
    "lines": [LINE, PLAIN],
    "discount": {"percent": "2", "reason": "Fidélité"},
    "supply_date": "2026-12-05",
    "payment_terms": {"rule": "days_then_end_of_month", "days": 30},
    "allowances": [{"amount_minor": 300, "reason": "Geste", "reason_code": "95", "vat_rate": "20"}],
    "charges": [{"percent": "1", "reason": "Port", "reason_code": "FC"}],
    "purchase_order": "BC-42",
    "notes": "Merci.",
    "private_notes": "Ne pas relancer avant Noël.",
    "contracting": "subcontractor",
    "buyer_reference": "SERVICE-7",
    "contract": "M-2026-1",
    "project": "Chantier modèle",
    "period_start": "2026-11-01",
    "period_end": "2026-11-30",
    "delivery_name": "Atelier",
    "delivery_address": ADDRESS,
    "header_text": "Suite à notre visite.",
    "footer_text": "À bientôt.",
    "language": "fr-en",
    "exchange_rate": {"currency": "USD", "rate": "1.08", "on": "2026-11-20", "source": "Banque centrale européenne"},
}
# What cannot be said together with the rest, and is held in another test.
APART = {
    "payment_terms_days": "instead of payment_terms",
    "buyer_siret": "needs the SIREN of the customer",
    "product_id": "its own test",
    "paid": "in euros only",
}


def back(model: type[BaseModel], answer: Json) -> Json:
    """An answer as a request: the fields that the request knows, at every depth, without what is null."""
    return {
        name: _value(field.annotation, answer[name])
        for name, field in model.model_fields.items()
        if answer.get(name) is not None
    }


def _value(annotation: Any, value: Any) -> Any:
    models = [one for one in _leaves(annotation) if isinstance(one, type) and issubclass(one, BaseModel)]
    if not models:
        return value
    if isinstance(value, list):
        return [back(models[0], one) for one in value]
    return back(models[0], value)


def _leaves(annotation: Any) -> list[Any]:
    inner = getattr(annotation, "__args__", ())
    return [leaf for one in inner for leaf in _leaves(one)] if inner else [annotation]


def written(answer: Json) -> Json:
    """An answer with what it says elsewhere under the name that the request gives it."""
    renamed = dict(answer)
    renamed.setdefault("customer_id", (answer.get("customer") or {}).get("customer_id"))
    return renamed


def bodies(owner: Person) -> dict[str, tuple[type[BaseModel], Json, set[str]]]:
    """Per resource: how it is edited, a body with every field, and the fields that it leaves out."""
    document = {**WRITTEN, "customer_id": owner.ids["customer_id"]}
    return {
        "invoices": (EditInvoiceRequest, {**document, "due_date": "2027-01-20"}, {"payment_terms"}),
        "quotes": (EditQuoteRequest, {**document, "valid_until": "2027-01-31", "retention_percent": "5"}, set()),
        "recurring_invoices": (
            EditRecurringInvoiceRequest,
            {
                **document,
                "name": "Maintenance",
                "mode": "draft",
                "recurrence": {
                    "frequency": "monthly",
                    "start": "2027-01-01",
                    "day": 31,
                    "end": "2027-12-31",
                    "occurrences": 5,
                },
            },
            {"supply_date", "period_start", "period_end"},  # of each invoice
        ),
        "customers": (
            EditCustomerRequest,
            {
                **json.loads(sample("customers/create")["body"]),
                "phone": "+33 4 00 00 00 00",
                "delivery_address": ADDRESS,
                "notes": "Livrer le matin.",
                "contacts": [
                    {
                        "name": "Comptabilité",
                        "role": "Factures",
                        "email": "compta@client.exemple.test",
                        "phone": "04 00 00 00 00",
                        "receives_invoices": True,
                        "receives_reminders": True,
                    }
                ],
                "addresses": [{"label": "Entrepôt", "use": "delivery", **ADDRESS}],
                "language": "fr-en",
            },
            {"payment_terms"},
        ),
        "products": (
            EditProductRequest,
            {**json.loads(sample("products/create")["body"]), "vat_category": "S", "reference": "RT-1"},
            {"exemption_code"},
        ),
        "webhook_endpoints": (
            EditWebhookEndpointRequest,
            {**json.loads(sample("webhook_endpoints/create")["body"]), "enabled": True},
            set(),
        ),
    }


IDS = {
    "invoices": "invoice_id",
    "quotes": "quote_id",
    "recurring_invoices": "recurring_invoice_id",
    "customers": "customer_id",
    "products": "product_id",
    "webhook_endpoints": "endpoint_id",
}
VOLATILE = {"version", "updated_at"}


@pytest.mark.parametrize("resource", IDS)
def test_a_resource_sent_back_as_it_was_read_stays_as_it_was(owner: Person, resource: str) -> None:
    model, body, left_out = bodies(owner)[resource]
    missing = set(model.model_fields) - set(body) - set(APART)
    assert missing <= left_out
    body = {name: value for name, value in body.items() if name in model.model_fields and name not in left_out}
    created = owner.call(f"{resource}/create", body=body)
    assert created.status == 201, created.text
    path = {IDS[resource]: created.body[IDS[resource]]}

    read = owner.call(f"{resource}/read", **path)
    again = back(model, written(read.body))
    assert set(body) <= set(again)
    edited = owner.call(f"{resource}/edit", body=again, headers={"if-match": f'"{read.body["version"]}"'}, **path)

    assert edited.status == 200, edited.text
    after = owner.call(f"{resource}/read", **path).body
    assert back(model, written(after)) == again
    assert {**after, **{name: read.body[name] for name in VOLATILE}} == read.body


@pytest.mark.parametrize(
    ("model", "write", "read"),
    [
        (DescribeCompanyRequest, "company/describe", "company/read"),
        (EditReminderPlanRequest, "reminders/edit_plan", "reminders/read_plan"),
    ],
)
def test_settings_sent_back_as_they_were_read_stay_as_they_were(
    owner: Person, model: type[BaseModel], write: str, read: str
) -> None:
    body = json.loads(sample(write)["body"])
    version = owner.call(read).body["version"]
    assert owner.call(write, body=body, headers={"if-match": f'"{version}"'}).status == 200

    before = owner.call(read).body
    again = back(model, before)
    assert set(body) <= set(again)
    assert owner.call(write, body=again, headers={"if-match": f'"{before["version"]}"'}).status == 200

    after = owner.call(read).body
    assert {**after, **{name: before[name] for name in VOLATILE & set(before)}} == before
