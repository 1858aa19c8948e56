"""The columns of a file of products."""

from __future__ import annotations

from billing.domain.csv_import import CsvRow, ImportReport
from billing.domain.csv_table import Column
from billing.domain.money import format_decimal
from billing.domain.parties import ProductDescription, ProductKind
from billing.domain.units import UNITS

PRODUCT_KINDS = {ProductKind.GOODS: "bien", ProductKind.SERVICE: "service"}
PRODUCT_COLUMNS = (
    Column(field="reference", title="Référence", aliases=("réf", "SKU", "code", "code article")),
    Column(field="name", title="Désignation", aliases=("nom", "libellé", "produit", "name"), required=True),
    Column(field="kind", title="Type", aliases=("nature",), required=True),
    Column(field="description", title="Description"),
    Column(field="unit", title="Unité"),
    Column(
        field="unit_price",
        title="Prix unitaire HT",
        aliases=("prix HT", "prix unitaire", "prix", "price"),
        required=True,
    ),
    Column(field="vat_rate", title="Taux de TVA (%)", aliases=("taux de TVA", "TVA", "VAT")),
    Column(field="vat_category", title="Catégorie de TVA"),
    Column(field="exemption_code", title="Motif d'exonération", aliases=("VATEX",)),
)
ProductRow = CsvRow[ProductDescription]
ProductImport = ImportReport[None]


def product_cells(description: ProductDescription) -> dict[str, str]:
    """As French spreadsheets read numbers: with a comma."""
    return {
        "reference": description.reference,
        "name": description.name,
        "kind": PRODUCT_KINDS[description.kind],
        "description": description.description,
        "unit": UNITS[description.unit],
        "unit_price": format_decimal(description.unit_price).replace(".", ","),
        "vat_rate": format_decimal(description.vat.rate).replace(".", ","),
        "vat_category": description.vat.category.value,
        "exemption_code": description.vat.exemption_code or "",
    }
