"""A leap year over HTTP: companies at work on the days that break calendars, through the real functions and schedules.

The clock of a local cloud goes from day to day; at the end every document is read back and everything is computed anew.
"""

from __future__ import annotations

import random
from calendar import isleap, monthrange
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from email import message_from_bytes
from email.policy import default
from zoneinfo import ZoneInfo

import pytest

from billing.domain.reminders import is_working_day
from local.client import Json, mails_to, wait_for
from local.mail_sink import DELIVERY_HEADER
from local.samples import quoted, recurring
from local.testing import LocalCloud
from tests.e2e.verification import verified
from tests.people import Person

pytestmark = pytest.mark.cloud

PARIS = ZoneInfo("Europe/Paris")
COMPANIES = 3
RATES = ("20", "10", "5.5", "2.1")
DAYS_OF_MONTH = (31, 29, 1)  # one a company: what February and the short months make of them
SETTLED_SECONDS = 90
STEPS = {"first": 3, "second": 15, "formal_notice": 30}  # days after the due date


def leap_year() -> int:
    """The first whose eve of New Year's Eve is still to come."""
    today = datetime.now(PARIS).date()
    return next(year for year in range(today.year, 2200) if isleap(year) and date(year - 1, 12, 30) > today)


def change_of_clocks(year: int, month: int) -> date:
    last = date(year, month, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)


def days_at_work(year: int) -> list[date]:
    """From the last days of the year before to New Year's Eve."""
    days = {date(year - 1, 12, 30), date(year - 1, 12, 31)}
    for month in range(1, 13):
        days |= {date(year, month, 1), date(year, month, monthrange(year, month)[1])}
    days |= {date(year, 2, 29), *(date(year, month, 14) for month in (2, 5, 8, 11))}
    for change in (change_of_clocks(year, 3), change_of_clocks(year, 10)):
        days |= {change, change + timedelta(days=1)}
    return sorted(days)


def hour_of(day: date) -> time:
    """In the morning; around midnight where months meet, for Paris and UTC then name two days.

    Where clocks change, at the hour that is skipped or repeated.
    """
    if day.day == 1:
        return time(0, 20)
    if day == date(day.year, 12, 31):
        return time(23, 40)
    if day.month in {3, 10} and day == change_of_clocks(day.year, day.month):
        return time(2, 30)
    return time(9, 40)


def rounded(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def total_of(lines: list[Json]) -> int:
    """Net and VAT per rate, half up."""
    nets: Counter[Decimal] = Counter()
    for line in lines:
        nets[Decimal(line["vat_rate"])] += rounded(Decimal(line["quantity"]) * Decimal(line["unit_price"]) * 100)
    return sum(nets.values()) + sum(rounded(net * rate / 100) for rate, net in nets.items())


@dataclass
class Company:
    """What a company does on a day is drawn from its own fixed dice; what it remembers is a plain journal."""

    person: Person
    dice: random.Random
    day_of_month: int
    first: date
    template_id: str = ""
    owed: dict[str, int] = field(default_factory=dict)  # what its own invoices still ask for, by id
    offers: list[str] = field(default_factory=list)
    won: set[str] = field(default_factory=set)

    def settle_in(self) -> None:
        api = self.person.api
        steps = [{"level": level, "days": days} for level, days in STEPS.items()]
        api.put("/v1/reminders/plan", {"active": True, "steps": steps}, version=0)
        template = recurring(self.person.customer["customer_id"], start=self.first.isoformat(), mode="send")
        template["recurrence"]["day"] = self.day_of_month
        self.template_id = api.post("/v1/recurring-invoices", template)["recurring_invoice_id"]

    def work(self, today: date) -> None:
        self.invoice(today)
        self.dice.choice([self.pay, self.pay, self.offer, self.decide])(today)
        if self.dice.random() < 0.12:
            self.credit()

    def invoice(self, today: date) -> None:
        lines = [
            {
                "description": f"Prestation {rank}",
                "quantity": str(self.dice.randint(1, 4)),
                "unit_price": f"{self.dice.randint(100, 90_000) / 100:.2f}",
                "vat_rate": self.dice.choice(RATES),
            }
            for rank in range(1, self.dice.randint(1, 3) + 1)
        ]
        wanted = {"customer_id": self.person.customer["customer_id"], "lines": lines}
        made = self.person.api.post("/v1/invoices", wanted)
        issued = self._issue(made, lines, send=self.dice.random() < 0.5)
        assert issued["issue_date"] == today.isoformat()

    def pay(self, _today: date) -> None:
        open_ones = [one for one, minor in self.owed.items() if minor > 0]
        if open_ones:
            invoice_id = self.dice.choice(open_ones)
            amount = self.dice.choice([self.owed[invoice_id], self.dice.randint(1, self.owed[invoice_id])])
            self.person.api.post(f"/v1/invoices/{invoice_id}/payments", {"amount_minor": amount, "method": "transfer"})
            self.owed[invoice_id] -= amount

    def credit(self) -> None:
        """In full; what was paid before is refunded."""
        open_ones = [one for one, minor in self.owed.items() if minor > 0]
        if open_ones:
            invoice_id = self.dice.choice(open_ones)
            wanted = {"mode": "full", "reason": "Annulation", "excess": "refund", "send": True}
            self.person.api.post(f"/v1/invoices/{invoice_id}/credit-notes", wanted)
            self.owed[invoice_id] = 0

    def offer(self, _today: date) -> None:
        made = self.person.api.post("/v1/quotes", quoted(self.person.customer["customer_id"]))
        self.person.api.post(f"/v1/quotes/{made['quote_id']}/send", {"version": made["version"]})
        self.offers.append(made["quote_id"])

    def decide(self, today: date) -> None:
        """The oldest offer that still holds is won and invoiced; each second one was made to expire."""
        for quote_id in self.offers[::2]:
            quote = self.person.api.get(f"/v1/quotes/{quote_id}")
            if quote_id not in self.won:
                assert quote["status"] == ("expired" if today.isoformat() > quote["valid_until"] else "sent")
            if quote["status"] == "sent":
                self.person.api.post(f"/v1/quotes/{quote_id}/answer", {"answer": "accepted", "name": "Direction"})
                self._issue(self.person.api.post(f"/v1/quotes/{quote_id}/convert"), quote["lines"], send=True)
                self.won.add(quote_id)
                return

    def _issue(self, made: Json, lines: list[Json], *, send: bool) -> Json:
        path = f"/v1/invoices/{made['invoice_id']}/issue"
        issued: Json = self.person.api.post(path, {"version": made["version"], "send": send})
        self.owed[issued["invoice_id"]] = total_of(lines)
        return issued

    def every(self, path: str) -> Iterator[Json]:
        """All of a list, walked by cursor."""
        token = ""
        while True:
            page = self.person.api.get(f"{path}{'&' if '?' in path else '?'}limit=100{token}")
            yield from page["items"]
            if page["next_page_token"] is None:
                return
            token = f"&page_token={page['next_page_token']}"

    def documents(self, kind: str, name: str) -> list[Json]:
        return [self.person.api.get(f"/v1/{kind}/{row[name]}") for row in self.every(f"/v1/{kind}")]


def schedules_run(cloud: LocalCloud) -> None:
    """Two at once, as when one is late and the next comes."""
    names = ["run-recurring-invoices", "run-reminders"] * 2
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(cloud.run_schedule, names))


