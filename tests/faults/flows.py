"""What happens to a payment online, as a process that may die does it, and how it is taken up again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from billing.domain.errors import BillingError
from tests.fakes.crashes import Crashed
from tests.faults.house import House, differences
from tests.faults.wire import Fate, is_read


@dataclass(frozen=True, kw_only=True)
class Flow:
    """``act`` is what goes wrong somewhere; ``recover`` what comes of itself afterwards.

    ``holds`` looks at the end, and what else Stripe tells.

    ``any_day``: it may come to its end a day later, and what is dated then is no other end.
    """

    act: Callable[[], object]
    recover: Callable[[], object]
    holds: Callable[[], object]
    any_day: bool = False


@dataclass(frozen=True, kw_only=True)
class Report:
    """The requests of an undisturbed run; which of them went wrong, and how; what that left otherwise."""

    requests: tuple[str, ...]
    points: tuple[tuple[int, Fate], ...]
    findings: tuple[str, ...]


def every_request_goes_wrong(house: House, prepare: Callable[[House], Flow], *, until_found: bool = False) -> Report:
    """The flow once undisturbed, which has to come to what ``holds`` says; then once for each request and its fates.

    Each time what is in the table, at Stripe and in the queue has to be the same at the end. ``until_found``: no
    further than what is not.
    """
    house.found()
    flow = prepare(house)
    start = house.image()
    house.wire.arm(0, Fate.UNSENT)
    flow.act()
    requests = tuple(house.wire.sent)
    flow.recover()
    expected = house.books(any_day=flow.any_day)
    flow.holds()
    points: list[tuple[int, Fate]] = []
    findings: list[str] = []
    for at, fate in fates_of(requests):
        if findings and until_found:
            break
        house.put_back(start)
        struck = _disturbed(house, flow, at, fate)
        assert struck, f"request {at} of {len(requests)} was never sent"
        points.append((at, fate))
        findings += [f"request {at}, {struck}: {fate}: {said}" for said in _left(house, flow, expected)]
    return Report(requests=requests, points=tuple(points), findings=tuple(findings))


def fates_of(requests: Sequence[str]) -> Iterator[tuple[int, Fate]]:
    """Every answer is lost once, and the process dies before the first request and on either side of each that writes.

    Between two of them it only reads: wherever it dies there, it leaves what it leaves after the write before.
    """
    for at, what in enumerate(requests, start=1):
        yield at, Fate.LOST
        if at == 1 or not is_read(what):
            yield at, Fate.UNSENT
        if not is_read(what):
            yield at, Fate.UNHEARD


def _disturbed(house: House, flow: Flow, at: int, fate: Fate) -> str:
    house.wire.arm(at, fate)
    try:
        flow.act()
    except Crashed:
        assert fate is not Fate.LOST
    except BillingError:  # the process is told, and says so
        assert fate is Fate.LOST
    return house.wire.disarm()


def _left(house: House, flow: Flow, expected: list[str]) -> list[str]:
    """What is otherwise than after a run that nobody disturbed."""
    try:
        flow.recover()
    except (AssertionError, BillingError) as error:
        return [f"{type(error).__name__}: {error}"]
    return differences(expected, house.books(any_day=flow.any_day))
