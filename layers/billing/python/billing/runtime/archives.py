"""ZIPs in the document store."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from billing.adapters.s3.archives import S3Archives
from billing.adapters.s3.documents import S3Documents, s3_client
from billing.adapters.verifier import verify_export
from billing.runtime.settings import documents_bucket_name


@cache
def archives() -> S3Archives:
    client, bucket = s3_client(), documents_bucket_name()
    return S3Archives(client, bucket, read=S3Documents(client, bucket).get)


@cache
def verifier() -> str:
    """The program that an export carries: the text of a module that runs far from here, too."""
    return Path(verify_export.__file__).read_text(encoding="utf-8")
