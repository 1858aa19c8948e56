"""The product from outside, as a customer's program sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """``body`` is an object of JSON, or bytes of any other type."""

    status: int
    body: Mapping[str, Any] | bytes


class Requests(Protocol):
    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, headers: Mapping[str, str]
    ) -> Answered:
        """Whatever is answered. Raises: DependencyUnavailable: nothing was, or not in time."""
        ...


class PublicApi(Requests, Protocol):
    def fetch(self, url: str) -> bytes:
        """What stands at an address that the API gave. Raises: DependencyUnavailable."""
        ...


class DeploymentReports(Protocol):
    def report(self, deployment_id: str, execution_id: str, *, passed: bool) -> None:
        """What the deployment that asked waits for: calls move to the new version, or never do. Once is enough."""
        ...
