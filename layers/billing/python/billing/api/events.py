"""What an API Gateway HTTP API event says besides the body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_CORRELATION_ID = re.compile(r"[A-Za-z0-9._:=-]{8,100}")


def header(event: Mapping[str, Any], name: str) -> str:
    """A header of a payload format 2.0 event, whose names are in lower case; empty when absent."""
    return str((event.get("headers") or {}).get(name) or "")


def correlation_id(event: Mapping[str, Any]) -> str:
    """What ties the traces of a request together: the client's own id when it is sane, else API Gateway's."""
    given = header(event, "x-correlation-id")
    if _CORRELATION_ID.fullmatch(given):
        return given
    return str(event["requestContext"]["requestId"])
