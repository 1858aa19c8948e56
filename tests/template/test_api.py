"""Handlers, api.yaml, the published contract and the template say the same of every operation."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from local.openapi.handlers import Route, routes
from tests.template.stack import ROOT, api, contract, functions, operations, references, resources

PUBLIC = {
    "GET /v1/health",
    "GET /v1/portal/invoices/{token}",
    "GET /v1/portal/invoices/{token}/pdf",
    "GET /v1/portal/quotes/{token}",
    "GET /v1/portal/quotes/{token}/pdf",
    "POST /v1/portal/invoices/{token}/checkout",
    "POST /v1/portal/quotes/{token}/answer",
    "POST /v1/auth/confirm-email",
    "POST /v1/auth/refresh",
    "POST /v1/auth/resend-code",
    "POST /v1/auth/sign-in",
    "POST /v1/auth/sign-up",
    "POST /v1/usage",
    "POST /v1/webhooks/stripe",
}
# Functions reached by something else than a route.
UNROUTED_DOMAINS = {"streams", "scheduled", "workflows"}
UNROUTED = {
    "AuthPreTokenGenerationFunction",
    "OperationsCheckReleaseFunction",
    "OperationsRouteAlertFunction",
    "WebhooksReceiveMailEventFunction",
    "WebhooksProcessStripeEventFunction",
}


@pytest.fixture(scope="session")
def declared() -> dict[str, Route]:
    """What the handlers themselves declare."""
    return {f"{route.method.upper()} {route.path}": route for route in routes()}


def _function(operation: str) -> str:
    integration = operations(api())[operation]["x-amazon-apigateway-integration"]
    [name] = set(references(integration["uri"])) & set(functions())
    return name


def test_handlers_deployment_and_contract_have_the_same_operations(declared: dict[str, Route]) -> None:
    deployed = {name: operation["operationId"] for name, operation in operations(api()).items()}
    published = {name: operation["operationId"] for name, operation in operations(contract()).items()}

    assert deployed == published == {name: route.name.operation_id for name, route in declared.items()}


def test_each_route_calls_the_function_of_its_handler(declared: dict[str, Route]) -> None:
    assert {name: _function(name) for name in operations(api())} == {
        name: route.name.logical_id for name, route in declared.items()
    }


def test_each_function_of_the_api_has_a_route() -> None:
    expected = {
        name
        for name, function in functions().items()
        if function["Handler"].partition(".")[0] not in UNROUTED_DOMAINS and name not in UNROUTED
    }

    assert {_function(name) for name in operations(api())} == expected


def test_only_the_named_routes_are_public() -> None:
    deployed = {name for name, operation in operations(api()).items() if "security" not in operation}
    published = {name for name, operation in operations(contract()).items() if operation.get("security") == []}

    assert deployed == published == PUBLIC


def test_what_anybody_can_write_without_a_word_is_throttled_by_itself() -> None:
    """A flood of page views leaves room for everything else."""
    settings = resources()["HttpApi"]["Properties"]
    usual = settings["DefaultRouteSettings"]

    assert set(settings["RouteSettings"]) == {"POST /v1/usage"} <= set(operations(api()))
    for one in settings["RouteSettings"].values():
        assert all(10 * one[limit] <= usual[limit] for limit in ("ThrottlingRateLimit", "ThrottlingBurstLimit"))


@pytest.mark.parametrize("operation", operations(api()))
def test_a_route_is_integrated_as_api_gateway_expects(operation: str) -> None:
    integration = operations(api())[operation]["x-amazon-apigateway-integration"]

    assert integration["payloadFormatVersion"] == "2.0"
    assert integration["credentials"] == {"Fn::GetAtt": ["ApiInvokeRole", "Arn"]}
    assert functions()[_function(operation)]["Timeout"] * 1000 < integration["timeoutInMillis"] <= 30_000


@pytest.mark.parametrize(
    ("scheme", "pool", "client"),
    [("accessToken", "UserPool", "UserPoolClient"), ("operatorToken", "OperatorsPool", "OperatorsPoolClient")],
)
def test_tokens_come_from_a_pool_of_the_stack_and_from_one_alone(scheme: str, pool: str, client: str) -> None:
    authorizer = api()["components"]["securitySchemes"][scheme]["x-amazon-apigateway-authorizer"]

    assert authorizer["type"] == "jwt"
    assert set(references(authorizer["jwtConfiguration"]["issuer"])) & set(resources()) == {pool}
    assert authorizer["jwtConfiguration"]["audience"] == [{"Ref": client}]
    assert resources()[client]["Properties"]["UserPoolId"] == {"Ref": pool}


@pytest.mark.parametrize("description", [api, contract], ids=["deployed", "published"])
def test_operators_are_let_in_under_their_path_and_nowhere_else(description: Callable[[], dict[str, Any]]) -> None:
    usual = description().get("security")
    schemes = {name: operation.get("security", usual) for name, operation in operations(description()).items()}
    of_operators = {name for name, scheme in schemes.items() if scheme == [{"operatorToken": []}]}

    assert of_operators == {name for name in schemes if name.partition(" ")[2].startswith("/v1/operations/")}
    assert len(of_operators) == 16
    assert all(schemes[name] == [{"accessToken": []}] for name in set(schemes) - of_operators - PUBLIC)


def test_browsers_may_call_from_the_origins_of_the_web_application_only() -> None:
    cors = api()["x-amazon-apigateway-cors"]
    headers = {
        parameter["name"].lower()
        for operation in operations(contract()).values()
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "header"
    }
    methods = {name.partition(" ")[0] for name in operations(api())}

    assert cors["allowOrigins"] == {"Ref": "WebOrigins"}
    assert headers <= set(cors["allowHeaders"])
    assert methods == set(cors["allowMethods"])


def test_the_api_is_throttled_and_logged() -> None:
    properties = resources()["HttpApi"]["Properties"]

    assert properties["DefaultRouteSettings"]["ThrottlingRateLimit"] > 0
    assert properties["DefaultRouteSettings"]["ThrottlingBurstLimit"] > 0
    assert set(references(properties["AccessLogSettings"])) == {"ApiAccessLogGroup"}


def test_the_contract_resolves_every_reference() -> None:
    known = {f"#/components/{kind}/{name}" for kind, items in contract()["components"].items() for name in items}

    def refer(value: object) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*(refer(item) for item in value.values()))
        return set().union(*(refer(item) for item in value)) if isinstance(value, list) else set()

    assert refer(contract()) <= known


def test_every_refusal_is_a_problem() -> None:
    problem = {"$ref": "#/components/responses/Problem"}

    assert all(operation["responses"]["default"] == problem for operation in operations(contract()).values())


def test_written_descriptions_are_those_of_the_handlers() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "local.openapi", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (checked.returncode, checked.stderr) == (0, "")
