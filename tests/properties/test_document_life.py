"""The whole life of documents, in any order, by several people: held against a simple reference after each step."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from billing.domain.access import Caller, Role
from billing.domain.credit_notes import CreditByVat, CreditInFull, CreditNoteInput, CreditScope, VatCredit
from billing.domain.crediting import Excess
from billing.domain.errors import (
    BillingError,
    CreditExceedsRemaining,
    FieldErrors,
    InvoiceAlreadyIssued,
    InvoiceNotIssued,
    NotFound,
    PaymentExceedsBalance,
    QuoteAlreadyInvoiced,
    StaleVersion,
)
from billing.domain.invoice import DraftInvoice, IssuedInvoice
from billing.domain.ledger import InvoiceStatus
from billing.domain.quote import QuoteAnswer
from billing.domain.quote_billing import Share
from billing.domain.reminders import DEFAULT_STEPS
from billing.domain.vat import VatTreatment
from billing.ports.drafts import DraftInput, LineInput
from billing.ports.idempotency import AlreadyAnswered
from billing.ports.paging import PageRequest
from billing.usecases import credit_notes, events, invoices, quotes, reminders, search
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
    nets: dict[str, int]
    document_hash: str
    kept_minor: int = 0  # paid, and not given back
    credited: dict[str, int] = field(default_factory=dict)

    @property
    def total_minor(self) -> int:
        return with_vat(self.nets)

    @property
    def balance_minor(self) -> int:
        return self.total_minor - self.kept_minor - with_vat(self.credited)

    @property
    def status(self) -> InvoiceStatus:
        if self.balance_minor <= 0:
            return InvoiceStatus.CANCELLED if self.credited == self.nets else InvoiceStatus.PAID
        return InvoiceStatus.PARTIALLY_PAID if self.kept_minor or self.credited else InvoiceStatus.ISSUED

    def credit(self, nets: dict[str, int]) -> tuple[int, int]:
        """Take back some nets; what the credit note comes to, and what of it the customer keeps as credit."""
        owed, before = self.balance_minor, with_vat(self.credited)
        self.credited = {rate: self.credited.get(rate, 0) + nets.get(rate, 0) for rate in self.nets}
        self.credited = {rate: net for rate, net in self.credited.items() if net}
        total = with_vat(self.credited) - before
        released = max(total - owed, 0)
        self.kept_minor -= released
        return total, released


def with_vat(nets: dict[str, int]) -> int:
    """Net and VAT per rate, each rounded half up: every amount here is positive."""
    vat = sum(
        int((Decimal(net) * Decimal(rate) / 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))
        for rate, net in nets.items()
    )
    return sum(nets.values()) + vat


def nets_of(lines: list[tuple[int, int, str]]) -> dict[str, int]:
    nets: dict[str, int] = {}
    for quantity, cents, rate in lines:
        nets[rate] = nets.get(rate, 0) + quantity * cents
    return nets


def total_of(lines: list[tuple[int, int, str]]) -> int:
    return with_vat(nets_of(lines))


def taxed(rate: str) -> VatTreatment:
    return factories.taxed(rate)


class DocumentLife(RuleBasedStateMachine):
    """Drafts come and go, quotes become invoices, invoices are issued, paid, credited and reminded of, days pass.

    The proof of the product holds all along; what was issued is found, and every event has its place in the feed.
    """

    drafts: Bundle[str] = Bundle("drafts")
    issued: Bundle[str] = Bundle("issued")

    def __init__(self) -> None:
        super().__init__()
        self.shop = Shop()
        self.shop.describe()
        self.shop.subscribe()
        self.customer_id = self.shop.customer().customer_id
        self.writers = [self.shop.caller, self.shop.person(Role.ADMIN), self.shop.person(Role.MEMBER)]
        self.stranger = Shop(
            repositories=self.shop.repositories, caller=factories.caller("ten_other", user_id="user-other")
        ).caller
        self.held = self.shop.repositories
        self.written: dict[str, list[tuple[int, int, str]]] = {}
        self.references: dict[str, Reference] = {}
        self.notes: list[date] = []
        self.customer_credit_minor = 0
        self.reminded: set[str] = set()
        self.ports: dict[str, Any] = {"clock": self.shop.clock, "ids": self.shop.ids}
        steps = tuple(replace(step, automatic=True) for step in DEFAULT_STEPS)
        reminders.edit_reminder_plan(
            self.shop.caller, active=True, steps=steps, expected_version=0, reminders=self.held.reminders, **self.ports
        )

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
            expected = self._next_number(day if back else max(self.shop.clock.today(), last))
            document = act()
            lines = self.written.pop(invoice_id)
            on = day if back else max(self.shop.clock.today(), last)
            assert (document.totals.total_minor, document.document.issue_date) == (total_of(lines), on)
            assert document.document.number == expected
            self._keep(document, nets_of(lines))
        return invoice_id

    def _keep(self, document: IssuedInvoice, nets: dict[str, int]) -> None:
        self.shop.render(document)
        if document.delivery.is_mailing:
            self.shop.mail(document)
        self.shop.record(document)
        self.references[document.invoice_id] = Reference(
            number=document.document.number,
            issued_on=document.document.issue_date,
            nets={rate: net for rate, net in nets.items() if net},
            document_hash=document.document_hash,
        )

    @rule(lines=LINES, deposits=st.lists(st.integers(5, 45), max_size=2), by=st.integers(0, 2))
    def a_quote_is_accepted_and_billed(self, lines: list[tuple[int, int, str]], deposits: list[int], by: int) -> None:
        """Deposits and the final invoice make the quote, to the cent and at each rate."""
        quote_id = self._accepted_quote(self.writers[by], lines)
        ports: dict[str, Any] = {"quotes": self.held.quotes, "invoices": self.held.invoices, **self.ports}
        billed: dict[str, int] = {}
        for percent in deposits:
            try:
                draft = quotes.bill_quote_deposit(
                    self.shop.caller, quote_id, Share(percent=Decimal(percent)), once=self.shop.once(), **ports
                )
            except (FieldErrors, QuoteAlreadyInvoiced):  # a share of a few cents is nothing, or all that was left
                continue
            self._bill(draft, billed)

        def convert() -> DraftInvoice:
            return quotes.convert_quote(self.shop.caller, quote_id, once=self.shop.once(), **ports)

        if billed == nets_of(lines):
            refused(QuoteAlreadyInvoiced, convert)
        else:
            self._bill(convert(), billed)
        assert billed == nets_of(lines)

    def _accepted_quote(self, by: Caller, lines: list[tuple[int, int, str]]) -> str:
        ports: dict[str, Any] = {"quotes": self.held.quotes, **self.ports}
        wanted = quotes.QuoteInput(draft=self._wanted(lines))
        quote_id = quotes.create_quote(by, wanted, once=self.shop.once(), invoices=self.held.invoices, **ports).quote_id
        quotes.send_quote(
            by,
            quote_id,
            expected_version=1,
            mail=False,
            recipient=None,
            correlation_id="corr",
            once=self.shop.once(),
            customers=self.held.customers,
            **ports,
        )
        answer = quotes.AnswerInput(answer=QuoteAnswer.ACCEPTED, name="Direction")
        quotes.record_quote_answer(by, quote_id, answer, once=self.shop.once(), **ports)
        return quote_id

    def _bill(self, draft: DraftInvoice, billed: dict[str, int]) -> None:
        issued = self.shop.issue(draft)
        nets = {str(group.vat.rate): group.taxable_minor for group in issued.totals.vat_breakdown}
        assert issued.totals.total_minor == with_vat(nets)
        self._keep(issued, nets)
        for rate, net in nets.items():
            billed[rate] = billed.get(rate, 0) + net

    @rule(invoice_id=issued, by=st.integers(0, 2))
    def credit_what_remains(self, invoice_id: str, by: int) -> None:
        reference = self.references.get(invoice_id)
        if reference is None:
            return
        left = {rate: net - reference.credited.get(rate, 0) for rate, net in reference.nets.items()}
        if any(left.values()):
            self._credited(reference, self._credit(invoice_id, CreditInFull(), by), left)
        else:
            refused(CreditExceedsRemaining, lambda: self._credit(invoice_id, CreditInFull(), by))

    @rule(invoice_id=issued, net=st.integers(1, 60_000), by=st.integers(0, 2))
    def credit_a_part(self, invoice_id: str, net: int, by: int) -> None:
        reference = self.references.get(invoice_id)
        if reference is None:
            return
        rate = next(iter(reference.nets))
        scope = CreditByVat(amounts=(VatCredit(vat=taxed(rate), net_minor=net),))
        if net > reference.nets[rate] - reference.credited.get(rate, 0):
            refused(CreditExceedsRemaining, lambda: self._credit(invoice_id, scope, by))
        else:
            self._credited(reference, self._credit(invoice_id, scope, by), {rate: net})

    def _credit(self, invoice_id: str, scope: CreditScope, by: int) -> IssuedInvoice:
        return credit_notes.issue_credit_note(
            self.writers[by],
            invoice_id,
            CreditNoteInput(scope=scope, reason="Retour", excess=Excess.CUSTOMER_CREDIT),
            send=False,
            correlation_id="corr",
            once=self.shop.once("issueCreditNote"),
            credit_notes=self.held.credit_notes,
            **self.ports,
        )

    def _credited(self, reference: Reference, note: IssuedInvoice, nets: dict[str, int]) -> None:
        total, released = reference.credit(nets)
        today = self.shop.clock.today()
        rank = 1 + sum(day.year == today.year for day in self.notes)
        assert note.document.totals.total_minor == total
        assert (note.document.number, note.document.issue_date) == (f"A{today.year}-{rank:05d}", today)
        self.notes.append(today)
        self.customer_credit_minor += released

    @rule(days=st.integers(1, 45))
    def days_pass_with_their_reminders(self, days: int) -> None:
        for _ in range(days):
            self.shop.clock.advance(timedelta(days=1))
            self._remind()

    def _remind(self) -> None:
        """Two runs of a day ask once, and only for what is owed."""
        for _ in range(2):
            reminders.run_reminders(reminders=self.held.reminders, invoices=self.held.invoices, **self.ports)
            made = {key for _, key in self.held.store.reminders}
            fresh = made - self.reminded
            owed = {one for one, reference in self.references.items() if reference.balance_minor > 0}
            assert {self.held.store.reminders[self.shop.caller.tenant_id, key].invoice_id for key in fresh} <= owed
            assert self.reminded <= made
            self.reminded = made

    @rule(invoice_id=issued | drafts, amount=st.integers(1, 150_000), twice=st.booleans())
    def pay(self, invoice_id: str, amount: int, twice: bool) -> None:
        once = self.shop.once("recordInvoicePayment")

        def act() -> IssuedInvoice:
            return self.shop.pay(invoice_id, amount, once=once)

        reference = self.references.get(invoice_id)
        if reference is None:
            refused(InvoiceNotIssued if self._read(invoice_id) else NotFound, act)
        elif amount > reference.balance_minor:
            refused(PaymentExceedsBalance, act)
        else:
            act()
            reference.kept_minor += amount
            if twice:
                with pytest.raises(AlreadyAnswered):
                    act()

    @rule(invoice_id=issued)
    def pay_the_rest(self, invoice_id: str) -> None:
        reference = self.references.get(invoice_id)
        if reference and reference.balance_minor > 0:
            self.pay(invoice_id, reference.balance_minor, twice=False)

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
        assert job.documents_checked == len(self.references) + len(self.notes)

    @invariant()
    def every_invoice_is_as_the_reference_keeps_it(self) -> None:
        for invoice_id, reference in self.references.items():
            stored = self._read(invoice_id)
            assert isinstance(stored, IssuedInvoice)
            assert stored.document_hash == reference.document_hash
            assert stored.document.number == reference.number
            assert stored.ledger.status is reference.status
            assert stored.ledger.balance_minor == reference.balance_minor
        credit = self.held.credit_notes.customer(self.shop.caller, self.customer_id).credit
        assert credit.balance_minor == self.customer_credit_minor

    @invariant()
    def what_was_issued_is_found_by_its_number_and_by_its_total(self) -> None:
        for invoice_id, reference in self.references.items():
            for query in (reference.number, f"{Decimal(reference.total_minor) / 100:.2f}".replace(".", ",")):
                found = search.search_invoices(self.shop.caller, query, PageRequest(limit=100), search=self.held.search)
                assert invoice_id in {row.invoice_id for row in found.items}, query
        strangers = search.search_invoices(self.stranger, "F2026", PageRequest(limit=100), search=self.held.search)
        assert not strangers.items

    @invariant()
    def every_event_has_its_place_and_none_two(self) -> None:
        waiting = list(self.held.store.unplaced.values())
        for batch in (waiting, waiting[:2]):  # the stream hands some records again
            events.place_events(batch, feed=self.held.event_feed, **self.ports)
        places = self.held.store.feed.get(self.shop.caller.tenant_id, ())
        told = {
            event.event_id
            for (tenant_id, _), happened in self.held.store.events.items()
            if tenant_id == self.shop.caller.tenant_id
            for event in happened
        }
        assert [one.sequence for one in places] == list(range(1, len(places) + 1))
        assert len(places) == len(told)
        assert {one.event.event_id for one in places} == told

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
            return invoices.read_invoice(self.shop.caller, invoice_id, invoices=self.held.invoices).invoice
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
# Rules wait for drafts and invoices to act on: many steps of a short life find none, which is no fault.
TestDocumentLife.settings = settings(
    examined, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.filter_too_much]
)
