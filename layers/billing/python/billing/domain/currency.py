"""A document in another currency than the euro, and its VAT in euros (BT-6, BT-111; CGI annex II art. 242 nonies A)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from billing.domain.money import divide_minor

EURO = "EUR"
# Currencies of a hundredth, as every amount here is; others would need another rounding.
_CODES = """AED ARS AUD BRL CAD CHF CNY CZK DKK EGP GBP HKD HUF IDR ILS INR KES MAD MUR MXN MYR NOK NZD PEN PHP PLN
QAR RON RSD SAR SEK SGD THB TRY TWD UAH USD ZAR"""
CURRENCIES = frozenset(_CODES.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRate:
    """How many units of a currency one euro is worth, as the European Central Bank publishes it."""

    currency: str
    rate: Decimal
    on: date
    source: str

    def __post_init__(self) -> None:
        if self.currency not in CURRENCIES:
            raise ValueError("a currency of hundredths other than the euro")
        if self.rate <= 0:
            raise ValueError("an exchange rate is positive")

    def in_euros(self, amount_minor: int) -> int:
        """Cents of a euro for hundredths of the currency, half away from zero."""
        return divide_minor(amount_minor, self.rate)
