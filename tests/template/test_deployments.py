"""What ends a deployment goes to the topic of alerts, and the router says how it ended."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import UTC, datetime
from typing import Any

import pytest

from billing.domain.alerts import AlertSeverity, Kind, signal_of
from local.filters import matches
from tests.template.stack import ROOT, SUPERVISION, resources, target

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
STACK = "arn:aws:cloudformation:eu-west-3:123456789012:stack/zenbilling-prod/0f"
ITS_SUPERVISION = STACK.replace("-prod", "-prod-supervision")
PSEUDO = {
    "StackName": "zenbilling-prod",
    "Partition": "aws",
    "Region": "eu-west-3",
    "AccountId": "123456789012",
}
DONE, FAILED = "Déploiement réussi", "Déploiement en échec"
RULES = resources("AWS::Events::Rule")


def resolved(value: Any) -> Any:
    """Of the stack ``zenbilling-prod``."""
    if isinstance(value, list):
        return [resolved(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value == {"Ref": "AWS::StackId"}:
        return STACK
    if set(value) == {"Fn::Sub"}:
        return re.sub(r"\$\{AWS::(\w+)\}", lambda found: PSEUDO[found[1]], value["Fn::Sub"])
    return {name: resolved(one) for name, one in value.items()}


def code_deploy(state: str, application: str = "zenbilling-prod-ServerlessDeploymentApplication-1A2B") -> Any:
    """As AWS's guide to monitoring deployments shows it."""
    return {
        "account": "123456789012",
        "region": "eu-west-3",
        "detail-type": "CodeDeploy Deployment State-change Notification",
        "source": "aws.codedeploy",
        "version": "0",
        "time": "2026-11-27T08:59:00Z",
        "detail": {
            "region": "eu-west-3",
            "deploymentId": "d-123456789",
            "state": state,
            "application": application,
            "deploymentGroup": "InvoicesIssueFunctionDeploymentGroup",
        },
    }


def cloud_formation(status: str, stack: str = STACK) -> Any:
    return {
        "source": "aws.cloudformation",
        "detail-type": "CloudFormation Stack Status Change",
        "time": "2026-11-27T08:59:00Z",
        "detail": {"stack-id": stack, "status-details": {"status": status, "status-reason": ""}},
    }


def passed(event: Any) -> list[str]:
    return [name for name, rule in RULES.items() if matches(resolved(rule["Properties"]["EventPattern"]), event)]


@pytest.mark.parametrize(
    ("event", "rule", "severity", "says"),
    [
        (code_deploy("SUCCESS"), "DeploymentsRule", AlertSeverity.INFO, DONE),
        (code_deploy("FAILURE"), "DeploymentsRule", AlertSeverity.WARNING, FAILED),
        (code_deploy("STOP"), "DeploymentsRule", AlertSeverity.WARNING, FAILED),
        (cloud_formation("UPDATE_COMPLETE"), "StackChangesRule", AlertSeverity.INFO, DONE),
        (
            cloud_formation("UPDATE_ROLLBACK_COMPLETE"),
            "StackChangesRule",
            AlertSeverity.WARNING,
            FAILED,
        ),
        (cloud_formation("UPDATE_ROLLBACK_FAILED"), "StackChangesRule", AlertSeverity.WARNING, FAILED),
        (cloud_formation("UPDATE_COMPLETE", ITS_SUPERVISION), "StackChangesRule", AlertSeverity.INFO, DONE),
        (cloud_formation("UPDATE_FAILED", ITS_SUPERVISION), "StackChangesRule", AlertSeverity.WARNING, FAILED),
    ],
)
def test_how_a_deployment_ended_is_told(event: Any, rule: str, severity: AlertSeverity, says: str) -> None:
    signal = signal_of(json.dumps(event), NOW)

    assert passed(event) == [rule]
    assert (signal.kind, signal.severity) == (Kind.DEPLOYMENT, severity)
    assert signal.says.startswith(says)


@pytest.mark.parametrize(
    "event",
    [
        code_deploy("START"),
        code_deploy("SUCCESS", "other-ServerlessDeploymentApplication-1A2B"),
        cloud_formation("UPDATE_IN_PROGRESS"),
        cloud_formation("UPDATE_COMPLETE", STACK.replace("-prod", "-staging")),
        cloud_formation("UPDATE_COMPLETE", ITS_SUPERVISION.replace("-prod", "-staging")),
        cloud_formation("UPDATE_COMPLETE", ITS_SUPERVISION.replace("-supervision", "-supervision-trial")),
    ],
)
def test_what_goes_on_or_is_of_another_stack_is_not(event: Any) -> None:
    assert passed(event) == []


def test_the_topic_takes_alarms_and_these_rules() -> None:
    for rule in RULES.values():
        [aim] = rule["Properties"]["Targets"]
        assert aim["Arn"] == {"Ref": "AlertsTopic"}
        assert target(aim["DeadLetterConfig"]["Arn"]) == "EventsDeadLetterQueue"
    services = {"AlertsTopicPolicy": "cloudwatch.amazonaws.com", "EventsDeadLetterQueuePolicy": "sns.amazonaws.com"}
    for policy, other in services.items():
        document = resources()[policy]["Properties"]["PolicyDocument"]
        allowed = {statement["Principal"]["Service"]: statement for statement in document["Statement"]}
        sources = allowed["events.amazonaws.com"]["Condition"]["ArnEquals"]["aws:SourceArn"]

        assert set(allowed) == {other, "events.amazonaws.com"}
        assert {target(one) for one in sources} == set(RULES)


@pytest.mark.parametrize("stage", ["default", "staging", "prod"])
def test_the_supervision_of_a_stage_watches_the_stack_of_that_stage(stage: str) -> None:
    stages = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    main, watching = (stages[name]["global"]["parameters"] for name in (stage, f"{stage}-supervision"))
    deployed = stages[f"{stage}-supervision"]["deploy"]["parameters"]

    assert watching == {**main, "stack_name": f"{main['stack_name']}-supervision"}
    assert deployed["template_file"] == SUPERVISION.name
    assert f"BillingStack={main['stack_name']}" in deployed["parameter_overrides"].split()
    assert "capabilities" not in deployed  # it has neither roles nor macros
