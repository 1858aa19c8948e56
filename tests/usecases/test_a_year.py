"""A year in the life of twenty companies, day by day over New Year, 29 February and both changes of the clocks.

Each company keeps its own books in a plain journal; at the end the product's must be the same, to the cent.
"""

from __future__ import annotations

import random
from calendar import monthrange
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Any, NamedTuple

from billing.domain.credit_notes import CreditInFull, CreditNoteInput
from billing.domain.dates import civil_date
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import EntryKind, InvoiceStatus
from billing.domain.quote import Quote, QuoteAnswer, QuoteStatus
from billing.domain.recurrence import Frequency, Recurrence
from billing.domain.recurring_invoice import RecurringMode
from billing.domain.reminders import DEFAULT_STEPS, USUAL_STEPS, Reminder, is_working_day
from billing.ports.drafts import DraftInput, LineInput
from billing.ports.paging import PageRequest
from billing.usecases import credit_notes, customer_accounts, payments, quotes, recurring_invoices, reminders
from tests import factories
from tests.fakes.store import Store
from tests.usecases.conftest import Shop

FIRST, LAST = date(2027, 10, 1), date(2028, 10, 31)
COMPANIES = 20
RATES = ("20", "10", "5.5", "2.1")
Lines = tuple[tuple[int, int, str], ...]


class Subject(NamedTuple):
    """What a delivery is about."""

    tenant_id: str
    document_id: str


@dataclass
class Entry:
    """One invoice in a company's journal; cents."""

    total_minor: int
    customer_id: str
    paid_minor: int = 0
    credited: bool = False

    @property
    def balance_minor(self) -> int:
        return 0 if self.credited else self.total_minor - self.paid_minor


def total_of(lines: Lines) -> int:
    """Net and VAT per rate, rounded half up: every amount is positive."""
    nets: Counter[str] = Counter()
    for quantity, cents, rate in lines:
        nets[rate] += quantity * cents
    taxes = (Decimal(net) * Decimal(rate) / 100 for rate, net in nets.items())
    return sum(nets.values()) + sum(int(tax.quantize(Decimal(1), rounding=ROUND_HALF_UP)) for tax in taxes)


