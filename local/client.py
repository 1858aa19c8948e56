"""A small client of the API, as a program of a customer would have it: used by the demo, the journeys and the bench."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from email.parser import BytesHeaderParser
from email.policy import default
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx

Json = dict[str, Any]
PATIENCE_SECONDS = 300.0  # a loaded machine is late; what never comes is told in the end
T = TypeVar("T")
TIMEOUT_SECONDS = 35.0  # above API Gateway's own 30 s


class ApiError(Exception):
    """The API refused: status and problem."""

    def __init__(self, method: str, path: str, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers = response.headers
        try:
            self.problem: Json = response.json()
        except ValueError:
            self.problem = {"detail": response.text}
        super().__init__(f"{method} {path}: {self.status} {self.problem}")


class ApiClient:
    """Calls the API as one signed-in person (or nobody)."""

    def __init__(self, base_url: str, *, token: str | None = None) -> None:
        self.base_url = base_url
        self._http = httpx.Client(base_url=base_url, timeout=TIMEOUT_SECONDS, trust_env=False)
        self.token = token

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def send(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """The raw answer, whatever it is. Header names are given with underscores."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent.setdefault("authorization", f"Bearer {self.token}")
        if isinstance(body, bytes):
            return self._http.request(method, path, content=body, headers=sent)
        return self._http.request(method, path, json=body, headers=sent)

    def raw(self, method: str, url: str, **options: Any) -> httpx.Response:
        """A request made elsewhere, as it is."""
        return self._http.request(method, url, **options)

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Json:
        """The JSON answer. A POST without Idempotency-Key gets one. Raises: ApiError."""
        if method == "POST":
            headers.setdefault("idempotency_key", str(uuid.uuid4()))
        response = self.send(method, path, body, **headers)
        if response.is_error:
            raise ApiError(method, path, response)
        answer: Json = response.json() if response.content else {}
        return answer

    def get(self, path: str) -> Json:
        return self.call("GET", path)

    def post(self, path: str, body: object = None, **headers: str) -> Json:
        return self.call("POST", path, body if body is not None else {}, **headers)

    def put(self, path: str, body: object, *, version: int) -> Json:
        return self.call("PUT", path, body, if_match=f'"{version}"')

    def sign_in(self, email: str, password: str) -> Json:
        """Every later call is made as this person."""
        session = self.post("/v1/auth/sign-in", {"email": email, "password": password})
        self.token = session["access_token"]
        return session


def wait_for(look: Callable[[], T | None], *, seconds: float = PATIENCE_SECONDS, what: str) -> T:
    """What ``look`` finds as soon as it finds something. Raises: TimeoutError."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None:
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.05)


def mails_to(mail_directory: Path, recipient: str) -> list[Path]:
    """Mails that reached the local sink for a recipient, oldest first."""
    return [path for path in sorted(mail_directory.glob("*.eml")) if recipient in _recipients(path)]


def _recipients(path: Path) -> set[str]:
    with path.open("rb") as file:
        headers = BytesHeaderParser(policy=default).parse(file)
    return {address.addr_spec for address in headers["To"].addresses}
