"""The life of an invoice, from draft to paid, and every refusal on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from billing.domain.delivery import DeliveryState, StoredPdf
from billing.domain.errors import (
    Busy,
    CompanyNotDescribed,
    DeliveryInProgress,
    FieldErrors,
    IdempotencyKeyReused,
    InvoiceAlreadyIssued,
    InvoiceNotIssued,
    IssueDateTooEarly,
    NotFound,
    NumberTaken,
    PaymentExceedsBalance,
    PdfNotReady,
    RecipientMissing,
    StaleVersion,
    UnknownReference,
)
from billing.domain.events import EventType
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import InvoiceStatus
from billing.domain.numbering import NumberPattern, Series, SeriesState
from billing.domain.totals import Discount
from billing.domain.vat import FRANCHISE_TREATMENT, VatRegime
from billing.ports.drafts import DraftInput, LineInput
from billing.ports.idempotency import AlreadyAnswered
from billing.ports.paging import PageRequest
from billing.ports.repositories import InvoiceQuery, SeriesMoved
from billing.usecases import invoices
from billing.usecases.contention import BUDGET_SECONDS
from billing.usecases.invoices import CROWD_PAUSE_SECONDS
from tests import factories
from tests.fakes.clock import MORNING
from tests.fakes.payments import FakePayments
from tests.fakes.repositories import FakeInvoices
from tests.usecases.conftest import TAXED, Shop

BEFORE_MIDNIGHT = datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC)  # 23:59:59 in Paris


class ContendedInvoices(FakeInvoices):
    """Another document is issued just before each of the first attempts."""

    def __init__(self, shop: Shop, others: int, *, on: date | None = None) -> None:
        super().__init__(shop.repositories.store)
        self._shop = shop
        self._on = on
        self.others = others
        self.states: list[SeriesState] = []

    def issue(self, *args: Any, **kwargs: Any) -> None:
        if self.others:
            self.others -= 1
            self._shop.issue(issue_date=self._on)
        try:
            super().issue(*args, **kwargs)
        except SeriesMoved as moved:
            self.states.append(moved.state)
            raise


def _edit(shop: Shop, draft: Any, wanted: DraftInput, *, expected_version: int | None = None) -> Any:
    return invoices.edit_invoice(
        shop.caller,
        draft.invoice_id,
        wanted,
        expected_version=draft.version if expected_version is None else expected_version,
        invoices=shop.repositories.invoices,
        clock=shop.clock,
        ids=shop.ids,
    )


def _delete(shop: Shop, invoice_id: str, *, expected_version: int = 1) -> None:
    invoices.delete_invoice(
        shop.caller,
        invoice_id,
        expected_version=expected_version,
        invoices=shop.repositories.invoices,
        quotes=shop.repositories.quotes,
        clock=shop.clock,
        ids=shop.ids,
    )


def test_a_draft_has_totals_and_no_number(shop: Shop) -> None:
    draft = shop.draft()

    assert draft.totals.total_minor == 12_000
    assert shop.repositories.invoices.read(shop.caller, draft.invoice_id) == draft
    assert shop.repositories.store.numbers == {}


def test_a_line_takes_what_it_leaves_out_from_the_catalogue(shop: Shop) -> None:
    product = shop.product(name="Conseil", unit_price=Decimal("95.00"), unit="HUR")
    customer = shop.customer()
    own = LineInput(
        product_id=product.product_id,
        description="Conseil du soir",
        details="",
        quantity=Decimal(2),
        unit="DAY",
        unit_price=Decimal(500),
        vat=factories.taxed("5.5"),
        discount=Discount(percent=Decimal(10)),
    )

    draft = shop.draft(
        shop.wanted(customer.customer_id, LineInput(product_id=product.product_id, quantity=Decimal(2)), own)
    )

    from_catalogue, overridden = draft.content.lines
    assert (from_catalogue.description, from_catalogue.unit, from_catalogue.unit_price) == (
        "Conseil",
        "HUR",
        Decimal("95.00"),
    )
    assert from_catalogue.details == "Accompagnement sur site"
    assert from_catalogue.vat == TAXED
    assert (overridden.description, overridden.details, overridden.unit) == ("Conseil du soir", "", "DAY")
    assert draft.totals.lines_minor == 19_000 + 90_000


def test_a_free_line_gets_the_plain_unit_and_must_say_the_rest(shop: Shop) -> None:
    wanted = shop.wanted(shop.customer().customer_id, LineInput(quantity=Decimal(1)))

    with pytest.raises(FieldErrors) as refused:
        shop.draft(wanted)

    assert [error.pointer for error in refused.value.errors] == [
        "/lines/0/description",
        "/lines/0/unit_price",
        "/lines/0/vat_rate",
    ]
    assert shop.draft().content.lines[0].unit == "C62"


def test_a_company_under_the_franchise_needs_no_rate_and_refuses_one() -> None:
    shop = Shop()
    shop.describe(vat_regime=VatRegime.FRANCHISE, vat_number=None)
    customer_id = shop.customer().customer_id
    without = LineInput(description="Cours", quantity=Decimal(1), unit_price=Decimal(50))

    draft = shop.draft(shop.wanted(customer_id, without))

    assert draft.content.lines[0].vat == FRANCHISE_TREATMENT
    assert draft.totals.vat_minor == 0
    with pytest.raises(FieldErrors):
        shop.draft(shop.wanted(customer_id, replace(without, vat=TAXED)))


def test_a_draft_needs_a_described_company_a_known_customer_and_known_products(shop: Shop) -> None:
    customer_id = shop.customer().customer_id
    unknown = LineInput(product_id="prd_none", quantity=Decimal(1))

    with pytest.raises(UnknownReference) as customer_refused:
        shop.draft(shop.wanted("cus_none"))
    with pytest.raises(UnknownReference) as product_refused:
        shop.draft(shop.wanted(customer_id, unknown, unknown))
    bare = Shop()
    with pytest.raises(CompanyNotDescribed):
        bare.draft()

    assert [error.pointer for error in customer_refused.value.errors] == ["/customer_id"]
    assert [error.pointer for error in product_refused.value.errors] == [
        "/lines/0/product_id",
        "/lines/1/product_id",
    ]


def test_a_draft_asked_twice_is_answered_whatever_changed_meanwhile(shop: Shop) -> None:
    customer, product = shop.customer(), shop.product()
    wanted = shop.wanted(customer.customer_id, LineInput(product_id=product.product_id, quantity=Decimal(1)))
    once = shop.once("createInvoice")
    draft = shop.draft(wanted, once=once)
    store = shop.repositories.store
    store.companies.clear()
    store.customers.clear()
    store.products.clear()

    with pytest.raises(AlreadyAnswered) as replayed:
        shop.draft(wanted, once=once)

    assert draft.invoice_id in replayed.value.answer.body


def test_a_text_of_the_catalogue_that_no_font_draws_is_refused_on_the_draft(shop: Shop) -> None:
    product = shop.product()
    stored = replace(product, description=replace(product.description, name="Pose 😀"))
    shop.repositories.store.products[product.tenant_id, product.product_id] = stored
    wanted = shop.wanted(shop.customer().customer_id, LineInput(product_id=product.product_id, quantity=Decimal(1)))

    with pytest.raises(FieldErrors) as refused:
        shop.draft(wanted)

    assert [error.pointer for error in refused.value.errors] == ["/lines/0/description"]


@pytest.mark.parametrize("what", ["customer", "company", "draft"])
def test_what_was_stored_unprintable_is_refused_before_a_number_is_taken(shop: Shop, what: str) -> None:
    draft = shop.draft()
    store = shop.repositories.store
    customer = store.customers[draft.tenant_id, draft.content.customer_id]
    company = store.companies[draft.tenant_id]
    if what == "customer":
        store.customers[draft.tenant_id, customer.customer_id] = replace(
            customer, description=replace(customer.description, name="Bar 😀")
        )
    elif what == "company":
        store.companies[draft.tenant_id] = replace(
            company, description=replace(company.description, bank_name="Banque 😀")
        )
    else:
        store.invoices[draft.tenant_id, draft.invoice_id] = replace(
            draft, content=replace(draft.content, notes="Merci 😀")
        )
    pointers = {"customer": "/customer/name", "company": "/company/bank_name", "draft": "/notes"}

    with pytest.raises(FieldErrors) as refused:
        shop.issue(draft)

    assert [(error.pointer, "😀" in error.detail_fr) for error in refused.value.errors] == [(pointers[what], True)]
    assert store.numbers == {}


def test_a_preview_says_the_draft_s_totals_and_saves_nothing(shop: Shop) -> None:
    wanted = shop.wanted(shop.customer().customer_id)

    shown = invoices.preview_invoice(shop.caller, wanted, invoices=shop.repositories.invoices, clock=shop.clock)

    draft = shop.draft(wanted)
    assert (shown.totals, shown.warnings) == (draft.totals, draft.warnings)
    assert len(shop.repositories.store.invoices) == 1


def test_an_edit_replaces_the_content_one_version_further(shop: Shop) -> None:
    draft = shop.draft()
    shop.clock.advance(timedelta(minutes=1))

    edited = _edit(shop, draft, shop.wanted(draft.content.customer_id, notes="Merci"))

    assert (edited.version, edited.content.notes, edited.created_at) == (2, "Merci", draft.created_at)
    assert edited.updated_at > draft.updated_at
    with pytest.raises(StaleVersion):
        _edit(shop, draft, shop.wanted(draft.content.customer_id))
    with pytest.raises(FieldErrors):
        _edit(shop, edited, shop.wanted(draft.content.customer_id, discount=Discount(amount_minor=10**9)))


def test_an_issued_invoice_refuses_edit_deletion_and_issue_whatever_the_version(shop: Shop) -> None:
    draft = shop.draft()
    invoice = shop.issue(draft)
    wanted = shop.wanted(draft.content.customer_id)

    for version in (draft.version, invoice.version):
        with pytest.raises(InvoiceAlreadyIssued):
            _edit(shop, draft, wanted, expected_version=version)
        with pytest.raises(InvoiceAlreadyIssued):
            _delete(shop, draft.invoice_id, expected_version=version)
        with pytest.raises(InvoiceAlreadyIssued) as refused:
            shop.issue(draft, expected_version=version)
        assert "F2026-00001" in refused.value.detail_fr

    assert shop.stored(invoice) == invoice


def test_a_draft_is_deleted_at_the_version_seen(shop: Shop) -> None:
    draft = shop.draft()

    with pytest.raises(StaleVersion):
        _delete(shop, draft.invoice_id, expected_version=7)
    _delete(shop, draft.invoice_id)
    with pytest.raises(NotFound):
        invoices.read_invoice(shop.caller, draft.invoice_id, invoices=shop.repositories.invoices)
    with pytest.raises(NotFound):
        _delete(shop, draft.invoice_id)


def test_deleted_drafts_leave_no_gap(shop: Shop) -> None:
    first, second = shop.draft(), shop.draft()
    _delete(shop, first.invoice_id)

    assert shop.issue(second).document.number == "F2026-00001"


def test_issue_numbers_freezes_and_asks_for_the_pdf(shop: Shop) -> None:
    draft = shop.draft()

    invoice = shop.issue(draft)

    assert invoice.document.number == "F2026-00001"
    assert invoice.document.issue_date == date(2026, 11, 23)
    assert invoice.ledger.status is InvoiceStatus.ISSUED
    assert (invoice.delivery.attempt, invoice.delivery.in_progress) == (1, True)
    assert invoice.delivery.state is DeliveryState.NOT_SENT
    request = shop.repositories.deliveries.request(invoice.tenant_id, invoice.invoice_id, 1)
    assert (request.send, request.recipient, request.correlation_id) == (False, None, "corr")
    assert shop.stored(invoice) == invoice
    assert [event.event_type for event in shop.events(invoice.invoice_id)] == [
        EventType.INVOICE_CREATED,
        EventType.INVOICE_ISSUED,
    ]


def test_issue_and_send_freezes_the_recipient_of_the_attempt(shop: Shop) -> None:
    invoice = shop.issue(send=True)

    request = shop.repositories.deliveries.request(invoice.tenant_id, invoice.invoice_id, 1)
    assert (request.send, request.recipient) == (True, "compta@modele.example")
    assert invoice.delivery.state is DeliveryState.SENDING


def test_issue_and_send_to_nobody_is_refused_and_burns_no_number(shop: Shop) -> None:
    silent = shop.draft(shop.wanted(shop.customer(email=None).customer_id))

    with pytest.raises(RecipientMissing):
        shop.issue(silent, send=True)

    assert shop.issue(silent).document.rank == 1


def test_the_snapshot_keeps_what_customer_and_company_were(shop: Shop) -> None:
    invoice = shop.issue()
    shop.describe(legal_name="Nouveau nom SARL")

    assert shop.stored(invoice).document.seller.legal_name == "Exemple SARL"
    assert shop.issue().document.seller.legal_name == "Nouveau nom SARL"


def test_the_customer_is_frozen_as_it_is_at_issue(shop: Shop) -> None:
    draft = shop.draft()
    customer = shop.repositories.customers.read(shop.caller, draft.content.customer_id)
    renamed = replace(customer, version=2, description=factories.customer_description(name="Nouvelle enseigne"))
    shop.repositories.customers.save(shop.caller, renamed, previous=customer, event=factories.event())

    assert shop.issue(draft).customer_name == "Nouvelle enseigne"


def test_issue_refuses_an_unknown_a_stale_and_an_empty_draft(shop: Shop) -> None:
    draft = shop.draft()
    empty = shop.draft(replace(shop.wanted(draft.content.customer_id), lines=()))

    with pytest.raises(NotFound):
        shop.issue(replace(draft, invoice_id="inv_none"))
    with pytest.raises(StaleVersion):
        shop.issue(draft, expected_version=2)
    with pytest.raises(FieldErrors):
        shop.issue(empty)

    assert shop.repositories.store.numbers == {}


def test_issue_refuses_tomorrow_and_a_date_before_the_last_one(shop: Shop) -> None:
    draft = shop.draft()

    with pytest.raises(FieldErrors) as refused:
        shop.issue(draft, issue_date=date(2026, 11, 24))
    assert refused.value.errors[0].pointer == "/issue_date"

    shop.issue(issue_date=date(2026, 11, 20))
    with pytest.raises(IssueDateTooEarly):
        shop.issue(draft, issue_date=date(2026, 11, 19))
    assert shop.issue(draft, issue_date=date(2026, 11, 20)).document.number == "F2026-00002"


def test_a_number_that_another_mask_printed_is_refused(shop: Shop) -> None:
    shop.describe(invoice_number_pattern=NumberPattern("F{year}-1{1}"))
    assert shop.issue().document.number == "F2026-11"
    shop.describe(invoice_number_pattern=NumberPattern("F{year}-{1}"))
    for _ in range(9):
        shop.issue()

    with pytest.raises(NumberTaken):
        shop.issue()

    shop.describe(invoice_number_pattern=NumberPattern("G{year}-{1}"))
    assert shop.issue().document.number == "G2026-11"


@pytest.mark.parametrize("others", [1, 5, 40])
def test_issue_takes_the_next_number_however_often_the_series_moves(shop: Shop, others: int) -> None:
    shop.subscribe()
    draft = shop.draft()
    contended = ContendedInvoices(shop, others)

    invoice = shop.issue(draft, invoices=contended)

    assert invoice.document.rank == others + 1
    assert invoice.document.previous_hash == contended.states[-1].last_hash
    assert len(shop.clock.slept) == others - 1, "the first retry goes at once"
    assert all(0 <= pause <= CROWD_PAUSE_SECONDS for pause in shop.clock.slept)


def test_issue_gives_up_when_its_budget_is_spent_and_leaves_the_draft(shop: Shop) -> None:
    shop.subscribe()
    draft = shop.draft()
    contended = ContendedInvoices(shop, 10**6)

    with pytest.raises(Busy):
        shop.issue(draft, invoices=contended)

    assert BUDGET_SECONDS < sum(shop.clock.slept) < BUDGET_SECONDS + 1
    assert shop.repositories.invoices.read(shop.caller, draft.invoice_id) == draft


def test_at_midnight_the_new_year_opens_and_the_chain_goes_on(shop: Shop) -> None:
    shop.clock.set(BEFORE_MIDNIGHT)
    last = shop.issue()
    shop.clock.advance(timedelta(seconds=1))
    first = shop.issue()

    assert (last.document.number, last.document.issue_date) == ("F2026-00001", date(2026, 12, 31))
    assert (first.document.number, first.document.issue_date) == ("F2027-00001", date(2027, 1, 1))
    assert first.document.previous_hash == last.document_hash


def test_a_process_whose_clock_is_late_at_midnight_follows_the_series(shop: Shop) -> None:
    shop.clock.set(BEFORE_MIDNIGHT + timedelta(seconds=1))
    shop.issue()
    shop.clock.set(BEFORE_MIDNIGHT)

    late = shop.issue()

    assert (late.document.number, late.document.issue_date) == ("F2027-00002", date(2027, 1, 1))


def test_an_explicit_old_date_is_refused_when_the_year_turned_meanwhile(shop: Shop) -> None:
    shop.clock.set(BEFORE_MIDNIGHT + timedelta(seconds=1))
    draft = shop.draft()
    contended = ContendedInvoices(shop, 1, on=date(2027, 1, 1))

    with pytest.raises(IssueDateTooEarly):
        shop.issue(draft, issue_date=date(2026, 12, 31), invoices=contended)

    assert shop.repositories.store.series[shop.caller.tenant_id, Series.INVOICE].last_rank == 1


def test_an_issue_asked_twice_takes_one_number(shop: Shop) -> None:
    draft, once = shop.draft(), shop.once("issueInvoice")
    shop.issue(draft, once=once)

    for _ in range(3):
        with pytest.raises(AlreadyAnswered):
            shop.issue(draft, once=once)
    with pytest.raises(IdempotencyKeyReused):
        shop.issue(draft, once=replace(once, fingerprint="other"))

    assert len(shop.repositories.store.numbers) == 1


def test_send_opens_the_next_attempt_to_the_customers_current_address(shop: Shop) -> None:
    invoice = shop.issue()
    shop.render(invoice)
    shop.record(invoice)

    sent = shop.send(invoice.invoice_id)

    assert (sent.delivery.attempt, sent.delivery.state) == (2, DeliveryState.SENDING)
    request = shop.repositories.deliveries.request(invoice.tenant_id, invoice.invoice_id, 2)
    assert request.recipient == "compta@modele.example"


def test_send_takes_another_address_when_told(shop: Shop) -> None:
    invoice = shop.issue(shop.draft(shop.wanted(shop.customer(email=None).customer_id)))
    shop.record(invoice)

    with pytest.raises(RecipientMissing):
        shop.send(invoice.invoice_id)
    shop.send(invoice.invoice_id, recipient="autre@epicerie.example")

    request = shop.repositories.deliveries.request(invoice.tenant_id, invoice.invoice_id, 2)
    assert request.recipient == "autre@epicerie.example"


def test_send_refuses_a_draft_an_unknown_invoice_and_a_second_attempt_at_once(shop: Shop) -> None:
    draft, invoice = shop.draft(), shop.issue(send=True)

    with pytest.raises(InvoiceNotIssued):
        shop.send(draft.invoice_id)
    with pytest.raises(NotFound):
        shop.send("inv_none")
    with pytest.raises(DeliveryInProgress):
        shop.send(invoice.invoice_id)


class ContendedDeliveries(FakeInvoices):
    """Something moves the invoice just before each of the first requests for a delivery."""

    def __init__(self, shop: Shop, *before: Callable[[], object]) -> None:
        super().__init__(shop.repositories.store)
        self._before = list(before)

    def request_delivery(self, *args: Any, **kwargs: Any) -> None:
        if self._before:
            self._before.pop()()
        super().request_delivery(*args, **kwargs)


def _settled(shop: Shop) -> IssuedInvoice:
    invoice = shop.issue()
    shop.render(invoice)
    shop.record(invoice)
    return shop.stored(invoice)


def test_send_goes_on_when_payments_come_in_between(shop: Shop) -> None:
    invoice = _settled(shop)
    pay = partial(shop.pay, invoice.invoice_id, 100)

    sent = shop.send(invoice.invoice_id, invoices=ContendedDeliveries(shop, pay, pay))

    assert (sent.delivery.attempt, sent.ledger.paid_minor) == (2, 200)
    assert shop.stored(invoice) == sent


def test_send_while_another_sends_says_that_one_is_in_progress(shop: Shop) -> None:
    invoice = _settled(shop)

    with pytest.raises(DeliveryInProgress):
        shop.send(invoice.invoice_id, invoices=ContendedDeliveries(shop, partial(shop.send, invoice.invoice_id)))

    assert shop.stored(invoice).delivery.attempt == 2


def test_send_gives_up_when_its_budget_is_spent(shop: Shop) -> None:
    invoice = _settled(shop)
    payments = [partial(shop.pay, invoice.invoice_id, 1)] * 1000

    with pytest.raises(Busy):
        shop.send(invoice.invoice_id, invoices=ContendedDeliveries(shop, *payments))


def test_send_does_not_wait_for_the_pdf_that_the_issue_asked_for(shop: Shop) -> None:
    invoice = shop.issue()
    sent = shop.send(invoice.invoice_id)
    shop.render(invoice)
    shop.record(invoice)

    stored = shop.stored(invoice).delivery
    assert (sent.delivery.attempt, stored.attempt, stored.in_progress) == (2, 2, True)
    assert stored.pdf is not None


def test_an_archived_product_stays_on_the_draft_that_has_it_and_goes_on_no_other(shop: Shop) -> None:
    product = shop.product()
    line = LineInput(product_id=product.product_id, quantity=Decimal(1))
    wanted = DraftInput(customer_id=shop.customer().customer_id, lines=(line,))
    draft = shop.draft(wanted)
    shop.archive(product.product_id)

    assert _edit(shop, draft, wanted).version == 2
    with pytest.raises(FieldErrors) as refused:
        shop.draft(wanted)
    assert [error.pointer for error in refused.value.errors] == ["/lines/0/product_id"]


def test_send_asked_twice_opens_one_attempt(shop: Shop) -> None:
    invoice = shop.issue()
    shop.record(invoice)
    once = shop.once("sendInvoice")
    shop.send(invoice.invoice_id, once=once)

    with pytest.raises(AlreadyAnswered):
        shop.send(invoice.invoice_id, once=once)

    assert shop.stored(invoice).delivery.attempt == 2


def test_the_pdf_is_downloaded_once_it_is_stored(shop: Shop) -> None:
    draft, invoice = shop.draft(), shop.issue()

    def download(invoice_id: str) -> Any:
        return invoices.download_invoice(
            shop.caller,
            invoice_id,
            invoices=shop.repositories.invoices,
            documents=shop.documents,
            clock=shop.clock,
        )

    with pytest.raises(InvoiceNotIssued):
        download(draft.invoice_id)
    with pytest.raises(PdfNotReady):
        download(invoice.invoice_id)
    with pytest.raises(NotFound):
        download("inv_none")

    rendering = shop.render(invoice)
    link = download(invoice.invoice_id)
    assert rendering.pdf_key in link.url
    assert link.url.endswith("F2026-00001.pdf")
    assert link.expires_at > shop.clock.now()


def test_payments_bring_an_invoice_to_paid(shop: Shop) -> None:
    invoice = shop.issue()

    begun = shop.pay(invoice.invoice_id, 5_000)
    paid = shop.pay(invoice.invoice_id, 7_000)

    assert (begun.ledger.status, begun.ledger.balance_minor) == (InvoiceStatus.PARTIALLY_PAID, 7_000)
    assert (paid.ledger.status, paid.ledger.balance_minor) == (InvoiceStatus.PAID, 0)
    assert paid.document == invoice.document
    last = shop.events(invoice.invoice_id)[-1]
    assert last.event_type is EventType.PAYMENT_RECORDED
    assert last.data["balance_minor"] == 0


def test_a_payment_is_refused_on_a_draft_beyond_the_balance_and_in_the_future(shop: Shop) -> None:
    draft, invoice = shop.draft(), shop.issue()

    with pytest.raises(InvoiceNotIssued):
        shop.pay(draft.invoice_id, 1)
    with pytest.raises(NotFound):
        shop.pay("inv_none", 1)
    with pytest.raises(PaymentExceedsBalance):
        shop.pay(invoice.invoice_id, 12_001)
    with pytest.raises(FieldErrors) as refused:
        shop.pay(invoice.invoice_id, 1, paid_on=date(2026, 11, 24))

    assert refused.value.errors[0].pointer == "/paid_on"
    assert shop.stored(invoice).ledger.entry_count == 0


class MovingPayments(FakePayments):
    """Something else moves the head just before each of the first payments."""

    def __init__(self, shop: Shop, invoice_id: str, *, amounts: list[int]) -> None:
        super().__init__(shop.repositories.store)
        self._shop = shop
        self._invoice_id = invoice_id
        self._amounts = amounts

    def write(self, *args: Any, **kwargs: Any) -> None:
        if self._amounts:
            self._shop.pay(self._invoice_id, self._amounts.pop())
        super().write(*args, **kwargs)


def test_two_payments_at_once_are_both_recorded_when_the_balance_allows(shop: Shop) -> None:
    invoice = shop.issue()
    moving = MovingPayments(shop, invoice.invoice_id, amounts=[1_000, 2_000])

    paid = shop.pay(invoice.invoice_id, 9_000, payments=moving)

    assert (paid.ledger.paid_minor, paid.ledger.entry_count) == (12_000, 3)
    assert paid.ledger.status is InvoiceStatus.PAID


def test_two_payments_at_once_never_pay_more_than_the_balance(shop: Shop) -> None:
    invoice = shop.issue()
    moving = MovingPayments(shop, invoice.invoice_id, amounts=[12_000])

    with pytest.raises(PaymentExceedsBalance):
        shop.pay(invoice.invoice_id, 1, payments=moving)

    assert shop.stored(invoice).ledger.paid_minor == 12_000


def test_a_payment_gives_up_when_its_budget_is_spent(shop: Shop) -> None:
    invoice = shop.issue()
    moving = MovingPayments(shop, invoice.invoice_id, amounts=[1] * 5_000)

    with pytest.raises(Busy):
        shop.pay(invoice.invoice_id, 1, payments=moving)


def test_a_payment_asked_twice_is_recorded_once(shop: Shop) -> None:
    invoice, once = shop.issue(), shop.once("recordInvoicePayment")
    shop.pay(invoice.invoice_id, 12_000, once=once)

    with pytest.raises(AlreadyAnswered):
        shop.pay(invoice.invoice_id, 12_000, once=once)

    assert shop.stored(invoice).ledger.entry_count == 1


def test_lists_and_timelines_are_those_of_the_company(shop: Shop) -> None:
    invoice = shop.issue()
    page = PageRequest()

    listed = invoices.list_invoices(shop.caller, InvoiceQuery(), page, invoices=shop.repositories.invoices)
    told = invoices.read_invoice_timeline(shop.caller, invoice.invoice_id, page, invoices=shop.repositories.invoices)

    assert [item.number for item in listed.items] == ["F2026-00001"]
    assert [event.actor for event in told.items] == [shop.caller.user_id] * 2
    with pytest.raises(NotFound):
        invoices.read_invoice_timeline(shop.caller, "inv_none", page, invoices=shop.repositories.invoices)


def test_events_hold_figures_and_identifiers_never_names_or_addresses(shop: Shop) -> None:
    invoice = shop.issue(send=True)
    shop.pay(invoice.invoice_id, 100)

    told = repr([event.data for event in shop.events(invoice.invoice_id)])

    assert "picerie" not in told
    assert "@" not in told


def test_a_pdf_is_not_part_of_the_frozen_document(shop: Shop) -> None:
    invoice = shop.issue()
    pdf = StoredPdf(key="k", sha256="s", size_bytes=1, rendered_at=MORNING)
    shop.repositories.deliveries.record_pdf(invoice.tenant_id, invoice.invoice_id, pdf, event=factories.event("evt_z"))

    assert shop.stored(invoice).document_hash == invoice.document_hash
