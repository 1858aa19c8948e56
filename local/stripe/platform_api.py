"""The operations of the platform's own account: customers, plans, subscriptions, invoices, and the portal."""

from __future__ import annotations

from typing import Final

from local.stripe import objects
from local.stripe.asking import integer, refuse_unknown, text
from local.stripe.bank import Bank
from local.stripe.errors import invalid
from local.stripe.store import PLATFORM, Object
from local.stripe.subscriptions import Subscriptions

_CUSTOMER: Final = frozenset({"description", "email", "metadata", "name", "phone", "preferred_locales"})
_PRICE: Final = frozenset(
    {
        "currency", "lookup_key", "metadata", "nickname", "product", "product_data", "recurring", "tax_behavior",
        "unit_amount",
    }
)  # fmt: skip
_INTERVALS: Final = frozenset({"day", "week", "month", "year"})


class PlatformApi:
    """Answers None for what is another's operation."""

    def __init__(self, bank: Bank, subscriptions: Subscriptions, *, base_url: str) -> None:
        self._bank = bank
        self._store = bank.store
        self._subscriptions = subscriptions
        self._base_url = base_url

    def answer(self, method: str, path: list[str], asked: Object, account: str) -> Object | None:
        if account:
            return None
        return self._plans(method, path, asked) or self._customers(method, path, asked)

    def _plans(self, method: str, path: list[str], asked: Object) -> Object | None:
        match [method, *path]:
            case ["POST", "products"]:
                refuse_unknown(asked, {"description", "metadata", "name"})
                text(asked, "name")
                return self._made("product.created", objects.product(self._bank.seconds(), asked))
            case ["POST", "prices"]:
                return self._create_price(asked)
            case _:
                return None

    def _create_price(self, asked: Object) -> Object:
        refuse_unknown(asked, _PRICE)
        amount = integer(asked, "unit_amount", None, needed=True)
        text(asked, "currency")
        if "product_data" in asked:
            made = objects.product(self._bank.seconds(), {"name": text(asked["product_data"], "name")})
            product_id = self._made("product.created", made)["id"]
        else:
            product_id = self._bank.take(PLATFORM, "product", text(asked, "product"))["id"]
        recurring = None
        if "recurring" in asked:
            interval = text(asked["recurring"], "interval")
            if interval not in _INTERVALS:
                raise invalid("recurring[interval]", "Invalid interval: must be one of day, month, week, or year")
            recurring = objects.recurrence(interval, integer(asked["recurring"], "interval_count", 1))
        key = asked.get("lookup_key")
        if key and self._store.all_of(PLATFORM, "price", lambda one: one["lookup_key"] == key):
            raise invalid("lookup_key", f"A price already uses that lookup key ({key}).")
        made = objects.price(self._bank.seconds(), asked, product_id=product_id, amount=amount, recurring=recurring)
        return self._made("price.created", made)

    def _customers(self, method: str, path: list[str], asked: Object) -> Object | None:
        answered: Object | None
        match [method, *path]:
            case ["POST", "customers"]:
                refuse_unknown(asked, _CUSTOMER)
                answered = self._made("customer.created", objects.customer(self._bank.seconds(), asked))
            case ["POST", "customers", customer_id]:
                refuse_unknown(asked, _CUSTOMER)
                found = self._bank.take(PLATFORM, "customer", customer_id)
                answered = self._made("customer.updated", found | asked)
            case ["POST", "subscriptions", subscription_id]:
                refuse_unknown(asked, {"cancel_at_period_end", "metadata"})
                ends = asked.get("cancel_at_period_end")
                answered = self._subscriptions.update(
                    subscription_id,
                    cancel_at_period_end=None if ends is None else ends == "true",
                    metadata=asked.get("metadata"),
                )
            case ["DELETE", "subscriptions", subscription_id]:
                answered = self._subscriptions.cancel(subscription_id)
            case ["POST", "billing_portal", "sessions"]:
                answered = self._open_portal(asked)
            case _:
                answered = None
        return answered

    def _open_portal(self, asked: Object) -> Object:
        refuse_unknown(asked, {"customer", "locale", "return_url"})
        customer = self._bank.take(PLATFORM, "customer", text(asked, "customer"))
        made = objects.portal_session(
            self._bank.seconds(),
            customer=customer["id"],
            return_url=text(asked, "return_url"),
            locale=asked.get("locale"),
            base_url=self._base_url,
        )
        return self._store.put(PLATFORM, made)

    def _made(self, event: str, made: Object) -> Object:
        self._store.put(PLATFORM, made)
        self._bank.emit(PLATFORM, event, made)
        return made
