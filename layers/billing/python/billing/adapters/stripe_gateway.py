"""Stripe over its API, by Stripe's own library. The only module that knows it.

A call is asked within nine seconds, and once more, under the same key, when it failed at once. After three failures in
a row Stripe is left alone for half a minute: whoever asks meanwhile is told so at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import requests
from stripe import APIConnectionError, AuthenticationError, RequestsClient, StripeClient, StripeError

from billing.domain.errors import DependencyUnavailable
from billing.domain.stripe import (
    STRIPE_API_VERSION,
    UNKNOWN,
    BalanceTransaction,
    CheckoutPaymentStatus,
    CheckoutSession,
    CheckoutStatus,
    DisputeStatus,
    PaymentIntent,
    PaymentIntentStatus,
    StripeAccount,
    StripeCharge,
    StripeDispute,
    StripeLink,
    StripePayout,
    StripePrice,
    StripeRefund,
    StripeRefundStatus,
    StripeSubscription,
    SubscriptionStatus,
)
from billing.ports.clock import Clock
from billing.ports.paging import Page
from billing.ports.stripe import (
    NO_ACCESS,
    AccountWanted,
    CheckoutWanted,
    RefundWanted,
    StripeRefused,
    SubscriberWanted,
    SubscriptionWanted,
)

if TYPE_CHECKING:
    from stripe import StripeObject

CONNECT_SECONDS, READ_SECONDS = 1.0, 8.0
AGAIN_WITHIN_SECONDS = 2.0  # a failure that took longer is not asked again: the caller's own time is short
FAILURES_BEFORE_PAUSE = 3
PAUSE_SECONDS = 30.0
_PAGE = 100
_MODE_OF_KEY: Final = re.compile(r"(sk|rk)_(?P<mode>live|test)_")
_MISSING: Final = "resource_missing"
_FORBIDDEN = 403  # Stripe says it before it looks whether the same key was asked under already
_BUSY_CODES: Final = frozenset({"lock_timeout", "rate_limit", "idempotency_key_in_use"})
_BUSY_STATUSES: Final = frozenset({401, 409, 429})  # 401: the key is ours to set right, nobody was refused anything
T = TypeVar("T")
S = TypeVar("S", bound=StrEnum)
Said = Mapping[str, Any]


class StripeApi:
    """Port StripeGateway.

    ``read_key`` reads the API key, again when Stripe does not know it any more. ``took`` hears of each request how many
    seconds it took.
    """

    def __init__(
        self,
        base_url: str,
        *,
        read_key: Callable[[], str],
        clock: Clock,
        took: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._base_url = base_url
        self._read_key = read_key
        self._clock = clock
        self._took = took
        session = requests.Session()
        session.trust_env = False  # neither a proxy nor a .netrc of the machine: the key goes to Stripe alone
        session.max_redirects = 0
        self._http = RequestsClient(timeout=(CONNECT_SECONDS, READ_SECONDS), session=session)
        self._key = ""
        self._made: StripeClient | None = None
        self._failures = 0
        self._paused_until = 0.0

    # Accounts

    def create_account(self, wanted: AccountWanted, *, idempotency_key: str) -> StripeAccount:
        profile = {"name": wanted.business_name} | ({"url": wanted.url} if wanted.url else {})
        asked: Any = {
            "email": wanted.email,
            "country": wanted.country,
            "business_profile": profile,
            # What Stripe calls a standard account, said property by property.
            "controller": {
                "fees": {"payer": "account"},
                "losses": {"payments": "stripe"},
                "requirement_collection": "stripe",
                "stripe_dashboard": {"type": "full"},
            },
            "capabilities": {
                "card_payments": {"requested": True},
                "sepa_debit_payments": {"requested": True},
                "transfers": {"requested": True},  # Stripe wants it beside card_payments
            },
            "metadata": dict(wanted.metadata),
        }
        return _account(
            self._ask(lambda stripe: stripe.v1.accounts.create(asked, {"idempotency_key": idempotency_key}))
        )

    def read_account(self, account_id: str) -> StripeAccount | None:
        try:
            return self._read(_account, lambda stripe: stripe.v1.accounts.retrieve(account_id))
        except StripeRefused as refusal:
            if refusal.code == NO_ACCESS:
                return None
            raise

    def create_account_link(self, account_id: str, *, return_url: str, refresh_url: str) -> StripeLink:
        asked: Any = {
            "account": account_id,
            "type": "account_onboarding",
            "return_url": return_url,
            "refresh_url": refresh_url,
            "collection_options": {"fields": "eventually_due"},
        }
        link = self._ask(lambda stripe: stripe.v1.account_links.create(asked))
        return StripeLink(url=link["url"], expires_at=_instant(link["expires_at"]))

    # Checkout

    def create_checkout_session(
        self, account_id: str, wanted: CheckoutWanted, *, idempotency_key: str
    ) -> CheckoutSession:
        asked: Any = _session_asked(wanted)
        return _session(
            self._ask(
                lambda stripe: stripe.v1.checkout.sessions.create(
                    asked, {"stripe_account": account_id, "idempotency_key": idempotency_key}
                )
            )
        )

    def read_checkout_session(self, account_id: str, session_id: str) -> CheckoutSession | None:
        return self._read(
            _session,
            lambda stripe: stripe.v1.checkout.sessions.retrieve(session_id, options={"stripe_account": account_id}),
        )

    def session_of_payment_intent(self, account_id: str, payment_intent_id: str) -> CheckoutSession | None:
        asked: Any = {"payment_intent": payment_intent_id, "limit": 1}
        listed = self._ask(lambda stripe: stripe.v1.checkout.sessions.list(asked, {"stripe_account": account_id}))
        return next((_session(one) for one in listed["data"]), None)

    def expire_checkout_session(self, account_id: str, session_id: str) -> CheckoutSession:
        try:
            return _session(
                self._ask(
                    lambda stripe: stripe.v1.checkout.sessions.expire(
                        session_id, options={"stripe_account": account_id}
                    )
                )
            )
        except StripeRefused:
            found = self.read_checkout_session(account_id, session_id)
            if found is None or found.status not in {CheckoutStatus.COMPLETE, CheckoutStatus.EXPIRED}:
                raise
            return found

    # Payments

    def read_payment_intent(self, account_id: str, payment_intent_id: str) -> PaymentIntent | None:
        return self._read(
            _intent,
            lambda stripe: stripe.v1.payment_intents.retrieve(
                payment_intent_id, {"expand": ["latest_charge.balance_transaction"]}, {"stripe_account": account_id}
            ),
        )

    def payment_intent_of_charge(self, account_id: str, charge_id: str) -> str | None:
        found = self._read(
            lambda said: {"payment_intent": _id(said.get("payment_intent"))},
            lambda stripe: stripe.v1.charges.retrieve(charge_id, options={"stripe_account": account_id}),
        )
        return found["payment_intent"] if found else None

    def create_refund(self, account_id: str, wanted: RefundWanted, *, idempotency_key: str) -> StripeRefund:
        asked: Any = {
            "payment_intent": wanted.payment_intent_id,
            "amount": wanted.amount_minor,
            "metadata": dict(wanted.metadata),
        }
        if wanted.reason:
            asked["reason"] = wanted.reason
        if wanted.refund_application_fee:
            asked["refund_application_fee"] = True
        return _refund(
            self._ask(
                lambda stripe: stripe.v1.refunds.create(
                    asked, {"stripe_account": account_id, "idempotency_key": idempotency_key}
                )
            )
        )

    def read_refund(self, account_id: str, refund_id: str) -> StripeRefund | None:
        return self._read(
            _refund, lambda stripe: stripe.v1.refunds.retrieve(refund_id, options={"stripe_account": account_id})
        )

    def list_refunds(self, account_id: str, payment_intent_id: str) -> tuple[StripeRefund, ...]:
        return self._all(
            _refund,
            payment_intent_id,
            lambda stripe, asked: stripe.v1.refunds.list(asked, {"stripe_account": account_id}),
        )

    # Disputes, payouts, balance

    def read_dispute(self, account_id: str, dispute_id: str) -> StripeDispute | None:
        return self._read(
            _dispute, lambda stripe: stripe.v1.disputes.retrieve(dispute_id, options={"stripe_account": account_id})
        )

    def list_disputes(self, account_id: str, payment_intent_id: str) -> tuple[StripeDispute, ...]:
        return self._all(
            _dispute,
            payment_intent_id,
            lambda stripe, asked: stripe.v1.disputes.list(asked, {"stripe_account": account_id}),
        )

    def read_payout(self, account_id: str, payout_id: str) -> StripePayout | None:
        return self._read(
            _payout, lambda stripe: stripe.v1.payouts.retrieve(payout_id, options={"stripe_account": account_id})
        )

    def list_balance_transactions(
        self, account_id: str, *, since: datetime, before: datetime, after: str | None = None
    ) -> Page[BalanceTransaction]:
        asked: Any = {"created": {"gte": _seconds(since), "lt": _seconds(before)}, "limit": _PAGE}
        if after is not None:
            asked["starting_after"] = after
        listed = self._ask(lambda stripe: stripe.v1.balance_transactions.list(asked, {"stripe_account": account_id}))
        items = tuple(_balance_transaction(one) for one in listed["data"])
        return Page(items=items, position=items[-1].balance_transaction_id if items and listed["has_more"] else None)

    def balance_transactions_of(self, account_id: str, source_id: str) -> tuple[BalanceTransaction, ...]:
        asked: Any = {"source": source_id, "limit": _PAGE}
        try:
            listed = self._ask(
                lambda stripe: stripe.v1.balance_transactions.list(asked, {"stripe_account": account_id})
            )
        except StripeRefused as refusal:
            if refusal.code == _MISSING:  # of the source
                return ()
            raise
        return tuple(_balance_transaction(one) for one in listed["data"])

    # Subscriptions to the platform

    def find_price(self, lookup_key: str) -> StripePrice | None:
        asked: Any = {"lookup_keys": [lookup_key], "active": True, "limit": 1}
        listed = self._ask(lambda stripe: stripe.v1.prices.list(asked))
        return next((_price(one) for one in listed["data"]), None)

    def create_subscriber(self, wanted: SubscriberWanted, *, idempotency_key: str) -> str:
        asked: Any = {
            "email": wanted.email,
            "name": wanted.name,
            "preferred_locales": [wanted.language],
            "metadata": dict(wanted.metadata),
        }
        made = self._ask(lambda stripe: stripe.v1.customers.create(asked, {"idempotency_key": idempotency_key}))
        customer_id: str = made["id"]
        return customer_id

    def create_subscription_page(self, wanted: SubscriptionWanted, *, idempotency_key: str) -> CheckoutSession:
        of_subscription: dict[str, Any] = {"metadata": dict(wanted.metadata)}
        if wanted.trial_days > 0:
            of_subscription["trial_period_days"] = wanted.trial_days
        asked: Any = {
            "mode": "subscription",
            "customer": wanted.customer_id,
            "line_items": [{"price": wanted.price_id, "quantity": 1}],
            "subscription_data": of_subscription,
            "metadata": dict(wanted.metadata),
            "locale": wanted.language,
            "success_url": wanted.success_url,
            "cancel_url": wanted.cancel_url,
            "expires_at": _seconds(wanted.expires_at),
        }
        return _session(
            self._ask(lambda stripe: stripe.v1.checkout.sessions.create(asked, {"idempotency_key": idempotency_key}))
        )

    def read_subscription_page(self, session_id: str) -> CheckoutSession | None:
        return self._read(_session, lambda stripe: stripe.v1.checkout.sessions.retrieve(session_id))

    def create_portal_link(self, customer_id: str, *, return_url: str, language: str) -> StripeLink:
        asked: Any = {"customer": customer_id, "return_url": return_url, "locale": language}
        made = self._ask(lambda stripe: stripe.v1.billing_portal.sessions.create(asked))
        return StripeLink(url=made["url"])

    def list_subscriptions(self, customer_id: str) -> tuple[StripeSubscription, ...]:
        asked: Any = {"customer": customer_id, "status": "all", "limit": _PAGE, "expand": ["data.latest_invoice"]}
        listed = self._ask(lambda stripe: stripe.v1.subscriptions.list(asked))
        return tuple(_subscription(one) for one in listed["data"])

    # Asking

    def _read(self, shape: Callable[[Said], T], call: Callable[[StripeClient], StripeObject]) -> T | None:
        try:
            return shape(self._ask(call))
        except StripeRefused as refusal:
            if refusal.code == _MISSING:
                return None
            raise

    def _all(
        self,
        shape: Callable[[Said], T],
        payment_intent_id: str,
        call: Callable[..., StripeObject],
    ) -> tuple[T, ...]:
        """Of a payment intent. Stripe lists the latest first; here the oldest is."""
        found: list[Said] = []
        while True:
            asked = {"payment_intent": payment_intent_id, "limit": _PAGE}
            if found:
                asked["starting_after"] = found[-1]["id"]
            listed = self._ask(partial(call, asked=asked))
            found += listed["data"]
            if not listed["has_more"] or not listed["data"]:
                return tuple(shape(one) for one in reversed(found))

    def _ask(self, call: Callable[[StripeClient], StripeObject]) -> Said:
        """What Stripe answered, as plain values. Raises: DependencyUnavailable, StripeRefused."""
        if self._clock.monotonic() < self._paused_until:
            raise DependencyUnavailable
        try:
            answer = self._asked(call)
        except DependencyUnavailable:
            self._failures += 1
            if self._failures >= FAILURES_BEFORE_PAUSE:
                self._failures = 0
                self._paused_until = self._clock.monotonic() + PAUSE_SECONDS
            raise
        except StripeRefused:
            self._failures = 0
            raise
        self._failures = 0
        return answer

    def _asked(self, call: Callable[[StripeClient], StripeObject]) -> Said:
        for last in (False, True):
            began = self._clock.monotonic()
            try:
                return call(self._client()).to_dict()
            except StripeError as error:
                refusal = _refusal(error)
                if refusal is not None:
                    if last and refusal.status == _FORBIDDEN:  # the first time may have been carried out
                        raise DependencyUnavailable from error
                    raise refusal from error
                # What has no key of ours may be asked twice: to expire, to cancel, a link.
                quick = self._clock.monotonic() - began < AGAIN_WITHIN_SECONDS
                if last or not self._may_ask_again(error, quick=quick):
                    raise DependencyUnavailable from error
            finally:
                self._took(self._clock.monotonic() - began)
        raise AssertionError("unreachable")

    def _may_ask_again(self, error: StripeError, *, quick: bool) -> bool:
        if isinstance(error, AuthenticationError):
            return self._has_another_key()
        if error.http_status == 429:  # asked again at once, Stripe would only be pressed harder
            return False
        advice = error.headers.get("stripe-should-retry") if error.headers else None
        if isinstance(error, APIConnectionError):
            return quick and error.should_retry
        return quick and advice != "false"

    def _client(self) -> StripeClient:
        if self._made is None:
            self._key = self._read_key()
            self._made = StripeClient(
                self._key,
                stripe_version=STRIPE_API_VERSION,
                base_addresses={"api": self._base_url},
                http_client=self._http,
                max_network_retries=0,
            )
        return self._made

    def _has_another_key(self) -> bool:
        """Whether the key was replaced since it was read; the next call goes with it."""
        refused = self._key
        self._made = None
        self._client()
        return self._key != refused


class KeyOfOtherMode(Exception):
    """The API key is of another mode than this environment: whoever set them is told before Stripe is asked."""


def api_key_of(secret_string: str, *, livemode: bool) -> str:
    """The key inside the secret that an operator fills in, of the mode of this environment. Raises: KeyOfOtherMode."""
    key: str = json.loads(secret_string)["api_key"]
    told = _MODE_OF_KEY.match(key)  # what has no such form is no key: Stripe says so
    if told is not None and (told["mode"] == "live") is not livemode:
        raise KeyOfOtherMode(f"a key of Stripe's {told['mode']} mode where StripeMode is not")
    return key


def _refusal(error: StripeError) -> StripeRefused | None:
    """Stripe's no for good; None for what may be otherwise the next time."""
    status = error.http_status
    said = error.error
    # Some classes of the library leave the code out that the answer has.
    code = error.code or getattr(said, "code", None) or getattr(said, "type", None) or "unknown"
    if status is None or not 400 <= status < 500 or status in _BUSY_STATUSES or code in _BUSY_CODES:
        return None
    return StripeRefused(code, status=status)


