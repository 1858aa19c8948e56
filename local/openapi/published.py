"""docs/openapi.json: the contract clients are written against (OpenAPI 3.1)."""

import importlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from billing.api.problems import THIRD_PARTIES
from local.openapi.handlers import HandlerError, Route

# Schemas of Powertools' own validation answers: this API answers with problems instead.
FRAMEWORK_SCHEMAS = frozenset({"HTTPValidationError", "ResponseValidationError", "ValidationError"})
PROBLEM = {"$ref": "#/components/responses/Problem"}
PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "What went wrong (RFC 9457). `type` is stable for ever; texts follow Accept-Language.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["/problems/invoice-already-issued"]},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "RFC 6901 pointer into the request body"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
GATEWAY_SCHEMA: dict[str, Any] = {
    "title": "GatewayMessage",
    "description": "What the gateway itself answers, before a function is reached.",
    "type": "object",
    "required": ["message"],
    "properties": {"message": {"type": "string"}},
}
PROBLEM_CONTENT = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
GATEWAY_CONTENT = {"application/json": {"schema": {"$ref": "#/components/schemas/GatewayMessage"}}}
RESPONSES: dict[str, Any] = {
    "Problem": {"description": "A problem", "content": PROBLEM_CONTENT},
    "Unauthorized": {
        "description": "The access token is missing, expired or no longer says the truth",
        "content": {**PROBLEM_CONTENT, **GATEWAY_CONTENT},
    },
}


def published_contract(routes: Sequence[Route], *, version: str) -> dict[str, Any]:
    """The whole document. Raises: HandlerError when two handlers give one name to different schemas."""
    paths: dict[str, dict[str, Any]] = {}
    for route in sorted(routes, key=lambda route: (route.path, route.method)):
        paths.setdefault(route.path, {})[route.method] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ZenBilling",
            "version": version,
            "summary": "Invoicing for French small businesses",
            "description": "Amounts are integers in minor units (cents); quantities, prices and rates are exact "
            "decimals in strings. Instants are UTC, legal dates are civil dates in Europe/Paris. Refusals are RFC 9457 "
            "problems, in French or, by Accept-Language, in English; `errors[].pointer` names the field. API Gateway "
            "itself answers a request without a valid token (401), to an unknown path (404) or beyond its limits "
            '(413, 429), with `{"message": …}` in English.',
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"accessToken": []}],
        "tags": _tags(routes),
        "paths": paths,
        "components": {
            "securitySchemes": {
                "accessToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The access token of POST /v1/auth/sign-in",
                },
                "operatorToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The access token of an operator of the platform, who signs in to a user pool "
                    "apart with a second factor; no company's token is taken",
                },
            },
            "responses": RESPONSES,
            "schemas": _schemas(routes),
        },
    }


def _tags(routes: Sequence[Route]) -> list[dict[str, str]]:
    tags = []
    for domain in sorted({route.name.domain for route in routes}):
        lines = (importlib.import_module(domain).__doc__ or "").strip().splitlines()
        tags.append({"name": domain, "description": lines[0]} if lines else {"name": domain})
    return tags


def _operation(route: Route) -> dict[str, Any]:
    declared = route.schema["paths"][route.path][route.method]
    parameters = [_parameter(parameter) for parameter in declared.get("parameters", [])]
    operation: dict[str, Any] = {
        "operationId": declared["operationId"],
        "tags": declared["tags"],
        "summary": route.summary,
    }
    if "description" in declared:
        operation["description"] = declared["description"]
    if route.token != "accessToken":
        operation["security"] = [{route.token: []}] if route.token else []
    if parameters:
        operation["parameters"] = parameters
    if "requestBody" in declared:
        operation["requestBody"] = _tidied(declared["requestBody"])
    operation["responses"] = _responses(route, declared, {parameter["name"] for parameter in parameters})
    return operation


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    # Powertools lowers the case of header names; clients and people write them capitalised.
    if parameter["in"] == "header":
        parameter = {**parameter, "name": "-".join(part.capitalize() for part in parameter["name"].split("-"))}
    order = ("name", "in", "required", "description", "schema")
    return {key: _tidied(parameter[key]) for key in order if key in parameter}


def _responses(route: Route, declared: Mapping[str, Any], parameters: set[str]) -> dict[str, Any]:
    responses = {
        status: _tidied(response)
        for status, response in declared["responses"].items()
        if not _is_framework_answer(response)
    }
    if "204" in responses:
        responses["204"].pop("content", None)
    if not route.public:
        responses.setdefault("401", {"$ref": "#/components/responses/Unauthorized"})
    refused = {
        "403": not route.public,
        "404": "{" in route.path,
        "409": "Idempotency-Key" in parameters,
        "412": "If-Match" in parameters,
        "422": "requestBody" in declared or THIRD_PARTIES not in declared["tags"],
        "428": "If-Match" in parameters or "Idempotency-Key" in parameters,
    }
    for status, possible in refused.items():
        if possible:
            responses.setdefault(status, PROBLEM)
    responses["default"] = PROBLEM
    return dict(sorted(responses.items()))


def _is_framework_answer(response: Mapping[str, Any]) -> bool:
    return any(f'/{name}"' in json.dumps(response) for name in FRAMEWORK_SCHEMAS)


def _schemas(routes: Sequence[Route]) -> dict[str, Any]:
    schemas: dict[str, Any] = {"GatewayMessage": GATEWAY_SCHEMA, "Problem": PROBLEM_SCHEMA}
    owners: dict[str, str] = dict.fromkeys(schemas, "the API itself")
    for route in routes:
        for name, schema in route.schema.get("components", {}).get("schemas", {}).items():
            if name in FRAMEWORK_SCHEMAS:
                continue
            mine = {**_tidied(schema), "title": name}
            if schemas.setdefault(name, mine) != mine:
                raise HandlerError(f"{route.name.module} and {owners[name]} give different schemas the name {name}")
            owners.setdefault(name, route.name.module)
    return dict(sorted(schemas.items()))


def _tidied(schema: Any) -> Any:
    """Whole bounds as integers; without the titles derived from field names (a property called title stays)."""
    if isinstance(schema, list):
        return [_tidied(item) for item in schema]
    if isinstance(schema, float) and schema.is_integer():
        return int(schema)
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _tidied(property_) for name, property_ in value.items()}
        if key in {"properties", "$defs"}
        else _tidied(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str))
    }
