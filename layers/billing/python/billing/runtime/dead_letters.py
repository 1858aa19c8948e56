"""Queues of dead letters, and what replays them."""

from __future__ import annotations

from functools import cache

import boto3

from billing.adapters.dead_letters import LambdaReplays, SqsDeadLetters
from billing.domain.dead_letters import LetterQueue
from billing.runtime import settings, stripe_queue
from billing.runtime.clients import sdk_config

# As long as the slowest function may take; asked once, for a second try would run it beside the first.
_ASKED_ONCE = {"read_timeout": 90, "retries": {"mode": "standard", "total_max_attempts": 1}}


@cache
def queues() -> tuple[SqsDeadLetters, ...]:
    client = boto3.client("sqs", config=sdk_config())
    urls = {
        LetterQueue.STRIPE_EVENTS: settings.stripe_events_dead_letter_queue_url(),
        LetterQueue.STREAMS: settings.streams_dead_letter_queue_url(),
        LetterQueue.EVENTS: settings.events_dead_letter_queue_url(),
    }
    return tuple(SqsDeadLetters(client, url, queue) for queue, url in urls.items())


@cache
def replays() -> LambdaReplays:
    return LambdaReplays(
        boto3.client("lambda", config=sdk_config(**_ASKED_ONCE)),
        # What it asks for is what the service itself wrote into the letter.
        boto3.client("dynamodbstreams", config=sdk_config(parameter_validation=False)),
        subscribers={
            settings.alerts_topic_arn(): settings.route_alert_function_arn(),
            settings.mail_events_topic_arn(): settings.receive_mail_event_function_arn(),
        },
        queue_event=lambda event_id: stripe_queue.event_queue().put([event_id]),
    )
