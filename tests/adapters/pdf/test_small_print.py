"""Small print never stands alone on the last page, unless it is more than fits beside anything else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from billing.adapters.pdf.fonts import REGULAR
from billing.adapters.pdf.layout import InvoiceLayout
from billing.adapters.pdf.sheet import HEIGHT, Page
from billing.adapters.pdf.theme import theme_today
from billing.domain.colours import DEFAULT_ACCENT
from billing.domain.deliverable import Printable
from billing.domain.invoice import IssuedInvoice
from billing.domain.particulars import Particulars
from billing.domain.quote import Quote
from billing.domain.template import Design
from tests.documents import QUOTES, SAMPLES, quoted
from tests.factories import issued, many_lines

UNAVOIDABLE: frozenset[str] = frozenset()  # samples with more than a page of it: none
ALL = SAMPLES | QUOTES


def pages_of(one: Printable, design: Design = Design.CLASSIC) -> list[Page]:
    theme = theme_today(design, DEFAULT_ACCENT)
    return InvoiceLayout(one.frozen if isinstance(one, Quote) else one.document, theme, None).pages()


def holds_small_print_alone(page: Page, design: Design = Design.CLASSIC) -> bool:
    """Between the line that repeats the title and the footer."""
    small = theme_today(design, DEFAULT_ACCENT).small
    footer = max(box.y for box in page.boxes if box.height <= 0.6)
    body = [text for text in page.texts if 60 < text.y < footer]
    return all(text.style.font == REGULAR and text.style.size <= small.size for text in body)


@pytest.mark.parametrize("design", Design)
@pytest.mark.parametrize("name", ALL)
def test_the_last_page_holds_more_than_small_print(name: str, design: Design) -> None:
    pages = pages_of(ALL[name](), design)

    assert holds_small_print_alone(pages[-1], design) is (name in UNAVOIDABLE)


@pytest.mark.parametrize("design", Design)
def test_whatever_the_number_of_lines_and_however_long_the_mentions(design: Design) -> None:
    counted = set()
    for count in range(1, 61, 2):
        for sentences in (0, 8, 30, 60):
            said = Particulars(footer_text="Réserve de propriété jusqu'au paiement complet du prix. " * sentences)
            for one in (
                issued(lines=many_lines(count), particulars=said),
                quoted(lines=many_lines(count), particulars=said),
            ):
                pages = pages_of(one, design)
                counted.add(len(pages))
                assert not holds_small_print_alone(pages[-1], design), (count, sentences, type(one).__name__)
                for page in pages:
                    assert all(text.y < HEIGHT - 10 for text in page.texts)
    assert counted >= {1, 2, 3}


def as_before(one: IssuedInvoice) -> IssuedInvoice:
    return replace(one, document=replace(one.document, template_version="classic-2"))


def test_what_overflows_by_a_little_is_set_closer_and_stays_on_one_page() -> None:
    one = SAMPLES["small-print-set-closer"]()

    assert [holds_small_print_alone(page) for page in pages_of(as_before(one))] == [False, True]
    assert len(pages_of(one)) == 1


def test_what_overflows_by_more_takes_the_payment_along() -> None:
    one = SAMPLES["small-print-with-the-payment"]()

    assert [holds_small_print_alone(page) for page in pages_of(as_before(one))] == [False, True]
    first, last = ([text.text for text in page.texts] for page in pages_of(one))
    assert ("Règlement par virement" in first, "Règlement par virement" in last) == (False, True)
    assert "Total TTC" in first


def test_small_print_longer_than_a_page_is_let_be() -> None:
    one = issued(lines=many_lines(3), particulars=Particulars(footer_text="Mot.\n" * 200))

    assert [holds_small_print_alone(page) for page in pages_of(one)][-2:] == [True, True]
    assert len(pages_of(one)) == len(pages_of(as_before(one)))
