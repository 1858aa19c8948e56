"""What several tests of the local cloud do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import boto3


def until(look: Callable[[], Any], seconds: float = 15) -> Any:
    """What ``look`` gives once it is true."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return found


def aws(service: str, url: str) -> Any:
    session = boto3.Session("test", "test", region_name="eu-west-3")
    return session.client(service, endpoint_url=url)
