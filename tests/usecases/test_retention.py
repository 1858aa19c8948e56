"""Retention of guarantee: totals in full, a part of them due a year after the work was received, and not before."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.customer_account import StatementPeriod, aged
from billing.domain.errors import FieldErrors, NothingLeftToPay, PaymentExceedsBalance, QuoteNotAccepted
from billing.domain.events import EventType
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import InvoiceStatus
from billing.domain.payments import PaymentExcess
from billing.domain.quote_lines import LineShare
from billing.domain.reminders import late_penalty_minor
from billing.domain.retention import Reception, Retention, a_year_after
from billing.domain.typography import NARROW_NO_BREAK_SPACE, NO_BREAK_SPACE
from billing.ports.paging import PageRequest
from billing.ports.repositories import InvoiceQuery, InvoiceSummary
from billing.usecases import invoices, quotes
from tests.properties.strategies import examined
from tests.usecases.conftest import Shop
from tests.usecases.test_payments import Till
from tests.usecases.test_quote_billing import Site
from tests.usecases.test_reminders import FIRST, Dunning

ISSUED, DUE = date(2026, 11, 23), date(2026, 12, 23)
RECEIVED, RELEASED = date(2026, 12, 1), date(2027, 12, 1)


def site(*lines: tuple[str, str, str], percent: str = "5") -> Site:
    return Site(*(lines or (("1", "1000", "20"),)), retention_percent=Decimal(percent)).accept()


def overdue(shop: Shop, on: date) -> list[InvoiceSummary]:
    page = invoices.list_invoices(
        shop.caller, InvoiceQuery(overdue_on=on), PageRequest(), invoices=shop.repositories.invoices
    )
    return list(page.items)


def test_vat_and_totals_stay_in_full_and_a_part_is_kept() -> None:
    work = site()
    deposit = work.issue("deposit", percent=Decimal(30))
    part = work.issue("part", lines=(LineShare(index=0, progress=Decimal(80)),))
    free = work.issue("part", percent=Decimal(10), retention=Decimal(0))
    final = work.issue("rest")

    assert (deposit.document.retention, free.document.retention) == (None, None)
    assert part.document.retention == Retention(percent=Decimal(5), amount_minor=3_000)
    assert (part.totals.total_minor, part.totals.due_minor, part.document.payable_minor) == (60_000, 60_000, 57_000)
    assert (part.ledger.balance_minor, part.retained_minor(ISSUED), part.payable_minor(ISSUED)) == (
        60_000,
        3_000,
        57_000,
    )
    assert final.document.retention == Retention(percent=Decimal(5), amount_minor=600)
    billing = work.billing
    assert billing.to_collect_minor == 120_000
    assert (billing.retained_minor(ISSUED), billing.payable_minor(ISSUED)) == (3_600, 116_400)
    assert work.shop.proof().findings == ()


def test_never_more_than_five_percent() -> None:
    with pytest.raises(FieldErrors) as of_quote:
        site(percent="5.01")
    work = site()
    with pytest.raises(FieldErrors) as of_part:
        work.bill("part", percent=Decimal(50), retention=Decimal("5.5"))
    assert [error.pointer for error in (*of_quote.value.errors, *of_part.value.errors)] == ["/retention_percent"] * 2


def test_what_is_kept_is_not_late_before_its_day_and_is_after() -> None:
    work = site()
    shop, dunning = work.shop, Dunning(work.shop)
    invoice = work.issue("rest")
    assert [row.invoice_id for row in overdue(shop, DUE + timedelta(days=1))] == [invoice.invoice_id]
    shop.pay(invoice.invoice_id, 114_000)
    paid = shop.stored(invoice)

    assert (paid.ledger.status, paid.ledger.balance_minor) == (InvoiceStatus.PARTIALLY_PAID, 6_000)
    assert (paid.retained_minor(DUE), paid.payable_minor(DUE)) == (6_000, 0)
    assert overdue(shop, date(2030, 1, 1)) == []
    dunning.go_to(date(2027, 3, 1))
    with pytest.raises(NothingLeftToPay):
        dunning.send(invoice)

    work.receive(RECEIVED)
    kept = shop.stored(invoice)
    assert (kept.due_on, kept.retained_minor(RELEASED - timedelta(days=1))) == (RELEASED, 6_000)
    assert (kept.retained_minor(RELEASED), kept.payable_minor(RELEASED)) == (0, 6_000)
    assert overdue(shop, RELEASED) == []
    assert [row.due_on for row in overdue(shop, RELEASED + timedelta(days=1))] == [RELEASED]
    assert kept.document == invoice.document
    shop.pay(invoice.invoice_id, 6_000)
    assert shop.stored(invoice).ledger.status is InvoiceStatus.PAID
    assert shop.proof().findings == ()


def test_the_plan_leaves_it_alone_for_a_year_and_then_claims_it_alone() -> None:
    work = site()
    shop, dunning = work.shop, Dunning(work.shop)
    dunning.plan()
    invoice = work.issue("rest")
    shop.render(invoice)
    shop.record(invoice)
    shop.pay(invoice.invoice_id, 114_000)
    dunning.go_to(RECEIVED)
    work.receive(RECEIVED)

    dunning.live_until(RELEASED)
    levels = dunning.levels(invoice)
    assert FIRST not in levels
    dunning.live_until(RELEASED + timedelta(days=10))

    assert [level for level in dunning.levels(invoice) if level not in levels] == [FIRST]
    claim = next(made.claim for made in dunning.shown(invoice).made if made.level is FIRST)
    assert (claim.balance_minor, claim.due_date, claim.days_late) == (6_000, RELEASED, (claim.on - RELEASED).days)
    text = shop.mailer.accepted[-1].text.replace(NO_BREAK_SPACE, " ")
    assert "échue le 1er décembre 2027" in text or "échéance le 1er décembre 2027" in text, text
    assert "60,00" in text


def test_a_reminder_before_claims_what_is_payable_only() -> None:
    work = site()
    dunning = Dunning(work.shop)
    invoice = work.issue("rest")
    work.shop.render(invoice)
    work.shop.record(invoice)
    dunning.go_to(DUE + timedelta(days=8))

    reminder = dunning.send(invoice)

    assert (reminder.claim.balance_minor, reminder.claim.days_late, reminder.claim.due_date) == (114_000, 8, None)


@pytest.mark.parametrize("received", [False, True])
def test_a_reminder_of_what_was_paid_meanwhile_does_not_ask_for_what_is_kept(received: bool) -> None:
    work = site()
    shop, dunning = work.shop, Dunning(work.shop)
    invoice = work.issue("rest")
    shop.render(invoice)
    shop.record(invoice)
    dunning.go_to(DUE + timedelta(days=8))
    if received:
        work.receive(RECEIVED)
    dunning.send(invoice)
    shop.pay(invoice.invoice_id, 114_000)

    dunning.deliver()

    assert shop.mailer.accepted == []


def test_penalties_count_what_is_kept_from_its_day_only() -> None:
    work = site()
    invoice = work.issue("rest")
    work.shop.clock.advance(timedelta(days=20))
    work.receive(RECEIVED)
    kept = work.shop.stored(invoice)
    rate = kept.document.seller.late_penalty_rate

    def expected(cents_days: int) -> int:
        return int((Decimal(cents_days) * rate / 36_500).quantize(Decimal(1), rounding="ROUND_HALF_UP"))

    until = (RELEASED - DUE).days
    assert late_penalty_minor(kept, (), today=DUE + timedelta(days=10)) == expected(114_000 * 10)
    assert late_penalty_minor(kept, (), today=RELEASED) == expected(114_000 * until)
    assert late_penalty_minor(kept, (), today=RELEASED + timedelta(days=30)) == expected(114_000 * until + 120_000 * 30)


def test_the_mail_asks_for_what_is_payable_and_names_what_is_kept() -> None:
    work = site()
    part = work.bill("rest")
    invoice = work.shop.issue(part, send=True)
    work.shop.render(invoice)
    work.shop.mail(invoice)

    (sent,) = work.shop.mailer.accepted
    text = sent.text.replace(NO_BREAK_SPACE, " ").replace(NARROW_NO_BREAK_SPACE, " ")
    assert "Montant à régler : 1 140,00 €" in text, text
    assert "Retenue de garantie : 60,00 €" in text


def test_the_statement_ages_what_is_kept_by_its_own_day() -> None:
    work = site()
    invoice = work.issue("rest")

    def ageing(today: date) -> tuple[int, int]:
        accounts = work.held.accounts
        period = StatementPeriod(first=ISSUED, last=ISSUED)
        still_open = accounts.extract(work.shop.caller, invoice.document.customer_id, period).still_open
        sums = aged(still_open, today=today)
        return sums.not_due_minor, sums.overdue_minor

    assert ageing(DUE) == (120_000, 0)
    assert ageing(date(2029, 1, 1)) == (6_000, 114_000)
    work.shop.clock.advance(timedelta(days=20))
    work.receive(RECEIVED)
    assert ageing(RELEASED) == (6_000, 114_000)
    assert ageing(RELEASED + timedelta(days=1)) == (0, 120_000)


def test_a_reception_reaches_every_invoice_of_the_quote_and_the_open_draft() -> None:
    work = site()
    first = work.issue("part", percent=Decimal(30))
    draft = work.bill("part", percent=Decimal(30))
    work.shop.clock.advance(timedelta(days=20))

    received = work.receive(RECEIVED)
    again = work.receive(RECEIVED)
    second = work.shop.issue(
        invoices.read_invoice(work.shop.caller, draft.invoice_id, invoices=work.held.invoices).invoice  # type: ignore[arg-type]
    )
    third = work.issue("rest")

    assert received.reception == Reception(received_on=RECEIVED)
    assert again.version == received.version + 1
    assert work.shop.stored(first).retained_until == RELEASED
    assert [one.retained_until for one in (second, third)] == [RELEASED] * 2
    assert second.document.retention
    assert second.document.retention.due_date == RELEASED
    assert first.document.retention
    assert first.document.retention.due_date is None
    page = quotes.read_quote_timeline(work.shop.caller, work.quote_id, PageRequest(), quotes=work.held.quotes)
    told = [event for event in page.items if event.event_type is EventType.QUOTE_WORK_RECEIVED]
    assert [event.data["retained_until"] for event in told] == ["2027-12-01"] * 2


def test_a_reception_told_while_its_invoices_are_paid_loses_nothing() -> None:
    work = site()
    invoiced = [work.issue("part", percent=Decimal(20)) for _ in range(4)]
    work.shop.clock.advance(timedelta(days=20))

    def act(rank: int) -> None:
        if rank < len(invoiced):
            work.shop.pay(invoiced[rank].invoice_id, 22_800)
        else:
            work.receive(RECEIVED)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(act, [4, 0, 1, 4, 2, 3]))

    kept = [work.shop.stored(invoice) for invoice in invoiced]
    assert [(one.ledger.balance_minor, one.retained_until, one.due_on) for one in kept] == [
        (1_200, RELEASED, RELEASED)
    ] * 4
    assert work.shop.proof().findings == ()


def test_it_is_released_early_and_a_mistake_is_corrected() -> None:
    work = site()
    invoice = work.issue("rest")
    work.shop.clock.advance(timedelta(days=60))
    today = work.shop.clock.today()

    work.receive(RECEIVED, released_on=today)
    assert work.shop.stored(invoice).payable_minor(today) == 120_000
    work.receive(RECEIVED)
    assert work.shop.stored(invoice).payable_minor(today) == 114_000
    for wrong in ({}, {"received_on": today + timedelta(days=1)}):
        with pytest.raises(FieldErrors):
            work.receive(**wrong)
    with pytest.raises(QuoteNotAccepted):
        Site(retention_percent=Decimal(5)).receive(ISSUED)


def test_what_is_credited_is_not_kept() -> None:
    work = site(("1", "1000", "20"), ("1", "500", "20"))
    whole = work.issue("part", lines=(LineShare(index=0),))
    work.credit(whole)

    assert work.shop.stored(whole).retained_minor(ISSUED) == 0
    assert work.billing.retained_minor(ISSUED) == 0


def test_a_year_later_is_the_same_day_but_after_a_leap_day() -> None:
    assert a_year_after(date(2027, 12, 31)) == date(2028, 12, 31)
    assert a_year_after(date(2028, 2, 29)) == date(2029, 2, 28)
    assert a_year_after(date(2027, 2, 28)) == date(2028, 2, 28)


@examined
@given(
    st.lists(st.integers(1, 130_000), max_size=5),
    st.sampled_from(["0.01", "1", "2.5", "4.99", "5"]),
    st.none() | st.integers(-400, 60),
)
def test_kept_and_payable_are_the_balance_whatever_is_paid(
    payments: list[int], percent: str, since: int | None
) -> None:
    work = site(("3", "333.33", "20"), ("1", "12.05", "5.5"), percent=percent)
    invoice = work.issue("rest")
    if since is not None:
        work.receive(work.shop.clock.today() + timedelta(days=min(since, 0)))
    for amount in payments:
        left = work.shop.stored(invoice).ledger.balance_minor
        if left:
            work.shop.pay(invoice.invoice_id, min(amount, left))
    paid: IssuedInvoice = work.shop.stored(invoice)
    facts: dict[str, Any] = {}
    for day in (ISSUED, DUE, DUE + timedelta(days=1), date(2028, 1, 1)):
        kept, payable, balance = paid.retained_minor(day), paid.payable_minor(day), paid.ledger.balance_minor
        assert kept + payable == balance
        assert 0 <= kept <= (paid.document.retention.amount_minor if paid.document.retention else 0)
        assert payable >= 0
        facts[day.isoformat()] = kept
    assert sum(due.balance_minor for due in _summary(work, paid).still_open()) == paid.ledger.balance_minor
    assert list(facts.values()) == sorted(facts.values(), reverse=True)


def _summary(work: Site, invoice: IssuedInvoice) -> InvoiceSummary:
    page = invoices.list_invoices(
        work.shop.caller, InvoiceQuery(), PageRequest(), invoices=work.shop.repositories.invoices
    )
    return next(row for row in page.items if row.invoice_id == invoice.invoice_id)


def till_of(work: Site, *paid: IssuedInvoice) -> Till:
    till = Till(work.shop, invoices=0)
    till.customer_id, till.invoices = paid[0].document.customer_id, list(paid)
    return till


def test_a_payment_pays_what_is_kept_only_when_it_is_named_or_due() -> None:
    work = site()
    part = work.issue("part", percent=Decimal(100))  # 1 200.00, of which 60.00 are kept
    till = till_of(work, part)
    with pytest.raises(PaymentExceedsBalance) as refused:
        till.pay(120_000, None)
    assert "retenue de garantie" in refused.value.detail_fr
    assert [one.pointer for one in refused.value.errors] == ["/amount_minor"]

    payment = till.pay(120_000, None, excess=PaymentExcess.CUSTOMER_CREDIT)

    assert (till.balances(), payment.credited_minor, till.credit) == ([6_000], 6_000, 6_000)
    with pytest.raises(PaymentExceedsBalance) as settled:
        till.apply(None)
    assert [one.pointer for one in settled.value.errors] == ["/allocations"]
    till.apply(1_000)
    assert till.balances() == [5_000]
    work.shop.clock.set(datetime(2026, 12, 1, 9, tzinfo=UTC))
    work.receive(RECEIVED)
    work.shop.clock.set(datetime(2027, 12, 1, 9, tzinfo=UTC))
    till.apply(None)
    assert (till.balances(), till.credit) == ([0], 0)
    assert work.shop.proof().findings == ()


def test_a_mail_asks_for_what_is_kept_once_its_day_has_come() -> None:
    work = site()
    part = work.issue("part", percent=Decimal(100))
    shop = work.shop
    shop.render(part)
    shop.record(part)
    said = []
    for day in (ISSUED, RELEASED):
        shop.clock.set(datetime(day.year, day.month, day.day, 9, tzinfo=UTC))
        if day == RELEASED:
            work.receive(RECEIVED)
        attempt = shop.send(part.invoice_id).delivery.attempt
        shop.render(part, attempt)
        shop.mail(part, attempt)
        shop.record(part, attempt)
        said.append(shop.mailer.accepted[-1].text)

    plain = [text.replace(NARROW_NO_BREAK_SPACE, " ").replace(NO_BREAK_SPACE, " ") for text in said]
    assert "1 140,00" in plain[0]
    assert "Retenue de garantie" in plain[0]
    assert "1 200,00" in plain[1]
    assert "Retenue de garantie" not in plain[1]


def test_what_is_left_over_is_told_as_it_is() -> None:
    """600.00 are owed of which 30.00 are retained: 100.00 too many are owed nowhere, 20.00 are not due yet."""
    work = site()
    till = till_of(work, work.issue("part", percent=Decimal(50)), work.issue("part", percent=Decimal(50)))

    def said(amount_minor: int, *allocated: int | None) -> str:
        with pytest.raises(PaymentExceedsBalance) as refused:
            till.pay(amount_minor, *allocated)
        return refused.value.detail_fr.replace(NARROW_NO_BREAK_SPACE, " ").replace(NO_BREAK_SPACE, " ")

    assert said(70_000, None) == "100,00 € ne sont dus sur aucune des factures nommées."
    assert said(59_000, None).startswith("20,00 € ne sont pas encore dus au 23/11/2026 (retenue")
    assert said(120_000, 60_000, None).startswith("30,00 € ne sont pas encore dus")


def test_a_payment_of_before_the_release_gets_what_was_payable_on_its_day() -> None:
    """It is recorded once the retention is due: 570.00 were payable on the day, 600.00 are now."""
    work = site()
    till = till_of(work, work.issue("part", percent=Decimal(50)))
    before = work.shop.clock.today()
    work.shop.clock.set(datetime(RELEASED.year, RELEASED.month, RELEASED.day, 9, tzinfo=UTC))
    work.receive(RECEIVED)

    with pytest.raises(PaymentExceedsBalance) as refused:
        till.pay(60_000, None, paid_on=before)
    early = till.pay(60_000, None, paid_on=before, excess=PaymentExcess.CUSTOMER_CREDIT)
    assert f"pas encore dus au {before:%d/%m/%Y}" in refused.value.detail_fr
    assert (early.allocations[0].amount_minor, early.credited_minor) == (57_000, 3_000)
    assert till.balances() == [3_000]
    till.reverse(early)
    assert till.pay(60_000, None).allocations[0].amount_minor == 60_000
