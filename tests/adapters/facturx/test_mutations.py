"""What is wrong is refused by a rule that has a name."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pikepdf
import pytest

from billing.adapters.facturx.embedding import factur_x
from billing.adapters.facturx.rules import judge_pdf, judge_xml
from billing.adapters.pdf.renderer import PdfDocumentRenderer
from billing.domain.conformity import RULE_SETS
from tests.adapters.facturx.mutations import MUTATIONS
from tests.documents import SAMPLES
from tests.factories import issued

RULES = RULE_SETS[0].name


def test_there_are_at_least_sixty() -> None:
    assert len({what for what, *_ in MUTATIONS}) == len(MUTATIONS) >= 60


NAMES = [what for what, *_ in MUTATIONS]


@pytest.mark.parametrize(("what", "name", "pattern", "replacement", "rule"), MUTATIONS, ids=NAMES)
def test_a_wrong_xml_is_refused_by_name(what: str, name: str, pattern: str, replacement: str, rule: str) -> None:
    right = factur_x(SAMPLES[name]().document).content.decode()
    count = 0 if "|" in pattern else 1
    wrong = re.sub(pattern, replacement, right, count=count, flags=re.DOTALL)
    assert wrong != right, what

    violations = judge_xml(wrong.encode(), RULES)

    assert rule in {violation.rule for violation in violations}
    assert all(violation.location and violation.text for violation in violations)


def test_a_violation_is_explained_by_field_in_french() -> None:
    right = factur_x(issued().document).content.decode()
    wrong = re.sub(r"(<ram:DuePayableAmount>)[0-9.]+", r"\g<1>1.00", right)

    (violation,) = judge_xml(wrong.encode(), RULES)

    assert violation.explained.startswith("Règle BR-CO-16 : vérifiez montant à payer (BT-115), total avec TVA (BT-112)")


XML = factur_x(issued().document).content
PDF = PdfDocumentRenderer(factur_x).render(issued(), logo=None)


def _edited(edit: Callable[[pikepdf.Pdf], None]) -> bytes:
    with pikepdf.open(io.BytesIO(PDF)) as document:
        edit(document)
        out = io.BytesIO()
        document.save(out, fix_metadata_version=False, force_version="1.7")
    return out.getvalue()


def _without_intent(document: pikepdf.Pdf) -> None:
    del document.Root.OutputIntents


def _without_metadata(document: pikepdf.Pdf) -> None:
    del document.Root.Metadata


def _of_another_part(document: pikepdf.Pdf) -> None:
    stream = document.Root.Metadata
    stream.write(stream.read_bytes().replace(b"<pdfaid:part>3<", b"<pdfaid:part>1<"))


def _without_attachment(document: pikepdf.Pdf) -> None:
    del document.Root.AF


def _of_another_relationship(document: pikepdf.Pdf) -> None:
    document.Root.AF[0].AFRelationship = pikepdf.Name.Unspecified


def _with_another_xml(document: pikepdf.Pdf) -> None:
    document.Root.AF[0].EF.F.write(XML.replace(b"EUR", b"USD"))


def _without_font_files(document: pikepdf.Pdf) -> None:
    for font in document.pages[0].Resources.Font.values():
        del font.DescendantFonts[0].FontDescriptor.FontFile2


@pytest.mark.parametrize(
    ("pdf", "rule"),
    [
        (b"", "PDF-01"),
        (PDF[: len(PDF) // 2], "PDF-01"),
        (PDF.replace(b"xref", b"xxxx"), "PDF-01"),
        (b"<html>" + PDF, "PDF-01"),
        (PDF[: PDF.rindex(b"%%EOF")], "PDF-01"),
        (PDF.replace(b"%PDF-1.7", b"%PDF-1.3"), "PDF-02"),
        (_edited(_without_intent), "PDF-04"),
        (_edited(_without_metadata), "PDF-05"),
        (_edited(_of_another_part), "PDF-05"),
        (_edited(_without_attachment), "PDF-06"),
        (_edited(_of_another_relationship), "PDF-06"),
        (_edited(_with_another_xml), "PDF-07"),
        (_edited(_without_font_files), "PDF-08"),
    ],
)
def test_a_damaged_pdf_is_refused_by_name(pdf: bytes, rule: str) -> None:
    assert rule in {violation.rule for violation in judge_pdf(pdf, XML)}


def test_the_pdf_of_another_document_is_not_its_own() -> None:
    other = PdfDocumentRenderer(factur_x).render(issued(purchase_order="BC-1"), logo=None)

    assert [violation.rule for violation in judge_pdf(other, XML)] == ["PDF-07"]
