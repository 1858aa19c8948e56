"""One module, one function, one event sample; names that follow from the module; layers that hold what it imports."""

import ast
import importlib.metadata
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.openapi.handlers import HandlerName
from tests.template.stack import FUNCTION, ROOT, TEMPLATE, functions, handlers, resources

LAYERS_DIRECTORY = {"CoreDepsLayer": "core_deps", "PdfDepsLayer": "pdf_deps"}
EVERYWHERE = {"CoreDepsLayer", "BillingLayer"}
OPTIONAL = {"certifi"}  # botocore takes it when it is there; its own certificates do
SAMPLES = sorted((ROOT / "events").glob("*/*.json"))
OUR_CODE = {"billing"} | {module.split(".")[0] for module in handlers()}

# One interpreter imports what the core layer always brings, then forks for each handler: each starts clean, and fast.
# Imports inside our functions are followed too: they are made when the operation first needs them.
IMPORTER = """
import ast, importlib.util, inspect, json, os, sys
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
    return sorted({name.partition(".")[0] for name in sys.modules})

OURS = set(sys.argv[1].split(","))
for module in sys.argv[2:]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            tops = closure(module)
        except BaseException as error:
            tops = repr(error)
        with os.fdopen(writing, "w") as pipe:
            json.dump(tops, pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        print(json.dumps([module, json.load(pipe)]))
    os.waitpid(child, 0)
"""


def _module(function: str) -> str:
    module, _, attribute = functions()[function]["Handler"].rpartition(".")
    assert attribute == "handler"
    return str(module)


def _layers(function: str) -> list[str]:
    return [layer["Ref"] for layer in functions()[function]["Layers"]]


def _pins(layer: str) -> set[str]:
    path = ROOT / "layers" / LAYERS_DIRECTORY[layer] / "requirements.txt"
    return {_distribution(name) for name in re.findall(r"(?m)^([\w.-]+)==", path.read_text(encoding="utf-8"))}


def _distribution(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="session")
def imported() -> dict[str, set[str]]:
    """The distributions each handler module brings with it, at its import or later."""
    path = [str(ROOT / "functions"), str(ROOT / "layers" / "billing" / "python")]
    names = {
        name: "1"
        for function in functions().values()
        for name in function["Environment"]["Variables"]
        if not name.startswith("POWERTOOLS_")
    }
    answer = subprocess.run(
        [sys.executable, "-c", IMPORTER, ",".join(OUR_CODE), *handlers()],
        env={**os.environ, **names, "PYTHONPATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    owners = importlib.metadata.packages_distributions()
    found: dict[str, set[str]] = {}
    for line in answer.stdout.splitlines():
        module, tops = json.loads(line)
        assert isinstance(tops, list), f"{module} cannot be imported: {tops}"
        found[module] = {
            _distribution(owner)
            for top in tops
            if top not in sys.stdlib_module_names | OUR_CODE | OPTIONAL
            for owner in owners.get(top, [])
        }
    return found


def test_each_handler_has_its_function_and_each_function_its_handler() -> None:
    assert sorted(_module(function) for function in functions()) == sorted(handlers())


@pytest.mark.parametrize("module", handlers())
def test_a_handler_module_defines_its_handler(module: str) -> None:
    tree = ast.parse(handlers()[module].read_text(encoding="utf-8"))
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}

    assert "handler" in names


@pytest.mark.parametrize("function", functions())
def test_names_follow_from_the_module(function: str) -> None:
    domain, operation = _module(function).split(".")
    name = HandlerName(domain=domain, operation=operation)

    assert function == name.logical_id
    assert functions()[function]["FunctionName"] == {"Fn::Sub": f"${{AWS::StackName}}-{name.function_suffix}"}


def test_operation_ids_follow_from_the_module() -> None:
    cases = {
        "invoices.issue": "issueInvoice",
        "invoices.list": "listInvoices",
        "customers.search": "searchCustomers",
        "invoices.read_timeline": "readInvoiceTimeline",
        "invoices.start_verification": "startInvoiceVerification",
        "company.read_onboarding": "readCompanyOnboarding",
        "auth.sign_in": "signIn",
        "operations.read_health": "readHealth",
    }
    derived = {}
    for module in cases:
        domain, operation = module.split(".")
        derived[module] = HandlerName(domain=domain, operation=operation).operation_id

    assert derived == cases


def test_each_function_has_one_event_sample() -> None:
    assert {f"{path.parent.name}.{path.stem}" for path in SAMPLES} == {_module(function) for function in functions()}


@pytest.mark.parametrize(
    "sample", sorted((ROOT / "events").glob("*/*.json")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_an_event_sample_is_json(sample: Path) -> None:
    assert json.loads(sample.read_text(encoding="utf-8"))


@pytest.mark.parametrize("function", functions())
def test_layers_hold_what_the_handler_imports(function: str, imported: dict[str, set[str]]) -> None:
    layers = _layers(function)
    held = set().union(*(_pins(layer) for layer in layers if layer in LAYERS_DIRECTORY))

    assert "BillingLayer" in layers
    assert imported[_module(function)] <= held
    assert len(layers) <= 3


@pytest.mark.parametrize(
    "function", [name for name in functions() if set(_layers(name)) - {"CoreDepsLayer", "BillingLayer"}]
)
def test_no_layer_is_attached_for_nothing(function: str, imported: dict[str, set[str]]) -> None:
    """Imported with the handler, or on its first use: the module is named in the code it reaches."""
    for layer in set(_layers(function)) - {"CoreDepsLayer", "BillingLayer"}:
        assert imported[_module(function)] & (_pins(layer) - _pins("CoreDepsLayer"))


def test_a_function_block_has_twelve_lines_at_most() -> None:
    lines = TEMPLATE.read_text(encoding="utf-8").splitlines()
    blocks: dict[str, int] = {}
    for number, line in enumerate(lines):
        name = line.strip().removesuffix(":")
        if re.fullmatch(r"  \w+:", line) and f"Type: {FUNCTION}" in lines[number + 1]:
            blank = next(index for index in range(number, len(lines)) if not lines[index].strip())
            blocks[name] = blank - number

    assert set(blocks) == set(functions())
    assert {name: length for name, length in blocks.items() if length > 12} == {}


def test_functions_share_their_code_runtime_and_processor() -> None:
    own = [set(resource["Properties"]) for resource in resources(FUNCTION).values()]

    assert not set().union(*own) & {"Runtime", "Architectures", "CodeUri", "Tracing", "Events", "Policies"}


def test_event_logging_is_off_everywhere() -> None:
    code = [*(ROOT / "functions").rglob("*.py"), *(ROOT / "layers" / "billing").rglob("*.py")]

    assert [path for path in code if re.search(r"log_event\s*=\s*True", path.read_text(encoding="utf-8"))] == []
    assert not any(
        "POWERTOOLS_LOGGER_LOG_EVENT" in function["Environment"]["Variables"] for function in functions().values()
    )
