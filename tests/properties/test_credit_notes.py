"""Whatever is credited in whatever order, credit + invoice = 0: never a cent created, never a cent kept."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

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
    remaining_groups,
    settle,
)
from billing.domain.crediting import Excess, groups_of, vat_of, with_vat_rounding
from billing.domain.errors import CreditExceedsRemaining, FieldErrors
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import Ledger, LedgerEntry, PaymentMethod
from billing.domain.numbering import DEFAULT_PATTERNS, Series, SeriesState, allocate
from billing.domain.totals import Discount, Line, Totals, compute_totals
from tests import factories
from tests.properties.strategies import documents, examined

NUMBER = allocate(SeriesState.untouched(Series.CREDIT_NOTE), DEFAULT_PATTERNS[Series.CREDIT_NOTE], factories.ISSUED_ON)


@st.composite
def scopes(draw: st.DrawFn, invoice: IssuedInvoice) -> CreditScope:
    """Something that a person might ask for; often more than there is."""
    totals = invoice.document.totals
    if draw(st.booleans()):
        chosen = draw(st.lists(st.sampled_from(totals.vat_breakdown), min_size=1, max_size=3, unique_by=id))
        return CreditByVat(
            amounts=tuple(
                VatCredit(vat=group.vat, net_minor=draw(st.integers(1, max(1, group.taxable_minor))))
                for group in chosen
            )
        )
    indexes = draw(st.lists(st.integers(0, len(totals.lines) - 1), min_size=1, max_size=3, unique=True))
    lines = []
    for index in indexes:
        item = totals.lines[index]
        if draw(st.booleans()) and item.line.quantity >= Decimal("0.0001"):
            quantity = draw(st.decimals("0.0001", item.line.quantity, places=4))
            lines.append(LineCredit(index=index, quantity=quantity))
        else:
            lines.append(LineCredit(index=index, net_minor=draw(st.integers(1, max(1, item.net_minor)))))
    return CreditByLine(lines=tuple(lines))


def _invoice(lines: tuple[Line, ...], discount: Discount | None) -> IssuedInvoice:
    """As issued to whomever the VAT cases ask for: the parties are no matter here."""
    invoice = factories.issued(lines=(factories.priced(),))
    totals = compute_totals(lines, discount=discount)
    document = replace(invoice.document, totals=totals, document_discount=discount)
    return replace(invoice, document=document, ledger=Ledger(total_minor=totals.due_minor))


def _recomputed(totals: Totals, note: IssuedInvoice) -> Totals:
    lines = tuple(item.line for item in totals.lines)
    document = note.document
    return with_vat_rounding(compute_totals(lines, discount=document.document_discount), document.vat_rounding)


@examined
@given(st.data(), documents())
def test_any_sequence_of_credit_notes_that_takes_all_takes_exactly_all(
    data: st.DataObject, made: tuple[tuple[Line, ...], Discount | None, Totals]
) -> None:
    invoice = _invoice(made[0], made[1])
    total = invoice.document.totals
    if total.total_minor <= 0:
        return
    if data.draw(st.booleans(), label="paid in part"):
        invoice = invoice.with_entry(factories.entry(1, data.draw(st.integers(1, total.total_minor))))
    wanted = [*(data.draw(scopes(invoice)) for _ in range(data.draw(st.integers(0, 6)))), CreditInFull()]
    notes: list[IssuedInvoice] = []
    entries: list[LedgerEntry] = []

    for rank, scope in enumerate(wanted):
        try:
            computed = compute_credit(invoice.document, invoice.ledger, scope)
        except (CreditExceedsRemaining, FieldErrors):
            continue
        note = freeze_credit_note(
            f"crn_{rank}",
            invoice,
            computed,
            company=factories.company(),
            allocation=NUMBER,
            settlement=settle(invoice.ledger, computed.totals.total_minor, Excess.CUSTOMER_CREDIT),
            reason="Retour",
            issued_at=factories.ISSUED_AT,
        )
        moved = credit_entries(
            invoice, note, computed.credited_lines, entry_id="ent", method=PaymentMethod.TRANSFER, by="usr"
        )
        invoice = invoice.with_entry(*moved)
        notes.append(note)
        entries += moved
        assert _recomputed(note.document.totals, note) == note.document.totals
        assert all(abs(one.amount_minor) <= 1 for one in note.document.vat_rounding)
        assert note.document.settlement is not None
        assert note.document.settlement.total_minor == note.document.totals.total_minor > 0
        assert invoice.ledger.balance_minor >= 0
        assert invoice.ledger.kept_minor >= 0
        for group in invoice.ledger.credited_groups:
            assert group.vat_minor == vat_of(group.vat, group.net_minor)

    assert sum(note.document.totals.net_minor for note in notes) == total.net_minor
    assert sum(note.document.totals.vat_minor for note in notes) == total.vat_minor
    assert invoice.ledger.credited_minor == total.total_minor
    assert all(
        not group.net_minor and not group.vat_minor for group in remaining_groups(invoice.document, invoice.ledger)
    )
    credited = {group.vat: group for group in invoice.ledger.credited_groups}
    assert all(credited.get(group.vat, group) == group for group in groups_of(total))
    assert invoice.ledger.balance_minor == 0
