"""ZIPs of stored documents in S3."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from mypy_boto3_s3 import S3Client

from billing.adapters.s3.archives import S3Archives
from billing.adapters.s3.documents import S3Documents, s3_client
from billing.domain.errors import DependencyUnavailable, NotFound
from billing.ports.bulk_jobs import ArchivedFile, ArchivedText

BUCKET = "exemple-documents"
KEY = "ten_01/exports/blk_01-1.zip"
STARTED = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)


@pytest.fixture
def client() -> Iterator[S3Client]:
    with mock_aws():
        made = s3_client()
        made.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
        yield made


@pytest.fixture
def archives(client: S3Client) -> S3Archives:
    return S3Archives(client, BUCKET, read=S3Documents(client, BUCKET).get)


def stored(client: S3Client, count: int, *, size: int = 10) -> list[ArchivedFile]:
    files = [ArchivedFile(f"F-{rank}.pdf", f"ten_01/invoices/{rank}.pdf") for rank in range(count)]
    for rank, file in enumerate(files):
        client.put_object(Bucket=BUCKET, Key=file.key, Body=f"{rank}".encode() * size)
    return files


def read(client: S3Client) -> bytes:
    return client.get_object(Bucket=BUCKET, Key=KEY)["Body"].read()


def test_the_zip_holds_every_document_in_order_under_its_name(archives: S3Archives, client: S3Client) -> None:
    files = stored(client, 50)

    made = archives.archive(KEY, files, dated=STARTED)

    content = read(client)
    packed = zipfile.ZipFile(io.BytesIO(content))
    assert (made.size_bytes, made.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert packed.namelist() == [file.name for file in files]
    assert [packed.read(file.name) for file in files] == [f"{rank}".encode() * 10 for rank in range(50)]
    assert packed.infolist()[0].date_time == (2026, 11, 24, 0, 30, 0)  # as a clock in Paris says
    assert packed.testzip() is None
    assert client.head_object(Bucket=BUCKET, Key=KEY)["ContentType"] == "application/zip"


def test_it_is_marked_so_that_it_expires(archives: S3Archives, client: S3Client) -> None:
    archives.archive(KEY, stored(client, 1), dated=STARTED)

    assert client.get_object_tagging(Bucket=BUCKET, Key=KEY)["TagSet"] == [{"Key": "kept", "Value": "temporary"}]


def test_the_same_documents_give_the_same_bytes(archives: S3Archives, client: S3Client) -> None:
    files = stored(client, 3)

    assert archives.archive(KEY, files, dated=STARTED) == archives.archive(KEY, files, dated=STARTED)


def test_an_archive_too_large_for_one_part_is_whole(archives: S3Archives, client: S3Client) -> None:
    files = stored(client, 3, size=4 * 1024 * 1024)

    made = archives.archive(KEY, files, dated=STARTED)

    assert made.size_bytes > 12 * 1024 * 1024
    assert hashlib.sha256(read(client)).hexdigest() == made.sha256


def test_a_document_that_is_gone_stops_it_and_nothing_is_stored(archives: S3Archives, client: S3Client) -> None:
    files = [*stored(client, 2), ArchivedFile("F-9.pdf", "ten_01/invoices/9.pdf")]

    with pytest.raises(NotFound):
        archives.archive(KEY, files, dated=STARTED)
    with pytest.raises(client.exceptions.NoSuchKey):
        read(client)


@pytest.mark.parametrize("code", ["SlowDown", "InternalError"])
def test_a_store_that_cannot_take_it_now_is_worth_a_retry(
    archives: S3Archives, client: S3Client, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    files = stored(client, 1)

    def refuse(**_: Any) -> Any:
        answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 503}}
        raise ClientError(answer, "PutObject")  # type: ignore[arg-type]

    monkeypatch.setattr(client, "put_object", refuse)

    with pytest.raises(DependencyUnavailable):
        archives.archive(KEY, files, dated=STARTED)


def test_texts_are_made_while_they_are_written_after_the_documents(archives: S3Archives, client: S3Client) -> None:
    made: list[str] = []

    def parts(name: str) -> Iterator[str]:
        for rank in range(3):
            made.append(f"{name}{rank}")
            yield f"{name} {rank} é\n"

    def texts() -> Iterator[ArchivedText]:
        yield ArchivedText("preuves/a.jsonl", parts("a"))
        yield ArchivedText("seen.txt", [",".join(made)])

    first = archives.archive(KEY, stored(client, 2), texts(), dated=STARTED)
    packed = zipfile.ZipFile(io.BytesIO(read(client)))

    assert packed.namelist() == ["F-0.pdf", "F-1.pdf", "preuves/a.jsonl", "seen.txt"]
    assert packed.read("preuves/a.jsonl").decode() == "a 0 é\na 1 é\na 2 é\n"
    assert packed.read("seen.txt").decode() == "a0,a1,a2"
    made.clear()
    assert archives.archive(KEY, stored(client, 2), texts(), dated=STARTED) == first
