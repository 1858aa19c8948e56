"""The company's account at Stripe, as Stripe last told it, in words."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StrictBool

from billing.api.answers import Reply, Request, answer
from billing.domain.stripe import DASHBOARD, StripeLink
from billing.domain.stripe_connection import ConnectionState, StripeConnection
from billing.domain.stripe_words import Explained, explain_connection, explain_reason, explain_requirements
from billing.ports.idempotency import Answer


class EditStripeAccountRequest(Request):
    allows_partial_payments: Annotated[
        StrictBool, Field(description="Customers may pay a part of what is left of an invoice")
    ]


class StripeRequirementResponse(Reply):
    code: Annotated[str, Field(description="Stripe's name of it", examples=["external_account"])]
    detail_fr: str
    detail_en: str

    @classmethod
    def of(cls, explained: Explained) -> StripeRequirementResponse:
        return cls(code=explained.code, detail_fr=explained.french, detail_en=explained.english)


class StripeAccountResponse(Reply):
    version: int
    state: ConnectionState
    detail_fr: Annotated[str, Field(description="Where it stands, and what is next")]
    detail_en: str
    account_id: str | None
    accepts_payments: Annotated[bool, Field(description="Invoices can be paid online")]
    charges_enabled: bool
    payouts_enabled: Annotated[bool, Field(description="Stripe pays out to the company's bank")]
    details_submitted: bool
    requirements_due: Annotated[list[StripeRequirementResponse], Field(description="What Stripe still wants to know")]
    disabled: Annotated[StripeRequirementResponse | None, Field(description="Why payments are held back")]
    capabilities: Annotated[list[str], Field(description="Active means of payment", examples=[["card_payments"]])]
    allows_partial_payments: bool
    dashboard_url: Annotated[str | None, Field(description="The account at Stripe")]
    connected_at: datetime | None
    refreshed_at: Annotated[datetime | None, Field(description="When Stripe last told it")]
    disconnected_at: datetime | None

    @classmethod
    def of(cls, connection: StripeConnection) -> StripeAccountResponse:
        return cls(**_fields(connection))


class StripeAccountLinkResponse(StripeAccountResponse):
    """The page of Stripe is shown once: a repeated request is answered without it."""

    url: Annotated[str | None, Field(description="Where the company goes on, once and within minutes")]
    url_expires_at: datetime | None


def _fields(connection: StripeConnection) -> dict[str, Any]:
    account = connection.account
    reason = explain_reason(account.disabled_reason) if account else None
    wanted = account.requirements_due if account else ()
    said = explain_connection(connection)
    return {
        "version": connection.version,
        "state": connection.state,
        "detail_fr": said.french,
        "detail_en": said.english,
        "account_id": account.account_id if account else None,
        "accepts_payments": connection.accepts_payments,
        "charges_enabled": bool(account and account.charges_enabled),
        "payouts_enabled": bool(account and account.payouts_enabled),
        "details_submitted": bool(account and account.details_submitted),
        "requirements_due": [StripeRequirementResponse.of(one) for one in explain_requirements(wanted)],
        "disabled": StripeRequirementResponse.of(reason) if reason else None,
        "capabilities": list(account.capabilities) if account else [],
        "allows_partial_payments": connection.allows_partial_payments,
        "dashboard_url": f"{DASHBOARD}/{account.account_id}" if account else None,
        "connected_at": connection.connected_at,
        "refreshed_at": connection.refreshed_at,
        "disconnected_at": connection.disconnected_at,
    }


def stripe_account_answer(connection: StripeConnection) -> Answer:
    return answer(200, StripeAccountResponse.of(connection), version=connection.version)


def stripe_account_link_answer(connection: StripeConnection, *, link: StripeLink | None = None) -> Answer:
    shown: dict[str, Any] = {"url": link.url if link else None, "url_expires_at": link.expires_at if link else None}
    reply = StripeAccountLinkResponse(**_fields(connection), **shown)
    return answer(201, reply, version=connection.version)
