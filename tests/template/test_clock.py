"""In the cloud the time is the time: nothing that is deployed can be told another, as a local cloud's functions are."""

from __future__ import annotations

import ast
import re

import pytest

from tests.template.stack import ROOT, functions, resources

CLOCK = ROOT / "layers/billing/python/billing/runtime/clock.py"
DEPLOYED = sorted(path for folder in ("functions", "layers/billing") for path in (ROOT / folder).rglob("*.py"))
READS_THE_TIME = re.compile(
    r"\.(now|utcnow|today)\((UTC|tz=|timezone)|\b(date\.today|datetime\.now|time\.time|time\.time_ns)\("
)
SETS_THE_CLOCK = re.compile(r"\bclock\.\w+ *=[^=]|setattr\(\s*clock\b|^\s*(from|import) local\b", re.MULTILINE)
# A variable by which a process, or a wrapper around it, is told a date.
TELLS_A_DATE = re.compile(r"CLOCK|TODAY|FAKE|FREEZE|TIME_?TRAVEL|LD_PRELOAD|EXEC_WRAPPER|PYTHONSTARTUP|PYTHONPATH")


def test_one_place_reads_the_time() -> None:
    assert [path for path in DEPLOYED if READS_THE_TIME.search(path.read_text(encoding="utf-8"))] == [CLOCK]


def test_the_clock_knows_the_machine_and_nothing_else() -> None:
    """Neither the environment, nor a file, nor a network, nor another module of ours that could read one."""
    tree = ast.parse(CLOCK.read_text(encoding="utf-8"))
    imported = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}

    assert imported == {"__future__", "time", "datetime", "random", "secrets", "ulid", "billing.domain.dates"}
    assert called == {"SystemRandom", "token_urlsafe", "ULID", "civil_date", "SystemClock", "UlidIds"}


def test_nothing_deployed_sets_the_clock_or_knows_the_local_cloud() -> None:
    assert [path for path in DEPLOYED if SETS_THE_CLOCK.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("code", ["clock.now = later", "setattr(clock, 'now', later)", "from local import clock"])
def test_setting_the_clock_would_be_seen(code: str) -> None:
    assert SETS_THE_CLOCK.search(code)


@pytest.mark.parametrize("function", functions())
def test_no_function_can_have_the_local_clock(function: str) -> None:
    properties = functions()[function]

    assert properties["CodeUri"].rstrip("/") == "functions"
    assert not [name for name in properties["Environment"]["Variables"] if TELLS_A_DATE.search(name)]


def test_no_layer_holds_the_local_cloud() -> None:
    for name, layer in resources("AWS::Serverless::LayerVersion").items():
        folder = ROOT / layer["Properties"]["ContentUri"]
        assert folder.resolve().is_relative_to(ROOT / "layers"), name
        assert not [path for path in folder.rglob("*") if path.name == "local" and path.is_dir()], name
