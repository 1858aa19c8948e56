"""Accounts and sessions. Passwords stay with the identity provider."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from billing.domain.access import NOWHERE, Caller, Membership, Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Tokens of a sign-in; ``refresh_token`` is None when a refresh did not renew it. Life in seconds."""

    access_token: str
    id_token: str
    refresh_token: str | None
    expires_in: int


class Identity(Protocol):
    def sign_up(self, *, email: str, password: str, full_name: str) -> str:
        """The new user's id; the provider mails a confirmation code.

        Raises: AccountExists, InvalidInput (password policy), TooManyAttempts, DependencyUnavailable.
        """
        ...

    def confirm_email(self, *, email: str, code: str) -> None:
        """Raises: CodeRefused, TooManyAttempts."""
        ...

    def resend_code(self, *, email: str) -> None: ...

    def sign_in(self, *, email: str, password: str) -> Session:
        """Raises: CredentialsRefused, EmailNotConfirmed, SignInChallengeRequired, TooManyAttempts."""
        ...

    def refresh_session(self, *, refresh_token: str) -> Session:
        """Raises: SessionEnded."""
        ...

    def sign_out(self, *, access_token: str) -> None:
        """Every session of the user ends: refresh tokens are revoked.

        Raises:
            SessionEnded: it was over already.
        """
        ...


class Memberships(Protocol):
    def of_user(self, user_id: str) -> Membership | None: ...

    def found(self, membership: Membership, *, at: datetime, origin: Origin = NOWHERE) -> Membership:
        """Write a founding owner's membership and its event unless the user already has one; returns what holds."""
        ...

    def read(self, caller: Caller) -> Membership:
        """Raises: MembershipChanged."""
        ...
