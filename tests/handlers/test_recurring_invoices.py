"""Recurring invoices over their handlers: what is wrong with a rule is said as it is, and what is late is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.handlers.conftest import Json, Person, sample

MISSING_DAY = "Indiquez le jour du mois, de 1 à 31 ; 31 est le dernier jour de chaque mois."


def template(owner: Person, mode: str = "issue", **rule: Any) -> Json:
    body: Json = json.loads(sample("recurring_invoices/create")["body"])
    return {**body, "customer_id": owner.ids["customer_id"], "mode": mode, "recurrence": rule}


@pytest.mark.parametrize("operation", ["create", "preview"])
@pytest.mark.parametrize(
    ("rule", "pointer", "said"),
    [
        ({"frequency": "monthly"}, "/recurrence/day", MISSING_DAY),
        ({"frequency": "yearly"}, "/recurrence/day", MISSING_DAY),
        (
            {"frequency": "weekly", "weekday": 1, "day": 3},
            "/recurrence/day",
            "Le jour du mois ne va pas avec une récurrence hebdomadaire.",
        ),
        (
            {"frequency": "weekly"},
            "/recurrence/weekday",
            "Indiquez le jour de la semaine : 1 pour lundi … 7 pour dimanche.",
        ),
        (
            {"frequency": "quarterly", "day": 1, "weekday": 2},
            "/recurrence/weekday",
            "Le jour de la semaine ne va qu'avec une récurrence hebdomadaire.",
        ),
    ],
)
def test_a_day_that_is_missing_or_too_many_is_said_as_it_is(
    owner: Person, operation: str, rule: Json, pointer: str, said: str
) -> None:
    body = template(owner, start="2099-01-01", **rule)
    refused = owner.call(f"recurring_invoices/{operation}", body=body)

    assert refused.status == 422
    assert [(error["pointer"], error["detail"]) for error in refused.body["errors"]] == [(pointer, said)]


@pytest.mark.parametrize(("mode", "warned"), [("draft", []), ("issue", ["periods-already-due"])])
def test_a_start_in_the_past_is_told_wherever_it_is_shown(owner: Person, mode: str, warned: list[str]) -> None:
    body = template(owner, mode, frequency="yearly", start="2024-05-31", day=31, occurrences=2)

    seen = owner.call("recurring_invoices/preview", body=body).body
    created = owner.call("recurring_invoices/create", body=body).body
    path = {"recurring_invoice_id": created["recurring_invoice_id"]}
    read = owner.call("recurring_invoices/read", **path).body

    for answer in (seen, created, read):
        assert answer["due_dates"] == ["2024-05-31", "2025-05-31"]
        assert [one["code"] for one in answer["warnings"]] == warned
    paused = owner.call("recurring_invoices/pause", **path).body
    assert (paused["due_dates"], paused["warnings"]) == ([], [])
