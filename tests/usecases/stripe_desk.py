"""A company that is paid online, its customers, and Stripe telling of it: short ways to act, and to look."""

from __future__ import annotations

import itertools
from collections import Counter as Tally
from dataclasses import replace
from typing import Any

from billing.domain.checkout import AttemptState
from billing.domain.customer_account import CurrencyStatement
from billing.domain.invoice import IssuedInvoice
from billing.domain.payments import Payment
from billing.domain.stripe import STRIPE_API_VERSION, PaymentIntent, StripeEvent
from billing.domain.stripe_inbox import InboxEntry
from billing.domain.stripe_payment import StripePayment
from billing.ports.drafts import DraftInput
from billing.usecases.checkouts import open_checkout
from billing.usecases.customer_accounts import read_customer_statement
from billing.usecases.stripe_events import Processed, StripeDesk, process_stripe_event
from tests.usecases.conftest import Shop
from tests.usecases.test_checkouts import Counter
from tests.usecases.test_credit_notes import verified


class Till(Counter):
    """An invoice of 120 euros that is paid online, and what Stripe tells of it."""

    def __init__(self, shop: Shop, *, partly: bool = True) -> None:
        super().__init__(shop, partly=partly)
        self._counted: Tally[str] = Tally()
        self._events = itertools.count(1)

    def desk(self, **changes: Any) -> StripeDesk:
        desk = StripeDesk(
            inbox=self.held.stripe_inbox,
            stripe=self.stripe,
            connections=self.held.stripe_connections,
            checkouts=self.held.checkouts,
            stripe_payments=self.held.stripe_payments,
            payments=self.held.payments,
            subscriptions=self.held.subscriptions,
            invoices=self.held.invoices,
            companies=self.held.companies,
            count=self.count,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )
        return replace(desk, **changes)

    def count(self, name: str) -> None:
        self._counted[name] += 1

    @property
    def counted(self) -> Tally[str]:
        """By itself, and from what was written."""
        return self._counted + self.held.store.counted

    def issue(self, wanted: DraftInput | None = None) -> IssuedInvoice:
        self.invoice = self.shop.issue(self.shop.draft(wanted) if wanted else None)
        return self.invoice

    def session_id(self, amount_minor: int | None = None, *, invoice: IssuedInvoice | None = None) -> str:
        of = invoice or self.invoice
        page = open_checkout(of.tenant_id, of.invoice_id, amount_minor, **self.ports())
        return self.session_of(page).session_id

    def confirm(
        self, amount_minor: int | None = None, *, method: str = "card", invoice: IssuedInvoice | None = None
    ) -> PaymentIntent:
        return self.stripe.confirm(self.account_id, self.session_id(amount_minor, invoice=invoice), method=method)

    def told(self, event_type: str, object_id: str, *, parent_id: str = "", account_id: str | None = None) -> str:
        """The event is in the inbox; its id."""
        kinds = {
            "pi": "payment_intent",
            "cs": "checkout.session",
            "ch": "charge",
            "py": "charge",
            "re": "refund",
            "du": "dispute",
            "po": "payout",
            "ac": "account",
        }
        event = StripeEvent(
            event_id=f"evt_{next(self._events):06d}",
            event_type=event_type,
            account_id=self.account_id if account_id is None else account_id,
            object_id=object_id,
            object_type=kinds[object_id[:2]],
            created=self.shop.clock.now(),
            api_version=STRIPE_API_VERSION,
            livemode=False,
            parent_id=parent_id,
        )
        self.held.stripe_inbox.receive(InboxEntry.received(event, self.shop.clock.now()))
        return event.event_id

    def process(self, event_id: str, **changes: Any) -> Processed:
        return process_stripe_event(event_id, desk=self.desk(**changes))

    def tell(self, event_type: str, object_id: str, **named: str) -> Processed:
        return self.process(self.told(event_type, object_id, **named))

    def paid(self, amount_minor: int | None = None, *, method: str = "card") -> PaymentIntent:
        """The customer paid, and we know."""
        intent = self.confirm(amount_minor, method=method)
        if method == "sepa_debit":
            intent = self.stripe.settle(self.account_id, intent.payment_intent_id)
        self.tell("payment_intent.succeeded", intent.payment_intent_id)
        return intent

    def stored(self, invoice: IssuedInvoice | None = None) -> IssuedInvoice:
        return self.shop.stored(invoice or self.invoice)

    @property
    def payments(self) -> list[Payment]:
        return [one for (tenant, _), one in self.held.store.payments.items() if tenant == self.shop.caller.tenant_id]

    def record(self, intent: PaymentIntent) -> StripePayment:
        return self.held.store.stripe_payments[self.shop.caller.tenant_id, intent.payment_intent_id]

    def payment(self, intent: PaymentIntent) -> Payment:
        return self.held.payments.read(self.shop.caller, self.record(intent).payment_id)

    def credit(self) -> int:
        customer_id = self.invoice.document.customer_id
        return self.held.payments.load(self.shop.caller, customer_id, ()).credit.balance_minor

    def attempt_state(self) -> AttemptState:
        return self.current.state

    def statement(self) -> CurrencyStatement:
        statement = read_customer_statement(
            self.shop.caller,
            self.invoice.document.customer_id,
            None,
            None,
            accounts=self.held.accounts,
            clock=self.shop.clock,
        )
        return statement.accounts[0]

    def adds_up(self) -> None:
        """The account of the customer, its invoices and its credit say the same, and the proof holds."""
        customer_id = self.invoice.document.customer_id
        owed = sum(
            one.ledger.balance_minor
            for (tenant, _), one in self.held.store.invoices.items()
            if isinstance(one, IssuedInvoice)
            and tenant == self.shop.caller.tenant_id
            and one.document.customer_id == customer_id
            and not one.document.document_type.is_credit_note
        )
        assert self.statement().closing_minor == owed - self.credit()
        assert verified(self.shop).findings == ()
