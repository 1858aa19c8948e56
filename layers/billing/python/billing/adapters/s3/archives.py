"""ZIPs of stored documents and their proofs: read a few at a time, written to the function's disk, sent in parts."""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import IO, TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from boto3.exceptions import S3UploadFailedError

from billing.adapters.s3.documents import translated
from billing.domain.errors import DependencyUnavailable, NotFound
from billing.ports.bulk_jobs import ArchivedFile, ArchivedText, StoredArchive

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TEMPORARY: Final = "kept=temporary"  # the tag of what the bucket's lifecycle rule deletes
_READ_AT_ONCE = 16
_BLOCK = 1 << 20
_PARIS = ZoneInfo("Europe/Paris")


class S3Archives:
    """Port Archives."""

    def __init__(self, client: S3Client, bucket: str, *, read: Callable[[str], bytes | None]) -> None:
        self._client = client
        self._bucket = bucket
        self._read = read

    def archive(
        self, key: str, files: Sequence[ArchivedFile], texts: Iterable[ArchivedText] = (), *, dated: datetime
    ) -> StoredArchive:
        with tempfile.TemporaryFile() as disk:
            self._pack(disk, files, texts, dated)
            size, digest = disk.tell(), _digest(disk)
            disk.seek(0)
            extra = {"ContentType": "application/zip", "Tagging": TEMPORARY}
            try:
                with translated():
                    self._client.upload_fileobj(disk, self._bucket, key, ExtraArgs=extra)
            except S3UploadFailedError as error:
                raise DependencyUnavailable from error
        return StoredArchive(sha256=digest, size_bytes=size)

    def _pack(
        self, disk: IO[bytes], files: Sequence[ArchivedFile], texts: Iterable[ArchivedText], dated: datetime
    ) -> None:
        """PDFs are compressed already: they are only stored."""
        moment = dated.astimezone(_PARIS).timetuple()[:6]
        with zipfile.ZipFile(disk, "w", zipfile.ZIP_STORED) as packed:
            for file, content in zip(files, self._contents(files), strict=True):
                packed.writestr(zipfile.ZipInfo(file.name, date_time=moment), content)
            for text in texts:
                named = zipfile.ZipInfo(text.name, date_time=moment)
                named.compress_type = zipfile.ZIP_DEFLATED
                with packed.open(named, "w", force_zip64=True) as written:
                    for part in text.parts:
                        written.write(part.encode())

    def _contents(self, files: Sequence[ArchivedFile]) -> Iterator[bytes]:
        """In order, a few ahead of what is written, so that memory holds few of them."""
        with ThreadPoolExecutor(_READ_AT_ONCE) as readers:
            for start in range(0, len(files), _READ_AT_ONCE):
                wanted = [file.key for file in files[start : start + _READ_AT_ONCE]]
                for content in readers.map(self._read, wanted):
                    if content is None:
                        raise NotFound
                    yield content


def _digest(disk: IO[bytes]) -> str:
    disk.seek(0)
    digest = hashlib.sha256()
    while block := disk.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()
