"""Every setting read is set, every setting set is read, and in one place only."""

import re
from pathlib import Path

import pytest

from tests.template.reach import Reached, setting_names
from tests.template.stack import ROOT, SUPERVISION, TEMPLATE, functions, resources, template

BILLING = ROOT / "layers" / "billing" / "python" / "billing"
SETTINGS = BILLING / "runtime" / "settings.py"
# Read by the libraries themselves.
LIBRARY_SETTINGS = re.compile(r"POWERTOOLS_\w+")
READS_ENVIRONMENT = re.compile(r"\bos\.(environ|getenv)\b|\bfrom os import\b.*\b(environ|getenv)\b")


def _set() -> set[str]:
    names = {name for function in functions().values() for name in function["Environment"]["Variables"]}
    return {name for name in names if not LIBRARY_SETTINGS.fullmatch(name)}


def test_every_setting_read_is_set_and_every_setting_set_is_read() -> None:
    assert set(setting_names().values()) == _set()


@pytest.mark.parametrize("function", functions())
def test_a_function_has_every_setting_its_code_can_read(function: str, reached: dict[str, Reached]) -> None:
    module = functions()[function]["Handler"].removesuffix(".handler")

    assert reached[module].settings <= set(functions()[function]["Environment"]["Variables"])


def test_the_environment_is_read_in_one_module_only() -> None:
    code: list[Path] = [*BILLING.rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
    readers = [path for path in code if READS_ENVIRONMENT.search(path.read_text(encoding="utf-8"))]

    assert readers == [SETTINGS]


def test_names_of_settings_end_with_their_kind() -> None:
    kinds = ("_NAME", "_ARN", "_ARNS", "_ID", "_KIND", "_ADDRESS", "_POINTS", "_SECONDS", "_URL", "_URLS")

    assert [name for name in _set() if not name.endswith(kinds)] == []


def test_the_client_of_the_pool_stays_with_auth() -> None:
    """The pool's own trigger would otherwise wait for the client, which waits for the pool."""
    knowing = {
        name for name, function in functions().items() if "USER_POOL_CLIENT_ID" in function["Environment"]["Variables"]
    }

    assert all(name.startswith("Auth") for name in knowing)
    assert "AuthPreTokenGenerationFunction" not in knowing


@pytest.mark.parametrize("paths", [(TEMPLATE, ROOT / "api.yaml"), (SUPERVISION,)], ids=lambda paths: paths[0].stem)
def test_parameters_have_a_default_and_a_use(paths: tuple[Path, ...]) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in paths)
    for name, parameter in template(paths[0])["Parameters"].items():
        assert "Default" in parameter
        assert re.search(rf"Ref:? {name}\b|\$\{{{name}}}", text), name


def test_no_secret_is_written_in_the_template() -> None:
    for secret in resources("AWS::SecretsManager::Secret").values():
        assert "SecretString" not in secret["Properties"]
