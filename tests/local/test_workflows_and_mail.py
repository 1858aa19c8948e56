"""From a written item to its consumer, its execution, its retries; from a mail to its file and its events."""

from __future__ import annotations

import inspect
import json
import smtplib
from email.message import EmailMessage
from typing import Any

import httpx
import pytest
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

from local.mail_sink import DELIVERY_HEADER
from local.state_machines import parse_definition
from local.testing import LocalCloud
from tests.local.steps import aws, until

MACHINE = "arn:aws:states:eu-west-3:000000000000:stateMachine:zenbilling-counting"


def executions(cloud: LocalCloud) -> dict[str, str]:
    found = aws("stepfunctions", cloud.layout.step_functions_url).list_executions(stateMachineArn=MACHINE)
    return {execution["name"]: execution["status"] for execution in found["executions"]}


def output(cloud: LocalCloud, name: str) -> Any:
    workflows = aws("stepfunctions", cloud.layout.step_functions_url)
    execution = workflows.describe_execution(executionArn=MACHINE.replace("stateMachine", "execution") + f":{name}")
    return json.loads(execution["output"])


def test_interpreter_still_calls_lambda_where_we_replace_it() -> None:
    called = inspect.getsource(lambda_eval_utils.execute_lambda_function_integration)
    replaced = inspect.signature(lambda_eval_utils._invoke_lambda_function)

    assert "_invoke_lambda_function(\n" in called
    assert list(replaced.parameters) == ["parameters", "region", "state_credentials"]


def test_every_execution_gets_a_program_of_its_own() -> None:
    definition = '{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}'

    (first, tree), (second, same_tree) = (parse_definition(definition) for _ in range(2))

    assert first is not second
    assert type(first) is type(second)
    assert tree is same_tree


@pytest.mark.cloud
def test_written_item_starts_its_execution_unless_filtered(http: httpx.Client, cloud: LocalCloud) -> None:
    http.put("/v1/things/plain", json={"kind": "wanted"})
    http.put("/v1/things/ignored", json={"kind": "other"})
    http.put("/v1/things/last", json={"kind": "wanted"})

    until(lambda: executions(cloud).get("last") == "SUCCEEDED")

    assert executions(cloud)["plain"] == "SUCCEEDED"
    assert "ignored" not in executions(cloud)
    assert output(cloud, "plain") == {"count": 1}


@pytest.mark.cloud
def test_retry_and_catch_know_errors_by_their_names(http: httpx.Client, cloud: LocalCloud) -> None:
    http.put("/v1/things/tried-again", json={"kind": "wanted", "fails": "once"})
    http.put("/v1/things/refused", json={"kind": "wanted", "fails": "always"})

    until(lambda: executions(cloud).get("tried-again") == "SUCCEEDED")
    until(lambda: executions(cloud).get("refused") == "FAILED")

    assert output(cloud, "tried-again") == {"count": 2}


@pytest.mark.cloud
def test_poisoned_record_goes_to_the_dead_letters_and_the_next_are_served(
    http: httpx.Client, cloud: LocalCloud
) -> None:
    http.put("/v1/things/poisoned", json={"kind": "wanted", "poison": "yes"})
    http.put("/v1/things/after-poison", json={"kind": "wanted"})

    until(lambda: executions(cloud).get("after-poison") == "SUCCEEDED")

    queues = aws("sqs", cloud.layout.ministack_url)
    address = queues.get_queue_url(QueueName="zenbilling-LettersQueue")["QueueUrl"]
    (message,) = until(lambda: queues.receive_message(QueueUrl=address).get("Messages"))
    assert json.loads(message["Body"])["DDBStreamBatchInfo"]["batchSize"] >= 1
    assert "poisoned" not in executions(cloud)


def send_mail(cloud: LocalCloud, recipient: str, delivery: str | None) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "factures@zenbilling.example", recipient, "Facture"
    if delivery:
        mail[DELIVERY_HEADER] = delivery
    mail.set_content("Bonjour,\nvoici la facture à régler.\n")
    with smtplib.SMTP("127.0.0.1", cloud.layout.ports.smtp, timeout=5) as relay:
        relay.login("any", "password")
        relay.send_message(mail)


@pytest.mark.cloud
def test_accepted_mail_is_a_file_before_the_sender_hears_of_it(cloud: LocalCloud) -> None:
    send_mail(cloud, "une.cliente@exemple.test", None)

    (path,) = cloud.mail_directory.glob("*-une.cliente@exemple.test.eml")
    assert b"Subject: Facture" in path.read_bytes()
    assert not list(cloud.mail_directory.glob(".*"))


@pytest.mark.cloud
def test_delivery_is_followed_by_the_events_of_ses(cloud: LocalCloud) -> None:
    send_mail(cloud, "client@exemple.test", "delivery-1")

    table = aws("dynamodb", cloud.layout.dynamodb_url)

    def told() -> Any:
        key = {"pk": {"S": "delivery-1-Delivery"}}
        return table.get_item(TableName="zenbilling-ThingsTable", Key=key).get("Item")

    item = until(told)
    assert item["destination"] == {"L": [{"S": "client@exemple.test"}]}
    assert table.get_item(TableName="zenbilling-ThingsTable", Key={"pk": {"S": "delivery-1-Send"}})["Item"]


@pytest.mark.cloud
def test_a_mailbox_that_refuses_takes_nothing(cloud: LocalCloud) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@exemple.test", "refus@exemple.test", "Essai"
    before = list(cloud.mail_directory.glob("*refus@*"))
    with smtplib.SMTP("127.0.0.1", cloud.layout.ports.smtp) as smtp:
        cloud.refuse_mail("550 5.7.1 Account suspended")
        with pytest.raises(smtplib.SMTPDataError) as refused:
            smtp.send_message(message)
        cloud.accept_mail()
        assert list(cloud.mail_directory.glob("*refus@*")) == before == []
        smtp.send_message(message)

    assert (refused.value.smtp_code, refused.value.smtp_error) == (550, b"5.7.1 Account suspended")
    assert len(list(cloud.mail_directory.glob("*refus@*"))) == 1


@pytest.mark.cloud
@pytest.mark.parametrize(
    ("name", "body", "status"), [("nobody", {"crashes": True}, 404), ("things", {"burns": 1}, 400)]
)
def test_a_disturbance_that_is_none_is_refused(cloud: LocalCloud, name: str, body: object, status: int) -> None:
    known = next(iter(cloud.status()["pool"]["functions"]), "zenbilling-things") if name == "things" else name
    answer = httpx.put(f"{cloud.control_url}/functions/{known}/disturbance", json=body, trust_env=False)

    assert answer.status_code == status
