"""What follows an issue: stream, tasks, sweeper and provider events, on the real table with fakes around it."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from billing.domain.access import Caller
from billing.domain.delivery import ClaimState, DeliveryState
from billing.domain.errors import DependencyUnavailable, MailRefused, NotFound
from billing.domain.notices import CompanyNotice, MoneyFact, NoticeKind
from billing.runtime import table
from billing.runtime.clock import clock
from billing.usecases import bulk_jobs, chain_heads
from scheduled import keep_chain_heads, restart_workflows
from streams import start_workflows
from tests import factories
from tests.fakes.delivery import FakeDocuments, FakeMailer, FakeRenderer, FakeWorkflows, Relay
from tests.handlers.conftest import Json, Person, invoke, sample
from workflows import finish_bulk_job, render_invoice, send_invoice

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


MACHINE = json.loads(
    (Path(__file__).resolve().parents[2] / "statemachines" / "invoice_delivery.asl.json").read_text(encoding="utf-8")
)


class Around:
    """The fakes around the table."""

    def __init__(self) -> None:
        self.documents, self.renderer = FakeDocuments(), FakeRenderer()
        self.mailer, self.workflows = FakeMailer(), FakeWorkflows()


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> Around:
    fakes = Around()
    for module in (render_invoice, send_invoice):
        monkeypatch.setattr(module, "documents", lambda: fakes.documents)
    monkeypatch.setattr(render_invoice, "renderer", lambda: fakes.renderer)
    monkeypatch.setattr(send_invoice, "mailer", lambda: fakes.mailer)
    for module in (start_workflows, restart_workflows):
        monkeypatch.setattr(module, "workflows", lambda: fakes.workflows)
    return fakes


@pytest.fixture
def task(owner: Person) -> Json:
    """The input of the workflow of an invoice issued to be sent."""
    answer = owner.call("invoices/issue", body={"version": 1, "send": True}, invoice_id=owner.ids["invoice_id"])
    assert answer.status == 200
    return {
        "tenant_id": owner.tenant_id,
        "invoice_id": owner.ids["invoice_id"],
        "attempt": 1,
        "correlation_id": "corr-1",
    }


def delivery_of(owner: Person) -> Json:
    answer: Json = owner.call("invoices/read", invoice_id=owner.ids["invoice_id"]).body["delivery"]
    return answer


def metrics(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """What was counted: how often by name."""
    emitted: dict[str, float] = {}
    for line in capsys.readouterr().out.splitlines():
        parsed = json.loads(line)
        for metric in parsed.get("_aws", {}).get("CloudWatchMetrics", [{}])[0].get("Metrics", []):
            if metric["Unit"] == "Count":
                emitted[metric["Name"]] = emitted.get(metric["Name"], 0) + sum(parsed[metric["Name"]])
    return emitted


def test_an_invoice_is_rendered_mailed_once_and_settled(
    task: Json, owner: Person, around: Around, capsys: pytest.CaptureFixture[str]
) -> None:
    rendered = [invoke("workflows/render_invoice", task) for _ in range(2)]
    sent = [invoke("workflows/send_invoice", task) for _ in range(2)]
    recorded = invoke("workflows/record_delivery", task)

    assert rendered[0] == rendered[1]
    assert rendered[0]["send"] is True
    assert rendered[0]["pdf_key"] in around.documents.stored
    assert sent == [{"state": "accepted"}] * 2
    assert len(around.mailer.accepted) == 1
    assert recorded == {"state": "sent", "error": ""}
    delivery = delivery_of(owner)
    assert (delivery["state"], delivery["in_progress"]) == ("sent", False)
    assert delivery["pdf"]["sha256"] == rendered[0]["sha256"]
    assert metrics(capsys)["PdfRendered"] == 1


def test_a_notice_to_the_company_goes_the_same_way_without_a_file(owner: Person, around: Around) -> None:
    fact = MoneyFact(
        kind=NoticeKind.DISPUTE_WON,
        subject="du_1",
        amount_minor=12_000,
        invoice_number="F2026-00001",
        customer_name="A",
    )
    notice = CompanyNotice.of(owner.tenant_id, fact, recipient="contact@exemple.test", at=clock.now())
    caller = Caller.system(owner.tenant_id, "stripe")
    subscription = factories.pro_subscription(owner.tenant_id)
    table.subscriptions().save(caller, subscription, notices=(notice,))
    task = {
        "tenant_id": owner.tenant_id,
        "invoice_id": notice.notice_id,
        "attempt": 1,
        "correlation_id": notice.notice_id,
    }

    rendered = [invoke("workflows/render_invoice", task) for _ in range(2)]
    sent = [invoke("workflows/send_invoice", task) for _ in range(2)]

    assert rendered == [{"pdf_key": "", "sha256": "", "send": True, "judged": False}] * 2
    assert sent == [{"state": "accepted"}] * 2
    [mail] = around.mailer.accepted
    assert (mail.recipient, mail.reply_to) == ("contact@exemple.test", "factures@zenbilling.example")
    assert invoke("workflows/record_delivery", task) == {"state": "sent", "error": ""}
    assert table.deliveries().document(owner.tenant_id, notice.notice_id).delivery.state is DeliveryState.SENT


@pytest.mark.parametrize(
    ("relay", "error"),
    [
        (Relay.GREYLISTS, "MailTemporarilyRefused"),
        (Relay.REFUSES, "MailRefused"),
        (Relay.CUTS_AFTER_TAKING, "MailUnconfirmed"),
    ],
)
def test_errors_carry_the_names_that_the_state_machine_knows(
    task: Json, around: Around, relay: Relay, error: str
) -> None:
    invoke("workflows/render_invoice", task)
    around.mailer.script = [relay]

    with pytest.raises(Exception) as raised:  # noqa: PT011 - the class name is what is judged
        invoke("workflows/send_invoice", task)

    assert type(raised.value).__name__ == error
    retried = MACHINE["States"]["SendInvoice"]["Retry"]
    names = {name for rule in retried for name in rule["ErrorEquals"]}
    assert (error in names) is (error != "MailRefused")  # refused for good: caught, not tried again


def test_a_refused_mail_is_settled_as_failed_with_its_reason(
    task: Json, owner: Person, around: Around, capsys: pytest.CaptureFixture[str]
) -> None:
    invoke("workflows/render_invoice", task)
    around.mailer.script = [Relay.REFUSES]
    with pytest.raises(MailRefused):
        invoke("workflows/send_invoice", task)

    recorded = invoke("workflows/record_delivery", task | {"error": "MailRefused"})

    assert recorded == {"state": "failed", "error": "MailRefused"}
    assert delivery_of(owner)["error"] == "MailRefused"
    assert metrics(capsys)["MailFailed"] == 1


def test_a_failed_rendering_is_counted(task: Json, around: Around, capsys: pytest.CaptureFixture[str]) -> None:
    around.renderer.missing_glyph = True

    with pytest.raises(Exception, match="glyph"):
        invoke("workflows/render_invoice", task)

    assert metrics(capsys)["PdfFailed"] == 1


def stream_of(dynamodb: DynamoDBClient, billing_table: str, tenant_id: str, *, name: str = "INSERT") -> Json:
    """The committed sample with this tenant's own requests as its records."""
    event = sample("streams/start_workflows")
    [record] = event["Records"]
    items: list[Any] = [
        item
        for page in dynamodb.get_paginator("scan").paginate(TableName=billing_table, ConsistentRead=True)
        for item in page["Items"]
        if item.get("tenant_id") == {"S": tenant_id} and item["entity"]["S"].endswith("_request")
    ]
    event["Records"] = [
        record
        | {
            "eventName": name,
            "dynamodb": record["dynamodb"] | {"NewImage": item, "SequenceNumber": str(1000 + rank)},
        }
        for rank, item in enumerate(items)
    ]
    return event


