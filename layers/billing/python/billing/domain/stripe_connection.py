"""A company and its Stripe account: connected by the company itself, and let go by it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from billing.domain.canonical import LATER
from billing.domain.stripe import StripeAccount


class ConnectionState(StrEnum):
    NONE = "none"
    CREATING = "creating"  # recorded; Stripe was asked, or is about to be
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeConnection:
    """``account`` as Stripe last told it, at ``refreshed_at``. ``made`` counts the accounts that were created.

    ``closing``: it was let go, and the pages that customers could pay on are being closed.
    """

    tenant_id: str
    version: int = 0  # 0: not stored yet
    state: ConnectionState = ConnectionState.NONE
    made: int = 0
    account: StripeAccount | None = None
    allows_partial_payments: bool = False
    connected_at: datetime | None = None
    refreshed_at: datetime | None = None
    disconnected_at: datetime | None = None
    closing: bool = False
    accepted_once: bool = field(default=False, metadata=LATER)  # the account charged, whether it does now or not

    @property
    def accepts_payments(self) -> bool:
        return self.state is ConnectionState.CONNECTED and self.account is not None and self.account.charges_enabled

    @property
    def just_connected(self) -> bool:
        """Nothing else was told of the account since."""
        return self.state is ConnectionState.CONNECTED and self.connected_at == self.refreshed_at

    @property
    def account_key(self) -> str:
        """The idempotency key of the account that is being created."""
        return f"account-{self.tenant_id}-{self.made}"

    def creating(self) -> StripeConnection:
        return replace(
            self._moved(), state=ConnectionState.CREATING, made=self.made + 1, account=None, accepted_once=False
        )

    def connected(self, account: StripeAccount, at: datetime) -> StripeConnection:
        return replace(
            self._moved(),
            state=ConnectionState.CONNECTED,
            account=account,
            accepted_once=self._charged_by(account),
            connected_at=at,
            refreshed_at=at,
            disconnected_at=None,
        )

    def refreshed(self, account: StripeAccount, at: datetime) -> StripeConnection:
        return replace(self._moved(), account=account, accepted_once=self._charged_by(account), refreshed_at=at)

    def disconnected(self, at: datetime) -> StripeConnection:
        return replace(self._moved(), state=ConnectionState.DISCONNECTED, disconnected_at=at, closing=True)

    def closed(self) -> StripeConnection:
        return replace(self._moved(), closing=False)

    def allowing_partial_payments(self, allowed: bool) -> StripeConnection:
        return replace(self._moved(), allows_partial_payments=allowed)

    def _charged_by(self, account: StripeAccount) -> bool:
        """Whether this account charges, or did."""
        before = self.account
        if before is None or before.account_id != account.account_id:
            return account.charges_enabled
        return account.charges_enabled or before.charges_enabled or self.accepted_once

    def _moved(self) -> StripeConnection:
        return replace(self, version=self.version + 1)
