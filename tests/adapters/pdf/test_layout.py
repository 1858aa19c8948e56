"""Nothing is clipped and nothing overlaps, whatever people write."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from hypothesis import example, given, settings
from hypothesis import strategies as st

from billing.adapters.pdf.layout import InvoiceLayout
from billing.adapters.pdf.sheet import HEIGHT, WIDTH, Page, width_of
from billing.domain.invoice import IssuedInvoice
from billing.domain.totals import Discount, Line
from billing.domain.typography import first_unprintable
from billing.domain.vat import VatCategory
from tests.factories import address, company, customer, exempt, issued, line, taxed

_MARGIN = 44.0
_TOLERANCE = 0.6

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


@given(invoice=invoices)
@example(invoice=issued())
@example(invoice=_LARGEST)
@example(invoice=_AFTER_A_LONG_ONE)
@example(invoice=_BROKEN_NAME)
@settings(max_examples=25)
def test_every_text_stands_on_the_page_and_apart_from_others(invoice: IssuedInvoice) -> None:
    for page in InvoiceLayout(invoice.document, None).pages():
        boxes = list(_boxes(page))
        for left, top, right, bottom, text in boxes:
            assert left >= _MARGIN, text
            assert right <= WIDTH - _MARGIN, text
            assert top >= 30, text
            assert bottom <= HEIGHT - 10, text
        _assert_apart(boxes)


def test_the_footer_never_meets_the_lines() -> None:
    for page in InvoiceLayout(issued(lines=tuple(line(details="d " * 90) for _ in range(60))).document, None).pages():
        _assert_apart(list(_boxes(page)))


def _boxes(page: Page) -> Iterator[tuple[float, float, float, float, str]]:
    """Left, top, right and bottom of what is seen of each text."""
    for text in page.texts:
        size = text.style.size
        yield text.x, text.y - 0.73 * size, text.x + width_of(text.text, text.style), text.y + 0.05 * size, text.text


def _assert_apart(boxes: list[tuple[float, float, float, float, str]]) -> None:
    ordered = sorted(boxes, key=lambda box: box[1])
    for index, (left, _, right, bottom, text) in enumerate(ordered):
        for other_left, other_top, other_right, _, other in ordered[index + 1 :]:
            if other_top >= bottom - _TOLERANCE:
                break
            assert other_left >= right - _TOLERANCE or left >= other_right - _TOLERANCE, (text, other)
