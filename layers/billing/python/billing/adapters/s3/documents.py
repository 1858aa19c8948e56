"""Documents in S3. A key is written once; what is stored is never overwritten."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from billing.domain.errors import DependencyUnavailable, NotFound
from billing.ports.delivery import DownloadLink

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LOCK: Final = "COMPLIANCE"  # not even the owner of the account shortens it
LINK_LIFE = timedelta(minutes=5)
_UNSAFE_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]")
_SERVER_ERROR = 500
_RETRYABLE = frozenset({"ConditionalRequestConflict", "RequestTimeout", "SlowDown", "Throttling", "TooManyRequests"})


class StoredDocumentDiffers(RuntimeError):
    """Other bytes stand under the key: the store or a key is broken. Nothing is overwritten."""


def s3_client() -> S3Client:
    """Signature version 4 and path style: presigned links that AWS and its stand-ins accept."""
    client: S3Client = boto3.client(
        "s3",
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            retries={"mode": "standard", "max_attempts": 3},
            connect_timeout=3,
            read_timeout=20,
        ),
    )
    return client


class S3Documents:
    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, key: str, content: bytes, *, media_type: str, kept_until: date | None = None) -> None:
        """Raises: DependencyUnavailable, StoredDocumentDiffers."""
        lock: dict[str, Any] = {}
        if kept_until is not None:
            lock = {"ObjectLockMode": _LOCK, "ObjectLockRetainUntilDate": _instant(kept_until)}
        try:
            with translated():
                self._client.put_object(
                    Bucket=self._bucket, Key=key, Body=content, ContentType=media_type, IfNoneMatch="*", **lock
                )
        except ClientError as error:
            if error.response["Error"]["Code"] != "PreconditionFailed":
                raise
            if self.get(key) != content:
                raise StoredDocumentDiffers(key) from error

    def keep(self, key: str, until: date) -> None:
        """Raises: NotFound, DependencyUnavailable."""
        try:
            with translated():
                held: Mapping[str, Any] = self._client.head_object(Bucket=self._bucket, Key=key)
                locked = held.get("ObjectLockRetainUntilDate")
                if locked is None or locked < _instant(until):  # the store refuses to shorten
                    self._client.put_object_retention(
                        Bucket=self._bucket,
                        Key=key,
                        Retention={"Mode": _LOCK, "RetainUntilDate": _instant(until)},
                    )
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"404", "NoSuchKey", "NotFound"}:
                raise
            raise NotFound from error

    def get(self, key: str) -> bytes | None:
        """Raises: DependencyUnavailable."""
        try:
            with translated():
                return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise

    def link(self, key: str, *, file_name: str, now: datetime) -> DownloadLink:
        url = self._client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": key,
                "ResponseContentDisposition": f'attachment; filename="{_UNSAFE_IN_NAMES.sub("-", file_name)}"',
            },
            ExpiresIn=int(LINK_LIFE.total_seconds()),
        )
        return DownloadLink(url=url, expires_at=now + LINK_LIFE)


@contextmanager
def translated() -> Iterator[None]:
    """Failures worth retrying become DependencyUnavailable; others stay what they are."""
    try:
        yield
    except (BotoConnectionError, HTTPClientError) as error:
        raise DependencyUnavailable from error
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status >= _SERVER_ERROR or error.response["Error"]["Code"] in _RETRYABLE:
            raise DependencyUnavailable from error
        raise


def _instant(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
