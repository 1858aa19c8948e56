"""Reports of days at Stripe, and which accounts have days that are not reconciled yet."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from billing.domain.access import Caller
from billing.domain.events import Event
from billing.domain.reconciliation import Reconciliation
from billing.domain.stripe_payment import DayBooking, PaperRefund
from billing.ports.paging import Page, PageRequest


class Reconciliations(Protocol):
    shards: int

    def due(
        self, day: date, *, shard: int, limit: int, after: str | None = None
    ) -> tuple[tuple[tuple[str, str], ...], str | None]:
        """Tenants and accounts that were not looked at up to a day; the position of the next page."""
        ...

    def due_since(self, tenant_id: str, account_id: str) -> date | None:
        """The first day of an account that was not looked at. One request."""
        ...

    def due_again(
        self, night: date, *, shard: int, limit: int, after: str | None = None
    ) -> tuple[tuple[tuple[str, str, date], ...], str | None]:
        """Tenants, accounts and days to be judged again up to a night, the longest due first; the next position."""
        ...

    def stored(self, tenant_id: str, account_id: str, day: date) -> Reconciliation | None: ...

    def sources(self, tenant_id: str, source_ids: tuple[str, ...]) -> dict[str, str]:
        """The payment intents that charges, refunds and disputes belong to, of those that we know. One request."""
        ...

    def booked(
        self, tenant_id: str, account_id: str, day: date, *, limit: int, after: str | None = None
    ) -> tuple[tuple[DayBooking, ...], str | None]:
        """What our ledger booked on a day of what an account moved; the position of the next page. One request."""
        ...

    def on_paper(
        self, tenant_id: str, day: date, *, limit: int, after: str | None = None
    ) -> tuple[tuple[PaperRefund, ...], str | None]:
        """What credit notes gave back on a day, in the ledger; the position of the next page. One request."""
        ...

    def save(self, report: Reconciliation, *, event: Event | None = None, counts: tuple[str, ...] = ()) -> None:
        """The next version. ``counts``: metrics of the facts that it is. Raises: StaleVersion."""
        ...

    def looked_at(self, tenant_id: str, account_id: str, day: date) -> None:
        """The account is due again the day after."""
        ...

    def list(self, caller: Caller, page: PageRequest) -> Page[Reconciliation]:
        """Latest day first."""
        ...
