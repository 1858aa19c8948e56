"""Subscriptions on the platform's own account: trials, renewals, cards that stop working, and the end.

An invoice is paid at once, or tried again three times over fifteen days, after which the subscription ends.
"""

from __future__ import annotations

import calendar
from datetime import UTC, datetime
from typing import Any, Final

from local.stripe import objects
from local.stripe.bank import Bank
from local.stripe.errors import invalid, unexpected
from local.stripe.store import PLATFORM, Object

_DAY: Final = 86_400
_REMINDER: Final = 3 * _DAY
_AGAIN: Final = (3 * _DAY, 5 * _DAY, 7 * _DAY)  # after each failure
_ENDED: Final = frozenset({"canceled", "incomplete_expired"})


class Subscriptions:
    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._store = bank.store
        bank.subscribe = self.confirm
        bank.renew = self.pass_time

    # Begun, changed, ended

    def confirm(self, session: Object) -> Object:
        """The customer subscribes on the page of a session: the session as it is afterwards."""
        customer_id = session["customer"] or self._new_customer(session)
        wanted = session["_subscription"]
        price = self._bank.take(PLATFORM, "price", session["_price"])
        now = self._bank.seconds()
        days = int(wanted.get("trial_period_days", 0))
        end = now + days * _DAY if days else _later(now, price, datetime.fromtimestamp(now, UTC).day)
        subscription = objects.subscription(
            now, customer=customer_id, price=price, quantity=session["_quantity"], end=end,
            trial_end=end if days else None, metadata=wanted.get("metadata", {}),
        )  # fmt: skip
        subscription["_anchor"] = datetime.fromtimestamp(end if days else now, UTC).day
        self._plan(subscription)
        self._save("customer.subscription.created", subscription)
        invoice = self._bill(subscription, 0 if days else None, reason="subscription_create")
        session |= {
            "status": "complete",
            "payment_status": "no_payment_required" if days else "paid",
            "customer": customer_id,
            "customer_details": objects.customer_details(session["customer_email"] or "contact@exemple.fr"),
            "subscription": subscription["id"],
            "invoice": invoice["id"],
            "url": None,
            "_due": None,
        }
        self._store.put(PLATFORM, session)
        self._bank.emit(PLATFORM, "checkout.session.completed", session)
        return session

    def update(self, subscription_id: str, *, cancel_at_period_end: bool | None, metadata: Object | None) -> Object:
        with self._store.writing():
            found = self._living(subscription_id)
            before = {"cancel_at_period_end": found["cancel_at_period_end"], "metadata": found["metadata"]}
            if cancel_at_period_end is not None:
                ends = found["_period_end"] if cancel_at_period_end else None
                found |= {
                    "cancel_at_period_end": cancel_at_period_end,
                    "cancel_at": ends,
                    "canceled_at": self._bank.seconds() if cancel_at_period_end else None,
                }
            if metadata is not None:
                found["metadata"] = found["metadata"] | metadata
            return self._save("customer.subscription.updated", found, before)

    def cancel(self, subscription_id: str) -> Object:
        with self._store.writing():
            return self._end(self._living(subscription_id))

    def card(self, customer_id: str, *, works: bool) -> Object:
        """The customer's card stops working, or is another one: what is owed is paid at once."""
        with self._store.writing():
            customer = self._bank.take(PLATFORM, "customer", customer_id)
            customer["_card_fails"] = not works
            self._store.put(PLATFORM, customer)
            if works:
                for one in self._store.all_of(PLATFORM, "subscription", lambda held: held["customer"] == customer_id):
                    if one["status"] == "past_due":
                        self._try(one, self._bank.take(PLATFORM, "invoice", one["latest_invoice"]))
            return customer

    # By the clock

    def pass_time(self, subscription_id: str) -> None:
        """What is due: a reminder of the end of a trial, the next period, or another try."""
        found = self._living(subscription_id)
        match found["_next"]:
            case "reminder":
                found["_reminded"] = True
                self._plan(found)
                self._store.put(PLATFORM, found)
                self._bank.emit(PLATFORM, "customer.subscription.trial_will_end", found)
            case "try":
                self._try(found, self._bank.take(PLATFORM, "invoice", found["latest_invoice"]))
            case _:
                self._renew(found)

    def _renew(self, found: Object) -> None:
        if found["cancel_at_period_end"]:
            self._end(found)
            return
        (item,) = found["items"]["data"]
        start: int = found["_period_end"]
        end = _later(start, item["price"], found["_anchor"])
        before = {"status": found["status"], "items": {"data": [dict(item)]}}
        item |= {"current_period_start": start, "current_period_end": end}
        found |= {"_period_end": end, "status": "active"}
        self._plan(found)
        self._save("customer.subscription.updated", found, before)
        self._bill(found, None, reason="subscription_cycle")

    def _plan(self, found: Object) -> None:
        """What happens next, and when."""
        reminder = (found["trial_end"] or 0) - _REMINDER
        if found["status"] == "trialing" and not found.get("_reminded") and reminder > found["start_date"]:
            found |= {"_next": "reminder", "_due": reminder}
        else:
            found |= {"_next": "period", "_due": found["_period_end"]}

    def _bill(self, found: Object, amount: int | None, *, reason: str) -> Object:
        (item,) = found["items"]["data"]
        wanted = item["price"]["unit_amount"] * item["quantity"] if amount is None else amount
        customer = self._bank.take(PLATFORM, "customer", found["customer"])
        invoice = objects.invoice(self._bank.seconds(), found, customer, amount=wanted, reason=reason)
        number = customer["next_invoice_sequence"]
        invoice["number"] = f"{customer['invoice_prefix']}-{number:04d}"
        self._store.put(PLATFORM, customer | {"next_invoice_sequence": number + 1})
        self._bank.emit(PLATFORM, "invoice.created", invoice)
        invoice |= {"status": "open", "effective_at": self._bank.seconds()}
        invoice["status_transitions"]["finalized_at"] = self._bank.seconds()
        self._store.put(PLATFORM, invoice)
        self._bank.emit(PLATFORM, "invoice.finalized", invoice)
        found["latest_invoice"] = invoice["id"]
        return self._try(found, invoice)

    def _try(self, found: Object, invoice: Object) -> Object:
        """The card is asked for what an invoice owes."""
        customer = self._bank.take(PLATFORM, "customer", found["customer"])
        before = {"status": found["status"]}
        owed = invoice["amount_remaining"]
        invoice |= {"attempted": True, "attempt_count": invoice["attempt_count"] + (1 if owed else 0)}
        if owed and customer.get("_card_fails"):
            self._fail(found, invoice, before)
            return invoice
        invoice |= {"status": "paid", "amount_paid": invoice["amount_due"], "amount_remaining": 0}
        invoice["next_payment_attempt"] = None
        invoice["status_transitions"]["paid_at"] = self._bank.seconds()
        self._store.put(PLATFORM, invoice)
        self._bank.emit(PLATFORM, "invoice.paid", invoice)
        self._bank.emit(PLATFORM, "invoice.payment_succeeded", invoice)
        if found["status"] == "past_due":
            found["status"] = "active"
            self._plan(found)
            self._save("customer.subscription.updated", found, before)
        else:
            self._store.put(PLATFORM, found)
        return invoice

    def _fail(self, found: Object, invoice: Object, before: Object) -> None:
        tries = invoice["attempt_count"]
        again = self._bank.seconds() + _AGAIN[tries - 1] if tries <= len(_AGAIN) else None
        invoice["next_payment_attempt"] = again
        self._store.put(PLATFORM, invoice)
        self._bank.emit(PLATFORM, "invoice.payment_failed", invoice)
        if again is None:
            self._end(found)
            return
        found |= {"status": "past_due", "_next": "try", "_due": again}
        if before["status"] == "past_due":
            self._store.put(PLATFORM, found)
        else:
            self._save("customer.subscription.updated", found, before)

    def _end(self, found: Object) -> Object:
        now = self._bank.seconds()
        found |= {
            "status": "canceled",
            "canceled_at": found["canceled_at"] or now,
            "ended_at": now,
            "_due": None,
        }
        return self._save("customer.subscription.deleted", found)

    def _living(self, subscription_id: str) -> Object:
        found = self._bank.take(PLATFORM, "subscription", subscription_id)
        if found["status"] in _ENDED:
            raise unexpected("subscription", "A canceled subscription can only update its metadata.")
        return found

    def _save(self, event: str, found: Object, before: Object | None = None) -> Object:
        self._store.put(PLATFORM, found)
        self._bank.emit(PLATFORM, event, found, before)
        return found

    def _new_customer(self, session: Object) -> str:
        made = objects.customer(self._bank.seconds(), {"email": session["customer_email"] or "contact@exemple.fr"})
        self._save("customer.created", made)
        customer_id: str = made["id"]
        return customer_id


def priced(price: Object) -> Object:
    """Raises: ApiError when a price does not come back."""
    if price["type"] != "recurring":
        raise invalid("line_items", "You must provide at least one recurring price in `subscription` mode.")
    return price


def _later(start: int, price: Object, anchor_day: int) -> int:
    """The end of a period: the same day of a later month, or its last."""
    recurring: dict[str, Any] = price["recurring"]
    count: int = recurring["interval_count"]
    if recurring["interval"] in {"day", "week"}:
        return start + count * _DAY * (7 if recurring["interval"] == "week" else 1)
    begun = datetime.fromtimestamp(start, UTC)
    months = begun.year * 12 + begun.month - 1 + count * (12 if recurring["interval"] == "year" else 1)
    year, month = divmod(months, 12)
    day = min(anchor_day, calendar.monthrange(year, month + 1)[1])
    return int(begun.replace(year=year, month=month + 1, day=day).timestamp())
