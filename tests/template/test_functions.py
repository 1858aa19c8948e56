"""One module, one function, one event sample; names that follow from the module; layers that hold what it imports."""

import ast
import json
import re
from pathlib import Path

import pytest

from billing.domain.indicators import CRITICAL_FUNCTIONS
from local.openapi.handlers import HandlerName
from tests.template.reach import Reached, distribution
from tests.template.stack import FUNCTION, ROOT, TEMPLATE, functions, handlers, resources

LAYERS_DIRECTORY = {
    "CoreDepsLayer": "core_deps",
    "PdfDepsLayer": "pdf_deps",
    "StripeDepsLayer": "stripe_deps",
    "ValidationDepsLayer": "validation_deps",
}
INSIGHTS = "LambdaInsightsLayerArn"  # AWS's extension, which measures and is imported by nobody
EVERYWHERE = {"CoreDepsLayer", "BillingLayer"}
SAMPLES = sorted((ROOT / "events").glob("*/*.json"))


def _module(function: str) -> str:
    module, _, attribute = functions()[function]["Handler"].rpartition(".")
    assert attribute == "handler"
    return str(module)


def _layers(function: str) -> list[str]:
    return [layer["Ref"] for layer in functions()[function]["Layers"] if layer["Ref"] != INSIGHTS]


def _pins(layer: str) -> set[str]:
    path = ROOT / "layers" / LAYERS_DIRECTORY[layer] / "requirements.txt"
    return {distribution(name) for name in re.findall(r"(?m)^([\w.-]+)==", path.read_text(encoding="utf-8"))}


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
        "customers.export_csv": "exportCustomerCsv",
        "customers.import_csv": "importCustomerCsv",
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
def test_layers_hold_what_the_handler_imports(function: str, reached: dict[str, Reached]) -> None:
    layers = _layers(function)
    held = set().union(*(_pins(layer) for layer in layers if layer in LAYERS_DIRECTORY))

    assert "BillingLayer" in layers
    assert reached[_module(function)].distributions <= held
    assert len(layers) <= 3


@pytest.mark.parametrize("function", functions())
def test_no_layer_is_attached_for_nothing(function: str, reached: dict[str, Reached]) -> None:
    for layer in set(_layers(function)) - EVERYWHERE:
        assert reached[_module(function)].distributions & (_pins(layer) - _pins("CoreDepsLayer"))


def test_what_is_measured_is_what_the_thresholds_name() -> None:
    measured = {name for name, function in functions().items() if {"Ref": INSIGHTS} in function["Layers"]}

    assert measured == {function for function, _, _ in CRITICAL_FUNCTIONS.values()}


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
