"""Where a game day plays: a local cloud with two companies, its clock, and everybody who is told of alarms."""

from __future__ import annotations

import contextlib
import email
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.policy import default
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from local.client import ApiClient, Json, mails_to, wait_for
from local.demo import confirmation_code
from local.gameday.metrics import Collector, Measured, Tail, executions
from local.gameday.receivers import Received, real_seconds, serving, slack_handler, sms_handler
from local.gameday.watch import Change, Watch
from local.layout import STACK_NAME
from local.operators import COLLEAGUE, NAME, ensure_operator, operator_token
from local.pool import INVOCATIONS_LOG
from local.provision import client
from local.samples import COMPANY, CUSTOMER, draft
from local.stack import Stack, read_attributes, read_stack, read_template
from local.supervision.application import resolved_of, supervision_of
from local.template import Template
from local.testing import LocalCloud

PARIS: Final = ZoneInfo("Europe/Paris")
MAILBOX: Final = "exploitation@exemple.test"
PHONE: Final = "+33600000000"
OWNER, CANARY = "dirigeante@atelier.exemple.test", "canari@exemple.test"
PASSWORD: Final = "Exemple-d-exercice-2026!"  # nosec B105 - of nobody
MINUTE: Final = 60
_BEGINS: Final = 9  # o'clock in Paris: at night warnings wait for the morning
_AT_ONCE: Final = 4
_SETTLE_SECONDS: Final = 120.0
_SCHEDULES_SECONDS: Final = 20.0
_TOLD_SECONDS: Final = 30.0
_READS: Final = ("/v1/customers", "/v1/invoices", "/v1/products", "/v1/company", "/v1/quotes", "/v1/subscription")
_ROUTER, _EVERY_MINUTE = "operations-route-alert", "scheduled-run-alerts"


