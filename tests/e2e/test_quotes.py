"""A quote over HTTP: written, mailed, opened by its link, accepted, invoiced."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes, policy
from pathlib import Path

import httpx
import pytest

from local.client import ApiClient, Json, mails_to, wait_for
from local.samples import quoted
from local.testing import LocalCloud
from tests.people import Person, delivered

pytestmark = pytest.mark.cloud


def quote_delivered(api: ApiClient, quote_id: str) -> Json | None:
    quote = api.get(f"/v1/quotes/{quote_id}")
    return None if quote["delivery"]["in_progress"] else quote


def link_in(mail: Path) -> str:
    """The path of the public link in a mail's text."""
    message = message_from_bytes(mail.read_bytes(), policy=policy.default)
    body = message.get_body(("plain",))
    assert body is not None
    found = re.search(r"https?://[^/\s]+(/\S+)", body.get_content().split("Voir le document")[1])
    assert found
    return found[1]


def test_a_quote_is_mailed_accepted_by_its_link_and_invoiced(cloud: LocalCloud, person: Callable[..., Person]) -> None:
    someone = person()
    made = someone.api.post("/v1/quotes", quoted(someone.customer["customer_id"]))
    path = f"/v1/quotes/{made['quote_id']}"
    someone.api.post(f"{path}/send", {"version": made["version"]})
    sent = wait_for(lambda: quote_delivered(someone.api, made["quote_id"]), what="the quote's mail")
    (mail,) = mails_to(cloud.mail_directory, f"client.{someone.email}")
    link = link_in(mail)

    with ApiClient(cloud.base_url) as anyone:
        shown = anyone.get(link)
        pdf = httpx.get(anyone.get(f"{link}/pdf")["url"], trust_env=False).content
        answer = {"answer": "accepted", "name": "Direction", "document_hash": shown["document_hash"]}

        def accept(_: int) -> int:
            with ApiClient(cloud.base_url) as one:
                return one.send("POST", f"{link}/answer", answer).status_code

        with ThreadPoolExecutor(8) as pool:
            statuses = set(pool.map(accept, range(8)))
        late = anyone.send("POST", f"{link}/answer", {**answer, "answer": "rejected"})
        unknown = anyone.send("GET", f"{link[:-4]}AAAA")

    assert (sent["number"], shown["number"], shown["status"]) == (sent["number"], sent["number"], "sent")
    assert "client." not in str(shown)
    assert pdf.startswith(b"%PDF-")
    assert statuses == {200}
    assert (late.status_code, late.json()["type"]) == (409, "/problems/quote-already-answered")
    assert unknown.status_code == 404
    accepted = someone.api.get(path)
    assert accepted["decision"]["pdf_sha256"] == hashlib.sha256(pdf).hexdigest()
    assert (accepted["status"], accepted["decision"]["ip_address"]) == ("accepted", "127.0.0.1")

    invoice = someone.api.post(f"{path}/convert")
    issued = someone.api.post(f"/v1/invoices/{invoice['invoice_id']}/issue", {"version": 1})
    assert issued["total_minor"] == shown["total_minor"]
    assert someone.api.get(path)["status"] == "invoiced"
    again = someone.api.send("POST", f"{path}/convert", {}, idempotency_key="another")
    assert again.json()["type"] == "/problems/quote-already-invoiced"
    wait_for(lambda: delivered(someone.api, invoice["invoice_id"]), what="the invoice's PDF")
    told = [event["event_type"] for event in someone.api.get(f"{path}/timeline")["items"]]
    assert told[-2:] == ["quote.accepted", "quote.invoiced"]


def test_quotes_sent_at_once_take_their_numbers_one_by_one(person: Callable[..., Person]) -> None:
    someone = person()
    body = quoted(someone.customer["customer_id"])
    drafts = [someone.api.post("/v1/quotes", body) for _ in range(24)]
    clients = [someone.another_client() for _ in range(8)]

    def send(rank: int) -> str:
        made = drafts[rank]
        request = {"version": made["version"], "mail": False}
        return str(clients[rank % 8].post(f"/v1/quotes/{made['quote_id']}/send", request)["number"])

    with ThreadPoolExecutor(8) as pool:
        numbers = sorted(pool.map(send, range(24)))

    assert [number[-5:] for number in numbers] == [f"{rank:05d}" for rank in range(1, 25)]


