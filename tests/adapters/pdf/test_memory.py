"""Many documents in a row take no more memory than a few."""

from __future__ import annotations

from tests.benchmarks.engines import ours

WARM = 200
COUNT = 1_000
BOUND_MB = 4.0  # what a leak of 5 kB a document would pass


def test_a_thousand_different_documents_in_a_row_leave_the_memory_flat() -> None:
    with ours() as printer:
        peaks = [printer.print(0, rank)["memory_mb"] for rank in range(1, COUNT + 1)]

    assert peaks[-1] - peaks[WARM - 1] < BOUND_MB, f"{peaks[WARM - 1]:.1f} MB, then {peaks[-1]:.1f} MB"
