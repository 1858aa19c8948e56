"""Random but valid values: lines, discounts, documents; and how hard each property is tried.

``ZENBILLING_EXAMPLES=5000`` tries thousands per property; the default is quick.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st

from billing.domain.totals import Discount, Line, Totals, compute_totals
from billing.domain.typography import are_printable
from billing.domain.vat import EXEMPTIONS, STANDARD_RATES, VatCategory, VatTreatment

# A busy machine is slow: no example is judged by the clock.
examined = settings(max_examples=int(os.environ.get("ZENBILLING_EXAMPLES", "30")), deadline=None)

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
PRINTED_TEXT = st.text(st.characters(codec="utf-8", max_codepoint=0x2800).filter(lambda sign: are_printable([sign])))
TAXED = [VatTreatment(category=VatCategory.STANDARD, rate=rate) for rate in sorted(STANDARD_RATES)]
UNTAXED = [
    VatTreatment(category=exemption.category, rate=Decimal(0), exemption_code=exemption.code)
    for exemption in EXEMPTIONS.values()
    if exemption.category is not VatCategory.OUT_OF_SCOPE and exemption.code != "VATEX-FR-FRANCHISE"
]
PERCENTS = st.decimals(0, 100, places=2)
QUANTITIES = st.decimals(0, 10_000, places=4)
PRICES = st.decimals(0, 10_000, places=6)


@st.composite
def lines(draw: st.DrawFn, treatments: Sequence[VatTreatment]) -> Line:
    line = Line(
        description=draw(PRINTED_TEXT),
        quantity=draw(QUANTITIES),
        unit="C62",
        unit_price=draw(PRICES),
        vat=draw(st.sampled_from(treatments)),
    )
    gross_minor = compute_totals((line,)).net_minor
    amounts = st.integers(0, gross_minor).map(lambda amount: Discount(amount_minor=amount))
    discount = draw(st.none() | PERCENTS.map(lambda percent: Discount(percent=percent)) | amounts)
    return Line(
        description=line.description,
        quantity=line.quantity,
        unit=line.unit,
        unit_price=line.unit_price,
        vat=line.vat,
        discount=discount,
    )


@st.composite
def document_lines(draw: st.DrawFn) -> tuple[Line, ...]:
    """Lines that may stand together: one reason for each category without VAT."""
    reasons = {treatment.category: treatment for treatment in draw(st.permutations(UNTAXED))}
    return tuple(draw(st.lists(lines([*TAXED, *reasons.values()]), min_size=1, max_size=8)))


@st.composite
def documents(draw: st.DrawFn) -> tuple[tuple[Line, ...], Discount | None, Totals]:
    """Lines, a document discount that they can bear, and their totals."""
    chosen = draw(document_lines())
    base_minor = compute_totals(chosen).lines_minor
    amounts = st.integers(0, base_minor).map(lambda amount: Discount(amount_minor=amount))
    discount = draw(st.none() | PERCENTS.map(lambda percent: Discount(percent=percent)) | amounts)
    return chosen, discount, compute_totals(chosen, discount=discount)
