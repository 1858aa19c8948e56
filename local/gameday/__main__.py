"""``make gameday``: one fault after the other, and whether each alarm, alert and incident is what must follow.

Writes ``.local/gameday/summary.json`` with all that people were told. Ends with 1 when anything is not as expected.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from local.client import ApiError
from local.gameday.drill import Drill, Outcome, Reached, Row
from local.gameday.scenarios import SCENARIOS, Scenario
from local.gameday.stage import Stage, stage
from local.testing import local_cloud

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / ".local" / "gameday"
_CALM_MINUTES = 20  # before the first fault: silence is judged from then on
_NAMES = {"slack": "Slack", "email": "e-mail", "sms": "SMS"}
_WIDTHS = (34, 9, 38, 12, 28, 8)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make gameday", description="Faults, alarms, alerts, incidents")
    parser.add_argument("--only", action="append", choices=[one.name for one in SCENARIOS], help="this one; repeatable")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="a directory that is emptied first")
    options = parser.parse_args(arguments)
    chosen = [one for one in SCENARIOS if options.only is None or one.name in options.only]
    shutil.rmtree(options.output, ignore_errors=True)
    options.output.mkdir(parents=True)
    print(f"ZenBilling game day: {len(chosen)} faults, really made, through the real functions\n", flush=True)
    began = time.monotonic()
    try:
        with local_cloud(state=options.output / "cloud") as cloud, stage(cloud) as set_up:
            outcomes = run(set_up, chosen)
    except (ApiError, TimeoutError, RuntimeError, httpx.HTTPError, BotoCoreError, ClientError) as error:
        print(f"\nThe game day stopped: {error}", file=sys.stderr)
        return 1
    return finish(outcomes, options.output / "summary.json", time.monotonic() - began)


def run(set_up: Stage, chosen: Sequence[Scenario]) -> list[Outcome]:
    unjudged = len(set_up.watch.unjudged)
    print(
        f"It is {set_up.clock()} there. Time is compressed: a round of traffic is one minute, or five where\n"
        "figures are of five. Minutes are simulated: from the fault to the alarm, from its end to the end\n"
        "of the alarm, and where an alarm was told with others of its service, or at another try. Seconds\n"
        f"are real: from the change of state to what people receive. {len(set_up.watch)} alarms of the template are\n"
        "judged in each round, on what really happened; not judged are those on what is unusual\n"
        f"({unjudged}), whose bands CloudWatch learns in weeks. TableLatencyWarning and ApiLatencyWarning measure\n"
        "this machine: where it is busy they ring by themselves, and are shown only.\n",
        flush=True,
    )
    set_up.calm(_CALM_MINUTES)
    drill = Drill(set_up)
    outcomes = []
    for rank, scenario in enumerate(chosen, start=1):
        outcomes.append(drill.play(scenario))
        show(rank, outcomes[-1], set_up.clock())
    return outcomes


def show(rank: int, outcome: Outcome, clock: str) -> None:
    print(f"{rank}. {outcome.scenario.name}: {outcome.scenario.fault} (over at {clock})")
    line("alarm", "alarm in", "channels reached", "incident", "recovery", "closed")
    for row in outcome.rows:
        line(
            row.alarm.removesuffix("Alarm"),
            _minutes(row.minutes_to_alarm),
            _reached(row.reached) if row.wanted else "none: a composite tells",
            row.incident or "-",
            _recovery(row),
            ("yes" if row.is_closed else "NO") if row.wanted else "-",
        )
    for problem in outcome.problems:
        print(f"   NOT AS EXPECTED: {problem}")
    print("   as expected\n" if not outcome.problems else "", flush=True)


def line(*cells: str) -> None:
    print("   " + " ".join(f"{cell:<{width}}" for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip())


def _minutes(minutes: int | None) -> str:
    return "never" if minutes is None else f"{minutes} min"


def _reached(by_channel: dict[str, Reached]) -> str:
    told = []
    for channel, name in _NAMES.items():
        if channel in by_channel:
            one = by_channel[channel]
            told.append(f"{name} +{one.minutes} min" if one.minutes else f"{name} {one.seconds:.1f} s")
    return ", ".join(told) or "NONE"


def _recovery(row: Row) -> str:
    told = "+".join(name for channel, name in _NAMES.items() if channel in row.told_of_rest)
    return _minutes(row.minutes_to_rest) + (f", {told}" if told else "")


def finish(outcomes: Sequence[Outcome], summary: Path, seconds: float) -> int:
    """The exit code: 1 when anything was not as expected."""
    keep(outcomes, summary)
    summarise(outcomes)
    good = sum(not one.problems for one in outcomes)
    print(f"\n{good} of {len(outcomes)} as expected, in {seconds:.0f} s. All messages: {os.path.relpath(summary)}")
    return 0 if good == len(outcomes) else 1


def keep(outcomes: Sequence[Outcome], summary: Path) -> None:
    told = [
        {
            "scenario": one.scenario.name,
            "fault": one.scenario.fault,
            "problems": one.problems,
            "alarms": [asdict(row) for row in one.rows],
            "received": [asdict(message) for message in one.received],
        }
        for one in outcomes
    ]
    text = json.dumps(told, indent=2, ensure_ascii=False)
    summary.write_text(text + "\n", encoding="utf-8")


def summarise(outcomes: Sequence[Outcome]) -> None:
    first = {message.channel: message for message in reversed(outcomes[0].received)}
    print(f"What people read of the first: {outcomes[0].scenario.name}")
    for channel in ("slack", "email", "sms"):
        if channel in first:
            print(f"\n   {_NAMES[channel]}\n" + "\n".join(f"   | {text}" for text in first[channel].text.splitlines()))
    print("\nSummary")
    for one in outcomes:
        verdict = "as expected" if not one.problems else f"NOT AS EXPECTED ({len(one.problems)})"
        leading = one.rows[0]
        print(f"   {one.scenario.name:<26} {leading.alarm:<36} {_minutes(leading.minutes_to_alarm):>7}   {verdict}")


if __name__ == "__main__":
    sys.exit(main())
