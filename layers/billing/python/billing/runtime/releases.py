"""The versions that are about to go live, and the deployment that waits for what is said of them."""

from __future__ import annotations

from functools import cache

import boto3

from billing.adapters.codedeploy import CodeDeployReports
from billing.adapters.invoked_api import InvokedApi, host_of
from billing.ports.canary import DeploymentReports, Requests
from billing.runtime.clients import sdk_config
from billing.runtime.clock import clock, ids
from billing.runtime.settings import public_api_url, released_version_arns

_TRIED_ONCE = {"mode": "standard", "total_max_attempts": 1}


@cache
def released_api() -> Requests:
    # As long as API Gateway would wait, and no second try: a version that has to be asked twice is not fit to go live.
    client = boto3.client("lambda", config=sdk_config(read_timeout=31, retries=_TRIED_ONCE))
    return InvokedApi(client, released_version_arns(), host=host_of(public_api_url()), clock=clock, ids=ids)


@cache
def deployments() -> DeploymentReports:
    return CodeDeployReports(boto3.client("codedeploy", config=sdk_config()))


def release() -> str:
    """Another text for other versions."""
    return ",".join(released_version_arns())