def test_a_deposit_and_the_final_invoice_leave_nothing_to_invoice(person: Callable[..., Person]) -> None:
    someone = person()
    made = someone.api.post("/v1/quotes", quoted(someone.customer["customer_id"]))
    path = f"/v1/quotes/{made['quote_id']}"
    total = someone.api.post(f"{path}/send", {"version": 1, "mail": False})["total_minor"]
    someone.api.post(f"{path}/answer", {"answer": "accepted", "name": "Direction"})

    deposit = someone.api.post(f"{path}/deposits", {"percent": "30"})
    open_part = someone.api.send("POST", f"{path}/convert", {}, idempotency_key="too-early")
    someone.api.post(f"/v1/invoices/{deposit['invoice_id']}/issue", {"version": 1})
    halfway = someone.api.get(f"{path}/billing")
    final = someone.api.post(f"{path}/convert")
    issued = someone.api.post(f"/v1/invoices/{final['invoice_id']}/issue", {"version": 1})
    done = someone.api.get(f"{path}/billing")

    assert open_part.json()["type"] == "/problems/quote-part-open"
    assert (halfway["to_invoice_minor"], halfway["to_collect_minor"]) == (total - deposit["total_minor"], total)
    assert issued["total_minor"] + deposit["total_minor"] == total
    assert (done["to_invoice_minor"], done["to_collect_minor"]) == (0, total)
    assert {line["progress_percent"] for line in halfway["lines"]} == {"0"}
    assert all(line["deposit_minor"] == line["invoiced_minor"] > 0 for line in halfway["lines"])
    assert {(line["progress_percent"], line["deposit_minor"], line["to_invoice_minor"]) for line in done["lines"]} == {
        ("100", 0, 0)
    }
    assert [part["kind"] for part in done["invoices"]] == ["deposit", "final"]
    credit, crediting = {"mode": "full", "reason": "Annulation"}, f"/v1/invoices/{deposit['invoice_id']}/credit-notes"
    before, note = someone.api.post(f"{crediting}/preview", credit), someone.api.post(crediting, credit)
    again = someone.api.get(f"/v1/credit-notes/{note['credit_note_id']}")
    assert [one["code"] for one in note["warnings"]] == ["deposit-already-deducted"]
    assert before["warnings"] == note["warnings"] == again["warnings"]
    pdf = wait_for(lambda: delivered(someone.api, final["invoice_id"]), what="the PDF")
    assert pdf["delivery"]["pdf"]


def accepted_quote(someone: Person, **more: object) -> str:
    """The path of an accepted quote of two works."""
    lines = [
        {"description": "Gros œuvre", "quantity": "1", "unit_price": "10000.00", "vat_rate": "20"},
        {"description": "Peinture", "quantity": "40", "unit_price": "25.00", "vat_rate": "10"},
    ]
    body = {"customer_id": someone.customer["customer_id"], "lines": lines, **more}
    path = f"/v1/quotes/{someone.api.post('/v1/quotes', body)['quote_id']}"
    someone.api.post(f"{path}/send", {"version": 1, "mail": False})
    someone.api.post(f"{path}/answer", {"answer": "accepted", "name": "Direction"})
    return path


def issue_of(api: ApiClient, draft: Json) -> Json:
    return api.post(f"/v1/invoices/{draft['invoice_id']}/issue", {"version": 1})


def test_situations_by_line_asked_for_by_many_at_once_then_the_rest(person: Callable[..., Person]) -> None:
    someone = person()
    path = accepted_quote(someone)
    first = issue_of(
        someone.api, someone.api.post(f"{path}/parts", {"lines": [{"index": 0, "progress_percent": "40"}]})
    )
    second = {"lines": [{"index": 0, "progress_percent": "70"}, {"index": 1}]}
    clients = [someone.another_client() for _ in range(8)]

    def ask(rank: int) -> Json:
        answered = clients[rank].send("POST", f"{path}/parts", second, idempotency_key=f"part-{rank}")
        return {**answered.json(), "status": answered.status_code}

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    (draft,) = [one for one in answers if one["status"] == 201]
    issued = issue_of(someone.api, draft)
    backwards = {"lines": [{"index": 0, "progress_percent": "69"}]}
    back = someone.api.send("POST", f"{path}/parts", backwards, idempotency_key="back")
    billing = someone.api.get(f"{path}/billing")
    final = issue_of(someone.api, someone.api.post(f"{path}/convert"))
    done = someone.api.get(f"{path}/billing")
    someone.api.post(f"/v1/invoices/{final['invoice_id']}/credit-notes", {"mode": "full", "reason": "Annulation"})
    taken_back = someone.api.get(f"{path}/billing")

    assert [line["progress_percent"] for line in done["lines"]] == ["100", "100"]
    assert taken_back["lines"] == billing["lines"]
    assert {one["type"] for one in answers if one["status"] == 409} == {"/problems/quote-part-open"}
    assert sorted(one["status"] for one in answers) == [201, *[409] * 7]
    assert (first["net_minor"], issued["net_minor"]) == (400_000, 400_000)
    assert [
        (line["progress_percent"], line["before_minor"], line["net_minor"], line["so_far_minor"])
        for line in issued["situation"]["lines"]
    ] == [("70", 400_000, 300_000, 700_000), ("100", 0, 100_000, 100_000)]
    assert (back.status_code, back.json()["errors"][0]["pointer"]) == (422, "/lines/0/progress_percent")
    assert [(line["progress_percent"], line["to_invoice_minor"]) for line in billing["lines"]] == [
        ("70", 300_000),
        ("100", 0),
    ]
    assert (billing["to_invoice_minor"], billing["to_collect_minor"]) == (360_000, 1_310_000)
    assert first["total_minor"] + issued["total_minor"] + final["total_minor"] == 1_310_000
    assert wait_for(lambda: delivered(someone.api, draft["invoice_id"]), what="the PDF")["delivery"]["pdf"]


