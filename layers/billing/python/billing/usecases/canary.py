"""The canary: in a company of its own, what companies do is done from outside, again and again.

It signs in, reads, drafts and renders every few minutes, and deletes its draft; once an hour it issues too, waits for
the mail, downloads, records the payment and credits the invoice, as the law has it: a number is never given back.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from billing.ports.canary import PublicApi
from billing.ports.clock import Clock, Ids
from billing.usecases.visits import CanaryAccount, StepFailed, Visit, hold

DELIVERY_SECONDS = 90.0
_PAUSE_SECONDS = 1.0
_LINE = {"description": "Contrôle automatique", "quantity": "1", "unit": "C62", "unit_price": "1.00", "vat_rate": "20"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """Seconds by step, in the order in which they were walked."""

    seconds: Mapping[str, float]


def run_canary(account: CanaryAccount, *, issues: bool, api: PublicApi, clock: Clock, ids: Ids) -> Walked:
    """Raises: StepFailed at the first step that fails; a draft is deleted and an invoice credited all the same."""
    visit = Visit(api=api, clock=clock, ids=ids)
    with visit.step("sign_in"):
        visit.sign_in(account)
    with visit.step("read"):
        visit.ask("GET", "/v1/company")
        visit.ask("GET", "/v1/invoices?limit=1")
        customer_id = visit.customer()
    with visit.step("draft"):
        draft = visit.ask("POST", "/v1/invoices", {"customer_id": customer_id, "lines": [_LINE]})
        path, version = f"/v1/invoices/{draft['invoice_id']}", int(draft["version"])
    try:
        with visit.step("render"):
            _hold_pdf(visit.file(f"{path}/preview-pdf"))
        if issues:
            _issue(visit, path, version, api=api, clock=clock)
    except StepFailed:
        with suppress(StepFailed):
            _delete(visit, path, version)
        with suppress(StepFailed):  # refused to what was issued, also when its answer was lost
            _credit(visit, path)
        raise
    if issues:
        _credit(visit, path)
    else:
        _delete(visit, path, version)
    return Walked(seconds=visit.seconds)


def _issue(visit: Visit, path: str, version: int, *, api: PublicApi, clock: Clock) -> None:
    with visit.step("issue"):
        total_minor = int(visit.ask("POST", f"{path}/issue", {"version": version, "send": True})["total_minor"])
    with visit.step("mail"):
        _wait_for_mail(visit, path, clock)
    with visit.step("download"):
        _hold_pdf(api.fetch(str(visit.ask("GET", f"{path}/pdf")["url"])))
    with visit.step("pay"):
        visit.ask("POST", f"{path}/payments", {"amount_minor": total_minor, "method": "transfer"})
        hold(visit.ask("GET", path)["balance_minor"] == 0, "the invoice that was paid is not")


def _delete(visit: Visit, path: str, version: int) -> None:
    with visit.step("delete"):
        visit.ask("DELETE", path, headers={"If-Match": f'"{version}"'})


def _credit(visit: Visit, path: str) -> None:
    with visit.step("credit"):
        credit = {"mode": "full", "reason": "Contrôle automatique", "excess": "refund"}
        visit.ask("POST", f"{path}/credit-notes", credit)
        hold(visit.ask("GET", path)["balance_minor"] == 0, "the invoice that was credited is owed")


def _wait_for_mail(visit: Visit, path: str, clock: Clock) -> None:
    began = clock.monotonic()
    while True:
        delivery = visit.ask("GET", path)["delivery"]
        if not delivery["in_progress"]:
            hold(delivery["state"] in {"sent", "delivered"}, f"the mail is {delivery['state']}")
            return
        hold(clock.monotonic() - began < DELIVERY_SECONDS, "the mail did not leave in time")
        clock.sleep(_PAUSE_SECONDS)


def _hold_pdf(content: bytes) -> None:
    hold(content.startswith(b"%PDF-") and b"%%EOF" in content[-1024:], "no whole PDF")
