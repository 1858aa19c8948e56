"""What happens to Stripe's objects, whoever makes it happen: the API, the customer on a page, a bank, the dashboard.

Each change is written at once with the events that Stripe emits for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from local.stripe import objects
from local.stripe.errors import ApiError, missing, unexpected
from local.stripe.store import Object, Store

# Stripe's prices in France: a card of the European Economic Area, a SEPA debit, a dispute.
CARD_BASIS_POINTS, CARD_FIXED, SEPA_FIXED, DISPUTE_FEE = 150, 25, 35, 2000
SEPA_DAYS: Final = 5
_CANCELABLE: Final = ("requires_payment_method", "requires_confirmation", "requires_action", "requires_capture")
_DECLINES: Final = {
    "card_declined": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
}
_NO_REQUEST: Final[Object] = {"id": None, "idempotency_key": None}


class Bank:
    """``told`` hears of each event, in the transaction that makes it."""

    def __init__(self, store: Store, *, now: Callable[[], datetime], told: Callable[[Object], None]) -> None:
        self.store = store
        self._now = now
        self._told = told
        self._request = threading.local()

    def seconds(self) -> int:
        return int(self._now().timestamp())

    @contextmanager
    def on_behalf_of(self, request_id: str, key: str | None) -> Iterator[None]:
        """Events say which request made them."""
        self._request.known = {"id": request_id, "idempotency_key": key}
        try:
            yield
        finally:
            self._request.known = _NO_REQUEST

    def take(self, account: str, kind: str, object_id: str, *, called: str = "") -> Object:
        """Raises: ApiError."""
        found = self.store.get(account, kind, object_id)
        if found is None:
            raise missing(called or kind, object_id)
        return found

    # Accounts

    def create_account(self, asked: Object) -> Object:
        made = objects.account(self.seconds(), asked)
        self.store.put("", made)
        return made

    def enable(self, account: str) -> Object:
        """The company answered all that Stripe wanted to know."""
        now = {"date": self.seconds(), "ip": "127.0.0.1", "user_agent": None}
        return self._account_becomes(account, (), enabled=True, tos_acceptance=now, details_submitted=True)

    def disable(self, account: str, due: list[str]) -> Object:
        """Stripe wants to know more before it pays, and before anyone may pay."""
        return self._account_becomes(account, tuple(due), enabled=False)

    def _account_becomes(self, account: str, due: tuple[str, ...], *, enabled: bool, **changes: Any) -> Object:
        with self.store.writing():
            found = self.take("", "account", account)
            before = {name: found[name] for name in ("charges_enabled", "payouts_enabled", "requirements")}
            state = "active" if enabled else "inactive"
            found |= {
                "charges_enabled": enabled,
                "payouts_enabled": enabled,
                "requirements": objects.requirements(due),
                "capabilities": dict.fromkeys(found["capabilities"], state),
                **changes,
            }
            self.store.put("", found)
            self.emit(account, "account.updated", found, before)
            return found

    def disconnect(self, account: str) -> Object:
        """From the company's own dashboard: the platform has no access any more."""
        with self.store.writing():
            found = self.take("", "account", account)
            self.store.put("", found | {"_disconnected": True})
            application = {"id": "ca_local", "object": "application", "name": "ZenBilling"}
            self.emit(account, "account.application.deauthorized", application)
            return found

    # Checkout

    def confirm(self, session_id: str, method: str) -> Object:
        """The customer confirms on the page of a session: a card is charged, a SEPA debit is on its way."""
        with self.store.writing():
            account, session = self._open_session(session_id)
            if method not in session["payment_method_types"]:
                raise unexpected("checkout_session", f"{method} is not offered on this page")
            intent = self._intent_of(account, session, method)
            settles = method == "sepa_debit"
            charge = self._new_charge(account, session, intent, method, "pending" if settles else "succeeded")
            session |= {
                "status": "complete",
                "payment_status": "unpaid" if settles else "paid",
                "payment_intent": intent["id"],
                "customer_details": objects.customer_details(_email(session)),
                "url": None,
                "_due": None,
            }
            self.store.put(account, session)
            if settles:
                intent |= {"status": "processing", "latest_charge": charge["id"], "last_payment_error": None}
                intent["_due"] = self.seconds() + SEPA_DAYS * 86_400
                self.store.put(account, intent)
                self.emit(account, "payment_intent.processing", intent)
                self.emit(account, "charge.pending", charge)
            else:
                self._succeed(account, intent, charge)
            self.emit(account, "checkout.session.completed", session)
            return intent

    def decline(self, session_id: str, code: str) -> Object:
        """A card is refused; the page stays open for another one."""
        with self.store.writing():
            account, session = self._open_session(session_id)
            intent = self._intent_of(account, session, "card")
            self.store.put(account, session | {"payment_intent": intent["id"]})
            charge = self._new_charge(account, session, intent, "card", "failed")
            return self._fail(account, intent, charge, code)

    def settle(self, account: str, intent_id: str) -> Object:
        """The bank paid a debit that was on its way."""
        with self.store.writing():
            intent, charge, session = self._processing(account, intent_id)
            charge |= {"status": "succeeded", "paid": True}
            self._succeed(account, intent, charge)
            self.store.put(account, session | {"payment_status": "paid"})
            self.emit(account, "checkout.session.async_payment_succeeded", session | {"payment_status": "paid"})
            return intent

    def fail_debit(self, account: str, intent_id: str, code: str) -> Object:
        """The bank refused a debit that was on its way."""
        with self.store.writing():
            intent, charge, session = self._processing(account, intent_id)
            charge |= {"status": "failed", "captured": False}
            self._fail(account, intent, charge, code)
            self.emit(account, "checkout.session.async_payment_failed", session)
            return intent

    def expire(self, account: str, session_id: str) -> Object:
        with self.store.writing():
            session = self.take(account, "checkout.session", session_id, called="checkout.session")
            if session["status"] != "open":
                raise ApiError(
                    'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a '
                    f"status of {session['status']}.",
                    kept=True,
                )
            session |= {"status": "expired", "url": None, "_due": None}
            self.store.put(account, session)
            if session["payment_intent"] is not None:
                self._cancel(account, self.take(account, "payment_intent", session["payment_intent"]), "abandoned")
            self.emit(account, "checkout.session.expired", session)
            return session

    def pass_time(self) -> None:
        """What is due by the clock: sessions expire, debits are paid."""
        with self.store.writing():
            for account, found in self.store.due_objects(self.seconds()):
                if found["object"] == "checkout.session":
                    self.expire(account, found["id"])
                else:
                    self.settle(account, found["id"])

    def cancel(self, account: str, intent_id: str, reason: str | None) -> Object:
        with self.store.writing():
            intent = self.take(account, "payment_intent", intent_id)
            sessions = self.store.all_of(account, "checkout.session", lambda one: one["payment_intent"] == intent_id)
            if any(session["status"] == "open" for session in sessions):
                raise unexpected(
                    "payment_intent", "You cannot cancel it while its Checkout Session is open: expire it."
                )
            if intent["status"] not in _CANCELABLE:
                raise unexpected(
                    "payment_intent",
                    f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}.",
                )
            return self._cancel(account, intent, reason)

    def _cancel(self, account: str, intent: Object, reason: str | None) -> Object:
        intent |= {"status": "canceled", "canceled_at": self.seconds(), "cancellation_reason": reason}
        self.store.put(account, intent)
        self.emit(account, "payment_intent.canceled", intent)
        return intent

    def _open_session(self, session_id: str) -> tuple[str, Object]:
        account = self.store.owner("checkout.session", session_id)
        session = self.store.anywhere("checkout.session", session_id)
        if account is None or session is None:
            raise missing("checkout.session", session_id)
        if session["status"] != "open" or session["expires_at"] <= self.seconds():
            raise unexpected("checkout_session", "This page is closed.")
        return account, session

    def _processing(self, account: str, intent_id: str) -> tuple[Object, Object, Object]:
        intent = self.take(account, "payment_intent", intent_id)
        if intent["status"] != "processing":
            raise unexpected("payment_intent", "Nothing is on its way.")
        charge = self.take(account, "charge", intent["latest_charge"])
        (session,) = self.store.all_of(account, "checkout.session", lambda one: one["payment_intent"] == intent_id)
        return intent, charge, session

    def _intent_of(self, account: str, session: Object, method: str) -> Object:
        if session["payment_intent"] is not None:
            intent = self.take(account, "payment_intent", session["payment_intent"])
        else:
            intent = objects.payment_intent(
                self.seconds(),
                amount=session["amount_total"],
                currency=session["currency"],
                asked=session["_intent"],
                methods=session["payment_method_types"],
            )
            self.emit(account, "payment_intent.created", intent)
        intent["payment_method"] = objects.new_id("pm")
        intent["_method"] = method
        return self.store.put(account, intent)

    def _new_charge(self, account: str, session: Object, intent: Object, method: str, status: str) -> Object:
        charge = objects.charge(self.seconds(), intent, method=method, status=status, email=_email(session))
        return self.store.put(account, charge)

    def _succeed(self, account: str, intent: Object, charge: Object) -> None:
        """Its balance transaction follows the charge, as with Stripe's asynchronous capture."""
        fee = charge["application_fee_amount"]
        if fee:
            charge["application_fee"] = objects.new_id("fee")
        self.emit(account, "charge.succeeded", charge)
        intent |= {
            "status": "succeeded",
            "amount_received": intent["amount"],
            "latest_charge": charge["id"],
            "last_payment_error": None,
            "_due": None,
        }
        self.store.put(account, intent)
        self.emit(account, "payment_intent.succeeded", intent)
        kind = "charge" if charge["payment_method_details"]["type"] == "card" else "payment"
        fees = {"stripe_fee": _stripe_fee(charge), "application_fee": fee or 0}
        booked = self._book(account, kind, charge["amount"], charge, fees=fees, category="charge")
        charge["balance_transaction"] = booked["id"]
        self.store.put(account, charge)
        self.emit(account, "charge.updated", charge, {"balance_transaction": None})

    def _fail(self, account: str, intent: Object, charge: Object, code: str) -> Object:
        said = _DECLINES.get(code, "The payment was refused by the bank.")
        charge |= {"failure_code": code, "failure_message": said}
        self.store.put(account, charge)
        kind = "card_error" if charge["payment_method_details"]["type"] == "card" else "invalid_request_error"
        intent |= {
            "status": "requires_payment_method",
            "latest_charge": charge["id"],
            "payment_method": None,
            "_due": None,
            "last_payment_error": {"charge": charge["id"], "code": code, "message": said, "type": kind},
        }
        self.store.put(account, intent)
        self.emit(account, "charge.failed", charge)
        self.emit(account, "payment_intent.payment_failed", intent)
        return intent

    # Refunds

    def refund(
        self,
        account: str,
        charge_id: str,
        amount: int | None,
        *,
        reason: str | None = None,
        metadata: Object | None = None,
        with_fee: bool = False,
        status: str = "succeeded",
    ) -> Object:
        """Money goes back, whoever asked."""
        with self.store.writing():
            charge = self.take(account, "charge", charge_id)
            self._refuse_refund(account, charge, amount)
            left = charge["amount"] - charge["amount_refunded"]
            amount = left if amount is None else amount
            made = objects.refund(
                self.seconds(), charge, amount=amount, reason=reason, metadata=metadata or {}, status=status
            )
            fee = (charge["application_fee_amount"] or 0) if with_fee else 0
            returned = fee * amount // charge["amount"]
            kind = "refund" if made["id"].startswith("re_") else "payment_refund"
            fees = {"application_fee": -returned}
            booked = self._book(account, kind, -amount, charge, source=made["id"], fees=fees, category="refund")
            made["balance_transaction"] = booked["id"]
            self.store.put(account, made)
            self._refunded(account, charge, amount)
            self.emit(account, "refund.created", made)
            self.emit(account, "charge.refunded", charge, {"amount_refunded": charge["amount_refunded"] - amount})
            return made

    def _refuse_refund(self, account: str, charge: Object, amount: int | None) -> None:
        left = charge["amount"] - charge["amount_refunded"]
        if charge["status"] != "succeeded":
            raise unexpected("payment_intent", "This PaymentIntent does not have a successful charge to refund.")
        disputes = self.store.all_of(account, "dispute", lambda one: one["charge"] == charge["id"])
        if any(not one["is_charge_refundable"] for one in disputes):
            raise ApiError(
                f"Charge {charge['id']} has been charged back; cannot issue a refund.",
                code="charge_disputed",
                kept=True,
            )
        if left == 0:
            raise ApiError(
                f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded", kept=True
            )
        if amount is not None and amount > left:
            raise ApiError(
                f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
                code="amount_too_large",
                param="amount",
                kept=True,
            )

    def refund_becomes(self, account: str, refund_id: str, status: str, failure_reason: str | None = None) -> Object:
        """A pending refund succeeds, or the bank sends the money back, days later."""
        with self.store.writing():
            refund = self.take(account, "refund", refund_id)
            if refund["status"] not in {"pending", "requires_action", "succeeded"} or refund["status"] == status:
                raise unexpected("refund", f"The refund is {refund['status']}.")
            before = {"status": refund["status"]}
            refund["status"] = status
            charge = self.take(account, "charge", refund["charge"])
            if status in {"failed", "canceled"}:
                kind = "refund_failure" if refund["id"].startswith("re_") else "payment_failure_refund"
                booked = self._book(
                    account, kind, refund["amount"], charge, source=refund_id, category="refund_failure"
                )
                refund |= {"failure_reason": failure_reason, "failure_balance_transaction": booked["id"]}
                self._refunded(account, charge, -refund["amount"])
            self.store.put(account, refund)
            self.emit(account, "refund.updated", refund, before)
            self.emit(account, "charge.refund.updated", refund, before)
            if status == "failed":
                self.emit(account, "refund.failed", refund)
            return refund

    def _refunded(self, account: str, charge: Object, amount: int) -> None:
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        self.store.put(account, charge)

    # Disputes

    def dispute(self, account: str, charge_id: str, amount: int | None, *, reason: str, inquiry: bool) -> Object:
        """The customer contests at the bank; the money is taken until it is decided, unless the bank only asks."""
        with self.store.writing():
            charge = self.take(account, "charge", charge_id)
            if charge["status"] != "succeeded":
                raise unexpected("charge", "There is nothing to contest.")
            status = "warning_needs_response" if inquiry else "needs_response"
            made = objects.dispute(
                self.seconds(), charge, amount=amount or charge["amount"], reason=reason, status=status
            )
            self.store.put(account, charge | {"disputed": True})
            if inquiry:
                self.store.put(account, made)
                self.emit(account, "charge.dispute.created", made)
                return made
            self._withdraw(account, made, -made["amount"], DISPUTE_FEE)
            self.emit(account, "charge.dispute.created", made)
            self.emit(account, "charge.dispute.funds_withdrawn", made)
            return made

    def dispute_becomes(self, account: str, dispute_id: str, status: str) -> Object:
        """``under_review`` once it was answered; then ``won`` or ``lost``; ``warning_closed`` for a question."""
        with self.store.writing():
            found = self.take(account, "dispute", dispute_id)
            if found["status"] in {"won", "lost", "warning_closed"}:
                raise unexpected("dispute", f"The dispute is {found['status']}.")
            before = {"status": found["status"]}
            found["status"] = status
            if status == "won":
                found["is_charge_refundable"] = True
                self._withdraw(account, found, found["amount"], -DISPUTE_FEE)
            self.store.put(account, found)
            if status == "under_review":
                self.emit(account, "charge.dispute.updated", found, before)
                return found
            if status == "won":
                self.emit(account, "charge.dispute.funds_reinstated", found)
            self.emit(account, "charge.dispute.closed", found, before)
            return found

    def _withdraw(self, account: str, dispute: Object, amount: int, fee: int) -> None:
        category = "dispute" if amount < 0 else "dispute_reversal"
        booked = self._book(
            account, "adjustment", amount, dispute, source=dispute["id"], fees={"stripe_fee": fee}, category=category
        )
        dispute["balance_transactions"].append(booked)
        self.store.put(account, dispute)

    # Payouts and the balance

    def pay_out(self, account: str, amount: int | None, currency: str) -> Object:
        """What is on the balance, all of it and automatic, or a sum that was asked for."""
        with self.store.writing():
            held = self.store.all_of(account, "balance_transaction", lambda one: one["currency"] == currency)
            balance = sum(one["net"] for one in held)
            wanted = balance if amount is None else amount
            if wanted <= 0 or wanted > balance:
                raise ApiError(
                    "You have insufficient funds in your Stripe account.", code="balance_insufficient", kept=True
                )
            now = self.seconds()
            arrival = (now // 86_400 + 2) * 86_400
            made = objects.payout(now, amount=wanted, currency=currency, arrival=arrival, automatic=amount is None)
            if amount is None:
                for one in held:
                    if "_payout" not in one:
                        self.store.put(account, one | {"_payout": made["id"], "status": "available"})
            booked = self._book(account, "payout", -wanted, made, source=made["id"], category="payout")
            self.store.put(account, booked | {"_payout": made["id"]})
            made["balance_transaction"] = booked["id"]
            self.store.put(account, made)
            self.emit(account, "payout.created", made)
            return made

    def payout_becomes(self, account: str, payout_id: str, status: str) -> Object:
        """``paid`` or ``failed``."""
        with self.store.writing():
            found = self.take(account, "payout", payout_id)
            if found["status"] == "failed" or found["status"] == status:
                raise unexpected("payout", f"The payout is {found['status']}.")
            before = {"status": found["status"]}
            found["status"] = status
            if status == "failed":
                booked = self._book(
                    account, "payout_failure", found["amount"], found, source=payout_id, category="payout_reversal"
                )
                found |= {
                    "failure_balance_transaction": booked["id"],
                    "failure_code": "account_closed",
                    "failure_message": "The bank account has been closed",
                }
            self.store.put(account, found)
            self.emit(account, "payout.updated", found, before)
            self.emit(account, f"payout.{status}", found)
            return found

    def _book(
        self,
        account: str,
        kind: str,
        amount: int,
        about: Object,
        *,
        category: str,
        source: str | None = None,
        fees: dict[str, int] | None = None,
    ) -> Object:
        currency = about["currency"]
        booked = objects.balance_transaction(
            self.seconds(), kind=kind, category=category, amount=amount, currency=currency, source=source or about["id"]
        )
        details = [objects.fee_detail(name, fee, currency) for name, fee in (fees or {}).items() if fee]
        booked |= {"fee": sum(one["amount"] for one in details), "fee_details": details}
        booked["net"] = amount - booked["fee"]
        return self.store.put(account, booked)

    # Events

    def emit(self, account: str, kind: str, about: Object, before: Object | None = None) -> None:
        made = objects.event(
            self.seconds(),
            kind=kind,
            account_id=account,
            about=objects.shown(about),
            before=before,
            request=getattr(self._request, "known", _NO_REQUEST),
        )
        self.store.put(account, made)
        self._told(made)


def _stripe_fee(charge: Object) -> int:
    if charge["payment_method_details"]["type"] != "card":
        return SEPA_FIXED
    amount: int = charge["amount"]
    return (amount * CARD_BASIS_POINTS + 5_000) // 10_000 + CARD_FIXED


def _email(session: Object) -> str:
    email: str = session["customer_email"] or "cliente@exemple.fr"
    return email