def test_the_stream_starts_one_execution_per_request(
    task: Json, owner: Person, around: Around, dynamodb: DynamoDBClient, billing_table: str
) -> None:
    owner.call("invoices/start_verification")
    event = stream_of(dynamodb, billing_table, owner.tenant_id)

    answers = [invoke("streams/start_workflows", event) for _ in range(2)]

    assert answers == [{"batchItemFailures": []}] * 2
    assert list(around.workflows.deliveries) == [f"{task['invoice_id']}-1-1"]
    started = around.workflows.deliveries[f"{task['invoice_id']}-1-1"]
    assert started == (owner.tenant_id, task["invoice_id"], 1, sample("invoices/issue")["requestContext"]["requestId"])
    assert len(around.workflows.verifications) == 1


def test_the_stream_leaves_changes_of_requests_alone(
    task: Json, owner: Person, around: Around, dynamodb: DynamoDBClient, billing_table: str
) -> None:
    event = stream_of(dynamodb, billing_table, owner.tenant_id, name="MODIFY")

    assert invoke("streams/start_workflows", event) == {"batchItemFailures": []}
    assert around.workflows.deliveries == {}


def test_the_stream_hands_back_the_first_failure_and_all_that_follow(
    task: Json, owner: Person, around: Around, dynamodb: DynamoDBClient, billing_table: str
) -> None:
    owner.call("invoices/start_verification")
    event = stream_of(dynamodb, billing_table, owner.tenant_id)
    event["Records"].sort(key=lambda record: record["dynamodb"]["NewImage"]["entity"]["S"])
    around.workflows.down_for = {task["invoice_id"]}

    answer = invoke("streams/start_workflows", event)

    number = event["Records"][0]["dynamodb"]["SequenceNumber"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": number}]}
    assert around.workflows.verifications == {}


def test_a_fact_that_is_counted_with_its_first_version_is_no_request(
    around: Around, capsys: pytest.CaptureFixture[str]
) -> None:
    """A card is paid before anything is known of its payment: its record is new, and counts."""
    event = sample("streams/start_workflows")
    [record] = event["Records"]
    image = {
        "pk": {"S": "T#ten_1#STRIPE_PAYMENT#pi_1"},
        "sk": {"S": "HEAD"},
        "entity": {"S": "stripe_payment"},
        "tenant_id": {"S": "ten_1"},
        "counted": {"S": "PaymentAttempted PaymentSucceeded"},
    }
    fact = record | {"eventID": uuid.uuid4().hex, "dynamodb": record["dynamodb"] | {"NewImage": image}}
    capsys.readouterr()

    assert invoke("streams/start_workflows", event | {"Records": [fact, record]}) == {"batchItemFailures": []}

    assert len(around.workflows.deliveries) == 1
    told = metrics(capsys)
    assert (told["PaymentAttempted"], told["PaymentSucceeded"]) == (1, 1)


def test_the_committed_stream_sample_is_a_request(around: Around) -> None:
    assert invoke("streams/start_workflows", sample("streams/start_workflows")) == {"batchItemFailures": []}
    [(tenant_id, _, attempt, _)] = around.workflows.deliveries.values()
    assert (tenant_id, attempt) == ("ten_6f1ed002ab5595859014ebf0951522d9", 1)


def test_the_sweeper_starts_again_what_has_no_outcome(
    task: Json, around: Around, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKFLOW_RESTART_AFTER_SECONDS", "900")
    restarted = f"{task['invoice_id']}-1-1"
    with contextlib.suppress(NotFound):  # of what another test left without its invoice: every other had its turn
        invoke("scheduled/restart_workflows", sample("scheduled/restart_workflows"))
    assert restarted not in around.workflows.deliveries
    monkeypatch.setenv("WORKFLOW_RESTART_AFTER_SECONDS", "-5")
    with contextlib.suppress(NotFound):
        late = invoke("scheduled/restart_workflows", sample("scheduled/restart_workflows"))
        assert late["restarted"] >= 1

    assert restarted in around.workflows.deliveries


def test_the_verification_says_why_it_could_not_go_on(owner: Person) -> None:
    started = owner.call("invoices/start_verification").body["verification_id"]
    job = {"tenant_id": owner.tenant_id, "verification_id": started, "correlation_id": "c", "error": "States.Timeout"}

    assert invoke("workflows/verify_ledger_page", job) == {"done": True, "state": "aborted"}
    assert owner.call("invoices/read_verification", verification_id=started).body["error"] == "States.Timeout"


def mail_event(task: Json, kind: str, **details: Any) -> Json:
    event = sample("webhooks/receive_mail_event")
    [record] = event["Records"]
    told = json.loads(record["Sns"]["Message"])
    reference = f"{task['tenant_id']}.{task['invoice_id']}.{task['attempt']}"
    told["eventType"] = kind
    told["mail"]["tags"]["delivery_reference"] = [reference]
    told.update(details)
    record["Sns"]["Message"] = json.dumps(told)
    return event


BOUNCE = {
    "bounceType": "Permanent",
    "bounceSubType": "General",
    "bouncedRecipients": [{"emailAddress": "compta@client.exemple.test"}],
}


@pytest.fixture
def mailed(task: Json, around: Around) -> Json:
    for step in ("render_invoice", "send_invoice", "record_delivery"):
        invoke(f"workflows/{step}", task)
    return task


@pytest.mark.parametrize(
    ("kind", "details", "state"),
    [
        ("Delivery", {}, "delivered"),
        ("Bounce", {"bounce": BOUNCE}, "bounced"),
        ("Bounce", {"bounce": BOUNCE | {"bounceType": "Transient"}}, "sent"),
        ("Send", {}, "sent"),
        ("Complaint", {}, "sent"),
        ("Open", {}, "sent"),
    ],
)
def test_the_invoice_follows_what_the_provider_says(
    mailed: Json, owner: Person, kind: str, details: Json, state: str
) -> None:
    for _ in range(2):
        invoke("webhooks/receive_mail_event", mail_event(mailed, kind, **details))

    assert delivery_of(owner)["state"] == state


@pytest.mark.parametrize(
    ("kind", "details", "message"),
    [("Bounce", {"bounce": BOUNCE}, "mail bounced"), ("Complaint", {}, "mail complained of")],
)
def test_operators_find_whose_mails_come_back_and_never_whom_they_were_for(
    mailed: Json, kind: str, details: Json, message: str, logged: Callable[[], list[Json]]
) -> None:
    invoke("webhooks/receive_mail_event", mail_event(mailed, kind, **details))

    [line] = [told for told in logged() if told["message"] == message]
    assert (line["tenant_id"], line["document_id"]) == (mailed["tenant_id"], mailed["invoice_id"])
    assert "compta@" not in json.dumps(line)


def test_the_reference_is_found_in_the_header_too(mailed: Json, owner: Person) -> None:
    event = mail_event(mailed, "Delivery")
    told = json.loads(event["Records"][0]["Sns"]["Message"])
    reference = told["mail"]["tags"].pop("delivery_reference")[0]
    told["mail"]["headers"] = [{"name": "x-zenbilling-delivery", "value": reference}]
    event["Records"][0]["Sns"]["Message"] = json.dumps(told)

    invoke("webhooks/receive_mail_event", event)

    assert delivery_of(owner)["state"] == DeliveryState.DELIVERED


def test_an_event_of_an_unknown_mail_is_ignored_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    invoke("webhooks/receive_mail_event", sample("webhooks/receive_mail_event"))

    assert metrics(capsys) == {"MailEventIgnored": 1}


def test_a_bounce_confirms_a_mail_cut_in_transmission(task: Json, around: Around) -> None:
    invoke("workflows/render_invoice", task)
    around.mailer.script = [Relay.CUTS_AFTER_TAKING]
    with pytest.raises(DependencyUnavailable):
        invoke("workflows/send_invoice", task)

    invoke("webhooks/receive_mail_event", mail_event(task, "Bounce", bounce=BOUNCE))

    claim = table.deliveries().read_mail(task["tenant_id"], task["invoice_id"], 1, "compta@client.exemple.test")
    assert claim is not None
    assert claim.state is ClaimState.BOUNCED
    assert invoke("workflows/send_invoice", task) == {"state": "bounced"}


@pytest.mark.parametrize("function", ["scheduled/keep_chain_heads", "workflows/finish_bulk_job"])
def test_a_head_that_differs_rings(
    function: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def differ(*_given: object, **_named: object) -> None:
        raise chain_heads.ChainHeadDiffers("ten_1/heads/2026-11-24.json")

    monkeypatch.setattr(chain_heads, "keep_chain_heads", differ)
    monkeypatch.setattr(bulk_jobs, "finish_bulk_job", differ)
    for name in ("documents", "archives", "chains", "bulk_jobs"):
        for module in (keep_chain_heads, finish_bulk_job):
            monkeypatch.setattr(module, name, object, raising=False)

    with pytest.raises(Exception) as raised:  # noqa: PT011 - the class name is what is judged
        invoke(function, {"tenant_id": "ten_1", "bulk_job_id": "blk_1", "run": 1, "correlation_id": "corr"})

    assert type(raised.value).__name__ == "ChainHeadDiffers"
    assert metrics(capsys) == {"ChainHeadDiffers": 1}
