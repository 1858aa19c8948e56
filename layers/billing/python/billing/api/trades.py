"""What the company's trades make it say, in requests and answers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictBool

from billing.api.answers import Reply, Request
from billing.api.fields import Text
from billing.domain.trades import Insurance, Mediator, Trade, TradeProfile

_Name = Annotated[str, Text(120, min_length=1)]
_Optional = Annotated[str, Text(120)]


class InsuranceRequest(Request):
    """The ten-year insurance of builders."""

    insurer: _Name
    contact: Annotated[_Name, Field(description="Address or telephone of the insurer")]
    territory: Annotated[_Name, Field(examples=["France métropolitaine"])]
    policy: Annotated[_Optional, Field(description="Number of the contract")] = ""


class MediatorRequest(Request):
    name: _Name
    address: Annotated[str, Text(200, min_length=1)]
    website: _Optional = ""


class TradeProfileRequest(Request):
    """Left out, the company says nothing of its trades."""

    trades: Annotated[list[Trade], Field(max_length=len(Trade))] = Field(default_factory=list)
    insurance: Annotated[InsuranceRequest | None, Field(description="Printed on documents of builders")] = None
    mediator: Annotated[MediatorRequest | None, Field(description="Printed on documents to consumers")] = None
    withdrawal_terms: Annotated[str, Text(1000, lines=True), Field(description="Quotes to consumers")] = ""
    waste_statement: Annotated[str, Text(1000, lines=True), Field(description="Quotes of builders")] = ""
    margin_scheme: Annotated[StrictBool, Field(description="The company sells under a margin scheme")] = False

    def profile(self) -> TradeProfile:
        insurance, mediator = self.insurance, self.mediator
        return TradeProfile(
            trades=tuple(dict.fromkeys(self.trades)),
            insurance=Insurance(**insurance.model_dump()) if insurance else None,
            mediator=Mediator(**mediator.model_dump()) if mediator else None,
            withdrawal_terms=self.withdrawal_terms,
            waste_statement=self.waste_statement,
            margin_scheme=self.margin_scheme,
        )


class InsuranceResponse(Reply):
    insurer: str
    contact: str
    territory: str
    policy: str

    @classmethod
    def of(cls, insurance: Insurance) -> InsuranceResponse:
        return cls(
            insurer=insurance.insurer,
            contact=insurance.contact,
            territory=insurance.territory,
            policy=insurance.policy,
        )


class MediatorResponse(Reply):
    name: str
    address: str
    website: str

    @classmethod
    def of(cls, mediator: Mediator) -> MediatorResponse:
        return cls(name=mediator.name, address=mediator.address, website=mediator.website)


class TradeProfileResponse(Reply):
    trades: list[Trade]
    insurance: InsuranceResponse | None
    mediator: MediatorResponse | None
    withdrawal_terms: str
    waste_statement: str
    margin_scheme: bool

    @classmethod
    def of(cls, profile: TradeProfile) -> TradeProfileResponse:
        return cls(
            trades=list(profile.trades),
            insurance=InsuranceResponse.of(profile.insurance) if profile.insurance else None,
            mediator=MediatorResponse.of(profile.mediator) if profile.mediator else None,
            withdrawal_terms=profile.withdrawal_terms,
            waste_statement=profile.waste_statement,
            margin_scheme=profile.margin_scheme,
        )
