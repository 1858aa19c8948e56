"""BT-72: when what is invoiced was supplied; a deposit is paid before."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest

from billing.adapters.facturx.embedding import factur_x
from billing.domain.credit_notes import CreditInFull
from billing.domain.invoice import DocumentType, InvoiceDocument
from tests.documents import SAMPLES, credit_of
from tests.factories import issued, priced

_DATE = re.compile(rb'<ram:OccurrenceDateTime><udt:DateTimeString format="102">(\d{8})<')


def supplied(document: InvoiceDocument) -> list[bytes]:
    return _DATE.findall(factur_x(document).content)


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("one-service", [b"20261123"]),
        ("deposit", []),
        ("credit-note-on-a-deposit", []),
        ("deposit-of-a-known-supply", [b"20261102"]),
        ("deposit-to-another-member-state", [b"20261123"]),  # BR-IC-11 asks for one, or for a period
        ("deposit-of-a-period-to-another-member-state", []),
    ],
)
def test_a_deposit_has_the_date_of_supply_that_was_given_or_none(name: str, days: list[bytes]) -> None:
    document = SAMPLES[name]().document

    assert supplied(document) == days
    assert (document.supplied_on is None) is (days == [])


def test_a_deposit_of_an_older_template_keeps_its_date_and_its_credit_note_does_not() -> None:
    """What was issued is drawn the same for ever; the credit note is a new document."""
    deposit = SAMPLES["deposit"]()
    older = replace(deposit, document=replace(deposit.document, template_version="classic-2", supply_to_come=False))

    assert supplied(older.document) == [b"20261123"]
    assert supplied(credit_of(older, CreditInFull()).document) == []


def test_the_credit_note_on_an_older_deposit_keeps_a_date_that_was_given() -> None:
    deposit = issued(document_type=DocumentType.DEPOSIT, supply_date=date(2026, 11, 2), lines=(priced("300"),))
    older = replace(deposit, document=replace(deposit.document, template_version="classic-2"))

    assert supplied(credit_of(older, CreditInFull()).document) == [b"20261102"]


def test_the_canonical_text_of_other_documents_says_nothing_of_it() -> None:
    assert "supply_to_come" not in SAMPLES["one-service"]().document.canonical()
    assert "supply_to_come" in SAMPLES["deposit"]().document.canonical()
