"""Every morning's function, over a CloudWatch and a topic of here."""

from __future__ import annotations

import boto3
import pytest
from moto import mock_aws

from billing.domain.indicators import FORECAST, INDICATORS
from billing.runtime import figures
from tests.handlers.conftest import invoke, sample


def test_it_looks_at_the_alarms_of_its_figures_and_tells_nothing_without_any(monkeypatch: pytest.MonkeyPatch) -> None:
    figures.figures.cache_clear()
    figures.topic.cache_clear()
    monkeypatch.setenv("STACK_NAME", "zenbilling")
    with mock_aws():
        topic = boto3.client("sns", region_name="eu-west-3").create_topic(Name="alerts")["TopicArn"]
        monkeypatch.setenv("ALERTS_TOPIC_ARN", topic)
        assert invoke("scheduled/warn_ahead", sample("scheduled/warn_ahead")) == {"warned": 0}
    figures.figures.cache_clear()
    figures.topic.cache_clear()


def test_its_figures_are_indicators_with_a_limit_from_below() -> None:
    known = {one.name: one for one in INDICATORS}

    for name in FORECAST:
        assert known[name].warning is not None
        assert not known[name].below
        assert known[name].unusual is None