def test_a_part_of_each_payment_is_kept_until_the_work_was_received_and_released(
    person: Callable[..., Person],
) -> None:
    someone = person()
    too_much = {
        "customer_id": someone.customer["customer_id"],
        "lines": [{"description": "Lot", "quantity": "1", "unit_price": "1", "vat_rate": "20"}],
        "retention_percent": "5.01",
    }
    refused = someone.api.send("POST", "/v1/quotes", too_much, idempotency_key="too-much")
    path = accepted_quote(someone, retention_percent="5")
    part = issue_of(someone.api, someone.api.post(f"{path}/parts", {"lines": [{"index": 0, "progress_percent": "50"}]}))
    invoice = f"/v1/invoices/{part['invoice_id']}"
    someone.api.post(f"{invoice}/payments", {"amount_minor": 570_000, "method": "transfer"})
    kept = someone.api.get(invoice)
    today = part["issue_date"]
    received = someone.api.post(f"{path}/reception", {"received_on": today})
    later = someone.api.get(invoice)
    someone.api.post(f"{path}/reception", {"received_on": today, "released_on": today})
    released = someone.api.get(invoice)
    billing = someone.api.get(f"{path}/billing")

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/retention_percent")
    assert (part["total_minor"], part["payable_minor"], part["retention"]["amount_minor"]) == (600_000, 570_000, 30_000)
    assert (kept["status"], kept["balance_minor"], kept["payable_minor"]) == ("partially_paid", 30_000, 0)
    assert (kept["retention"]["retained_minor"], kept["retention"]["due_date"]) == (30_000, None)
    assert received["reception"]["retained_until"] == later["retention"]["due_date"]
    assert int(later["retention"]["due_date"][:4]) == int(today[:4]) + 1
    assert (released["payable_minor"], released["retention"]["retained_minor"]) == (30_000, 0)
    assert (billing["retained_minor"], billing["payable_minor"]) == (0, 30_000)
    assert wait_for(lambda: delivered(someone.api, part["invoice_id"]), what="the PDF")["delivery"]["pdf"]


def test_credits_of_two_invoices_at_once_open_the_quote_again_for_both(person: Callable[..., Person]) -> None:
    someone = person()
    path = accepted_quote(someone)
    invoiced = [issue_of(someone.api, someone.api.post(f"{path}/parts", {"percent": "10"})) for _ in range(4)]
    final = issue_of(someone.api, someone.api.post(f"{path}/convert"))
    before = someone.api.get(path)["status"]
    clients = [someone.another_client() for _ in range(4)]

    def credit(rank: int) -> int:
        request = {"reason": "Erreur", "mode": "full"}
        there = f"/v1/invoices/{invoiced[rank]['invoice_id']}/credit-notes"
        return clients[rank].send("POST", there, request, idempotency_key=f"credit-{rank}").status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(credit, range(4)))
    credited = someone.api.get(path)
    billing = someone.api.get(f"{path}/billing")
    again = issue_of(someone.api, someone.api.post(f"{path}/convert"))

    assert statuses == [201] * 4
    assert (before, credited["status"]) == ("invoiced", "accepted")
    assert billing["to_invoice_minor"] == 4 * invoiced[0]["total_minor"]
    assert again["total_minor"] == 1_310_000 - final["total_minor"]
    assert someone.api.get(path)["status"] == "invoiced"
    told = [event["event_type"] for event in someone.api.get(f"{path}/timeline")["items"]]
    assert told.count("quote.credited") == 4
