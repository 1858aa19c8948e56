"""api.yaml: the API as API Gateway and the local gateway serve it (OpenAPI 3.0 with integrations, no schemas).

AWS::Include takes intrinsic functions in their long form only.
"""

import re
from collections.abc import Collection, Sequence
from typing import Any

import yaml

from local.openapi.handlers import Route
from local.template import ALIAS

# What API Gateway allows an HTTP API at most; a function stops a second earlier.
INTEGRATION_TIMEOUT_MS = 30_000
HEADER = "# Written by `make openapi` from the handlers; template.yaml includes it. Do not edit.\n"


def deployed_api(routes: Sequence[Route], *, version: str, aliased: Collection[str]) -> str:
    """``aliased`` are the logical ids of functions with an alias, which the API calls them by."""
    paths: dict[str, dict[str, Any]] = {}
    for route in sorted(routes, key=lambda route: (route.path, route.method)):
        paths.setdefault(route.path, {})[route.method] = _operation(route, aliased)
    document = {
        "openapi": "3.0.1",
        "info": {"title": {"Fn::Sub": "${AWS::StackName}"}, "version": version},
        "x-amazon-apigateway-cors": {
            "allowOrigins": {"Ref": "WebOrigins"},
            "allowMethods": ["GET", "POST", "PUT", "DELETE"],
            "allowHeaders": ["accept-language", "authorization", "content-type", "idempotency-key", "if-match"],
            "exposeHeaders": ["etag", "idempotency-replayed", "location", "retry-after"],
            "maxAge": 600,
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "accessToken": _authorizer("UserPool", "UserPoolClient"),
                "operatorToken": _authorizer("OperatorsPool", "OperatorsPoolClient"),
            }
        },
    }
    return HEADER + yaml.dump(document, Dumper=_Plain, sort_keys=False, width=200, allow_unicode=True)


def _authorizer(pool: str, client: str) -> dict[str, Any]:
    """Access tokens of a user pool of the stack, given to one client of it."""
    issuer = "https://cognito-idp.${AWS::Region}.amazonaws.com/${" + pool + "}"
    return {
        "type": "oauth2",
        "flows": {},
        "x-amazon-apigateway-authorizer": {
            "type": "jwt",
            "identitySource": "$request.header.Authorization",
            "jwtConfiguration": {"issuer": {"Fn::Sub": issuer}, "audience": [{"Ref": client}]},
        },
    }


class _Plain(yaml.SafeDumper):
    """AWS::Include knows no anchors."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _operation(route: Route, aliased: Collection[str]) -> dict[str, Any]:
    name = route.name.logical_id
    # In a text: the alias waits for the function that tries versions, which waits for the address of the API.
    function = f"${{{name}.Arn}}" + (f":{ALIAS}" if name in aliased else "")
    operation: dict[str, Any] = {"operationId": route.name.operation_id}
    names = re.findall(r"{(\w+)}", route.path)
    if names:
        operation["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
        ]
    operation["responses"] = {"default": {"description": "docs/openapi.json says which"}}
    if route.token is not None:
        operation["security"] = [{route.token: []}]
    operation["x-amazon-apigateway-integration"] = {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "payloadFormatVersion": "2.0",
        "timeoutInMillis": INTEGRATION_TIMEOUT_MS,
        "credentials": {"Fn::GetAtt": ["ApiInvokeRole", "Arn"]},
        "uri": {
            "Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"
            f"{function}/invocations"
        },
    }
    return operation
