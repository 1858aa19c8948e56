"""Who calls, as the verified access token says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from billing.api.events import correlation_id, header
from billing.domain.access import Caller, Origin, Role
from billing.domain.errors import Unauthenticated
from billing.domain.incidents import ALARM

_OPERATOR = re.compile(r"[A-Za-z0-9._@-]{1,128}")


def caller(app: APIGatewayHttpResolver) -> Caller:
    """Raises: Unauthenticated, when the token is not an access token of a member."""
    claims = _claims(app.current_event.raw_event)
    try:
        if claims["token_use"] != "access":  # noqa: S105 - a claim, not a secret
            raise Unauthenticated
        return Caller(
            tenant_id=str(claims["tenant_id"]),
            user_id=_person(claims["sub"]),
            role=Role(claims["role"]),
            membership_version=int(claims["membership_version"]),
            origin=origin(app),
        )
    except (KeyError, ValueError):
        raise Unauthenticated(
            "Le jeton ne désigne pas de membre : actualisez la session.",
            "The token names no member: refresh the session.",
        ) from None


def operator(app: APIGatewayHttpResolver) -> str:
    """The user name of an operator of the platform, who belongs to no tenant. Raises: Unauthenticated."""
    claims = _claims(app.current_event.raw_event)
    name = str(claims.get("username") or "")
    # Their pool is not the members', whose tokens the route's authorizer refuses: this holds were it ever another's.
    if claims.get("token_use") != "access" or "tenant_id" in claims or not _OPERATOR.fullmatch(name) or name == ALARM:
        raise Unauthenticated("Le jeton ne désigne pas d'opérateur.", "The token names no operator.")
    return name


def origin(app: APIGatewayHttpResolver) -> Origin:
    """Where the request comes from, as API Gateway saw it: no header of the client has a say."""
    event = app.current_event.raw_event
    return Origin(
        ip_address=str(event["requestContext"]["http"]["sourceIp"]),
        correlation_id=correlation_id(event),
    )


def _person(subject: object) -> str:
    """A token never speaks for what runs by the clock. Raises: ValueError."""
    if not isinstance(subject, str) or ":" in subject:
        raise ValueError("not a person")
    return subject


def access_token(app: APIGatewayHttpResolver) -> str:
    """The bearer token itself, already verified by the gateway. Raises: Unauthenticated."""
    scheme, _, token = header(app.current_event.raw_event, "authorization").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated
    return token.strip()


def _claims(event: Mapping[str, Any]) -> Mapping[str, Any]:
    authorizer = event["requestContext"].get("authorizer") or {}
    claims: Mapping[str, Any] = (authorizer.get("jwt") or {}).get("claims") or {}
    return claims
