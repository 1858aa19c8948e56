"""The templates and api.yaml as data: intrinsics in their long form, Globals merged into each function as SAM does.

What supervision.yaml says once it is deployed is asked of ``local.supervision.application``.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from local.template import ALIAS

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"
SUPERVISION = ROOT / "supervision.yaml"
FUNCTION = "AWS::Serverless::Function"

_SUBSTITUTED = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.[A-Za-z0-9.]+)?\}")


class _Loader(yaml.SafeLoader):
    pass


def _intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = str(value).split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _intrinsic)


@cache
def template(path: Path = TEMPLATE) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a safe loader
    return loaded


def resources(*types: str, of: Path = TEMPLATE) -> dict[str, dict[str, Any]]:
    """Resources by logical id, of the given types or all."""
    return {
        name: resource for name, resource in template(of)["Resources"].items() if not types or resource["Type"] in types
    }


def functions() -> dict[str, dict[str, Any]]:
    """Properties of each function with the Globals: lists are joined, maps merged, the function's own wins."""
    defaults = template()["Globals"]["Function"]
    return {name: _merged(defaults, resource["Properties"]) for name, resource in resources(FUNCTION).items()}


def _merged(default: Any, own: Any) -> Any:
    if isinstance(default, dict) and isinstance(own, dict):
        return {
            key: _merged(default[key], own[key]) if key in default and key in own else own.get(key, default.get(key))
            for key in default | own
        }
    if isinstance(default, list) and isinstance(own, list):
        return default + own
    return own


@cache
def api() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "api.yaml").read_text(encoding="utf-8"))
    return loaded


@cache
def contract() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    return loaded


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """'GET /v1/company' → operation, of an OpenAPI document."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def handlers() -> dict[str, Path]:
    """'invoices.issue' → its module, for every module under functions/<domain>/."""
    return {
        f"{path.parent.name}.{path.stem}": path
        for path in sorted((ROOT / "functions").glob("*/*.py"))
        if path.stem != "__init__"
    }


def references(value: Any) -> Iterator[str]:
    """Logical ids and parameters that a value depends on."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "Ref":
                yield item
            elif key == "Fn::GetAtt":
                yield item[0]
            elif key == "Fn::Sub":
                yield from _SUBSTITUTED.findall(item if isinstance(item, str) else item[0])
                yield from references(item[1:] if isinstance(item, list) else [])
            else:
                yield from references(item)


def target(value: Any) -> str:
    """The one resource a Ref, GetAtt or Sub names; the alias of a function names the function."""
    [name] = {named.removesuffix(f"Alias{ALIAS}") for named in references(value)} & set(resources())
    return name
