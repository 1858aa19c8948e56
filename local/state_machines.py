"""The process that executes the state machines: moto's interpreter, whose tasks call our functions.

Executions and their names end with the process, as the outbox and its sweeper expect of any engine.
Usage: ``python -m local.state_machines <layout>``.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import urllib3
from botocore.exceptions import ClientError
from moto.core.config import default_user_config
from moto.core.exceptions import ServiceException
from moto.core.request import Request
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor
from moto.stepfunctions.responses import StepFunctionResponse, get_backend
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

from local.layout import ACCOUNT_ID, HOST, REGION, Layout
from local.stack import StateMachine, read_stack, wait_for_resources
from local.template import TemplateError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_CALL_SECONDS: Final = 910.0  # Lambda's longest, and a little
_UNREACHABLE_SECONDS: Final = 8.0
_KEPT_EXECUTIONS: Final = 2000
_WATCH_SECONDS: Final = 1.0
_log = logging.getLogger(__name__)


class FunctionCaller:
    """Lambda's Invoke, as the interpreter calls it, sent to the pool of workers."""

    def __init__(self, control_url: str) -> None:
        self._control_url = control_url
        self._http = urllib3.PoolManager(maxsize=64, retries=False)

    def __call__(self, parameters: dict[str, Any], region: str, state_credentials: object) -> dict[str, Any]:  # noqa: ARG002 - the interpreter's signature
        address = f"{self._control_url}/2015-03-31/functions/{parameters['FunctionName']}/invocations"
        body = parameters.get("Payload") or b"{}"
        answer = self._send(address, body)
        if answer.status >= 400:
            # The interpreter names the error `Lambda.<code>`, which Retry and Catch know.
            code = str(answer.headers.get("x-amzn-errortype", "ServiceException"))
            raise _refusal(code, answer.status, answer.data.decode(errors="replace"))
        response = {"StatusCode": answer.status, "ExecutedVersion": "$LATEST", "Payload": json.loads(answer.data)}
        error = answer.headers.get("x-amz-function-error")
        return {**response, "FunctionError": error} if error else response

    def _send(self, address: str, body: bytes) -> urllib3.BaseHTTPResponse:
        headers = {"content-type": "application/json"}
        deadline = time.monotonic() + _UNREACHABLE_SECONDS
        while True:
            try:
                return self._http.request("POST", address, body=body, headers=headers, timeout=_CALL_SECONDS)
            except urllib3.exceptions.NewConnectionError as error:
                # The pool is starting again, and nothing was sent.
                if time.monotonic() > deadline:
                    raise _refusal("ServiceException", 503, str(error)) from error
                time.sleep(0.1)
            except urllib3.exceptions.HTTPError as error:
                raise _refusal("ServiceException", 500, str(error)) from error


def _refusal(code: str, status: int, message: str) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {
                "HTTPStatusCode": status,
                "RequestId": "local",
                "HostId": "",
                "HTTPHeaders": {},
                "RetryAttempts": 0,
            },
        },
        "Invoke",
    )


def install(caller: FunctionCaller) -> None:
    """The interpreter's tasks call the pool from now on, and its executions really run."""
    lambda_eval_utils._invoke_lambda_function = caller  # noqa: SLF001 - the one place where the interpreter calls Lambda
    AmazonStateLanguageParser.parse = staticmethod(parse_definition)  # type: ignore[method-assign]
    default_user_config["stepfunctions"]["execute_state_machine"] = True


_read_definition = functools.lru_cache(maxsize=64)(AmazonStateLanguageParser.parse)


def parse_definition(definition: str) -> tuple[Any, Any]:
    """As the interpreter parses, which takes 40 ms: each execution gets its own program, made from one syntax tree."""
    _, tree = _read_definition(definition)
    return Preprocessor().visit(tree), tree


def backend() -> Any:
    return get_backend(ACCOUNT_ID, REGION)


def define(machines: tuple[StateMachine, ...]) -> None:
    """Creates or changes the state machines."""
    known = {machine.arn: machine for machine in backend().state_machines}
    role = f"arn:aws:iam::{ACCOUNT_ID}:role/state-machines"
    for machine in machines:
        existing = known.get(machine.arn)
        if existing is None:
            backend().create_state_machine(name=machine.name, definition=machine.definition, roleArn=role)
        elif existing.definition != machine.definition:
            backend().update_state_machine(machine.arn, definition=machine.definition)


def running_executions() -> int:
    return sum(
        execution.status == "RUNNING" for machine in backend().state_machines for execution in machine.executions
    )


def forget_old_executions(kept: int = _KEPT_EXECUTIONS) -> None:
    """Memory is bounded: the oldest executions that ended go."""
    for machine in backend().state_machines:
        ended = [execution for execution in machine.executions if execution.status != "RUNNING"]
        gone = {id(execution) for execution in ended[: max(0, len(ended) - kept)]}
        if gone:
            machine.executions[:] = [execution for execution in machine.executions if id(execution) not in gone]


def _follow_definitions(layout: Layout) -> None:
    machines = read_stack(layout).state_machines
    times = _definition_times(layout)
    while True:
        time.sleep(_WATCH_SECONDS)
        forget_old_executions()
        if _definition_times(layout) == times:
            continue
        times = _definition_times(layout)
        try:
            machines = read_stack(layout).state_machines
            define(machines)
        except (TemplateError, ServiceException, OSError, ValueError, KeyError):
            _log.exception("the change of the state machines is not served")


def _definition_times(layout: Layout) -> dict[str, int]:
    files = [layout.template_file, *sorted((layout.project / "statemachines").glob("*.json"))]
    return {str(path): path.stat().st_mtime_ns for path in files if path.exists()}


class _Request(Request):
    """A request as the interpreter's API reads it. Its own server would need Flask."""

    from_wsgi_server = True


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The API of Step Functions, and the count that `GET /status` shows."""
    if environ["PATH_INFO"] == "/executions/running":
        return Response(str(running_executions()))(environ, start_response)
    status, headers, body = StepFunctionResponse.dispatch(_Request(environ))
    return Response(body, status, dict(headers))(environ, start_response)


class _QuietHandler(WSGIRequestHandler):
    """Calls are not logged one by one."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def main(arguments: list[str]) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    # What it logs of a failed task holds the whole definition and input.
    logging.getLogger("moto").setLevel(logging.CRITICAL)
    layout = Layout.from_json(arguments[0])
    os.environ.update({"AWS_DEFAULT_REGION": REGION, "MOTO_ACCOUNT_ID": ACCOUNT_ID})
    wait_for_resources(layout)
    install(FunctionCaller(layout.control_url))
    define(read_stack(layout).state_machines)
    threading.Thread(target=_follow_definitions, args=(layout,), daemon=True).start()
    server = make_server(HOST, layout.ports.step_functions, application, threaded=True, request_handler=_QuietHandler)
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
