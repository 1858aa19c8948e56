"""Postal addresses, as companies and customers give them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from billing.api.answers import Reply, Request
from billing.api.fields import CountryCode, Text
from billing.domain.errors import FieldError
from billing.domain.parties import Address, AddressUse, FurtherAddress

_FRENCH_POSTAL_CODE = re.compile(r"[0-9]{5}")


class AddressRequest(Request):
    line1: Annotated[str, Text(120, min_length=1)]
    line2: Annotated[str, Text(120)] = ""
    postal_code: Annotated[str, Text(12, min_length=1)]
    city: Annotated[str, Text(80, min_length=1)]
    country_code: CountryCode = "FR"

    def errors(self, pointer: str) -> list[FieldError]:
        """What is wrong in an address that the request holds at this pointer."""
        if self.country_code != "FR" or _FRENCH_POSTAL_CODE.fullmatch(self.postal_code):
            return []
        return [
            FieldError(
                f"{pointer}/postal_code",
                "Un code postal français a cinq chiffres.",
                "A French postal code has five digits.",
            )
        ]

    def address(self) -> Address:
        return Address(
            line1=self.line1,
            line2=self.line2,
            postal_code=self.postal_code,
            city=self.city,
            country_code=self.country_code,
        )


class FurtherAddressRequest(AddressRequest):
    """An address beside the default one of its use."""

    label: Annotated[str, Text(60, min_length=1), Field(examples=["Entrepôt de Lyon"])]
    use: AddressUse

    def further(self) -> FurtherAddress:
        return FurtherAddress(label=self.label, use=self.use, address=self.address())


class AddressResponse(Reply):
    line1: str
    line2: str
    postal_code: str
    city: str
    country_code: str

    @classmethod
    def of(cls, address: Address) -> AddressResponse:
        return cls(
            line1=address.line1,
            line2=address.line2,
            postal_code=address.postal_code,
            city=address.city,
            country_code=address.country_code,
        )


class FurtherAddressResponse(AddressResponse):
    label: str
    use: AddressUse

    @classmethod
    def of_further(cls, further: FurtherAddress) -> FurtherAddressResponse:
        address = AddressResponse.of(further.address)
        return cls(label=further.label, use=further.use, **address.model_dump())
