"""A release is tried before calls move to it: its versions do in the canary's company what companies do.

What they write is read by what is live, too: for some minutes both answer, side by side. The invoice is a real one of
that company, paid and credited as the law has it. Everything is asked under keys of the release: whoever tries it again
gets the answers of the first time, and there is one invoice for a release.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Any

from billing.ports.canary import Requests
from billing.ports.clock import Clock, Ids
from billing.usecases.visits import CanaryAccount, StepFailed, Visit, hold

# 20 % of 1.05 is 0.21; 5.5 % of 1.00 is 0.055, which rounds up.
_LINES = (
    {"description": "Contrôle de version", "quantity": "3", "unit": "C62", "unit_price": "0.35", "vat_rate": "20"},
    {"description": "Contrôle de version", "quantity": "1", "unit": "C62", "unit_price": "1.00", "vat_rate": "5.5"},
)
_TOTALS = {"net_minor": 205, "vat_minor": 27, "total_minor": 232}
_KEPT = (*_TOTALS, "invoice_id", "number", "issue_date", "due_date", "document_hash", "previous_hash")
_TRIES, _PAUSE_SECONDS = 3, 2.0
_CREDIT = {"mode": "full", "reason": "Contrôle de version", "excess": "refund"}


def check_release(
    account: CanaryAccount, *, release: str, tried: Requests, live: Requests, clock: Clock, ids: Ids
) -> Mapping[str, float]:
    """Seconds by step. ``release``: another text for other versions. ``tried`` is answered by them, ``live`` by what
    calls go to.

    Raises: StepFailed at the first step that fails; a draft is deleted and an invoice credited all the same.
    """
    today, new = Visit(api=live, clock=clock, ids=ids), Visit(api=tried, clock=clock, ids=ids)
    keys = _Keys(release)
    customer_id = _patiently(lambda: _begin(today, account, keys), clock)
    new.token = today.token
    with new.step("draft"):
        asked = {"customer_id": customer_id, "lines": _LINES}
        draft = new.ask("POST", "/v1/invoices", asked, key=keys.of("draft", customer_id))
        path, version = f"/v1/invoices/{draft['invoice_id']}", int(draft["version"])
    try:
        _invoice(new, today, customer_id, draft, keys)
    except StepFailed:
        with suppress(StepFailed), today.step("delete"):
            today.ask("DELETE", path, headers={"If-Match": f'"{version}"'})
        with suppress(StepFailed), today.step("take_back"):  # refused to what was issued, or is credited
            today.ask("POST", f"{path}/credit-notes", _CREDIT)
        raise
    return today.seconds | new.seconds


def _begin(today: Visit, account: CanaryAccount, keys: _Keys) -> str:
    with today.step("sign_in"):
        today.sign_in(account)
    with today.step("customer"):
        return today.customer(keys.of("customer"))


def _patiently(attempt: Callable[[], str], clock: Clock) -> str:
    """What is live is not on trial: it may be busy for a moment. Raises: StepFailed, the last time."""
    for _ in range(_TRIES - 1):
        with suppress(StepFailed):
            return attempt()
        clock.sleep(_PAUSE_SECONDS)
    return attempt()


def _invoice(new: Visit, today: Visit, customer_id: str, draft: Mapping[str, Any], keys: _Keys) -> None:
    path = f"/v1/invoices/{draft['invoice_id']}"
    with new.step("totals"):
        _hold_totals(draft)
    with new.step("issue"):
        wanted = {"version": draft["version"], "send": False}
        issued = new.ask("POST", f"{path}/issue", wanted, key=keys.of("issue", path))
        _hold_totals(issued)
        hold(bool(issued["number"]), "an invoice without a number")
        hold(bool(issued["document_hash"]), "an invoice without a hash")
    with new.step("read"):
        _hold_same(issued, new.ask("GET", path))
    with today.step("read_by_live"):
        _hold_same(issued, today.ask("GET", path))
    with new.step("pay"):
        paid = {"invoice_id": issued["invoice_id"], "amount_minor": _TOTALS["total_minor"]}
        payment = {"customer_id": customer_id, "amount_minor": _TOTALS["total_minor"], "method": "transfer"}
        new.ask("POST", "/v1/payments", {**payment, "allocations": [paid]}, key=keys.of("pay", path))
    with new.step("credit"):
        note = new.ask("POST", f"{path}/credit-notes", _CREDIT, key=keys.of("credit", path))
        _hold_totals(note)
        hold(note["invoice_number"] == issued["number"], "a credit note of another invoice")
    with new.step("settled"):
        settled = new.ask("GET", path)
        _hold_same(issued, settled)
        hold((settled["status"], settled["balance_minor"]) == ("cancelled", 0), "the invoice that was credited is owed")


def _hold_totals(answered: Mapping[str, Any]) -> None:
    for name, expected in _TOTALS.items():
        hold(answered[name] == expected, f"{name} is {answered[name]} instead of {expected}")


def _hold_same(issued: Mapping[str, Any], read: Mapping[str, Any]) -> None:
    for name in _KEPT:
        hold(read[name] == issued[name], f"{name} is read as {read[name]}, and was {issued[name]}")


class _Keys:
    """Idempotency keys of a release."""

    def __init__(self, release: str) -> None:
        self._release = release

    def of(self, step: str, of: str = "") -> str:
        return f"release-{step}-{sha256(f'{self._release} {of}'.encode()).hexdigest()[:32]}"
