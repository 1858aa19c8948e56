"""A credit note takes back what remains, by line, by VAT group or whole; credit + invoice = 0 to the cent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from billing.domain.credit_notes import (
    CreditByLine,
    CreditByVat,
    CreditInFull,
    CreditScope,
    LineCredit,
    VatCredit,
    compute_credit,
    credit_entries,
    freeze_credit_note,
    line_amounts,
    remaining_groups,
    settle,
)
from billing.domain.crediting import CreditSettlement, Excess, vat_of
from billing.domain.errors import CreditExceedsRemaining, FieldErrors
from billing.domain.invoice import DocumentType, IssuedInvoice
from billing.domain.ledger import EntryKind, InvoiceStatus, PaymentMethod
from billing.domain.numbering import DEFAULT_PATTERNS, Series, SeriesState, allocate
from billing.domain.totals import Discount, Line
from billing.domain.vat import VatRegime
from tests import factories
from tests.factories import VAT_5_5, VAT_20, priced

FULL = CreditInFull()


def invoice_of(*lines: Line, discount: Discount | None = None, paid_minor: int = 0) -> IssuedInvoice:
    made = factories.issued(lines=lines, discount=discount)
    return made.with_entry(factories.entry(1, paid_minor)) if paid_minor else made


def credited(
    invoice: IssuedInvoice, scope: CreditScope, *, excess: Excess = Excess.CUSTOMER_CREDIT
) -> tuple[IssuedInvoice, IssuedInvoice]:
    """The invoice after a credit note, and the credit note."""
    computed = compute_credit(invoice.document, invoice.ledger, scope)
    note = freeze_credit_note(
        f"crn_{invoice.ledger.entry_count}",
        invoice,
        computed,
        company=factories.company(),
        allocation=allocate(
            SeriesState.untouched(Series.CREDIT_NOTE), DEFAULT_PATTERNS[Series.CREDIT_NOTE], date(2026, 11, 24)
        ),
        settlement=settle(invoice.ledger, computed.totals.total_minor, excess),
        reason="Retour",
        issued_at=factories.ISSUED_AT,
    )
    entries = credit_entries(
        invoice, note, computed.credited_lines, entry_id="ent_1", method=PaymentMethod.TRANSFER, by="usr"
    )
    return invoice.with_entry(*entries), note


def test_a_whole_credit_mirrors_the_invoice_and_cancels_it() -> None:
    invoice = invoice_of(priced("33.335", "3"), priced("10", vat=VAT_5_5), discount=Discount(percent=Decimal(5)))

    after, note = credited(invoice, FULL)

    assert note.document.totals == invoice.document.totals
    assert after.ledger.status is InvoiceStatus.CANCELLED
    assert after.ledger.balance_minor == 0
    assert remaining_groups(after.document, after.ledger) == tuple(
        replace(group, net_minor=0, vat_minor=0) for group in remaining_groups(invoice.document, invoice.ledger)
    )


def test_a_credit_note_refers_to_its_invoice_and_keeps_its_buyer() -> None:
    invoice = invoice_of(priced("100"))

    _, note = credited(invoice, FULL)

    document = note.document
    assert document.document_type is DocumentType.CREDIT_NOTE
    (preceding,) = document.preceding
    assert (preceding.invoice_id, preceding.number, preceding.issue_date) == (
        invoice.invoice_id,
        invoice.document.number,
        invoice.document.issue_date,
    )
    assert (document.number, document.reason, document.buyer) == ("A2026-00001", "Retour", invoice.document.buyer)


def test_a_deposit_invoice_is_credited_by_its_own_type() -> None:
    invoice = factories.issued(lines=(priced("100"),), document_type=DocumentType.DEPOSIT)

    assert credited(invoice, FULL)[1].document.document_type is DocumentType.DEPOSIT_CREDIT_NOTE


def test_what_was_charged_under_another_vat_regime_is_given_back_under_it() -> None:
    invoice = factories.issued(seller=factories.franchise_company())

    _, note = credited(invoice, FULL)

    assert note.document.seller.vat_regime is VatRegime.FRANCHISE
    assert note.document.seller.vat_number is None
    assert note.document.totals.vat_minor == 0


@pytest.mark.parametrize("parts", [(1, 2), (1, 1, 1), (2, 1)])
def test_half_cents_credited_in_parts_add_up_to_the_invoice(parts: tuple[int, ...]) -> None:
    """3 × 0.125 € at 20 %: 0.38 € net, 0.08 € VAT; each unit alone rounds otherwise."""
    invoice = invoice_of(priced("0.125", "3"))
    total = invoice.document.totals

    notes = []
    for quantity in parts:
        scope = CreditByLine(lines=(LineCredit(index=0, quantity=Decimal(quantity)),))
        invoice, note = credited(invoice, scope)
        notes.append(note.document.totals)

    assert sum(note.net_minor for note in notes) == total.net_minor
    assert sum(note.vat_minor for note in notes) == total.vat_minor
    assert invoice.ledger.status is InvoiceStatus.CANCELLED


def test_the_vat_credited_is_always_that_of_the_net_credited_so_far() -> None:
    invoice = invoice_of(priced("1.00"))

    for _ in range(20):
        invoice, note = credited(invoice, CreditByVat(amounts=(VatCredit(vat=VAT_20, net_minor=5),)))
        (group,) = invoice.ledger.credited_groups
        assert group.vat_minor == vat_of(VAT_20, group.net_minor)
        assert all(abs(rounding.amount_minor) <= 1 for rounding in note.document.vat_rounding)

    assert invoice.ledger.credited_minor == 120
    with pytest.raises(CreditExceedsRemaining):
        compute_credit(invoice.document, invoice.ledger, FULL)


def test_what_remains_after_a_part_is_credited_by_one_line_per_vat_group() -> None:
    invoice = invoice_of(priced("100"), priced("50", vat=VAT_5_5))
    invoice, _ = credited(invoice, CreditByVat(amounts=(VatCredit(vat=VAT_20, net_minor=3_333),)))

    after, note = credited(invoice, FULL)

    assert [item.net_minor for item in note.document.totals.lines] == [6_667, 5_000]
    assert after.ledger.credited_minor == invoice.document.totals.total_minor


def test_a_line_is_worth_its_share_of_the_documents_discount() -> None:
    invoice = invoice_of(priced("60"), priced("40"), discount=Discount(amount_minor=1_000))
    assert line_amounts(invoice.document.totals) == (5_400, 3_600)

    after, note = credited(invoice, CreditByLine(lines=(LineCredit(index=0, quantity=Decimal(1)),)))

    assert note.document.totals.net_minor == 5_400
    assert after.ledger.credited_lines[0].quantity == 1


@pytest.mark.parametrize(
    "scope",
    [
        CreditByLine(lines=(LineCredit(index=0, quantity=Decimal("1.0001")),)),
        CreditByLine(lines=(LineCredit(index=0, net_minor=10_001),)),
        CreditByVat(amounts=(VatCredit(vat=VAT_20, net_minor=10_001),)),
    ],
    ids=["quantity", "line-amount", "vat-amount"],
)
def test_nothing_beyond_what_remains_is_credited(scope: CreditScope) -> None:
    invoice = invoice_of(priced("100"), priced("500", vat=VAT_5_5))

    with pytest.raises(CreditExceedsRemaining):
        compute_credit(invoice.document, invoice.ledger, scope)


def test_one_line_is_not_credited_twice_though_its_vat_group_has_more() -> None:
    invoice = invoice_of(priced("100"), priced("900"))
    scope = CreditByLine(lines=(LineCredit(index=0, quantity=Decimal(1)),))
    invoice, _ = credited(invoice, scope)

    with pytest.raises(CreditExceedsRemaining):
        compute_credit(invoice.document, invoice.ledger, scope)


def test_a_vat_group_credited_by_amount_bounds_its_lines() -> None:
    invoice = invoice_of(priced("100"))
    invoice, _ = credited(invoice, CreditByVat(amounts=(VatCredit(vat=VAT_20, net_minor=1),)))

    with pytest.raises(CreditExceedsRemaining):
        compute_credit(
            invoice.document, invoice.ledger, CreditByLine(lines=(LineCredit(index=0, quantity=Decimal(1)),))
        )


@pytest.mark.parametrize(
    ("scope", "pointer"),
    [
        (CreditByLine(lines=(LineCredit(index=1, net_minor=1),)), "/lines/0/index"),
        (CreditByLine(lines=(LineCredit(index=0, net_minor=1), LineCredit(index=0, net_minor=1))), "/lines/1/index"),
        (CreditByVat(amounts=(VatCredit(vat=VAT_5_5, net_minor=1),)), "/amounts/0/vat_rate"),
        (
            CreditByVat(amounts=(VatCredit(vat=VAT_20, net_minor=1), VatCredit(vat=VAT_20, net_minor=1))),
            "/amounts/1/vat_rate",
        ),
    ],
)
def test_a_line_or_group_that_is_not_there_or_named_twice_is_pointed_at(scope: CreditScope, pointer: str) -> None:
    invoice = invoice_of(priced("100"))

    with pytest.raises(FieldErrors) as refused:
        compute_credit(invoice.document, invoice.ledger, scope)

    assert [error.pointer for error in refused.value.errors] == [pointer]


@pytest.mark.parametrize(
    ("paid_minor", "excess", "settlement"),
    [
        (0, Excess.CUSTOMER_CREDIT, CreditSettlement(applied_minor=12_000)),
        (5_000, Excess.CUSTOMER_CREDIT, CreditSettlement(applied_minor=7_000, customer_credit_minor=5_000)),
        (12_000, Excess.REFUND, CreditSettlement(applied_minor=0, refunded_minor=12_000)),
    ],
)
def test_a_credit_note_settles_what_is_owed_first(
    paid_minor: int, excess: Excess, settlement: CreditSettlement
) -> None:
    invoice = invoice_of(priced("100"), paid_minor=paid_minor)

    after, note = credited(invoice, FULL, excess=excess)

    assert note.document.settlement == settlement
    assert (after.ledger.status, after.ledger.balance_minor) == (InvoiceStatus.CANCELLED, 0)
    assert after.ledger.released_minor == settlement.customer_credit_minor
    assert after.ledger.refunded_minor == settlement.refunded_minor
    assert after.ledger.kept_minor == 0


def test_a_cancelled_invoice_whose_payment_bounces_is_owed_again() -> None:
    invoice, _ = credited(invoice_of(priced("100"), paid_minor=12_000), FULL)
    reversal = factories.entry(invoice.ledger.entry_count + 1, 12_000, kind=EntryKind.REVERSAL)

    after = invoice.with_entry(reversal).ledger

    assert (after.status, after.balance_minor) == (InvoiceStatus.PARTIALLY_PAID, 12_000)


def test_old_documents_keep_their_text() -> None:
    text = invoice_of(priced("100")).document.canonical()

    assert not {"reason", "settlement", "vat_rounding", "credit_note_number_pattern"} & set(text.split('"'))
