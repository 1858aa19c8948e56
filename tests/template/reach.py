"""What a handler brings with it: modules of ours, distributions of others, settings and services of AWS."""

import ast
import importlib.metadata
import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.template.stack import ROOT, handlers

OUR_CODE = {"billing"} | {module.split(".")[0] for module in handlers()}
OPTIONAL = {"certifi"}  # botocore takes it when it is there; its own certificates do
# pypdf takes them when they are there, for pictures and encryption; what judges a document reads its structure.
OPTIONAL_OF_PYPDF = {"cffi", "cryptography", "fonttools", "pillow"}
# stripe takes httpx when it is there; it is given requests.
OPTIONAL_OF_STRIPE = {"anyio", "click", "httpx", "pygments", "rich"}
CODE_PATH = [str(ROOT / "functions"), str(ROOT / "layers" / "billing" / "python")]
SETTINGS = "billing.runtime.settings"

# One interpreter imports what the core layer always brings, then forks for each handler: each starts clean, and fast.
# Imports inside our functions are followed too: they are made when the operation first needs them.
IMPORTER = """
import sys
STARTED = set(sys.modules)  # what an environment loads at every start, such as setuptools
import ast, importlib.util, inspect, json, os
import aws_lambda_powertools.event_handler, boto3, pydantic

def ours():
    return {name for name in sys.modules if name.partition(".")[0] in OURS}

def postponed(module):
    for function in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.ImportFrom):
                    yield node.module
                    yield from (f"{node.module}.{alias.name}" for alias in node.names)
                elif isinstance(node, ast.Import):
                    yield from (alias.name for alias in node.names)

def exists(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False  # a name in a module, not a module in a package

def closure(module):
    importlib.import_module(module)
    followed = set()
    while ours() - followed:
        for name in ours() - followed:
            followed.add(name)
            for other in postponed(sys.modules[name]):
                if exists(other):
                    importlib.import_module(other)
    return sorted(set(sys.modules) - STARTED)

OURS = set(sys.argv[1].split(","))
for module in sys.argv[2:]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            found = closure(module)
        except BaseException as error:
            found = repr(error)
        with os.fdopen(writing, "w") as pipe:
            json.dump(found, pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        print(json.dumps([module, json.load(pipe)]))
    os.waitpid(child, 0)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Settings are names of environment variables; services are named as boto3 names them."""

    distributions: set[str]
    settings: set[str]
    services: set[str]


def distribution(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def reached_by_handlers() -> dict[str, Reached]:
    """Of each handler module, at its import or on first use."""
    answer = subprocess.run(
        [sys.executable, "-c", IMPORTER, ",".join(OUR_CODE), *handlers()],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(CODE_PATH)},
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    owners = importlib.metadata.packages_distributions()
    found: dict[str, Reached] = {}
    for line in answer.stdout.splitlines():
        handler, modules = json.loads(line)
        assert isinstance(modules, list), f"{handler} cannot be imported: {modules}"
        tops = {module.partition(".")[0] for module in modules} - sys.stdlib_module_names - OUR_CODE - OPTIONAL
        ours = [module for module in modules if module.partition(".")[0] in OUR_CODE]
        distributions = {distribution(owner) for top in tops for owner in owners.get(top, [])}
        if "pypdf" in distributions:
            distributions -= OPTIONAL_OF_PYPDF
        if "stripe" in distributions:
            distributions -= OPTIONAL_OF_STRIPE
        found[handler] = Reached(
            distributions=distributions,
            settings=set().union(*(_settings(module) for module in ours)),
            services=set().union(*(services_named(_source(module)) for module in ours)),
        )
    return found


def _source(module: str) -> Path:
    relative = Path(*module.split("."))
    for directory in map(Path, CODE_PATH):
        for path in (directory / relative.with_suffix(".py"), directory / relative / "__init__.py"):
            if path.exists():
                return path
    raise FileNotFoundError(module)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def setting_names() -> dict[str, str]:
    """Function of the settings module → the environment variable it reads."""
    return {
        function.name: node.value
        for function in _tree(_source(SETTINGS)).body
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isupper()
    }


@cache
def _settings(module: str) -> frozenset[str]:
    taken = {
        alias.name
        for node in ast.walk(_tree(_source(module)))
        if isinstance(node, ast.ImportFrom) and node.module == SETTINGS
        for alias in node.names
    }
    return frozenset(setting_names()[name] for name in taken if name in setting_names())


@cache
def services_named(path: Path) -> frozenset[str]:
    """The first argument of every ``client("dynamodb", …)``."""
    return frozenset(_services(_tree(path)))


def _services(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and re.search(r"(^|[._])(client|resource)$", ast.unparse(node.func)):
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant):
                    yield str(argument.value)
