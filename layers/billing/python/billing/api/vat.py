"""How VAT and discounts are written in requests and answers."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Protocol

from pydantic import Field

from billing.api.answers import Reply, Request
from billing.api.fields import OptionalAmountMinor, Percentage, Text
from billing.domain.errors import FieldError
from billing.domain.money import format_decimal
from billing.domain.totals import Adjustment, Charge, Discount, VatSubtotal
from billing.domain.vat import EXEMPTIONS, STANDARD_RATES, VatCategory, VatTreatment

VatCategoryField = Annotated[
    VatCategory | None,
    Field(description="S standard, E exempt, AE reverse charge, K intra-community, G export, O outside scope"),
]
VatRateField = Annotated[
    Percentage | None,
    Field(description="Percent: a French rate for S; 0 or absent otherwise", examples=["20", "5.5"]),
]
ExemptionCode = Annotated[
    str | None,
    Field(
        max_length=40,
        description="VATEX code, required without VAT. Medical care is `VATEX-FR-CGI261-4-1` and training "
        "`VATEX-FR-CGI261-4-4`: their wordings differ, their official code is `VATEX-FR-CGI261-4`",
        examples=["VATEX-EU-AE"],
    ),
]


class VatFields(Protocol):
    @property
    def vat_category(self) -> VatCategory | None: ...
    @property
    def vat_rate(self) -> Decimal | None: ...
    @property
    def exemption_code(self) -> str | None: ...


def vat_treatment(wanted: VatFields, pointer: str, errors: list[FieldError]) -> VatTreatment | None:
    """The treatment that the fields describe; None when they are all absent, or wrong and so added to errors."""
    category, rate, code = wanted.vat_category, wanted.vat_rate, wanted.exemption_code
    if category is None and rate is None and code is None:
        return None
    exemption = EXEMPTIONS.get(code) if code is not None else None
    if category is None:
        category = exemption.category if exemption else VatCategory.STANDARD

    def refuse(field: str, french: str, english: str) -> None:
        errors.append(FieldError(f"{pointer}/{field}", french, english))

    right = _taxed(rate, code, refuse) if category is VatCategory.STANDARD else _untaxed(category, rate, code, refuse)
    if not right:
        return None
    return VatTreatment(category=category, rate=rate or Decimal(0), exemption_code=code)


def _taxed(rate: Decimal | None, code: str | None, refuse: Callable[[str, str, str], None]) -> bool:
    if rate is None:
        refuse("vat_rate", "Taux de TVA obligatoire.", "A VAT rate is required.")
    elif rate not in STANDARD_RATES:
        refuse(
            "vat_rate",
            "Ce n'est pas un taux de TVA français ; les taux étrangers (OSS) ne sont pas pris en charge.",
            "Not a French VAT rate; foreign rates (OSS) are not supported.",
        )
    if code is not None:
        refuse("exemption_code", "Une ligne taxée n'a pas de motif d'exonération.", "A taxed line has no exemption.")
    return rate in STANDARD_RATES and code is None


def _untaxed(
    category: VatCategory, rate: Decimal | None, code: str | None, refuse: Callable[[str, str, str], None]
) -> bool:
    if rate:
        refuse("vat_rate", "Sans TVA, le taux est 0.", "Without VAT the rate is 0.")
    exemption = EXEMPTIONS.get(code or "")
    known = exemption is not None and exemption.category is category
    if not known:
        codes = ", ".join(each.code for each in EXEMPTIONS.values() if each.category is category)
        refuse(
            "exemption_code",
            f"La catégorie {category.value} demande l'un des motifs : {codes}.",
            f"The category {category.value} needs one of the codes: {codes}.",
        )
    return known and not rate


class DiscountRequest(Request):
    """Either a percentage or an amount."""

    percent: Annotated[Percentage | None, Field(examples=["10"])] = None
    amount_minor: OptionalAmountMinor | None = None
    reason: Annotated[str, Text(100, min_length=1)] = "Remise"

    def discount(self, pointer: str, errors: list[FieldError]) -> Discount | None:
        """The discount, or None and an error when it is both or neither."""
        if (self.percent is None) == (self.amount_minor is None):
            errors.append(
                FieldError(
                    pointer,
                    "Une remise est un pourcentage ou un montant.",
                    "A discount is either a percentage or an amount.",
                )
            )
            return None
        return Discount(percent=self.percent, amount_minor=self.amount_minor, reason=self.reason)


class DiscountResponse(Reply):
    percent: str | None
    amount_minor: int | None
    reason: str

    @classmethod
    def of(cls, discount: Discount | Charge) -> DiscountResponse:
        percent = format_decimal(discount.percent) if discount.percent is not None else None
        return cls(percent=percent, amount_minor=discount.amount_minor, reason=discount.reason)


class ChargeRequest(Request):
    """Either a percentage of the line or an amount."""

    percent: Annotated[Percentage | None, Field(examples=["2"])] = None
    amount_minor: OptionalAmountMinor | None = None
    reason: Annotated[str, Text(100, min_length=1)] = "Frais"

    def charge(self, pointer: str, errors: list[FieldError]) -> Charge | None:
        """The charge, or None and an error when it is both or neither."""
        if not share_is_right(self.percent, self.amount_minor, pointer, errors):
            return None
        return Charge(percent=self.percent, amount_minor=self.amount_minor, reason=self.reason)


class AdjustmentRequest(Request):
    """An allowance or a charge on the whole document: a percentage or an amount, for one VAT group or over all.

    Without VAT fields, an amount is split over the VAT groups by the weight of their lines.
    """

    percent: Annotated[Percentage | None, Field(examples=["2"])] = None
    amount_minor: OptionalAmountMinor | None = None
    reason: Annotated[str, Text(100, min_length=1)]
    reason_code: Annotated[
        str, Text(3), Field(description="UNTDID 5189 for an allowance, UNTDID 7161 for a charge", examples=["FC"])
    ] = ""
    vat_category: VatCategoryField = None
    vat_rate: VatRateField = None
    exemption_code: ExemptionCode = None

    def adjustment(self, pointer: str, errors: list[FieldError]) -> Adjustment | None:
        """The allowance or charge, or None and what is wrong with it."""
        before = len(errors)
        vat = vat_treatment(self, pointer, errors)
        share_is_right(self.percent, self.amount_minor, pointer, errors)
        if len(errors) > before:
            return None
        return Adjustment(
            percent=self.percent,
            amount_minor=self.amount_minor,
            reason=self.reason,
            reason_code=self.reason_code,
            vat=vat,
        )


def share_is_right(percent: Decimal | None, amount_minor: int | None, pointer: str, errors: list[FieldError]) -> bool:
    """A percentage or an amount, never both or neither."""
    if (percent is None) != (amount_minor is None):
        return True
    errors.append(FieldError(pointer, "Donnez un pourcentage ou un montant.", "Give either a percentage or an amount."))
    return False


class AdjustmentResponse(Reply):
    percent: str | None
    amount_minor: int | None
    reason: str
    reason_code: str
    vat_category: Annotated[VatCategory | None, Field(description="Null: over all VAT groups")]
    vat_rate: str | None
    exemption_code: str | None

    @classmethod
    def of(cls, adjustment: Adjustment) -> AdjustmentResponse:
        vat = adjustment.vat
        return cls(
            percent=format_decimal(adjustment.percent) if adjustment.percent is not None else None,
            amount_minor=adjustment.amount_minor,
            reason=adjustment.reason,
            reason_code=adjustment.reason_code,
            vat_category=vat.category if vat else None,
            vat_rate=format_decimal(vat.rate) if vat else None,
            exemption_code=vat.exemption_code if vat else None,
        )


class VatSubtotalResponse(Reply):
    """One group of the VAT breakdown; amounts in cents."""

    vat_category: VatCategory
    vat_rate: str
    exemption_code: str | None
    wording: Annotated[str | None, Field(description="The mention that the law requires")]
    lines_minor: int
    discount_minor: int
    charges_minor: int
    taxable_minor: int
    vat_minor: int

    @classmethod
    def of(cls, group: VatSubtotal) -> VatSubtotalResponse:
        return cls(
            vat_category=group.vat.category,
            vat_rate=format_decimal(group.vat.rate),
            exemption_code=group.vat.exemption_code,
            wording=group.vat.wording,
            lines_minor=group.lines_minor,
            discount_minor=group.discount_minor,
            charges_minor=group.charges_minor,
            taxable_minor=group.taxable_minor,
            vat_minor=group.vat_minor,
        )
