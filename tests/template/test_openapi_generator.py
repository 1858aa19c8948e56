"""The generator refuses handlers whose names, routes or schemas would make two descriptions disagree."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from local.openapi.deployed import deployed_api
from local.openapi.handlers import HandlerError, routes
from local.openapi.published import published_contract

HANDLER = """
    '''{method} {path} — {summary}.'''
    from typing import Annotated
    from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
    from aws_lambda_powertools.event_handler.openapi.params import Header
    from pydantic import BaseModel

    app = APIGatewayHttpResolver(enable_validation=True)

    class {model}(BaseModel):
        title: {field}

    @app.{verb}("{route}", operation_id="{operation_id}", tags=["{tag}"]{more})
    def operation(body: {model}, key: Annotated[str, Header(alias="Idempotency-Key")]) -> {model}:
        return body

    handler = app.resolve
    """

Write = Callable[..., None]


@pytest.fixture
def functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    known = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in set(sys.modules) - known:
        if name.partition(".")[0] in {"gadgets", "widgets"}:
            del sys.modules[name]


@pytest.fixture
def write(functions: Path) -> Write:
    def write(module: str, **overrides: str) -> None:
        domain, operation = module.split(".")
        facts = {
            "method": "POST",
            "verb": "post",
            "path": f"/v1/{domain}",
            "route": f"/v1/{domain}",
            "summary": "make one",
            "model": f"{domain.capitalize()}Model",
            "field": "str",
            "operation_id": f"{operation}{domain.removesuffix('s').capitalize()}",
            "tag": domain,
            "more": "",
        } | overrides
        (functions / domain).mkdir(exist_ok=True)
        (functions / domain / "__init__.py").write_text('"""Things made here."""\n')
        (functions / domain / f"{operation}.py").write_text(dedent(HANDLER).format(**facts))

    return write


def test_a_handler_is_published_with_its_summary_headers_and_problems(functions: Path, write: Write) -> None:
    write("widgets.create")

    contract = published_contract(routes(functions), version="1.2.3")
    operation = contract["paths"]["/v1/widgets"]["post"]

    assert operation["operationId"] == "createWidget"
    assert operation["summary"] == "Make one"
    assert [parameter["name"] for parameter in operation["parameters"]] == ["Idempotency-Key"]
    assert set(operation["responses"]) == {"200", "401", "403", "409", "422", "428", "default"}
    assert contract["tags"] == [{"name": "widgets", "description": "Things made here."}]
    assert "HTTPValidationError" not in contract["components"]["schemas"]


def test_a_property_called_title_stays(functions: Path, write: Write) -> None:
    write("widgets.create")

    schema = published_contract(routes(functions), version="1")["components"]["schemas"]["WidgetsModel"]

    assert schema["properties"] == {"title": {"type": "string"}}


def test_an_operation_is_public_only_when_it_says_so(functions: Path, write: Write) -> None:
    write("widgets.create")
    write("gadgets.create", more=", security=[]")

    found = routes(functions)

    assert [route.public for route in found] == [True, False]
    assert deployed_api(found, version="1", aliased=()).count("- accessToken: []") == 1


def test_under_their_path_operators_are_let_in_whatever_a_handler_says(functions: Path, write: Write) -> None:
    write("widgets.create", route="/v1/operations/widgets")
    [route] = routes(functions)

    assert "- operatorToken: []" in deployed_api([route], version="1", aliased=())
    published = published_contract([route], version="1")["paths"]["/v1/operations/widgets"]["post"]
    assert published["security"] == [{"operatorToken": []}]
    write("gadgets.create", route="/v1/operations/gadgets", more=", security=[]")
    with pytest.raises(HandlerError, match="anybody in where operators alone are"):
        routes(functions)


def test_one_schema_under_one_name_is_shared(functions: Path, write: Write) -> None:
    write("widgets.create", model="Thing")
    write("gadgets.create", model="Thing")

    assert "Thing" in published_contract(routes(functions), version="1")["components"]["schemas"]


def test_two_schemas_under_one_name_are_refused(functions: Path, write: Write) -> None:
    write("widgets.create", model="Thing")
    write("gadgets.create", model="Thing", field="int")

    with pytest.raises(HandlerError, match=r"widgets\.create and gadgets\.create give .* the name Thing"):
        published_contract(routes(functions), version="1")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"operation_id": "makeWidget"}, "is the operation createWidget"),
        ({"tag": "gadgets"}, "belongs to the tag widgets"),
    ],
)
def test_a_name_that_does_not_follow_from_the_module_is_refused(
    functions: Path, write: Write, overrides: dict[str, str], message: str
) -> None:
    write("widgets.create", **overrides)

    with pytest.raises(HandlerError, match=message):
        routes(functions)


def test_two_handlers_of_one_route_are_refused(functions: Path, write: Write) -> None:
    write("widgets.create", route="/v1/things")
    write("gadgets.create", route="/v1/things")

    with pytest.raises(HandlerError, match="both answer post /v1/things"):
        routes(functions)


def test_a_module_with_two_routes_is_refused(functions: Path, write: Write) -> None:
    write("widgets.create")
    module = functions / "widgets" / "create.py"
    module.write_text(module.read_text() + "\napp.get('/v1/more')(lambda: {})\n")

    with pytest.raises(HandlerError, match="has 2 routes"):
        routes(functions)
