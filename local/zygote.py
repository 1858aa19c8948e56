"""Forks workers on demand. Single-threaded; it has imported what most functions import, so that a worker starts fast.

Usage: ``python -m local.zygote <descriptor of a Unix socket> <directories> <environment> <package>…``, both as JSON.
Of the directories it imports the product's layer, in the environment that all functions have in common: a worker whose
own differs in something that was read meanwhile imports the layer itself. A request is a frame with a descriptor: the
worker's specification and its end of the connection to the pool. Answers: ``{"token", "pid"}``, then
``{"pid", "status"}``.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import struct
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, NoReturn

from local import worker
from local.layout import ACCESS_KEY_ID, HOST, REGION, SECRET_ACCESS_KEY

_LENGTH = struct.Struct(">I")
# What nearly every function imports. What few of them do comes with the layer.
PACKAGES = (
    "aws_lambda_powertools",
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.event_handler.openapi.models",
    "aws_lambda_powertools.event_handler.openapi.params",
    "aws_lambda_powertools.event_handler.middlewares.openapi_validation",
    "aws_lambda_powertools.logging",
    "aws_lambda_powertools.metrics",
    "aws_lambda_powertools.utilities.batch",
    "aws_lambda_powertools.utilities.data_classes",
    "aws_lambda_powertools.utilities.typing",
    "boto3",
    "boto3.session",
    "botocore.client",
    "botocore.config",
    "botocore.credentials",
    "botocore.endpoint_provider",
    "botocore.handlers",
    "botocore.httpsession",
    "botocore.parsers",
    "botocore.retries.standard",
    "botocore.session",
    "botocore.signers",
    "botocore.waiter",
    "concurrent.futures",
    "email.message",
    "email.policy",
    "pydantic",
    "pydantic.json_schema",
    "ulid",
    "zoneinfo",
)
_LAYER = "billing"
_SERVICES = ("dynamodb", "cognito-idp", "s3", "stepfunctions", "secretsmanager")


def encode_request(specification: dict[str, object]) -> bytes:
    body = json.dumps(specification).encode()
    return _LENGTH.pack(len(body)) + body


def main(
    control: socket.socket, directories: Sequence[str], environment: Mapping[str, str], packages: Sequence[str]
) -> None:
    project = str(Path(__file__).resolve().parent.parent)
    # As Lambda does: a worker that imports before its environment is set must not read the developer's account.
    os.environ.update(
        AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull, AWS_EC2_METADATA_DISABLED="true"
    )
    for package in packages:
        with contextlib.suppress(ImportError):
            importlib.import_module(package)
    if "boto3" in packages:
        _read_sdk_models()
    read = _import_layer(directories, environment)
    gc.collect()
    gc.freeze()  # forks share these pages as long as the collector does not touch them
    signal.signal(signal.SIGCHLD, lambda *_: _reap(control))
    control.sendall(json.dumps({"ready": os.getpid()}).encode() + b"\n")
    while True:
        header, descriptors, _flags, _address = socket.recv_fds(control, _LENGTH.size, 1)
        if not header:
            return  # the pool is gone; workers notice by themselves
        specification = json.loads(_receive(control, _LENGTH.unpack(header)[0]))
        connection = socket.socket(fileno=descriptors[0])
        # The end of another worker is told after this one's birth, not in the middle of it.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
            control.close()
            specification["hidden_paths"] = ["", project, str(Path.cwd())]
            if any(specification["environment"].get(name) != value for name, value in read.items()):
                _forget_layer()
            worker.run(connection, specification)
        connection.close()
        control.sendall(json.dumps({"token": specification["token"], "pid": pid}).encode() + b"\n")
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})


class _CommonEnvironment(type(os.environ)):  # type: ignore[misc]  # typeshed hides that it is a class of its own
    """While the layer is imported: what is read is noted. Who wants all of it, or writes, comes with each worker."""

    read: ClassVar[dict[str, str | None]] = {}

    def __getitem__(self, name: str) -> str:
        self.read[name] = None
        value = self.read[name] = str(super().__getitem__(name))
        return value

    def __iter__(self) -> NoReturn:
        raise ImportError("the environment is each function's own")

    def __setitem__(self, name: str, value: str) -> NoReturn:
        raise ImportError("the environment is each function's own")

    __delitem__ = __iter__


def _import_layer(directories: Sequence[str], environment: Mapping[str, str]) -> Mapping[str, str | None]:
    """What was read of the environment, which then is as before."""
    if not directories:
        return {}
    before = dict(os.environ)
    sys.path[:0] = directories
    os.environ.clear()
    os.environ.update(environment)
    kind = type(os.environ)
    os.environ.__class__ = _CommonEnvironment
    _import_all(_LAYER)
    os.environ.__class__ = kind
    os.environ.clear()
    os.environ.update(before)
    del sys.path[: len(directories)]
    return _CommonEnvironment.read


def _forget_layer() -> None:
    """Packages from elsewhere stay: they have been imported in another environment all along."""
    for name in [name for name in sys.modules if name.partition(".")[0] == _LAYER]:
        del sys.modules[name]


def _import_all(package: str) -> None:
    """The package and every module in it. One that cannot be imported is told by the functions that import it."""
    try:
        imported = importlib.import_module(package)
    except Exception:  # noqa: BLE001 - a mistake in a file just saved
        return
    for found in pkgutil.iter_modules(getattr(imported, "__path__", ())):
        _import_all(f"{package}.{found.name}")


def _read_sdk_models() -> None:
    """The default session of a worker starts with these files parsed: half of the time of its first client."""
    import boto3  # noqa: PLC0415 - after the packages above
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import EndpointConnectionError  # noqa: PLC0415

    boto3.DEFAULT_SESSION = session = boto3.Session()
    loader = session._session.get_component("data_loader")  # noqa: SLF001 - boto3 gives no other way
    loader.load_data("endpoints")
    loader.load_data("partitions")
    loader.load_data("_retry")
    for service in _SERVICES:
        for kind in ("service-2", "endpoint-rule-set-1"):
            loader.load_service_model(service, kind)
    # What the SDK imports and remembers only when it calls somebody: a session of its own, a port that nobody serves.
    config = Config(connect_timeout=1, retries={"mode": "standard", "total_max_attempts": 1})
    client = boto3.Session(ACCESS_KEY_ID, SECRET_ACCESS_KEY, region_name=REGION).client(
        "dynamodb", endpoint_url=f"http://{HOST}:1", config=config
    )
    with contextlib.suppress(EndpointConnectionError):
        client.list_tables()
    client.close()


def _reap(control: socket.socket) -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            with contextlib.suppress(OSError):
                code = os.waitstatus_to_exitcode(status)
                control.sendall(json.dumps({"pid": pid, "status": code}).encode() + b"\n")


def _receive(control: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        received += control.recv(size - len(received))
    return received


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])), json.loads(sys.argv[2]), json.loads(sys.argv[3]), sys.argv[4:])
