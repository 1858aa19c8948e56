"""What a role may do: named actions on named resources; the few exceptions are written here with their reason."""

import fnmatch
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from billing.adapters.dynamodb import keys
from tests.template.reach import Reached
from tests.template.stack import api, functions, operations, references, resources, target, template

# Actions that IAM cannot bind to a resource.
UNBOUND_ACTIONS = {
    "dynamodb:ListStreams": "knows no resource",
    "cloudwatch:GetMetricData": "CloudWatch knows no resource to read figures of",
    "ses:GetAccount": "the sending of the account, which is no resource",
    "sns:Publish": "a telephone number is no resource; topics are denied to who may text",
    "xray:PutTelemetryRecords": "traces know no resource",
    "xray:PutTraceSegments": "traces know no resource",
    "logs:CreateLogDelivery": "log deliveries know no resource",
    "logs:DeleteLogDelivery": "log deliveries know no resource",
    "logs:DescribeLogGroups": "log deliveries know no resource",
    "logs:DescribeResourcePolicies": "log deliveries know no resource",
    "logs:GetLogDelivery": "log deliveries know no resource",
    "logs:ListLogDeliveries": "log deliveries know no resource",
    "logs:PutResourcePolicy": "log deliveries know no resource",
    "logs:UpdateLogDelivery": "log deliveries know no resource",
}
MAY_DELETE = {
    "InvoicesDeleteRole": "drafts; the delete is conditional on their status",
    "QuotesDeleteRole": "drafts without a number; the delete is conditional on it",
    "CustomersEditRole": "search records of the words a customer no longer has",
    "ProductsImportRole": "claims of references, when another one of the same file is taken",
    "ProductsEditRole": "the record of the reference that a product no longer has",
}
MAY_UPDATE = {
    "InvoicesWriteRole": "adds to the sums of a customer's account, which no effect has to know",
    "ProductsImportRole": "claims references, which are not known to be free",
    "RecurringRunRole": "issues, and adds to them",
    "BulkLaneRole": "issues, and counts the results of a bulk job",
    "PaymentsRefundRole": "adds to the sums of a customer's account",
    "StripeProcessRole": "adds to the sums of a customer's account",
    "UsageRecordRole": "adds to the sums of a day, in a table of its own",
    "WorkflowStartRole": "counts the executions of a request; everything else is replaced whole, by version",
    "WorkflowRestartRole": "counts them too",
}
# As boto3 names a service → as IAM does.
SERVICE_PREFIXES = {
    "codedeploy": "codedeploy",
    "cognito-idp": "cognito-idp",
    "dynamodb": "dynamodb",
    "dynamodbstreams": "dynamodb",
    "lambda": "lambda",
    "s3": "s3",
    "secretsmanager": "secretsmanager",
    "cloudwatch": "cloudwatch",
    "sns": "sns",
    "sesv2": "ses",
    "sqs": "sqs",
    "stepfunctions": "states",
}
STAR = "*"
NO_ITEMS = ("logs:", "sqs:")  # a consumed message is deleted


def _statements(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    properties = resource["Properties"]
    for policy in properties.get("Policies", []):
        yield from policy["PolicyDocument"]["Statement"]
    if "PolicyDocument" in properties:
        yield from properties["PolicyDocument"]["Statement"]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _granted() -> list[tuple[str, str, Any]]:
    """(role, action, resource) of everything the stack allows."""
    return [
        (name, action, granted)
        for name, resource in resources("AWS::IAM::Role", "AWS::IAM::ManagedPolicy").items()
        for statement in _statements(resource)
        if statement["Effect"] == "Allow"
        for action in _listed(statement["Action"])
        for granted in _listed(statement["Resource"])
    ]


def test_no_action_is_a_wildcard() -> None:
    assert [grant for grant in _granted() if STAR in grant[1]] == []


def test_a_resource_is_left_open_only_where_iam_knows_none() -> None:
    assert [grant for grant in _granted() if grant[2] == STAR and grant[1] not in UNBOUND_ACTIONS] == []


def test_who_may_text_anybody_may_publish_to_no_topic() -> None:
    texting = {role for role, action, granted in _granted() if action == "sns:Publish" and granted == STAR}
    denied = [
        statement
        for statement in _statements(resources()["AlertsRole"])
        if statement["Effect"] == "Deny" and statement["Action"] == ["sns:Publish"]
    ]

    assert texting == {"AlertsRole"}
    assert [one["Resource"] for one in denied] == [{"Fn::Sub": "arn:${AWS::Partition}:sns:*:*:*"}]


OF_OPERATORS = {"OperationsReadRole", "OperationsWriteRole", "OperationsUsageRole"}


@pytest.mark.parametrize("role", ["AlertsRole", "OperationsReadRole", "OperationsWriteRole"])
def test_alerts_and_operators_know_nothing_of_any_tenant(role: str) -> None:
    conditions = [
        statement.get("Condition")
        for statement in _statements(resources()[role])
        if any(action.startswith("dynamodb:") for action in _listed(statement["Action"]))
    ]

    assert conditions
    assert all(one == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["OPS_*"]}} for one in conditions)


