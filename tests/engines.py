"""Started engines for tests: the DynamoDB engine of the local cloud, on a free loopback port, with our table.

A conftest.py asks for the fixtures by ``pytest_plugins`` or by importing them.
The engine is found through ``DYNOXIDE``, else where ``make`` installs it. It is told to keep its data in a file,
as the local cloud does.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import yaml
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ROOT = Path(__file__).parent.parent
_INSTALLED = ROOT / ".venv/npm/node_modules/@dynoxide/linux-x64/dynoxide"
_START_SECONDS = 15.0
# Without the stream: nobody reads it here, and the engine slows down with its length.
_CREATED_WITH = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")


def dynoxide_binary() -> Path:
    """Raises: FileNotFoundError, naming the command that installs it."""
    binary = Path(os.environ.get("DYNOXIDE", _INSTALLED))
    if not binary.is_file():
        raise FileNotFoundError(f"{binary}: the DynamoDB engine is missing; `make setup` installs it")
    return binary


class _TemplateLoader(yaml.SafeLoader):
    """YAML of a template: a short intrinsic such as ``!Sub x`` is read as ``{"Sub": "x"}``."""


def _intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {suffix: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {suffix: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {suffix: loader.construct_mapping(node, deep=True)}


_TemplateLoader.add_multi_constructor("!", _intrinsic)


def billing_table_definition() -> dict[str, Any]:
    """What CreateTable needs of the template's BillingTable."""
    return _table_definition("BillingTable")


def usage_table_definition() -> dict[str, Any]:
    """As ``billing_table_definition``, of the one that usage is kept in."""
    return _table_definition("UsageTable")


def _table_definition(logical_id: str) -> dict[str, Any]:
    template = yaml.load((ROOT / "template.yaml").read_text(), Loader=_TemplateLoader)  # noqa: S506 - a SafeLoader
    properties = template["Resources"][logical_id]["Properties"]
    return {name: properties[name] for name in _CREATED_WITH if name in properties}


@contextlib.contextmanager
def started_dynoxide(directory: Path) -> Iterator[str]:
    """The engine's endpoint, while it runs over a database file of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    database = directory / "billing.sqlite"
    with (directory / "dynoxide.log").open("wb") as log:
        process = subprocess.Popen(
            [dynoxide_binary(), "--host", "127.0.0.1", "--port", str(port), "--db-path", str(database)],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_for(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the DynamoDB engine ended with code {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2):
            return
        time.sleep(0.02)
    raise TimeoutError("the DynamoDB engine did not start")


def dynamodb_client(endpoint: str) -> DynamoDBClient:
    client: DynamoDBClient = boto3.client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name="eu-west-3",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        # Its own user agent takes the SDK a fifth of each call to put together.
        config=Config(max_pool_connections=32, retries={"total_max_attempts": 1}, user_agent="tests"),
    )
    return client


@pytest.fixture(scope="session")
def dynamodb_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with started_dynoxide(tmp_path_factory.mktemp("dynoxide")) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def dynamodb(dynamodb_endpoint: str) -> Iterator[DynamoDBClient]:
    client = dynamodb_client(dynamodb_endpoint)
    yield client
    client.close()


@pytest.fixture(scope="session")
def billing_table(dynamodb: DynamoDBClient) -> str:
    """The name of a table made as the template says. Tests keep apart by tenant."""
    name = f"billing-{uuid.uuid4().hex[:8]}"
    dynamodb.create_table(TableName=name, **billing_table_definition())
    return name


@pytest.fixture
def usage_table(dynamodb: DynamoDBClient) -> str:
    """The name of a table of its own for each test: usage belongs to no tenant that would keep them apart."""
    name = f"usage-{uuid.uuid4().hex[:8]}"
    dynamodb.create_table(TableName=name, **usage_table_definition())
    return name
