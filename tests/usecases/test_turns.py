"""A run gives everything its turn and still fails when one of them did."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from billing.usecases.turns import Turns, turning


def fail(error: Exception) -> None:
    raise error


def test_the_first_failure_is_told_after_the_last_turn() -> None:
    turns, had = Turns(), []
    for name, error in (("a", KeyError("a")), ("b", ValueError("b")), ("c", None)):
        with turns.one(passed_over=LookupError):
            had.append(name)
            if error is not None:
                fail(error)

    assert had == ["a", "b", "c"]
    with pytest.raises(ValueError, match="b"):
        turns.end()


def test_what_is_passed_over_is_no_failure() -> None:
    turns = Turns()
    with turns.one(passed_over=KeyError):
        fail(KeyError("taken by another run"))

    turns.end()


def test_an_interruption_is_not_kept() -> None:
    with pytest.raises(KeyboardInterrupt), Turns().one():
        raise KeyboardInterrupt


def test_threads_share_the_turns_of_a_run() -> None:
    turns = Turns()

    def turn(rank: int) -> int:
        with turns.one():
            if rank == 3:
                raise ValueError("the third")
        return rank

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(turn, range(8))) == list(range(8))
    with pytest.raises(ValueError, match="the third"):
        turns.end()


def test_what_no_other_would_survive_ends_the_run_at_once() -> None:
    turns = Turns()

    with pytest.raises(TimeoutError), turns.one(at_once=TimeoutError):
        raise TimeoutError
    turns.end()


@pytest.mark.parametrize(
    ("chance", "order"), [(0.0, (0, 1, 2, 3)), (0.49, (1, 2, 3, 0)), (0.5, (2, 3, 0, 1)), (0.999, (3, 0, 1, 2))]
)
def test_each_run_begins_elsewhere_and_comes_round(chance: float, order: tuple[int, ...]) -> None:
    assert turning(4, chance) == order
