"""The operations of Stripe's API that are served, over what a bank keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from local.stripe import objects
from local.stripe.asking import integer, refuse_unknown, text
from local.stripe.bank import Bank
from local.stripe.errors import ApiError, invalid, missing, no_access, required
from local.stripe.platform_api import PlatformApi
from local.stripe.store import PLATFORM, Object
from local.stripe.subscriptions import Subscriptions, priced

_MINIMUM: Final = {"eur": 50, "usd": 50, "gbp": 30}
_SHORTEST, _LONGEST = 30 * 60, 24 * 3600
_CONTROLLER: Final = {
    "fees": {"payer": "account"},
    "losses": {"payments": "stripe"},
    "requirement_collection": "stripe",
    "stripe_dashboard": {"type": "full"},
}
_ACCOUNT_PARAMS: Final = frozenset(
    {"business_profile", "business_type", "capabilities", "controller", "country", "email", "metadata", "type"}
)
_SESSION_PARAMS: Final = frozenset(
    {
        "allow_promotion_codes", "billing_address_collection", "cancel_url", "client_reference_id", "customer",
        "customer_email", "expand", "expires_at", "line_items", "locale", "metadata", "mode", "payment_intent_data",
        "payment_method_collection", "payment_method_types", "submit_type", "subscription_data", "success_url",
    }
)  # fmt: skip
_REASONS: Final = frozenset({"duplicate", "fraudulent", "requested_by_customer"})
_PAGING: Final = frozenset({"created", "ending_before", "expand", "limit", "starting_after"})
_CALLED: Final = {"balance_transaction": "balance transaction"}
# What is read one by one and as a list: the kind of object, and what a list can be narrowed by.
_READ: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "balance_transactions": ("balance_transaction", ()),
    "charges": ("charge", ("payment_intent", "customer")),
    "customers": ("customer", ("email",)),
    "disputes": ("dispute", ("payment_intent", "charge")),
    "events": ("event", ("type",)),
    "invoices": ("invoice", ("customer", "status", "subscription")),
    "payment_intents": ("payment_intent", ("customer",)),
    "payouts": ("payout", ("status",)),
    "prices": ("price", ("active", "lookup_keys", "product")),
    "products": ("product", ("active",)),
    "refunds": ("refund", ("payment_intent", "charge")),
    "subscriptions": ("subscription", ("customer", "status")),
}


class Api:
    """``base_url`` is where the pages are that a person is led to."""

    def __init__(self, bank: Bank, subscriptions: Subscriptions, *, base_url: str, api_key: str) -> None:
        self._bank = bank
        self._platform = PlatformApi(bank, subscriptions, base_url=base_url)
        self._store = bank.store
        self._base_url = base_url
        self._api_key = api_key

    def hold_access(self, account: str) -> None:
        """Raises: ApiError, once the company has taken its account away."""
        if account:
            self._connected(account)

    def answer(self, method: str, path: str, asked: Mapping[str, Any], account: str) -> Object:
        """What Stripe answers. Raises: ApiError."""
        expanded = asked.get("expand") or []
        known = {name: value for name, value in asked.items() if name != "expand"}
        answered = self._answer(method, path.strip("/").split("/")[1:], known, account)
        shown = objects.shown(answered)
        for path_of_field in expanded if isinstance(expanded, list) else [expanded]:
            self._expand(account, shown, path_of_field.split("."))
        return shown

    def _answer(self, method: str, path: list[str], asked: Object, account: str) -> Object:
        operations: list[Callable[[str, list[str], Object, str], Object | None]] = [
            self._accounts,
            self._checkout,
            self._payments,
            self._platform.answer,
            self._money,
        ]
        for operation in operations:
            answered = operation(method, path, asked, account)
            if answered is not None:
                return answered
        raise ApiError(f"Unrecognized request URL ({method}: /v1/{'/'.join(path)}).", status=404)

    # Accounts

    def _accounts(self, method: str, path: list[str], asked: Object, account: str) -> Object | None:
        match [method, *path]:
            case ["POST", "accounts"]:
                return self._create_account(asked)
            case ["GET", "accounts", account_id]:
                return self._connected(account_id)
            case ["GET", "account"] if account:
                return self._connected(account)
            case ["POST", "account_links"]:
                return self._create_account_link(asked)
            case _:
                return None

    def _create_account(self, asked: Object) -> Object:
        refuse_unknown(asked, _ACCOUNT_PARAMS)
        if asked.get("type", "standard") != "standard":
            raise invalid("type", "Only standard accounts are simulated.")
        if "controller" in asked and asked["controller"] != _CONTROLLER:
            raise invalid("controller", "Only the controller of a standard account is simulated.")
        if "email" in asked and "@" not in asked["email"]:
            raise invalid("email", f"Invalid email address: {asked['email']}", "email_invalid")
        return self._bank.create_account(asked)

    def _create_account_link(self, asked: Object) -> Object:
        refuse_unknown(asked, {"account", "collection_options", "refresh_url", "return_url", "type"})
        for name in ("account", "refresh_url", "return_url", "type"):
            text(asked, name)
        account = self._connected(asked["account"])
        link_token = objects.token(12)
        url = f"{self._base_url}/setup/s/{account['id']}/{link_token}"
        made = objects.account_link(self._bank.seconds(), url)
        links = account.get("_links", {}) | {link_token: {**asked, "expires_at": made["expires_at"]}}
        self._store.put("", account | {"_links": links})
        return made

    def _connected(self, account_id: str) -> Object:
        found = self._store.get("", "account", account_id)
        if found is None or found.get("_disconnected"):
            raise no_access(self._api_key, account_id)
        return found

    # Checkout

    def _checkout(self, method: str, path: list[str], asked: Object, account: str) -> Object | None:
        match [method, *path]:
            case ["POST", "checkout", "sessions"]:
                return self._create_session(asked, account)
            case ["GET", "checkout", "sessions"]:
                return self._list(
                    "checkout.session", "/v1/checkout/sessions", asked, account, by=("payment_intent", "status")
                )
            case ["GET", "checkout", "sessions", session_id]:
                return self._bank.take(account, "checkout.session", session_id)
            case ["POST", "checkout", "sessions", session_id, "expire"]:
                return self._bank.expire(account, session_id)
            case _:
                return None

    def _create_session(self, asked: Object, account: str) -> Object:
        refuse_unknown(asked, _SESSION_PARAMS)
        mode = text(asked, "mode")
        text(asked, "success_url")
        if mode == "subscription" and not account:
            wanted, ours = self._subscribing(asked)
        elif mode == "payment" and account:
            wanted, ours = self._paying(asked, account)
        else:
            raise invalid("mode", "Payments on a connected account and subscriptions to the platform are simulated.")
        now = self._bank.seconds()
        expires_at = integer(asked, "expires_at", now + _LONGEST)
        if not _SHORTEST <= expires_at - now <= _LONGEST:
            raise invalid(
                "expires_at",
                "The `expires_at` timestamp must be at least 30 minutes and less than 24 hours from Checkout Session "
                "creation.",
                "parameter_invalid_integer",
            )
        session_id = f"cs_test_a1{objects.token(56)}"
        url = f"{self._base_url}/c/pay/{session_id}"
        wanted |= {"mode": mode, "expires_at": expires_at}
        made = objects.checkout_session(now, session_id=session_id, url=url, asked=asked, wanted=wanted)
        return self._store.put(account, made | ours | {"_due": expires_at})

    def _paying(self, asked: Object, account: str) -> tuple[Object, Object]:
        """What a session says, and what is remembered of it: of one payment."""
        seller = self._connected(account)
        if not seller["charges_enabled"]:
            raise ApiError(f"Account {account} cannot take payments yet.", status=403, code="account_invalid")
        amount, currency, title = _priced(asked)
        of_intent = asked.get("payment_intent_data", {})
        if integer(of_intent, "application_fee_amount", 0) > amount:
            raise invalid("payment_intent_data[application_fee_amount]", "The fee cannot exceed the amount.")
        methods = _offered(seller, asked, currency)
        wanted = {"amount_total": amount, "currency": currency, "payment_method_types": methods}
        return wanted, {"_title": title, "_intent": of_intent}

    def _subscribing(self, asked: Object) -> tuple[Object, Object]:
        """Of a subscription to the platform: one recurring price."""
        lines = asked.get("line_items")
        if not isinstance(lines, list) or len(lines) != 1:
            raise required("line_items")
        price = priced(self._bank.take(PLATFORM, "price", text(lines[0], "price")))
        quantity = integer(lines[0], "quantity", 1)
        if "customer" in asked:
            self._bank.take(PLATFORM, "customer", asked["customer"])
        of_subscription = asked.get("subscription_data", {})
        days = integer(of_subscription, "trial_period_days", 0)
        product = self._bank.take(PLATFORM, "product", price["product"])
        amount = 0 if days else price["unit_amount"] * quantity
        wanted = {"amount_total": amount, "currency": price["currency"], "payment_method_types": ["card"]}
        remembered = {"_title": product["name"], "_subscription": of_subscription}
        return wanted, remembered | {"_price": price["id"], "_quantity": quantity}

    # Payments

    def _payments(self, method: str, path: list[str], asked: Object, account: str) -> Object | None:
        match [method, *path]:
            case ["POST", "payment_intents", intent_id, "cancel"]:
                refuse_unknown(asked, {"cancellation_reason"})
                return self._bank.cancel(account, intent_id, asked.get("cancellation_reason"))
            case ["POST", "refunds"]:
                return self._create_refund(asked, account)
            case _:
                return None

    def _create_refund(self, asked: Object, account: str) -> Object:
        allowed = {"amount", "charge", "metadata", "payment_intent", "reason", "refund_application_fee"}
        refuse_unknown(asked, allowed)
        if asked.get("reason", "duplicate") not in _REASONS:
            raise invalid("reason", f"Invalid reason: must be one of {', '.join(sorted(_REASONS))}")
        amount = integer(asked, "amount", None)
        if amount is not None and amount <= 0:
            raise invalid("amount", "This value must be greater than or equal to 1.", "parameter_invalid_integer")
        if "payment_intent" in asked:
            intent = self._bank.take(account, "payment_intent", asked["payment_intent"])
            charge_id = intent["latest_charge"] or ""
        else:
            charge_id = text(asked, "charge")
        with_fee = asked.get("refund_application_fee") == "true"
        if with_fee and not self._bank.take(account, "charge", charge_id)["application_fee_amount"]:
            raise invalid("refund_application_fee", "This charge has no application fee to refund.")
        return self._bank.refund(
            account,
            charge_id,
            amount,
            reason=asked.get("reason"),
            metadata=asked.get("metadata", {}),
            with_fee=with_fee,
        )

    # What is only read

    def _money(self, method: str, path: list[str], asked: Object, account: str) -> Object | None:
        match [method, *path]:
            case ["GET", "balance"]:
                return self._balance(account)
            case ["GET", "balance_transactions"]:
                return self._balance_transactions(asked, account)
            case ["GET", name] if name in _READ:
                return self._list(_READ[name][0], f"/v1/{name}", asked, account, by=_READ[name][1])
            case ["GET", name, object_id] if name in _READ:
                kind = _READ[name][0]
                return self._bank.take(account, kind, object_id, called=_CALLED.get(kind, kind))
            case _:
                return None

    def _balance(self, account: str) -> Object:
        sums: dict[str, dict[str, int]] = {"available": {}, "pending": {}}
        for one in self._store.all_of(account, "balance_transaction"):
            held = sums[one["status"] if one["status"] in sums else "available"]
            held[one["currency"]] = held.get(one["currency"], 0) + one["net"]
        shape = {
            name: [
                {"amount": amount, "currency": currency, "source_types": {"card": amount}}
                for currency, amount in (held or {"eur": 0}).items()
            ]
            for name, held in sums.items()
        }
        reserved = [{"amount": 0, "currency": "eur"}]
        return {"object": "balance", "connect_reserved": reserved, "livemode": False, **shape}

    def _balance_transactions(self, asked: Object, account: str) -> Object:
        wanted = asked.pop("payout", None)
        known = ("type", "source", "currency")
        return self._list(
            "balance_transaction",
            "/v1/balance_transactions",
            asked,
            account,
            by=known,
            wanted=lambda one: wanted is None or one.get("_payout") == wanted,
        )

    def _list(
        self,
        kind: str,
        url: str,
        asked: Object,
        account: str,
        *,
        by: tuple[str, ...],
        wanted: Callable[[Object], bool] = lambda _: True,
    ) -> Object:
        """The latest first, a page at a time."""
        refuse_unknown(asked, _PAGING | set(by))
        equal = {name: asked[name] for name in by if name in asked}
        within = _within(asked.get("created"))
        found = self._store.all_of(
            account,
            kind,
            lambda one: (
                wanted(one) and within(one["created"]) and all(_is(one, name, value) for name, value in equal.items())
            ),
        )
        limit = integer(asked, "limit", 10)
        if not 1 <= limit <= 100:
            raise invalid("limit", "Limit must be between 1 and 100.", "parameter_invalid_integer")
        ids = [one["id"] for one in found]
        if "starting_after" in asked:
            after = asked["starting_after"]
            if after not in ids:
                raise missing(kind, after, param="starting_after")
            found = found[ids.index(after) + 1 :]
        return objects.listed(url, found[:limit], has_more=len(found) > limit)

    def _expand(self, account: str, held: Any, path: list[str]) -> None:
        """Replaces identifiers by what they name, one step after the other."""
        if isinstance(held, list):
            for one in held:
                self._expand(account, one, path)
            return
        if not path or not isinstance(held, dict):
            return
        name, *rest = path
        if name not in held:
            raise invalid("expand", f"This property cannot be expanded ({name}).")
        if isinstance(held[name], str):
            found = self._store.find(account, held[name])
            if found is None:
                raise invalid("expand", f"This property cannot be expanded ({name}).")
            held[name] = objects.shown(found)
        self._expand(account, held[name], rest)


def _priced(asked: Object) -> tuple[int, str, str]:
    """Amount, currency and title of the lines."""
    lines = asked.get("line_items")
    if not isinstance(lines, list) or not lines:
        raise required("line_items")
    total, currencies, titles = 0, set(), []
    for number, line in enumerate(lines):
        price = line.get("price_data") if isinstance(line, dict) else None
        if not isinstance(price, dict):
            raise required(f"line_items[{number}][price_data]")
        product = price.get("product_data", {})
        titles.append(text(product, "name"))
        if product.get("description") == "":
            raise invalid("line_items", "You passed an empty string for 'description'.", "parameter_invalid_empty")
        currencies.add(text(price, "currency"))
        total += integer(price, "unit_amount", None, needed=True) * integer(line, "quantity", None, needed=True)
    if len(currencies) != 1:
        raise invalid("line_items", "All prices must have the same currency.")
    (currency,) = currencies
    if currency != currency.lower():
        raise invalid("currency", f"Invalid currency: {currency}.")
    if total < _MINIMUM.get(currency, 50):
        raise ApiError("The Checkout Session's total amount is too small.", code="amount_too_small", kept=True)
    return total, currency, titles[0]


def _offered(seller: Object, asked: Object, currency: str) -> list[str]:
    """Dynamic: what the account has switched on, for this currency."""
    if "payment_method_types" in asked:
        return list(asked["payment_method_types"])
    active = {name for name, state in seller["capabilities"].items() if state == "active"}
    debit = ["sepa_debit"] if currency == "eur" and "sepa_debit_payments" in active else []
    return ["card", *debit]


def _is(one: Object, name: str, asked: Any) -> bool:
    """Whether an object is among those that a list is narrowed to."""
    if name == "lookup_keys":
        return one["lookup_key"] in asked
    held = str(one[name]).lower() if isinstance(one[name], bool) else one[name]
    return bool(asked in ("all", held))


def _within(asked: Any) -> Callable[[int], bool]:
    if asked is None:
        return lambda _: True
    if isinstance(asked, str):
        asked = {"gte": asked, "lte": asked}
    bounds = {name: integer(asked, name, None, needed=True) for name in asked}
    if set(bounds) - {"gt", "gte", "lt", "lte"}:
        raise invalid("created", "Invalid range.")
    return lambda instant: (
        instant > bounds.get("gt", -1)
        and instant >= bounds.get("gte", 0)
        and instant < bounds.get("lt", 1 << 62)
        and instant <= bounds.get("lte", 1 << 62)
    )
