"""A credit note is issued whole or not at all, and never takes back more than remains, whoever asks at once."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from billing.domain.access import Role
from billing.domain.credit_notes import (
    CreditByLine,
    CreditByVat,
    CreditInFull,
    CreditNoteInput,
    CreditScope,
    LineCredit,
    VatCredit,
)
from billing.domain.crediting import Excess
from billing.domain.delivery import DeliveryState
from billing.domain.errors import (
    CreditExceedsRemaining,
    FieldErrors,
    Forbidden,
    InvoiceNotIssued,
    NotFound,
    PaymentExceedsBalance,
    RecipientMissing,
)
from billing.domain.events import EventType
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import InvoiceStatus, PaymentMethod
from billing.domain.numbering import NumberPattern, Series
from billing.domain.verification import Verification, VerificationState
from billing.ports.credit_notes import CreditNoteQuery
from billing.ports.idempotency import AlreadyAnswered
from billing.ports.paging import PageRequest
from billing.usecases import credit_notes, verifications
from tests import factories
from tests.fakes.crashes import Crashed, CrashPoint
from tests.usecases.conftest import Shop

FULL = CreditInFull()
PAGE = PageRequest()


def part(net_minor: int) -> CreditByVat:
    return CreditByVat(amounts=(VatCredit(vat=factories.VAT_20, net_minor=net_minor),))


def credit(shop: Shop, invoice_id: str, scope: CreditScope = FULL, **changes: Any) -> IssuedInvoice:
    wanted = CreditNoteInput(
        scope=scope,
        reason="Retour",
        excess=changes.pop("excess", Excess.CUSTOMER_CREDIT),
        refund_method=changes.pop("method", PaymentMethod.TRANSFER),
    )
    values: dict[str, Any] = {
        "send": False,
        "correlation_id": "corr",
        "once": shop.once("issueCreditNote"),
        "credit_notes": shop.repositories.credit_notes,
        "clock": shop.clock,
        "ids": shop.ids,
    }
    return credit_notes.issue_credit_note(changes.pop("caller", shop.caller), invoice_id, wanted, **values | changes)


def verified(shop: Shop) -> Verification:
    ports: dict[str, Any] = {"verifications": shop.repositories.verifications, "clock": shop.clock}
    job = verifications.start_invoice_verification(
        shop.caller, correlation_id="corr", once=shop.once("startInvoiceVerification"), ids=shop.ids, **ports
    )
    while job.state is VerificationState.RUNNING:
        job = verifications.verify_ledger_page(job.tenant_id, job.verification_id, **ports)
    return job


def credit_balance(shop: Shop, invoice: IssuedInvoice) -> int:
    customer_id = invoice.document.customer_id
    return shop.repositories.credit_notes.customer(shop.caller, customer_id).credit.balance_minor


def test_a_full_credit_cancels_the_invoice_and_is_numbered_in_its_own_series(shop: Shop) -> None:
    invoice = shop.issue()

    note = credit(shop, invoice.invoice_id)

    after = shop.stored(invoice)
    assert (after.ledger.status, after.ledger.balance_minor) == (InvoiceStatus.CANCELLED, 0)
    assert (note.document.number, note.document.series) == ("A2026-00001", Series.CREDIT_NOTE)
    assert [event.event_type for event in shop.events(note.invoice_id)] == [EventType.CREDIT_NOTE_ISSUED]
    assert [event.event_type for event in shop.events(invoice.invoice_id)][-1] is EventType.INVOICE_CREDITED
    assert shop.repositories.deliveries.request(note.tenant_id, note.invoice_id, 1).send is False
    assert verified(shop).state is VerificationState.PASSED


def test_a_second_credit_note_finds_nothing_left(shop: Shop) -> None:
    invoice = shop.issue()
    credit(shop, invoice.invoice_id)

    with pytest.raises(CreditExceedsRemaining):
        credit(shop, invoice.invoice_id)
    with pytest.raises(PaymentExceedsBalance):
        shop.pay(invoice.invoice_id, 1)

    assert verified(shop).documents_checked == 2


def test_what_was_paid_becomes_the_customers_credit(shop: Shop) -> None:
    invoice = shop.issue()
    shop.pay(invoice.invoice_id, 12_000)

    credit(shop, invoice.invoice_id, part(5_000))

    after = shop.stored(invoice)
    assert (after.ledger.status, after.ledger.balance_minor) == (InvoiceStatus.PAID, 0)
    assert credit_balance(shop, invoice) == 6_000
    assert verified(shop).state is VerificationState.PASSED


def test_what_was_paid_is_refunded_when_asked_by_one_who_may(shop: Shop) -> None:
    invoice = shop.issue()
    shop.pay(invoice.invoice_id, 12_000)
    with pytest.raises(Forbidden):
        credit(shop, invoice.invoice_id, excess=Excess.REFUND, caller=shop.person(Role.MEMBER))

    credit(shop, invoice.invoice_id, excess=Excess.REFUND)

    after = shop.stored(invoice)
    assert (after.ledger.refunded_minor, after.ledger.status) == (12_000, InvoiceStatus.CANCELLED)
    assert credit_balance(shop, invoice) == 0
    assert verified(shop).state is VerificationState.PASSED


def test_a_preview_is_what_would_be_issued_and_saves_nothing(shop: Shop) -> None:
    invoice = shop.issue()
    wanted = CreditNoteInput(scope=part(3_333), reason="Geste")
    before = dict(shop.repositories.store.invoices)

    seen = credit_notes.preview_credit_note(
        shop.caller, invoice.invoice_id, wanted, credit_notes=shop.repositories.credit_notes
    )

    assert shop.repositories.store.invoices == before
    note = credit(shop, invoice.invoice_id, part(3_333))
    assert (note.document.totals, note.document.settlement) == (seen.computed.totals, seen.settlement)


def test_a_draft_another_companys_invoice_and_a_credit_note_are_not_credited(shop: Shop) -> None:
    draft = shop.draft()
    note = credit(shop, shop.issue().invoice_id)
    stranger = factories.caller("ten_other", user_id="other")
    shop.repositories.memberships.found(factories.membership(stranger), at=shop.clock.now())

    with pytest.raises(InvoiceNotIssued):
        credit(shop, draft.invoice_id)
    with pytest.raises(NotFound):
        credit(shop, note.invoice_id)
    with pytest.raises(NotFound):
        credit(shop, note.document.preceding[0].invoice_id, caller=stranger)


def test_an_invoice_is_not_read_as_a_credit_note(shop: Shop) -> None:
    with pytest.raises(NotFound):
        credit_notes.read_credit_note(shop.caller, shop.issue().invoice_id, invoices=shop.repositories.invoices)


def test_a_reason_that_cannot_be_printed_is_pointed_at(shop: Shop) -> None:
    invoice = shop.issue()
    wanted = CreditNoteInput(scope=FULL, reason="\U0001f600")

    with pytest.raises(FieldErrors) as refused:
        credit_notes.issue_credit_note(
            shop.caller,
            invoice.invoice_id,
            wanted,
            send=False,
            correlation_id="corr",
            once=shop.once(),
            credit_notes=shop.repositories.credit_notes,
            clock=shop.clock,
            ids=shop.ids,
        )

    assert [error.pointer for error in refused.value.errors] == ["/reason"]


def test_a_credit_note_is_rendered_mailed_and_sent_again(shop: Shop) -> None:
    invoice = shop.issue()
    note = credit(shop, invoice.invoice_id, send=True)
    shop.render(note)
    shop.mail(note)
    shop.record(note)

    assert shop.stored(note).delivery.state is DeliveryState.SENT
    (mail,) = shop.mailer.accepted
    assert mail.subject.startswith("Avoir A2026-00001")
    assert "Montant de l'avoir" in mail.text
    assert mail.text.count("à votre crédit") == 0
    assert "IBAN" not in mail.text
    assert "échéance" not in mail.text.lower()
    sent = credit_notes.send_credit_note(
        shop.caller,
        note.invoice_id,
        recipient="autre@modele.example",
        correlation_id="corr",
        once=shop.once(),
        invoices=shop.repositories.invoices,
        customers=shop.repositories.customers,
        clock=shop.clock,
        ids=shop.ids,
    )
    assert sent.delivery.attempt == 2


def test_sending_to_a_customer_without_address_issues_nothing(shop: Shop) -> None:
    draft = shop.draft(shop.wanted(shop.customer(email=None).customer_id))
    invoice = shop.issue(draft)

    with pytest.raises(RecipientMissing):
        credit(shop, invoice.invoice_id, send=True)

    assert shop.stored(invoice) == invoice


def test_an_own_pattern_is_used_and_the_date_never_precedes_the_invoice(shop: Shop) -> None:
    shop.describe(credit_note_number_pattern=NumberPattern("AV{year}/{001}"))
    shop.clock.set(datetime(2027, 1, 1, 9, tzinfo=UTC))
    invoice = shop.issue()
    shop.clock.set(datetime(2026, 12, 31, 9, tzinfo=UTC))

    note = credit(shop, invoice.invoice_id)

    assert (note.document.number, note.document.issue_date) == ("AV2027/001", date(2027, 1, 1))


def test_the_same_request_has_its_effect_once(shop: Shop) -> None:
    invoice = shop.issue()
    once = shop.once("issueCreditNote")
    credit(shop, invoice.invoice_id, part(1_000), once=once)

    with pytest.raises(AlreadyAnswered):
        credit(shop, invoice.invoice_id, part(1_000), once=once)

    assert shop.stored(invoice).ledger.credited_minor == 1_200


def test_sixteen_credit_notes_at_once_take_back_the_invoice_once(shop: Shop) -> None:
    invoice = shop.issue()
    shop.pay(invoice.invoice_id, 4_000)
    gate = threading.Barrier(16)

    def one(_: int) -> bool:
        gate.wait()
        try:
            credit(shop, invoice.invoice_id, part(3_000))
        except CreditExceedsRemaining:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(one, range(16))) == 3

    credit(shop, invoice.invoice_id)
    after = shop.stored(invoice).ledger
    assert (after.credited_minor, after.balance_minor, after.status) == (12_000, 0, InvoiceStatus.CANCELLED)
    assert credit_balance(shop, invoice) == 4_000
    assert verified(shop).findings == ()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_anywhere_leaves_all_or_nothing(after: bool) -> None:
    for at in itertools.count(1):
        shop = Shop()
        shop.describe()
        invoice = shop.issue()
        shop.pay(invoice.invoice_id, 12_000)
        once = shop.once("issueCreditNote")
        crash = CrashPoint(at=at, after=after)
        try:
            credit(
                shop, invoice.invoice_id, once=once, send=True, credit_notes=crash.watch(shop.repositories.credit_notes)
            )
        except Crashed:
            pass
        else:
            assert at > 3
            return
        try:
            credit(shop, invoice.invoice_id, once=once, send=True)
        except AlreadyAnswered:
            assert after
        ledger = shop.stored(invoice).ledger
        assert (ledger.status, ledger.entry_count) == (InvoiceStatus.CANCELLED, 3)
        assert credit_balance(shop, invoice) == 12_000
        rows = credit_notes.list_credit_notes(
            shop.caller, CreditNoteQuery(), PAGE, credit_notes=shop.repositories.credit_notes
        )
        assert [row.number for row in rows.items] == ["A2026-00001"]
        assert verified(shop).findings == ()


def test_lists_show_credit_notes_of_a_customer_and_of_an_invoice(shop: Shop) -> None:
    first, second = shop.issue(), shop.issue()
    notes = [credit(shop, first.invoice_id, part(100)), credit(shop, second.invoice_id), credit(shop, first.invoice_id)]

    def listed(query: CreditNoteQuery) -> list[str]:
        rows = credit_notes.list_credit_notes(shop.caller, query, PAGE, credit_notes=shop.repositories.credit_notes)
        return [row.credit_note_id for row in rows.items]

    latest_first = [note.invoice_id for note in reversed(notes)]
    assert listed(CreditNoteQuery()) == latest_first
    assert listed(CreditNoteQuery(invoice_id=first.invoice_id)) == [latest_first[0], latest_first[2]]
    assert listed(CreditNoteQuery(customer_id=second.document.customer_id)) == [notes[1].invoice_id]


def test_the_proof_finds_a_credit_that_no_credit_note_says(shop: Shop) -> None:
    invoice = shop.issue()
    note = credit(shop, invoice.invoice_id, part(1_000))
    store = shop.repositories.store
    key = (shop.caller.tenant_id, invoice.invoice_id)

    entry = replace(store.entries[key][0], source_id="crn_other")
    store.entries[key] = (entry,)

    assert {finding.rule.value for finding in verified(shop).findings} == {"credits-match-notes", "note-is-credited"}
    assert note.document.number in {finding.subject for finding in verified(shop).findings}


@pytest.mark.parametrize(
    ("scope", "pointer"),
    [
        (part(10_001), "/amounts/0/net_minor"),
        (CreditByLine(lines=(LineCredit(index=0, quantity=Decimal(2), net_minor=None),)), "/lines/0/quantity"),
        (CreditByLine(lines=(LineCredit(index=0, quantity=None, net_minor=10_001),)), "/lines/0/net_minor"),
    ],
)
def test_what_asks_for_too_much_is_named(shop: Shop, scope: CreditScope, pointer: str) -> None:
    invoice = shop.issue()

    with pytest.raises(CreditExceedsRemaining) as refused:
        credit(shop, invoice.invoice_id, scope)

    assert [one.pointer for one in refused.value.errors] == [pointer]
    credit(shop, invoice.invoice_id)
    with pytest.raises(CreditExceedsRemaining) as again:
        credit(shop, invoice.invoice_id)
    assert [one.pointer for one in again.value.errors] == ["/mode"]
