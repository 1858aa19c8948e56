"""What CloudWatch keeps, and the topic of alerts."""

from __future__ import annotations

from functools import cache

import boto3

from billing.adapters.cloudwatch import CloudWatchFigures, SnsTopic
from billing.runtime.clients import sdk_config
from billing.runtime.settings import alerts_topic_arn, stack_name


@cache
def figures() -> CloudWatchFigures:
    return CloudWatchFigures(boto3.client("cloudwatch", config=sdk_config()), stack_name())


@cache
def topic() -> SnsTopic:
    return SnsTopic(boto3.client("sns", config=sdk_config()), alerts_topic_arn())
