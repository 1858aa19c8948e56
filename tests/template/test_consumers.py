"""What consumes events loses none: retries, a dead-letter queue, an alarm on it."""

import json
from typing import Any

import pytest

from local.supervision.application import resolved
from tests.template.stack import functions, references, resources, target
from tests.template.test_alarms import watched_names

STREAMED_ENTITIES = ["delivery_request", "verification_request", "bulk_request"]


QUEUED = {
    name
    for name, source in resources("AWS::Lambda::EventSourceMapping").items()
    if resources()[target(source["Properties"]["EventSourceArn"])]["Type"] == "AWS::SQS::Queue"
}


def _queues_with_an_alarm() -> set[str]:
    queues = watched_names("QueueName")
    return {
        queues[dimension["Value"]]
        for alarm in resolved("AWS::CloudWatch::Alarm").values()
        if alarm.get("MetricName") == "ApproximateNumberOfMessagesVisible"
        for dimension in alarm["Dimensions"]
        if alarm["Threshold"] == 1
    }


def _at(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key, {})
    return value


def _dead_letter_queues() -> dict[str, Any]:
    """Consumer → its dead-letter queue (nothing when it has none), of everything that takes events."""
    found = {
        name: _at(source, "Properties", "DestinationConfig", "OnFailure", "Destination")
        for name, source in resources("AWS::Lambda::EventSourceMapping").items()
        if name not in QUEUED
    }
    for name in QUEUED:
        queue = target(resources()[name]["Properties"]["EventSourceArn"])
        found[name] = _at(resources()[queue], "Properties", "RedrivePolicy", "deadLetterTargetArn")
    for name, schedule in resources("AWS::Scheduler::Schedule").items():
        found[name] = _at(schedule, "Properties", "Target", "DeadLetterConfig", "Arn")
    for name, rule in resources("AWS::Events::Rule").items():
        [aim] = rule["Properties"]["Targets"]
        found[name] = _at(aim, "DeadLetterConfig", "Arn")
    for name, subscription in resources("AWS::SNS::Subscription").items():
        if subscription["Properties"]["Protocol"] == "lambda":
            found[name] = _at(subscription, "Properties", "RedrivePolicy", "deadLetterTargetArn")
            consumer = target(subscription["Properties"]["Endpoint"])
            found[consumer] = _at(functions()[consumer], "DeadLetterQueue", "TargetArn")
    return found


def test_every_kind_of_consumer_is_looked_at() -> None:
    kinds = {resource["Type"] for resource in resources().values()}

    assert not kinds & {"AWS::Pipes::Pipe", "AWS::Lambda::EventInvokeConfig"}
    assert len(_dead_letter_queues()) == 25


@pytest.mark.parametrize("consumer", _dead_letter_queues())
def test_a_consumer_has_a_dead_letter_queue_and_its_alarm(consumer: str) -> None:
    queues = set(references(_dead_letter_queues()[consumer]))

    assert queues
    assert queues <= _queues_with_an_alarm()


@pytest.mark.parametrize("name", QUEUED)
def test_a_queue_hides_a_message_for_as_long_as_its_consumer_may_take(name: str) -> None:
    source = resources()[name]["Properties"]
    queue = resources()[target(source["EventSourceArn"])]["Properties"]
    consumer = functions()[target(source["FunctionName"])]

    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert queue["VisibilityTimeout"] >= 6 * consumer["Timeout"]  # as AWS advises
    assert 1 < queue["RedrivePolicy"]["maxReceiveCount"] < 10


@pytest.mark.parametrize("name", sorted(set(resources("AWS::Lambda::EventSourceMapping")) - QUEUED))
def test_a_stream_consumer_gives_back_only_what_failed(name: str) -> None:
    source = resources()[name]["Properties"]

    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["BisectBatchOnFunctionError"] is True
    assert source["StartingPosition"] == "TRIM_HORIZON"
    assert 0 < source["MaximumRetryAttempts"] < 100
    assert source["MaximumRecordAgeInSeconds"] < 24 * 3600


def test_the_outbox_consumer_sees_requests_ledger_entries_and_what_counts_only() -> None:
    requests, entries, counted = resources()["WorkflowRequestsSource"]["Properties"]["FilterCriteria"]["Filters"]

    assert json.loads(requests["Pattern"]) == {
        "eventName": ["INSERT", "MODIFY"],
        "dynamodb": {"NewImage": {"entity": {"S": STREAMED_ENTITIES}}},
    }
    assert json.loads(entries["Pattern"]) == {
        "eventName": ["INSERT"],
        "dynamodb": {"NewImage": {"entity": {"S": ["ledger_entry"]}}},
    }
    assert json.loads(counted["Pattern"]) == {
        "eventName": ["INSERT", "MODIFY"],
        "dynamodb": {"NewImage": {"counted": {"S": [{"exists": True}]}}},
    }


def test_no_more_than_two_read_the_stream() -> None:
    """A third would throttle the others."""
    sources = resources("AWS::Lambda::EventSourceMapping").values()
    reading = [one for one in sources if "BillingTable" in set(references(one["Properties"]["EventSourceArn"]))]

    assert len(reading) == 2


@pytest.mark.parametrize("name", resources("AWS::Scheduler::Schedule"))
def test_a_schedule_says_its_time_zone_and_retries(name: str) -> None:
    schedule = resources()[name]["Properties"]

    assert schedule["ScheduleExpressionTimezone"] == "Europe/Paris"
    assert schedule["Target"]["RetryPolicy"]["MaximumRetryAttempts"] <= 3


@pytest.mark.parametrize("name", resources("AWS::SQS::Queue"))
def test_dead_letters_wait_fourteen_days(name: str) -> None:
    assert resources()[name]["Properties"]["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_what_fails_can_be_written_to_its_queue() -> None:
    for name, source in resources("AWS::Lambda::EventSourceMapping").items():
        if name in QUEUED:  # SQS moves what failed itself
            continue
        role = target(functions()[target(source["Properties"]["FunctionName"])]["Role"])
        queue = target(_dead_letter_queues()[name])
        statements = resources()[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        sending = [statement for statement in statements if "sqs:SendMessage" in statement["Action"]]

        assert queue in set(references(sending))
