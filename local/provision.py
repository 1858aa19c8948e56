"""Creates in the engines what the template asks for, where it is not there yet, and notes what it became.

Everything is found again by its name, so that a second start, or one after a crash, creates nothing twice.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import secrets
import sqlite3
import zipfile
from collections.abc import Mapping
from contextlib import closing
from typing import Any, Final

import boto3
from botocore.config import Config

from local.layout import ACCESS_KEY_ID, ACCOUNT_ID, HOST, REGION, SECRET_ACCESS_KEY, Layout
from local.stack import read_template
from local.stripe.server import API_KEY, WEBHOOK_SECRET
from local.template import Template

# ministack calls its own Lambda only: this one passes the call on to the pool, and its error back.
_FORWARDER: Final = """
import json, os, urllib.error, urllib.request

def handler(event, context):
    url = os.environ["CONTROL_URL"] + "/2015-03-31/functions/" + context.function_name + "/invocations"
    call = urllib.request.Request(url, json.dumps(event).encode(), {"Content-Type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(call, timeout=30) as answer:
        body = json.load(answer)
        if answer.headers.get("X-Amz-Function-Error"):
            raise type(body.get("errorType", "Error"), (Exception,), {})(body.get("errorMessage", ""))
        return body
"""
_LAMBDA_ASSUMES: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
_QUEUE_DEFAULTS: Final = {
    "DelaySeconds": 0,
    "MessageRetentionPeriod": 345_600,
    "ReceiveMessageWaitTimeSeconds": 0,
    "VisibilityTimeout": 30,
}
_TABLE_MEMBERS: Final = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")


def client(service: str, endpoint: str) -> Any:
    # Shard ids of the engine are shorter than botocore allows.
    validates = service != "dynamodbstreams"
    # Its own user agent takes the SDK a fifth of each call to put together.
    config = Config(retries={"total_max_attempts": 3}, parameter_validation=validates, user_agent="local")
    return _session().client(service, endpoint_url=endpoint, config=config)


@functools.cache
def _session() -> Any:
    return boto3.Session(ACCESS_KEY_ID, SECRET_ACCESS_KEY, region_name=REGION)


def provision(layout: Layout) -> dict[str, str]:
    """What the template's resources became here, also written where other processes read it."""
    attributes: dict[str, str] = {}
    template = read_template(layout, attributes)
    _Provisioner(layout, template, attributes).run()
    temporary = layout.resources_file.with_suffix(".tmp")
    temporary.write_text(json.dumps(attributes, indent=1), encoding="utf-8")
    if not layout.resources_file.exists() or layout.resources_file.read_bytes() != temporary.read_bytes():
        temporary.replace(layout.resources_file)
    return attributes


class _Provisioner:
    def __init__(self, layout: Layout, template: Template, attributes: dict[str, str]) -> None:
        self._layout = layout
        self._template = template
        self._attributes = attributes  # the template sees each as soon as it is noted

    def run(self) -> None:
        self._tables()
        self._buckets()
        self._queues()
        self._secrets()
        self._topics()
        self._user_pools()

    def _resources(self, resource_type: str) -> list[tuple[str, dict[str, Any]]]:
        return list(self._template.resources(resource_type).items())

    def _tables(self) -> None:
        dynamodb = client("dynamodb", self._layout.dynamodb_url)
        for logical, properties in self._resources("AWS::DynamoDB::Table"):
            name = self._template.ref(logical)
            existing = dynamodb.list_tables()["TableNames"]
            if name not in existing:
                dynamodb.create_table(TableName=name, **_table_definition(self._template.resolve(properties)))
            description = dynamodb.describe_table(TableName=name)["Table"]
            _refuse_changed_table(name, self._template.resolve(properties), description)
            expiry = properties.get("TimeToLiveSpecification")
            if name not in existing and expiry:
                dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=expiry)
            if "StreamSpecification" in properties:
                self._attributes[f"{logical}.StreamArn"] = description["LatestStreamArn"]
        if self._layout.engine.is_file():
            index_stream_records(self._layout)

    def _buckets(self) -> None:
        s3 = client("s3", self._layout.ministack_url)
        existing = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
        for logical, properties in self._resources("AWS::S3::Bucket"):
            name = self._template.ref(logical)
            if name not in existing:
                s3.create_bucket(
                    Bucket=name,
                    CreateBucketConfiguration={"LocationConstraint": REGION},
                    ObjectLockEnabledForBucket=bool(properties.get("ObjectLockEnabled")),
                )
            versioning = properties.get("VersioningConfiguration")
            if versioning:
                s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)

    def _queues(self) -> None:
        """A queue after the one that its dead letters go to."""
        sqs = client("sqs", self._layout.ministack_url)
        queues = self._resources("AWS::SQS::Queue")
        for logical, properties in sorted(queues, key=lambda queue: "RedrivePolicy" in queue[1]):
            settings = self._template.resolve(properties)
            name = self._template.attribute(logical, "QueueName")
            url = sqs.create_queue(QueueName=name)["QueueUrl"]
            sqs.set_queue_attributes(QueueUrl=url, Attributes=_queue_attributes(settings))
            self._attributes[logical] = url

    def _secrets(self) -> None:
        manager = client("secretsmanager", self._layout.ministack_url)
        for logical, properties in self._resources("AWS::SecretsManager::Secret"):
            value = json.dumps(self._secret(properties))
            name = f"{self._template.ref('AWS::StackName')}-{logical}"
            try:
                secret = manager.create_secret(Name=name, SecretString=value)
            except manager.exceptions.ResourceExistsException:
                secret = manager.describe_secret(SecretId=name)
                if _is_written_here(properties):
                    manager.put_secret_value(SecretId=name, SecretString=value)
            self._attributes[logical] = secret["ARN"]

    def _secret(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """As generated by the template; what an operator fills in leads to the mailbox and to the Stripe of here."""
        generated = properties.get("GenerateSecretString", {})
        value: dict[str, Any] = json.loads(generated.get("SecretStringTemplate", "{}"))
        if {"host", "port", "starttls"} <= set(value):
            return {
                "host": HOST,
                "port": self._layout.ports.smtp,
                "username": "",
                "password": "",  # nosec B105
                "starttls": False,
            }
        if "webhook_secrets" in value:
            return {"webhook_secrets": [WEBHOOK_SECRET]}
        if generated.get("GenerateStringKey") == "api_key":
            return {"api_key": API_KEY}
        if "slack_webhook_url" in value:
            value["emails"] = ["exploitation@exemple.test"]  # into the mailbox of here
        if "GenerateStringKey" in generated:
            value[generated["GenerateStringKey"]] = secrets.token_urlsafe(24)
        return value

    def _topics(self) -> None:
        sns = client("sns", self._layout.ministack_url)
        for logical, _ in self._resources("AWS::SNS::Topic"):
            sns.create_topic(Name=self._template.attribute(logical, "TopicName"))
        for _, properties in self._resources("AWS::SNS::Subscription"):
            subscription = self._template.resolve(properties)
            if subscription["Protocol"] != "lambda":
                continue
            self._forward(subscription["Endpoint"])
            sns.subscribe(TopicArn=subscription["TopicArn"], Protocol="lambda", Endpoint=subscription["Endpoint"])

    def _user_pools(self) -> None:
        cognito = client("cognito-idp", self._layout.ministack_url)
        existing = {pool["Name"]: pool["Id"] for pool in cognito.list_user_pools(MaxResults=60)["UserPools"]}
        for logical, properties in self._resources("AWS::Cognito::UserPool"):
            settings = self._template.resolve(properties)
            triggers = settings.get("LambdaConfig", {})
            for arn in _trigger_arns(triggers):
                self._forward(arn)
            name = settings["UserPoolName"]
            pool_id = existing.get(name)
            if pool_id is None:
                pool_id = cognito.create_user_pool(**_pool_settings(settings))["UserPool"]["Id"]
            if settings.get("MfaConfiguration") == "ON":
                cognito.set_user_pool_mfa_config(
                    UserPoolId=pool_id, SoftwareTokenMfaConfiguration={"Enabled": True}, MfaConfiguration="ON"
                )
            self._attributes[logical] = pool_id
            self._attributes[f"{logical}.Arn"] = f"arn:aws:cognito-idp:{REGION}:{ACCOUNT_ID}:userpool/{pool_id}"
        for logical, properties in self._resources("AWS::Cognito::UserPoolClient"):
            settings = self._template.resolve(properties)
            clients = cognito.list_user_pool_clients(UserPoolId=settings["UserPoolId"], MaxResults=60)
            known = {found["ClientName"]: found["ClientId"] for found in clients["UserPoolClients"]}
            name = settings["ClientName"]
            if name not in known:
                known[name] = cognito.create_user_pool_client(**settings)["UserPoolClient"]["ClientId"]
            self._attributes[logical] = known[name]

    def _forward(self, function_arn: str) -> None:
        iam = client("iam", self._layout.ministack_url)
        with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName="forwarder", AssumeRolePolicyDocument=_LAMBDA_ASSUMES)
        functions = client("lambda", self._layout.ministack_url)
        name = function_arn.rpartition(":")[2]
        variables = {"Variables": {"CONTROL_URL": self._layout.control_url}}
        try:
            functions.create_function(
                FunctionName=name,
                Runtime="python3.13",
                Handler="forwarder.handler",
                Role=f"arn:aws:iam::{ACCOUNT_ID}:role/forwarder",
                Code={"ZipFile": _forwarder_archive()},
                Environment=variables,
                Timeout=35,
            )
        except functions.exceptions.ResourceConflictException:
            functions.update_function_configuration(FunctionName=name, Environment=variables)


