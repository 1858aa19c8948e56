"""Pages of a list, and the opaque tokens that lead from one to the next."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from billing.api.answers import Reply
from billing.domain.access import Caller
from billing.domain.errors import PageTokenInvalid
from billing.ports.paging import PageRequest

Limit = Annotated[int, Query(ge=1, le=100, description="Items per page")]
PageToken = Annotated[
    str | None,
    Query(max_length=2000, description="`next_page_token` of the previous page, with the same filters"),
]
DEFAULT_LIMIT = 50
NextPageToken = Annotated[str | None, Field(description="Where the next page starts; null on the last page")]


class PageReply(Reply):
    next_page_token: NextPageToken = None


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of one list: of a tenant, an operation and its filters. A token of another list is refused."""

    scope: str

    def request(self, limit: int, token: str | None) -> PageRequest:
        """Raises: PageTokenInvalid."""
        return PageRequest(limit=limit, position=self._position(token) if token is not None else None)

    def token(self, position: str | None) -> str | None:
        """What leads to the page after a position."""
        if position is None:
            return None
        content = json.dumps([self._fingerprint(position), position], ensure_ascii=False, separators=(",", ":"))
        return base64.urlsafe_b64encode(content.encode()).rstrip(b"=").decode()

    def _position(self, token: str) -> str:
        try:
            decoded = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            fingerprint, position = json.loads(decoded)
            known = isinstance(position, str) and fingerprint == self._fingerprint(position)
        except (ValueError, TypeError, RecursionError, binascii.Error):
            known, position = False, ""
        if not known:
            raise PageTokenInvalid
        return str(position)

    def _fingerprint(self, position: str) -> str:
        return hashlib.sha256(f"{self.scope}\n{position}".encode()).hexdigest()[:24]


def operator_pages(app: APIGatewayHttpResolver, **filters: object) -> Pages:
    """Of what belongs to no tenant."""
    scope = ["operators", app.context["_route"].operation_id, sorted(filters.items())]
    return Pages(json.dumps(scope, default=str))


def pages(app: APIGatewayHttpResolver, caller: Caller, **filters: object) -> Pages:
    scope = [caller.tenant_id, app.context["_route"].operation_id, sorted(filters.items())]
    return Pages(json.dumps(scope, default=str))
