"""One fault from its injection to its closed incident, and whether all went as it must."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from billing.domain.alerts import CHANNELS, AlertSeverity, Channel, known_alarm
from billing.domain.incidents import APPROVED
from local.gameday.receivers import Received
from local.gameday.scenarios import OF_THE_MACHINE, UNSAID, Scenario
from local.gameday.stage import MINUTE, Stage
from local.gameday.watch import Change

_TOLD_ROUNDS = 15  # of a minute: grouping, and channels that are tried again
_APART = 61  # minutes: cool-downs are over, and a closed incident is not opened again
_SIGNS = {Channel.SLACK: "Slack", Channel.EMAIL: "e-mail", Channel.SMS: "SMS"}


@dataclass(kw_only=True)
class Played:
    """What happened. Instants of alarms are simulated seconds, those of messages real ones."""

    began: int
    mended: int = 0
    changes: list[tuple[Change, float]] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    incidents: dict[str, str] = field(default_factory=dict)  # number by indicator
    closed: set[str] = field(default_factory=set)  # numbers

    def change(self, alarm: str, *, rings: bool) -> tuple[Change, float] | None:
        """The first time that it rang, the last time that it came to rest."""
        found = [one for one in self.changes if one[0].alarm == alarm and one[0].rings is rings]
        return (found[0] if rings else found[-1]) if found else None

    def rang(self) -> list[str]:
        return list(dict.fromkeys(change.alarm for change, _ in self.changes if change.rings))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """After the change of state. ``minutes``: it was told with others of its service, or at another try."""

    seconds: float
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What became of one alarm. Minutes are simulated, seconds real; None where it did not happen."""

    alarm: str
    minutes_to_alarm: int | None
    reached: dict[str, Reached]  # by channel
    incident: str
    minutes_to_rest: int | None
    told_of_rest: dict[str, Reached]
    is_closed: bool
    wanted: tuple[str, ...]  # channels

    def problems(self) -> Iterator[str]:
        if self.minutes_to_alarm is None:
            yield "did not ring"
            return
        if self.minutes_to_rest is None:
            yield "still rings"
        yield from (f"{channel} was not told" for channel in self.wanted if channel not in self.reached)
        yield from (f"{channel} was not told of its end" for channel in self.wanted if channel not in self.told_of_rest)
        if self.wanted and not self.incident:
            yield "opened no incident"
        if self.wanted and self.incident and not self.is_closed:
            yield f"{self.incident} is not closed"
        if not self.wanted and (self.incident or self.reached):
            yield "was told to somebody, and another alarm tells of it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    scenario: Scenario
    rows: tuple[Row, ...]
    problems: tuple[str, ...]
    received: tuple[Received, ...]


def judged(scenario: Scenario, played: Played) -> Outcome:
    """Each alarm that must ring and each that did; what is not as expected, in words."""
    rang = played.rang()
    rows = tuple(_row(alarm, played) for alarm in dict.fromkeys([*scenario.rings, *rang]))
    shown_only = OF_THE_MACHINE - set(scenario.rings)
    wrong = [f"{row.alarm}: {problem}" for row in rows if row.alarm not in shown_only for problem in row.problems()]
    unexpected = [alarm for alarm in rang if alarm not in {*scenario.rings, *scenario.may_ring, *shown_only}]
    wrong += [f"{alarm}: rang, which was not expected" for alarm in unexpected]
    wrong += [f"{channel}: {lack}" for channel, lack in unclear(scenario.rings[0], played.received)]
    return Outcome(scenario=scenario, rows=rows, problems=tuple(wrong), received=tuple(played.received))


def _row(alarm: str, played: Played) -> Row:
    rang, rested = played.change(alarm, rings=True), played.change(alarm, rings=False)
    known = known_alarm(alarm)
    number = played.incidents.get(known.subject, "") if known else ""
    wanted = () if alarm in UNSAID else tuple(channel.value for channel in CHANNELS[_severity(alarm)])
    return Row(
        alarm=alarm,
        minutes_to_alarm=(rang[0].at - played.began) // MINUTE if rang else None,
        reached=_wanted(_reached(number, played, *rang), wanted) if rang else {},
        incident=number if wanted else "",
        minutes_to_rest=max(0, rested[0].at - played.mended) // MINUTE if rested else None,
        told_of_rest=_wanted(_reached(number, played, *rested), wanted) if rested else {},
        is_closed=number in played.closed,
        wanted=wanted,
    )


def _wanted(reached: dict[str, Reached], wanted: tuple[str, ...]) -> dict[str, Reached]:
    """Of an alarm that tells nobody itself, all: there must be none."""
    return {channel: one for channel, one in reached.items() if channel in wanted or not wanted}


