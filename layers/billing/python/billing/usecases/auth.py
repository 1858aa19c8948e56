"""Accounts: sign up, confirm, sign in and out; the claims of a token."""

from __future__ import annotations

import hashlib

from billing.domain.access import NOWHERE, Caller, Membership, Origin, Role
from billing.ports.clock import Clock
from billing.ports.identity import Identity, Memberships, Session

FIRST_MEMBERSHIP_VERSION = 1


def sign_up(
    *,
    email: str,
    password: str,
    full_name: str,
    identity: Identity,
    memberships: Memberships,
    clock: Clock,
    origin: Origin = NOWHERE,
) -> Membership:
    """A new account, owner of a new tenant; a code to confirm the address is on its way.

    Raises: AccountExists, InvalidInput, TooManyAttempts, DependencyUnavailable.
    """
    user_id = identity.sign_up(email=email, password=password, full_name=full_name)
    return found_tenant(user_id, memberships=memberships, clock=clock, origin=origin)


def found_tenant(user_id: str, *, memberships: Memberships, clock: Clock, origin: Origin = NOWHERE) -> Membership:
    """The membership of a user, founding their tenant when they have none.

    The tenant id follows from the user id, so that a crash between account and membership is healed by
    whoever comes next (the token trigger does) without ever making two tenants.
    """
    existing = memberships.of_user(user_id)
    if existing is not None:
        return existing
    digest = hashlib.sha256(f"tenant of {user_id}".encode()).hexdigest()
    founder = Membership(
        tenant_id=f"ten_{digest[:32]}", user_id=user_id, role=Role.OWNER, version=FIRST_MEMBERSHIP_VERSION
    )
    return memberships.found(founder, at=clock.now(), origin=origin)


def confirm_email(*, email: str, code: str, identity: Identity) -> None:
    identity.confirm_email(email=email, code=code)


def resend_code(*, email: str, identity: Identity) -> None:
    identity.resend_code(email=email)


def sign_in(*, email: str, password: str, identity: Identity) -> Session:
    return identity.sign_in(email=email, password=password)


def refresh_session(*, refresh_token: str, identity: Identity) -> Session:
    return identity.refresh_session(refresh_token=refresh_token)


def sign_out(*, access_token: str, identity: Identity) -> None:
    identity.sign_out(access_token=access_token)


def who_am_i(caller: Caller, *, memberships: Memberships) -> Membership:
    return memberships.read(caller)
