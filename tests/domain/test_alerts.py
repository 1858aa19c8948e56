"""What a message of the topic of alerts says, whatever it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.alarm_words import in_words
from billing.domain.alerts import AlertSeverity, Kind, is_heartbeat, known_alarm, signal_of
from billing.domain.indicators import INDICATORS
from billing.domain.watch import Indicator, Service
from local.ring import alarm_message

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda one: one.name)
def test_every_alarm_of_ours_is_known_by_its_name(indicator: Indicator) -> None:
    for severity, level in indicator.levels():
        name = indicator.alarm_name(severity)
        signal = signal_of(alarm_message(name, NOW, stack="zenbilling-prod"), NOW)

        assert known_alarm(name) == (indicator.name, indicator.service, in_words(indicator, level), indicator.unit)
        assert signal.severity.value == severity.value
        assert (signal.kind, signal.service) == (Kind.ALARM, indicator.service)
        assert signal.environment == "zenbilling-prod"
        assert signal.runbook.endswith(f"#{name.lower()}")


def test_a_composite_is_known_and_has_no_value_of_its_own() -> None:
    message = json.loads(alarm_message("ServiceDownCriticalAlarm", NOW))
    del message["Trigger"]
    message["NewStateReason"] = "arn:aws:cloudwatch:eu-west-3:1:alarm:zenbilling-prod-CanaryPassesMissingCriticalAlarm"
    signal = signal_of(json.dumps(message), NOW)

    assert (signal.subject, signal.service, signal.value) == ("ServiceDown", Service.API, "")
    assert signal.severity is AlertSeverity.CRITICAL
    assert signal.says.startswith("Le service ne répond plus")


def test_an_alarm_says_when_it_changed_and_with_which_value() -> None:
    at = datetime(2026, 11, 27, 8, 59, 58, 123000, tzinfo=UTC)
    signal = signal_of(alarm_message("DatabaseCapacityWarningAlarm", at, value="8.25E1"), NOW)

    assert (signal.at, signal.value) == (at, "82,5 % du débit admis")


def test_a_value_is_said_with_two_decimals_at_most() -> None:
    signal = signal_of(alarm_message("ApiErrorsCriticalAlarm", NOW, value="16.666666666666668"), NOW)

    assert signal.value == "16,67 % des requêtes"


def test_an_alarm_of_somebody_else_is_told_by_its_name() -> None:
    signal = signal_of(alarm_message("DisksCriticalAlarm", NOW), NOW)

    assert (signal.subject, signal.severity) == ("Disks", AlertSeverity.CRITICAL)
    assert (signal.service, signal.says) == (Service.SUPERVISION, "Alarme DisksCriticalAlarm")


def test_an_alarm_without_enough_data_rings_for_nobody() -> None:
    signal = signal_of(alarm_message("ApiErrorsCriticalAlarm", NOW, state="INSUFFICIENT_DATA"), NOW)

    assert (signal.kind, signal.severity) == (Kind.OTHER, AlertSeverity.INFO)


@pytest.mark.parametrize(
    ("detail", "severity", "says"),
    [
        ({"application": "zenbilling", "state": "SUCCESS"}, AlertSeverity.INFO, "Déploiement réussi : zenbilling"),
        (
            {"application": "zenbilling", "state": "START"},
            AlertSeverity.INFO,
            "Déploiement en cours : zenbilling (START)",
        ),
        (
            {"application": "zenbilling", "state": "FAILURE"},
            AlertSeverity.WARNING,
            "Déploiement en échec : zenbilling (FAILURE)",
        ),
        (
            {
                "stack-id": "arn:aws:cloudformation:eu-west-3:1:stack/zenbilling-prod/0f",
                "status-details": {"status": "UPDATE_ROLLBACK_COMPLETE"},
            },
            AlertSeverity.WARNING,
            "Déploiement en échec : zenbilling-prod (UPDATE_ROLLBACK_COMPLETE)",
        ),
        (
            {
                "stack-id": "arn:aws:cloudformation:eu-west-3:1:stack/zenbilling-prod/0f",
                "status-details": {"status": "UPDATE_COMPLETE"},
            },
            AlertSeverity.INFO,
            "Déploiement réussi : zenbilling-prod",
        ),
    ],
)
def test_deployments_are_told(detail: object, severity: AlertSeverity, says: str) -> None:
    signal = signal_of(json.dumps({"detail-type": "A change", "detail": detail, "time": "2026-11-27T09:00:00Z"}), NOW)

    assert (signal.kind, signal.severity, signal.says) == (Kind.DEPLOYMENT, severity, says)
    assert signal.at == NOW


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
_NAMES = (
    "AlarmName",
    "NewStateValue",
    "NewStateReason",
    "StateChangeTime",
    "AlarmDescription",
    "detail-type",
    "detail",
)


@given(st.text() | st.dictionaries(st.sampled_from(_NAMES), _JSON).map(json.dumps))
def test_whatever_comes_is_told_as_something(text: str) -> None:
    signal = signal_of(text, NOW)

    assert signal.says
    assert signal.at.tzinfo is not None
    assert not is_heartbeat(text)


def test_a_heartbeat_is_known() -> None:
    assert is_heartbeat('{"kind": "alert-heartbeat"}')
    assert not is_heartbeat('["alert-heartbeat"]')
