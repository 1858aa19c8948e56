"""What CloudFormation counts and refuses: resources and outputs of a stack, its template's size, and circles in it."""

import graphlib
import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.template.stack import ROOT, SUPERVISION, TEMPLATE, api, references, resources, template

RESOURCE_LIMIT = 450  # CloudFormation refuses 500
OUTPUT_LIMIT = 200
TEMPLATE_LIMIT = 1_000_000  # bytes, of a template in S3, where `sam deploy` puts it; 51,200 without
POLICY_LIMIT = 10_240  # characters of a role's inline policies together
SAM_PYTHON = ROOT / ".venv" / "sam" / "bin" / "python"

# The transform `sam validate` applies, without its look-up of AWS's managed policies: the template uses none.
TRANSFORM = """
import json, sys
from unittest.mock import Mock
from samcli.lib.translate.sam_template_validator import SamTemplateValidator
from samcli.yamlhelper import yaml_parse
from samtranslator.public.translator import ManagedPolicyLoader
loader = Mock(spec=ManagedPolicyLoader)
loader.load.return_value = {}
validator = SamTemplateValidator(yaml_parse(open(sys.argv[1]).read()), loader, region="eu-west-3")
json.dump(yaml_parse(validator.get_translated_template_if_valid())["Resources"], sys.stdout)
"""


each_template = pytest.mark.parametrize("path", [TEMPLATE, SUPERVISION], ids=lambda path: path.stem)


@cache
def transformed(path: Path) -> dict[str, Any]:
    """The resources CloudFormation is given."""
    answer = subprocess.run(
        [str(SAM_PYTHON), "-c", TRANSFORM, str(path)],
        env={**os.environ, "AWS_DEFAULT_REGION": "eu-west-3", "SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    parsed: dict[str, Any] = json.loads(answer.stdout)
    return parsed


@each_template
def test_a_stack_stays_below_its_limits(path: Path) -> None:
    assert len(resources(of=path)) <= len(transformed(path)) < RESOURCE_LIMIT
    assert len(template(path).get("Outputs", {})) <= OUTPUT_LIMIT
    assert path.stat().st_size <= TEMPLATE_LIMIT


def test_what_watches_is_in_the_application_of_supervision_and_nothing_else_is() -> None:
    watching = {
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::Logs::QueryDefinition",
    }

    assert {one["Type"] for one in resources(of=SUPERVISION).values()} == watching
    assert resources(*watching) == {}


def test_a_function_is_one_resource() -> None:
    kinds = [resource["Type"] for resource in transformed(TEMPLATE).values()]

    assert kinds.count("AWS::Lambda::Function") == len(resources("AWS::Serverless::Function"))
    assert kinds.count("AWS::IAM::Role") == len(resources("AWS::IAM::Role"))
    assert kinds.count("AWS::Lambda::Permission") == len(resources("AWS::Lambda::Permission"))


@each_template
def test_no_resource_waits_for_itself(path: Path) -> None:
    graph = {}
    known = transformed(path)
    for name, resource in known.items():
        waits = resource.get("DependsOn", [])
        graph[name] = set(references(resource)) | set([waits] if isinstance(waits, str) else waits)
    if path == TEMPLATE:
        graph["HttpApi"] |= set(references(api()))

    order = list(graphlib.TopologicalSorter({name: needs & set(known) for name, needs in graph.items()}).static_order())

    assert set(order) == set(known)


def test_inline_policies_fit_in_their_role() -> None:
    for role in resources("AWS::IAM::Role").values():
        policies = [policy["PolicyDocument"] for policy in role["Properties"].get("Policies", [])]

        assert len(json.dumps(policies, separators=(",", ":"))) < POLICY_LIMIT
