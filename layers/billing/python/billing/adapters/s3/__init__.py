"""The document store: what is kept in S3."""
