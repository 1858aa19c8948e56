"""What must not be lost is kept, protected, encrypted and recoverable."""

import pytest

from billing.adapters.s3.archives import TEMPORARY
from billing.domain.bulk import ARCHIVE_LIFE
from tests.template.stack import resources

NEVER_RESTORED = {"UsageTable": "a backup would bring back the salts of days that are over"}
STATEFUL = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Cognito::UserPool", "AWS::SecretsManager::Secret")


@pytest.mark.parametrize("name", resources(*STATEFUL))
def test_stateful_resources_outlive_the_stack(name: str) -> None:
    resource = resources()[name]

    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


@pytest.mark.parametrize("name", resources("AWS::DynamoDB::Table"))
def test_tables_can_be_restored_and_not_deleted(name: str) -> None:
    table = resources()[name]["Properties"]

    recovers = table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
    assert recovers is (name not in NEVER_RESTORED)
    assert table["SSESpecification"]["SSEEnabled"] is True
    assert table["DeletionProtectionEnabled"] is True
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_nothing_but_the_usage_table_itself_keeps_what_stands_in_it() -> None:
    """No stream, which holds what was there for a day, and no index; what has an end is removed."""
    table = resources()["UsageTable"]["Properties"]

    assert not {"StreamSpecification", "GlobalSecondaryIndexes", "ContributorInsightsSpecification"} & set(table)
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_list_indexes_project_a_summary_and_never_everything() -> None:
    indexes = resources()["BillingTable"]["Properties"]["GlobalSecondaryIndexes"]
    projected = {index["IndexName"]: index["Projection"] for index in indexes}
    outbox = projected.pop("Outbox")

    assert outbox == {"ProjectionType": "KEYS_ONLY"}
    assert list(projected) == ["Listing", "ByStatus", "ByCustomer", "ByDueDate", "OwedByCustomer"]
    assert all(
        projection == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["summary"]}
        for projection in projected.values()
    )


@pytest.mark.parametrize("name", resources("AWS::S3::Bucket"))
def test_buckets_are_private_versioned_encrypted_and_speak_tls(name: str) -> None:
    bucket = resources()[name]["Properties"]
    denied = [
        statement
        for policy in resources("AWS::S3::BucketPolicy").values()
        if policy["Properties"]["Bucket"] == {"Ref": name}
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
    ]

    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert [statement["Condition"] for statement in denied] == [{"Bool": {"aws:SecureTransport": False}}]


def test_issued_documents_never_expire() -> None:
    rules = resources()["DocumentsBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]

    assert resources()["DocumentsBucket"]["Properties"]["ObjectLockEnabled"] is True
    expiring = [rule for rule in rules if any("Expiration" in key for key in rule)]
    assert [rule["TagFilters"] for rule in expiring] == [
        [dict(zip(("Key", "Value"), TEMPORARY.split("="), strict=True))]
    ]
    assert all("Prefix" not in rule for rule in expiring)
    assert min(rule["ExpirationInDays"] for rule in expiring) >= ARCHIVE_LIFE.days


def test_issued_documents_are_locked_by_those_that_store_them_and_unlocked_by_nobody() -> None:
    granted: dict[str, set[str]] = {}
    for role, resource in resources("AWS::IAM::Role").items():
        for policy in resource["Properties"].get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                for action in statement["Action"]:
                    granted.setdefault(action, set()).add(role)

    assert granted["s3:PutObjectRetention"] == {"ChainHeadsRole", "RenderRole", "JudgeRole"}
    assert not {"s3:BypassGovernanceRetention", "s3:DeleteObject", "s3:DeleteObjectVersion"} & set(granted)


def test_only_the_end_of_a_bulk_job_marks_an_object_as_temporary() -> None:
    """Without the tag nothing expires; a document cannot get it."""
    tagging = [
        (role, granted)
        for role, resource in resources("AWS::IAM::Role").items()
        for policy in resource["Properties"].get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if "s3:PutObjectTagging" in statement["Action"]
        for granted in [statement["Resource"]]
    ]

    assert tagging == [("BulkFinishRole", {"Fn::Sub": "${DocumentsBucket.Arn}/*/exports/*"})]


@pytest.mark.parametrize("name", resources("AWS::Cognito::UserPool"))
def test_accounts_are_protected(name: str) -> None:
    pool = resources()[name]["Properties"]
    policy = pool["Policies"]["PasswordPolicy"]

    assert pool["DeletionProtection"] == "ACTIVE"
    assert policy["MinimumLength"] >= 12
    assert all(policy[f"Require{kind}"] for kind in ("Lowercase", "Uppercase", "Numbers", "Symbols"))
    assert pool["EnabledMfas"] == ["SOFTWARE_TOKEN_MFA"]


def test_operators_are_let_in_by_an_administrator_and_with_a_second_factor() -> None:
    pool = resources()["OperatorsPool"]["Properties"]

    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    assert pool["MfaConfiguration"] == "ON"
    assert pool["AccountRecoverySetting"] == {"RecoveryMechanisms": [{"Name": "admin_only", "Priority": 1}]}
    assert "LambdaConfig" not in pool  # the customers' trigger founds a company for whoever signs in
    assert "UsernameAttributes" not in pool  # the timeline of an incident names people by their user name


@pytest.mark.parametrize("name", resources("AWS::Cognito::UserPoolClient"))
def test_the_public_client_keeps_no_secret_and_tells_nothing_about_accounts(name: str) -> None:
    client = resources()[name]["Properties"]

    assert client["GenerateSecret"] is False
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert client["EnableTokenRevocation"] is True


@pytest.mark.parametrize("name", resources("AWS::SQS::Queue"))
def test_queues_are_encrypted(name: str) -> None:
    assert resources()[name]["Properties"]["SqsManagedSseEnabled"] is True


@pytest.mark.parametrize("name", resources("AWS::Logs::LogGroup"))
def test_logs_are_kept_for_a_stated_time(name: str) -> None:
    assert resources()[name]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
