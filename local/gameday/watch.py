"""The template's own alarms, judged on what was measured, and told to the topics that they name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from local.cloudwatch.alarms import Alarm, AlarmState, MetricKey, composite_state
from local.cloudwatch.expressions import Series
from local.layout import STACK_NAME
from local.ring import alarm_message

_PREFIX: Final = f"{STACK_NAME}-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An alarm that rings or rests from ``at`` on. ``topics``: ARNs; none for one that only a composite tells of."""

    alarm: str
    rings: bool
    at: int
    value: float | None
    topics: tuple[str, ...]
    is_composite: bool = False

    def message(self) -> str:
        """As CloudWatch publishes it."""
        state = "ALARM" if self.rings else "OK"
        reason = ""
        if self.is_composite:
            reason = f"An alarm that it is made of transitioned to {state}."
        elif self.value is None:
            reason = "Threshold Crossed: no datapoints were received and the missing ones were treated as breaching."
        at = datetime.fromtimestamp(self.at, UTC)
        return alarm_message(self.alarm, at, state=state, value=repr(self.value), reason=reason, stack=STACK_NAME)


class Watch:
    """``alarms`` and ``composites`` are properties of the template by logical id, resolved.

    ``began``: before it nothing is known, so that silence is judged once the whole window of an alarm lies after it.
    """

    def __init__(
        self,
        alarms: Mapping[str, Mapping[str, Any]],
        composites: Mapping[str, Mapping[str, Any]],
        statistics: Callable[[MetricKey], Series],
        *,
        began: int,
    ) -> None:
        # What is unusual is judged by a band that CloudWatch learns in weeks.
        self._properties = {name: one for name, one in alarms.items() if "ThresholdMetricId" not in one}
        self.unjudged = tuple(sorted(set(alarms) - set(self._properties)))
        self._alarms = {name: Alarm(name, one) for name, one in self._properties.items()}
        self._composites = composites
        self._statistics = statistics
        self._began = began
        self._states = dict.fromkeys([*self._alarms, *composites], AlarmState.OK)

    @property
    def ringing(self) -> frozenset[str]:
        return frozenset(name for name, state in self._states.items() if state is AlarmState.ALARM)

    def __len__(self) -> int:
        return len(self._states)

    def turn(self, now: int) -> list[Change]:
        """What changed, judged at ``now``, the composites last."""
        return [*self._judge_alarms(now), *self._judge_composites(now)]

    def _judge_alarms(self, now: int) -> Iterator[Change]:
        for name, alarm in self._alarms.items():
            if self._is_too_early(name, alarm, now):
                continue
            state = alarm.state(now, self._statistics, self._states[name])
            value = alarm.value(now // alarm.period * alarm.period - alarm.period, self._statistics)
            yield from self._become(name, state, now, value, self._properties[name])

    def _judge_composites(self, now: int) -> Iterator[Change]:
        states = {f"{_PREFIX}{name}": state for name, state in self._states.items()}
        for name, properties in self._composites.items():
            state = composite_state(properties["AlarmRule"], states)
            yield from self._become(name, state, now, None, properties)

    def _is_too_early(self, name: str, alarm: Alarm, now: int) -> bool:
        properties = self._properties[name]
        window = now // alarm.period * alarm.period - alarm.period * properties["EvaluationPeriods"]
        return properties.get("TreatMissingData") == "breaching" and window < self._began

    def _become(
        self, name: str, state: AlarmState, now: int, value: float | None, properties: Mapping[str, Any]
    ) -> Iterator[Change]:
        before, self._states[name] = self._states[name], state
        if state is before:
            return
        topics = properties.get("AlarmActions" if state is AlarmState.ALARM else "OKActions", ())
        rings = state is AlarmState.ALARM
        is_composite = name in self._composites
        yield Change(alarm=name, rings=rings, at=now, value=value, topics=tuple(topics), is_composite=is_composite)
