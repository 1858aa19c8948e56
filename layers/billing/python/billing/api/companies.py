"""The company: how it describes itself, and its onboarding."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool

from billing.api.addresses import AddressRequest, AddressResponse
from billing.api.answers import Reply, Request, answer
from billing.api.fields import (
    AccentColour,
    Bic,
    EmailAddress,
    Iban,
    NumberMask,
    OptionalAmountMinor,
    PaymentTermsDays,
    Percentage,
    Siren,
    Siret,
    Text,
    VatNumber,
)
from billing.api.payment_terms import PaymentTermsRequest, PaymentTermsResponse
from billing.api.trades import TradeProfileRequest, TradeProfileResponse
from billing.domain.colours import DEFAULT_ACCENT, readable
from billing.domain.errors import FieldError, FieldErrors
from billing.domain.identifiers import french_vat_number
from billing.domain.late_payment import (
    DEFAULT_LATE_PENALTY_RATE,
    late_penalty_rate,
    minimum_late_penalty_rate,
    rests_on_an_assumption,
)
from billing.domain.money import format_decimal
from billing.domain.numbering import DEFAULT_PATTERNS, NumberPattern, Series
from billing.domain.parties import (
    DEFAULT_PAYMENT_TERMS_DAYS,
    Company,
    CompanyDescription,
    LegalForm,
    Logo,
    OnboardingStep,
)
from billing.domain.template import Design
from billing.domain.vat import VatRegime
from billing.ports.idempotency import Answer


class DescribeCompanyRequest(Request):
    legal_name: Annotated[str, Text(100, min_length=1), Field(examples=["Atelier Dupont"])]
    trade_name: Annotated[str, Text(100)] = ""
    legal_form: LegalForm
    siren: Siren
    siret: Siret
    vat_number: VatNumber | None = None
    vat_regime: Annotated[VatRegime, Field(description="`franchise`: no VAT is charged (CGI art. 293 B)")]
    vat_on_debits: Annotated[StrictBool, Field(description="The company opted for VAT on debits")] = False
    rcs_city: Annotated[
        Annotated[str, Text(60, min_length=1)] | None,
        Field(description="City of the trade register; required of a company with share capital"),
    ] = None
    share_capital_minor: OptionalAmountMinor | None = None
    address: AddressRequest
    email: EmailAddress
    phone: Annotated[str, Text(30)] = ""
    website: Annotated[str, Text(200)] = ""
    iban: Iban | None = None
    bic: Bic | None = None
    bank_name: Annotated[str, Text(60)] = ""
    payment_terms_days: PaymentTermsDays = DEFAULT_PAYMENT_TERMS_DAYS
    payment_terms: Annotated[
        PaymentTermsRequest | None, Field(description="A rule; goes before `payment_terms_days`")
    ] = None
    late_penalty_rate: Annotated[
        Percentage, Field(description="Percent a year, printed on invoices", examples=["12.15"])
    ] = DEFAULT_LATE_PENALTY_RATE
    early_payment_discount: Annotated[
        str, Text(100), Field(description="Terms of the discount for early payment; `néant` is printed when empty")
    ] = ""
    design: Annotated[
        Design,
        Field(
            description="How documents look from now on: `classic` (Classique); `modern` (Moderne), under a coloured "
            "band; `compact` (Épuré), thin rules in small type, with more lines on a page"
        ),
    ] = Design.CLASSIC
    accent_colour: AccentColour = DEFAULT_ACCENT
    header_text: Annotated[
        str, Text(300, lines=True), Field(description="Printed before the lines of each document, before its own text")
    ] = ""
    footer_text: Annotated[
        str, Text(300, lines=True), Field(description="Printed in the small print of each document")
    ] = ""
    invoice_number_pattern: NumberMask = DEFAULT_PATTERNS[Series.INVOICE].text
    credit_note_number_pattern: NumberMask = DEFAULT_PATTERNS[Series.CREDIT_NOTE].text
    quote_number_pattern: NumberMask = DEFAULT_PATTERNS[Series.QUOTE].text
    trade: Annotated[TradeProfileRequest, Field(description="What the company's trades make it print")] = Field(
        default_factory=TradeProfileRequest
    )

    def description(self) -> CompanyDescription:
        """Raises: FieldErrors, when fields contradict each other."""
        errors = [*self._identity_errors(), *self.address.errors("/address"), *self._bank_errors()]
        terms = self.payment_terms.terms("/payment_terms", errors) if self.payment_terms else None
        if errors:
            raise FieldErrors(tuple(errors))
        return CompanyDescription(
            legal_name=self.legal_name,
            trade_name=self.trade_name,
            legal_form=self.legal_form,
            siren=self.siren,
            siret=self.siret,
            vat_number=self.vat_number,
            vat_regime=self.vat_regime,
            vat_on_debits=self.vat_on_debits,
            rcs_city=self.rcs_city,
            share_capital_minor=self.share_capital_minor,
            address=self.address.address(),
            email=self.email,
            phone=self.phone,
            website=self.website,
            iban=self.iban,
            bic=self.bic,
            bank_name=self.bank_name,
            payment_terms_days=self.payment_terms_days,
            late_penalty_rate=self.late_penalty_rate,
            early_payment_discount=self.early_payment_discount,
            design=self.design,
            accent_colour=self.accent_colour,
            header_text=self.header_text,
            footer_text=self.footer_text,
            invoice_number_pattern=NumberPattern(self.invoice_number_pattern),
            credit_note_number_pattern=NumberPattern(self.credit_note_number_pattern),
            quote_number_pattern=NumberPattern(self.quote_number_pattern),
            payment_terms=terms,
            trade=self.trade.profile(),
        )

    def _identity_errors(self) -> list[FieldError]:
        errors = identifier_errors(self.siren, self.siret, self.vat_number)
        if self.vat_regime is VatRegime.NORMAL and self.vat_number is None:
            errors.append(  # CGI annex II art. 242 nonies A, I, 2°
                FieldError(
                    "/vat_number",
                    "Une entreprise soumise à la TVA indique son numéro de TVA.",
                    "A company that charges VAT states its VAT number.",
                )
            )
        if self.vat_regime is VatRegime.FRANCHISE and self.vat_on_debits:
            errors.append(
                FieldError(
                    "/vat_on_debits",
                    "Une entreprise en franchise n'opte pas pour les débits.",
                    "A company under the franchise has no option for debits.",
                )
            )
        if self.legal_form.has_share_capital and self.share_capital_minor is None:
            errors.append(  # Code de commerce R123-238
                FieldError(
                    "/share_capital_minor",
                    f"Une {self.legal_form.value} indique son capital social.",
                    f"A company with the legal form {self.legal_form.value} states its share capital.",
                )
            )
        if self.legal_form.has_share_capital and self.rcs_city is None:
            errors.append(  # Code de commerce R123-237
                FieldError(
                    "/rcs_city",
                    f"Une {self.legal_form.value} indique la ville de son RCS.",
                    f"A company with the legal form {self.legal_form.value} states the city of its trade register.",
                )
            )
        if not self.legal_form.has_share_capital and self.share_capital_minor is not None:
            errors.append(
                FieldError(
                    "/share_capital_minor",
                    "Cette forme juridique n'a pas de capital social.",
                    "This legal form has no share capital.",
                )
            )
        return errors

    def _bank_errors(self) -> list[FieldError]:
        if self.bic is not None and self.iban is None:
            return [FieldError("/iban", "Un BIC accompagne un IBAN.", "A BIC goes with an IBAN.")]
        if self.bic is not None and self.iban is not None and self.bic[4:6] not in _bank_countries(self.iban):
            return [
                FieldError(
                    "/bic", "Le BIC et l'IBAN désignent deux pays.", "The BIC and the IBAN name different countries."
                )
            ]
        return []


def _bank_countries(iban: str) -> frozenset[str]:
    """Countries of the banks behind an IBAN: accounts overseas and in Monaco may be held under France."""
    french = frozenset({"FR", "GF", "GP", "MQ", "YT", "RE", "PM", "BL", "MF", "NC", "PF", "WF", "TF", "MC"})
    return french if iban[:2] in french else frozenset({iban[:2]})


def identifier_errors(siren: str | None, siret: str | None, vat_number: str | None) -> list[FieldError]:
    """SIRET and French VAT number belong to the SIREN; each was already checked by itself."""
    errors = []
    if siren and siret and not siret.startswith(siren):
        errors.append(
            FieldError("/siret", "Ce SIRET n'est pas celui du SIREN.", "This SIRET does not belong to the SIREN.")
        )
    if siren and vat_number and vat_number.startswith("FR") and vat_number != french_vat_number(siren):
        errors.append(
            FieldError(
                "/vat_number",
                "Ce numéro de TVA n'est pas celui du SIREN.",
                "This VAT number does not belong to the SIREN.",
            )
        )
    return errors


LOGO_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            media_type: {"schema": {"type": "string", "format": "binary"}}
            for media_type in ("image/png", "image/jpeg", "image/gif", "image/webp", "image/tiff", "image/bmp")
        },
    }
}


class LogoResponse(Reply):
    sha256: str
    media_type: str
    width: int
    height: int

    @classmethod
    def of(cls, logo: Logo) -> LogoResponse:
        return cls(sha256=logo.sha256, media_type=logo.media_type, width=logo.width, height=logo.height)


class LatePenaltyResponse(Reply):
    """The default rate of the law for the present half-year (Code de commerce L441-10)."""

    rate: Annotated[str, Field(description="Percent a year", examples=["12.15"])]
    minimum_rate: Annotated[str, Field(description="Three times the legal interest rate")]
    since: date
    assumed: Annotated[bool, Field(description="Not confirmed: it takes the rates of the half-year before")]
    source: str

    @classmethod
    def of(cls, on: date) -> LatePenaltyResponse:
        default = late_penalty_rate(on)
        return cls(
            rate=format_decimal(default.percent),
            minimum_rate=format_decimal(minimum_late_penalty_rate(on)),
            since=default.since,
            assumed=default.assumed,
            source=default.source,
        )


class CompanyResponse(Reply):
    version: int
    legal_name: str
    trade_name: str
    legal_form: LegalForm
    siren: str
    siret: str
    vat_number: str | None
    vat_regime: VatRegime
    vat_on_debits: bool
    rcs_city: str | None
    share_capital_minor: int | None
    address: AddressResponse
    email: str
    phone: str
    website: str
    iban: str | None
    bic: str | None
    bank_name: str
    payment_terms_days: int
    payment_terms: PaymentTermsResponse | None
    late_penalty_rate: str
    late_penalty_rate_assumed: Annotated[bool, Field(description="The printed rate is a default to be confirmed")]
    legal_late_penalty: LatePenaltyResponse
    early_payment_discount: str
    design: Design
    accent_colour: str
    printed_accent_colour: Annotated[str, Field(description="The accent as documents show it")]
    header_text: str
    footer_text: str
    invoice_number_pattern: str
    credit_note_number_pattern: str
    quote_number_pattern: str
    trade: TradeProfileResponse
    onboarding: OnboardingStep
    logo: LogoResponse | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, company: Company, today: date) -> CompanyResponse:
        described = company.description
        return cls(
            version=company.version,
            legal_name=described.legal_name,
            trade_name=described.trade_name,
            legal_form=described.legal_form,
            siren=described.siren,
            siret=described.siret,
            vat_number=described.vat_number,
            vat_regime=described.vat_regime,
            vat_on_debits=described.vat_on_debits,
            rcs_city=described.rcs_city,
            share_capital_minor=described.share_capital_minor,
            address=AddressResponse.of(described.address),
            email=described.email,
            phone=described.phone,
            website=described.website,
            iban=described.iban,
            bic=described.bic,
            bank_name=described.bank_name,
            payment_terms_days=described.payment_terms_days,
            payment_terms=PaymentTermsResponse.of(described.payment_terms) if described.payment_terms else None,
            late_penalty_rate=format_decimal(described.late_penalty_rate),
            late_penalty_rate_assumed=rests_on_an_assumption(described.late_penalty_rate, today),
            legal_late_penalty=LatePenaltyResponse.of(today),
            early_payment_discount=described.early_payment_discount,
            design=described.design,
            accent_colour=described.accent_colour,
            printed_accent_colour=readable(described.accent_colour),
            header_text=described.header_text,
            footer_text=described.footer_text,
            invoice_number_pattern=described.invoice_number_pattern.text,
            credit_note_number_pattern=described.credit_note_number_pattern.text,
            quote_number_pattern=described.quote_number_pattern.text,
            trade=TradeProfileResponse.of(described.trade),
            onboarding=company.onboarding,
            logo=LogoResponse.of(company.logo) if company.logo else None,
            created_at=company.created_at,
            updated_at=company.updated_at,
        )


class AdvanceCompanyOnboardingRequest(Request):
    step: Annotated[Literal[OnboardingStep.PAYMENTS], Field(description="The step to leave behind")]


class CompanyOnboardingResponse(Reply):
    step: Annotated[OnboardingStep, Field(description="The step that is next")]


def company_answer(company: Company, today: date) -> Answer:
    return answer(200, CompanyResponse.of(company, today), version=company.version)


def onboarding_answer(step: OnboardingStep) -> Answer:
    return answer(200, CompanyOnboardingResponse(step=step))