def _reached(number: str, played: Played, change: Change, published: float) -> dict[str, Reached]:
    """By channel, the first message after the change that is of this alarm (an SMS names incidents only)."""
    known = known_alarm(change.alarm)
    if known is None or not number:
        return {}
    first: dict[str, Reached] = {}
    for one in played.received:
        speaks = one.channel == Channel.SMS or _tells(one.text, known.says, over=not change.rings)
        if speaks and number in one.text and one.at >= published - 1:  # a file's time is a little coarse
            seconds, minutes = round(max(one.at - published, 0.0), 1), (one.minute - change.at) // MINUTE
            first.setdefault(one.channel, Reached(seconds=seconds, minutes=minutes))
    return first


def _tells(text: str, says: str, *, over: bool) -> bool:
    lines = [line for line in text.splitlines() if says in line]
    return any("rétabli" in line.lower() for line in lines) if over else bool(lines)


def _severity(alarm: str) -> AlertSeverity:
    return AlertSeverity.CRITICAL if alarm.endswith("CriticalAlarm") else AlertSeverity.WARNING


def unclear(alarm: str, received: list[Received]) -> Iterator[tuple[str, str]]:
    """What the first message of it on each channel does not say, of all that a person needs who is woken by it."""
    known = known_alarm(alarm)
    short = known.says.partition(" : ")[0] if known else alarm
    label = "CRITIQUE" if _severity(alarm) is AlertSeverity.CRITICAL else "ATTENTION"
    said_by_all = ("[zenbilling]", label, "ncident ZB-")
    said_at_length = ("Service : ", "Gravité : ", "Que faire : ", f"#{alarm.lower()}")
    for channel in CHANNELS[_severity(alarm)]:
        text = next((one.text for one in received if one.channel == channel and short in one.text), "")
        wanted = said_by_all if channel is Channel.SMS else (*said_by_all, *said_at_length)
        missing = [word for word in wanted if word not in text]
        if text and missing:
            yield _SIGNS[channel], f"« {' », « '.join(missing)} » is not in « {text} »"


class Drill:
    """Plays scenarios one after the other on one stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._last: dict[str, int] = {}  # when an indicator was last heard of

    def play(self, scenario: Scenario) -> Outcome:
        stage = self._stage
        self._keep_apart(scenario)
        changes, received = len(stage.changes), len(stage.inbox)
        played = Played(began=stage.now)
        with scenario.happens(stage):
            self._rounds(
                lambda: set(scenario.rings) <= {one.alarm for one, _ in stage.changes[changes:] if one.rings},
                scenario.traffic,
                scenario,
            )
            played.incidents |= self._open_incidents()
        played.mended = stage.now
        self._rounds(lambda: not stage.watch.ringing, scenario.afterwards, scenario)
        for _ in range(_TOLD_ROUNDS):
            played.incidents |= self._open_incidents()
            played.changes, played.received = stage.changes[changes:], stage.inbox[received:]
            if not judged(scenario, played).problems:
                break
            if not [one for one in judged(scenario, played).problems if "not told" in one]:
                break
            stage.round(stage.read)
        self._close(played)
        for change, _ in played.changes:
            known = known_alarm(change.alarm)
            if known is not None:
                self._last[known.subject] = stage.now
        return judged(scenario, played)

    def _keep_apart(self, scenario: Scenario) -> None:
        """What rang is told again after its cool-down only; and rounds of five minutes are CloudWatch's own."""
        subjects = {known.subject for alarm in (*scenario.rings, *scenario.may_ring) if (known := known_alarm(alarm))}
        ready = max((self._last[one] + _APART * MINUTE for one in subjects if one in self._last), default=0)
        if ready > self._stage.now:
            self._stage.calm((ready - self._stage.now) // MINUTE)
        while self._stage.now % (scenario.minutes * MINUTE):
            self._stage.round(self._stage.read)

    def _rounds(self, done: Callable[[], bool], traffic: Callable[[Stage], object], scenario: Scenario) -> None:
        for _ in range(scenario.rounds):
            self._stage.round(lambda: traffic(self._stage), minutes=scenario.minutes)
            if done():
                return

    def _open_incidents(self) -> dict[str, str]:
        rows = self._stage.operator.get("/v1/operations/incidents?limit=100")["items"]
        return {row["indicator"]: row["incident_number"] for row in rows if row["indicator"]}

    def _close(self, played: Played) -> None:
        """As the runbook has it: what was found, what was done, who approves."""
        for number in sorted(set(played.incidents.values())):
            path = f"/v1/operations/incidents/{number}"
            found = {
                "note": "Pris en charge pendant l'exercice",
                "analysis": "Panne provoquée par l'exercice.",
                "cause": "Exercice : la panne a été injectée.",
                "corrective_actions": "La panne a été retirée ; les mesures sont revenues à la normale.",
            }
            self._stage.operator.post(f"{path}/notes", found)
            once = f"exercice-{number}-{played.mended}"
            if self._stage.operator.get(path)["severity"] in APPROVED:
                self._stage.colleague.send("POST", f"{path}/approve", idempotency_key=once)
            answer = self._stage.operator.send("POST", f"{path}/close", {}, idempotency_key=once)
            if answer.is_success and answer.json()["open"] is False:
                played.closed.add(number)
