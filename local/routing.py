"""Which route a request takes: API Gateway's rule, the most specific wins."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote

from local.stack import Route


class Router:
    """Literal segments beat parameters, parameters beat ``{proxy+}``; a named method beats ANY."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._exact: dict[tuple[str, str], Route] = {}
        self._patterns: list[tuple[list[str], Route]] = []
        for route in routes:
            if "{" in route.path:
                self._patterns.append((route.path.split("/"), route))
            else:
                self._exact[route.method, route.path] = route
        self._patterns.sort(key=lambda pattern: [_rank(segment) for segment in pattern[0]])

    def find(self, method: str, raw_path: str) -> tuple[Route, dict[str, str]] | None:
        """The route and its path parameters, decoded."""
        exact = self._exact.get((method, raw_path)) or self._exact.get(("ANY", raw_path))
        if exact is not None:
            return exact, {}
        segments = raw_path.split("/")
        any_method: tuple[Route, dict[str, str]] | None = None
        for pattern, route in self._patterns:
            if route.method not in {method, "ANY"}:
                continue
            parameters = _match(pattern, segments)
            if parameters is None:
                continue
            if route.method == method:
                return route, parameters
            any_method = any_method or (route, parameters)
        return any_method


def _rank(segment: str) -> int:
    if segment.endswith("+}"):
        return 2
    return 1 if segment.startswith("{") else 0


def _match(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    greedy = pattern[-1].endswith("+}")
    if len(pattern) != len(segments) and not (greedy and len(segments) > len(pattern)):
        return None
    parameters = {}
    for index, expected in enumerate(pattern):
        if expected.endswith("+}"):
            parameters[expected[1:-2]] = unquote("/".join(segments[index:]))
        elif expected.startswith("{"):
            if not segments[index]:
                return None
            parameters[expected[1:-1]] = unquote(segments[index])
        elif expected != segments[index]:
            return None
    return parameters
