"""The body of a request, parsed so that nothing odd goes further."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, NoReturn

from billing.domain.errors import InvalidInput


def parse_body(text: str) -> dict[str, Any]:
    """The object of a JSON text; white space alone counts as an empty one.

    Raises:
        InvalidInput: not JSON, not an object, too deep, NaN, endless digits, half of a surrogate pair.
    """
    if not text.strip():
        return {}
    try:
        parsed = json.loads(text, parse_constant=_refuse_constant)
        if "\\u" in text:  # only an escape can bring in half of a surrogate pair, which no store can hold
            json.dumps(parsed, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise InvalidInput(
            "Le corps de la demande n'est pas un texte JSON valide.", "The request body is not valid JSON."
        ) from None
    if not isinstance(parsed, dict):
        raise InvalidInput("Le corps de la demande doit être un objet JSON.", "The request body must be a JSON object.")
    return parsed


def raw_body(event: Mapping[str, Any]) -> bytes:
    """The bytes of an upload. Raises: InvalidInput, when there are none."""
    body = str(event.get("body") or "")
    try:
        content = base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
    except (binascii.Error, UnicodeEncodeError):
        content = b""
    if not content:
        raise InvalidInput("Le corps de la demande est vide.", "The request body is empty.")
    return content


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