# Stripe's objects as billing knows them


def _session_asked(wanted: CheckoutWanted) -> dict[str, Any]:
    """Without payment method types: the customer is offered what the account has switched on."""
    # As the company finds its payment in its dashboard, beside its payouts.
    intent: dict[str, Any] = {"metadata": dict(wanted.metadata), "description": wanted.title}
    if wanted.application_fee_minor > 0:
        intent["application_fee_amount"] = wanted.application_fee_minor
    price = {
        "currency": wanted.currency.lower(),
        "unit_amount": wanted.amount_minor,
        "product_data": {"name": wanted.title},
    }
    asked: dict[str, Any] = {
        "mode": "payment",
        "line_items": [{"quantity": 1, "price_data": price}],
        "payment_intent_data": intent,
        "metadata": dict(wanted.metadata),
        "locale": wanted.language,
        "submit_type": "pay",
        "success_url": wanted.success_url,
        "cancel_url": wanted.cancel_url,
        "expires_at": _seconds(wanted.expires_at),
    }
    if "invoice_id" in wanted.metadata:
        asked["client_reference_id"] = wanted.metadata["invoice_id"]
    if wanted.customer_email:
        asked["customer_email"] = wanted.customer_email
    return asked


def _account(said: Said) -> StripeAccount:
    requirements = said.get("requirements") or {}
    capabilities = said.get("capabilities") or {}
    due = {*(requirements.get("currently_due") or ()), *(requirements.get("past_due") or ())}
    return StripeAccount(
        account_id=said["id"],
        charges_enabled=bool(said.get("charges_enabled")),
        payouts_enabled=bool(said.get("payouts_enabled")),
        details_submitted=bool(said.get("details_submitted")),
        requirements_due=tuple(sorted(due)),
        disabled_reason=requirements.get("disabled_reason") or "",
        capabilities=tuple(sorted(name for name, state in capabilities.items() if state == "active")),
        default_currency=(said.get("default_currency") or "eur").upper(),
    )


