"""A whole local cloud for the journeys, and people who use it (a pytest plugin)."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from local.client import PATIENCE_SECONDS, ApiClient, Json, mails_to, wait_for
from local.demo import confirmation_code
from local.samples import COMPANY, CUSTOMER
from local.testing import LocalCloud, local_cloud

PASSWORD = "Exemple-de-test-2026!"
_ranks = itertools.count(1)


class Person:
    """A signed-in owner, by default of a described company with one customer."""

    def __init__(self, cloud: LocalCloud, *, described: bool = True) -> None:
        self.email = f"personne{next(_ranks)}@exemple.test"
        self.api = ApiClient(cloud.base_url)
        self._cloud = cloud
        self._clients = [self.api]
        self.api.post("/v1/auth/sign-up", {"email": self.email, "password": PASSWORD, "full_name": "Exemple"})
        mail = wait_for(lambda: next(iter(mails_to(cloud.mail_directory, self.email)), None), what="the code")
        self.api.post("/v1/auth/confirm-email", {"email": self.email, "code": confirmation_code(mail)})
        self.session = self.api.sign_in(self.email, PASSWORD)
        self.customer: Json = {}
        if described:
            self.api.put("/v1/company", COMPANY, version=0)
            self.customer = self.api.post("/v1/customers", {**CUSTOMER, "email": f"client.{self.email}"})

    def subscribe(self) -> None:
        """The company pays for its plan: it issues more than the free one is meant for."""
        page = self.api.post("/v1/subscription/start", {"plan_id": "pro"})["url"]
        session = re.search(r"cs_test_\w+", page)
        assert session
        self._cloud.stripe("POST", f"checkout/{session[0]}/pay", {"method": "card"})
        assert self.api.post("/v1/subscription/refresh")["plan"]["plan_id"] == "pro"

    def another_client(self) -> ApiClient:
        self._clients.append(ApiClient(self.api.base_url, token=self.api.token))
        return self._clients[-1]

    def leave(self) -> None:
        for client in self._clients:
            client.close()


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """One local cloud for all journeys that do not break it."""
    with local_cloud(state=tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture(scope="module")
def dated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud of a module's own, whose date its tests set."""
    with local_cloud(state=tmp_path_factory.mktemp("dated")) as running:
        yield running


@contextmanager
def people_of(cloud: LocalCloud) -> Iterator[Callable[..., Person]]:
    people: list[Person] = []

    def make(**options: bool) -> Person:
        people.append(Person(cloud, **options))
        return people[-1]

    yield make
    for someone in people:
        someone.leave()


@pytest.fixture(scope="session")
def signed_up(cloud: LocalCloud) -> Iterator[Callable[..., Person]]:
    with people_of(cloud) as make:
        yield make


@pytest.fixture
def dated_person(dated: LocalCloud) -> Iterator[Callable[..., Person]]:
    """Makes people of the dated cloud."""
    with people_of(dated) as make:
        yield make


@pytest.fixture
def person(signed_up: Callable[..., Person]) -> Callable[..., Person]:
    """Makes people: each call is another company."""
    return signed_up


def delivered(api: ApiClient, invoice_id: str) -> Json | None:
    """The invoice once its delivery stands still."""
    invoice = api.get(f"/v1/invoices/{invoice_id}")
    return None if invoice["delivery"]["in_progress"] else invoice


def insist(api: ApiClient, path: str, body: object, key: str) -> Json:
    """The same request with the same key until it is answered: what a careful client does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            answer = api.send("POST", path, body, idempotency_key=key)
        except httpx.TransportError:
            answer = None
        if answer is not None and answer.status_code < 500:
            assert answer.is_success, answer.text
            done: Json = answer.json()
            return done
        assert time.monotonic() < deadline, "the API did not come back"
        time.sleep(0.2)
