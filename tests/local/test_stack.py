"""The template is the single source: what it says is what runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from local.layout import Layout, Ports
from local.stack import Stack, common_environment, read_stack
from local.template import Template, TemplateError, read_yaml

ATTRIBUTES = {
    "ErrandsQueue": "http://127.0.0.1:4003/000000000000/zenbilling-ErrandsQueue",
    "ThingsTable.StreamArn": "arn:aws:dynamodb:eu-west-3:000000000000:table/things/stream/1",
    "People": "eu-west-3_pool",
    "StripeWebhookSecret": "arn:aws:secretsmanager:eu-west-3:000000000000:secret:stripe",
    "PeopleClient": "client",
}


@pytest.fixture
def stack(project: Path, tmp_path: Path) -> Stack:
    layout = Layout(project=project, state=tmp_path, ports=Ports(base=4000))
    layout.make_directories()
    layout.resources_file.write_text(json.dumps(ATTRIBUTES))
    return read_stack(layout)


def test_globals_are_merged_as_sam_does(stack: Stack, project: Path) -> None:
    slow = stack.functions["zenbilling-things-slow"]

    assert (slow.timeout_seconds, slow.memory_mb) == (1, 256)
    assert slow.environment["OWN_SETTING"] == "mine"
    assert slow.environment["THINGS_TABLE_NAME"] == "zenbilling-ThingsTable"
    assert slow.paths == (project / "layers/shared",)


def test_functions_differ_from_aws_by_endpoints_only(stack: Stack) -> None:
    echo = stack.functions["zenbilling-things-echo"]

    local_only = {name for name in echo.environment if name not in {"THINGS_TABLE_NAME", "MAIL_TRANSPORT"}}
    assert all(name.startswith("AWS_ENDPOINT_URL") for name in local_only)
    assert echo.environment["AWS_ENDPOINT_URL_DYNAMODB"] == "http://127.0.0.1:4002"
    assert echo.environment["AWS_ENDPOINT_URL_SFN"] == "http://127.0.0.1:4004"


def test_what_functions_have_in_common_is_what_each_of_them_has(stack: Stack) -> None:
    common = common_environment(stack)

    assert common["THINGS_TABLE_NAME"] == "zenbilling-ThingsTable"
    assert "OWN_SETTING" not in common
    assert all(common.items() <= function.environment.items() for function in stack.functions.values())


def test_routes_name_their_function_timeout_and_authorizer(stack: Stack) -> None:
    routes = {route.key: route for route in stack.routes}

    assert routes["PUT /v1/things/{thing_id}"].function == "zenbilling-things-put"
    assert routes["GET /v1/impatient"].timeout_seconds == 0.2
    assert routes["GET /v1/echo"].authorizer is None
    private = routes["GET /v1/private"].authorizer
    assert private is not None
    assert private.issuer == "https://cognito-idp.eu-west-3.amazonaws.com/eu-west-3_pool"
    assert private.audience == ("client",)


def test_event_sources_schedules_and_topics_are_read(stack: Stack) -> None:
    (consumer,) = stack.consumers
    (errands,) = stack.queue_consumers
    (schedule,) = stack.schedules

    assert (consumer.function, consumer.table) == ("zenbilling-things-consume", "zenbilling-ThingsTable")
    assert (consumer.batch_size, consumer.bisects, consumer.reports_failures) == (10, True, True)
    assert consumer.maximum_retries == 2
    assert consumer.dead_letters == "arn:aws:sqs:eu-west-3:000000000000:zenbilling-LettersQueue"
    assert (errands.function, errands.batch_size) == ("zenbilling-things-handle", 5)
    assert errands.queue_arn == "arn:aws:sqs:eu-west-3:000000000000:zenbilling-ErrandsQueue"
    assert errands.reports_failures
    assert (schedule.expression, schedule.timezone) == ("cron(30 2 * * ? *)", "Europe/Paris")
    assert list(stack.mail_event_topics.values()) == [("zenbilling-things-mail-event",)]


def test_an_alias_and_a_version_are_the_function_itself(stack: Stack, project: Path) -> None:
    template = Template(read_yaml(project / "template.yaml"), parameters={}, attributes={})
    [arn] = [function.arn for name, function in stack.functions.items() if name == "zenbilling-things-handle"]

    assert template.ref("HandleFunctionAliaslive") == f"{arn}:live"
    assert template.ref("HandleFunction.Version") == f"{arn}:1"
    assert stack.function_by_arn(f"{arn}:7") == stack.functions["zenbilling-things-handle"]
    assert {route.key: route.function for route in stack.routes}["GET /v1/changing"] == "zenbilling-things-changing"
    with pytest.raises(TemplateError, match="no resource EchoFunctionAliaslive"):
        template.ref("EchoFunctionAliaslive")


@pytest.mark.parametrize(
    ("was", "becomes", "reason"),
    [
        ("VisibilityTimeout: 2", "VisibilityTimeout: 1", "visibility timeout"),
        ("BatchSize: 5", "BatchSize: 11", "batching window"),
        ("EventSourceArn: !GetAtt ErrandsQueue.Arn", "EventSourceArn: arn:aws:sqs:eu-west-3:1:other", "not in the"),
    ],
)
def test_a_mapping_that_lambda_would_refuse_is_refused(
    project: Path, tmp_path: Path, was: str, becomes: str, reason: str
) -> None:
    changed = shutil.copytree(project, tmp_path / "project") / "template.yaml"
    text = changed.read_text(encoding="utf-8")
    assert was in text
    changed.write_text(text.replace(was, becomes), encoding="utf-8")
    layout = Layout(project=changed.parent, state=tmp_path, ports=Ports(base=4000))
    layout.make_directories()
    layout.resources_file.write_text(json.dumps(ATTRIBUTES))

    with pytest.raises(TemplateError, match=reason):
        read_stack(layout)


def test_a_schedule_of_a_topic_runs_the_function_that_is_subscribed(project: Path, tmp_path: Path) -> None:
    changed = shutil.copytree(project, tmp_path / "project") / "template.yaml"
    text = changed.read_text(encoding="utf-8")
    was = "Target: {Arn: !GetAtt EchoFunction.Arn, RoleArn: none}"
    assert was in text
    changed.write_text(text.replace(was, "Target: {Arn: !Ref MailTopic, RoleArn: none, Input: beat}"), encoding="utf-8")
    layout = Layout(project=changed.parent, state=tmp_path, ports=Ports(base=4000))
    layout.make_directories()
    layout.resources_file.write_text(json.dumps(ATTRIBUTES))

    (schedule,) = read_stack(layout).schedules
    assert schedule.function == "zenbilling-things-mail-event"
    assert schedule.input is not None
    assert json.loads(schedule.input)["Records"][0]["Sns"]["Message"] == "beat"


def test_definition_of_a_state_machine_has_its_substitutions(stack: Stack) -> None:
    (machine,) = stack.state_machines

    task = json.loads(machine.definition)["States"]["Count"]
    assert task["Parameters"]["FunctionName"] == stack.functions["zenbilling-things-task"].arn
    assert machine.arn.endswith(":stateMachine:zenbilling-counting")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Name"}, "n"),
        ({"Fn::Sub": "${AWS::StackName}-${Name}-${!Literal}"}, "zenbilling-n-${Literal}"),
        ({"Fn::Sub": ["${Name}-${Own}", {"Own": {"Ref": "Name"}}]}, "n-n"),
        ({"Fn::Join": ["/", ["a", {"Ref": "Name"}]]}, "a/n"),
        ({"Fn::If": ["IsN", "yes", "no"]}, "yes"),
        ({"Fn::If": ["IsOther", "yes", {"Ref": "AWS::NoValue"}]}, None),
        ({"Fn::Select": [1, {"Fn::Split": [",", "a,b"]}]}, "b"),
        ({"kept": 1, "gone": {"Ref": "AWS::NoValue"}}, {"kept": 1}),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "arn:aws:sqs:eu-west-3:000000000000:zenbilling-Queue"),
    ],
    ids=str,
)
def test_intrinsic_functions(value: object, expected: object) -> None:
    document = {
        "Parameters": {"Name": {"Type": "String", "Default": "n"}},
        "Conditions": {"IsN": {"Fn::Equals": [{"Ref": "Name"}, "n"]}, "IsOther": {"Fn::Not": [{"Condition": "IsN"}]}},
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
    }

    assert Template(document, parameters={}, attributes={}).resolve(value) == expected


@pytest.mark.parametrize(
    "value", [{"Ref": "Nobody"}, {"Fn::GetAtt": ["Queue", "Colour"]}, {"Fn::Transform": {}}], ids=str
)
def test_what_cannot_be_resolved_is_refused(value: object) -> None:
    document = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}

    with pytest.raises(TemplateError):
        Template(document, parameters={}, attributes={}).resolve(value)


def test_a_stack_imports_what_another_one_exports() -> None:
    queue = {"Value": {"Fn::GetAtt": ["Queue", "QueueName"]}, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-Name"}}}
    one = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}, "Outputs": {"Kept": {"Value": "kept"}, "Name": queue}}
    two = {"Parameters": {"Other": {"Type": "String"}}, "Resources": {}}
    exports = Template(one, parameters={}, attributes={}, stack_name="one").exports()
    other = Template(two, parameters={"Other": "one"}, attributes={}, imports=exports)

    assert exports == {"one-Name": "one-Queue"}
    assert other.resolve({"Fn::ImportValue": {"Fn::Sub": "${Other}-Name"}}) == "one-Queue"
    with pytest.raises(TemplateError, match="no stack exports one-Kept"):
        other.resolve({"Fn::ImportValue": {"Fn::Sub": "${Other}-Kept"}})
