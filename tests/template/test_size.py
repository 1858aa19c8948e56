"""What CloudFormation counts and refuses: resources of a stack, and circles among them."""

import graphlib
import json
import os
import subprocess
from typing import Any

import pytest

from tests.template.stack import ROOT, TEMPLATE, api, functions, references, resources

RESOURCE_LIMIT = 450  # CloudFormation refuses 500
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


@pytest.fixture(scope="session")
def transformed() -> dict[str, Any]:
    """The resources CloudFormation is given."""
    answer = subprocess.run(
        [str(SAM_PYTHON), "-c", TRANSFORM, str(TEMPLATE)],
        env={**os.environ, "AWS_DEFAULT_REGION": "eu-west-3", "SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    parsed: dict[str, Any] = json.loads(answer.stdout)
    return parsed


def test_the_stack_stays_below_its_limit(transformed: dict[str, Any]) -> None:
    assert len(resources()) <= len(transformed) < RESOURCE_LIMIT


def test_a_function_is_one_resource(transformed: dict[str, Any]) -> None:
    kinds = [resource["Type"] for resource in transformed.values()]

    assert kinds.count("AWS::Lambda::Function") == len(resources("AWS::Serverless::Function"))
    assert kinds.count("AWS::IAM::Role") == len(resources("AWS::IAM::Role"))
    assert kinds.count("AWS::Lambda::Permission") == len(resources("AWS::Lambda::Permission"))


def test_no_resource_waits_for_itself() -> None:
    graph = {}
    for name, resource in resources().items():
        waits = resource.get("DependsOn", [])
        graph[name] = set(references(resource)) | set([waits] if isinstance(waits, str) else waits)
    for name, properties in functions().items():
        graph[name] |= set(references(properties))
    graph["HttpApi"] |= set(references(api()))
    known = set(resources())

    order = list(graphlib.TopologicalSorter({name: needs & known for name, needs in graph.items()}).static_order())

    assert set(order) == known


def test_inline_policies_fit_in_their_role() -> None:
    for role in resources("AWS::IAM::Role").values():
        policies = [policy["PolicyDocument"] for policy in role["Properties"].get("Policies", [])]

        assert len(json.dumps(policies, separators=(",", ":"))) < POLICY_LIMIT
