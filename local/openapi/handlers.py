"""What the handler modules under functions/ declare: names, routes, schemas."""

import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ROOT / "functions"
LAYER = ROOT / "layers" / "billing" / "python"

# Domains whose operations are named by their module alone.
NOUNLESS_DOMAINS = frozenset({"auth", "operations", "webhooks"})
SINGULARS = {"company": "company"}
# Under it operators alone are let in, with tokens of a pool of their own.
OPERATORS_PATH = "/v1/operations/"
PLURAL_VERBS = frozenset({"list", "search"})


class HandlerError(Exception):
    """A handler module breaks a rule that the descriptions of the API rest on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerName:
    """One operation, derivable everywhere from its module: ``invoices/read_timeline``."""

    domain: str
    operation: str

    @property
    def module(self) -> str:
        return f"{self.domain}.{self.operation}"

    @property
    def logical_id(self) -> str:
        """InvoicesReadTimelineFunction"""
        return f"{_pascal(self.domain)}{_pascal(self.operation)}Function"

    @property
    def function_suffix(self) -> str:
        """invoices-read-timeline"""
        return f"{self.domain}-{self.operation}".replace("_", "-")

    @property
    def operation_id(self) -> str:
        """readInvoiceTimeline: the verb, the domain's noun, the rest."""
        words = self.use_case.split("_")
        return words[0] + "".join(word.capitalize() for word in words[1:])

    @property
    def use_case(self) -> str:
        """read_invoice_timeline"""
        if self.domain in NOUNLESS_DOMAINS:
            return self.operation
        verb, _, rest = self.operation.partition("_")
        noun = SINGULARS.get(self.domain, self.domain.removesuffix("s"))
        if verb in PLURAL_VERBS and not rest:
            noun = self.domain
        return "_".join(part for part in (verb, noun, rest) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation of the API as its handler declares it. ``path`` is in OpenAPI form."""

    name: HandlerName
    method: str
    path: str
    public: bool
    schema: dict[str, Any]
    summary: str

    @property
    def token(self) -> str | None:
        """The security scheme that lets a caller in; None: anybody."""
        if self.public:
            return None
        return "operatorToken" if self.path.startswith(OPERATORS_PATH) else "accessToken"


def _pascal(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def handler_names(functions: Path = FUNCTIONS) -> list[HandlerName]:
    """Every module of functions/<domain>/, in order."""
    return sorted(
        (
            HandlerName(domain=path.parent.name, operation=path.stem)
            for path in functions.glob("*/*.py")
            if path.stem != "__init__"
        ),
        key=lambda name: name.module,
    )


def routes(functions: Path = FUNCTIONS) -> list[Route]:
    """The routes of all handler modules that have one. Raises: HandlerError."""
    for directory in (str(LAYER), str(functions)):
        if directory not in sys.path:
            sys.path.insert(0, directory)
    found = [route for name in handler_names(functions) for route in _routes_of(name)]
    seen: dict[tuple[str, str], HandlerName] = {}
    for route in found:
        other = seen.setdefault((route.method, route.path), route.name)
        if other is not route.name:
            raise HandlerError(f"{route.name.module} and {other.module} both answer {route.method} {route.path}")
    return found


def _routes_of(name: HandlerName) -> Iterator[Route]:
    module = importlib.import_module(name.module)
    app = getattr(module, "app", None)
    if not isinstance(app, APIGatewayHttpResolver):
        return
    declared = app._static_routes + app._dynamic_routes  # noqa: SLF001 - Powertools lists its routes nowhere else
    if len(declared) != 1:
        raise HandlerError(f"{name.module} has {len(declared)} routes: one operation, one module")
    [route] = declared
    if route.operation_id != name.operation_id:
        raise HandlerError(f"{name.module} is the operation {name.operation_id}, it says {route.operation_id}")
    if route.tags != [name.domain]:
        raise HandlerError(f"{name.module} belongs to the tag {name.domain}, it says {route.tags}")
    if route.security == [] and route.openapi_path.startswith(OPERATORS_PATH):
        raise HandlerError(f"{name.module} would let anybody in where operators alone are")
    schema = app.get_openapi_schema(title=name.module, version="1").model_dump(
        mode="json", by_alias=True, exclude_none=True
    )
    yield Route(
        name=name,
        method=route.method.lower(),
        path=route.openapi_path,
        public=route.security == [],
        schema=schema,
        summary=route.summary or _summary(module.__doc__ or ""),
    )


def _summary(docstring: str) -> str:
    """'POST /v1/invoices — write a draft.' says it after the dash."""
    first_line = docstring.strip().splitlines()[0] if docstring.strip() else ""
    _, _, summary = first_line.partition("—")
    summary = summary.strip().rstrip(".")
    return summary[:1].upper() + summary[1:]