def _session(said: Said) -> CheckoutSession:
    return CheckoutSession(
        session_id=said["id"],
        status=_state(CheckoutStatus, said["status"]),
        payment_status=_state(CheckoutPaymentStatus, said["payment_status"]),
        amount_minor=said["amount_total"] or 0,
        currency=(said["currency"] or "").upper(),
        expires_at=_instant(said["expires_at"]),
        url=said.get("url"),
        payment_intent_id=_id(said.get("payment_intent")),
        metadata=said.get("metadata") or {},
    )


def _intent(said: Said) -> PaymentIntent:
    charge = said.get("latest_charge")
    return PaymentIntent(
        payment_intent_id=said["id"],
        status=_state(PaymentIntentStatus, said["status"]),
        amount_minor=said["amount"],
        received_minor=said.get("amount_received") or 0,
        currency=said["currency"].upper(),
        created=_instant(said["created"]),
        charge=_charge(charge) if isinstance(charge, Mapping) else None,
        last_error_code=(said.get("last_payment_error") or {}).get("code") or "",
        application_id=_id(said.get("application")) or "",
        metadata=said.get("metadata") or {},
    )


def _charge(said: Said) -> StripeCharge:
    transaction = said.get("balance_transaction")
    settled = transaction if isinstance(transaction, Mapping) else {}
    return StripeCharge(
        charge_id=said["id"],
        amount_minor=said["amount"],
        refunded_minor=said["amount_refunded"],
        method=(said.get("payment_method_details") or {}).get("type") or "",
        paid=bool(said["paid"]) and said["status"] == "succeeded",
        disputed=bool(said["disputed"]),
        created=_instant(said["created"]),
        balance_transaction_id=_id(transaction),
        fee_minor=settled.get("fee"),
        net_minor=settled.get("net"),
        application_fee_minor=said.get("application_fee_amount") or 0,
        failure_code=said.get("failure_code") or "",
    )


