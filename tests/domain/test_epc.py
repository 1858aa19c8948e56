"""The code of a transfer, as a banking app reads it (EPC069-12)."""

from __future__ import annotations

import pytest

from billing.domain.epc import transfer_code
from billing.domain.invoice import IssuedInvoice
from tests.documents import SAMPLES
from tests.factories import company, issued


def code(invoice: IssuedInvoice) -> str | None:
    return transfer_code(invoice.document)


def test_it_names_the_account_the_amount_and_the_reference() -> None:
    assert code(issued()) == (
        "BCD\n002\n1\nSCT\nEXEMFRPPXXX\nExemple SARL\nFR1420041010050500013M02606\nEUR4008.49\n\n\nF2026-00001"
    )


def test_it_asks_for_what_is_payable_now() -> None:
    assert "\nEUR2090.00\n" in (code(SAMPLES["retention-of-guarantee"]()) or "")


def test_a_name_too_long_is_cut_and_a_bic_may_be_missing() -> None:
    lines = (code(issued(seller=company(legal_name="Exemple " * 20, bic=None))) or "").split("\n")

    assert (lines[4], len(lines[5])) == ("", 70)
    assert len("\n".join(lines).encode()) <= 331


@pytest.mark.parametrize(
    "name",
    ["without-a-bank-account", "paid-by-transfer", "credit-note-in-full", "in-dollars", "credit-note-on-a-deposit"],
)
def test_what_asks_for_no_transfer_in_euros_has_none(name: str) -> None:
    assert code(SAMPLES[name]()) is None
