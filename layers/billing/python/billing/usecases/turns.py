"""A run over many independent things: one that fails stops none of the others, and is not forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Each thing of a run has its turn; the first failure is raised at the end, so that the run counts as failed."""

    def __init__(self) -> None:
        self._first: Exception | None = None

    @contextmanager
    def one(
        self,
        *,
        passed_over: type[Exception] | tuple[type[Exception], ...] = (),
        at_once: type[Exception] | tuple[type[Exception], ...] = (),
    ) -> Iterator[None]:
        """What goes wrong within waits for ``end``; ``passed_over`` is no failure: the next run looks again.

        ``at_once`` ends the run where it is: no other would fare better.

        May be used by several threads at once: any of their failures may then be called the first.
        """
        try:
            yield
        except passed_over:
            pass
        except at_once:
            raise
        # Whatever it is: a run serves every company, and a fault in what one of them stored, even one of ours, must
        # not keep the others waiting. It is raised by ``end``: the function fails, is logged and raises its alarm.
        except Exception as error:  # noqa: BLE001
            self._first = self._first or error

    def end(self) -> None:
        """Raises: the first failure, once everything had its turn."""
        if self._first is not None:
            raise self._first


def turning(count: int, chance: float) -> tuple[int, ...]:
    """The shards of a run that may end before the last one, from another one each time: the first keep nobody waiting.

    ``chance``: from 0 to 1, another for each run; a run that is due every so many minutes has no other rhythm to go by.
    """
    first = int(chance * count) % count
    return (*range(first, count), *range(first))
