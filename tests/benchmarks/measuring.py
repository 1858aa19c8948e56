"""How figures are taken and shown: in turn, so that the noise of a machine falls on all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median, quantiles


def alternate(
    actions: Sequence[Callable[[], object]], *, rounds: int, clock: Callable[[], float] = time.perf_counter
) -> list[list[float]]:
    """Milliseconds of each action, each once before it counts, then all of them in turn."""
    for action in actions:
        action()
    figures: list[list[float]] = [[] for _ in actions]
    for _ in range(rounds):
        for action, taken in zip(actions, figures, strict=True):
            started = clock()
            action()
            taken.append((clock() - started) * 1000)
    return figures


def p50_and_p95(taken: Sequence[float]) -> tuple[float, float]:
    return median(taken), quantiles(taken, n=20)[18]
