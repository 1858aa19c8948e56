"""What tests and people make happen at the local Stripe: ``/_control/…``, JSON in and out.

It stands for the customer on a page, the bank, the dashboard, and for a network that misbehaves.
"""

from __future__ import annotations

from typing import Any

from local.stripe import objects
from local.stripe.bank import Bank
from local.stripe.errors import ApiError
from local.stripe.faults import Faults
from local.stripe.store import Object
from local.stripe.webhooks import Courier

_PATHS = {"refunds": "refund", "disputes": "dispute", "payouts": "payout", "payment_intents": "payment_intent"}
_DISPUTES = {"win": "won", "lose": "lost", "review": "under_review", "close": "warning_closed"}


class Control:
    def __init__(self, bank: Bank, courier: Courier, faults: Faults) -> None:
        self._bank = bank
        self._courier = courier
        self._faults = faults

    def answer(self, method: str, path: list[str], asked: dict[str, Any]) -> Any:
        """Raises: ApiError; TypeError, ValueError and KeyError for what is not asked as it should be."""
        for operation in (self._network, self._customer, self._bank_side, self._dashboard):
            answered = operation(method, path, asked)
            if answered is not None:
                return answered
        raise ApiError("not an operation of the local Stripe", status=404)

    def _network(self, method: str, path: list[str], asked: dict[str, Any]) -> Any:
        answered: Any = asked
        match [method, *path]:
            case ["GET", "webhooks"]:
                answered = self._courier.state()
            case ["PUT", "webhooks"]:
                answered = self._courier.disturb(asked)
            case ["POST", "webhooks", "release"]:
                answered = {"released": self._courier.release(asked.get("order", "as_made"))}
            case ["POST", "webhooks", "resend"]:
                self._courier.resend(asked["event"])
            case ["PUT", "api"]:
                self._faults.delay_seconds = float(asked["delay_seconds"])
            case ["POST", "faults"]:
                self._faults.plan(asked)
            case ["DELETE", "faults"]:
                self._faults.clear()
            case _:
                return None
        return answered

    def _customer(self, method: str, path: list[str], asked: dict[str, Any]) -> Any:
        match [method, *path]:
            case ["POST", "checkout", session_id, "pay"]:
                return objects.shown(self._bank.confirm(session_id, asked.get("method", "card")))
            case ["POST", "checkout", session_id, "decline"]:
                return objects.shown(self._bank.decline(session_id, asked.get("code", "card_declined")))
            case _:
                return None

    def _bank_side(self, method: str, path: list[str], asked: dict[str, Any]) -> Any:
        match [method, *path]:
            case ["POST", "payment_intents", intent_id, "settle"]:
                changed = self._bank.settle(self._owner(path), intent_id)
            case ["POST", "payment_intents", intent_id, "fail"]:
                code = asked.get("code", "debit_not_authorized")
                changed = self._bank.fail_debit(self._owner(path), intent_id, code)
            case ["POST", "refunds", refund_id, "succeed"]:
                changed = self._bank.refund_becomes(self._owner(path), refund_id, "succeeded")
            case ["POST", "refunds", refund_id, "fail"]:
                reason = asked.get("reason", "lost_or_stolen_card")
                changed = self._bank.refund_becomes(self._owner(path), refund_id, "failed", reason)
            case ["POST", "disputes"]:
                account, charge_id = self._charge(asked)
                reason, inquiry = asked.get("reason", "fraudulent"), bool(asked.get("inquiry"))
                changed = self._bank.dispute(account, charge_id, asked.get("amount"), reason=reason, inquiry=inquiry)
            case ["POST", "disputes", dispute_id, becomes] if becomes in _DISPUTES:
                changed = self._bank.dispute_becomes(self._owner(path), dispute_id, _DISPUTES[becomes])
            case ["POST", "payouts", payout_id, "pay"]:
                changed = self._bank.payout_becomes(self._owner(path), payout_id, "paid")
            case ["POST", "payouts", payout_id, "fail"]:
                changed = self._bank.payout_becomes(self._owner(path), payout_id, "failed")
            case _:
                return None
        return objects.shown(changed)

    def _dashboard(self, method: str, path: list[str], asked: dict[str, Any]) -> Any:
        match [method, *path]:
            case ["POST", "accounts", account_id, "enable"]:
                changed = self._bank.enable(account_id)
            case ["POST", "accounts", account_id, "disable"]:
                changed = self._bank.disable(
                    account_id, asked.get("requirements", ["individual.verification.document"])
                )
            case ["POST", "accounts", account_id, "disconnect"]:
                changed = self._bank.disconnect(account_id)
            case ["POST", "refunds"]:
                account, charge_id = self._charge(asked)
                status = asked.get("status", "succeeded")
                changed = self._bank.refund(
                    account, charge_id, asked.get("amount"), reason=asked.get("reason"), status=status
                )
            case ["POST", "payouts"]:
                changed = self._bank.pay_out(asked["account"], asked.get("amount"), asked.get("currency", "eur"))
            case ["POST", "time"]:
                self._bank.pass_time()
                return {}
            case _:
                return None
        return objects.shown(changed)

    def _owner(self, path: list[str]) -> str:
        kind = _PATHS[path[0]]
        account = self._bank.store.owner(kind, path[1])
        if account is None:
            raise ApiError(f"there is no {kind} {path[1]}", status=404)
        return account

    def _charge(self, asked: dict[str, Any]) -> tuple[str, str]:
        """The account and the charge of the payment intent that is named."""
        intent: Object | None = self._bank.store.anywhere("payment_intent", asked["payment_intent"])
        account = self._bank.store.owner("payment_intent", asked["payment_intent"])
        if intent is None or account is None:
            raise ApiError(f"there is no payment_intent {asked['payment_intent']}", status=404)
        return account, intent["latest_charge"] or ""
