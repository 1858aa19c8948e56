"""Files of products: their lines as requests, and the report of an import."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from billing.api.answers import Reply, answer
from billing.api.csv_import import ImportErrorResponse, ImportErrors, csv_rows
from billing.api.language import Language
from billing.api.products import CreateProductRequest
from billing.domain.csv_import import ImportedRow
from billing.domain.parties import ProductDescription, ProductKind
from billing.domain.product_csv import PRODUCT_COLUMNS, PRODUCT_KINDS, ProductImport, ProductRow
from billing.domain.search import fold
from billing.domain.units import UNITS
from billing.ports.idempotency import Answer

_KINDS = {
    **{word: kind for kind, word in PRODUCT_KINDS.items()},
    "produit": ProductKind.GOODS,
    "marchandise": ProductKind.GOODS,
    "prestation": ProductKind.SERVICE,
}
_UNITS = {fold(label): code for code, label in UNITS.items()}
_AROUND_NUMBERS = re.compile(r"[\s\u00a0\u202f]|[€%]$")


class ImportedProductResponse(Reply):
    line: int
    product_id: str
    name: str

    @classmethod
    def of(cls, imported: ImportedRow) -> ImportedProductResponse:
        return cls(line=imported.line, product_id=imported.resource_id, name=imported.name)


class ProductImportResponse(Reply):
    dry_run: bool
    rows: int
    errors: ImportErrors
    imported: list[ImportedProductResponse]


def product_import_answer(report: ProductImport, language: Language) -> Answer:
    reply = ProductImportResponse(
        dry_run=report.dry_run,
        rows=report.rows,
        errors=[ImportErrorResponse.of(error, PRODUCT_COLUMNS, language) for error in report.errors],
        imported=[ImportedProductResponse.of(one) for one in report.imported],
    )
    return answer(200, reply)


def product_rows(content: bytes) -> tuple[ProductRow, ...]:
    """Each line held to what creating a product asks. Raises: InvalidInput."""
    return csv_rows(content, PRODUCT_COLUMNS, _MEANT, _described)


def _described(request: dict[str, Any]) -> ProductDescription:
    return CreateProductRequest.model_validate(request).product()


def _singular(cell: str) -> str:
    return fold(cell).removesuffix("s")


def _unit(cell: str) -> str:
    return _UNITS.get(fold(cell)) or _UNITS.get(_singular(cell)) or cell.upper()


def _number(cell: str) -> str:
    """``1 234,50 €`` → ``1234.50``. What has both a comma and a dot stays as it is, and is refused."""
    bare = _AROUND_NUMBERS.sub("", cell)
    return bare if "." in bare else bare.replace(",", ".")


_MEANT: dict[str, Callable[[str], Any]] = {
    "kind": lambda cell: _KINDS.get(_singular(cell), cell.lower()),
    "unit": _unit,
    "unit_price": _number,
    "vat_rate": _number,
    "vat_category": str.upper,
    "exemption_code": str.upper,
}
