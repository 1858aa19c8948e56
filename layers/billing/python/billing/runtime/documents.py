"""The document store."""

from __future__ import annotations

from functools import cache

from billing.adapters.s3.documents import S3Documents, s3_client
from billing.runtime.settings import documents_bucket_name


@cache
def documents() -> S3Documents:
    return S3Documents(s3_client(), documents_bucket_name())
