"""The identity provider's adapter over moto's user pool, and its errors by code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError
from botocore.stub import Stubber
from moto import mock_aws

from billing.adapters.cognito import CognitoIdentity
from billing.domain.errors import (
    AccountExists,
    BillingError,
    CodeRefused,
    CredentialsRefused,
    DependencyUnavailable,
    EmailNotConfirmed,
    FieldErrors,
    SessionEnded,
    SignInChallengeRequired,
    TooManyAttempts,
)

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

EMAIL = "dirigeante@atelier.exemple.test"
PASSWORD = "Exemple-de-test-2026!"


@dataclass
class Pool:
    client: CognitoIdentityProviderClient
    pool_id: str
    identity: CognitoIdentity

    def confirm(self) -> None:
        self.client.admin_confirm_sign_up(UserPoolId=self.pool_id, Username=EMAIL)


@pytest.fixture
def pool() -> Iterator[Pool]:
    with mock_aws():
        client = boto3.client("cognito-idp", region_name="eu-west-3")
        pool_id = client.create_user_pool(
            PoolName="users",
            UsernameAttributes=["email"],
            Policies={"PasswordPolicy": {"MinimumLength": 12, "RequireNumbers": True}},
        )["UserPool"]["Id"]
        client_id = client.create_user_pool_client(
            UserPoolId=pool_id,
            ClientName="web",
            ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        )["UserPoolClient"]["ClientId"]
        yield Pool(client, pool_id, CognitoIdentity(client, client_id=client_id))


def sign_up(pool: Pool, password: str = PASSWORD) -> str:
    return pool.identity.sign_up(email=EMAIL, password=password, full_name="Compte Exemple")


def test_an_account_gets_a_session_once_confirmed(pool: Pool) -> None:
    user_id = sign_up(pool)
    with pytest.raises(EmailNotConfirmed):
        pool.identity.sign_in(email=EMAIL, password=PASSWORD)
    pool.confirm()

    session = pool.identity.sign_in(email=EMAIL, password=PASSWORD)
    renewed = pool.identity.refresh_session(refresh_token=session.refresh_token or "")

    assert user_id
    assert session.access_token
    assert session.expires_in == 3600
    assert renewed.access_token
    assert renewed.refresh_token is None


def test_an_address_has_one_account(pool: Pool) -> None:
    sign_up(pool)

    with pytest.raises(AccountExists):
        sign_up(pool)


@pytest.mark.parametrize("password", ["short1", "no-numbers-at-all", "12345"])
def test_a_weak_password_is_named(pool: Pool, password: str) -> None:
    with pytest.raises(FieldErrors) as refused:
        sign_up(pool, password)

    assert [error.pointer for error in refused.value.errors] == ["/password"]


@pytest.mark.parametrize(("email", "password"), [(EMAIL, "Wrong-2026-wrong!"), ("personne@exemple.test", PASSWORD)])
def test_wrong_credentials_do_not_tell_which_is_wrong(pool: Pool, email: str, password: str) -> None:
    sign_up(pool)
    pool.confirm()

    with pytest.raises(CredentialsRefused):
        pool.identity.sign_in(email=email, password=password)


def test_a_revoked_refresh_token_is_refused(pool: Pool) -> None:
    sign_up(pool)
    pool.confirm()
    session = pool.identity.sign_in(email=EMAIL, password=PASSWORD)
    pool.identity.sign_out(access_token=session.access_token)

    for call in (
        lambda: pool.identity.sign_out(access_token=session.access_token),
        lambda: pool.identity.refresh_session(refresh_token="unknown"),
    ):
        with pytest.raises(SessionEnded):
            call()


def confirm(identity: CognitoIdentity) -> None:
    identity.confirm_email(email=EMAIL, code="123456")


def resend(identity: CognitoIdentity) -> None:
    identity.resend_code(email=EMAIL)


def sign_in(identity: CognitoIdentity) -> object:
    return identity.sign_in(email=EMAIL, password=PASSWORD)


def refresh(identity: CognitoIdentity) -> object:
    return identity.refresh_session(refresh_token="token")


@pytest.mark.parametrize(
    ("operation", "call", "code", "error"),
    [
        ("confirm_sign_up", confirm, "CodeMismatchException", CodeRefused),
        ("confirm_sign_up", confirm, "ExpiredCodeException", CodeRefused),
        ("confirm_sign_up", confirm, "UserNotFoundException", CodeRefused),
        ("confirm_sign_up", confirm, "NotAuthorizedException", CodeRefused),
        ("confirm_sign_up", confirm, "TooManyFailedAttemptsException", TooManyAttempts),
        ("resend_confirmation_code", resend, "LimitExceededException", TooManyAttempts),
        ("resend_confirmation_code", resend, "CodeDeliveryFailureException", DependencyUnavailable),
        ("initiate_auth", sign_in, "UserNotConfirmedException", EmailNotConfirmed),
        ("initiate_auth", sign_in, "PasswordResetRequiredException", SignInChallengeRequired),
        ("initiate_auth", sign_in, "TooManyRequestsException", TooManyAttempts),
        ("initiate_auth", sign_in, "UserLambdaValidationException", DependencyUnavailable),
        ("initiate_auth", refresh, "NotAuthorizedException", SessionEnded),
        ("initiate_auth", refresh, "InternalErrorException", DependencyUnavailable),
    ],
)
def test_errors_are_told_apart_by_code(
    pool: Pool, operation: str, call: Callable[[CognitoIdentity], object], code: str, error: type[BillingError]
) -> None:
    with Stubber(pool.client) as stub:
        stub.add_client_error(operation, code)
        with pytest.raises(error) as raised:
            call(pool.identity)

    assert type(raised.value) is error


@pytest.mark.parametrize("code", ["UserNotFoundException", "InvalidParameterException"])
def test_nothing_to_resend_is_no_error(pool: Pool, code: str) -> None:
    with Stubber(pool.client) as stub:
        stub.add_client_error("resend_confirmation_code", code)
        resend(pool.identity)


def test_an_unknown_code_propagates(pool: Pool) -> None:
    with Stubber(pool.client) as stub:
        stub.add_client_error("initiate_auth", "ResourceNotFoundException")
        with pytest.raises(pool.client.exceptions.ClientError):
            sign_in(pool.identity)


def test_a_challenge_is_not_a_session(pool: Pool) -> None:
    with Stubber(pool.client) as stub:
        stub.add_response("initiate_auth", {"ChallengeName": "SOFTWARE_TOKEN_MFA", "ChallengeParameters": {}})
        with pytest.raises(SignInChallengeRequired):
            sign_in(pool.identity)


def test_a_provider_out_of_reach_is_worth_a_retry(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(**_: object) -> None:
        raise ConnectTimeoutError(endpoint_url="https://cognito-idp")

    monkeypatch.setattr(pool.client, "initiate_auth", unreachable)

    with pytest.raises(DependencyUnavailable):
        sign_in(pool.identity)
