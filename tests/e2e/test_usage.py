"""Pages of the web app are looked at over HTTP, as browsers do, and an operator reads the sums."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from local.client import ApiClient, Json
from local.operators import ensure_operator, operator_token
from local.provision import client
from local.testing import LocalCloud

pytestmark = pytest.mark.cloud
USAGE = "/v1/operations/usage"
ORIGIN = "http://localhost:5173"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
TELEPHONE = "Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0"


@pytest.fixture(scope="module")
def operator(cloud: LocalCloud) -> Iterator[ApiClient]:
    assert ensure_operator(cloud.layout)
    with ApiClient(cloud.base_url, token=operator_token(cloud.layout)) as api:
        yield api


def look(cloud: LocalCloud, page: str, **headers: str) -> httpx.Response:
    """As ``navigator.sendBeacon`` sends a string."""
    sent = {"content-type": "text/plain;charset=UTF-8", "origin": ORIGIN, "user-agent": FIREFOX, **headers}
    return httpx.post(f"{cloud.base_url}/v1/usage", content=json.dumps({"page": page}), headers=sent, timeout=30)


def total(operator: ApiClient) -> Json:
    found: Json = operator.get(USAGE)["total"]
    return found


def test_views_at_once_are_counted_once_each_and_read_by_operators(cloud: LocalCloud, operator: ApiClient) -> None:
    before = total(operator)
    pages = ["dashboard", "invoices", "invoice", "quotes"] * 3
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda page: look(cloud, page), pages))
    answers.append(look(cloud, "home", **{"user-agent": TELEPHONE}))
    passed_over = [{"dnt": "1"}, {"sec-gpc": "1"}, {"origin": "https://other.example"}, {"user-agent": "curl/8"}]
    answers += [look(cloud, "home", **headers) for headers in passed_over]

    assert {(answer.status_code, answer.content) for answer in answers} == {(204, b"")}
    assert {name for answer in answers for name in answer.headers} & {"set-cookie", "etag"} == set()
    assert answers[0].headers["access-control-allow-origin"] == ORIGIN
    after = total(operator)
    assert {name: after[name] - before[name] for name in ("views", "daily_visitors", "sessions")} == {
        "views": 13,
        "daily_visitors": 2,
        "sessions": 2,
    }
    told = operator.get(USAGE)
    assert {one["page"] for one in told["pages"]} >= {*pages, "home"}
    assert {one["name"] for one in told["devices"]} >= {"desktop", "mobile"}


def test_the_browser_may_ask_first_and_nobody_else_may_read(cloud: LocalCloud) -> None:
    asked = {"origin": ORIGIN, "access-control-request-method": "POST"}
    preflight = httpx.options(f"{cloud.base_url}/v1/usage", headers=asked, timeout=30)

    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert httpx.get(cloud.base_url + USAGE, timeout=30).status_code == 401


def test_what_is_kept_names_nobody(cloud: LocalCloud) -> None:
    look(cloud, "pricing")
    dynamodb = client("dynamodb", cloud.layout.dynamodb_url)
    [table] = [name for name in dynamodb.list_tables()["TableNames"] if "UsageTable" in name]

    kept = json.dumps(dynamodb.scan(TableName=table)["Items"])

    assert "OPS_USAGE_DAYS" in kept
    assert [one for one in ("127.0.0.1", "Gecko", "Mozilla", "localhost") if one in kept] == []