def settled(cloud: LocalCloud, companies: list[Company]) -> None:
    """Every workflow of the day has ended, and with it every mail."""
    quiet = 0

    def idle() -> bool | None:
        nonlocal quiet
        busy = cloud.status()["executions_running"] or any(
            row["delivery_state"] in {"rendering", "sending"}
            for company in companies
            for kind in ("invoices", "credit-notes", "quotes")
            for row in company.person.api.get(f"/v1/{kind}?limit=8")["items"]
        )
        quiet = 0 if busy else quiet + 1
        return True if quiet == 3 else None

    wait_for(idle, seconds=SETTLED_SECONDS, what="the workflows of a day")


def expected_dates(company: Company, until: date) -> list[str]:
    """One a month, on that day or the month's last."""
    months = [(company.first.year, 12), *((until.year, month) for month in range(1, 13))]
    dates = [date(year, month, min(company.day_of_month, monthrange(year, month)[1])) for year, month in months]
    return [one.isoformat() for one in dates if company.first <= one <= until]


def test_after_a_leap_year_over_http_every_book_is_right_and_no_mail_came_twice(
    dated: LocalCloud, dated_person: Callable[..., Person]
) -> None:
    year = leap_year()
    days = days_at_work(year)
    dated.set_clock(datetime.combine(days[0], time(7), PARIS))
    companies = [
        Company(dated_person(), random.Random(f"company {rank}"), day, days[0])  # noqa: S311 - dice that fall alike
        for rank, day in enumerate(DAYS_OF_MONTH)
    ]
    for company in companies:
        company.settle_in()

    for day in days:
        dated.set_clock(datetime.combine(day, hour_of(day), PARIS))
        schedules_run(dated)
        with ThreadPoolExecutor(COMPANIES) as pool:
            list(pool.map(lambda company, today=day: company.work(today), companies))
        settled(dated, companies)

    made = Counter[str]()
    for company in companies:
        made += assert_books_agree(company, dated, days[-1])
    assert made["invoices"] >= COMPANIES * len(days)
    assert min(made["credit notes"], made["won"], made["expired"], made["reminders"], made["payments"]) >= COMPANIES