def _is_written_here(properties: Mapping[str, Any]) -> bool:
    """The relay's port is another at each start; what was generated once stays as it is."""
    generated = properties.get("GenerateSecretString", {})
    template = json.loads(generated.get("SecretStringTemplate", "{}"))
    of_stripe = "webhook_secrets" in template or generated.get("GenerateStringKey") == "api_key"
    return of_stripe or {"host", "port", "starttls"} <= set(template)


def _forwarder_archive() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("forwarder.py", _FORWARDER)
    return archive.getvalue()


def _table_definition(properties: Mapping[str, Any]) -> dict[str, Any]:
    definition = {name: properties[name] for name in _TABLE_MEMBERS if name in properties}
    if "StreamSpecification" in properties:  # CloudFormation leaves out what CreateTable wants said
        definition["StreamSpecification"] = {"StreamEnabled": True, **properties["StreamSpecification"]}
    return definition


def _refuse_changed_table(name: str, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Raises: ChangedTableError, for keys and indexes that CloudFormation would have to rebuild."""

    def shape(definition: Mapping[str, Any]) -> set[str]:
        indexes = definition.get("GlobalSecondaryIndexes", [])
        keys = [("", definition["KeySchema"]), *((index["IndexName"], index["KeySchema"]) for index in indexes)]
        return {f"{index}:{key['AttributeName']}:{key['KeyType']}" for index, schema in keys for key in schema}

    if shape(wanted) != shape(found):
        raise ChangedTableError(
            f"template.yaml changed the keys or indexes of {name}, and the local table still has the old ones. "
            "Start over with fresh data: make clean-data"
        )


class ChangedTableError(Exception):
    """The stored table is not the template's any more."""


def _queue_attributes(properties: Mapping[str, Any]) -> dict[str, str]:
    """Those of CloudFormation's properties that change what a queue does."""
    attributes = {name: str(properties.get(name, default)) for name, default in _QUEUE_DEFAULTS.items()}
    if "RedrivePolicy" in properties:
        attributes["RedrivePolicy"] = json.dumps(properties["RedrivePolicy"])
    return attributes


def _trigger_arns(triggers: Mapping[str, Any]) -> list[str]:
    return [value["LambdaArn"] if isinstance(value, dict) else value for value in triggers.values()]


def _pool_settings(properties: Mapping[str, Any]) -> dict[str, Any]:
    """CloudFormation's properties as CreateUserPool takes them."""
    settings = {
        name: value
        for name, value in properties.items()
        if name not in {"UserPoolName", "EnabledMfas", "MfaConfiguration", "EmailConfiguration", "DeletionProtection"}
    }
    triggers = dict(settings.pop("LambdaConfig", {}))
    return {"PoolName": properties["UserPoolName"], "LambdaConfig": triggers, **settings}


def index_stream_records(layout: Layout) -> None:
    """Without this index every write reads all the stream records there are."""
    with closing(sqlite3.connect(layout.database, timeout=10, isolation_level=None)) as database:
        database.execute(
            "CREATE INDEX IF NOT EXISTS local_stream_order "
            "ON _stream_records(table_name, CAST(sequence_number AS INTEGER))"
        )
