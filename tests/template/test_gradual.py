"""Gradual deployments: few functions, called by their alias and by nothing else, tried before and watched meanwhile."""

from __future__ import annotations

import fnmatch
import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from billing.adapters.invoked_api import ROUTES
from billing.domain.indicators import GRADUAL_FUNCTIONS
from local.stack import function_name
from local.supervision.application import main_stack
from local.template import ALIAS
from tests.template.stack import FUNCTION, ROOT, TEMPLATE, api, operations, resources, target, template
from tests.template.test_size import transformed

GRADUAL = {name for name, one in resources(FUNCTION).items() if "AutoPublishAlias" in one["Properties"]}
HOOK = "OperationsCheckReleaseFunction"
# Roles that may name these functions otherwise, and what for.
NAMING = {
    "ReleaseCheckRole": "calls their versions, before anybody does",
    "DeploymentsRole": "moves their aliases",
}
# Reached by a check neither: it would take a customer's link, or Stripe's signature.
UNTRIED = {"PortalPayInvoiceFunction", "WebhooksReceiveStripeEventFunction", "WebhooksProcessStripeEventFunction"}


def test_they_are_few_and_those_that_are_watched() -> None:
    assert set(GRADUAL_FUNCTIONS) == GRADUAL
    assert len(GRADUAL) <= 10
    for name, one in resources(FUNCTION).items():
        properties = one["Properties"]
        assert properties.get("AutoPublishAlias") == (ALIAS if name in GRADUAL else None)
        assert properties.get("DeploymentPreference") == ({"Enabled": True} if name in GRADUAL else None)


def test_sam_makes_a_version_an_alias_and_a_deployment_group_of_each() -> None:
    kinds = [one["Type"] for one in transformed(TEMPLATE).values()]

    for kind in ("Lambda::Version", "Lambda::Alias", "CodeDeploy::DeploymentGroup"):
        assert kinds.count(f"AWS::{kind}") == len(GRADUAL)
    assert kinds.count("AWS::CodeDeploy::Application") == 1


def test_each_is_tried_watched_and_rolled_back() -> None:
    made = transformed(TEMPLATE)
    for name in GRADUAL:
        group = made[f"{name}DeploymentGroup"]["Properties"]
        policy = made[f"{name}Alias{ALIAS}"]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]

        alarm = {"Name": {"Fn::Sub": "${AWS::StackName}-LiveErrorsWarningAlarm"}}
        condition, watched, unwatched = group["AlarmConfiguration"]["Fn::If"]
        assert (condition, unwatched) == ("DeploysGradually", {})
        assert watched == {"Enabled": True, "Alarms": [alarm]}
        assert group["AutoRollbackConfiguration"]["Enabled"] is True
        assert set(group["AutoRollbackConfiguration"]["Events"]) >= {"DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"}
        assert group["ServiceRoleArn"] == {"Fn::GetAtt": ["DeploymentsRole", "Arn"]}
        assert policy["BeforeAllowTrafficHook"] == {
            "Fn::If": ["DeploysGradually", {"Ref": HOOK}, {"Ref": "AWS::NoValue"}]
        }


