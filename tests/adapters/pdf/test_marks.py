"""Pages under a mark: the same as those of the original, but for the mark and the code that must not be paid."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date

import pikepdf
import pytest

from billing.adapters.facturx.embedding import factur_x
from billing.adapters.pdf import wording
from billing.adapters.pdf.layout import InvoiceLayout
from billing.adapters.pdf.logo import PreparedLogo
from billing.adapters.pdf.marks import stamp
from billing.adapters.pdf.renderer import PdfDocumentRenderer
from billing.adapters.pdf.sheet import WIDTH
from billing.adapters.pdf.theme import theme_today
from billing.domain.acquittal import Acquittal
from billing.domain.colours import DEFAULT_ACCENT
from billing.domain.epc import transfer_code
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import PaymentMethod
from billing.domain.template import Design
from billing.domain.tongue import ENGLISH
from billing.ports.delivery import DRAFT_MARK, Mark, MarkKind
from tests.adapters.pdf.placing import assert_well_placed
from tests.adapters.pdf.reading import opened, pages, plain, words
from tests.documents import SAMPLES
from tests.factories import issued, priced

RENDERER = PdfDocumentRenderer(factur_x)
PAID = Acquittal(on=date(2026, 11, 27), methods=(PaymentMethod.TRANSFER,))
UNPAID_DUPLICATE = Mark(kind=MarkKind.DUPLICATE, asks=True)
PART_PAID_DUPLICATE = Mark(kind=MarkKind.DUPLICATE, kept_minor=2_000, credited_minor=5_000, left_minor=5_000)
PAID_DUPLICATE = Mark(kind=MarkKind.DUPLICATE, acquittal=PAID, settled=True)
MARKS = {"draft": DRAFT_MARK, "duplicate": UNPAID_DUPLICATE, "paid": PAID_DUPLICATE}
NAMED = ("several-rates", "two-hundred-lines", "bilingual", "in-english", "credit-note-in-full")


def marked(document: IssuedInvoice, mark: Mark) -> bytes:
    return RENDERER.render_marked(document, mark, logo=None)


def shown(pdf: bytes) -> list[str]:
    """What each page says, as one text."""
    return [plain(" ".join(printed.text for printed in page)) for page in pages(pdf)]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_marked_page_says_what_the_original_says(name: str) -> None:
    document = SAMPLES[name]()
    original = shown(RENDERER.render(document, logo=None))
    word = wording.mark_word(DRAFT_MARK, document.document)
    tongue = document.document.particulars.tongue
    code = plain(" ".join(tongue.lines("Virement par QR code")))
    none = plain(" ".join(tongue.lines("QR code à l'émission")))
    if transfer_code(document.document):
        assert any(code in page for page in original)

    drafted = [page.replace(none, code) for page in shown(marked(document, DRAFT_MARK))]
    duplicated = shown(marked(document, UNPAID_DUPLICATE))

    assert drafted == [f"{word} {page}" for page in original]
    word = wording.mark_word(UNPAID_DUPLICATE, document.document)
    assert duplicated == [f"{word} {page}" for page in original]


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("name", NAMED)
def test_a_marked_pdf_is_no_factur_x(name: str, mark: str) -> None:
    with opened(marked(SAMPLES[name](), MARKS[mark])) as pdf:
        assert list(pdf.attachments) == []
        assert "/AF" not in pdf.Root
        metadata = pdf.Root.Metadata.read_bytes()
        assert b"factur-x" not in metadata.lower()
        assert b"<pdfaid:part>3</pdfaid:part>" in metadata


@pytest.mark.parametrize("mark", ["draft", "paid"])
def test_every_page_is_marked_under_its_texts(mark: str) -> None:
    """Drawn before the first text and after the last panel: it hides nothing, and nothing hides it."""
    with opened(marked(SAMPLES["two-hundred-lines"](), MARKS[mark])) as pdf:
        assert len(pdf.pages) > 2
        for page in pdf.pages:
            operators = [str(one.operator) for one in pikepdf.parse_content_stream(page)]
            first = operators.index("Tj")
            assert "gs" in operators[:first], "transparent"
            assert [one for one in operators[first:] if one in {"f", "f*", "re"}] == []
            states = page.Resources.ExtGState
            assert {round(float(state.ca), 3) for state in states.values() if "/ca" in state} <= {0.075, 1.0}


def test_no_code_can_be_paid_on_a_draft_or_once_something_was_paid() -> None:
    document = SAMPLES["several-rates"]()
    assert transfer_code(document.document)

    assert "Virement par QR code" in words(marked(document, UNPAID_DUPLICATE))
    for mark, said in (
        (DRAFT_MARK, "QR code à l'émission"),
        (PAID_DUPLICATE, "Rien à payer"),
        (PART_PAID_DUPLICATE, "Reste à payer"),
    ):
        text = words(marked(document, mark))
        assert said in text
        assert "Virement par QR code" not in text
        assert _rectangles(marked(document, mark)) < 30
    assert _rectangles(marked(document, UNPAID_DUPLICATE)) > 300  # the modules of a code


def _rectangles(pdf: bytes) -> int:
    with opened(pdf) as document:
        return sum(
            1 for page in document.pages for one in pikepdf.parse_content_stream(page) if str(one.operator) == "re"
        )


@pytest.mark.parametrize(
    ("sample", "acquittal", "said"),
    [
        ("several-rates", PAID, "Acquitté le 27/11/2026 par virement"),
        ("in-english", PAID, "Paid on 27 Nov 2026 by bank transfer"),
        ("bilingual", PAID, "Acquitté le 27/11/2026 par virement / Paid on 27/11/2026 by bank transfer"),
        (
            "several-rates",
            replace(PAID, methods=(PaymentMethod.CHEQUE, None)),
            "Acquitté le 27/11/2026 par chèque et votre crédit",
        ),
        ("several-rates", replace(PAID, credited=True), "Soldé le 27/11/2026 par règlement et avoir"),
    ],
)
def test_a_paid_duplicate_says_when_and_how(sample: str, acquittal: Acquittal, said: str) -> None:
    mark = replace(PAID_DUPLICATE, acquittal=acquittal)

    first, *others = shown(marked(SAMPLES[sample](), mark))
    assert first.count(plain(said)) == 1
    assert not any(plain(said) in page for page in others)


@pytest.mark.parametrize(
    ("sample", "mark", "said"),
    [
        ("several-rates", PART_PAID_DUPLICATE, "Réglé : 20,00 € · Avoir déduit : 50,00 € · Reste à payer : 50,00 €"),
        (
            "several-rates",
            replace(PART_PAID_DUPLICATE, kept_minor=0),
            "Avoir déduit : 50,00 € · Reste à payer : 50,00 €",
        ),
        (
            "several-rates",
            Mark(kind=MarkKind.DUPLICATE, credited_minor=12_000, settled=True),
            "Annulée par avoir",
        ),
        ("in-english", PART_PAID_DUPLICATE, "Paid: €20.00 · Credited: €50.00 · Left to pay: €50.00"),
    ],
)
def test_a_duplicate_says_what_was_paid_and_credited_and_what_is_left(sample: str, mark: Mark, said: str) -> None:
    first, *_ = shown(marked(SAMPLES[sample](), mark))
    assert first.count(plain(said)) == 1


def test_every_means_of_payment_has_its_english() -> None:
    for method in (*PaymentMethod, None):
        mark = replace(PAID_DUPLICATE, acquittal=replace(PAID, methods=(method,)))
        assert plain(wording.standing(mark, SAMPLES["in-english"]().document)).startswith("Paid on 27 Nov 2026 by ")
    assert ENGLISH["Duplicata"] == "Duplicate"


@pytest.mark.parametrize("design", Design)
@pytest.mark.parametrize("sample", ["several-rates", "bilingual", "in-english", "final-in-two-languages"])
@pytest.mark.parametrize("logo", [None, (200, 80), (60, 80)])
def test_the_stamp_stands_apart_from_whatever_is_around_it(
    design: Design, sample: str, logo: tuple[int, int] | None
) -> None:
    document = SAMPLES[sample]().document
    picture = None
    if logo is not None:
        width, height = logo
        picture = PreparedLogo(
            pixels=b"", compression="", pixel_width=1, pixel_height=1, width=float(width), height=float(height)
        )
    for methods in ((PaymentMethod.TRANSFER,), (PaymentMethod.CHEQUE, PaymentMethod.CARD), (*PaymentMethod, None)):
        page = InvoiceLayout(document, theme_today(design, DEFAULT_ACCENT), picture).pages()[0]
        grounds = [box for box in page.boxes if box.x == box.y == 0]
        text = wording.standing(replace(PAID_DUPLICATE, acquittal=replace(PAID, methods=methods)), document)
        before = len(page.boxes)

        stamp(page, text)

        frame = page.boxes[before]
        assert_well_placed(page)
        assert frame.x + frame.width <= WIDTH - 35
        if len(methods) == 1:
            assert all(frame.y >= ground.y + ground.height for ground in grounds)
        assert plain(text) in plain(" ".join(one.text for one in page.texts))


@pytest.mark.parametrize(
    ("sample", "draft", "duplicate"),
    [
        ("several-rates", "BROUILLON", "DUPLICATA"),
        ("bilingual", "BROUILLON / DRAFT", "DUPLICATA / DUPLICATE"),
        ("in-english", "DRAFT", "DUPLICATE"),
    ],
)
def test_the_mark_speaks_as_the_document(sample: str, draft: str, duplicate: str) -> None:
    document = SAMPLES[sample]()

    for mark, word in ((DRAFT_MARK, draft), (UNPAID_DUPLICATE, duplicate)):
        assert all(page.startswith(f"{word} ") for page in shown(marked(document, mark)))


@pytest.mark.parametrize("mark", MARKS)
def test_the_same_document_and_mark_give_the_same_bytes(mark: str) -> None:
    assert marked(issued(), MARKS[mark]) == marked(issued(), MARKS[mark])


def test_each_mark_is_another_file() -> None:
    files = [RENDERER.render(issued(), logo=None), *(marked(issued(), mark) for mark in MARKS.values())]

    identifiers = {bytes(pikepdf.open(io.BytesIO(file)).trailer.ID[0]) for file in files}
    assert len(identifiers) == len(files)


def test_a_largest_preview_fits_an_answer_of_lambda() -> None:
    content = marked(SAMPLES["five-hundred-lines"](), DRAFT_MARK)

    assert len(content) * 4 / 3 < 6_000_000 / 4


def test_the_mark_of_a_document_without_a_line_of_its_own_still_stands() -> None:
    assert shown(marked(issued(lines=(priced("0"),)), DRAFT_MARK))[0].startswith("BROUILLON ")