def assert_books_agree(company: Company, cloud: LocalCloud, today: date) -> Counter[str]:
    api, customer_id = company.person.api, company.person.customer["customer_id"]
    invoices = {one["invoice_id"]: one for one in company.documents("invoices", "invoice_id")}
    notes = company.documents("credit-notes", "credit_note_id")
    quotes = company.documents("quotes", "quote_id")
    payments = company.documents("payments", "payment_id")

    # Balances, from nothing but lines, payments and credit notes.
    settled_minor = Counter[str]()
    for payment in payments:
        assert payment["amount_minor"] == sum(one["amount_minor"] for one in payment["allocations"])
        settled_minor.update({one["invoice_id"]: one["amount_minor"] for one in payment["allocations"]})
    paid_minor = Counter(settled_minor)
    for note in notes:
        settlement = note["settlement"]
        assert note["total_minor"] == total_of(note["lines"]) == invoices[note["invoice_id"]]["total_minor"]
        assert settlement["refunded_minor"] == paid_minor[note["invoice_id"]]
        assert settlement["applied_minor"] + settlement["refunded_minor"] == note["total_minor"]
        settled_minor[note["invoice_id"]] += settlement["applied_minor"]
    for invoice_id, invoice in invoices.items():
        assert invoice["total_minor"] == total_of(invoice["lines"])
        assert invoice["balance_minor"] == invoice["total_minor"] - settled_minor[invoice_id]
        assert invoice["balance_minor"] == company.owed.get(invoice_id, invoice["total_minor"])
        overdue = invoice["balance_minor"] > 0 and invoice["due_date"] < today.isoformat()
        assert invoice["overdue"] == overdue
    year = f"{today.year}-01-01"
    opening_minor = sum(one["total_minor"] for one in invoices.values() if one["issue_date"] < year)
    opening_minor -= sum(one["amount_minor"] for one in payments if one["paid_on"] < year)
    opening_minor -= sum(one["settlement"]["applied_minor"] for one in notes if one["issue_date"] < year)
    span = f"from={year}&to={today.isoformat()}"
    (account,) = api.get(f"/v1/customers/{customer_id}/statement?{span}")["accounts"]
    assert account["opening_minor"] == opening_minor
    assert account["closing_minor"] == sum(invoice["balance_minor"] for invoice in invoices.values())

    # Numbers without a gap in each series, in the order of their dates.
    for documents in (list(invoices.values()), notes):
        assert_numbered(documents)

    # What came by itself: one for each of its dates.
    assert set(company.owed) <= set(invoices)
    told = company.every(f"/v1/recurring-invoices/{company.template_id}/timeline")
    made = [event["data"] for event in told if event["event_type"] == "recurring_invoice.made"]
    assert [one["date"] for one in made] == expected_dates(company, today)
    assert {one["invoice_id"] for one in made} == set(invoices) - set(company.owed)

    for quote in quotes:
        ended = "expired" if today.isoformat() > quote["valid_until"] else "sent"
        assert quote["status"] == ("invoiced" if quote["quote_id"] in company.won else ended)

    reminders = [one for invoice in invoices.values() for one in assert_reminded_rightly(company, invoice)]
    mailed = [*invoices.values(), *notes, *quotes]
    mailed = [one for one in mailed if one["delivery"]["state"] in {"sent", "delivered"}]
    assert not [one for one in (*notes, *quotes) if one not in mailed]
    arrived = Counter(
        message_from_bytes(mail.read_bytes(), policy=default)[DELIVERY_HEADER]
        for mail in mails_to(cloud.mail_directory, f"client.{company.person.email}")
    )
    assert set(arrived.values()) == {1}
    assert len(arrived) == len(mailed) + len(reminders)

    proof = verified(api)
    assert (proof["state"], proof["findings"]) == ("passed", [])
    assert proof["documents_checked"] == len(invoices) + len(notes)
    states = Counter(quote["status"] for quote in quotes)
    return Counter(
        {
            "invoices": len(invoices),
            "credit notes": len(notes),
            "payments": len(payments),
            "won": states["invoiced"],
            "expired": states["expired"],
            "reminders": len(reminders),
        }
    )


def assert_numbered(documents: list[Json]) -> None:
    by_series: dict[str, list[tuple[int, str]]] = {}
    for one in documents:
        series, _, rank = one["number"].rpartition("-")
        by_series.setdefault(series, []).append((int(rank), one["issue_date"]))
    for numbered in by_series.values():
        numbered.sort()
        assert [rank for rank, _ in numbered] == list(range(1, len(numbered) + 1))
        assert [day for _, day in numbered] == sorted(day for _, day in numbered)
    assert {series[-4:] for series in by_series} == {one["issue_date"][:4] for one in documents}


def assert_reminded_rightly(company: Company, invoice: Json) -> list[Json]:
    """Each level at most once, in rising order, on working days, of what was owed and late."""
    reminders: list[Json] = company.person.api.get(f"/v1/invoices/{invoice['invoice_id']}/reminders")["items"]
    ranks = [list(STEPS).index(one["level"]) for one in reminders]
    assert ranks == sorted(set(ranks))
    for one in reminders:
        on = date.fromisoformat(one["claim"]["on"])
        if one["state"] == "not_sent":  # paid or credited between the request and the mail
            assert invoice["balance_minor"] < one["claim"]["balance_minor"]
        else:
            assert one["state"] in {"sent", "delivered"}
        assert on >= date.fromisoformat(invoice["due_date"]) + timedelta(days=STEPS[one["level"]])
        assert is_working_day(on)
        assert 0 < one["claim"]["balance_minor"] <= invoice["total_minor"]
    return [one for one in reminders if one["state"] != "not_sent"]