def test_usage_is_counted_apart_and_operators_read_its_sums_alone() -> None:
    """Neither the salt of the day nor marks of visitors; and who counts reaches nothing that a company has."""
    reaching: dict[str, set[str]] = {}
    for role, action, granted in _granted():
        if action.startswith("dynamodb:") and granted != STAR:
            reaching.setdefault(role, set()).add(target(granted))
    [reading] = [one for one in _statements(resources()["OperationsUsageRole"]) if one["Effect"] == "Allow"]
    sums = keys.ops_usage_day(date(2026, 11, 28), "0" * 32).pk

    assert {role for role, tables in reaching.items() if "UsageTable" in tables} == {
        "UsageRecordRole",
        "OperationsUsageRole",
    }
    assert reaching["UsageRecordRole"] == reaching["OperationsUsageRole"] == {"UsageTable"}
    assert reading["Action"] == ["dynamodb:Query"]
    assert reading["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [sums]}}
    assert not keys.ops_usage_salt().pk.startswith(sums)


def test_operations_of_operators_run_under_the_roles_of_operators() -> None:
    for name, operation in operations(api()).items():
        [function] = set(references(operation["x-amazon-apigateway-integration"]["uri"])) & set(functions())
        of_operators = target(functions()[function]["Role"]) in OF_OPERATORS

        assert of_operators is (operation.get("security") == [{"operatorToken": []}]), name


def test_nobody_scans_the_table() -> None:
    assert [grant for grant in _granted() if grant[1] in {"dynamodb:Scan", "dynamodb:PartiQLSelect"}] == []


def test_only_the_listed_roles_delete_items() -> None:
    deleting = {role for role, action, _ in _granted() if "Delete" in action and not action.startswith(NO_ITEMS)}

    assert deleting == set(MAY_DELETE)


def test_deletes_are_of_single_items() -> None:
    deletes = {action for _, action, _ in _granted() if "Delete" in action and not action.startswith(NO_ITEMS)}

    assert deletes == {"dynamodb:DeleteItem"}


FEED_KEYS = ["T#*#FEED"]
PLACING = {
    "EventsPlaceRole": "gives events their place as they come",
    "EventsSweepRole": "gives a place to those that were missed",
}


def _denied() -> dict[str, dict[str, Any]]:
    """Action → the condition under which everybody is denied it."""
    basics = resources()["FunctionBasicsPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    return {
        action: {**statement["Condition"], "resource": target(statement["Resource"])}
        for statement in basics
        if statement["Effect"] == "Deny"
        for action in _listed(statement["Action"])
    }


def test_nobody_changes_or_removes_what_is_in_a_feed() -> None:
    """An explicit denial outweighs every grant, and every role has it."""
    feed = keys.feed_place("ten_1", 1).pk

    assert keys.feed_head("ten_1").pk == feed
    assert all(fnmatch.fnmatchcase(feed, pattern) for pattern in FEED_KEYS)
    for action in ("dynamodb:DeleteItem", "dynamodb:UpdateItem"):
        assert _denied()[action] == {
            "ForAnyValue:StringLike": {"dynamodb:LeadingKeys": FEED_KEYS},
            "resource": "BillingTable",
        }


def test_only_those_that_place_events_put_anything_into_a_feed() -> None:
    denied = _denied()["dynamodb:PutItem"]
    [spared] = denied.pop("ArnNotLike")["aws:PrincipalArn"]
    pattern = spared["Fn::Sub"].rpartition("/")[2].removeprefix("${AWS::StackName}-")
    putting = {role for role, action, _ in _granted() if action == "dynamodb:PutItem"}

    assert denied == {"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": FEED_KEYS}, "resource": "BillingTable"}
    assert {role for role in putting if fnmatch.fnmatchcase(f"{role}-AB12", pattern)} == set(PLACING)
    assert not set(PLACING) & (set(MAY_DELETE) | set(MAY_UPDATE))