class Stage:
    """Time goes by rounds: what happens in one is put down to its minute, then the alarms are judged."""

    def __init__(self, cloud: LocalCloud, inbox: list[Received], *, slack_url: str, sms_url: str) -> None:
        self.cloud = cloud
        self.inbox = inbox  # what Slack and telephones got, and the mails seen so far
        self.changes: list[tuple[Change, float]] = []  # with when they were published, in real seconds
        self._mails_seen: set[str] = set()
        self._dated = 0  # so many of the inbox have their minute
        self._invocations = Tail()
        self._runs: Counter[str] = Counter()
        self._sns = client("sns", cloud.layout.ministack_url)
        self._sqs = client("sqs", cloud.layout.ministack_url)
        self._workflows = client("stepfunctions", cloud.layout.step_functions_url)
        self._tell_who_is_told(slack_url, sms_url)
        self.now = self._begin()
        self.api = self._company(OWNER)
        self.customer = self.api.post("/v1/customers", CUSTOMER)
        self._company(CANARY).close()
        self._write_secret("CanarySecret", {"email": CANARY, "password": PASSWORD})
        self.operator, self.colleague = _operator(cloud, NAME), _operator(cloud, COLLEAGUE)
        self.measured = Measured()
        template = read_template(cloud.layout, read_attributes(cloud.layout))
        stack, supervision = read_stack(cloud.layout), supervision_of(template)
        self.table: str = template.ref("BillingTable")
        self.machine = next(one.arn for one in stack.state_machines if one.name.endswith("invoice-delivery"))
        self._collector = self._collecting(stack, template)
        self._settle()
        self._collector.collect(0)  # what was before is not of the day
        self._ran = self._invoked(_EVERY_MINUTE)  # by the end of the last round
        self.watch = Watch(
            resolved_of(supervision, "AWS::CloudWatch::Alarm"),
            resolved_of(supervision, "AWS::CloudWatch::CompositeAlarm"),
            self.measured.series,
            began=self.now,
        )

    def close(self) -> None:
        self.api.close()
        self.operator.close()
        self.colleague.close()

    # Time

    def round(self, traffic: Callable[[], object] | None = None, *, minutes: int = 1) -> list[Change]:
        """Some minutes in which ``traffic`` happens, and all that runs by the clock; then what alarms changed."""
        end = self.now + minutes * MINUTE
        if traffic is not None:
            traffic()
        shown = self.cloud.now().timestamp()
        if shown < end - 1:
            self._set_clock(datetime.fromtimestamp(end - 1, UTC))
        end = max(end, int(-(-shown // MINUTE) * MINUTE))  # a round that really took longer than a minute
        self._settle()
        self._collector.collect(self.now)
        self._ran = self._invoked(_EVERY_MINUTE)
        self.now = end
        changes = self.watch.turn(end)
        self._publish(changes)
        self._look_for_mail()
        self._date_what_came()
        return changes

    def calm(self, minutes: int) -> None:
        """With the reads of every day, five minutes at a time."""
        until = self.now + minutes * MINUTE
        while self.now < until:
            step = 5 if self.now % (5 * MINUTE) == 0 and until - self.now >= 5 * MINUTE else 1
            self.round(self.read, minutes=step)

    def clock(self) -> str:
        return f"{datetime.fromtimestamp(self.now, PARIS):%H:%M}"

    def _begin(self) -> int:
        """A working day at nine: the next one."""
        day = self.cloud.now().astimezone(PARIS) + timedelta(days=1)
        while day.weekday() >= 5:
            day += timedelta(days=1)
        opening = day.replace(hour=_BEGINS, minute=0, second=0, microsecond=0)
        self.cloud.set_clock(opening)
        return int(opening.timestamp())

    def _set_clock(self, instant: datetime) -> None:
        """And what came due in this round has begun: something does each minute."""
        self.cloud.set_clock(instant)
        wait_for(
            lambda: True if self._invoked(_EVERY_MINUTE) > self._ran else None,
            seconds=_SCHEDULES_SECONDS,
            what="what runs each minute",
        )

    def _settle(self) -> None:
        """Nothing runs and nothing waits, seen twice."""
        seen = 0

        def still() -> bool | None:
            nonlocal seen
            status = self.cloud.status()
            workers = (worker for found in status["pool"]["functions"].values() for worker in found)
            runs = any(worker["state"] != "idle" for worker in workers) or status["pool"]["waiting"]
            seen = 0 if runs or status["executions_running"] else seen + 1
            return True if seen > 1 else None

        wait_for(still, seconds=_SETTLE_SECONDS, what="the end of what runs")

    # Traffic

    def read(self, times: int = 4) -> None:
        """What people look at, over HTTP: 24 requests, enough for the alarms of a minute."""
        self.all_at_once(lambda path: self.api.send("GET", path), _READS * times)

    def issue(self, number: int, *, send: bool = False) -> None:
        """So many invoices, and the end of their deliveries."""
        ended = self.deliveries_ended()

        def one(_: int) -> None:
            written = self.api.post("/v1/invoices", draft(self.customer["customer_id"]))
            body = {"version": written["version"], "send": send}
            self.api.post(f"/v1/invoices/{written['invoice_id']}/issue", body)

        self.all_at_once(one, range(number))
        wait_for(
            lambda: True if self.deliveries_ended() >= ended + number else None,
            seconds=_SETTLE_SECONDS * 2,
            what="the deliveries",
        )

    def ask_stripe(self, number: int) -> None:
        """How the company's subscription stands: a request to Stripe each."""
        self.all_at_once(lambda _: self.api.post("/v1/subscription/refresh"), range(number))

    def all_at_once(self, call: Callable[[Any], object], given: Any) -> None:
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            list(threads.map(call, given))

    def deliveries_ended(self) -> int:
        return sum(status != "RUNNING" for _, status in executions(self._workflows, self.machine))

    # Who is told

    def _date_what_came(self) -> None:
        came = len(self.inbox)
        for rank in range(self._dated, came):
            self.inbox[rank] = replace(self.inbox[rank], minute=self.now)
        self._dated = came

    def _look_for_mail(self) -> None:
        for path in sorted(self.cloud.mail_directory.glob(f"*-{MAILBOX}.eml")):
            if path.name not in self._mails_seen:
                self._mails_seen.add(path.name)
                self.inbox.append(_mail(path))

    def dead_letters(self, logical_id: str) -> tuple[str, int]:
        """The queue's address, and how many it holds."""
        url = read_attributes(self.cloud.layout)[logical_id]
        told = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return url, int(told["Attributes"]["ApproximateNumberOfMessages"])

    def _publish(self, changes: list[Change]) -> None:
        """As CloudWatch does; then the router has had them all."""
        told = [(change, topic) for change in changes for topic in change.topics]
        routed = self._invoked(_ROUTER) + sum("AlertsTopic" in topic for _, topic in told)
        for change in changes:
            self.changes.append((change, real_seconds()))
            for topic in change.topics:
                self._sns.publish(TopicArn=topic, Message=change.message())
        if told:
            wait_for(
                lambda: True if self._invoked(_ROUTER) >= routed else None,
                seconds=_TOLD_SECONDS,
                what="the router of alerts",
            )

    def _invoked(self, function: str) -> int:
        """How many times it ended."""
        for line in self._invocations.lines(self.cloud.log_directory / INVOCATIONS_LOG):
            self._runs[json.loads(line)["function"]] += 1
        return self._runs[f"{STACK_NAME}-{function}"]

    def _tell_who_is_told(self, slack_url: str, sms_url: str) -> None:
        told = {"slack_webhook_url": f"{slack_url}/services/exercice", "emails": [MAILBOX], "phone_numbers": [PHONE]}
        self._write_secret("AlertsSecret", told)
        for function in (_ROUTER, _EVERY_MINUTE):  # who tells, and by SMS through SNS
            self.cloud.disturb(function, environment={"AWS_ENDPOINT_URL_SNS": sms_url})

    def _write_secret(self, logical_id: str, value: Mapping[str, Any]) -> None:
        manager = client("secretsmanager", self.cloud.layout.ministack_url)
        manager.put_secret_value(SecretId=f"{STACK_NAME}-{logical_id}", SecretString=json.dumps(value))

    # The scenery

    def _company(self, owner: str) -> ApiClient:
        """Signed up, described, and on the paid plan: it issues more than the free one is meant for."""
        api = ApiClient(self.cloud.base_url)
        api.post("/v1/auth/sign-up", {"email": owner, "password": PASSWORD, "full_name": "Compte d'exemple"})
        mail = wait_for(
            lambda: next(iter(mails_to(self.cloud.mail_directory, owner)), None), seconds=20, what="the code"
        )
        api.post("/v1/auth/confirm-email", {"email": owner, "code": confirmation_code(mail)})
        api.sign_in(owner, PASSWORD)
        api.put("/v1/company", COMPANY, version=0)
        page: Json = api.post("/v1/subscription/start", {"plan_id": "pro"})
        session = re.search(r"cs_test_\w+", page["url"])
        if session is None:
            raise RuntimeError(f"no page of the local Stripe: {page['url']}")
        self.cloud.stripe("POST", f"checkout/{session[0]}/pay", {"method": "card"})
        api.post("/v1/subscription/refresh")
        return api

    def _collecting(self, stack: Stack, template: Template) -> Collector:
        attributes = read_attributes(self.cloud.layout)
        queues = template.resources("AWS::SQS::Queue")
        return Collector(
            self.measured,
            self.cloud.log_directory,
            api_id=stack.api_id,
            queues={template.attribute(name, "QueueName"): attributes[name] for name in queues},
            machines=[self.machine],
            sqs=self._sqs,
            workflows=self._workflows,
        )


@contextmanager
def stage(cloud: LocalCloud) -> Iterator[Stage]:
    inbox: list[Received] = []
    with serving(slack_handler(inbox)) as slack_url, serving(sms_handler(inbox)) as sms_url:
        set_up = Stage(cloud, inbox, slack_url=slack_url, sms_url=sms_url)
        with contextlib.closing(set_up):
            yield set_up


def _mail(path: Path) -> Received:
    message = email.message_from_bytes(path.read_bytes(), policy=default)
    body = message.get_body(preferencelist=("plain",))
    text = f"{message['Subject']}\n{body.get_content() if body else ''}"
    return Received(channel="email", text=text, payload=path.name, at=path.stat().st_mtime)


def _operator(cloud: LocalCloud, name: str) -> ApiClient:
    if not ensure_operator(cloud.layout, name):
        raise RuntimeError("no operator can sign in on the local cloud")
    return ApiClient(cloud.base_url, token=operator_token(cloud.layout, name))
