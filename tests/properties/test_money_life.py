"""Payments, credit notes, credit and their corrections in any order: no cent appears, none is lost, the proof holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from billing.domain.credit_notes import CreditInFull
from billing.domain.crediting import Excess
from billing.domain.customer_account import CurrencyStatement
from billing.domain.errors import BillingError
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import InvoiceStatus
from billing.domain.payments import Payment, PaymentExcess
from billing.ports.drafts import LineInput
from billing.usecases.customer_accounts import read_customer_statement
from billing.usecases.customer_merges import merge_customer
from tests import factories
from tests.properties.strategies import examined
from tests.usecases.conftest import Shop
from tests.usecases.test_credit_notes import credit, part, verified
from tests.usecases.test_customer_merges import NAMELESS
from tests.usecases.test_payments import Till

ACTS = ("issue", "pay", "reverse", "refund", "apply", "give_back", "credit", "credit_in_full", "merge")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(ACTS),
        st.integers(1, 20_000),  # an amount in cents
        st.integers(0, 7),  # which invoice or payment
        st.booleans(),  # excess as credit, or refunded
    ),
    max_size=14,
)


@dataclass
class Books:
    """What a person would write down: money in, money out, invoiced, credited."""

    till: Till
    cash_in: int = 0
    cash_out: int = 0
    invoiced: int = 0
    credited: int = 0
    payments: list[Payment] = field(default_factory=list)

    def act(self, name: str, amount: int, which: int, flag: bool) -> None:
        getattr(self, f"_{name}")(amount, which, flag)

    def _issue(self, amount: int, _which: int, _flag: bool) -> None:
        price = Decimal(amount).scaleb(-2)
        line = LineInput(description="Prestation", quantity=Decimal(1), unit_price=price, vat=factories.VAT_20)
        till = self.till
        made = till.shop.issue(till.shop.draft(till.shop.wanted(till.customer_id, line)))
        till.invoices.append(made)
        self.invoiced += made.totals.total_minor

    def _pay(self, amount: int, which: int, flag: bool) -> None:
        excess = PaymentExcess.CUSTOMER_CREDIT if flag else PaymentExcess.REFUSE
        allocated = [None] * (which % (len(self.till.invoices) + 1))
        self.payments.append(self.till.pay(amount, *allocated, excess=excess))
        self.cash_in += amount

    def _reverse(self, _amount: int, which: int, _flag: bool) -> None:
        payment = self._chosen(which)
        if payment is not None:
            self.till.reverse(payment)
            self.cash_in -= payment.amount_minor if payment.method else 0

    def _refund(self, amount: int, which: int, _flag: bool) -> None:
        payment = self._chosen(which)
        if payment is not None:
            self.till.refund(payment, amount)
            self.cash_out += amount

    def _apply(self, _amount: int, which: int, _flag: bool) -> None:
        self.payments.append(self.till.apply(*[None] * (which % (len(self.till.invoices) + 1))))

    def _give_back(self, amount: int, _which: int, _flag: bool) -> None:
        self.till.give_back(amount)
        self.cash_out += amount

    def _credit(self, amount: int, which: int, flag: bool) -> None:
        excess = Excess.REFUND if flag else Excess.CUSTOMER_CREDIT
        self._taken_back(credit(self.till.shop, self._invoice(which), part(amount), excess=excess))

    def _credit_in_full(self, _amount: int, which: int, flag: bool) -> None:
        excess = Excess.REFUND if flag else Excess.CUSTOMER_CREDIT
        self._taken_back(credit(self.till.shop, self._invoice(which), CreditInFull(), excess=excess))

    def _merge(self, amount: int, _which: int, flag: bool) -> None:
        """With another customer that has an invoice and some credit, either way."""
        shop, other = self.till.shop, Till(self.till.shop, invoices=1, **NAMELESS)
        into, duplicate = self.till, other
        if flag:
            into, duplicate = duplicate, into
        pair = {"customer_id": into.customer_id, "duplicate_id": duplicate.customer_id}
        once, merges = shop.once("mergeCustomer"), shop.repositories.customer_merges
        merge_customer(shop.caller, **pair, once=once, merges=merges, clock=shop.clock, ids=shop.ids)
        self.till.invoices += other.invoices
        self.invoiced += other.invoices[0].totals.total_minor
        other.pay(amount, excess=PaymentExcess.CUSTOMER_CREDIT)
        self.cash_in += amount

    def _taken_back(self, note: IssuedInvoice) -> None:
        settlement = note.document.settlement
        assert settlement is not None
        self.credited += note.totals.total_minor
        self.cash_out += settlement.refunded_minor

    def _invoice(self, which: int) -> str:
        return self.till.invoices[which % len(self.till.invoices)].invoice_id

    def _chosen(self, which: int) -> Payment | None:
        return self.payments[which % len(self.payments)] if self.payments else None


def statement(till: Till) -> CurrencyStatement:
    shop = till.shop
    day = shop.clock.today()
    stated = read_customer_statement(
        shop.caller, till.customer_id, day, day, accounts=shop.repositories.accounts, clock=shop.clock
    )
    (euros,) = stated.accounts
    return euros


@examined
@given(STEPS)
def test_whatever_happens_the_books_balance(steps: list[tuple[str, int, int, bool]]) -> None:
    shop = Shop()
    shop.describe()
    till = Till(shop, invoices=2)
    books = Books(till, invoiced=24_000)

    for step in steps:
        try:
            books.act(*step)
        except BillingError:
            continue
        owed, held = sum(till.balances()), till.credit
        assert min(till.balances()) >= 0
        independent = books.invoiced - books.credited - books.cash_in + books.cash_out
        assert owed - held == independent
        stated = statement(till)
        assert stated.credit_minor == held
        assert stated.closing_minor == independent == stated.ageing.total_minor - stated.credit_minor
        for invoice in till.invoices:
            ledger = shop.stored(invoice).ledger
            assert ledger.credited_minor <= invoice.totals.total_minor
            assert (ledger.status is InvoiceStatus.CANCELLED) is (
                ledger.credited_minor == invoice.totals.total_minor and ledger.balance_minor == 0
            )

    assert verified(shop).findings == ()
