"""Whoever is woken by an alarm finds what to do, and nothing is said of alarms that are gone."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.supervision.application import main_stack, resolved
from tests.template.stack import ROOT, SUPERVISION, api, functions, resources

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
ALARMS = resources("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm", of=SUPERVISION)


def test_each_alarm_has_its_heading_and_each_heading_its_alarm() -> None:
    headings = re.findall(r"(?m)^## (\w+Alarm)$", RUNBOOK)

    assert sorted(headings) == sorted(ALARMS)


def test_an_alarm_leads_to_its_heading() -> None:
    for name, alarm in ALARMS.items():
        assert alarm["Properties"]["AlarmDescription"]["Fn::Sub"].endswith(f"${{RunbookUrl}}#{name.lower()}")


@pytest.fixture(scope="module")
def sections() -> dict[str, str]:
    parts = re.split(r"(?m)^## (\w+Alarm)$", RUNBOOK)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_a_heading_says_what_it_means_to_whom_and_what_to_do(sections: dict[str, str]) -> None:
    parts = ["Meaning", "Impact", "First look", "Actions", "Escalation"]

    assert {name: re.findall(r"(?m)^- \*\*([\w ]+)\*\*: \S", text) for name, text in sections.items()} == dict.fromkeys(
        sections, parts
    )


def _code() -> Iterator[Path]:
    for folder in ("functions", "layers/billing/python"):
        yield from (ROOT / folder).rglob("*.py")


# Of every line, by the entry point.
CONTEXT = {"correlation_id", "level", "message", "operation", "tenant_id", "verification_id"}
WORDS = {"as", "asc", "by", "desc", "fields", "filter", "sort", "stats"}


def test_queries_ask_for_what_is_logged() -> None:
    """The operations, messages and fields of each Logs Insights query are those of the code."""
    routes = {f"{method.upper()} {path}" for path, methods in api()["paths"].items() for method in methods}
    tasks = {path.stem for path in (ROOT / "functions").glob("*/*.py")}
    code = "".join(path.read_text(encoding="utf-8") for path in _code())
    access = resources()["HttpApi"]["Properties"]["AccessLogSettings"]["Format"]
    accessed = set(re.findall(r'"(\w+)":', access))
    queries = re.findall(r"`((?:filter|stats) [^`]+)`", RUNBOOK)
    assert len(queries) > 20

    for query in queries:
        for named in re.findall(r'operation = "([^"]+)"', query):
            assert named in routes | tasks, query
        for said in re.findall(r'message = "([^"]+)"', query):
            assert f'"{said}"' in code, query
        for listed in re.findall(r"\b(?:by|display) ([\w, ]+)", query):
            for field in re.findall(r"\w+", re.sub(r"\bbin$", "", listed)):
                assert field in CONTEXT | accessed or f"{field}=" in code, query


def test_saved_queries_ask_for_what_is_logged() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in _code())
    access = re.findall(r'"(\w+)":', resources()["HttpApi"]["Properties"]["AccessLogSettings"]["Format"])
    queries = resolved("AWS::Logs::QueryDefinition")
    groups = {main_stack().ref(name): name for name in resources("AWS::Logs::LogGroup")}
    assert len(queries) == 4

    for query in queries.values():
        asked = {groups[name] for name in query["LogGroupNames"]}
        of_requests = asked == {"ApiAccessLogGroup"}
        assert of_requests or "ApiAccessLogGroup" not in asked
        text = re.sub(r'"[^"]*"', "", query["QueryString"])
        named = set(re.findall(r"(?<![@\w])[a-zA-Z_]+\b(?!\()", text)) - set(re.findall(r" as (\w+)", text)) - WORDS
        for field in named:
            assert field in access if of_requests else field in CONTEXT or f"{field}=" in code, field


def test_functions_that_are_named_are_there() -> None:
    deployed = {
        properties["FunctionName"]["Fn::Sub"].removeprefix("${AWS::StackName}-") for properties in functions().values()
    }
    named = set(re.findall(r"\b(?:scheduled|streams|webhooks|workflows|operations)(?:-[a-z]+)+\b", RUNBOOK))

    assert len(named) > 10
    assert named <= deployed
