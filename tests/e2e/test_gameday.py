"""Two faults of the game day, from what fails to the incident that is closed; `make gameday` makes them all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.gameday.__main__ import main

pytestmark = pytest.mark.cloud


def test_faults_ring_are_told_and_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("mail refused", "a crashed function")

    code = main(["--output", str(tmp_path / "day"), *(part for name in names for part in ("--only", name))])

    assert code == 0, capsys.readouterr().out
    mail, crash = json.loads((tmp_path / "day" / "summary.json").read_text(encoding="utf-8"))
    [refused] = [one for one in mail["alarms"] if one["alarm"] == "InvoiceGenerationErrorsCriticalAlarm"]
    assert refused["minutes_to_alarm"] == 5
    # The relay that refuses invoices refuses the alert, too: the other channels do not wait for it.
    assert refused["reached"]["slack"]["minutes"] == refused["reached"]["sms"]["minutes"] == 0
    assert refused["reached"]["email"]["minutes"] > 0
    errors = {one["alarm"]: one for one in crash["alarms"]}["ApiErrorsCriticalAlarm"]
    assert errors["minutes_to_alarm"] == 2
    assert set(errors["reached"]) == set(errors["told_of_rest"]) == {"slack", "email", "sms"}
    assert errors["is_closed"]
