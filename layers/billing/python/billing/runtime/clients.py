"""SDK clients, made once per process: short connection timeouts, connections kept alive."""

from __future__ import annotations

from typing import Any, Final

from botocore.config import Config

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
