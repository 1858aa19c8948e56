"""Deposits, parts and the rest of a quote: together they are the quote, at each rate, to the cent."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import zip_longest
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.credit_notes import (
    CreditByLine,
    CreditByVat,
    CreditInFull,
    CreditNoteInput,
    CreditNotePreview,
    CreditScope,
    LineCredit,
    VatCredit,
)
from billing.domain.errors import (
    CreditExceedsRemaining,
    FieldErrors,
    QuoteAlreadyInvoiced,
    QuoteNotAccepted,
    QuotePartOpen,
)
from billing.domain.events import EventType
from billing.domain.invoice import DocumentType, DraftInvoice, IssuedInvoice
from billing.domain.particulars import Particulars
from billing.domain.quote import PartKind, Quote, QuoteAnswer, QuoteStatus
from billing.domain.quote_billing import QuoteBilling, Share
from billing.domain.quote_lines import LineShare, LineState
from billing.domain.retention import Reception
from billing.domain.situation import SituationLine, spread
from billing.domain.tongue import DocumentLanguage
from billing.domain.totals import Discount, Totals
from billing.domain.typography import NO_BREAK_SPACE
from billing.domain.vat import VatTreatment
from billing.domain.warnings import Notice, WarningCode
from billing.ports.drafts import LineInput
from billing.ports.paging import PageRequest
from billing.ports.quotes import QuoteQuery
from billing.usecases import credit_notes, invoices, quotes
from tests import factories
from tests.properties.strategies import examined
from tests.usecases.conftest import Shop

RATES = ("20", "10", "5.5", "2.1")


class Site:
    """An accepted quote at work."""

    def __init__(
        self,
        *lines: tuple[str, str, str],
        discount: Discount | None = None,
        customer: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        self.shop = Shop()
        self.shop.describe()
        self.held = self.shop.repositories
        given_lines = tuple(
            LineInput(
                description="Ouvrage",
                quantity=Decimal(quantity),
                unit_price=Decimal(price),
                vat=factories.taxed(rate),
            )
            for quantity, price, rate in lines or (("1", "1000", "20"), ("1", "333.33", "5.5"))
        )
        wanted = self.shop.wanted(
            self.shop.customer(**customer or {}).customer_id, *given_lines, discount=discount, **more
        )
        self.ports: dict[str, Any] = {"quotes": self.held.quotes, "clock": self.shop.clock, "ids": self.shop.ids}
        made = quotes.create_quote(
            self.shop.caller,
            quotes.QuoteInput(draft=wanted),
            once=self.shop.once(),
            invoices=self.held.invoices,
            **self.ports,
        )
        quotes.send_quote(
            self.shop.caller,
            made.quote_id,
            expected_version=1,
            mail=False,
            recipient=None,
            correlation_id="corr",
            once=self.shop.once(),
            customers=self.held.customers,
            **self.ports,
        )
        self.quote_id = made.quote_id

    def accept(self) -> Site:
        answer = quotes.AnswerInput(answer=QuoteAnswer.ACCEPTED, name="Direction")
        quotes.record_quote_answer(self.shop.caller, self.quote_id, answer, once=self.shop.once(), **self.ports)
        return self

    @property
    def quote(self) -> Quote:
        return quotes.read_quote(self.shop.caller, self.quote_id, quotes=self.held.quotes)

    @property
    def billing(self) -> QuoteBilling:
        return quotes.read_quote_billing(self.shop.caller, self.quote_id, quotes=self.held.quotes)

    def bill(self, how: str, *, retention: Decimal | None = None, **share: Any) -> DraftInvoice:
        kept = {"retention_percent": retention} if retention is not None else {}
        use_case = getattr(quotes, {"rest": "convert_quote"}.get(how, f"bill_quote_{how}"))
        given_share = (Share(**share),) if share else ()
        draft: DraftInvoice = use_case(
            self.shop.caller,
            self.quote_id,
            *given_share,
            once=self.shop.once(),
            invoices=self.held.invoices,
            **kept,
            **self.ports,
        )
        return draft

    def receive(self, received_on: date | None = None, released_on: date | None = None) -> Quote:
        return quotes.record_quote_reception(
            self.shop.caller,
            self.quote_id,
            Reception(received_on=received_on, released_on=released_on),
            once=self.shop.once(),
            **self.ports,
        )

    def issue(self, how: str, **share: Any) -> IssuedInvoice:
        return self.shop.issue(self.bill(how, **share))

    def progress(self, **reached: str | int) -> IssuedInvoice:
        """``l0="40"``: the first line has reached 40 %."""
        return self.issue("part", lines=shares_of({int(name[1:]): str(value) for name, value in reached.items()}))

    def status(self) -> QuoteStatus:
        """Of the quote, and of its row in the lists."""
        status, page = self.quote.status(self.shop.clock.today()), PageRequest()
        query = QuoteQuery(on=self.shop.clock.today(), status=status)
        listed = quotes.list_quotes(self.shop.caller, query, page, quotes=self.held.quotes).items
        assert [row.status for row in listed] == [status]
        return status

    @property
    def states(self) -> tuple[LineState, ...]:
        return self.billing.lines

    def delete(self, draft: DraftInvoice) -> None:
        invoices.delete_invoice(
            self.shop.caller, draft.invoice_id, expected_version=1, invoices=self.held.invoices, **self.ports
        )

    def credit(self, invoice: IssuedInvoice, scope: CreditScope = CreditInFull()) -> IssuedInvoice:  # noqa: B008 - frozen
        return credit_notes.issue_credit_note(
            self.shop.caller,
            invoice.invoice_id,
            CreditNoteInput(scope=scope, reason="Annulation"),
            send=False,
            correlation_id="corr",
            once=self.shop.once(),
            credit_notes=self.held.credit_notes,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )


def shares_of(reached: dict[int, str]) -> tuple[LineShare, ...]:
    return tuple(LineShare(index=index, progress=Decimal(progress)) for index, progress in reached.items())


def situation_of(invoice: IssuedInvoice) -> tuple[SituationLine, ...]:
    assert invoice.document.situation is not None
    return invoice.document.situation.lines


def groups(*totals: Totals) -> dict[VatTreatment, tuple[int, int]]:
    """Net and VAT at each rate, added up; rates that bill nothing are left out."""
    nets: Counter[VatTreatment] = Counter()
    taxes: Counter[VatTreatment] = Counter()
    for one in totals:
        for group in one.vat_breakdown:
            nets[group.vat] += group.taxable_minor
            taxes[group.vat] += group.vat_minor
    return {vat: (nets[vat], taxes[vat]) for vat in nets if nets[vat] or taxes[vat]}


@pytest.mark.parametrize(
    ("language", "deposit", "deducted", "progress"),
    [
        (
            DocumentLanguage.ENGLISH,
            "Deposit of 30% on quote D2026-00001",
            "Deposit F2026-00001 of 23 Nov 2026",
            "Progress invoice no. 1: 50% of quote D2026-00001",
        ),
        (
            DocumentLanguage.FRENCH_AND_ENGLISH,
            "Acompte de 30 % sur devis D2026-00001 / Deposit of 30 % on quote D2026-00001",
            "Acompte n° F2026-00001 du 23/11/2026 / Deposit F2026-00001 of 23/11/2026",
            "Situation n° 1 : 50 % du devis D2026-00001 / Progress invoice no. 1: 50 % of quote D2026-00001",
        ),
    ],
)
def test_lines_of_ours_speak_as_the_quote_does(
    language: DocumentLanguage, deposit: str, deducted: str, progress: str
) -> None:
    abroad = {"billing_address": factories.address(country_code="BE"), "siren": None, "siret": None, "vat_number": None}
    site = Site(("1", "1000", "20"), particulars=Particulars(language=language), customer=abroad).accept()

    first = site.issue("deposit", percent=Decimal(30))
    part = site.issue("part", percent=Decimal(50))
    final = site.issue("rest")

    def said(invoice: IssuedInvoice) -> set[str]:
        return {line.line.description.replace(NO_BREAK_SPACE, " ") for line in invoice.totals.lines}

    assert said(first) == {deposit}
    assert progress in said(part)
    assert deducted in said(final)


def test_a_deposit_of_thirty_percent_then_the_rest_are_the_quote() -> None:
    site = Site().accept()

    deposit = site.issue("deposit", percent=Decimal(30))
    final = site.issue("rest")

    assert deposit.document.document_type is DocumentType.DEPOSIT
    assert [line.line.description for line in deposit.totals.lines] == [
        f"Acompte de 30{NO_BREAK_SPACE}% sur devis D2026-00001"
    ] * 2
    assert final.document.document_type is DocumentType.INVOICE
    assert [one.number for one in final.document.preceding] == [deposit.document.number]
    deducted = [line.line for line in final.totals.lines if line.line.quantity < 0]
    assert {line.description for line in deducted} == {f"Acompte n° {deposit.document.number} du 23/11/2026"}
    assert all(line.quantity == -1 and line.unit_price > 0 for line in deducted)
    assert final.document.codes.process == "S4"
    assert final.totals.prepaid_minor == 0
    assert groups(deposit.totals, final.totals) == groups(site.quote.totals)
    assert site.quote.status(site.shop.clock.today()) is QuoteStatus.INVOICED
    assert (site.billing.to_invoice_minor, site.billing.to_collect_minor) == (0, site.quote.totals.total_minor)
    assert site.shop.proof().findings == ()


SHARES = st.tuples(st.sampled_from(["deposit", "part", "progress"]), st.decimals(Decimal("0.5"), 60, places=2))
LINES = st.lists(
    st.tuples(
        st.integers(1, 40).map(str),
        st.decimals(Decimal("0.01"), 5000, places=2).map(str),
        st.sampled_from(RATES),
    ),
    min_size=1,
    max_size=5,
)
DISCOUNTS = st.none() | st.decimals(0, 50, places=1).map(lambda percent: Discount(percent=percent))


@examined
@given(LINES, DISCOUNTS, st.lists(SHARES, max_size=5))
def test_whatever_is_billed_in_parts_re_adds_to_the_quote(
    lines: list[tuple[str, str, str]], discount: Discount | None, shares: list[tuple[str, Decimal]]
) -> None:
    site = Site(*lines, discount=discount).accept()
    billed: list[IssuedInvoice] = []
    for how, percent in shares:
        try:
            asked = {"progress" if how == "progress" else "percent": percent}
            billed.append(site.issue("part" if how == "progress" else how, **asked))
        except (FieldErrors, QuoteAlreadyInvoiced):
            continue
        assert site.billing.to_collect_minor == site.quote.totals.total_minor
    if any(site.quote.unbilled.values()):
        billed.append(site.issue("rest"))

    assert groups(*(one.totals for one in billed)) == groups(site.quote.totals)
    assert all(one.totals.total_minor >= 0 for one in billed)
    assert all(group.taxable_minor >= 0 for one in billed for group in one.totals.vat_breakdown)
    assert not any(site.quote.unbilled.values())
    assert site.shop.proof().findings == ()


def test_a_progress_takes_off_what_was_invoiced_before() -> None:
    site = Site(("1", "1000", "20"), ("2", "250", "10")).accept()
    site.issue("deposit", percent=Decimal(20))

    first = site.issue("part", progress=Decimal(50))
    second = site.issue("part", progress=Decimal(80))

    assert [line.net_minor for line in first.totals.lines] == [30_000, 15_000]
    assert [line.net_minor for line in second.totals.lines] == [30_000, 15_000]
    assert second.totals.lines[0].line.description == (
        f"Situation n° 2 : avancement 80{NO_BREAK_SPACE}% du devis D2026-00001"
    )
    with pytest.raises(FieldErrors) as refused:
        site.bill("part", progress=Decimal(80))
    assert [error.pointer for error in refused.value.errors] == ["/progress_percent"]
    last = site.issue("part", progress=Decimal(100))
    assert groups(first.totals, second.totals, last.totals) == {
        vat: (net * 8 // 10, tax * 8 // 10) for vat, (net, tax) in groups(site.quote.totals).items()
    }
    assert site.quote.status(site.shop.clock.today()) is QuoteStatus.INVOICED


def test_never_more_than_what_remains() -> None:
    site = Site(("1", "1000", "20")).accept()
    site.issue("part", percent=Decimal(60))

    with pytest.raises(FieldErrors) as refused:
        site.bill("deposit", percent=Decimal(50))
    assert [error.pointer for error in refused.value.errors] == ["/percent"]
    with pytest.raises(FieldErrors):
        site.bill("part", net_minor=40_001)
    assert site.issue("part", net_minor=40_000).totals.net_minor == 40_000
    with pytest.raises(QuoteAlreadyInvoiced):
        site.bill("rest")


def test_nothing_is_billed_before_it_is_accepted_nor_beside_an_open_draft() -> None:
    site = Site()
    with pytest.raises(QuoteNotAccepted):
        site.bill("deposit", percent=Decimal(30))
    site.accept()
    draft = site.bill("deposit", percent=Decimal(30))

    for how, share in (("deposit", {"percent": Decimal(30)}), ("part", {"percent": Decimal(30)}), ("rest", {})):
        with pytest.raises(QuotePartOpen):
            site.bill(how, **share)
    site.delete(draft)
    assert site.quote.parts == ()
    assert site.bill("rest").totals == site.quote.totals


def test_what_was_credited_can_be_invoiced_again_and_is_no_longer_deducted() -> None:
    site = Site(("1", "1000", "20")).accept()
    deposit = site.issue("deposit", percent=Decimal(30))
    assert site.billing.to_invoice_minor == 84_000
    site.credit(deposit)

    assert site.billing.to_invoice_minor == 120_000
    final = site.issue("rest")

    assert final.totals.total_minor == 120_000
    assert final.document.preceding == ()
    assert site.billing.to_collect_minor == 120_000


def test_crediting_a_deposit_that_was_deducted_is_told() -> None:
    site = Site(("1", "1000", "20")).accept()
    first, second = site.issue("deposit", percent=Decimal(10)), site.issue("deposit", percent=Decimal(10))
    assert site.credit(first).warnings == ()
    site.issue("part", percent=Decimal(10))
    assert seen(site, second).warnings == ()
    situation = site.progress(l0=50)
    told = (Notice(code=WarningCode.DEPOSIT_ALREADY_DEDUCTED, pointer="/mode"),)
    assert seen(site, second).warnings == told
    assert seen(site, situation).warnings == ()

    site.credit(situation)
    assert seen(site, second).warnings == ()
    final = site.issue("rest")
    note = site.credit(second)

    assert note.warnings == told
    assert invoices.read_invoice(site.shop.caller, note.invoice_id, invoices=site.held.invoices).invoice == note
    assert site.billing.to_invoice_minor == 12_000
    assert site.credit(final).warnings == ()


def seen(site: Site, invoice: IssuedInvoice) -> CreditNotePreview:
    wanted = CreditNoteInput(scope=CreditInFull(), reason="Annulation")
    return credit_notes.preview_credit_note(
        site.shop.caller, invoice.invoice_id, wanted, credit_notes=site.held.credit_notes
    )


def test_a_discount_on_the_quote_is_not_taken_twice() -> None:
    site = Site(("3", "99.99", "20"), ("7", "12.35", "5.5"), discount=Discount(percent=Decimal("12.5"))).accept()

    deposit, final = site.issue("deposit", net_minor=10_000), site.issue("rest")

    assert deposit.totals.net_minor in range(9_990, 10_011)
    assert groups(deposit.totals, final.totals) == groups(site.quote.totals)
    assert final.document.document_discount is None
    assert {one.reason for one in final.document.allowances} == {"Remise du devis"}


def test_an_edit_cannot_change_what_a_deposit_bills() -> None:
    site = Site(("1", "1000", "20")).accept()
    draft = site.bill("deposit", percent=Decimal(30))
    line = LineInput(description="Acompte", quantity=Decimal(1), unit_price=Decimal(300), vat=factories.taxed("20"))
    wanted = site.shop.wanted(draft.content.customer_id, line, notes="À réception")

    edited = invoices.edit_invoice(
        site.shop.caller,
        draft.invoice_id,
        wanted,
        expected_version=1,
        invoices=site.held.invoices,
        clock=site.shop.clock,
        ids=site.shop.ids,
    )

    assert edited.content.document_type is DocumentType.DEPOSIT
    assert edited.content.notes == "À réception"


def test_lines_are_billed_in_full_as_they_were_offered() -> None:
    site = Site(("3", "99.99", "20"), ("7", "12.35", "5.5"), ("1", "500", "20")).accept()

    invoice = site.issue("part", lines=(LineShare(index=1), LineShare(index=2)))

    offered = [item.line for item in site.quote.totals.lines]
    assert [item.line for item in invoice.totals.lines] == [offered[1], offered[2]]
    assert [state.left_minor for state in site.states] == [29_997, 0, 0]
    assert [state.stated for state in site.states] == [None, Decimal(100), Decimal(100)]
    with pytest.raises(FieldErrors) as refused:
        site.bill("part", lines=(LineShare(index=1),))
    assert [error.pointer for error in refused.value.errors] == ["/lines"]
    assert site.issue("rest").totals.net_minor == 29_997


def test_each_situation_bills_the_difference_since_the_last_one() -> None:
    site = Site(("1", "1000", "20"), ("2", "250", "10")).accept()

    first = site.progress(l0=40)
    second = site.progress(l0=70, l1=50)

    assert [item.net_minor for item in first.totals.lines] == [40_000]
    assert [(item.line.details, item.net_minor) for item in second.totals.lines] == [
        (f"Avancement : 70{NO_BREAK_SPACE}%", 30_000),
        (f"Avancement : 50{NO_BREAK_SPACE}%", 25_000),
    ]
    assert [
        (one.index, one.worth_minor, one.progress, one.before_minor, one.net_minor, one.so_far_minor)
        for one in situation_of(second)
    ] == [
        (0, 100_000, Decimal(70), 40_000, 30_000, 70_000),
        (1, 50_000, Decimal(50), 0, 25_000, 25_000),
    ]
    assert second.document.situation
    assert second.document.situation.number == 2
    assert [state.billed_minor for state in site.states] == [70_000, 25_000]
    assert site.billing.to_invoice_minor == 36_000 + 27_500


def test_a_deposit_is_part_of_the_progress_of_each_line() -> None:
    site = Site(("1", "1000", "20"), ("1", "500", "20")).accept()
    site.issue("deposit", percent=Decimal(20))

    with pytest.raises(FieldErrors) as refused:
        site.progress(l0=15)
    assert [error.pointer for error in refused.value.errors] == ["/lines"]
    invoice = site.progress(l0=50)

    assert [one.before_minor for one in situation_of(invoice)] == [20_000, 10_000]
    assert [one.net_minor for one in situation_of(invoice)] == [30_000, 0]


def test_a_progress_that_goes_back_or_a_line_that_is_not_there_is_refused_by_its_pointer() -> None:
    site = Site(("1", "1000", "20"), ("1", "500", "10")).accept()
    site.progress(l0=40, l1=50)

    wrong = (LineShare(index=1, progress=Decimal(60)), LineShare(index=0, progress=Decimal("39.99")))
    with pytest.raises(FieldErrors) as backwards:
        site.bill("part", lines=wrong)
    with pytest.raises(FieldErrors) as unknown:
        site.bill("part", lines=(LineShare(index=1), LineShare(index=2), LineShare(index=1)))

    assert [error.pointer for error in backwards.value.errors] == ["/lines/1/progress_percent"]
    assert [error.pointer for error in unknown.value.errors] == ["/lines/1/index", "/lines/2/index"]
    assert len(site.quote.parts) == 1


def test_a_line_that_takes_off_is_not_billed_beyond_its_rate() -> None:
    site = Site(("1", "1000", "20"), ("-1", "100", "20")).accept()

    with pytest.raises(FieldErrors) as alone:
        site.progress(l1=100)
    with pytest.raises(FieldErrors) as without:
        site.progress(l0=100)
    assert [error.pointer for error in (*alone.value.errors, *without.value.errors)] == [
        "/lines/0/progress_percent"
    ] * 2
    invoice = site.progress(l0=50, l1=50)

    assert [item.net_minor for item in invoice.totals.lines] == [50_000, -5_000]
    assert groups(invoice.totals, site.issue("rest").totals) == groups(site.quote.totals)


def test_what_was_credited_can_be_progressed_again() -> None:
    site = Site(("1", "1000", "20"), ("1", "500", "10")).accept()
    site.progress(l0=40)
    wrong = site.progress(l0=90, l1=50)
    site.credit(wrong)

    assert [state.billed_minor for state in site.states] == [40_000, 0]
    assert [state.stated for state in site.states] == [Decimal(40), None]
    again = site.progress(l0=60)

    assert [(one.before_minor, one.net_minor) for one in situation_of(again)] == [(40_000, 20_000), (0, 0)]
    assert site.shop.proof().findings == ()


def progresses(site: Site) -> list[str]:
    return [str(state.progress) for state in site.states]


def shares_of_lines(site: Site) -> list[tuple[int, int, int]]:
    """Of each line: work invoiced, deposits ahead of it, what is left."""
    return [(state.work_minor, state.deposit_minor, state.left_minor) for state in site.states]


def test_a_deposit_is_no_progress_until_an_invoice_of_the_work_takes_it_off() -> None:
    site = Site(("1", "1000", "20"), ("1", "500", "20"), ("1", "100", "10")).accept()
    site.issue("deposit", percent=Decimal(20))
    assert progresses(site) == ["0", "0", "0"]
    assert shares_of_lines(site) == [(0, 20_000, 80_000), (0, 10_000, 40_000), (0, 2_000, 8_000)]

    first = site.progress(l0=50, l2=15)
    assert progresses(site) == ["50", "0", "15"]
    assert shares_of_lines(site) == [(50_000, 0, 50_000), (0, 10_000, 40_000), (1_500, 500, 8_000)]
    assert [(str(one.progress), one.before_minor, one.net_minor, one.deposit_minor) for one in situation_of(first)] == [
        ("50", 20_000, 30_000, 0),
        ("0", 10_000, 0, 10_000),
        ("15", 2_000, 0, 500),
    ]

    (second,) = situation_of(site.issue("part", progress=Decimal(80)))
    assert second.deposit_minor == 0
    assert [state.deposit_minor for state in site.states] == [0, 0, 0]
    site.issue("rest")
    assert progresses(site) == ["100", "100", "100"]


def test_after_the_final_invoice_each_line_is_done_and_a_credit_note_takes_it_back() -> None:
    site = Site(("1", "1000", "20"), ("1", "500", "10")).accept()
    site.issue("deposit", percent=Decimal(10))
    site.progress(l0=80)
    final = site.issue("rest")
    assert progresses(site) == ["100", "100"]
    assert shares_of_lines(site) == [(100_000, 0, 0), (50_000, 0, 0)]

    site.credit(final, CreditByVat(amounts=(VatCredit(vat=factories.taxed("20"), net_minor=5_000),)))
    assert progresses(site) == ["95", "100"]
    site.credit(final)
    assert progresses(site) == ["80", "0"]
    assert shares_of_lines(site) == [(80_000, 0, 20_000), (0, 5_000, 45_000)]
    site.issue("rest")
    assert progresses(site) == ["100", "100"]


def test_a_situation_that_is_credited_is_progress_no_more() -> None:
    site = Site(("1", "1000", "20")).accept()
    site.issue("deposit", percent=Decimal(20))
    part = site.progress(l0=50)

    site.credit(part, CreditByVat(amounts=(VatCredit(vat=factories.taxed("20"), net_minor=10_000),)))
    assert (progresses(site), shares_of_lines(site)) == (["40"], [(40_000, 0, 60_000)])
    site.credit(part)
    assert (progresses(site), shares_of_lines(site)) == (["0"], [(0, 20_000, 80_000)])
    assert [state.floor for state in site.states] == [0]


def test_a_quote_billed_by_deposits_alone_is_no_work_and_a_line_worth_nothing_has_no_progress() -> None:
    site = Site(("1", "1000", "20"), ("1", "0", "20")).accept()
    site.issue("deposit", percent=Decimal(100))

    assert site.status() is QuoteStatus.INVOICED
    assert progresses(site) == ["0", "None"]
    assert shares_of_lines(site) == [(0, 100_000, 0), (0, 0, 0)]


def test_a_cent_held_back_is_no_step_back_and_goes_with_the_next_lines_of_the_rate() -> None:
    site = Site(("35", "1.01", "10"), ("37", "2361.07", "10"), ("1", "1", "20"), ("1", "1", "20")).accept()

    site.progress(l1=100)
    assert (progresses(site)[1], site.states[1].left_minor) == ("99.99", 5)
    other = site.progress(l2=100)
    assert situation_of(other)[1].progress == 100
    site.progress(l0=100)

    assert progresses(site) == ["100", "100", "100", "0"]


def test_a_line_that_is_not_named_stays_where_its_share_of_a_part_left_it() -> None:
    site = Site(("1", "123456.78", "20"), ("1", "500", "20")).accept()
    site.issue("part", percent=Decimal("33.33"))
    before = site.states[0]

    first, second = site.progress(l1=50), site.progress(l1=60)

    assert site.states[0] == before
    assert before.progress == Decimal("33.33")
    assert [situation_of(one)[0].net_minor for one in (first, second)] == [0, 0]
    assert [situation_of(one)[0].progress for one in (first, second)] == [before.progress] * 2


def hold_progress(billing: QuoteBilling) -> None:
    """Work, deposits and what is left make the worth of each line; the progress says the work, 100 % only when done."""
    for state in billing.lines:
        work, ahead, left, worth = state.work_minor, state.deposit_minor, state.left_minor, state.worth_minor
        assert work + ahead + left == worth
        assert min(work, ahead, left) >= 0
        if not worth:
            assert state.progress is None
            continue
        assert state.progress is not None
        assert (state.progress == 100) is (work == worth)
        assert (state.progress == 0) is (work == 0)
        cents = max(1 + worth // 10_000, min(25, worth // 100) + 1)
        assert abs(state.progress * worth / 100 - work) <= cents
        assert state.floor <= state.progress
    for vat, left in billing.remaining.items():
        assert left == sum(state.left_minor for state in billing.lines if state.vat == vat)
    kinds = {part.kind for part in billing.quote.parts}
    if PartKind.DEPOSIT not in kinds:
        done = all(state.progress in {None, 100} for state in billing.lines)
        assert (not any(billing.remaining.values())) is done


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["deposit", "part", "progress"]), st.decimals(Decimal("0.5"), 60, places=2)),
        st.tuples(
            st.just("lines"),
            st.dictionaries(
                st.integers(0, 4), st.sampled_from(["100", "12.5", "33.33", "50", "66.67", "80"]), min_size=1
            ),
        ),
    ),
    max_size=6,
)


@examined
@given(LINES, DISCOUNTS, STEPS)
def test_progress_per_line_mixed_with_anything_re_adds_to_the_quote_and_over_bills_no_line(
    lines: list[tuple[str, str, str]], discount: Discount | None, steps: list[tuple[str, Any]]
) -> None:
    site = Site(*lines, discount=discount).accept()
    billed: list[IssuedInvoice] = []
    for how, what in steps:
        named = {"lines": "lines", "progress": "progress"}.get(how, "percent")
        asked = {named: shares_of(what) if how == "lines" else what}
        before = site.states
        try:
            billed.append(site.issue("deposit" if how == "deposit" else "part", **asked))
        except (FieldErrors, QuoteAlreadyInvoiced):
            continue
        after = site.states
        assert all(0 <= one.billed_minor <= one.worth_minor for one in after)
        assert all(one.billed_minor <= other.billed_minor for one, other in zip(before, after, strict=True))
        at_rates = {vat: sum(one.left_minor for one in after if one.vat == vat) for vat in site.billing.remaining}
        assert at_rates == site.billing.remaining
        hold_progress(site.billing)
        situation = billed[-1].document.situation
        assert not situation or sum(one.net_minor for one in situation.lines) == billed[-1].totals.net_minor
        assert site.billing.to_collect_minor == site.quote.totals.total_minor
    if any(site.quote.unbilled.values()):
        billed.append(site.issue("rest"))
        assert all(one.work_minor == one.worth_minor for one in site.states)

    assert groups(*(one.totals for one in billed)) == groups(site.quote.totals)
    assert all(one.left_minor == 0 for one in site.states)
    hold_progress(site.billing)
    assert site.shop.proof().findings == ()


WORTHY = st.lists(
    st.tuples(st.integers(1, 40).map(str), st.decimals(1, 5000, places=2).map(str), st.sampled_from(RATES)),
    min_size=1,
    max_size=5,
)


@examined
@given(WORTHY, st.permutations(range(5)))
def test_lines_billed_one_after_the_other_leave_no_cent(lines: list[tuple[str, str, str]], order: list[int]) -> None:
    """A cent that a line held back for its VAT goes with the next line of the rate."""
    site = Site(*lines).accept()

    billed = [site.issue("part", lines=(LineShare(index=place),)) for place in order if place < len(lines)]

    assert groups(*(one.totals for one in billed)) == groups(site.quote.totals)
    assert all(one.left_minor == 0 for one in site.states)
    assert site.quote.status(site.shop.clock.today()) is QuoteStatus.INVOICED


@examined
@given(st.lists(st.integers(-500, 500), min_size=1, max_size=8), st.integers(0, 100))
def test_a_spread_re_adds_and_stays_within_its_weights(weights: list[int], share: int) -> None:
    total = sum(weights)
    amount = abs(total) * share // 100 * (1 if total > 0 else -1)

    shares = spread(amount, tuple(weights))

    assert sum(shares) == (amount if total else 0)
    assert all(min(0, weight) <= one <= max(0, weight) for one, weight in zip(shares, weights, strict=True))


def test_a_credit_note_opens_the_quote_again_in_full_or_for_its_part() -> None:
    work = Site(("1", "1000", "20"), ("1", "500", "10")).accept()
    whole = work.issue("rest")
    assert work.status() is QuoteStatus.INVOICED

    part = work.credit(whole, CreditByVat(amounts=(VatCredit(vat=factories.taxed("20"), net_minor=25_000),)))
    told = quotes.read_quote_timeline(work.shop.caller, work.quote_id, PageRequest(), quotes=work.held.quotes).items[-1]

    assert work.status() is QuoteStatus.ACCEPTED
    assert work.billing.to_invoice_minor == 30_000
    assert (told.event_type, told.data["credit_note_id"], told.data["net_minor"]) == (
        EventType.QUOTE_CREDITED,
        part.invoice_id,
        25_000,
    )
    again = work.issue("part", lines=(LineShare(index=0),))
    assert again.totals.net_minor == 25_000
    assert work.status() is QuoteStatus.INVOICED
    work.credit(whole)
    assert work.billing.to_invoice_minor == 120_000 + 55_000 - 30_000
    assert work.issue("rest").totals.total_minor == 145_000
    assert work.status() is QuoteStatus.INVOICED
    assert work.shop.proof().findings == ()


@pytest.mark.parametrize("credit_first", [True, False])
def test_a_credit_and_a_part_give_the_same_in_both_orders(credit_first: bool) -> None:
    work = Site(("1", "1000", "20")).accept()
    first = work.issue("part", percent=Decimal(30))

    if credit_first:
        work.credit(first)
    second = work.issue("part", net_minor=40_000)
    if not credit_first:
        work.credit(first)

    assert work.billing.to_invoice_minor == 72_000
    assert work.status() is QuoteStatus.ACCEPTED
    assert groups(second.totals, work.issue("rest").totals) == groups(work.quote.totals)
    assert work.status() is QuoteStatus.INVOICED


def test_credits_of_two_invoices_of_a_quote_at_once_both_count() -> None:
    work = Site(("1", "1000", "20")).accept()
    invoiced = [work.issue("part", percent=Decimal(10)) for _ in range(6)]
    work.issue("rest")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work.credit, invoiced))

    assert work.billing.to_invoice_minor == 72_000
    assert work.quote.unbilled == work.billing.remaining
    assert work.status() is QuoteStatus.ACCEPTED


@examined
@given(
    WORTHY,
    st.lists(st.tuples(st.sampled_from(["deposit", "part", "lines", "rest"]), st.integers(1, 100)), max_size=6),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.none() | st.integers(1, 100)), max_size=6),
)
def test_a_quote_says_what_its_ledgers_say_whatever_is_billed_and_credited(
    lines: list[tuple[str, str, str]], bills: list[tuple[str, int]], credited: list[tuple[int, int, int | None]]
) -> None:
    work = Site(*lines).accept()
    issued: list[IssuedInvoice] = []
    notes: list[IssuedInvoice] = []
    wanted: list[Any] = [one for pair in zip_longest(bills, credited) for one in pair if one is not None]
    for one in wanted:
        try:
            if isinstance(one[0], str):
                how, share = one[0], Decimal(one[1])
                asked: dict[str, Any] = {"percent": share} if how != "rest" else {}
                if how == "lines":
                    asked = {"lines": (LineShare(index=one[1] % len(lines), progress=share),)}
                issued.append(work.issue("part" if how == "lines" else how, **asked))
            elif issued:
                invoice, percent = issued[one[0] % len(issued)], one[2]
                group = invoice.totals.vat_breakdown[one[1] % len(invoice.totals.vat_breakdown)]
                amount = max(group.taxable_minor * (percent or 0) // 100, 1)
                scope = CreditByVat(amounts=(VatCredit(vat=group.vat, net_minor=amount),))
                notes.append(work.credit(invoice, scope if percent else CreditInFull()))
        except (FieldErrors, QuoteAlreadyInvoiced, CreditExceedsRemaining):
            continue
        quote, billing = work.quote, work.billing
        assert quote.unbilled == billing.remaining
        assert all(net >= 0 for net in billing.remaining.values())
        hold_progress(billing)
        if isinstance(one[0], str) and one[0] == "rest":
            assert {state.progress for state in billing.lines} == {100}
        assert (work.status() is QuoteStatus.INVOICED) is not any(billing.remaining.values())
        at_rates = {vat: sum(one.left_minor for one in work.states if one.vat == vat) for vat in billing.remaining}
        assert at_rates == billing.remaining
    nets = {vat: net for vat, (net, _) in groups(*(one.totals for one in issued)).items()}
    back = {vat: net for vat, (net, _) in groups(*(note.totals for note in notes)).items()}
    for group in work.quote.totals.vat_breakdown:
        left = work.billing.remaining[group.vat]
        assert nets.get(group.vat, 0) - back.get(group.vat, 0) + left == group.taxable_minor
    assert work.shop.proof().findings == ()


def test_a_line_that_is_credited_is_left_of_its_own_line_of_the_quote() -> None:
    work = Site(("1", "1000", "20"), ("1", "500", "20"), ("2", "300", "20")).accept()
    part = work.progress(l1=80, l2=50)

    work.credit(part, CreditByLine(lines=(LineCredit(index=1, quantity=Decimal(1)),)))
    work.credit(part, CreditByLine(lines=(LineCredit(index=0, net_minor=10_000),)))

    assert [state.billed_minor for state in work.states] == [0, 30_000, 0]
    assert [state.floor for state in work.states] == [0, 60, 0]
    whole = Site(("1", "1000", "20"), ("1", "500", "20")).accept()
    whole.credit(whole.issue("rest"), CreditByLine(lines=(LineCredit(index=1, quantity=Decimal(1)),)))
    assert [state.left_minor for state in whole.states] == [0, 50_000]


def test_parts_that_were_billed_before_lines_were_told_are_spread_over_them() -> None:
    work = Site(("1", "1000", "20"), ("1", "500", "20"), ("1", "300", "10")).accept()
    work.issue("deposit", percent=Decimal(20))
    told = work.states
    quote = work.quote
    former = replace(quote, parts=tuple(replace(part, lines=()) for part in quote.parts))
    work.held.store.quotes[quote.tenant_id, quote.quote_id] = former

    assert work.states == told
    assert [item.net_minor for item in work.progress(l0=50).totals.lines] == [30_000]


@pytest.mark.parametrize("share", [{"percent": Decimal(30)}, {"progress": Decimal(50)}, {"net_minor": 45_000}])
def test_a_rate_at_which_a_quote_takes_something_off_is_shared_like_the_others(share: dict[str, Any]) -> None:
    site = Site(("1", "1000", "20"), ("-1", "100", "10")).accept()

    part, rest = site.issue("part", **share), site.issue("rest")

    assert all(item.line.unit_price > 0 for item in (*part.totals.lines, *rest.totals.lines))
    assert {item.line.quantity for item in part.totals.lines} == {Decimal(1), Decimal(-1)}
    for index, rate in enumerate(("20", "10")):
        groups = [one.totals.vat_breakdown[index] for one in (part, rest)]
        assert {str(group.vat.rate) for group in groups} == {rate}
        assert sum(group.taxable_minor for group in groups) == (100_000, -10_000)[index]
        assert sum(group.vat_minor for group in groups) == (20_000, -1_000)[index]
    assert site.billing.remaining == dict.fromkeys(site.billing.remaining, 0)
