"""The state machines."""

from __future__ import annotations

from functools import cache

import boto3

from billing.adapters.step_functions import StepFunctionsWorkflows
from billing.runtime.clients import sdk_config
from billing.runtime.settings import (
    bulk_job_state_machine_arn,
    invoice_delivery_state_machine_arn,
    ledger_verification_state_machine_arn,
)


@cache
def workflows() -> StepFunctionsWorkflows:
    return StepFunctionsWorkflows(
        boto3.client("stepfunctions", config=sdk_config()),
        delivery_arn=invoice_delivery_state_machine_arn(),
        verification_arn=ledger_verification_state_machine_arn(),
        bulk_arn=bulk_job_state_machine_arn(),
    )
