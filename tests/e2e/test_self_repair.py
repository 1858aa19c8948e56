"""What repairs itself, over a local cloud of its own: dead letters, deliveries, a company whose books were changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from billing.adapters.dynamodb import keys
from billing.domain.delivery import ATTEMPTED_AGAIN_AFTER
from local.client import ApiClient, Json, mails_to, wait_for
from local.layout import ACCOUNT_ID, REGION
from local.operators import ensure_operator, operator_token
from local.provision import client
from local.samples import draft
from local.stack import read_attributes
from local.testing import LocalCloud
from tests.e2e.verification import verified
from tests.people import Person, delivered

pytestmark = pytest.mark.cloud
LETTERS = "/v1/operations/dead-letters"
PARKED = "/v1/operations/parked-tenants"
FUNCTIONS = f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:zenbilling"


@pytest.fixture(scope="module")
def operator(dated: LocalCloud) -> Iterator[ApiClient]:
    assert ensure_operator(dated.layout)
    with ApiClient(dated.base_url, token=operator_token(dated.layout)) as api:
        yield api


def _send(cloud: LocalCloud, queue: str, body: Json, **attributes: str) -> str:
    sqs = client("sqs", cloud.layout.ministack_url)
    told = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    url = read_attributes(cloud.layout)[queue]
    answer = sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body), MessageAttributes=told)
    return str(answer["MessageId"])


def _run(cloud: LocalCloud) -> Json:
    ran: Json = cloud.run_schedule("replay-dead-letters")
    return ran


def _found(operator: ApiClient, letter_id: str, year: int | None = None) -> Json | None:
    path = f"{LETTERS}?limit=100" + (f"&year={year}" if year else "")
    return next((one for one in operator.get(path)["items"] if one["letter_id"] == letter_id), None)


def _decide(operator: ApiClient, letter_id: str, decision: str) -> None:
    operator.post(f"{LETTERS}/{letter_id}/decide", {"decision": decision, "note": "Essai"})


def test_dead_letters_are_replayed_and_what_fails_is_an_operators_to_drop(
    dated: LocalCloud, operator: ApiClient, dated_person: Callable[..., Person]
) -> None:
    dated_person()  # writes records
    streams = client("dynamodbstreams", dated.layout.dynamodb_url)
    [stream] = streams.list_streams()["Streams"]
    shard = streams.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]["Shards"][0]["ShardId"]
    place = {"StreamArn": stream["StreamArn"], "ShardId": shard}
    iterator = streams.get_shard_iterator(**place, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    numbers = [one["dynamodb"]["SequenceNumber"] for one in streams.get_records(ShardIterator=iterator)["Records"]]
    batch = {"shardId": shard, "streamArn": stream["StreamArn"], "batchSize": 2}
    batch |= {"startSequenceNumber": numbers[-2], "endSequenceNumber": numbers[-1]}
    context = {"functionArn": f"{FUNCTIONS}-streams-place-events", "condition": "RetryAttemptsExhausted"}
    records = _send(dated, "StreamsDeadLetterQueue", {"requestContext": context, "DDBStreamBatchInfo": batch})
    target = {"TARGET_ARN": f"{FUNCTIONS}-scheduled-run-reminders", "ERROR_CODE": "Lambda.TimeOut"}
    task = _send(dated, "EventsDeadLetterQueue", {"detail": "{}"}, **target)
    broken = _send(dated, "EventsDeadLetterQueue", {}, TARGET_ARN=f"{FUNCTIONS}-scheduled-nobody")

    _run(dated)
    for letter_id in (records, task, broken):
        _decide(operator, letter_id, "replay")  # before its five minutes are over
    _run(dated)

    year = dated.now().year
    for letter_id, about in (
        (records, "zenbilling-streams-place-events"),
        (task, "zenbilling-scheduled-run-reminders"),
    ):
        found = _found(operator, letter_id, year)
        assert found is not None
        assert (found["state"], found["about"]) == ("replayed", about)
    refused = _found(operator, broken)
    assert refused is not None
    assert refused["error"] == "ResourceNotFoundException"

    _decide(operator, broken, "drop")
    _run(dated)
    assert _found(operator, broken) is None


def _issued(person: Person, *, send: bool = False) -> Json:
    made = person.api.post("/v1/invoices", draft(person.customer["customer_id"]))
    return person.api.post(f"/v1/invoices/{made['invoice_id']}/issue", {"version": made["version"], "send": send})


def test_a_delivery_that_failed_is_made_later_by_itself(dated: LocalCloud, dated_person: Callable[..., Person]) -> None:
    person = dated_person()
    dated.disturb("workflows-render-invoice", crashes=True)
    made = _issued(person, send=True)
    outcome = {"tenant_id": _tenant(person), "invoice_id": made["invoice_id"], "attempt": 1}
    dated.invoke("workflows-record-delivery", {**outcome, "correlation_id": "c", "error": "DependencyUnavailable"})
    dated.leave_in_peace("workflows-render-invoice")

    failed = person.api.get(f"/v1/invoices/{made['invoice_id']}")["delivery"]
    assert (failed["state"], failed["attempt"]) == ("failed", 1)
    assert failed["next_attempt_at"] > dated.now().isoformat()
    dated.set_clock(dated.now() + ATTEMPTED_AGAIN_AFTER[0] + timedelta(seconds=1))
    assert dated.run_schedule("restart-workflows")["again"] == 1

    sent = wait_for(lambda: delivered(person.api, made["invoice_id"]), what="the second attempt")["delivery"]
    assert (sent["state"], sent["attempt"], sent["next_attempt_at"]) == ("sent", 2, None)
    assert len(mails_to(dated.mail_directory, f"client.{person.email}")) == 1
    told = person.api.get(f"/v1/invoices/{made['invoice_id']}/timeline")["items"]
    assert [one["data"]["attempt"] for one in told if one["event_type"] == "invoice.delivery_requested"] == [2]


def test_a_company_that_lost_an_invoice_is_parked_while_its_people_go_on(
    dated: LocalCloud, operator: ApiClient, dated_person: Callable[..., Person]
) -> None:
    person = dated_person()
    tenant_id = _tenant(person)
    lost = keys.invoice(tenant_id, _issued(person)["invoice_id"])
    table = client("dynamodb", dated.layout.dynamodb_url)
    [name] = [one for one in table.list_tables()["TableNames"] if "BillingTable" in one]
    table.delete_item(TableName=name, Key={"pk": {"S": lost.pk}, "sk": {"S": lost.sk}})

    assert verified(person.api)["state"] == "failed"

    [parked] = operator.get(PARKED)["items"]
    assert (parked["tenant_id"], parked["reason"]) == (tenant_id, "ledger_differs")
    incidents = operator.get("/v1/operations/incidents?limit=100")["items"]
    [incident] = [one for one in incidents if one["indicator"] == f"TenantParked:{tenant_id}"]
    assert (incident["severity"], incident["service"]) == ("critical", "proof")
    assert _issued(person)["number"]

    operator.post(f"{PARKED}/{tenant_id}/release", {"note": "Essai"})
    assert operator.get(PARKED)["items"] == []


def _tenant(person: Person) -> str:
    return str(person.api.get("/v1/auth/me")["tenant_id"])
