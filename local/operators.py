"""The operators of this machine: accounts of the operators' pool, each with a real second factor."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import struct
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from local.layout import Layout
from local.provision import client

NAME: Final = "exploitant"
COLLEAGUE: Final = "collegue"  # approves what the first one closes
NAMES: Final = (NAME, COLLEAGUE)
PASSWORD: Final = "Exemple-local-2026!"  # of an account that exists on this machine only
EMAIL: Final = "exploitation@exemple.test"
_POOL: Final = "OperatorsPool"
_CLIENT: Final = "OperatorsPoolClient"
_STEP_SECONDS: Final = 30


class NoOperatorError(Exception):
    """Nobody can sign in as an operator; the words say why."""


def ensure_operator(layout: Layout, name: str = NAME) -> bool:
    """Creates an operator as an administrator would, once. Whether they can sign in."""
    try:
        operator_token(layout, name)
    except NoOperatorError:
        try:
            _create(layout, name)
            operator_token(layout, name)
        except (OSError, KeyError, BotoCoreError, ClientError, NoOperatorError):
            return False
    return True


def operator_token(layout: Layout, name: str = NAME) -> str:
    """An access token: password, then the code of the second factor. Raises: NoOperatorError."""
    try:
        secret = layout.operator_file(name).read_text(encoding="utf-8")
        cognito, resources = client("cognito-idp", layout.ministack_url), _resources(layout)
        asked = _sign_in(cognito, resources, name)
        if asked.get("ChallengeName") != "SOFTWARE_TOKEN_MFA":
            raise NoOperatorError("the operator has no second factor")
        answered = cognito.respond_to_auth_challenge(
            ClientId=resources[_CLIENT],
            ChallengeName="SOFTWARE_TOKEN_MFA",
            Session=asked["Session"],
            ChallengeResponses={"USERNAME": name, "SOFTWARE_TOKEN_MFA_CODE": one_time_code(secret, datetime.now(UTC))},
        )
    except (OSError, KeyError, BotoCoreError, ClientError) as error:
        raise NoOperatorError(f"no operator signs in here: {type(error).__name__}") from error
    return str(answered["AuthenticationResult"]["AccessToken"])


def one_time_code(secret: str, at: datetime) -> str:
    """Six digits of a secret in base 32 (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.new(key, struct.pack(">Q", int(at.timestamp()) // _STEP_SECONDS), hashlib.sha1).digest()
    offset = mac[-1] & 0x0F
    return f"{(struct.unpack('>I', mac[offset : offset + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


def _create(layout: Layout, name: str) -> None:
    cognito, resources = client("cognito-idp", layout.ministack_url), _resources(layout)
    user = {"UserPoolId": resources[_POOL], "Username": name}
    with contextlib.suppress(cognito.exceptions.UserNotFoundException):
        cognito.admin_delete_user(**user)  # one whose second factor was lost
    attributes = [{"Name": "email", "Value": EMAIL}, {"Name": "email_verified", "Value": "true"}]
    cognito.admin_create_user(**user, UserAttributes=attributes, TemporaryPassword=PASSWORD, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(**user, Password=PASSWORD, Permanent=True)
    # ministack lets in whoever has no second factor yet, to choose one; Cognito asks for it first (MFA_SETUP).
    token = _sign_in(cognito, resources, name)["AuthenticationResult"]["AccessToken"]
    secret = cognito.associate_software_token(AccessToken=token)["SecretCode"]
    cognito.verify_software_token(AccessToken=token, UserCode=one_time_code(secret, datetime.now(UTC)))
    layout.operator_file(name).write_text(secret, encoding="utf-8")


def _sign_in(cognito: Any, resources: dict[str, str], name: str) -> Any:
    return cognito.initiate_auth(
        ClientId=resources[_CLIENT],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
    )


def _resources(layout: Layout) -> dict[str, str]:
    found: dict[str, str] = json.loads(layout.resources_file.read_text(encoding="utf-8"))
    return found
