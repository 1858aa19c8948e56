"""Every text of a document can be drawn: held where it is typed, and again before a number is taken.

A text is given with the RFC 6901 pointer of its field, so that a refusal names the field.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from billing.domain.errors import FieldError, FieldErrors
from billing.domain.parties import Address, CompanyDescription, CustomerDescription, ProductDescription
from billing.domain.typography import are_printable, first_unprintable

Text = tuple[str, str]

_COMPANY = (
    "legal_name",
    "trade_name",
    "rcs_city",
    "email",
    "phone",
    "website",
    "bank_name",
    "early_payment_discount",
    "header_text",
    "footer_text",
)
_CUSTOMER = ("name", "contact_name")  # its notes are the company's own, never printed
_PRODUCT = ("name", "description", "reference", "unit")
_ADDRESS = ("line1", "line2", "postal_code", "city")


def company_texts(company: CompanyDescription, at: str = "") -> Iterator[Text]:
    yield from _texts(company, _COMPANY, at)
    yield from _texts(company.address, _ADDRESS, f"{at}/address")
    yield from ((f"{at}/trade{pointer}", text) for pointer, text in company.trade.texts())


def customer_texts(customer: CustomerDescription, at: str = "") -> Iterator[Text]:
    yield from _texts(customer, _CUSTOMER, at)
    yield from _texts(customer.billing_address, _ADDRESS, f"{at}/billing_address")
    if customer.delivery_address is not None:
        yield from _texts(customer.delivery_address, _ADDRESS, f"{at}/delivery_address")
    for index, further in enumerate(customer.addresses):
        yield from _texts(further.address, _ADDRESS, f"{at}/addresses/{index}")


def product_texts(product: ProductDescription, at: str = "") -> Iterator[Text]:
    return _texts(product, _PRODUCT, at)


def unprintable_errors(texts: Iterable[Text]) -> tuple[FieldError, ...]:
    """One error for each field that holds a character without a glyph."""
    held = tuple(texts)
    if are_printable(text for _, text in held):
        return ()
    found = ((pointer, first_unprintable(text)) for pointer, text in held)
    return tuple(
        FieldError(
            pointer,
            f"Le caractère « {character} » ne peut pas être imprimé.",
            f"The character '{character}' cannot be printed.",
        )
        for pointer, character in found
        if character is not None
    )


def refuse_unprintable(texts: Iterable[Text]) -> None:
    """Raises: FieldErrors."""
    errors = unprintable_errors(texts)
    if errors:
        raise FieldErrors(errors)


def _texts(
    holder: CompanyDescription | CustomerDescription | ProductDescription | Address, names: tuple[str, ...], at: str
) -> Iterator[Text]:
    return ((f"{at}/{name}", getattr(holder, name) or "") for name in names)
