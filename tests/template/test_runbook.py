"""Whoever is woken by an alarm finds what to do, and nothing is said of alarms that are gone."""

import re

from tests.template.stack import ROOT, resources

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")


def test_each_alarm_has_its_heading_and_each_heading_its_alarm() -> None:
    headings = re.findall(r"(?m)^## (\w+Alarm)$", RUNBOOK)

    assert sorted(headings) == sorted(resources("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"))


def test_an_alarm_leads_to_its_heading() -> None:
    for name, alarm in resources("AWS::CloudWatch::Alarm").items():
        assert alarm["Properties"]["AlarmDescription"]["Fn::Sub"].endswith(f"${{RunbookUrl}}#{name.lower()}")
