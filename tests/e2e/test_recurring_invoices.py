"""A recurring invoice over HTTP: due today, run by eight schedulers at once, mailed once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from local.client import mails_to, wait_for
from local.samples import recurring
from local.testing import LocalCloud
from tests.e2e.verification import numbers_of
from tests.people import Person, delivered

pytestmark = pytest.mark.cloud


def test_what_is_due_today_is_issued_and_mailed_once_whoever_runs(
    cloud: LocalCloud, person: Callable[..., Person]
) -> None:
    someone = person()
    today = datetime.now(ZoneInfo("Europe/Paris")).date().isoformat()
    template = recurring(someone.customer["customer_id"], start=today, mode="send")
    made = someone.api.post("/v1/recurring-invoices", template)
    path = f"/v1/recurring-invoices/{made['recurring_invoice_id']}"
    assert made["next_dates"][0] == today
    assert (made["due_dates"], made["warnings"]) == ([today], [])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: cloud.invoke("scheduled-run-recurring-invoices", {}), range(8)))
    cloud.invoke("scheduled-run-recurring-invoices", {})

    after = someone.api.get(path)
    told = someone.api.get(f"{path}/timeline")["items"]
    (invoice_id,) = [event["data"]["invoice_id"] for event in told if event["event_type"] == "recurring_invoice.made"]
    invoice = wait_for(lambda: delivered(someone.api, invoice_id), what="the mail")
    assert (after["state"], after["made_count"]) == ("active", 1)
    assert after["next_dates"][0] > today
    assert after["due_dates"] == []
    assert invoice["lines"][0]["description"].startswith("Maintenance de ")
    assert "{" not in invoice["lines"][0]["description"]
    assert len(numbers_of(someone.api)) == 1
    assert len(mails_to(cloud.mail_directory, f"client.{someone.email}")) == 1
