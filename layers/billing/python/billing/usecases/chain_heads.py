"""Once a day is over, the head of each chain that moved on it is kept where nobody can change it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date

from billing.domain.chain_head import AwaitedHead, ChainHead
from billing.domain.errors import BillingError
from billing.domain.retention_period import kept_until
from billing.ports.chains import Chains
from billing.ports.clock import Clock
from billing.ports.delivery import Documents
from billing.usecases.turns import Turns

PAGE_LIMIT = 100
BUDGET_SECONDS = 45.0  # the function has a minute; what is left waits for the next hour


class ChainHeadDiffers(RuntimeError):
    """The locked head of a day is gone, or is not what the table or the chain says now: history was changed."""


def locked_text(head: ChainHead, documents: Documents) -> str:
    """What is stored for a head that the table says is kept. Raises: ChainHeadDiffers, DependencyUnavailable."""
    content = documents.get(head.key)
    if content != head.text().encode():
        raise ChainHeadDiffers(head.key)
    return head.text()


def keep_chain_heads(*, chains: Chains, documents: Documents, clock: Clock, park: Callable[[str], object]) -> int:
    """Keep the head of every day that is over and has none yet. Returns how many were kept.

    Safe beside another run of it, and after one that died: what a head is, is said once, before it is kept.

    Before a day is settled, the head kept before it is held against its locked object and against the chain: whoever
    writes the chain again is found the next time it moves. ``park`` is called with each company whose head differs.

    Raises: what went wrong for one company, once every other had its turn; its day stays awaited.
    """
    today, deadline = clock.today(), clock.monotonic() + BUDGET_SECONDS
    turns, kept = Turns(), 0
    for shard in range(chains.shards):
        for page in _awaited(today, shard, deadline, chains=chains, clock=clock):
            for awaited in page:
                with turns.one():
                    try:
                        _keep(awaited, chains=chains, documents=documents, clock=clock)
                    except ChainHeadDiffers:
                        with suppress(BillingError):  # it differs in the next hour as well
                            park(awaited.tenant_id)
                        raise
                    kept += 1
    turns.end()
    return kept


def _awaited(
    today: date, shard: int, deadline: float, *, chains: Chains, clock: Clock
) -> Iterator[tuple[AwaitedHead, ...]]:
    after = None
    while clock.monotonic() < deadline:
        page, after = chains.awaited(today, shard=shard, limit=PAGE_LIMIT, after=after)
        yield page
        if after is None:
            return


def _keep(awaited: AwaitedHead, *, chains: Chains, documents: Documents, clock: Clock) -> None:
    head = awaited.fixed
    if head is None:
        stand = chains.stand(awaited.tenant_id)
        head = chains.fix(
            ChainHead(
                tenant_id=awaited.tenant_id,
                day=awaited.day,
                sequence=stand.sequence,
                chain_hash=stand.chain_hash,
                fixed_at=clock.now(),
            )
        )
    documents.put(head.key, head.text().encode(), media_type="application/json", kept_until=kept_until(head.day))
    _hold_earlier(head, chains=chains, documents=documents)
    chains.settle(head)


def _hold_earlier(head: ChainHead, *, chains: Chains, documents: Documents) -> None:
    """Raises: ChainHeadDiffers."""
    earlier = chains.before(head.tenant_id, head.fixed_at)
    if earlier is None:
        return
    locked_text(earlier, documents)
    places = chains.places(earlier.tenant_id, after=earlier.sequence - 1, limit=1)
    if [place.chain_hash for place in places] != [earlier.chain_hash]:
        raise ChainHeadDiffers(earlier.key)
