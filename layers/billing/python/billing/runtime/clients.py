"""SDK clients, made once per process: short connection timeouts, connections kept alive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore.config import Config

from billing.runtime.clock import clock
from billing.runtime.observability import took

if TYPE_CHECKING:
    from botocore.client import BaseClient

_Client = TypeVar("_Client", bound="BaseClient")

# Below the 29 s of a function even when every attempt is used up.
SDK_CONFIG: Final[dict[str, Any]] = {
    "connect_timeout": 1,
    "read_timeout": 5,
    "max_pool_connections": 10,
    "tcp_keepalive": True,
    "retries": {"mode": "standard", "total_max_attempts": 3},
}


def sdk_config(**changes: Any) -> Config:
    return Config(**SDK_CONFIG | changes)


def measured(client: _Client, name: str) -> _Client:
    """The client, whose every call is measured with its tries as ``name``."""

    def begin(context: dict[str, Any], **_: Any) -> None:
        context["began"] = clock.monotonic()

    def end(context: dict[str, Any], **_: Any) -> None:
        took(name, clock.monotonic() - context["began"])

    client.meta.events.register("before-call", begin)
    client.meta.events.register("after-call", end)
    client.meta.events.register("after-call-error", end)
    return client
