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
from billing.domain.totals import Discount, VatSubtotal
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
    def of(cls, discount: Discount) -> DiscountResponse:
        percent = format_decimal(discount.percent) if discount.percent is not None else None
        return cls(percent=percent, amount_minor=discount.amount_minor, reason=discount.reason)


class VatSubtotalResponse(Reply):
    """One group of the VAT breakdown; amounts in cents."""

    vat_category: VatCategory
    vat_rate: str
    exemption_code: str | None
    wording: Annotated[str | None, Field(description="The mention that the law requires")]
    lines_minor: int
    discount_minor: int
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
            taxable_minor=group.taxable_minor,
            vat_minor=group.vat_minor,
        )
