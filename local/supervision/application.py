"""supervision.yaml as it is deployed beside a stack of template.yaml: one place gives its alarms and dashboards.

A stack of any name may be asked for; what only AWS names (the id of an API, a topic's ARN) has the local cloud's value.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from local.cloudwatch.alarms import Alarm
from local.layout import STACK_NAME
from local.template import Template, read_yaml

ROOT = Path(__file__).resolve().parents[2]
MAIN = ROOT / "template.yaml"
SUPERVISION = ROOT / "supervision.yaml"


@cache
def main_stack(stack: str = STACK_NAME) -> Template:
    """What is watched."""
    return Template(read_yaml(MAIN), parameters={}, attributes={}, stack_name=stack)


@cache
def supervision_stack(stack: str = STACK_NAME) -> Template:
    """What watches the stack of this name. Raises: TemplateError."""
    return supervision_of(main_stack(stack), stack)


def supervision_of(main: Template, stack: str = STACK_NAME) -> Template:
    """What watches a stack of this name that runs somewhere. Raises: TemplateError."""
    return Template(
        read_yaml(SUPERVISION),
        parameters={"BillingStack": stack},
        attributes={},
        stack_name=f"{stack}-supervision",
        imports=main.exports(),
    )


def resolved(resource_type: str, stack: str = STACK_NAME) -> dict[str, dict[str, Any]]:
    """Properties by logical id, without any intrinsic. Raises: TemplateError: one names what is not there."""
    return resolved_of(supervision_stack(stack), resource_type)


def resolved_of(template: Template, resource_type: str) -> dict[str, dict[str, Any]]:
    """As ``resolved``, of one that runs somewhere."""
    return {name: template.resolve(properties) for name, properties in template.resources(resource_type).items()}


def alarms(stack: str = STACK_NAME) -> dict[str, Alarm]:
    """Metric alarms by logical id, which ends the name of the alarm and is its heading in the runbook."""
    return {name: Alarm(name, properties) for name, properties in resolved("AWS::CloudWatch::Alarm", stack).items()}


def composites(stack: str = STACK_NAME) -> dict[str, str]:
    """Rules by logical id, in which alarms stand by theirs."""
    return {
        name: properties["AlarmRule"].replace(f"{stack}-", "")
        for name, properties in resolved("AWS::CloudWatch::CompositeAlarm", stack).items()
    }


def dashboards(stack: str = STACK_NAME) -> dict[str, dict[str, Any]]:
    """Bodies by logical id, as CloudWatch is given them."""
    return {
        name: json.loads(properties["DashboardBody"])
        for name, properties in resolved("AWS::CloudWatch::Dashboard", stack).items()
    }
