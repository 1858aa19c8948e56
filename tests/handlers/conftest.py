"""Each handler on its sample event, over a real table: a company of its own for each test."""

from __future__ import annotations

import copy
import importlib
import io
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from billing.domain.access import Caller, Membership, Role
from billing.domain.plans import PRO
from billing.ports.stripe import AccountWanted
from billing.runtime import links, stripe, stripe_queue, stripe_webhooks, table, webhooks
from billing.runtime.clock import clock
from billing.runtime.observability import logger
from tests.engines import billing_table, dynamodb, dynamodb_endpoint, usage_table, usage_table_definition
from tests.fakes.stripe import FakeStripe
from tests.fakes.stripe_inbox import FakeStripeEventQueue

__all__ = ["billing_table", "dynamodb", "dynamodb_endpoint", "usage_table"]

EVENTS = Path(__file__).resolve().parents[2] / "events"
Json = dict[str, Any]
STRIPE_SECRETS = ("whsec_sample_new", "whsec_sample_old")
STRIPE = FakeStripe(clock=clock)  # one for all companies, as there is one
STRIPE.sell(PRO.lookup_key, PRO.monthly_price_minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    status: int
    headers: dict[str, str]
    body: Json
    text: str


def sample(operation: str) -> Json:
    """The committed event of ``invoices/create``."""
    event: Json = json.loads((EVENTS / f"{operation}.json").read_text(encoding="utf-8"))
    return event


def invoke(operation: str, event: Json) -> Any:
    return importlib.import_module(operation.replace("/", ".")).handler(event, None)


@dataclass
class Person:
    """A signed-in member who calls operations."""

    tenant_id: str
    user_id: str
    role: Role = Role.OWNER
    ids: Json = field(default_factory=dict)

    def call(
        self,
        operation: str,
        *,
        body: object = None,
        headers: dict[str, str | None] | None = None,
        query: dict[str, str] | None = None,
        **path: str,
    ) -> Answered:
        """The operation's own sample as this person, with changes. Header None: left out."""
        event = sample(operation)
        claims = event["requestContext"].get("authorizer", {}).get("jwt", {}).get("claims")
        if claims and "tenant_id" in claims:  # an operator's request has none, and stays an operator's
            claims.update(tenant_id=self.tenant_id, sub=self.user_id, role=self.role.value)
        if isinstance(body, bytes | str):
            event["body"] = body if isinstance(body, str) else body.decode("latin-1")
        elif body is not None:
            event["body"] = json.dumps(body)
        if "idempotency-key" in event["headers"]:
            event["headers"]["idempotency-key"] = str(uuid.uuid4())
        for name, value in (headers or {}).items():
            event["headers"].pop(name, None)
            if value is not None:
                event["headers"][name] = value
        if query is not None:
            event["queryStringParameters"] = query
            event["rawQueryString"] = "&".join(f"{name}={value}" for name, value in query.items())
        route = event["routeKey"].partition(" ")[2]
        event["pathParameters"] = {**event.get("pathParameters", {}), **path}
        event["rawPath"] = event["requestContext"]["http"]["path"] = route.format(**event["pathParameters"])
        return answered(invoke(operation, event))


def answered(answer: Json) -> Answered:
    text = answer["body"] or ""
    return Answered(
        status=int(answer["statusCode"]),
        headers=answer["headers"],
        body=json.loads(text) if text and "json" in answer["headers"]["Content-Type"] else {},
        text=text,
    )


@pytest.fixture(scope="session", autouse=True)
def environment(dynamodb_endpoint: str, billing_table: str, dynamodb: Any) -> Iterator[None]:
    dynamodb.create_table(TableName="usage-of-all", **usage_table_definition())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_DYNAMODB", dynamodb_endpoint)
        patch.setenv("BILLING_TABLE_NAME", billing_table)
        patch.setenv("USAGE_TABLE_NAME", "usage-of-all")
        patch.setenv("VIEWER_HEADERS_KIND", "none")
        patch.setenv("WEB_ORIGIN_URLS", "https://app.zenbilling.example,http://localhost:5173")
        patch.setenv("DOCUMENTS_BUCKET_NAME", "documents")
        patch.setenv("WEBHOOK_TARGETS_KIND", "public")
        patch.setattr(webhooks, "_key", lambda: "0" * 64)
        patch.setattr(links, "_key", lambda: "0" * 64)
        patch.setenv("PLATFORM_FEE_BASIS_POINTS", "100")
        patch.setenv("STRIPE_RETURN_URL", "https://app.exemple.test/paiements")
        patch.setenv("SUBSCRIPTION_RETURN_URL", "https://app.exemple.test/abonnement")
        patch.setattr(stripe, "gateway", lambda: STRIPE)
        patch.setenv("VIES_API_URL", "http://127.0.0.1:9")  # nobody answers there
        patch.setenv("PORTAL_QUOTES_URL", "https://app.exemple.test/devis")
        patch.setenv("MAIL_FROM_ADDRESS", "factures@zenbilling.example")
        patch.setenv("PORTAL_INVOICES_URL", "https://app.exemple.test/factures")
        yield


@pytest.fixture
def member() -> Callable[..., Person]:
    """Makes members: of a new company, or of the given one."""

    def make(tenant_id: str | None = None, role: Role = Role.OWNER) -> Person:
        person = Person(tenant_id or f"ten_{uuid.uuid4().hex}", str(uuid.uuid4()), role)
        membership = Membership(tenant_id=person.tenant_id, user_id=person.user_id, role=role, version=1)
        table.memberships().found(membership, at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC))
        return person

    return make


