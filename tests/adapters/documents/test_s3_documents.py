from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from datetime import date, timedelta

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws
from mypy_boto3_s3 import S3Client

from billing.adapters.s3.documents import S3Documents, StoredDocumentDiffers, s3_client
from billing.domain.errors import DependencyUnavailable, NotFound
from tests.factories import ISSUED_AT

BUCKET = "exemple-documents"
KEY = "ten_01/invoices/2026/inv_01/abc.pdf"


@pytest.fixture
def client() -> Iterator[S3Client]:
    with mock_aws():
        made = s3_client()
        made.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
        yield made


@pytest.fixture
def documents(client: S3Client) -> S3Documents:
    return S3Documents(client, BUCKET)


def test_what_is_put_is_got_with_its_type(documents: S3Documents, client: S3Client) -> None:
    documents.put(KEY, b"%PDF", media_type="application/pdf")

    assert documents.get(KEY) == b"%PDF"
    assert client.head_object(Bucket=BUCKET, Key=KEY)["ContentType"] == "application/pdf"


def test_an_absent_document_is_none(documents: S3Documents) -> None:
    assert documents.get(KEY) is None


def test_the_same_bytes_again_are_no_change(documents: S3Documents, client: S3Client) -> None:
    documents.put(KEY, b"%PDF", media_type="application/pdf")
    before = client.head_object(Bucket=BUCKET, Key=KEY)["LastModified"]

    documents.put(KEY, b"%PDF", media_type="application/pdf")

    assert client.head_object(Bucket=BUCKET, Key=KEY)["LastModified"] == before


def test_other_bytes_never_replace_a_stored_document(documents: S3Documents) -> None:
    documents.put(KEY, b"%PDF", media_type="application/pdf")

    with pytest.raises(StoredDocumentDiffers):
        documents.put(KEY, b"autre", media_type="application/pdf")

    assert documents.get(KEY) == b"%PDF"


def test_a_link_is_signed_for_five_minutes_and_downloads_under_a_name(documents: S3Documents) -> None:
    link = documents.link(KEY, file_name="F/2026-00001.pdf", now=ISSUED_AT)

    address = urllib.parse.urlsplit(link.url)
    query = urllib.parse.parse_qs(address.query)
    assert address.path == f"/{BUCKET}/{KEY}"
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["300"]
    assert query["response-content-disposition"] == ['attachment; filename="F-2026-00001.pdf"']
    assert link.expires_at == ISSUED_AT + timedelta(minutes=5)


def test_a_name_cannot_leave_its_quotes(documents: S3Documents) -> None:
    link = documents.link(KEY, file_name='a"; x="\r\ny.pdf', now=ISSUED_AT)

    disposition = urllib.parse.parse_qs(urllib.parse.urlsplit(link.url).query)["response-content-disposition"][0]
    assert disposition == 'attachment; filename="a---x----y.pdf"'


def test_a_store_that_does_not_answer_is_worth_a_retry() -> None:
    unreachable = boto3.client(
        "s3", endpoint_url="http://127.0.0.1:9", config=Config(retries={"total_max_attempts": 1})
    )
    documents = S3Documents(unreachable, BUCKET)

    with pytest.raises(DependencyUnavailable):
        documents.put(KEY, b"%PDF", media_type="application/pdf")
    with pytest.raises(DependencyUnavailable):
        documents.get(KEY)


def test_a_missing_bucket_is_no_missing_document(client: S3Client) -> None:
    with pytest.raises(ClientError):
        S3Documents(client, "un-autre-seau").get(KEY)


@pytest.fixture
def locked() -> Iterator[tuple[S3Client, S3Documents]]:
    with mock_aws():
        made = s3_client()
        made.create_bucket(
            Bucket=BUCKET,
            CreateBucketConfiguration={"LocationConstraint": "eu-west-3"},
            ObjectLockEnabledForBucket=True,
        )
        yield made, S3Documents(made, BUCKET)


def _lock(client: S3Client, key: str) -> tuple[str, date]:
    held = client.head_object(Bucket=BUCKET, Key=key)
    return held["ObjectLockMode"], held["ObjectLockRetainUntilDate"].date()


def test_what_is_kept_cannot_be_deleted_before_its_day(locked: tuple[S3Client, S3Documents]) -> None:
    client, documents = locked
    documents.put(KEY, b"%PDF", media_type="application/pdf", kept_until=date(2037, 12, 1))
    documents.put(KEY, b"%PDF", media_type="application/pdf", kept_until=date(2037, 12, 1))
    version = client.head_object(Bucket=BUCKET, Key=KEY)["VersionId"]

    assert _lock(client, KEY) == ("COMPLIANCE", date(2037, 12, 1))
    with pytest.raises(ClientError):
        client.delete_object(Bucket=BUCKET, Key=KEY, VersionId=version)
    assert documents.get(KEY) == b"%PDF"


def test_what_is_there_is_kept_longer_and_never_shorter(locked: tuple[S3Client, S3Documents]) -> None:
    client, documents = locked
    documents.put(KEY, b"a;b", media_type="text/csv")

    documents.keep(KEY, date(2037, 12, 1))
    documents.keep(KEY, date(2038, 6, 1))
    documents.keep(KEY, date(2037, 1, 1))

    assert _lock(client, KEY) == ("COMPLIANCE", date(2038, 6, 1))
    with pytest.raises(NotFound):
        documents.keep("ten_01/attachments/none", date(2037, 12, 1))