def _refund(said: Said) -> StripeRefund:
    return StripeRefund(
        refund_id=said["id"],
        status=_state(StripeRefundStatus, said["status"]),
        amount_minor=said["amount"],
        currency=said["currency"].upper(),
        created=_instant(said["created"]),
        charge_id=_id(said.get("charge")),
        payment_intent_id=_id(said.get("payment_intent")),
        reason=said.get("reason") or "",
        failure_reason=said.get("failure_reason") or "",
        balance_transaction_id=_id(said.get("balance_transaction")),
        metadata=said.get("metadata") or {},
    )


def _dispute(said: Said) -> StripeDispute:
    due = (said.get("evidence_details") or {}).get("due_by")
    return StripeDispute(
        dispute_id=said["id"],
        status=_state(DisputeStatus, said["status"]),
        amount_minor=said["amount"],
        currency=said["currency"].upper(),
        created=_instant(said["created"]),
        charge_id=_id(said["charge"]) or "",
        payment_intent_id=_id(said.get("payment_intent")),
        reason=said.get("reason") or "",
        evidence_due_by=_instant(due) if due else None,
        fee_minor=sum(one["fee"] for one in said.get("balance_transactions") or ()),
    )


def _payout(said: Said) -> StripePayout:
    return StripePayout(
        payout_id=said["id"],
        status=said["status"],
        amount_minor=said["amount"],
        currency=said["currency"].upper(),
        arrival_date=_instant(said["arrival_date"]).date(),
        created=_instant(said["created"]),
        failure_code=said.get("failure_code") or "",
    )


