"""The gates themselves: they look at every domain, pin every package, and run what they say."""

import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.template.stack import ROOT

PINNED = re.compile(r"[\w.-]+(\[[\w,-]+])?==[\w.]+")
REQUIREMENTS = [
    *sorted((ROOT / "local/requirements").glob("*.txt")),
    *sorted((ROOT / "layers").glob("*/requirements.txt")),
]
DOMAINS = {path.parent.name for path in (ROOT / "functions").glob("*/__init__.py")}


def _project() -> dict[str, Any]:
    tools: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    return tools


def _lines(path: Path) -> list[str]:
    return [
        line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith(("#", "-r "))
    ]


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_package_is_pinned_exactly(path: Path) -> None:
    assert [line for line in _lines(path) if not PINNED.fullmatch(line)] == []


def test_the_tests_run_on_what_the_layers_ship() -> None:
    shipped = {line for path in (ROOT / "layers").glob("*/requirements.txt") for line in _lines(path)}
    application = (ROOT / "local/requirements/app.txt").read_text(encoding="utf-8")

    assert len(shipped) == len({line.partition("==")[0] for line in shipped})
    for path in (ROOT / "layers").glob("*/requirements.txt"):
        assert f"-r ../../layers/{path.parent.name}/requirements.txt" in application


def test_every_domain_is_under_the_import_rules() -> None:
    linter = _project()["importlinter"]
    contracts = {contract["id"]: contract for contract in linter["contracts"]}

    assert set(linter["root_packages"]) == DOMAINS | {"billing"}
    assert set(contracts["domains"]["modules"]) == DOMAINS
    assert set(contracts["functions"]["source_modules"]) == DOMAINS
    assert set(contracts["deployed"]["source_modules"]) == DOMAINS | {"billing"}


def test_every_folder_of_functions_is_a_package() -> None:
    assert {
        path.name for path in (ROOT / "functions").iterdir() if path.is_dir() and path.name != "__pycache__"
    } == DOMAINS


def test_no_domain_is_named_like_a_library() -> None:
    """It would shadow the library in Lambda, where the functions' folder comes first."""
    assert not DOMAINS & (set(sys.stdlib_module_names) | set(importlib.metadata.packages_distributions()))


def test_hosted_continuous_integration_runs_the_same_command() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]

    assert "bash .ci/run" in [step.get("run") for step in steps]


def test_local_hooks_name_targets_that_exist() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    called = {
        word
        for repository in hooks["repos"]
        for hook in repository["hooks"]
        if hook["entry"].startswith("make ")
        for word in hook["entry"].split()[1:]
    }

    assert {repository["repo"] for repository in hooks["repos"]} == {"local"}
    assert called <= targets


def test_every_target_says_what_it_does() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"(?m)^([a-z-]+):(?!=)", makefile))

    assert targets == set(re.findall(r"(?m)^([a-z-]+):.*## \S", makefile))
