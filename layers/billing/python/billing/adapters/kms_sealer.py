"""Secrets sealed by a key that never leaves AWS KMS; the context is proven with them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from billing.domain.errors import DependencyUnavailable

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

_RETRYABLE = frozenset(
    {"ThrottlingException", "KMSInternalException", "DependencyTimeoutException", "KeyUnavailableException"}
)
_KEPT = 1000


class KmsSealer:
    """Port SecretSealer. What was opened is kept for as long as the function is warm."""

    def __init__(self, client: KMSClient, *, key_id: str) -> None:
        self._client = client
        self._key_id = key_id
        self._opened: dict[tuple[str, str], str] = {}

    def seal(self, secret: str, *, context: Mapping[str, str]) -> str:
        answer = self._call(
            "encrypt", KeyId=self._key_id, Plaintext=secret.encode(), EncryptionContext=dict(context)
        )
        return base64.b64encode(answer["CiphertextBlob"]).decode()

    def open(self, sealed: str, *, context: Mapping[str, str]) -> str:
        kept = (sealed, repr(sorted(context.items())))
        if kept not in self._opened:
            if len(self._opened) >= _KEPT:
                self._opened.clear()
            answer = self._call(
                "decrypt",
                KeyId=self._key_id,
                CiphertextBlob=base64.b64decode(sealed),
                EncryptionContext=dict(context),
            )
            self._opened[kept] = answer["Plaintext"].decode()
        return self._opened[kept]

    def _call(self, operation: str, **request: Any) -> Any:
        try:
            return getattr(self._client, operation)(**request)
        except (BotoConnectionError, HTTPClientError) as error:
            raise DependencyUnavailable from error
        except ClientError as error:
            if error.response["Error"]["Code"] in _RETRYABLE:
                raise DependencyUnavailable from error
            raise
