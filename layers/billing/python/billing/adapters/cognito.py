"""Accounts and sessions in an Amazon Cognito user pool. Errors are told apart by code, never by text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, HTTPClientError, ParamValidationError
from botocore.exceptions import ConnectionError as BotoConnectionError

from billing.domain.errors import (
    AccountExists,
    BillingError,
    CodeRefused,
    CredentialsRefused,
    DependencyUnavailable,
    EmailNotConfirmed,
    FieldError,
    FieldErrors,
    SessionEnded,
    SignInChallengeRequired,
    TooManyAttempts,
)
from billing.ports.identity import Session

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_cognito_idp.type_defs import InitiateAuthResponseTypeDef

_COMMON: Mapping[str, type[BillingError]] = {
    "TooManyRequestsException": TooManyAttempts,
    "LimitExceededException": TooManyAttempts,
    "TooManyFailedAttemptsException": TooManyAttempts,
    "InternalErrorException": DependencyUnavailable,
    "ServiceUnavailableException": DependencyUnavailable,
    "CodeDeliveryFailureException": DependencyUnavailable,
    # Our own trigger of the token: Cognito waits five seconds for it.
    "UserLambdaValidationException": DependencyUnavailable,
    "UnexpectedLambdaException": DependencyUnavailable,
    "InvalidLambdaResponseException": DependencyUnavailable,
}
_SIGN_IN: Mapping[str, type[BillingError]] = {
    "NotAuthorizedException": CredentialsRefused,
    "UserNotFoundException": CredentialsRefused,
    "InvalidParameterException": CredentialsRefused,
    "PasswordResetRequiredException": SignInChallengeRequired,
    "UserNotConfirmedException": EmailNotConfirmed,
}
_REFRESH: Mapping[str, type[BillingError]] = {
    "NotAuthorizedException": SessionEnded,
    "UserNotFoundException": SessionEnded,
    "InvalidParameterException": SessionEnded,
    "PasswordResetRequiredException": SignInChallengeRequired,
    "UserNotConfirmedException": EmailNotConfirmed,
}
_SIGN_OUT: Mapping[str, type[BillingError]] = {
    "NotAuthorizedException": SessionEnded,
    "UserNotFoundException": SessionEnded,
}
_CONFIRM: Mapping[str, type[BillingError]] = {
    "CodeMismatchException": CodeRefused,
    "ExpiredCodeException": CodeRefused,
    "UserNotFoundException": CodeRefused,
    # A user who is confirmed already: the code has served.
    "NotAuthorizedException": CodeRefused,
    "AliasExistsException": AccountExists,
}
_NOTHING_TO_RESEND = frozenset({"UserNotFoundException", "InvalidParameterException", "NotAuthorizedException"})
_SERVER_ERROR = 500


class CognitoIdentity:
    """Port Identity."""

    def __init__(self, client: CognitoIdentityProviderClient, *, client_id: str) -> None:
        self._client = client
        self._client_id = client_id

    def sign_up(self, *, email: str, password: str, full_name: str) -> str:
        with _translated({"UsernameExistsException": AccountExists}):
            try:
                answer = self._client.sign_up(
                    ClientId=self._client_id,
                    Username=email,
                    Password=password,
                    UserAttributes=[{"Name": "email", "Value": email}, {"Name": "name", "Value": full_name}],
                )
            except ParamValidationError as error:
                raise _password_refused() from error
            except ClientError as error:
                # The form of the address was checked before: what remains invalid is the password.
                if _code(error) in {"InvalidPasswordException", "InvalidParameterException"}:
                    raise _password_refused() from error
                raise
        return answer["UserSub"]

    def confirm_email(self, *, email: str, code: str) -> None:
        with _translated(_CONFIRM):
            self._client.confirm_sign_up(ClientId=self._client_id, Username=email, ConfirmationCode=code)

    def resend_code(self, *, email: str) -> None:
        """An unknown or confirmed address is not told apart."""
        with _translated({}):
            try:
                self._client.resend_confirmation_code(ClientId=self._client_id, Username=email)
            except ClientError as error:
                if _code(error) not in _NOTHING_TO_RESEND:
                    raise

    def sign_in(self, *, email: str, password: str) -> Session:
        with _translated(_SIGN_IN):
            answer = self._client.initiate_auth(
                ClientId=self._client_id,
                AuthFlow="USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": email, "PASSWORD": password},
            )
        return _session(answer)

    def refresh_session(self, *, refresh_token: str) -> Session:
        with _translated(_REFRESH):
            answer = self._client.initiate_auth(
                ClientId=self._client_id,
                AuthFlow="REFRESH_TOKEN_AUTH",
                AuthParameters={"REFRESH_TOKEN": refresh_token},
            )
        return _session(answer)

    def sign_out(self, *, access_token: str) -> None:
        with _translated(_SIGN_OUT):
            self._client.global_sign_out(AccessToken=access_token)


def _session(answer: InitiateAuthResponseTypeDef) -> Session:
    """Raises: SignInChallengeRequired."""
    result = answer.get("AuthenticationResult")
    if not result:
        raise SignInChallengeRequired
    return Session(
        access_token=result["AccessToken"],
        id_token=result["IdToken"],
        refresh_token=result.get("RefreshToken"),
        expires_in=result["ExpiresIn"],
    )


def _password_refused() -> FieldErrors:
    return FieldErrors(
        (
            FieldError(
                "/password",
                "Au moins 12 caractères : minuscule, majuscule, chiffre et symbole.",
                "At least 12 characters: lower and upper case, a digit and a symbol.",
            ),
        )
    )


@contextmanager
def _translated(refusals: Mapping[str, type[BillingError]]) -> Iterator[None]:
    try:
        yield
    except (BotoConnectionError, HTTPClientError) as error:
        raise DependencyUnavailable from error
    except ClientError as error:
        refusal = refusals.get(_code(error)) or _COMMON.get(_code(error))
        if refusal is None and error.response["ResponseMetadata"]["HTTPStatusCode"] >= _SERVER_ERROR:
            refusal = DependencyUnavailable
        if refusal is None:
            raise
        raise refusal from error


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]
