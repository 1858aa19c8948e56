"""What a handler brings with it: modules of ours, distributions of others, settings and services of AWS."""

import ast
import importlib.metadata
import importlib.util
import json
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

# One interpreter imports what the core layer always brings, then forks for each set: each starts clean, and fast.
IMPORTER = """
import sys
STARTED = set(sys.modules)  # what an environment loads at every start, such as setuptools
import importlib, json, os
import aws_lambda_powertools.event_handler, boto3, pydantic

for names in json.load(sys.stdin):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            for name in names:
                importlib.import_module(name)
            found = sorted(set(sys.modules) - STARTED)
        except BaseException as error:
            found = repr(error)
        with os.fdopen(writing, "w") as pipe:
            json.dump(found, pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        print(json.dumps(json.load(pipe)))
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
    """Of each handler module, at its import or on first use.

    Our own modules are followed as they are written, into the imports that a function makes when it is first called;
    those of others as they load.
    """
    closures = {handler: _closure(handler) for handler in handlers()}
    wanted = {handler: tuple(sorted(_foreign(modules))) for handler, modules in closures.items()}
    loaded = _loaded(sorted(set(wanted.values())))
    owners = importlib.metadata.packages_distributions()
    found: dict[str, Reached] = {}
    for handler, ours in closures.items():
        tops = {name.partition(".")[0] for name in loaded[wanted[handler]]} - sys.stdlib_module_names - OPTIONAL
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


def _loaded(wanted: list[tuple[str, ...]]) -> dict[tuple[str, ...], list[str]]:
    """The modules that a start and these imports bring, each set apart from the others."""
    answer = subprocess.run(
        [sys.executable, "-c", IMPORTER],
        input=json.dumps(wanted),
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    loaded = [json.loads(line) for line in answer.stdout.splitlines()]
    for names, modules in zip(wanted, loaded, strict=True):
        assert isinstance(modules, list), f"{names} cannot be imported: {modules}"
    return dict(zip(wanted, loaded, strict=True))


def _closure(module: str) -> set[str]:
    """The modules of ours that it imports, itself and the packages they stand in among them."""
    found: set[str] = set()
    ahead = [module]
    while ahead:
        one = ahead.pop()
        if one in found:
            continue
        found.add(one)
        package = one.rpartition(".")[0]
        ahead += [package] * bool(package) + [name for name in _imports(one) if name in _our_modules()]
    return found


def _foreign(modules: set[str]) -> set[str]:
    names = {name for module in modules for name in _imports(module)}
    return {
        name
        for name in names
        if (top := name.partition(".")[0]) not in OUR_CODE and top not in sys.stdlib_module_names and _is_module(name)
    }


@cache
def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False  # a name in a module, not a module in a package


@cache
def _our_modules() -> frozenset[str]:
    return frozenset(
        ".".join(path.relative_to(directory).with_suffix("").parts).removesuffix(".__init__")
        for directory in map(Path, CODE_PATH)
        for path in directory.rglob("*.py")
    )


@cache
def _imports(module: str) -> frozenset[str]:
    """What it names in imports, wherever they stand but where only a type checker looks; names in a module too."""
    if module not in _our_modules():
        return frozenset()  # a folder of functions, which holds modules and is none
    return frozenset(_imported(_tree(_source(module))))


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            yield from _imported(node)


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
