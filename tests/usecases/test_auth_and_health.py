"""Accounts and tenants, and what the product says of its own health."""

from __future__ import annotations

from dataclasses import replace

import pytest

from billing.domain.access import Role
from billing.domain.errors import (
    AccountExists,
    CodeRefused,
    CredentialsRefused,
    EmailNotConfirmed,
    InvalidInput,
    MembershipChanged,
    SessionEnded,
    SignInChallengeRequired,
)
from billing.usecases import auth
from billing.usecases.health import read_health
from tests import factories
from tests.fakes.alerts import FakeAlertDesk
from tests.fakes.clock import FakeClock
from tests.fakes.crashes import Crashed, CrashPoint
from tests.fakes.delivery import FakeHealthProbes
from tests.fakes.identity import CODE, FakeIdentity
from tests.fakes.repositories import FakeMemberships, FakeRepositories, fake_repositories

EMAIL, PASSWORD = "camille@exemple.example", "un mot de passe long"


@pytest.fixture
def identity() -> FakeIdentity:
    return FakeIdentity()


@pytest.fixture
def repositories() -> FakeRepositories:
    return fake_repositories()


def _sign_up(identity: FakeIdentity, memberships: FakeMemberships, *, password: str = PASSWORD) -> object:
    return auth.sign_up(
        email=EMAIL,
        password=password,
        full_name="Compte Exemple",
        identity=identity,
        memberships=memberships,
        clock=FakeClock(),
    )


def test_signing_up_founds_a_tenant_owned_by_its_founder(
    identity: FakeIdentity, repositories: FakeRepositories
) -> None:
    _sign_up(identity, repositories.memberships)

    membership = repositories.memberships.of_user("user-1")
    assert membership is not None
    assert (membership.role, membership.version) == (Role.OWNER, 1)
    assert membership.tenant_id.startswith("ten_")
    assert identity.codes_sent == [EMAIL]


def test_two_users_found_two_tenants() -> None:
    memberships = fake_repositories().memberships
    founded = {
        auth.found_tenant(f"user-{index}", memberships=memberships, clock=FakeClock()).tenant_id for index in range(50)
    }

    assert len(founded) == 50


def test_a_refused_sign_up_founds_nothing(identity: FakeIdentity, repositories: FakeRepositories) -> None:
    with pytest.raises(InvalidInput):
        _sign_up(identity, repositories.memberships, password="court")
    _sign_up(identity, repositories.memberships)
    with pytest.raises(AccountExists):
        _sign_up(identity, repositories.memberships)

    assert len(repositories.store.memberships) == 1


@pytest.mark.parametrize("at", range(1, 4))
@pytest.mark.parametrize("after", [False, True])
def test_a_crash_while_signing_up_is_healed_by_the_token_trigger(
    identity: FakeIdentity,
    repositories: FakeRepositories,
    at: int,
    after: bool,
) -> None:
    crash = CrashPoint(at=at, after=after)
    with pytest.raises(Crashed):
        _sign_up(crash.watch(identity), crash.watch(repositories.memberships))

    account = identity.accounts.get(EMAIL)
    if account is None:
        _sign_up(identity, repositories.memberships)
        account = identity.accounts[EMAIL]
    held = auth.found_tenant(account.user_id, memberships=repositories.memberships, clock=FakeClock())

    assert auth.found_tenant(account.user_id, memberships=repositories.memberships, clock=FakeClock()) == held
    assert len(repositories.store.memberships) == 1


def test_a_user_who_belongs_to_a_tenant_founds_none(repositories: FakeRepositories) -> None:
    member = factories.membership(factories.caller(user_id="user-1", role=Role.MEMBER))
    repositories.memberships.found(member, at=FakeClock().now())

    assert auth.found_tenant("user-1", memberships=repositories.memberships, clock=FakeClock()) == member


def test_signing_in_needs_the_right_password_and_a_confirmed_address(
    identity: FakeIdentity, repositories: FakeRepositories
) -> None:
    _sign_up(identity, repositories.memberships)

    with pytest.raises(EmailNotConfirmed):
        auth.sign_in(email=EMAIL, password=PASSWORD, identity=identity)
    with pytest.raises(CodeRefused):
        auth.confirm_email(email=EMAIL, code="000000", identity=identity)
    auth.resend_code(email=EMAIL, identity=identity)
    auth.confirm_email(email=EMAIL, code=CODE, identity=identity)
    with pytest.raises(CredentialsRefused):
        auth.sign_in(email=EMAIL, password="autre", identity=identity)

    assert auth.sign_in(email=EMAIL, password=PASSWORD, identity=identity).refresh_token
    assert identity.codes_sent == [EMAIL, EMAIL]
    identity.accounts[EMAIL].needs_second_factor = True
    with pytest.raises(SignInChallengeRequired):
        auth.sign_in(email=EMAIL, password=PASSWORD, identity=identity)


def test_signing_out_ends_every_session(identity: FakeIdentity, repositories: FakeRepositories) -> None:
    _sign_up(identity, repositories.memberships)
    auth.confirm_email(email=EMAIL, code=CODE, identity=identity)
    first, second = (auth.sign_in(email=EMAIL, password=PASSWORD, identity=identity) for _ in range(2))
    assert second.refresh_token is not None
    assert auth.refresh_session(refresh_token=second.refresh_token, identity=identity).access_token

    auth.sign_out(access_token=first.access_token, identity=identity)

    with pytest.raises(SessionEnded):
        auth.refresh_session(refresh_token=second.refresh_token, identity=identity)


def test_who_am_i_is_the_membership_that_holds_now(repositories: FakeRepositories) -> None:
    caller = factories.caller()
    repositories.memberships.found(factories.membership(caller), at=FakeClock().now())
    assert auth.who_am_i(caller, memberships=repositories.memberships).role is Role.OWNER

    repositories.memberships.change(replace(factories.membership(caller), role=Role.VIEWER, version=2))

    with pytest.raises(MembershipChanged):
        auth.who_am_i(caller, memberships=repositories.memberships)


@pytest.mark.parametrize(
    ("failing", "status"),
    [
        (set(), "healthy"),
        ({"mail"}, "degraded"),
        ({"documents", "workflows", "identity", "mail"}, "degraded"),
        ({"table"}, "unhealthy"),
        ({"table", "mail"}, "unhealthy"),
    ],
)
def test_health_is_lost_with_the_table_only(failing: set[str], status: str) -> None:
    health = read_health(probes=FakeHealthProbes(frozenset(failing)), desk=FakeAlertDesk())

    assert health.status.value == status
    assert {probe.name for probe in health.probes if not probe.healthy} == failing
