"""References of products (SKU): one product of a tenant has one, archived or not."""

from __future__ import annotations

from billing.domain.errors import FieldError, ProductReferenceTaken
from billing.domain.search import fold


def reference_key(reference: str) -> str:
    """What makes two references the same: neither case, accents nor spacing tell them apart. Empty without one."""
    return " ".join(fold(reference).split()) or reference


def taken_error(reference: str, pointer: str = "/reference") -> FieldError:
    return FieldError(
        pointer,
        f"La référence « {reference} » est celle d'un autre produit, peut-être archivé.",
        f"The reference '{reference}' is another product's, which may be archived.",
    )


def reference_taken(reference: str) -> ProductReferenceTaken:
    return ProductReferenceTaken((taken_error(reference),))