def test_only_the_listed_roles_update_items() -> None:
    assert {role for role, action, _ in _granted() if action == "dynamodb:UpdateItem"} == set(MAY_UPDATE)


def test_writers_of_the_api_check_the_membership_in_their_transaction() -> None:
    """Workflows act for the request that the API wrote, sign-up for a tenant that is just being founded, and the
    portal for whoever holds a link."""
    called = set(references(api())) & set(functions())
    roles = {target(functions()[name]["Role"]) for name in called}
    writing = {role for role, action, _ in _granted() if action == "dynamodb:PutItem"}
    checking = {role for role, action, _ in _granted() if action == "dynamodb:ConditionCheckItem"}

    # The run of reminders has no member to check: it holds the invoice unpaid in the transaction of its reminder.
    # A bulk job acts as who started it, whose rights may change meanwhile.
    assert checking - {"RemindersRunRole", "BulkLaneRole"} == (writing & roles) - {
        "AuthFoundingRole",
        "PortalRole",
        "StripeReceiveRole",  # for Stripe, which signs
        "OperationsWriteRole",  # operators are members of nothing
        "UsageRecordRole",  # whoever looks at a page
    }


@pytest.mark.parametrize("function", functions())
def test_a_function_has_a_role_of_the_stack_and_nothing_else(function: str) -> None:
    properties = functions()[function]

    assert set(references(properties["Role"])) <= set(resources("AWS::IAM::Role"))
    assert "Policies" not in properties


def test_no_role_is_left_unused() -> None:
    users = [resource for resource in resources().values() if resource["Type"] != "AWS::IAM::Role"]
    users.append(template()["Globals"])
    from_api = {"ApiInvokeRole"}  # named in api.yaml

    assert set(resources("AWS::IAM::Role")) - from_api <= {name for user in users for name in references(user)}


def test_roles_share_one_managed_policy_and_none_of_aws() -> None:
    attached = [role["Properties"].get("ManagedPolicyArns", []) for role in resources("AWS::IAM::Role").values()]

    assert {str(policy) for policies in attached for policy in policies} == {str({"Ref": "FunctionBasicsPolicy"})}


def test_what_signs_webhooks_and_the_key_that_moves_money_are_read_apart() -> None:
    """The public function that receives webhooks cannot ask Stripe anything; none that asks it can sign as Stripe."""
    readers: dict[str, set[str]] = {}
    for role, action, resource in _granted():
        if action == "secretsmanager:GetSecretValue":
            readers.setdefault(target(resource), set()).add(role)

    assert readers["StripeWebhookSecret"] == {"StripeReceiveRole"}
    assert len(readers["StripeSecret"]) > 5
    assert "StripeReceiveRole" not in set().union(*(readers[one] for one in readers if one != "StripeWebhookSecret"))
    named = {name for name, function in functions().items() if "STRIPE_WEBHOOK_SECRET_ARN" in str(function)}
    assert named == {"WebhooksReceiveStripeEventFunction"}


def test_buckets_and_topics_are_open_to_nobody_unconditionally() -> None:
    kinds = ("AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy")
    allowed = [
        statement
        for resource in resources(*kinds).values()
        for statement in _statements(resource)
        if statement["Effect"] == "Allow"
    ]

    assert all("Condition" in statement and statement["Principal"] != STAR for statement in allowed)


def test_a_permission_to_invoke_names_who_asks() -> None:
    assert all("SourceArn" in permission["Properties"] for permission in resources("AWS::Lambda::Permission").values())


@pytest.mark.parametrize("role", sorted({target(function["Role"]) for function in functions().values()}))
def test_a_role_reaches_the_services_its_functions_speak_to_and_no_other(
    role: str, reached: dict[str, Reached]
) -> None:
    users = [function for function in functions().values() if target(function["Role"]) == role]
    spoken = {
        SERVICE_PREFIXES[service]
        for function in users
        for service in reached[function["Handler"].removesuffix(".handler")].services
    }
    allowed = {action.partition(":")[0] for owner, action, _ in _granted() if owner == role}

    # Every consumer may write to its dead-letter queue: Lambda does it for it.
    assert allowed - {"sqs", "cognito-idp"} == spoken - {"sqs", "cognito-idp"}
    assert "sqs" in allowed or "sqs" not in spoken
