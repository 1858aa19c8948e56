"""The product's own proof, asked for over HTTP."""

from __future__ import annotations

from local.client import ApiClient, ApiError, Json, wait_for


def verified(api: ApiClient, *, seconds: float = 90.0) -> Json:
    """The finished verification of everything issued so far."""
    started = api.post("/v1/invoices/verifications")
    path = f"/v1/invoices/verifications/{started['verification_id']}"

    def look() -> Json | None:
        try:
            job = api.get(path)
        except ApiError as error:
            if error.status != 503:
                raise
            return None  # the machine was too busy to start its function in time: whoever waits looks again
        return None if job["state"] == "running" else job

    return wait_for(look, seconds=seconds, what="the verification")


def numbers_of(api: ApiClient) -> list[str]:
    """Every number issued, in order, walked by cursor."""
    numbers: list[str] = []
    token: str | None = None
    while True:
        suffix = f"&page_token={token}" if token else ""
        page = api.get(f"/v1/invoices?limit=100{suffix}")
        numbers += [row["number"] for row in page["items"] if row["number"]]
        token = page["next_page_token"]
        if token is None:
            return sorted(numbers)
