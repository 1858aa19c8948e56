"""The catalogue: requests, answers and list rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import Field

from billing.api.answers import Reply, Request, answer
from billing.api.fields import Text, Unit, UnitPrice
from billing.api.paging import PageReply
from billing.api.vat import ExemptionCode, VatCategoryField, VatRateField, vat_treatment
from billing.domain.errors import FieldError, FieldErrors
from billing.domain.money import format_decimal
from billing.domain.parties import PriceChange, Product, ProductDescription, ProductKind
from billing.domain.vat import VatCategory
from billing.ports.idempotency import Answer
from billing.ports.repositories import ProductSummary


class ProductFields(Request):
    """What a product is described by."""

    kind: ProductKind
    name: Annotated[str, Text(200, min_length=1), Field(examples=["Conception graphique"])]
    description: Annotated[str, Text(1000, lines=True)] = ""
    reference: Annotated[str, Text(50), Field(description="Unique, archived products included")] = ""
    unit: Unit = "C62"
    unit_price: Annotated[UnitPrice, Field(description="Euros without VAT", examples=["85.00"])]
    vat_category: VatCategoryField = None
    vat_rate: VatRateField = None
    exemption_code: ExemptionCode = None

    def product(self) -> ProductDescription:
        """Raises: FieldErrors."""
        errors: list[FieldError] = []
        vat = vat_treatment(self, "", errors)
        if vat is None and not errors:
            errors.append(FieldError("/vat_rate", "Taux de TVA obligatoire.", "A VAT rate is required."))
        if vat is None:
            raise FieldErrors(tuple(errors))
        return ProductDescription(
            kind=self.kind,
            name=self.name,
            description=self.description,
            reference=self.reference,
            unit=self.unit,
            unit_price=self.unit_price,
            vat=vat,
        )


class CreateProductRequest(ProductFields):
    pass


class EditProductRequest(ProductFields):
    """The whole description anew; what is left out becomes empty."""


class ProductResponse(Reply):
    product_id: str
    version: int
    kind: ProductKind
    name: str
    description: str
    reference: str
    unit: str
    unit_price: str
    vat_category: VatCategory
    vat_rate: str
    exemption_code: str | None
    archived: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, product: Product) -> ProductResponse:
        described = product.description
        return cls(
            product_id=product.product_id,
            version=product.version,
            kind=described.kind,
            name=described.name,
            description=described.description,
            reference=described.reference,
            unit=described.unit,
            unit_price=format_decimal(described.unit_price),
            vat_category=described.vat.category,
            vat_rate=format_decimal(described.vat.rate),
            exemption_code=described.vat.exemption_code,
            archived=product.archived,
            created_at=product.created_at,
            updated_at=product.updated_at,
        )


class ProductRowResponse(Reply):
    product_id: str
    kind: ProductKind
    name: str
    reference: str
    unit: str
    unit_price: str
    vat_category: VatCategory
    vat_rate: str
    exemption_code: str | None
    archived: bool

    @classmethod
    def of(cls, row: ProductSummary) -> ProductRowResponse:
        return cls(
            product_id=row.product_id,
            kind=row.kind,
            name=row.name,
            reference=row.reference,
            unit=row.unit,
            unit_price=row.unit_price,
            vat_category=row.vat.category,
            vat_rate=format_decimal(row.vat.rate),
            exemption_code=row.vat.exemption_code,
            archived=row.archived,
        )


class ProductPageResponse(PageReply):
    items: list[ProductRowResponse]


class UnitResponse(Reply):
    code: Annotated[str, Field(examples=["HUR"])]
    label: Annotated[str, Field(description="In French, as documents print it", examples=["heure"])]


class UnitListResponse(Reply):
    items: list[UnitResponse]

    @classmethod
    def of(cls, units: Mapping[str, str]) -> UnitListResponse:
        return cls(items=[UnitResponse(code=code, label=label) for code, label in units.items()])


class ProductPriceResponse(Reply):
    version: Annotated[int, Field(description="The version of the product from which the price stands")]
    unit_price: str
    vat_category: VatCategory
    vat_rate: str
    changed_at: datetime
    changed_by: str

    @classmethod
    def of(cls, price: PriceChange) -> ProductPriceResponse:
        return cls(
            version=price.version,
            unit_price=format_decimal(price.unit_price),
            vat_category=price.vat.category,
            vat_rate=format_decimal(price.vat.rate),
            changed_at=price.changed_at,
            changed_by=price.changed_by,
        )


class ProductPricePageResponse(PageReply):
    items: list[ProductPriceResponse]


def product_answer(product: Product) -> Answer:
    return answer(200, ProductResponse.of(product), version=product.version)


def created_product_answer(product: Product) -> Answer:
    location = f"/v1/products/{product.product_id}"
    return answer(201, ProductResponse.of(product), version=product.version, location=location)
