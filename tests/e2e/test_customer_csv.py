"""Files of customers over the local cloud: tried, imported and repeated; exported and imported elsewhere."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from local.samples import CUSTOMER
from tests.people import Person

pytestmark = pytest.mark.cloud

EXPORT = "/v1/customers/export?limit=3"

FILE = (
    "Nom;Type;Adresse;Code postal;Ville;Pays\r\n"
    "Crémerie d'été;professionnel;1 rue Haute;38000;Grenoble;France\r\n"
    "Camille Exemple;particulier;3 place Neuve;13001;Marseille;\r\n"
).encode("cp1252")


def test_a_file_is_tried_then_imported_once(person: Callable[..., Person]) -> None:
    api = person().api
    before = len(api.get("/v1/customers")["items"])
    key = str(uuid.uuid4())

    def send(content: bytes, query: str = "") -> tuple[int, dict[str, object]]:
        path = f"/v1/customers/import{query}"
        answer = api.send("POST", path, content, idempotency_key=key, content_type="application/octet-stream")
        return answer.status_code, answer.json()

    status, tried = send(FILE, "?dry_run=true")
    assert (status, tried["rows"], tried["errors"], tried["imported"]) == (200, 2, [], [])
    status, problem = send(FILE.replace(b"38000", b"3800"))
    assert status == 422
    errors = problem["errors"]
    assert isinstance(errors, list)
    assert [error["pointer"] for error in errors] == ["/rows/2/billing_address/postal_code"]
    assert len(api.get("/v1/customers")["items"]) == before

    status, done = send(FILE)
    assert status == 200
    imported = done["imported"]
    assert isinstance(imported, list)
    names = [api.get(f"/v1/customers/{one['customer_id']}")["name"] for one in imported]
    assert names == ["Crémerie d'été", "Camille Exemple"]
    assert send(FILE) == (200, done)
    assert len(api.get("/v1/customers")["items"]) == before + 2


def test_what_one_company_exports_another_imports(person: Callable[..., Person]) -> None:
    api, other = person().api, person(described=False).api
    for name in ("=Formule & Cie", '\'t Huis; le "vrai"', "Épicerie d'été"):
        api.post("/v1/customers", {**CUSTOMER, "name": name, "phone": "+33 1 99 00 12 34"})
    contacts = [{"name": "=Ada"}, {"name": "Bob", "email": "bob@exemple.test", "receives_reminders": True}]
    further = [{**CUSTOMER["billing_address"], "label": "Entrepôt", "use": "delivery"}]
    api.post("/v1/customers", {**CUSTOMER, "name": "Avec contacts", "contacts": contacts, "addresses": further})

    token = ""
    files: list[bytes] = []
    while token or not files:
        answer = api.send("GET", f"/v1/customers/export?limit=3&page_token={token}" if files else EXPORT)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
        files.append(answer.content)
        token = answer.headers["next-page-token"]

    assert len(files) == 2
    assert all(file.startswith(b"\xef\xbb\xbfNom;Type;") for file in files)
    assert b"\n=" not in b"".join(files)
    for file in files:
        answer = other.send(
            "POST", "/v1/customers/import", file, idempotency_key=str(uuid.uuid4()), content_type="text/csv"
        )
        assert answer.status_code == 200, answer.text
    everyone = "/v1/customers/export"
    assert other.send("GET", everyone).content == api.send("GET", everyone).content
    assert "Entrepôt" in other.send("GET", everyone).text
