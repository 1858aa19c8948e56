"""Nothing is clipped and nothing overlaps, whatever people write, in each design."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from billing.adapters.pdf.layout import InvoiceLayout
from billing.adapters.pdf.logo import PreparedLogo
from billing.adapters.pdf.sheet import Page, wrap
from billing.adapters.pdf.theme import BUYER_X, BUYER_Y, theme_of
from billing.domain.colours import DEFAULT_ACCENT
from billing.domain.credit_notes import CreditInFull
from billing.domain.currency import ExchangeRate
from billing.domain.invoice import IssuedInvoice
from billing.domain.particulars import Particulars
from billing.domain.template import Design, Template
from billing.domain.tongue import DocumentLanguage
from billing.domain.totals import Discount, Line
from billing.domain.typography import first_unprintable
from billing.domain.vat import VatCategory
from tests.adapters.pdf.placing import assert_well_placed
from tests.adapters.pdf.test_printed_content import with_document
from tests.documents import HARD, SAMPLES, credit_of
from tests.factories import address, company, customer, exempt, issued, line, many_lines, taxed

_ALPHABET = [chr(code) for code in range(0x20, 0x530) if first_unprintable(chr(code)) is None]

words = st.text(_ALPHABET, max_size=40)


def texts(longest: int) -> st.SearchStrategy[str]:
    """From nothing to the longest text a field takes, with words of any length."""
    made = st.lists(words, max_size=8).map(" ".join)
    return st.one_of(made, st.tuples(made, st.integers(1, longest)).map(lambda pair: (pair[0] + "W") * pair[1])).map(
        lambda text: text[:longest]
    )


def required(longest: int) -> st.SearchStrategy[str]:
    return texts(longest).map(lambda text: text if text.strip() else "x")


treatments = st.sampled_from(
    [taxed(), taxed("5.5"), exempt("VATEX-EU-79-C"), exempt("VATEX-EU-AE", VatCategory.REVERSE_CHARGE)]
)
discounts = st.one_of(st.none(), st.builds(Discount, percent=st.decimals(0, 100, places=2), reason=required(60)))
lines: st.SearchStrategy[Line] = st.builds(
    line,
    description=required(400),
    details=texts(1500),
    quantity=st.decimals(0, 10**4, places=4),
    unit=required(60),
    unit_price=st.decimals(0, 10**5, places=6),
    vat=treatments,
    discount=discounts,
)
invoices: st.SearchStrategy[IssuedInvoice] = st.builds(
    lambda seller, buyer, **content: issued(seller=company(**seller), buyer=customer(**buyer), **content),
    seller=st.fixed_dictionaries(
        {
            "legal_name": required(200),
            "trade_name": texts(200),
            "header_text": texts(300),
            "footer_text": texts(600),
            "bank_name": texts(80),
            "website": texts(120),
            "early_payment_discount": texts(200),
        }
    ),
    buyer=st.fixed_dictionaries(
        {
            "name": required(200),
            "contact_name": texts(120),
            "vat_number": st.just("BE0123456749"),  # every VAT case is open to it
            "billing_address": st.builds(address, line1=required(150), line2=texts(150), city=required(80)),
            "delivery_address": st.one_of(st.none(), st.builds(address, line1=required(150))),
        }
    ),
    lines=st.lists(lines, min_size=1, max_size=8).map(tuple),
    discount=discounts,
    purchase_order=texts(60),
    notes=texts(3000),
)
_LARGEST = issued(lines=(line(quantity=Decimal("99999.9999"), unit_price=Decimal("99999.999999"), unit="W" * 60),))
# A line that fills pages to the last leaves the next one no room.
_AFTER_A_LONG_ONE = issued(lines=tuple(line(details="\n".join("W" * count)) for count in (147, 10, 150, 10, 10)))

_BROKEN_NAME = issued(seller=company(trade_name="\u0085W" * 100))
_LONG_NAMES = issued(
    seller=company(legal_name="Société modèle " * 13), buyer=customer(name="W" * 100, contact_name="W" * 100)
)
_LOGO = PreparedLogo(pixels=b"", compression="", pixel_width=1, pixel_height=1, width=200, height=80)


def laid_out(invoice: IssuedInvoice, design: Design, logo: PreparedLogo | None = None) -> list[Page]:
    return InvoiceLayout(invoice.document, theme_of(Template(design=design), DEFAULT_ACCENT), logo).pages()


@pytest.mark.parametrize("design", Design)
@given(invoice=invoices)
@example(invoice=issued())
@example(invoice=_LARGEST)
@example(invoice=_AFTER_A_LONG_ONE)
@example(invoice=_BROKEN_NAME)
@example(invoice=_LONG_NAMES)
@settings(max_examples=20)
def test_every_text_stands_on_the_page_and_apart_from_others(design: Design, invoice: IssuedInvoice) -> None:
    for page in laid_out(invoice, design):
        assert_well_placed(page)


@pytest.mark.parametrize("design", Design)
def test_the_footer_never_meets_the_lines(design: Design) -> None:
    for page in laid_out(issued(lines=tuple(line(details="d " * 90) for _ in range(60))), design):
        assert_well_placed(page)


@pytest.mark.parametrize("design", Design)
@pytest.mark.parametrize("name", HARD)
def test_a_hard_sample_stands_on_the_page_and_apart(design: Design, name: str) -> None:
    for page in laid_out(SAMPLES[name](), design):
        assert_well_placed(page)


@pytest.mark.parametrize("design", Design)
@pytest.mark.parametrize("logo", [None, _LOGO])
@pytest.mark.parametrize("invoice", [issued(), _BROKEN_NAME, _LONG_NAMES], ids=["usual", "broken", "long"])
def test_the_buyer_stands_in_the_window_of_an_envelope(
    design: Design, logo: PreparedLogo | None, invoice: IssuedInvoice
) -> None:
    page = laid_out(invoice, design, logo)[0]

    (heading,) = (text for text in page.texts if text.text == "Facturé à")
    assert (heading.x, heading.y) == (BUYER_X, BUYER_Y + 8)
    in_window = [box for box in page.boxes if box.y + box.height > BUYER_Y and box.y < heading.y + 60]
    assert not in_window  # the ground of the head ends above


@pytest.mark.parametrize("design", Design)
@pytest.mark.parametrize("title", ["Facture", "Facture rectificative / Corrective invoice", "Avoir sur acompte " * 6])
def test_a_long_title_is_drawn_smaller_then_on_several_lines(
    design: Design, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billing.adapters.pdf.wording.title", lambda *_: title)

    assert_well_placed(laid_out(issued(), design)[0])


def test_the_compact_design_has_half_as_many_lines_again_on_a_page() -> None:
    invoice = issued(lines=many_lines(500))

    pages = {design: len(laid_out(invoice, design)) for design in Design}

    assert pages[Design.COMPACT] * 1.4 < pages[Design.CLASSIC] <= pages[Design.MODERN]


@pytest.mark.parametrize("width", [-50.0, 0.0, 0.1, 3.0])
def test_a_text_without_room_ends_all_the_same(width: float) -> None:
    style = theme_of(Template(design=Design.CLASSIC), DEFAULT_ACCENT).body

    assert "".join(wrap("Mot-clé F2026-00001", style, width)).replace("-", "") == "MotcléF202600001"


@pytest.mark.parametrize("design", Design)
def test_long_labels_of_the_payment_leave_room_for_their_values(design: Design) -> None:
    origin = with_document(
        issued(particulars=Particulars(language=DocumentLanguage.FRENCH_AND_ENGLISH)), number="F" * 35
    )

    for page in laid_out(credit_of(origin, CreditInFull()), design):
        assert_well_placed(page)


@pytest.mark.parametrize("design", Design)
@pytest.mark.parametrize("language", DocumentLanguage)
@pytest.mark.parametrize("currency", [None, "IDR", "USD"])
def test_the_largest_amounts_stand_beside_what_they_are_called(
    design: Design, language: DocumentLanguage, currency: str | None
) -> None:
    exchange = currency and ExchangeRate(currency=currency, rate=Decimal(17_000), on=date(2026, 11, 20), source="BCE")
    for major in ("1110000", "88800000", "111000000", "8880000000", "11100000000"):
        many = issued(
            lines=(line(description="Lot", quantity=Decimal(100), unit_price=Decimal(major) / 100, vat=taxed()),),
            particulars=Particulars(exchange=exchange or None),
        )
        particulars = replace(many.document.particulars, language=language)
        spoken = replace(many, document=replace(many.document, particulars=particulars))
        for page in laid_out(spoken, design):
            assert_well_placed(page)
