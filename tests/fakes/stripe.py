"""Fake of the port StripeGateway: Stripe's objects in memory, and a customer, a bank and a dashboard that act on them.

What was asked under an idempotency key is answered again. ``down`` refuses every call, before or after its effect.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from billing.domain.errors import DependencyUnavailable
from billing.domain.stripe import (
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
    AccountWanted,
    CheckoutWanted,
    RefundWanted,
    StripeRefused,
    SubscriberWanted,
    SubscriptionWanted,
)

T = TypeVar("T")
FEE_BASIS_POINTS, FEE_FIXED_MINOR = 150, 25  # a card of the European Economic Area


@dataclass
class FakeStripe:
    """Port StripeGateway. Objects are kept by (account, id)."""

    clock: Clock
    accounts: dict[str, StripeAccount] = field(default_factory=dict)
    sessions: dict[tuple[str, str], CheckoutSession] = field(default_factory=dict)
    intents: dict[tuple[str, str], PaymentIntent] = field(default_factory=dict)
    refunds: dict[tuple[str, str], StripeRefund] = field(default_factory=dict)
    disputes: dict[tuple[str, str], StripeDispute] = field(default_factory=dict)
    payouts: dict[tuple[str, str], StripePayout] = field(default_factory=dict)
    balance: dict[str, list[BalanceTransaction]] = field(default_factory=dict)
    answered: dict[tuple[str, str], tuple[Any, Any]] = field(default_factory=dict)
    fees: dict[tuple[str, str], int] = field(default_factory=dict)  # the platform's, by session
    prices: dict[str, StripePrice] = field(default_factory=dict)  # by lookup key
    subscribers: dict[str, SubscriberWanted] = field(default_factory=dict)
    subscriptions: dict[str, StripeSubscription] = field(default_factory=dict)
    subscribing: dict[str, SubscriptionWanted] = field(default_factory=dict)  # by session
    refused: dict[str, StripeRefused] = field(default_factory=dict)  # by method, for as long as it stands there
    down: bool = False
    calls: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    # The port

    def create_account(self, wanted: AccountWanted, *, idempotency_key: str) -> StripeAccount:
        with self._asked("create_account"):
            return self._once("", idempotency_key, wanted, self._new_account)

    def read_account(self, account_id: str) -> StripeAccount | None:
        with self._asked("read_account"):
            return self.accounts.get(account_id)

    def create_account_link(self, account_id: str, *, return_url: str, refresh_url: str) -> StripeLink:
        with self._asked("create_account_link"):
            url = f"https://connect.stripe.example/setup/{account_id}?return={return_url}&refresh={refresh_url}"
            return StripeLink(url=url, expires_at=self.clock.now() + timedelta(minutes=5))

    def create_checkout_session(
        self, account_id: str, wanted: CheckoutWanted, *, idempotency_key: str
    ) -> CheckoutSession:
        with self._asked("create_checkout_session"):
            return self._once(account_id, idempotency_key, wanted, lambda: self._new_session(account_id, wanted))

    def read_checkout_session(self, account_id: str, session_id: str) -> CheckoutSession | None:
        with self._asked("read_checkout_session"):
            return self.sessions.get((account_id, session_id))

    def session_of_payment_intent(self, account_id: str, payment_intent_id: str) -> CheckoutSession | None:
        with self._asked("session_of_payment_intent"):
            return next(
                (
                    one
                    for (account, _), one in self.sessions.items()
                    if account == account_id and one.payment_intent_id == payment_intent_id
                ),
                None,
            )

    def expire_checkout_session(self, account_id: str, session_id: str) -> CheckoutSession:
        with self._asked("expire_checkout_session"):
            session = self.sessions.get((account_id, session_id))
            if session is None:
                raise StripeRefused("resource_missing", status=404)
            if session.status is CheckoutStatus.OPEN:
                session = replace(session, status=CheckoutStatus.EXPIRED, url=None)
                self.sessions[account_id, session_id] = session
            return session

    def read_payment_intent(self, account_id: str, payment_intent_id: str) -> PaymentIntent | None:
        with self._asked("read_payment_intent"):
            return self.intents.get((account_id, payment_intent_id))

    def payment_intent_of_charge(self, account_id: str, charge_id: str) -> str | None:
        with self._asked("payment_intent_of_charge"):
            return next(
                (
                    one.payment_intent_id
                    for (account, _), one in self.intents.items()
                    if account == account_id and one.charge is not None and one.charge.charge_id == charge_id
                ),
                None,
            )

    def create_refund(self, account_id: str, wanted: RefundWanted, *, idempotency_key: str) -> StripeRefund:
        with self._asked("create_refund"):
            charge = self.intents[account_id, wanted.payment_intent_id].charge
            if wanted.refund_application_fee and charge is not None and not charge.application_fee_minor:
                raise StripeRefused("invalid_request_error", status=400)
            return self._once(
                account_id,
                idempotency_key,
                wanted,
                lambda: self.refund(
                    account_id, wanted.payment_intent_id, wanted.amount_minor, reason=wanted.reason, of=wanted.metadata
                ),
            )

    def read_refund(self, account_id: str, refund_id: str) -> StripeRefund | None:
        with self._asked("read_refund"):
            return self.refunds.get((account_id, refund_id))

    def list_refunds(self, account_id: str, payment_intent_id: str) -> tuple[StripeRefund, ...]:
        with self._asked("list_refunds"):
            return tuple(
                one
                for (account, _), one in self.refunds.items()
                if account == account_id and one.payment_intent_id == payment_intent_id
            )

    def read_dispute(self, account_id: str, dispute_id: str) -> StripeDispute | None:
        with self._asked("read_dispute"):
            return self.disputes.get((account_id, dispute_id))

    def list_disputes(self, account_id: str, payment_intent_id: str) -> tuple[StripeDispute, ...]:
        with self._asked("list_disputes"):
            return tuple(
                one
                for (account, _), one in self.disputes.items()
                if account == account_id and one.payment_intent_id == payment_intent_id
            )

    def read_payout(self, account_id: str, payout_id: str) -> StripePayout | None:
        with self._asked("read_payout"):
            return self.payouts.get((account_id, payout_id))

    def list_balance_transactions(
        self, account_id: str, *, since: datetime, before: datetime, after: str | None = None
    ) -> Page[BalanceTransaction]:
        with self._asked("list_balance_transactions"):
            found = [one for one in self.balance.get(account_id, []) if since <= one.created < before]
            found.reverse()
            if after is not None:
                found = found[[one.balance_transaction_id for one in found].index(after) + 1 :]
            page = tuple(found[:100])
            return Page(items=page, position=page[-1].balance_transaction_id if len(found) > len(page) else None)

    def balance_transactions_of(self, account_id: str, source_id: str) -> tuple[BalanceTransaction, ...]:
        with self._asked("balance_transactions_of"):
            found = [one for one in self.balance.get(account_id, []) if one.source_id == source_id]
            return tuple(found[:1])  # as Stripe: the movement that it made when it was

    def find_price(self, lookup_key: str) -> StripePrice | None:
        with self._asked("find_price"):
            return self.prices.get(lookup_key)

    def create_subscriber(self, wanted: SubscriberWanted, *, idempotency_key: str) -> str:
        with self._asked("create_subscriber"):
            return self._once("", idempotency_key, wanted, lambda: self._new_subscriber(wanted))

    def create_subscription_page(self, wanted: SubscriptionWanted, *, idempotency_key: str) -> CheckoutSession:
        with self._asked("create_subscription_page"):
            return self._once("", idempotency_key, wanted, lambda: self._new_subscription_page(wanted))

    def read_subscription_page(self, session_id: str) -> CheckoutSession | None:
        with self._asked("read_subscription_page"):
            return self.sessions.get(("", session_id))

    def create_portal_link(self, customer_id: str, *, return_url: str, language: str) -> StripeLink:
        with self._asked("create_portal_link"):
            if customer_id not in self.subscribers:
                raise StripeRefused("resource_missing", status=400)
            return StripeLink(url=f"https://billing.stripe.example/p/{customer_id}?return={return_url}&{language}")

    def list_subscriptions(self, customer_id: str) -> tuple[StripeSubscription, ...]:
        with self._asked("list_subscriptions"):
            found = [one for one in self.subscriptions.values() if one.customer_id == customer_id]
            return tuple(reversed(found))

    # The world: companies that subscribe, their cards, and time

    def sell(self, lookup_key: str, amount_minor: int, currency: str = "EUR") -> StripePrice:
        price = StripePrice(
            price_id=self._id("price"),
            lookup_key=lookup_key,
            amount_minor=amount_minor,
            currency=currency,
            interval="month",
        )
        self.prices[lookup_key] = price
        return price

    def subscribe(self, session_id: str) -> StripeSubscription:
        """The company confirms on the page of a session."""
        with self.lock:
            session, wanted = self.sessions["", session_id], self.subscribing[session_id]
            if session.status is not CheckoutStatus.OPEN:
                raise ValueError("this page is closed")
            now = self.clock.now().replace(microsecond=0)
            end = now + timedelta(days=wanted.trial_days or 30)
            price = next(one for one in self.prices.values() if one.price_id == wanted.price_id)
            made = StripeSubscription(
                subscription_id=self._id("sub"),
                customer_id=wanted.customer_id,
                status=SubscriptionStatus.TRIALING if wanted.trial_days else SubscriptionStatus.ACTIVE,
                created=now,
                current_period_end=end,
                lookup_key=price.lookup_key,
                plan=wanted.metadata.get("plan", ""),
                tenant_id=wanted.metadata.get("tenant_id", ""),
                trial_end=end if wanted.trial_days else None,
            )
            self.subscriptions[made.subscription_id] = made
            paid = CheckoutPaymentStatus.NO_PAYMENT_REQUIRED if wanted.trial_days else CheckoutPaymentStatus.PAID
            self.sessions["", session_id] = replace(
                session, status=CheckoutStatus.COMPLETE, payment_status=paid, url=None
            )
            return made

    def renew(self, subscription_id: str, *, works: bool = True) -> StripeSubscription:
        """The next period begins, or what is owed is tried again; the card works or not."""
        with self.lock:
            held = self.subscriptions[subscription_id]
            owing = held.status is SubscriptionStatus.PAST_DUE
            end = held.current_period_end if owing else held.current_period_end + timedelta(days=30)
            status = SubscriptionStatus.ACTIVE if works else SubscriptionStatus.PAST_DUE
            now = self.clock.now().replace(microsecond=0)
            changed = replace(
                held,
                status=status,
                current_period_end=end,
                failures=0 if works else held.failures + 1,
                unpaid_since=None if works else held.unpaid_since or now,
                next_attempt_at=None if works else now + timedelta(days=3),
            )
            self.subscriptions[subscription_id] = changed
            return changed

    def end(self, subscription_id: str, *, at_period_end: bool = False) -> StripeSubscription:
        with self.lock:
            held = self.subscriptions[subscription_id]
            if at_period_end:
                changed = replace(held, ends_at=held.current_period_end)
            else:
                now = self.clock.now().replace(microsecond=0)
                changed = replace(held, status=SubscriptionStatus.CANCELED, ended_at=now)
            self.subscriptions[subscription_id] = changed
            return changed

    # The world: customers, banks, the dashboard

    def cancel(self, account_id: str, payment_intent_id: str) -> None:
        """Somebody at the company did, in the dashboard."""
        with self.lock:
            intent = self.intents[account_id, payment_intent_id]
            self.intents[account_id, payment_intent_id] = replace(intent, status=PaymentIntentStatus.CANCELED)

    def enable(self, account_id: str) -> None:
        """The company answered all that Stripe wanted to know."""
        with self.lock:
            self.accounts[account_id] = replace(
                self.accounts[account_id],
                charges_enabled=True,
                payouts_enabled=True,
                details_submitted=True,
                requirements_due=(),
                disabled_reason="",
                capabilities=("card_payments", "sepa_debit_payments"),
            )

    def confirm(self, account_id: str, session_id: str, *, method: str = "card") -> PaymentIntent:
        """The customer confirms on the page of a session: a card is charged, a SEPA debit is on its way."""
        with self.lock:
            session = self.sessions[account_id, session_id]
            if session.status is not CheckoutStatus.OPEN:
                raise ValueError("this page is closed")
            settles = method == "sepa_debit"
            intent = PaymentIntent(
                payment_intent_id=session.payment_intent_id or self._id("pi"),
                status=PaymentIntentStatus.PROCESSING if settles else PaymentIntentStatus.SUCCEEDED,
                amount_minor=session.amount_minor,
                received_minor=0 if settles else session.amount_minor,
                currency=session.currency,
                created=self.clock.now(),
                charge=self._charge(session, method, settled=not settles),
                application_id="ca_local",
                metadata=session.metadata,
            )
            self.intents[account_id, intent.payment_intent_id] = intent
            self.sessions[account_id, session_id] = replace(
                session,
                status=CheckoutStatus.COMPLETE,
                payment_status=CheckoutPaymentStatus.UNPAID if settles else CheckoutPaymentStatus.PAID,
                payment_intent_id=intent.payment_intent_id,
                url=None,
            )
            if not settles:
                self._book(account_id, "charge", intent.amount_minor, intent)
            return intent

    def decline(self, account_id: str, session_id: str, *, code: str = "card_declined") -> PaymentIntent:
        """A card is refused; the page stays open for another one."""
        with self.lock:
            session = self.sessions[account_id, session_id]
            intent = PaymentIntent(
                payment_intent_id=session.payment_intent_id or self._id("pi"),
                status=PaymentIntentStatus.REQUIRES_PAYMENT_METHOD,
                amount_minor=session.amount_minor,
                received_minor=0,
                currency=session.currency,
                created=self.clock.now(),
                last_error_code=code,
                application_id="ca_local",
                metadata=session.metadata,
            )
            self.intents[account_id, intent.payment_intent_id] = intent
            self.sessions[account_id, session_id] = replace(session, payment_intent_id=intent.payment_intent_id)
            return intent

    def settle(self, account_id: str, payment_intent_id: str, *, success: bool = True) -> PaymentIntent:
        """The bank answers for a debit on its way."""
        with self.lock:
            intent = self.intents[account_id, payment_intent_id]
            session = next(
                one
                for (account, _), one in self.sessions.items()
                if account == account_id and one.payment_intent_id == payment_intent_id
            )
            if success:
                intent = replace(
                    intent,
                    status=PaymentIntentStatus.SUCCEEDED,
                    received_minor=intent.amount_minor,
                    charge=self._charge(session, "sepa_debit", settled=True),
                )
                paid = replace(session, payment_status=CheckoutPaymentStatus.PAID)
                self.sessions[account_id, session.session_id] = paid
                self._book(account_id, "payment", intent.amount_minor, intent)
            else:
                intent = replace(
                    intent,
                    status=PaymentIntentStatus.REQUIRES_PAYMENT_METHOD,
                    charge=self._charge(session, "sepa_debit", settled=False),
                    last_error_code="debit_not_authorized",
                )
            self.intents[account_id, payment_intent_id] = intent
            return intent

    def refund(
        self,
        account_id: str,
        payment_intent_id: str,
        amount_minor: int,
        *,
        reason: str = "",
        status: StripeRefundStatus = StripeRefundStatus.SUCCEEDED,
        of: Any = None,
    ) -> StripeRefund:
        """Money goes back, whoever asked."""
        with self.lock:
            intent = self.intents[account_id, payment_intent_id]
            charge = intent.charge
            if charge is None or not charge.paid:
                raise StripeRefused("charge_not_paid", status=400)
            if charge.refunded_minor + amount_minor > charge.amount_minor:
                code = "charge_already_refunded" if charge.refunded_minor == charge.amount_minor else "amount_too_large"
                raise StripeRefused(code, status=400)
            refund = StripeRefund(
                refund_id=self._id("re"),
                status=status,
                amount_minor=amount_minor,
                currency=intent.currency,
                created=self.clock.now(),
                charge_id=charge.charge_id,
                payment_intent_id=payment_intent_id,
                reason=reason,
                metadata=of or {},
            )
            self.refunds[account_id, refund.refund_id] = refund
            self._refunded(account_id, intent, amount_minor)
            self._book(account_id, "refund", -amount_minor, intent, source=refund.refund_id)
            return refund

    def fail_refund(self, account_id: str, refund_id: str) -> StripeRefund:
        """The bank sends the money back, days later."""
        with self.lock:
            refund = replace(
                self.refunds[account_id, refund_id],
                status=StripeRefundStatus.FAILED,
                failure_reason="lost_or_stolen_card",
            )
            self.refunds[account_id, refund_id] = refund
            intent = self.intents[account_id, refund.payment_intent_id or ""]
            self._refunded(account_id, intent, -refund.amount_minor)
            self._book(account_id, "refund_failure", refund.amount_minor, intent, source=refund_id)
            return refund

    def dispute(self, account_id: str, payment_intent_id: str, amount_minor: int | None = None) -> StripeDispute:
        """The customer contests at the bank; the money is taken until it is decided."""
        with self.lock:
            intent = self.intents[account_id, payment_intent_id]
            charge = intent.charge
            if charge is None:
                raise ValueError("nothing to contest")
            dispute = StripeDispute(
                dispute_id=self._id("du"),
                status=DisputeStatus.NEEDS_RESPONSE,
                amount_minor=amount_minor or intent.amount_minor,
                currency=intent.currency,
                created=self.clock.now(),
                charge_id=charge.charge_id,
                payment_intent_id=payment_intent_id,
                reason="fraudulent",
                evidence_due_by=self.clock.now() + timedelta(days=9),
                fee_minor=2000,
            )
            self.disputes[account_id, dispute.dispute_id] = dispute
            self.intents[account_id, payment_intent_id] = replace(intent, charge=replace(charge, disputed=True))
            self._book(account_id, "adjustment", -dispute.amount_minor, intent, source=dispute.dispute_id, fee=2000)
            return dispute

    def decide(self, account_id: str, dispute_id: str, *, won: bool) -> StripeDispute:
        with self.lock:
            decided = replace(
                self.disputes[account_id, dispute_id], status=DisputeStatus.WON if won else DisputeStatus.LOST
            )
            self.disputes[account_id, dispute_id] = decided
            if won:
                intent = self.intents[account_id, decided.payment_intent_id or ""]
                self._book(account_id, "adjustment", decided.amount_minor, intent, source=dispute_id, fee=-2000)
            return decided

    # Inside

    @contextmanager
    def _asked(self, method: str) -> Iterator[None]:
        with self.lock:
            self.calls.append(method)
            if self.down:
                raise DependencyUnavailable
            if method in self.refused:
                raise self.refused[method]
            yield

    def _once(self, account_id: str, key: str, wanted: object, make: Callable[[], T]) -> T:
        """As Stripe: the same key and question have the same answer; another question under it is refused."""
        known = self.answered.get((account_id, key))
        if known is not None:
            if known[0] != wanted:
                raise StripeRefused("idempotency_error", status=400)
            return cast("T", known[1])
        made = make()
        self.answered[account_id, key] = (wanted, made)
        return made

    def _new_account(self) -> StripeAccount:
        made = StripeAccount(
            account_id=self._id("acct"),
            charges_enabled=False,
            payouts_enabled=False,
            details_submitted=False,
            requirements_due=("business_profile.url", "external_account"),
            disabled_reason="requirements.past_due",
        )
        self.accounts[made.account_id] = made
        return made

    def _new_session(self, account_id: str, wanted: CheckoutWanted) -> CheckoutSession:
        account = self.accounts.get(account_id)
        if account is None or not account.charges_enabled:
            raise StripeRefused("account_invalid", status=403)
        if not timedelta(minutes=30) <= wanted.expires_at - self.clock.now() <= timedelta(hours=24):
            raise StripeRefused("parameter_invalid_integer", status=400)
        session_id = self._id("cs_test")
        session = CheckoutSession(
            session_id=session_id,
            status=CheckoutStatus.OPEN,
            payment_status=CheckoutPaymentStatus.UNPAID,
            amount_minor=wanted.amount_minor,
            currency=wanted.currency,
            expires_at=wanted.expires_at,
            url=f"https://checkout.stripe.example/c/pay/{session_id}",
            metadata=dict(wanted.metadata),
        )
        self.sessions[account_id, session_id] = session
        self.fees[account_id, session_id] = wanted.application_fee_minor
        return session

    def _new_subscriber(self, wanted: SubscriberWanted) -> str:
        customer_id = self._id("cus")
        self.subscribers[customer_id] = wanted
        return customer_id

    def _new_subscription_page(self, wanted: SubscriptionWanted) -> CheckoutSession:
        price = next((one for one in self.prices.values() if one.price_id == wanted.price_id), None)
        if price is None or wanted.customer_id not in self.subscribers:
            raise StripeRefused("resource_missing", status=400)
        session_id = self._id("cs_test")
        session = CheckoutSession(
            session_id=session_id,
            status=CheckoutStatus.OPEN,
            payment_status=CheckoutPaymentStatus.UNPAID,
            amount_minor=0 if wanted.trial_days else price.amount_minor,
            currency=price.currency,
            expires_at=wanted.expires_at,
            url=f"https://checkout.stripe.example/c/pay/{session_id}",
            metadata=dict(wanted.metadata),
        )
        self.sessions["", session_id] = session
        self.subscribing[session_id] = wanted
        return session

    def _charge(self, session: CheckoutSession, method: str, *, settled: bool) -> StripeCharge:
        fee = session.amount_minor * FEE_BASIS_POINTS // 10_000 + FEE_FIXED_MINOR
        platform = next((fee for (_, one), fee in self.fees.items() if one == session.session_id), 0)
        return StripeCharge(
            charge_id=self._id("ch" if method == "card" else "py"),
            amount_minor=session.amount_minor,
            refunded_minor=0,
            method=method,
            paid=settled,
            disputed=False,
            created=self.clock.now(),
            balance_transaction_id=self._id("txn") if settled else None,
            fee_minor=fee + platform if settled else None,
            net_minor=session.amount_minor - fee - platform if settled else None,
            application_fee_minor=platform,
        )

    def _refunded(self, account_id: str, intent: PaymentIntent, amount_minor: int) -> None:
        charge = intent.charge
        if charge is not None:
            charge = replace(charge, refunded_minor=charge.refunded_minor + amount_minor)
            self.intents[account_id, intent.payment_intent_id] = replace(intent, charge=charge)

    def _book(
        self,
        account_id: str,
        kind: str,
        amount_minor: int,
        intent: PaymentIntent,
        *,
        source: str | None = None,
        fee: int | None = None,
    ) -> None:
        charge = intent.charge
        charged = charge.fee_minor or 0 if charge and source is None else 0
        taken = charged if fee is None else fee
        self.balance.setdefault(account_id, []).append(
            BalanceTransaction(
                balance_transaction_id=self._id("txn"),
                transaction_type=kind,
                amount_minor=amount_minor,
                fee_minor=taken,
                net_minor=amount_minor - taken,
                currency=intent.currency,
                source_id=source or (charge.charge_id if charge else ""),
                created=self.clock.now(),
            )
        )

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{next(self._ids):014d}"
