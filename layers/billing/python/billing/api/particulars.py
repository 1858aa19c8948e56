"""What a document carries beside its lines, as fields of requests and answers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from billing.api.addresses import AddressRequest, AddressResponse
from billing.api.answers import Reply, Request
from billing.api.fields import ExactDecimal, IsoDate, Siret, Text
from billing.domain.currency import CURRENCIES, ExchangeRate
from billing.domain.errors import FieldError
from billing.domain.money import format_decimal
from billing.domain.particulars import BillingPeriod, Particulars
from billing.domain.tongue import DocumentLanguage

Reference = Annotated[str, Text(100)]


Rate = Annotated[Decimal, ExactDecimal(6, maximum=Decimal(10**6), exclusive_minimum=True)]


class ExchangeRateRequest(Request):
    """The currency of all amounts of the invoice, and its rate: VAT is accounted for in euros."""

    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", description="ISO 4217, of hundredths", examples=["USD"])]
    rate: Annotated[Rate, Field(description="Units of the currency for one euro", examples=["1.0823"])]
    on: Annotated[IsoDate, Field(description="Date of the rate")]
    source: Annotated[str, Text(60, min_length=1), Field(examples=["Banque centrale européenne"])]

    def exchange(self, errors: list[FieldError]) -> ExchangeRate | None:
        """The rate, or None and what is wrong with it."""
        if self.currency not in CURRENCIES:
            errors.append(
                FieldError(
                    "/exchange_rate/currency",
                    "Cette devise n'est pas prise en charge.",
                    "This currency is not supported.",
                )
            )
            return None
        return ExchangeRate(currency=self.currency, rate=self.rate, on=self.on, source=self.source)


class ExchangeRateResponse(Reply):
    currency: str
    rate: str
    on: date
    source: str

    @classmethod
    def of(cls, exchange: ExchangeRate) -> ExchangeRateResponse:
        return cls(
            currency=exchange.currency, rate=format_decimal(exchange.rate), on=exchange.on, source=exchange.source
        )


class ParticularsFields(Request):
    """References of the buyer, delivery and texts of a document."""

    buyer_reference: Annotated[
        Reference, Field(description="BT-10; the service code (code service) in the public sector")
    ] = ""
    contract: Annotated[Reference, Field(description="BT-12; the number of the contract or public market")] = ""
    project: Annotated[Reference, Field(description="BT-11")] = ""
    buyer_siret: Annotated[
        Siret | None, Field(description="BT-46; the establishment that is billed, required by the public sector")
    ] = None
    period_start: Annotated[IsoDate | None, Field(description="First day that a periodic invoice covers")] = None
    period_end: Annotated[IsoDate | None, Field(description="Last day that a periodic invoice covers")] = None
    delivery_name: Annotated[Reference, Field(description="BT-70; who receives, when it is not the buyer")] = ""
    delivery_address: Annotated[AddressRequest | None, Field(description="Instead of the customer's own")] = None
    header_text: Annotated[str, Text(500, lines=True), Field(description="Printed above the lines")] = ""
    footer_text: Annotated[str, Text(500, lines=True), Field(description="Printed below everything else")] = ""
    language: Annotated[
        DocumentLanguage | None,
        Field(
            description="French, French with English beside it, or English alone for a customer abroad; the customer's "
            "own when left out"
        ),
    ] = None
    exchange_rate: Annotated[
        ExchangeRateRequest | None, Field(description="Of an invoice in another currency than the euro")
    ] = None

    def particulars(self, errors: list[FieldError]) -> Particulars:
        """The particulars; what is wrong with them is added to errors."""
        if self.delivery_address is not None:
            errors += self.delivery_address.errors("/delivery_address")
        return Particulars(
            buyer_reference=self.buyer_reference,
            contract=self.contract,
            project=self.project,
            buyer_siret=self.buyer_siret,
            period=self._period(errors),
            delivery_name=self.delivery_name,
            delivery_address=self.delivery_address.address() if self.delivery_address else None,
            header_text=self.header_text,
            footer_text=self.footer_text,
            language=self.language or DocumentLanguage.FRENCH,
            exchange=self.exchange_rate.exchange(errors) if self.exchange_rate else None,
        )

    def _period(self, errors: list[FieldError]) -> BillingPeriod | None:
        start, end = self.period_start, self.period_end
        if start is None and end is None:
            return None
        if start is None or end is None:
            missing = "start" if start is None else "end"
            errors.append(FieldError(f"/period_{missing}", "Une période a deux dates.", "A period has two dates."))
            return None
        if end < start:
            errors.append(
                FieldError("/period_end", "La période finit avant de commencer.", "The period ends before it starts.")
            )
            return None
        return BillingPeriod(start=start, end=end)


class ParticularsReply(Reply):
    buyer_reference: str
    contract: str
    project: str
    buyer_siret: str | None
    period_start: date | None
    period_end: date | None
    delivery_name: str
    delivery_address: AddressResponse | None
    header_text: str
    footer_text: str
    language: DocumentLanguage
    exchange_rate: ExchangeRateResponse | None


def particulars_fields(particulars: Particulars) -> dict[str, object]:
    """The fields of a ParticularsReply."""
    period, address = particulars.period, particulars.delivery_address
    return {
        "buyer_reference": particulars.buyer_reference,
        "contract": particulars.contract,
        "project": particulars.project,
        "buyer_siret": particulars.buyer_siret,
        "period_start": period.start if period else None,
        "period_end": period.end if period else None,
        "delivery_name": particulars.delivery_name,
        "delivery_address": AddressResponse.of(address) if address else None,
        "header_text": particulars.header_text,
        "footer_text": particulars.footer_text,
        "language": particulars.language,
        "exchange_rate": ExchangeRateResponse.of(particulars.exchange) if particulars.exchange else None,
    }
