"""The whole life of documents, in any order, by several people: held against a simple reference after each step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from billing.domain.access import Role
from billing.domain.errors import (
    BillingError,
    InvoiceAlreadyIssued,
    InvoiceNotIssued,
    NotFound,
    PaymentExceedsBalance,
    StaleVersion,
)
from billing.domain.invoice import DraftInvoice, IssuedInvoice
from billing.domain.ledger import InvoiceStatus
from billing.domain.vat import VatTreatment
from billing.ports.drafts import DraftInput, LineInput
from billing.ports.idempotency import AlreadyAnswered
from billing.usecases import invoices
from tests import factories
from tests.properties.strategies import examined
from tests.usecases.conftest import Shop

RATES = ("20", "10", "5.5", "2.1")
PRICED = st.tuples(st.integers(1, 5), st.integers(1, 99_999), st.sampled_from(RATES))
LINES = st.lists(PRICED, min_size=1, max_size=3)


@dataclass
class Reference:
    """One issued invoice as a person with a pocket calculator keeps it; cents."""

    number: str
    issued_on: date
    total_minor: int
    document_hash: str
    paid_minor: int = 0

    @property
    def status(self) -> InvoiceStatus:
        if self.paid_minor >= self.total_minor:
            return InvoiceStatus.PAID
        return InvoiceStatus.PARTIALLY_PAID if self.paid_minor else InvoiceStatus.ISSUED


def total_of(lines: list[tuple[int, int, str]]) -> int:
    """Net and VAT per rate, each rounded half up: every amount here is positive."""
    nets: dict[str, int] = {}
    for quantity, cents, rate in lines:
        nets[rate] = nets.get(rate, 0) + quantity * cents
    vat = sum(
        int((Decimal(net) * Decimal(rate) / 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))
        for rate, net in nets.items()
    )
    return sum(nets.values()) + vat


def taxed(rate: str) -> VatTreatment:
    return factories.taxed(rate)


class DocumentLife(RuleBasedStateMachine):
    """Drafts come and go, invoices are issued and paid, days pass; the proof of the product holds all along."""

    drafts: Bundle[str] = Bundle("drafts")
    issued: Bundle[str] = Bundle("issued")

    def __init__(self) -> None:
        super().__init__()
        self.shop = Shop()
        self.shop.describe()
        self.customer_id = self.shop.customer().customer_id
        self.writers = [self.shop.caller, self.shop.person(Role.ADMIN), self.shop.person(Role.MEMBER)]
        self.stranger = Shop(
            repositories=self.shop.repositories, caller=factories.caller("ten_other", user_id="user-other")
        ).caller
        self.held = self.shop.repositories
        self.written: dict[str, list[tuple[int, int, str]]] = {}
        self.references: dict[str, Reference] = {}

    # What people do

    @rule(target=drafts, lines=LINES, by=st.integers(0, 2))
    def write_a_draft(self, lines: list[tuple[int, int, str]], by: int) -> str:
        draft = invoices.create_invoice(
            self.writers[by],
            self._wanted(lines),
            once=self.shop.once("createInvoice"),
            invoices=self.held.invoices,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )
        self.written[draft.invoice_id] = lines
        return draft.invoice_id

    @rule(invoice_id=drafts, lines=LINES, by=st.integers(0, 2), behind=st.integers(0, 1))
    def edit_a_draft(self, invoice_id: str, lines: list[tuple[int, int, str]], by: int, behind: int) -> None:
        current = self._read(invoice_id)

        def edit() -> DraftInvoice:
            return invoices.edit_invoice(
                self.writers[by],
                invoice_id,
                self._wanted(lines),
                expected_version=(current.version if current else 1) - behind,
                invoices=self.held.invoices,
                clock=self.shop.clock,
                ids=self.shop.ids,
            )

        if current is None:
            refused(NotFound, edit)
        elif isinstance(current, IssuedInvoice):
            refused(InvoiceAlreadyIssued, edit)
        elif behind:
            refused(StaleVersion, edit)
        else:
            assert edit().totals.total_minor == total_of(lines)
            self.written[invoice_id] = lines

    @rule(invoice_id=consumes(drafts), by=st.integers(0, 2))
    def delete_a_draft(self, invoice_id: str, by: int) -> None:
        current = self._read(invoice_id)

        def delete() -> None:
            invoices.delete_invoice(
                self.writers[by],
                invoice_id,
                expected_version=current.version if current else 1,
                invoices=self.held.invoices,
                quotes=self.held.quotes,
                clock=self.shop.clock,
                ids=self.shop.ids,
            )

        if current is None:
            refused(NotFound, delete)
        elif isinstance(current, IssuedInvoice):
            refused(InvoiceAlreadyIssued, delete)
        else:
            delete()
            del self.written[invoice_id]

    @rule(target=issued, invoice_id=drafts, by=st.integers(0, 2), back=st.integers(0, 3), send=st.booleans())
    def issue(self, invoice_id: str, by: int, back: int, send: bool) -> str:
        current = self._read(invoice_id)
        day = self.shop.clock.today() - timedelta(days=back)
        last = max((reference.issued_on for reference in self.references.values()), default=date.min)

        def act() -> IssuedInvoice:
            return self.shop.issue(
                current if isinstance(current, DraftInvoice) else self._any_version(invoice_id),
                caller=self.writers[by],
                issue_date=day if back else None,
                send=send,
            )

        if current is None:
            refused(NotFound, act)
        elif isinstance(current, IssuedInvoice):
            refused(InvoiceAlreadyIssued, act)
        elif back and day < last:
            refused(BillingError, act)
        else:
            document = act()
            lines = self.written.pop(invoice_id)
            on = day if back else max(self.shop.clock.today(), last)
            assert (document.totals.total_minor, document.document.issue_date) == (total_of(lines), on)
            assert document.document.number == self._next_number(on)
            self.references[invoice_id] = Reference(
                number=document.document.number,
                issued_on=on,
                total_minor=total_of(lines),
                document_hash=document.document_hash,
            )
        return invoice_id

    @rule(invoice_id=issued | drafts, amount=st.integers(1, 150_000), twice=st.booleans())
    def pay(self, invoice_id: str, amount: int, twice: bool) -> None:
        once = self.shop.once("recordInvoicePayment")

        def act() -> IssuedInvoice:
            return self.shop.pay(invoice_id, amount, once=once)

        reference = self.references.get(invoice_id)
        if reference is None:
            refused(InvoiceNotIssued if self._read(invoice_id) else NotFound, act)
        elif amount > reference.total_minor - reference.paid_minor:
            refused(PaymentExceedsBalance, act)
        else:
            act()
            reference.paid_minor += amount
            if twice:
                with pytest.raises(AlreadyAnswered):
                    act()

    @rule(invoice_id=issued)
    def pay_the_rest(self, invoice_id: str) -> None:
        reference = self.references.get(invoice_id)
        if reference and reference.paid_minor < reference.total_minor:
            self.pay(invoice_id, reference.total_minor - reference.paid_minor, twice=False)

    @rule(invoice_id=issued | drafts)
    def a_stranger_sees_nothing(self, invoice_id: str) -> None:
        refused(NotFound, lambda: invoices.read_invoice(self.stranger, invoice_id, invoices=self.held.invoices))

    @rule(days=st.integers(1, 200))
    def days_pass(self, days: int) -> None:
        self.shop.clock.advance(timedelta(days=days))

    # What always holds

    @invariant()
    def the_proof_passes(self) -> None:
        job = self.shop.proof()
        assert job.findings == ()
        assert job.documents_checked == len(self.references)

    @invariant()
    def every_invoice_is_as_the_reference_keeps_it(self) -> None:
        for invoice_id, reference in self.references.items():
            stored = self._read(invoice_id)
            assert isinstance(stored, IssuedInvoice)
            assert stored.document_hash == reference.document_hash
            assert stored.document.number == reference.number
            assert stored.ledger.status is reference.status
            assert stored.ledger.balance_minor == reference.total_minor - reference.paid_minor

    @invariant()
    def drafts_are_what_was_last_written(self) -> None:
        for invoice_id, lines in self.written.items():
            draft = self._read(invoice_id)
            assert isinstance(draft, DraftInvoice)
            assert draft.totals.total_minor == total_of(lines)

    def _wanted(self, lines: list[tuple[int, int, str]]) -> DraftInput:
        given = (
            LineInput(
                description="Prestation",
                quantity=Decimal(quantity),
                unit_price=Decimal(cents) / 100,
                vat=taxed(rate),
            )
            for quantity, cents, rate in lines
        )
        return DraftInput(customer_id=self.customer_id, lines=tuple(given))

    def _read(self, invoice_id: str) -> DraftInvoice | IssuedInvoice | None:
        try:
            return invoices.read_invoice(self.shop.caller, invoice_id, invoices=self.held.invoices)
        except NotFound:
            return None

    def _any_version(self, invoice_id: str) -> DraftInvoice:
        return factories.draft(self.shop.caller.tenant_id, invoice_id)

    def _next_number(self, on: date) -> str:
        rank = 1 + sum(reference.issued_on.year == on.year for reference in self.references.values())
        return f"F{on.year}-{rank:05d}"


def refused(error: type[Exception], act: object) -> None:
    assert callable(act)
    with pytest.raises(error):
        act()


TestDocumentLife = DocumentLife.TestCase
TestDocumentLife.settings = settings(examined, stateful_step_count=25, deadline=None)