@pytest.fixture
def owner(member: Callable[..., Person]) -> Person:
    """The owner of a described company with a customer, a product and a draft."""
    person = member()
    person.call("company/describe")
    customer = person.call("customers/create").body
    service = {**json.loads(sample("products/create")["body"]), "reference": "CG-00"}
    product = person.call("products/create", body=service).body
    body = {**json.loads(sample("invoices/create")["body"]), "customer_id": customer["customer_id"]}
    draft = person.call("invoices/create", body=body).body
    person.ids = {
        "customer_id": customer["customer_id"],
        "product_id": product["product_id"],
        "invoice_id": draft["invoice_id"],
    }
    return person


def take_payments(tenant_id: str) -> str:
    """The company has an account that charges; its id."""
    wanted = AccountWanted(email="a@exemple.test", country="FR", business_name="Exemple")
    account_id = STRIPE.create_account(wanted, idempotency_key=tenant_id).account_id
    STRIPE.enable(account_id)
    connections = table.stripe_connections()
    connected = connections.stored(tenant_id).connected(STRIPE.accounts[account_id], clock.now())
    connections.save(Caller.system(tenant_id, "stripe"), connected)
    return account_id


@pytest.fixture
def seller(owner: Person) -> Person:
    """The owner of a company that takes payments online, with an issued invoice and a link to it."""
    path = {"invoice_id": owner.ids["invoice_id"]}
    owner.call("invoices/issue", body={"version": 1}, **path)
    owner.ids["account_id"] = take_payments(owner.tenant_id)
    owner.ids["token"] = owner.call("invoices/create_link", **path).body["url"].rpartition("/")[2]
    return owner


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> FakeStripeEventQueue:
    """Where Stripe's events wait, signed by one of two secrets."""
    queue = FakeStripeEventQueue()
    monkeypatch.setattr(stripe_queue, "event_queue", lambda: queue)
    monkeypatch.setattr(stripe_webhooks, "_stored_secrets", lambda: STRIPE_SECRETS)
    monkeypatch.setenv("STRIPE_MODE_KIND", "test")
    stripe_webhooks.signing_secrets.cache_clear()
    return queue


@pytest.fixture
def draft_body(owner: Person) -> Json:
    body: Json = json.loads(sample("invoices/create")["body"])
    return copy.deepcopy(body) | {"customer_id": owner.ids["customer_id"]}


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Json]]:
    """What was logged since: the logger keeps the stream it began with."""
    stream = io.StringIO()
    for kept in logger.handlers:
        monkeypatch.setattr(kept, "stream", stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
