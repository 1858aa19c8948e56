"""Types of request fields: exact, bounded, checked. Each has its JSON schema."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StrictBool,
    StrictInt,
)
from pydantic import WithJsonSchema as Schema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from billing.domain.colours import is_colour
from billing.domain.identifiers import is_bic, is_iban, is_siren, is_siret, is_vat_number
from billing.domain.money import (
    MAX_AMOUNT_MINOR,
    MAX_PRICE_DECIMALS,
    MAX_QUANTITY_DECIMALS,
    MAX_RATE_DECIMALS,
    parse_decimal,
)
from billing.domain.numbering import NumberPattern
from billing.domain.retention import MAX_RETENTION_PERCENT
from billing.domain.typography import printable
from billing.domain.units import UNITS

_ISO_DATE = re.compile(r"2[01][0-9]{2}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(_ISO_DATE.pattern + r"T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})")
_DECIMAL_COMMA = re.compile(r"[0-9]{1,20},[0-9]{1,20}")
_COUNTRY_CODE = re.compile(r"[A-Z]{2}")
_EMAIL_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_EMAIL_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_SPACES = re.compile(r"[\s\u00a0\u202f]+")


@dataclass(frozen=True, slots=True)
class Text:
    """Stripped text without control characters, in composed Unicode; lines only where they are wanted."""

    max_length: int
    min_length: int = 0
    lines: bool = False

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.str_schema(strip_whitespace=True, min_length=self.min_length, max_length=self.max_length)
        return core_schema.no_info_before_validator_function(self._cleaned, text)

    def _cleaned(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        text = printable(value)
        if any(_is_control(char) and not (self.lines and char == "\n") for char in text):
            raise PydanticCustomError("control_character", "control character")
        return text


@dataclass(frozen=True, slots=True)
class ExactDecimal:
    """A decimal as a JSON string: a JSON number would have gone through binary floating point somewhere."""

    max_decimals: int
    minimum: Decimal = Decimal(0)
    maximum: Decimal = Decimal(10**9)
    exclusive_minimum: bool = False

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._parsed)

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        decimals = rf"(\.[0-9]{{1,{self.max_decimals}}})?"
        return {"type": "string", "pattern": rf"^[0-9]{{1,10}}{decimals}$"}

    def _parsed(self, value: Any) -> Decimal:
        if not isinstance(value, str):
            raise PydanticCustomError("exact_decimal_type", "exact decimal")
        if _DECIMAL_COMMA.fullmatch(value):
            raise PydanticCustomError("exact_decimal_comma", "a comma")
        if len(value) > 30 or not value.isascii():
            raise self._form_error()
        try:
            parsed = parse_decimal(value, max_decimals=self.max_decimals)
        except ValueError:
            raise self._form_error() from None
        if self.exclusive_minimum and parsed <= self.minimum:
            raise PydanticCustomError("greater_than", "too small", {"gt": str(self.minimum)})
        if parsed < self.minimum:
            raise PydanticCustomError("greater_than_equal", "too small", {"ge": str(self.minimum)})
        if parsed > self.maximum:
            raise PydanticCustomError("less_than_equal", "too large", {"le": str(self.maximum)})
        return parsed

    def _form_error(self) -> PydanticCustomError:
        return PydanticCustomError("exact_decimal_form", "not a decimal", {"max_decimals": self.max_decimals})


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cs", "Co", "Cn"}


def _compact(value: Any) -> Any:
    """Identifiers are often typed in groups."""
    return _SPACES.sub("", value).upper() if isinstance(value, str) else value


def _checked(kind: str, is_right: Callable[[str], bool]) -> AfterValidator:
    def check(value: str) -> str:
        if not is_right(value):
            raise PydanticCustomError(kind, "not a valid identifier")
        return value

    return AfterValidator(check)


def _instant(value: Any) -> datetime:
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise PydanticCustomError("instant", "not an instant")
    try:
        return datetime.fromisoformat(value).astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        raise PydanticCustomError("instant", "not an instant") from None


def _iso_date(value: Any) -> date:
    if not isinstance(value, str) or not _ISO_DATE.fullmatch(value):
        raise PydanticCustomError("iso_date", "not a date")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("iso_date", "not a date") from None


def _email(value: str) -> str:
    local, _, domain = value.rpartition("@")
    labels = domain.split(".")
    right = (
        len(value) <= 254
        and len(local) <= 64
        and _EMAIL_LOCAL.fullmatch(local) is not None
        and len(labels) > 1
        and all(_EMAIL_LABEL.fullmatch(label) for label in labels)
        and not labels[-1].isdigit()
    )
    if not right:
        raise PydanticCustomError("email", "not an address")
    return f"{local}@{domain.lower()}"


def _number_pattern(value: str) -> str:
    try:
        NumberPattern(value)
    except ValueError:
        raise PydanticCustomError("number_pattern", "not a number pattern") from None
    return value


Siren = Annotated[
    str,
    BeforeValidator(_compact),
    _checked("siren", is_siren),
    Schema(
        {"type": "string", "pattern": "^[0-9]{9}$", "description": "With its check digit", "examples": ["732829320"]}
    ),
]
Siret = Annotated[
    str,
    BeforeValidator(_compact),
    _checked("siret", is_siret),
    Schema(
        {
            "type": "string",
            "pattern": "^[0-9]{14}$",
            "description": "With its check digits",
            "examples": ["73282932000074"],
        }
    ),
]
VatNumber = Annotated[
    str,
    BeforeValidator(_compact),
    _checked("vat_number", is_vat_number),
    Schema(
        {
            "type": "string",
            "pattern": "^[A-Z]{2}[A-Z0-9+*]{2,13}$",
            "description": "VAT number of a member state; a French one with its key",
            "examples": ["FR44732829320"],
        }
    ),
]
Iban = Annotated[
    str,
    BeforeValidator(_compact),
    _checked("iban", is_iban),
    Schema(
        {"type": "string", "pattern": "^[A-Z]{2}[0-9]{2}[A-Z0-9]{8,30}$", "examples": ["FR7630006000011234567890189"]}
    ),
]
Bic = Annotated[
    str,
    BeforeValidator(_compact),
    _checked("bic", is_bic),
    Schema({"type": "string", "pattern": "^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$", "examples": ["AGRIFRPP"]}),
]
EmailAddress = Annotated[
    str,
    AfterValidator(_email),
    Schema({"type": "string", "format": "email", "maxLength": 254, "examples": ["compta@client.exemple.fr"]}),
]
IsoDate = Annotated[
    date,
    BeforeValidator(_iso_date),
    Schema(
        {"type": "string", "format": "date", "description": "Civil date in Europe/Paris", "examples": ["2026-11-23"]}
    ),
]
Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    Schema(
        {
            "type": "string",
            "format": "date-time",
            "description": "With its offset from UTC",
            "examples": ["2026-11-28T22:00:00+01:00"],
        }
    ),
]
CountryCode = Annotated[
    str,
    _checked("country_code", lambda value: _COUNTRY_CODE.fullmatch(value) is not None),
    Schema({"type": "string", "pattern": "^[A-Z]{2}$", "description": "ISO 3166-1 alpha-2", "examples": ["FR"]}),
]
Unit = Annotated[
    str,
    _checked("unit", UNITS.__contains__),
    Schema(
        {"type": "string", "enum": sorted(UNITS), "description": "UN/ECE recommendation 20 code", "examples": ["HUR"]}
    ),
]
AccentColour = Annotated[
    str,
    _checked("colour", is_colour),
    AfterValidator(str.lower),
    Schema(
        {
            "type": "string",
            "pattern": "^#[0-9A-Fa-f]{6}$",
            "description": "`#rrggbb`. White text stands on it and it is text on white: a colour too light for that is "
            "printed darker, in the same hue, until both can be read (`printed_accent_colour`)",
            "examples": ["#0a5c5e"],
        }
    ),
]
NumberMask = Annotated[
    str,
    AfterValidator(_number_pattern),
    Schema(
        {
            "type": "string",
            "maxLength": 40,
            "description": "Literal text, `{year}` and the padded rank `{00001}`",
            "examples": ["F{year}-{00001}"],
        }
    ),
]
Quantity = Annotated[Decimal, ExactDecimal(MAX_QUANTITY_DECIMALS, exclusive_minimum=True)]
UnitPrice = Annotated[Decimal, ExactDecimal(MAX_PRICE_DECIMALS)]
Percentage = Annotated[Decimal, ExactDecimal(MAX_RATE_DECIMALS, maximum=Decimal(100))]
RetentionPercent = Annotated[Decimal, ExactDecimal(MAX_RATE_DECIMALS, maximum=MAX_RETENTION_PERCENT)]
AmountMinor = Annotated[StrictInt, Field(ge=1, le=MAX_AMOUNT_MINOR, description="Cents")]
OptionalAmountMinor = Annotated[StrictInt, Field(ge=0, le=MAX_AMOUNT_MINOR, description="Cents")]
ConfirmCash = Annotated[
    StrictBool,
    Field(description="Cash for a debt above the limit of the law (CMF D112-3) is refused unless this is true"),
]
ConfirmInProgress = Annotated[
    StrictBool,
    Field(
        description="While a payment online is in progress, other money that leaves no room for it is refused unless "
        "this is true: it did arrive. What then exceeds the invoice becomes the customer's credit"
    ),
]
ConfirmDisputed = Annotated[
    StrictBool,
    Field(
        description="While a bank decides on a payment, a refund of it by your own means is refused unless this is "
        "true: you gave it back already. If the bank decides for the customer, they have it twice"
    ),
]
PaymentTermsDays = Annotated[StrictInt, Field(ge=0, le=365)]
Version = Annotated[StrictInt, Field(ge=1, le=999_999_999, description="The version that was read")]

_ULID = "[0-9A-HJKMNP-TV-Z]{26}"
CUSTOMER_ID = f"^cus_{_ULID}$"
PRODUCT_ID = f"^prd_{_ULID}$"
CustomerId = Annotated[str, Path(pattern=CUSTOMER_ID)]
ProductId = Annotated[str, Path(pattern=PRODUCT_ID)]
INVOICE_ID = f"^inv_{_ULID}$"
QUOTE_ID = f"^quo_{_ULID}$"
InvoiceId = Annotated[str, Path(pattern=INVOICE_ID)]
QuoteId = Annotated[str, Path(pattern=QUOTE_ID)]
QuoteToken = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{20,160}$", description="The secret part of a public link")]
InvoiceToken = QuoteToken
# What Stripe's way back adds to the address of a page, which may hand it on: the truth is in the answer.
_WAY_BACK = Query(description="As Stripe's way back has it; changes nothing")
# Who may have paid sees the invoice, whatever became of the address on the way.
BackFromPaying = Annotated[
    str | None,
    Query(description="`effectue` or `annule`, as Stripe's way back has it; no value changes anything"),
]
BackFromAccount = Annotated[Literal["retour", "lien-expire"] | None, _WAY_BACK]
BackFromSubscribing = Annotated[Literal["retour", "annule"] | None, _WAY_BACK]
RecurringInvoiceId = Annotated[str, Path(pattern=f"^rec_{_ULID}$")]
WebhookEndpointId = Annotated[str, Path(pattern=f"^whe_{_ULID}$")]
MaintenanceWindowId = Annotated[str, Path(pattern=f"^mnt_{_ULID}$")]
EventSequence = Annotated[str, Path(pattern="^[1-9][0-9]{0,11}$", description="Place in the change feed")]
VerificationId = Annotated[str, Path(pattern=f"^ver_{_ULID}$")]
BulkJobId = Annotated[str, Path(pattern=f"^blk_{_ULID}$")]
BulkDocumentReference = Annotated[
    str, Field(pattern=f"^(inv|crn|quo)_{_ULID}$", examples=["inv_01JDABCDEFGHJKMNPQRSTVWXYZ"])
]
CREDIT_NOTE_ID = f"^crn_{_ULID}$"
PAYMENT_ID = f"^pay_{_ULID}$"
PaymentId = Annotated[str, Path(pattern=PAYMENT_ID)]
InvoiceReference = Annotated[str, Field(pattern=INVOICE_ID, examples=["inv_01JDABCDEFGHJKMNPQRSTVWXYZ"])]
CreditNoteId = Annotated[str, Path(pattern=CREDIT_NOTE_ID)]
CustomerReference = Annotated[str, Field(pattern=CUSTOMER_ID, examples=["cus_01JDABCDEFGHJKMNPQRSTVWXYZ"])]
ProductReference = Annotated[str, Field(pattern=PRODUCT_ID, examples=["prd_01JDABCDEFGHJKMNPQRSTVWXYZ"])]
