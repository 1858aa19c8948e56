"""Reminders over HTTP: none on a week-end or at night, eight runs at once and one mail, and none after payment.

The local cloud of these journeys has a date of its own: what they say does not hang on the hour they are run at.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta
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
PARIS = ZoneInfo("Europe/Paris")
SATURDAY = 5


def _set(dated: LocalCloud, day: date, hour: time) -> date:
    dated.set_clock(datetime.combine(day, hour, PARIS))
    return day


def _at_work(dated: LocalCloud) -> date:
    """The next working day from here, at ten."""
    day = dated.now().astimezone(PARIS).date() + timedelta(days=1)
    while not is_working_day(day):
        day += timedelta(days=1)
    return _set(dated, day, time(10))


def _late(someone: Person, today: date) -> Json:
    """An invoice of 120 € that was issued a while ago and fell due ten days ago; its PDF is stored."""
    due = today - timedelta(days=LATE_DAYS)
    body = {**draft(someone.customer["customer_id"]), "due_date": due.isoformat()}
    made = someone.api.post("/v1/invoices", body)
    path = f"/v1/invoices/{made['invoice_id']}"
    someone.api.post(f"{path}/issue", {"version": 1, "issue_date": due.isoformat()})
    return wait_for(lambda: delivered(someone.api, made["invoice_id"]), what="the PDF")


def _plan(someone: Person, *, active: bool = True, version: int = 0) -> Json:
    steps = [{"level": "first", "days": 3}, {"level": "second", "days": LATE_DAYS}]
    return someone.api.put("/v1/reminders/plan", {"active": active, "steps": steps}, version=version)


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


def test_none_on_a_week_end_or_at_night_then_a_level_once(
    dated: LocalCloud, dated_person: Callable[..., Person]
) -> None:
    today = dated.now().astimezone(PARIS).date()
    saturday = today + timedelta(days=(SATURDAY - today.weekday()) % 7 or 7)
    workday = saturday + timedelta(days=2)
    while not is_working_day(workday):
        workday += timedelta(days=1)
    _set(dated, saturday, time(15))
    someone = dated_person()
    invoice = _late(someone, workday)
    path = f"/v1/invoices/{invoice['invoice_id']}"
    assert _plan(someone)["active"]

    for day, hour in ((saturday, time(15, 1)), (workday, time(FIRST_HOUR - 1, 58))):
        _set(dated, day, hour)
        dated.run_schedule("run-reminders")
        assert someone.api.get(f"{path}/reminders")["items"] == []

    _set(dated, workday, time(FIRST_HOUR, 1))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: dated.invoke("scheduled-run-reminders", {}), range(8)))
    sent = wait_for(lambda: _settled(someone, path), what="the reminder")
    dated.invoke("scheduled-run-reminders", {})

    assert (sent["level"], sent["claim"]["on"]) == ("second", workday.isoformat())
    assert (sent["level"], sent["claim"]["days_late"]) == ("second", LATE_DAYS)
    assert sent["state"] in {"sent", "delivered"}  # the relay may have told already
    assert sent["claim"]["collection_fee_minor"] == 4_000
    assert len(someone.api.get(f"{path}/reminders")["items"]) == 1
    assert len(_mails(dated, someone, invoice["number"])) == 1
    told = [event["event_type"] for event in someone.api.get(f"{path}/timeline")["items"]]
    assert told.count("invoice.reminder_requested") == 1
    again = someone.api.send("POST", f"{path}/reminders", {"level": "second"}, idempotency_key=str(uuid.uuid4()))
    assert (again.status_code, again.json()["type"]) == (409, "/problems/reminder-already-sent")


def test_what_is_paid_is_not_reminded_of(dated: LocalCloud, dated_person: Callable[..., Person]) -> None:
    today = _at_work(dated)
    someone = dated_person()
    invoice = _late(someone, today)
    path = f"/v1/invoices/{invoice['invoice_id']}"
    _plan(someone, active=False)  # the hourly run may come at any moment once it is active
    preview = someone.api.post(f"{path}/reminders/preview", {})
    assert preview["subject"].startswith("Deuxième relance : F")
    someone.api.post(f"{path}/payments", {"amount_minor": invoice["balance_minor"], "method": "transfer"})

    _plan(someone, version=1)
    dated.invoke("scheduled-run-reminders", {})

    assert someone.api.get(f"{path}/reminders")["items"] == []
    refused = someone.api.send("POST", f"{path}/reminders", {}, idempotency_key=str(uuid.uuid4()))
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/nothing-left-to-pay")
    assert _mails(dated, someone, invoice["number"]) == []


def test_a_promise_and_a_pause_hold_the_plan(dated: LocalCloud, dated_person: Callable[..., Person]) -> None:
    today = _at_work(dated)
    someone = dated_person()
    promised, paused = _late(someone, today), _late(someone, today)
    _plan(someone, active=False)
    path = f"/v1/invoices/{promised['invoice_id']}/reminders"
    until = (today + timedelta(days=4)).isoformat()

    held = someone.api.post(f"{path}/hold", {"reason": "promise", "until": until})
    pause = someone.api.post(f"/v1/customers/{someone.customer['customer_id']}/reminders/pause", {})
    _plan(someone, version=1)
    dated.invoke("scheduled-run-reminders", {})

    assert held["hold"] == {"reason": "promise", "until": until}
    assert pause == {"paused": True, "until": None}
    for invoice in (promised, paused):
        assert someone.api.get(f"/v1/invoices/{invoice['invoice_id']}/reminders")["items"] == []
    missing = someone.api.send("POST", f"{path}/hold", {"reason": "promise"}, idempotency_key=str(uuid.uuid4()))
    assert missing.status_code == 422
    assert [error["pointer"] for error in missing.json()["errors"]] == ["/until"]