def _balance_transaction(said: Said) -> BalanceTransaction:
    return BalanceTransaction(
        balance_transaction_id=said["id"],
        transaction_type=said["type"],
        amount_minor=said["amount"],
        fee_minor=said["fee"],
        net_minor=said["net"],
        currency=said["currency"].upper(),
        source_id=_id(said.get("source")) or "",
        created=_instant(said["created"]),
    )


def _price(said: Said) -> StripePrice:
    recurring = said.get("recurring") or {}
    interval = recurring.get("interval") or ""
    return StripePrice(
        price_id=said["id"],
        lookup_key=said.get("lookup_key") or "",
        amount_minor=said.get("unit_amount") or 0,
        currency=said["currency"].upper(),
        interval=interval if recurring.get("interval_count", 1) == 1 else "",
    )


def _subscription(said: Said) -> StripeSubscription:
    (item, *_) = said["items"]["data"]
    status, metadata = _state(SubscriptionStatus, said["status"]), said.get("metadata") or {}
    latest = said.get("latest_invoice")
    owed = latest if isinstance(latest, Mapping) and latest.get("status") in {"open", "uncollectible"} else {}
    failures = owed.get("attempt_count") or 0
    ends = said.get("cancel_at") or (item["current_period_end"] if said.get("cancel_at_period_end") else None)
    again = owed.get("next_payment_attempt") if failures else None
    return StripeSubscription(
        subscription_id=said["id"],
        customer_id=_id(said["customer"]) or "",
        status=status,
        created=_instant(said["created"]),
        current_period_end=_instant(item["current_period_end"]),
        lookup_key=item["price"].get("lookup_key") or "",
        plan=metadata.get("plan", ""),
        tenant_id=metadata.get("tenant_id", ""),
        trial_end=_instant(said["trial_end"]) if said.get("trial_end") else None,
        ends_at=_instant(ends) if ends else None,
        ended_at=_instant(said["ended_at"]) if said.get("ended_at") else None,
        failures=failures,
        unpaid_since=_instant(owed["created"]) if failures else None,
        next_attempt_at=_instant(again) if again else None,
    )


def _state(states: type[S], said: Any) -> S:
    """One of those that are known; else the one that says so: what Stripe adds one day stops nothing."""
    return states(said) if said in list(states) else states(UNKNOWN)


def _id(held: Any) -> str | None:
    """Of a reference, expanded or not."""
    reference: str | None = held["id"] if isinstance(held, Mapping) else held
    return reference


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())