@dataclass
class Company:
    """A company at work: what it does on a day is drawn from its own fixed dice."""

    shop: Shop
    dice: random.Random
    journal: dict[str, Entry] = field(default_factory=dict)
    credits: Counter[str] = field(default_factory=Counter)
    offers: dict[str, Lines] = field(default_factory=dict)
    accepted: int = 0
    converted: int = 0
    notes: int = 0

    def __post_init__(self) -> None:
        self.shop.describe()
        self.customers = [self.shop.customer().customer_id for _ in range(3)]
        self.held = self.shop.repositories
        self.day = self.dice.choice([1, 29, 30, 31])
        self.monthly = ((1, self.dice.randint(1_000, 90_000), "20"),)
        reminders.edit_reminder_plan(
            self.shop.caller,
            active=True,
            steps=DEFAULT_STEPS,
            expected_version=0,
            reminders=self.held.reminders,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )
        recurring_invoices.create_recurring_invoice(
            self.shop.caller,
            recurring_invoices.RecurringInput(
                name="Abonnement",
                draft=self._wanted(self.customers[0], self.monthly),
                recurrence=Recurrence(frequency=Frequency.MONTHLY, start=FIRST, day=self.day),
                mode=RecurringMode.SEND,
            ),
            once=self.shop.once(),
            recurring_invoices=self.held.recurring_invoices,
            invoices=self.held.invoices,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def live_a_day(self) -> None:
        act = self.dice.choice([self.invoice, self.invoice, self.pay, self.pay, self.offer, self.decide, self.convert])
        act()
        if self.dice.random() < 0.04:
            self.credit()

    def invoice(self) -> None:
        lines = self._lines()
        customer_id = self.dice.choice(self.customers)
        draft = self.shop.draft(self._wanted(customer_id, lines))
        self._issue(draft, lines, customer_id)

    def pay(self) -> None:
        owed = [(one, entry) for one, entry in self.journal.items() if entry.balance_minor > 0]
        if not owed:
            return
        invoice_id, entry = self.dice.choice(owed)
        amount = self.dice.choice([entry.balance_minor, self.dice.randint(1, entry.balance_minor)])
        self.shop.pay(invoice_id, amount)
        entry.paid_minor += amount

    def credit(self) -> None:
        """In full: what was paid before becomes the customer's credit."""
        issued = [(one, entry) for one, entry in self.journal.items() if not entry.credited]
        if not issued:
            return
        invoice_id, entry = self.dice.choice(issued)
        credit_notes.issue_credit_note(
            self.shop.caller,
            invoice_id,
            CreditNoteInput(scope=CreditInFull(), reason="Annulation"),
            send=self.dice.random() < 0.5,
            correlation_id="corr",
            once=self.shop.once(),
            credit_notes=self.held.credit_notes,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )
        self.credits[entry.customer_id] += entry.paid_minor
        entry.credited = True
        self.notes += 1

    def offer(self) -> None:
        lines = self._lines()
        ports: dict[str, Any] = {"quotes": self.held.quotes, "clock": self.shop.clock, "ids": self.shop.ids}
        draft = quotes.create_quote(
            self.shop.caller,
            quotes.QuoteInput(draft=self._wanted(self.dice.choice(self.customers), lines)),
            once=self.shop.once(),
            invoices=self.held.invoices,
            **ports,
        )
        quotes.send_quote(
            self.shop.caller,
            draft.quote_id,
            expected_version=1,
            mail=True,
            recipient=None,
            correlation_id="corr",
            once=self.shop.once(),
            customers=self.held.customers,
            **ports,
        )
        self.offers[draft.quote_id] = lines

    def decide(self) -> None:
        open_ones = self._quotes(QuoteStatus.SENT)
        if open_ones:
            answer = self.dice.choice([QuoteAnswer.ACCEPTED, QuoteAnswer.ACCEPTED, QuoteAnswer.REJECTED])
            quotes.record_quote_answer(
                self.shop.caller,
                self.dice.choice(open_ones).quote_id,
                quotes.AnswerInput(answer=answer, name="Direction"),
                once=self.shop.once(),
                quotes=self.held.quotes,
                clock=self.shop.clock,
                ids=self.shop.ids,
            )
            self.accepted += answer is QuoteAnswer.ACCEPTED

    def convert(self) -> None:
        won = self._quotes(QuoteStatus.ACCEPTED)
        if won:
            quote = self.dice.choice(won)
            draft = quotes.convert_quote(
                self.shop.caller,
                quote.quote_id,
                once=self.shop.once(),
                quotes=self.held.quotes,
                invoices=self.held.invoices,
                clock=self.shop.clock,
                ids=self.shop.ids,
            )
            self._issue(draft, self.offers[quote.quote_id], quote.content.customer_id)
            self.converted += 1

    def note_what_came_by_itself(self) -> None:
        """The recurring invoices that the scheduler issued since, from the events that tell of them."""
        for (tenant_id, _), events in list(self.held.store.events.items()):
            if tenant_id != self.shop.caller.tenant_id:
                continue
            for event in events:
                invoice_id = str(event.data.get("invoice_id", ""))
                if event.event_type == "recurring_invoice.made" and invoice_id not in self.journal:
                    self.journal[invoice_id] = Entry(total_of(self.monthly), self.customers[0])

    def _quotes(self, status: QuoteStatus) -> list[Quote]:
        today = self.shop.clock.today()
        mine = (self.held.store.quotes[self.shop.caller.tenant_id, quote_id] for quote_id in self.offers)
        return [quote for quote in mine if quote.status(today) is status]

    def _issue(self, draft: Any, lines: Lines, customer_id: str) -> None:
        issued = self.shop.issue(draft, send=self.dice.random() < 0.7)
        self.journal[issued.invoice_id] = Entry(total_of(lines), customer_id)

    def _lines(self) -> Lines:
        return tuple(
            (self.dice.randint(1, 4), self.dice.randint(1, 60_000), self.dice.choice(RATES))
            for _ in range(self.dice.randint(1, 3))
        )

    def _wanted(self, customer_id: str, lines: Lines) -> DraftInput:
        given = (
            LineInput(
                description="Prestation de {month}" if lines == getattr(self, "monthly", None) else "Prestation",
                quantity=Decimal(quantity),
                unit_price=Decimal(cents) / 100,
                vat=factories.taxed(rate),
            )
            for quantity, cents, rate in lines
        )
        return DraftInput(customer_id=customer_id, lines=tuple(given))


def expected_dates(day: int, until: date) -> list[str]:
    """One a month from the first day on, on that day or the month's last."""
    months = [(FIRST.year + (FIRST.month - 1 + rank) // 12, (FIRST.month - 1 + rank) % 12 + 1) for rank in range(15)]
    dates = [date(year, month, min(day, monthrange(year, month)[1])) for year, month in months]
    return [one.isoformat() for one in dates if one <= until]


def deliver_everything(shop: Shop) -> None:
    """What the delivery workflow does of each request that waits."""
    store: Store = shop.repositories.store
    for _, tenant_id, document_id, attempt in [key for key in store.outbox if key[0] == "delivery_request"]:
        subject: Any = Subject(tenant_id, document_id)
        if shop.render(subject, attempt).send:
            shop.mail(subject, attempt)
        shop.record(subject, attempt)


def test_after_a_year_every_book_is_right_every_chain_whole_and_no_mail_was_sent_twice() -> None:
    town = Shop()
    start = datetime.combine(FIRST, time(7), UTC)  # eight in Paris in winter, nine in summer
    town.clock.set(start)
    companies = [
        Company(
            Shop(
                repositories=town.repositories,
                clock=town.clock,
                ids=town.ids,
                documents=town.documents,
                mailer=town.mailer,
                caller=factories.caller(f"ten_{rank:02d}", user_id=f"user-{rank:02d}"),
            ),
            random.Random(f"company {rank}"),  # noqa: S311 - dice that fall alike each time
        )
        for rank in range(COMPANIES)
    ]

    for offset in range((LAST - FIRST).days + 1):
        # Late in the evening of some days: in Paris it is another date than in UTC.
        town.clock.set(start + timedelta(days=offset, hours=16 if offset % 3 == 0 else 0))
        for _ in range(2):  # two schedulers in a row
            reminders.run_reminders(
                reminders=town.repositories.reminders,
                invoices=town.repositories.invoices,
                clock=town.clock,
                ids=town.ids,
            )
            recurring_invoices.run_recurring_invoices(
                recurring_invoices=town.repositories.recurring_invoices,
                invoices=town.repositories.invoices,
                customers=town.repositories.customers,
                clock=town.clock,
                ids=town.ids,
            )
        for company in companies:
            company.live_a_day()
        deliver_everything(town)
    for company in companies:
        company.note_what_came_by_itself()

    assert_reminded_rightly(town)
    sent = Counter((mail.delivery_reference, mail.recipient) for mail in town.mailer.accepted)
    assert set(sent.values()) == {1}
    for company in companies:
        proof = company.shop.proof()
        assert proof.findings == ()
        assert proof.documents_checked == len(company.journal) + company.notes
        assert_books_agree(company)
    assert sum(company.converted for company in companies) > 200
    assert sum(company.notes for company in companies) > 100


def assert_reminded_rightly(town: Shop) -> None:
    """Each level at most once, in rising order, of what was still owed; firm words only when it was late."""
    store = town.repositories.store
    by_invoice: dict[tuple[str, str], list[Reminder]] = {}
    for reminder in store.reminders.values():
        by_invoice.setdefault((reminder.tenant_id, reminder.invoice_id), []).append(reminder)
    assert len(by_invoice) > 500
    for key, made in by_invoice.items():
        invoice = store.invoices[key]
        assert isinstance(invoice, IssuedInvoice)
        made.sort(key=lambda reminder: reminder.created_at)
        ranks = [reminder.level.rank for reminder in made]
        assert ranks == sorted(set(ranks))
        for reminder in made:
            step = USUAL_STEPS[reminder.level]
            assert reminder.claim.on >= step.day(invoice.document.due_date)
            # A week-end between two days on which the clock stood at night: then nothing leaves.
            assert reminder.claim.on <= step.day(invoice.document.due_date) + timedelta(days=4)
            assert is_working_day(reminder.claim.on)
            owed = invoice.document.owed_minor - sum(
                entry.amount_minor
                for entry in store.entries.get(key, ())
                if entry.recorded_at < reminder.created_at and entry.kind in {EntryKind.PAYMENT, EntryKind.CREDIT}
            )
            assert reminder.claim.balance_minor == owed > 0


def assert_books_agree(company: Company) -> None:
    tenant_id = company.shop.caller.tenant_id
    store = company.held.store
    for invoice_id, entry in company.journal.items():
        invoice = company.shop.stored(store.invoices[tenant_id, invoice_id])  # type: ignore[arg-type]
        assert invoice.document.totals.total_minor == entry.total_minor
        assert invoice.ledger.balance_minor == entry.balance_minor
        assert (invoice.ledger.status is InvoiceStatus.CANCELLED) is entry.credited
    for customer_id in company.customers:
        held = payments.read_customer_credit(
            company.shop.caller, customer_id, PageRequest(), payments=company.held.payments
        )
        assert held.credit.balance_minor == company.credits[customer_id]
        assert_account_agrees(company, customer_id)
    made = [
        str(event.data["date"])
        for (owner, _), events in store.events.items()
        for event in events
        if owner == tenant_id and event.event_type == "recurring_invoice.made"
    ]
    assert made == expected_dates(company.day, company.shop.clock.today())
    numbers = sorted(
        (invoice.document.number, invoice.document.issue_date, civil_date(invoice.document.issued_at))
        for (owner, invoice_id), invoice in store.invoices.items()
        if owner == tenant_id and invoice_id in company.journal
        for invoice in [company.shop.stored(invoice)]  # type: ignore[arg-type]
    )
    assert [issued for _, issued, _ in numbers] == sorted(issued for _, issued, _ in numbers)
    assert all(issued == on for _, issued, on in numbers)


def assert_account_agrees(company: Company, customer_id: str) -> None:
    """The account closes at what the journal says is owed, and each period opens where the one before closed."""
    today = company.shop.clock.today()
    cuts = [FIRST, *(FIRST + timedelta(days=days) for days in (17, 45, 130, 131)), today + timedelta(days=1)]
    closing_minor = 0
    for first, after in pairwise(cuts):
        statement = customer_accounts.read_customer_statement(
            company.shop.caller,
            customer_id,
            first,
            after - timedelta(days=1),
            accounts=company.held.accounts,
            clock=company.shop.clock,
        )
        account = statement.accounts[0]
        assert account.opening_minor == closing_minor
        assert account.closing_minor == account.opening_minor + account.charged_minor - account.settled_minor
        closing_minor = account.closing_minor
    owed_minor = sum(entry.balance_minor for entry in company.journal.values() if entry.customer_id == customer_id)
    assert closing_minor == owed_minor - company.credits[customer_id]
