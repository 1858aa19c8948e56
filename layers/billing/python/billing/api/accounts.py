"""Accounts and sessions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from billing.api.answers import Reply, Request
from billing.api.fields import EmailAddress, Text
from billing.domain.access import Membership, Role
from billing.ports.identity import Session

Password = Annotated[str, Field(min_length=1, max_length=256, json_schema_extra={"format": "password"})]
Code = Annotated[str, Field(pattern="^[0-9]{4,10}$", examples=["123456"])]
Token = Annotated[str, Field(pattern="^[!-~]+$", max_length=8000)]


class SignUpRequest(Request):
    email: EmailAddress
    password: Annotated[
        Password, Field(description="At least 12 characters: lower and upper case, a digit and a symbol")
    ]
    full_name: Annotated[str, Text(100, min_length=1), Field(examples=["Prénom Nom"])]


class SignUpResponse(Reply):
    email: str
    next_step: Annotated[Literal["confirm_email"], Field(description="A code is on its way to the address")] = (
        "confirm_email"
    )


class ConfirmEmailRequest(Request):
    email: EmailAddress
    code: Code


class ResendCodeRequest(Request):
    email: EmailAddress


class SignInRequest(Request):
    email: EmailAddress
    password: Password


class RefreshSessionRequest(Request):
    refresh_token: Token


class SessionResponse(Reply):
    """Send the access token as `Authorization: Bearer …`. A refresh may not renew the refresh token."""

    access_token: str
    id_token: str
    refresh_token: str | None
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the scheme's name
    expires_in: Annotated[int, Field(description="Seconds")]

    @classmethod
    def of(cls, session: Session) -> SessionResponse:
        return cls(
            access_token=session.access_token,
            id_token=session.id_token,
            refresh_token=session.refresh_token,
            expires_in=session.expires_in,
        )


class WhoAmIResponse(Reply):
    user_id: str
    tenant_id: str
    role: Role

    @classmethod
    def of(cls, membership: Membership) -> WhoAmIResponse:
        return cls(user_id=membership.user_id, tenant_id=membership.tenant_id, role=membership.role)
