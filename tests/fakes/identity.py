"""A fake identity provider: accounts, a code that is always the same, sessions that can be revoked."""

from __future__ import annotations

from dataclasses import dataclass

from billing.domain.errors import (
    AccountExists,
    CodeRefused,
    CredentialsRefused,
    EmailNotConfirmed,
    InvalidInput,
    SessionEnded,
    SignInChallengeRequired,
)
from billing.ports.identity import Session

CODE = "123456"
SHORTEST_PASSWORD = 12


@dataclass
class Account:
    user_id: str
    password: str
    full_name: str
    confirmed: bool = False
    needs_second_factor: bool = False
    generation: int = 0


class FakeIdentity:
    """Port Identity."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.codes_sent: list[str] = []

    def sign_up(self, *, email: str, password: str, full_name: str) -> str:
        if email in self.accounts:
            raise AccountExists
        if len(password) < SHORTEST_PASSWORD:
            raise InvalidInput("Mot de passe trop court.", "The password is too short.")
        self.accounts[email] = Account(f"user-{len(self.accounts) + 1}", password, full_name)
        self.codes_sent.append(email)
        return self.accounts[email].user_id

    def confirm_email(self, *, email: str, code: str) -> None:
        account = self.accounts.get(email)
        if account is None or code != CODE:
            raise CodeRefused
        account.confirmed = True

    def resend_code(self, *, email: str) -> None:
        if email in self.accounts:  # an unknown address is not told apart
            self.codes_sent.append(email)

    def sign_in(self, *, email: str, password: str) -> Session:
        account = self.accounts.get(email)
        if account is None or account.password != password:
            raise CredentialsRefused
        if not account.confirmed:
            raise EmailNotConfirmed
        if account.needs_second_factor:
            raise SignInChallengeRequired
        token = f"{email} {account.generation}"
        return Session(access_token=token, id_token=f"id {token}", refresh_token=f"refresh {token}", expires_in=3600)

    def refresh_session(self, *, refresh_token: str) -> Session:
        token = refresh_token.removeprefix("refresh ")
        self._account_of(token)
        return Session(access_token=token, id_token=f"id {token}", refresh_token=None, expires_in=3600)

    def sign_out(self, *, access_token: str) -> None:
        self._account_of(access_token).generation += 1

    def _account_of(self, token: str) -> Account:
        email, _, generation = token.partition(" ")
        account = self.accounts.get(email)
        if account is None or str(account.generation) != generation:
            raise SessionEnded
        return account