def _named(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(where, how) of everything that calls one of these functions by its name or its ARN."""
    if isinstance(value, list):
        for item in value:
            yield from _named(item, path)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        yield from _named(item, f"{path}/{key}")
        if key == "Ref" and item in GRADUAL:
            yield path, "Ref"
        if key == "Fn::GetAtt" and item[0] in GRADUAL:
            yield path, "Arn"
        if key == "Fn::Sub":
            yield from ((path, how) for how in _named_in_a_text(item if isinstance(item, str) else item[0]))


def _named_in_a_text(text: str) -> Iterator[str]:
    for name, attribute, after in re.findall(r"\$\{(\w+)(\.Arn)?\}(:[^/]*)?", text):
        if name in GRADUAL:
            yield f"{attribute}{after}"


def test_nothing_calls_them_but_by_their_alias() -> None:
    calling = {
        f"{name}{path}": how
        for name, resource in {**resources(), "api.yaml": api()}.items()
        if name not in NAMING
        for path, how in _named(resource, "")
    }

    assert len([how for how in calling.values() if how == f".Arn:{ALIAS}"]) == len(GRADUAL) - 1
    assert {where: how for where, how in calling.items() if how != f".Arn:{ALIAS}"} == {}


def test_the_one_behind_a_queue_is_called_by_its_alias() -> None:
    source = resources()["StripeEventsSource"]["Properties"]["FunctionName"]

    assert source == {"Ref": f"WebhooksProcessStripeEventFunctionAlias{ALIAS}"}
    assert target(source) == "WebhooksProcessStripeEventFunction"
    assert function_name(main_stack().resolve(source)) == "zenbilling-webhooks-process-stripe-event"
    assert main_stack().resolve(source).endswith(f":{ALIAS}")


def test_the_api_may_call_an_alias() -> None:
    [statement] = resources()["ApiInvokeRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    pattern = main_stack().resolve(statement["Resource"])
    called = [
        main_stack().resolve(operation["x-amazon-apigateway-integration"]["uri"]).split("/functions/")[1]
        for operation in operations(api()).values()
    ]

    assert len([uri for uri in called if uri.endswith(f":{ALIAS}/invocations")]) == len(GRADUAL) - 1
    assert all(fnmatch.fnmatchcase(uri.removesuffix("/invocations"), pattern) for uri in called)


def test_the_check_asks_the_routes_that_the_functions_have() -> None:
    deployed = {
        function_name(
            main_stack()
            .resolve(operation["x-amazon-apigateway-integration"]["uri"])
            .split("/functions/")[1]
            .split("/")[0]
        ).removeprefix("zenbilling-"): route
        for route, operation in operations(api()).items()
    }

    assert {name: deployed[name] for name in ROUTES} == ROUTES


def test_all_are_tried_but_those_that_cannot_be() -> None:
    variables = resources()[HOOK]["Properties"]["Environment"]["Variables"]
    separator, versions = variables["RELEASED_VERSION_ARNS"]["Fn::Join"]
    tried = {one["Ref"].removesuffix(".Version") for one in versions}
    suffixes = {arn.split(":")[-2].removeprefix("zenbilling-") for arn in map(main_stack().resolve, versions)}

    assert separator == ","
    assert tried == GRADUAL - UNTRIED
    assert suffixes == set(ROUTES)
    granted = json.dumps(resources()["ReleaseCheckRole"]["Properties"]["Policies"])
    assert set(re.findall(r"\$\{(\w+)\.Arn\}:\*", granted)) == tried


def test_codedeploy_may_move_these_aliases_and_run_the_check() -> None:
    statements = resources()["DeploymentsRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    allowed = {action: one["Resource"] for one in statements for action in one["Action"]}

    # Lambda authorizes aliases by their function (service authorization reference of AWS Lambda).
    for action in ("lambda:GetAlias", "lambda:UpdateAlias"):
        assert {tuple(one["Fn::GetAtt"]) for one in allowed[action]} == {(name, "Arn") for name in GRADUAL}
    aliases = {one["Fn::Sub"] for one in allowed["lambda:GetProvisionedConcurrencyConfig"]}
    assert aliases == {f"${{{name}.Arn}}:{ALIAS}" for name in GRADUAL}
    assert allowed["lambda:InvokeFunction"] == {"Fn::GetAtt": [HOOK, "Arn"]}
    assert main_stack().resolve(allowed["cloudwatch:DescribeAlarms"]).endswith(":alarm:zenbilling-*")


@pytest.mark.parametrize(
    ("stage", "config"),
    [
        ("default", template()["Parameters"]["DeploymentConfig"]["Default"]),
        ("staging", "CodeDeployDefault.LambdaCanary10Percent5Minutes"),
        ("prod", "CodeDeployDefault.LambdaCanary10Percent5Minutes"),
    ],
)
def test_only_where_customers_work_do_calls_move_little_by_little(stage: str, config: str) -> None:
    deployed = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))[stage]["deploy"]["parameters"]
    given = dict(pair.split("=", 1) for pair in deployed["parameter_overrides"].split())

    assert given.get("DeploymentConfig", "CodeDeployDefault.LambdaAllAtOnce") == config
    assert config in template()["Parameters"]["DeploymentConfig"]["AllowedValues"]
    gradual = template()["Conditions"]["DeploysGradually"]
    assert gradual == {"Fn::Not": [{"Fn::Equals": [{"Ref": "DeploymentConfig"}, "CodeDeployDefault.LambdaAllAtOnce"]}]}
