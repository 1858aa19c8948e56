"""Reminders over HTTP: eight runs at once and one mail, a person's own, and none after payment."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from billing.domain.reminders import is_working_day
from billing.usecases.reminders import FIRST_HOUR
from local.client import Json, mails_to, wait_for
from local.samples import draft
from local.testing import LocalCloud
from tests.people import Person, delivered

pytestmark = pytest.mark.cloud

LATE_DAYS = 10


def _now() -> datetime:
    return datetime.now(ZoneInfo("Europe/Paris"))


def _late(someone: Person, today: date) -> Json:
    """An invoice of 120 € that was issued a while ago and fell due ten days ago; its PDF is stored."""
    due = today - timedelta(days=LATE_DAYS)
    body = {**draft(someone.customer["customer_id"]), "due_date": due.isoformat()}
    made = someone.api.post("/v1/invoices", body)
    path = f"/v1/invoices/{made['invoice_id']}"
    someone.api.post(f"{path}/issue", {"version": 1, "issue_date": due.isoformat()})
    return wait_for(lambda: delivered(someone.api, made["invoice_id"]), seconds=60, what="the PDF")


def _plan(someone: Person) -> Json:
    steps = [{"level": "first", "days": 3}, {"level": "second", "days": LATE_DAYS}]
    return someone.api.put("/v1/reminders/plan", {"active": True, "steps": steps}, version=0)


def _settled(someone: Person, path: str) -> Json | None:
    """The last reminder of an invoice once its mail is settled."""
    items = someone.api.get(f"{path}/reminders")["items"]
    return items[-1] if items and items[-1]["state"] != "sending" else None


def _mails(cloud: LocalCloud, someone: Person, number: str) -> list[Path]:
    return [
        mail
        for mail in mails_to(cloud.mail_directory, f"client.{someone.email}")
        if number.encode() in mail.read_bytes()
    ]


def test_eight_runs_at_once_mail_a_level_once(cloud: LocalCloud, person: Callable[..., Person]) -> None:
    someone = person()
    invoice = _late(someone, _now().date())
    path = f"/v1/invoices/{invoice['invoice_id']}"
    assert _plan(someone)["active"]
    now = _now()
    reminding = is_working_day(now.date()) and now.hour >= FIRST_HOUR

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: cloud.invoke("scheduled-run-reminders", {}), range(8)))

    if not reminding:  # at night and on a week-end nothing leaves by itself: a person may
        assert someone.api.get(f"{path}/reminders")["items"] == []
        someone.api.post(f"{path}/reminders", {"level": "second"})
    sent = wait_for(lambda: _settled(someone, path), seconds=60, what="the reminder")
    cloud.invoke("scheduled-run-reminders", {})

    assert (sent["level"], sent["claim"]["days_late"]) == ("second", LATE_DAYS)
    assert sent["state"] in {"sent", "delivered"}  # the relay may have told already
    assert sent["claim"]["collection_fee_minor"] == 4_000
    assert len(someone.api.get(f"{path}/reminders")["items"]) == 1
    assert len(_mails(cloud, someone, invoice["number"])) == 1
    told = [event["event_type"] for event in someone.api.get(f"{path}/timeline")["items"]]
    assert told.count("invoice.reminder_requested") == 1
    again = someone.api.send("POST", f"{path}/reminders", {"level": "second"}, idempotency_key=str(uuid.uuid4()))
    assert (again.status_code, again.json()["type"]) == (409, "/problems/reminder-already-sent")


def test_what_is_paid_is_not_reminded_of(cloud: LocalCloud, person: Callable[..., Person]) -> None:
    someone = person()
    invoice = _late(someone, _now().date())
    path = f"/v1/invoices/{invoice['invoice_id']}"
    _plan(someone)
    preview = someone.api.post(f"{path}/reminders/preview", {})
    assert preview["subject"].startswith("Deuxième relance : F")
    someone.api.post(f"{path}/payments", {"amount_minor": invoice["balance_minor"], "method": "transfer"})

    cloud.invoke("scheduled-run-reminders", {})

    assert someone.api.get(f"{path}/reminders")["items"] == []
    refused = someone.api.send("POST", f"{path}/reminders", {}, idempotency_key=str(uuid.uuid4()))
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/nothing-left-to-pay")
    assert _mails(cloud, someone, invoice["number"]) == []


def test_a_promise_and_a_pause_hold_the_plan(cloud: LocalCloud, person: Callable[..., Person]) -> None:
    someone = person()
    today = _now().date()
    promised, paused = _late(someone, today), _late(someone, today)
    _plan(someone)
    path = f"/v1/invoices/{promised['invoice_id']}/reminders"
    until = (today + timedelta(days=4)).isoformat()

    held = someone.api.post(f"{path}/hold", {"reason": "promise", "until": until})
    pause = someone.api.post(f"/v1/customers/{someone.customer['customer_id']}/reminders/pause", {})
    cloud.invoke("scheduled-run-reminders", {})

    assert held["hold"] == {"reason": "promise", "until": until}
    assert pause == {"paused": True, "until": None}
    for invoice in (promised, paused):
        assert someone.api.get(f"/v1/invoices/{invoice['invoice_id']}/reminders")["items"] == []
    missing = someone.api.send("POST", f"{path}/hold", {"reason": "promise"}, idempotency_key=str(uuid.uuid4()))
    assert missing.status_code == 422
    assert [error["pointer"] for error in missing.json()["errors"]] == ["/until"]
