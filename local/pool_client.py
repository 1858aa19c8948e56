"""How the other processes call functions: over the internal entry."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from typing import Any, Final

from local.layout import HOST, Layout

_CALL_SECONDS: Final = 910.0  # Lambda's longest, and a little
_KEPT_SECONDS: Final = 30.0  # the entry closes a connection that was idle for 75


class PoolUnreachableError(Exception):
    """The call was not answered; whether it was run is unknown."""


class PoolClient:
    """Calls functions through the internal entry. One per thread."""

    def __init__(self, layout: Layout) -> None:
        self._port = layout.ports.control
        self._connection: http.client.HTTPConnection | None = None
        self._used_at = 0.0

    def __call__(self, function: str, event: Mapping[str, Any]) -> tuple[Any, bool]:
        return self.invoke(function, json.dumps(event).encode())

    def invoke(self, function: str, body: bytes) -> tuple[Any, bool]:
        """The answer and whether it is an error. Raises: PoolUnreachableError."""
        try:
            if self._connection is not None and time.monotonic() - self._used_at > _KEPT_SECONDS:
                self._connection.close()
                self._connection = None
            if self._connection is None:
                self._connection = http.client.HTTPConnection(HOST, self._port, timeout=_CALL_SECONDS)
            self._connection.request("POST", f"/2015-03-31/functions/{function}/invocations", body)
            answer = self._connection.getresponse()
            content = json.loads(answer.read() or b"null")
            self._used_at = time.monotonic()
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._connection = None
            raise PoolUnreachableError(str(error)) from error
        is_error = answer.status >= 400 or answer.headers.get("x-amz-function-error") is not None
        return content, is_error
