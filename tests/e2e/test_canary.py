"""The canary against the whole local cloud: its own function, through the API, to the mail and back."""

from __future__ import annotations

import json

import pytest

from billing.usecases.visits import SINK
from local.provision import client
from local.samples import COMPANY
from local.testing import LocalCloud
from tests.people import PASSWORD, Person

pytestmark = pytest.mark.cloud
STACK = "zenbilling"


def test_it_walks_the_whole_way_and_leaves_nothing_owed(cloud: LocalCloud) -> None:
    secrets = client("secretsmanager", cloud.layout.ministack_url)
    assert cloud.run_schedule("run-canary") == {"state": "without an account"}
    person = Person(cloud, described=False)
    try:
        person.api.put("/v1/company", COMPANY, version=0)
        account = {"email": person.email, "password": PASSWORD}
        secrets.put_secret_value(SecretId=f"{STACK}-CanarySecret", SecretString=json.dumps(account))

        short, long = cloud.run_schedule("run-canary"), cloud.run_schedule("run-canary-issues")

        assert (short["state"], long["state"]) == ("passed", "passed"), (short, long)
        assert list(short["milliseconds"]) == ["sign_in", "read", "draft", "render", "delete"]
        assert list(long["milliseconds"])[-5:] == ["issue", "mail", "download", "pay", "credit"]
        [invoice] = person.api.get("/v1/invoices")["items"]
        assert invoice["balance_minor"] == 0
        assert person.api.get(f"/v1/invoices/{invoice['invoice_id']}")["status"] == "cancelled"

        [customer] = person.api.get("/v1/customers")["items"]
        assert customer["email"] == SINK

        wrong = {**account, "password": "another one"}
        secrets.put_secret_value(SecretId=f"{STACK}-CanarySecret", SecretString=json.dumps(wrong))
        failed = cloud.run_schedule("run-canary")
        assert (failed["state"], failed["step"]) == ("failed", "sign_in")
        assert failed["why"].startswith("401 ")
    finally:
        nobody = {"email": "", "password": ""}
        secrets.put_secret_value(SecretId=f"{STACK}-CanarySecret", SecretString=json.dumps(nobody))
        person.leave()
