"""ZIPs in the document store."""

from __future__ import annotations

from functools import cache

from billing.adapters.s3.archives import S3Archives
from billing.adapters.s3.documents import S3Documents, s3_client
from billing.runtime.settings import documents_bucket_name


@cache
def archives() -> S3Archives:
    client, bucket = s3_client(), documents_bucket_name()
    return S3Archives(client, bucket, read=S3Documents(client, bucket).get)
