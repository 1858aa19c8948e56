"""Any document, in any language and design: nothing outside of the page, no text over another, a code or a logo.

Each example takes a sample of some kind (invoices, credit notes, deposits, quotes…) and writes whatever people may
write into it: names, words and units of extreme length, five hundred lines, every VAT group at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.adapters.pdf import receipt, renderer
from billing.adapters.pdf import statement as statements
from billing.adapters.pdf.qr import QUIET_ZONE
from billing.adapters.pdf.sheet import HEIGHT, WIDTH, Page
from billing.domain.credit_notes import CreditInFull
from billing.domain.currency import ExchangeRate
from billing.domain.customer_account import AccountMovement, MovementKind
from billing.domain.deliverable import Printable
from billing.domain.invoice import IssuedInvoice, PrecedingDocument
from billing.domain.ledger import PaymentMethod
from billing.domain.mentions import Mention, NoteCode
from billing.domain.particulars import Particulars
from billing.domain.payments import Allocation, Payment, PaymentRefund, PaymentReversal
from billing.domain.quote import Quote
from billing.domain.situation import Situation, SituationLine
from billing.domain.template import Design, Template
from billing.domain.tongue import DocumentLanguage
from billing.domain.totals import Adjustment, Discount, Line, compute_totals
from billing.domain.typography import first_unprintable
from billing.ports.delivery import EmbeddedXml
from tests import factories, logos
from tests.adapters.pdf.placing import assert_well_placed, seen
from tests.adapters.pdf.test_receipt import PAYMENT
from tests.adapters.pdf.test_statement import FIRST, LAST, movement, statement
from tests.documents import SAMPLES, credit_of, quoted
from tests.papers import PAY_URL
from tests.properties.strategies import TAXED, UNTAXED

EXAMPLES = int(os.environ.get("ZENBILLING_EXAMPLES", "40"))  # the same ones each time; more of them look further
TOLERANCE = 0.6
_ALLOCATIONS = 8  # a receipt is one page: more of them with the longest texts would pass its end
LOGO = logos.encoded(logos.wide(), "png")
NO_XML = EmbeddedXml(name="factur-x.xml", content=b"", description="", metadata="")
BASES: dict[str, Printable] = {
    **{name: made() for name, made in SAMPLES.items() if not name.endswith("hundred-lines")},
    "credit-of-everything": credit_of(factories.issued(), CreditInFull()),
    "quote": quoted(),
}

_ALPHABET = [chr(code) for code in range(0x20, 0x530) if first_unprintable(chr(code)) is None]
_words = st.text(_ALPHABET, max_size=40)


class _LaidOutError(Exception):
    """Ends a rendering once the pages are known: writing them takes longer and moves nothing."""

    def __init__(self, pages: list[Page]) -> None:
        super().__init__()
        self.pages = pages


def texts(longest: int) -> st.SearchStrategy[str]:
    """From nothing to the longest that a field takes, with words of any length."""
    usual = st.lists(_words, max_size=12).map(" ".join)
    endless = st.builds(lambda sign, count: sign * count, st.sampled_from("WÉm.i-/_ŵ"), st.integers(1, longest))
    return st.one_of(usual, endless, st.builds("{} {}".format, usual, endless)).map(lambda text: text[:longest])


def required(longest: int) -> st.SearchStrategy[str]:
    return texts(longest).map(lambda text: text if text.strip() else "x")


addresses = st.builds(
    factories.address,
    line1=required(150),
    line2=texts(150),
    postal_code=st.sampled_from(["", "69003", "SW1A 2AA", "W" * 16]),
    city=required(80),
    country_code=st.sampled_from(["FR", "DE", "GB", "BA", "ST"]),
)
lines: st.SearchStrategy[Line] = st.builds(
    factories.line,
    description=required(400),
    details=texts(1500),
    quantity=st.decimals(0, 10**3, places=4),
    unit=required(60),
    unit_price=st.decimals(0, 10**3, places=6),
    vat=st.sampled_from([*TAXED, *UNTAXED]),
    discount=st.none() | st.builds(Discount, percent=st.decimals(0, 100, places=2), reason=required(60)),
)
# Few different lines many times: as long as hundreds of them, drawn from a seed that shrinks.
many = st.one_of(
    st.lists(lines, min_size=1, max_size=6),
    st.builds(lambda some, times: some * times, st.lists(lines, min_size=1, max_size=2), st.sampled_from([7, 40, 250])),
    st.just([factories.priced("12345.67", vat=vat) for vat in (*TAXED, *UNTAXED)]),
)
particulars = st.builds(
    Particulars,
    buyer_reference=texts(100),
    contract=texts(100),
    project=texts(100),
    delivery_name=texts(200),
    delivery_address=st.none() | addresses,
    header_text=texts(1000),
    footer_text=texts(1000),
    language=st.sampled_from(DocumentLanguage),
    exchange=st.none()
    | st.builds(
        ExchangeRate,
        currency=st.sampled_from(["USD", "CHF"]),
        rate=st.just(Decimal("1.0871")),
        on=st.just(factories.ISSUED_ON),
        source=required(60),
    ),
)
situations = st.builds(
    lambda number, parts: Situation(number=number, lines=tuple(parts)),
    number=st.integers(1, 99),
    parts=st.lists(
        st.builds(
            SituationLine,
            index=st.just(0),
            label=required(400),
            worth_minor=st.integers(0, 10**11),
            progress=st.decimals(0, 100, places=2),
            before_minor=st.integers(0, 10**11),
            net_minor=st.integers(-(10**11), 10**11),
        ),
        min_size=1,
        max_size=30,
    ),
)
sellers: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "legal_name": required(200),
        "trade_name": texts(200),
        "address": addresses,
        "email": st.sampled_from(["a@exemple.example", f"{'w' * 60}@{'exemple.' * 20}example"]),
        "footer_text": texts(600),
        "bank_name": texts(80),
        "website": texts(120),
        "rcs_city": texts(80),
        "early_payment_discount": texts(200),
    }
)
buyers: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "name": required(200),
        "contact_name": texts(120),
        "billing_address": addresses,
        "delivery_address": st.none() | addresses,
    }
)
mentions = st.lists(
    st.builds(Mention, code=st.sampled_from(NoteCode), text=required(800), english=texts(800)), max_size=6
)
adjustments = st.lists(
    st.builds(
        Adjustment, amount_minor=st.integers(1, 10**6), reason=required(100), vat=st.sampled_from([*TAXED, *UNTAXED])
    ),
    max_size=4,
)
preceding = st.lists(
    st.builds(
        PrecedingDocument, invoice_id=st.just("inv"), number=required(40), issue_date=st.just(factories.ISSUED_ON)
    ),
    max_size=12,
)


@st.composite
def documents(draw: st.DrawFn) -> Printable:
    base = BASES[draw(st.sampled_from(sorted(BASES)))]
    document: Any = base.document
    chosen, charges = draw(many), draw(adjustments)
    changes: dict[str, Any] = {
        "seller": replace(document.seller, **draw(sellers)),
        "buyer": replace(document.buyer, **draw(buyers)),
        "particulars": draw(particulars),
        "purchase_order": draw(texts(60)),
        "notes": draw(texts(3000)),
        "mentions": (*document.mentions, *draw(mentions)),
        "number": draw(st.sampled_from([document.number, "F" * 35])),
    }
    if draw(st.booleans()):
        totals = compute_totals(tuple(chosen), charges=tuple(charges))
        if not document.totals.due_minor:  # paid before it was issued
            totals = replace(totals, prepaid_minor=totals.total_minor, due_minor=0)
        changes |= {"totals": totals, "charges": tuple(charges)}
    if not isinstance(base, Quote):
        changes["preceding"] = draw(st.just(document.preceding) | preceding.map(tuple))
        changes["situation"] = draw(st.none() | situations)
        changes["reason"] = draw(texts(300))
    return replace(base, document=replace(document, **changes))


def pages_of(printable: Printable, design: Design, logo: bytes | None, pay_url: str = "") -> list[Page]:
    document: Any = printable.document
    drawn = replace(printable, document=replace(document, template_version=Template(design=design).version))

    drawing = renderer.PdfDocumentRenderer(lambda _: NO_XML)
    return stopped_at(renderer, lambda: drawing.render(drawn, logo=logo, pay_url=pay_url))


def stopped_at(module: ModuleType, render: Callable[[], object]) -> list[Page]:
    """The pages that a module would draw."""

    def stop(pages: list[Page], *_: object) -> None:
        raise _LaidOutError(pages)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "draw", stop)
        with pytest.raises(_LaidOutError) as stopped:
            render()
    return stopped.value.pages


def assert_nothing_meets(page: Page) -> None:
    """Texts stand apart from each other, from the code and from the logo; shapes are on the page."""
    assert_well_placed(page)
    for left, top, right, bottom in _pictures(page):
        for one in seen(page):
            beside = one.right <= left + TOLERANCE or one.left >= right - TOLERANCE
            assert beside or one.bottom <= top + TOLERANCE or one.top >= bottom - TOLERANCE, one.text
    for box in page.boxes:
        assert -TOLERANCE <= box.x <= box.x + box.width <= WIDTH + TOLERANCE
        assert -TOLERANCE <= box.y <= box.y + box.height <= HEIGHT + TOLERANCE


def _pictures(page: Page) -> Iterator[tuple[float, float, float, float]]:
    """Left, top, right and bottom of the code with the white that readers need, and of the logo."""
    for x, y, module, code in page.patterns:
        white = QUIET_ZONE * module
        yield x - white, y - white, x + code.size * module + white, y + code.size * module + white
    if page.logo is not None:
        x, y, picture = page.logo
        yield x, y, x + picture.width, y + picture.height


@given(
    printable=documents(),
    design=st.sampled_from(Design),
    logo=st.sampled_from([None, LOGO]),
    pay_url=st.sampled_from(["", PAY_URL]),
)
@settings(max_examples=EXAMPLES, derandomize=True)
def test_whatever_is_written_stands_on_the_page_and_apart(
    printable: Printable, design: Design, logo: bytes | None, pay_url: str
) -> None:
    for page in pages_of(printable, design, logo, pay_url if isinstance(printable, IssuedInvoice) else ""):
        assert_nothing_meets(page)


@st.composite
def payments(draw: st.DrawFn) -> Payment:
    count, credited = draw(st.integers(1, _ALLOCATIONS)), draw(st.sampled_from([0, 99_999_999]))
    each, reason = 123_456_789, draw(texts(200))
    allocations = tuple(
        Allocation(invoice_id=f"inv_{rank}", number=f"{'F' * 25}-{rank:05d}", amount_minor=each)
        for rank in range(count)
    )
    refunds = tuple(
        PaymentRefund(
            refund_id=f"rfd_{rank}",
            amount_minor=each,
            method=PaymentMethod.TRANSFER,
            refunded_on=factories.ISSUED_ON,
            reference="",
            allocations=(),
            from_credit_minor=each,
            refunded_at=factories.ISSUED_AT,
            refunded_by="usr",
        )
        for rank in range(draw(st.integers(0, min(count, 3))))
    )
    reversal = PaymentReversal(
        reason=reason, reversed_on=factories.ISSUED_ON, reversed_at=factories.ISSUED_AT, reversed_by="usr"
    )
    return replace(
        PAYMENT,
        customer_name=draw(required(200)),
        amount_minor=count * each + credited,
        allocations=allocations,
        credited_minor=credited,
        reference=draw(texts(100)),
        refunds=refunds,
        reversal=reversal if reason else None,
    )


@given(payment=payments(), logo=st.sampled_from([None, LOGO]))
@settings(max_examples=EXAMPLES, derandomize=True)
def test_a_receipt_does_so_too(payment: Payment, logo: bytes | None) -> None:
    seller = factories.company_description()

    for page in stopped_at(receipt, lambda: receipt.PdfReceiptRenderer().render(payment, seller, logo=logo)):
        assert_nothing_meets(page)


@given(
    movements=st.lists(
        st.builds(
            movement,
            st.sampled_from(MovementKind),
            st.dates(FIRST, LAST),
            st.integers(-(10**8), 10**8),
            reference=texts(100),
            method=st.sampled_from(PaymentMethod),
        ),
        max_size=8,
    ),
    times=st.sampled_from([1, 30]),
    seller=sellers,
    buyer=buyers,
    logo=st.sampled_from([None, LOGO]),
)
@settings(max_examples=EXAMPLES, derandomize=True)
def test_a_statement_does_so_too(
    movements: list[AccountMovement], times: int, seller: dict[str, Any], buyer: dict[str, Any], logo: bytes | None
) -> None:
    stated = replace(
        statement(tuple(movements * times)), customer=factories.customer(**buyer), company=factories.company(**seller)
    )

    for page in stopped_at(statements, lambda: statements.PdfStatementRenderer().render(stated, logo=logo)):
        assert_nothing_meets(page)
