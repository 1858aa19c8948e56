"""What is made to fail, and what must follow: each alarm that rings, and no other."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final

from local.client import wait_for
from local.gameday.receivers import BrokenTable, Bucket, bucket_handler, serving
from local.gameday.stage import Stage
from local.provision import client

_DEAD_LETTER_SECONDS: Final = 90.0
_POISON: Final = {
    "pk": {"S": "exercice#poison"},
    "sk": {"S": "poison"},
    "entity": {"S": "delivery_request"},
    "settled": {"BOOL": False},  # of no company, no document
}


# They measure this machine: where others keep it busy they ring by themselves, and are shown only.
OF_THE_MACHINE: Final = frozenset({"TableLatencyWarningAlarm", "ApiLatencyWarningAlarm"})
UNSAID: Final = frozenset({"CanaryPassesMissingCriticalAlarm"})  # it tells nobody: ServiceDown does


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """``rings``: each must. ``may_ring``: by how fast the machine is, or by what runs by the clock just then.

    ``minutes``: of a round. ``rounds``: within which it must ring, and be over again.
    """

    name: str
    fault: str
    rings: tuple[str, ...]
    happens: Callable[[Stage], AbstractContextManager[object]]
    traffic: Callable[[Stage], object]
    afterwards: Callable[[Stage], object] = Stage.read
    may_ring: frozenset[str] = frozenset()
    minutes: int = 1
    rounds: int = 8


@contextmanager
def _table_errors(stage: Stage) -> Iterator[None]:
    with serving(BrokenTable) as url, _disturbed(stage, ("customers-list", "invoices-list"), url):
        yield


@contextmanager
def _disturbed(stage: Stage, functions: tuple[str, ...], table_url: str) -> Iterator[None]:
    for function in functions:
        stage.cloud.disturb(function, environment={"AWS_ENDPOINT_URL_DYNAMODB": table_url})
    try:
        yield
    finally:
        for function in functions:
            stage.cloud.leave_in_peace(function)


@contextmanager
def _slow_stripe(stage: Stage) -> Iterator[None]:
    stage.cloud.stripe("PUT", "api", {"delay_seconds": 2.2})
    try:
        yield
    finally:
        stage.cloud.stripe("PUT", "api", {"delay_seconds": 0})


@contextmanager
def _refused_mail(stage: Stage) -> Iterator[None]:
    stage.cloud.refuse_mail("550 5.7.1 Account suspended")
    try:
        yield
    finally:
        stage.cloud.accept_mail()


@contextmanager
def _refused_pdfs(stage: Stage, *, refused: frozenset[int], of: int) -> Iterator[None]:
    bucket = Bucket(stage.cloud.layout.ministack_url, refused=refused, of=of)
    with serving(bucket_handler(bucket)) as url:
        stage.cloud.disturb("workflows-render-invoice", environment={"AWS_ENDPOINT_URL_S3": url})
        try:
            yield
        finally:
            stage.cloud.leave_in_peace("workflows-render-invoice")


@contextmanager
def _poisoned_record(stage: Stage) -> Iterator[None]:
    """A request of nobody for nothing: the consumer of the stream fails at it, eleven times."""
    dynamodb = client("dynamodb", stage.cloud.layout.dynamodb_url)
    dynamodb.put_item(TableName=stage.table, Item=_POISON)
    try:
        wait_for(
            lambda: stage.dead_letters("StreamsDeadLetterQueue")[1] or None,
            seconds=_DEAD_LETTER_SECONDS,
            what="the dead letter",
        )
        yield
    finally:
        dynamodb.delete_item(TableName=stage.table, Key={name: _POISON[name] for name in ("pk", "sk")})
        _drop_dead_letters(stage)


def _drop_dead_letters(stage: Stage) -> None:
    """As the runbook has it: what was found of them is written down, and the next run drops them."""
    stage.cloud.run_schedule("replay-dead-letters")
    for row in stage.operator.get("/v1/operations/dead-letters")["items"]:
        decided = {"decision": "drop", "note": "Exercice : l'enregistrement empoisonné a été retiré."}
        stage.operator.post(f"/v1/operations/dead-letters/{row['letter_id']}/decide", decided)
    stage.cloud.run_schedule("replay-dead-letters")


@contextmanager
def _crashing(stage: Stage, *, function: str) -> Iterator[None]:
    stage.cloud.disturb(function, crashes=True)
    try:
        yield
    finally:
        stage.cloud.leave_in_peace(function)


def _issue(number: int, *, send: bool = False) -> Callable[[Stage], None]:
    return functools.partial(Stage.issue, number=number, send=send)


SCENARIOS: Final = (
    Scenario(
        name="table errors",
        fault="the table answers the lists of customers and invoices with InternalServerError",
        rings=("ApiErrorsCriticalAlarm", "ApiErrorsWarningAlarm"),
        # Each request is tried three times, with pauses at random; the canary reads a list, too.
        may_ring=frozenset(
            {
                "TableLatencyCriticalAlarm",
                "ApiLatencyCriticalAlarm",
                "ServiceDownCriticalAlarm",
                "CanaryFailuresWarningAlarm",
                "CanaryPassesMissingCriticalAlarm",
            }
        ),
        happens=_table_errors,
        traffic=Stage.read,
        rounds=12,
    ),
    Scenario(
        name="slow Stripe",
        fault="Stripe answers each request after 2.2 s",
        rings=("StripeLatencyWarningAlarm",),
        happens=_slow_stripe,
        traffic=lambda stage: stage.ask_stripe(20),
        afterwards=lambda stage: stage.ask_stripe(20),
        minutes=5,
    ),
    Scenario(
        name="mail refused",
        fault="the relay refuses every mail (550), those of alerts too",
        rings=("InvoiceGenerationErrorsCriticalAlarm",),
        may_ring=frozenset({"CanaryFailuresWarningAlarm"}),  # once an hour it has a mail sent
        happens=_refused_mail,
        traffic=_issue(6, send=True),
        afterwards=_issue(6, send=True),
        minutes=5,
    ),
    Scenario(
        name="PDF failures at 3 %",
        fault="the bucket refuses 2 PDFs of 66",
        rings=("InvoiceGenerationErrorsWarningAlarm",),
        happens=functools.partial(_refused_pdfs, refused=frozenset({20, 50}), of=66),
        traffic=_issue(66),
        afterwards=_issue(6),
        minutes=5,
    ),
    Scenario(
        name="PDF failures at 6 %",
        fault="the bucket refuses 2 PDFs of 33",
        rings=("InvoiceGenerationErrorsCriticalAlarm",),
        happens=functools.partial(_refused_pdfs, refused=frozenset({10, 25}), of=33),
        traffic=_issue(33),
        afterwards=_issue(6),
        minutes=5,
    ),
    Scenario(
        name="a poisoned stream record",
        fault="a record that the consumer of the table's stream cannot read",
        rings=("StreamsDeadLettersCriticalAlarm",),
        happens=_poisoned_record,
        traffic=_issue(1),  # it comes after the record, and is delivered
    ),
    Scenario(
        name="a crashed function",
        fault="the process of the list of quotes is killed at each request",
        rings=("ApiErrorsCriticalAlarm", "ApiErrorsWarningAlarm"),
        # Each of its requests waits for a new process: more than one in twenty.
        may_ring=frozenset({"ApiLatencyCriticalAlarm", "ServiceDownCriticalAlarm"}),
        happens=functools.partial(_crashing, function="quotes-list"),
        traffic=Stage.read,
    ),
    Scenario(
        name="a dead canary",
        fault="the process of the canary is killed at each run: nothing is reported any more",
        rings=("ServiceDownCriticalAlarm", "CanaryPassesMissingCriticalAlarm"),
        happens=functools.partial(_crashing, function="scheduled-run-canary"),
        traffic=Stage.read,
        minutes=5,
    ),
)
