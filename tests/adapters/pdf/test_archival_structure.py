"""ISO 19005-3 level B, as far as it can be held without a validator. Clause numbers are those of the standard."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
import zlib
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pikepdf
import pytest
from fontTools.ttLib import TTFont
from PIL import Image, ImageCms

from billing.adapters.facturx.embedding import factur_x
from billing.adapters.pdf.renderer import PdfDocumentRenderer
from billing.domain.template import Design
from billing.ports.delivery import EmbeddedXml, XmlWriter
from tests.adapters.pdf.reading import fonts, opened
from tests.factories import ISSUED_AT, company, issued, many_lines
from tests.papers import papers

RENDERER = PdfDocumentRenderer(factur_x)
NAMESPACES = {
    "pdfaid": "http://www.aiim.org/pdfa/ns/id/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
}


def _saying(content: bytes) -> XmlWriter:
    return lambda _: EmbeddedXml(name="factur-x.xml", content=content, description="Factur-X", metadata="<!-- more -->")


@pytest.fixture(scope="module", params=list(Design))
def pdf(request: pytest.FixtureRequest) -> bytes:
    picture = io.BytesIO()
    Image.new("RGBA", (400, 100), (10, 90, 90, 128)).save(picture, "PNG")
    seller = company(design=request.param)
    return RENDERER.render(issued(seller=seller, lines=many_lines(45)), logo=picture.getvalue())


@pytest.fixture(scope="module")
def document(pdf: bytes) -> pikepdf.Pdf:
    return opened(pdf)


def test_the_file_is_pdf_1_7_with_a_binary_comment(pdf: bytes) -> None:  # 6.1.2
    first, second = pdf.split(b"\n", 2)[:2]

    assert first == b"%PDF-1.7"
    assert second.startswith(b"%")
    assert all(byte > 127 for byte in second[1:5])


def test_the_file_is_whole_and_not_encrypted(pdf: bytes, document: pikepdf.Pdf) -> None:
    assert not document.is_encrypted
    assert document.check_pdf_syntax() == []
    assert pdf.endswith(b"%%EOF\n")


def test_the_identifier_comes_from_the_documents_hash(document: pikepdf.Pdf) -> None:  # 6.1.3
    hashes = {issued(seller=company(design=one), lines=many_lines(45)).document_hash for one in Design}
    first, second = (bytes(part) for part in document.trailer.ID)

    assert first == second
    assert first in {bytes.fromhex(one)[:16] for one in hashes}
    assert len(hashes) == len(Design)


def test_a_line_feed_stands_before_each_endstream_and_is_not_counted(pdf: bytes) -> None:  # 6.1.7.1
    streams = re.findall(rb"/Length (\d+)[^>]*?>>\s*stream\n", pdf, re.DOTALL)
    ends = [match.end() for match in re.finditer(rb"/Length \d+[^>]*?>>\s*stream\n", pdf, re.DOTALL)]

    assert len(streams) >= 7
    for length, start in zip(streams, ends, strict=True):
        assert pdf[start + int(length) :].startswith(b"\nendstream\n")


def test_data_that_ends_with_a_line_feed_gets_another_one() -> None:
    # About one compressed stream in 256 ends with a line feed.
    contents = (hashlib.sha256(bytes([rank % 256, rank // 256])).digest() for rank in range(5000))
    content = next(content for content in contents if zlib.compress(content).endswith(b"\n"))
    pdf = PdfDocumentRenderer(_saying(content)).render(issued(), logo=None)

    assert zlib.compress(content) + b"\nendstream\n" in pdf


def test_the_output_intent_is_srgb(document: pikepdf.Pdf) -> None:  # 6.2.3
    (intent,) = document.Root.OutputIntents
    profile = intent.DestOutputProfile.read_bytes()

    assert intent.S == "/GTS_PDFA1"
    assert intent.DestOutputProfile.N == 3
    described = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    assert "sRGB" in described


def test_every_colour_is_rgb_or_grey_and_nothing_is_transparent(document: pikepdf.Pdf) -> None:  # 6.2.4, 6.2.10
    for page in document.pages:
        operators = {str(instruction.operator) for instruction in pikepdf.parse_content_stream(page)}
        assert not operators & {"k", "K", "cs", "CS", "sh", "gs"}
        assert "/Group" not in page.obj
        for image in page.Resources.get("/XObject", {}).values():
            assert image.ColorSpace == "/DeviceRGB"
            assert "/SMask" not in image


def test_xmp_says_pdfa_3b_and_agrees_with_the_information_dictionary(
    document: pikepdf.Pdf,
) -> None:  # 6.6.2, 6.6.3, 6.6.4
    metadata = document.Root.Metadata
    assert "/Filter" not in metadata
    xmp = ET.fromstring(metadata.read_bytes())  # noqa: S314 - our own bytes

    assert xmp.findtext(".//pdfaid:part", namespaces=NAMESPACES) == "3"
    assert xmp.findtext(".//pdfaid:conformance", namespaces=NAMESPACES) == "B"
    assert xmp.findtext(".//dc:title//rdf:li", namespaces=NAMESPACES) == str(document.docinfo.Title)
    assert xmp.findtext(".//dc:creator//rdf:li", namespaces=NAMESPACES) == str(document.docinfo.Author)
    created = xmp.findtext(".//xmp:CreateDate", namespaces=NAMESPACES)
    assert created is not None
    assert datetime.fromisoformat(created) == ISSUED_AT
    assert str(document.docinfo.CreationDate) == f"D:{ISSUED_AT.astimezone(UTC):%Y%m%d%H%M%S}+00'00'"


def test_markup_in_a_name_does_not_break_the_metadata() -> None:
    seller = company(legal_name="Dupont & Fils <bâtiment>")

    with opened(RENDERER.render(issued(seller=seller), logo=None)) as document:
        xmp = ET.fromstring(document.Root.Metadata.read_bytes())  # noqa: S314 - our own bytes
        assert xmp.findtext(".//dc:creator//rdf:li", namespaces=NAMESPACES) == "Dupont & Fils <bâtiment>"


def test_every_font_is_embedded_and_none_is_a_standard_one(pdf: bytes, document: pikepdf.Pdf) -> None:  # 6.2.11.4
    found = fonts(document)

    assert len(found) == 2
    for name, font in found.items():
        assert re.fullmatch(r"/[A-Z]{6}\+Inter-(Regular|SemiBold)", name)
        assert font.DescendantFonts[0].FontDescriptor.FontFile2.read_bytes()
    for standard in (b"Helvetica", b"Times-Roman", b"Courier", b"ZapfDingbats"):
        assert standard not in pdf


def test_widths_in_the_file_are_those_of_the_embedded_glyphs(document: pikepdf.Pdf) -> None:  # 6.2.11.5
    for font in fonts(document).values():
        descendant = font.DescendantFonts[0]
        program = TTFont(io.BytesIO(descendant.FontDescriptor.FontFile2.read_bytes()))
        advances = [program["hmtx"][glyph][0] for glyph in program.getGlyphOrder()]
        scale = 1000 / program["head"].unitsPerEm
        first, widths = descendant.W

        assert first == 0
        assert len(widths) == len(advances)
        assert all(abs(float(width) - advance * scale) <= 1 for width, advance in zip(widths, advances, strict=True))


def test_an_embedded_glyph_is_the_outline_of_the_full_font(document: pikepdf.Pdf) -> None:
    font = next(font for name, font in fonts(document).items() if name.endswith("Regular"))
    program = TTFont(io.BytesIO(font.DescendantFonts[0].FontDescriptor.FontFile2.read_bytes()))
    full = TTFont(Path(sys.modules["billing.adapters.pdf.fonts"].__file__ or "").parent / "fonts/Inter-Regular.ttf")
    cmap = font.ToUnicode.read_bytes().decode()
    code = int(re.search(r"<([0-9A-F]{4})> <00E9>", cmap)[1], 16)  # type: ignore[index]  # é is on every invoice

    ours = program["glyf"][program.getGlyphOrder()[code]]
    theirs = full["glyf"][full.getBestCmap()[0xE9]]
    assert ours.coordinates == theirs.coordinates


def test_attachments_are_listed_with_their_relationship() -> None:  # 6.8
    with opened(PdfDocumentRenderer(_saying(b"<invoice/>")).render(issued(), logo=None)) as document:
        (specification,) = document.Root.AF
        name, listed = document.Root.Names.EmbeddedFiles.Names
        assert str(name) == str(specification.UF) == str(specification.F) == "factur-x.xml"
        assert listed.objgen == specification.objgen
        assert specification.AFRelationship == "/Alternative"
        embedded = specification.EF.F
        assert embedded.read_bytes() == b"<invoice/>"
        assert embedded.Subtype == "/text/xml"
        assert embedded.Params.Size == len(b"<invoice/>")
        assert b"<!-- more -->" in document.Root.Metadata.read_bytes()


def test_the_same_invoice_gives_the_same_bytes_in_another_process() -> None:
    script = (
        "import hashlib\n"
        "from billing.adapters.facturx.embedding import factur_x\n"
        "from billing.adapters.pdf.renderer import PdfDocumentRenderer\n"
        "from billing.domain.template import Design\n"
        "from tests.factories import company, issued, many_lines\n"
        "for design in Design:\n"
        "    seller = company(design=design, accent_colour='#ffd400')\n"
        "    pdf = PdfDocumentRenderer(factur_x).render(issued(seller=seller, lines=many_lines(45)), logo=None)\n"
        "    print(hashlib.sha256(pdf).hexdigest())\n"
    )
    sellers = [company(design=design, accent_colour="#ffd400") for design in Design]
    drawn = [RENDERER.render(issued(seller=seller, lines=many_lines(45)), logo=None) for seller in sellers]
    here = [hashlib.sha256(pdf).hexdigest() for pdf in drawn]
    assert len(set(here)) == len(Design)

    for seed in ("1", "2"):
        there = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            check=True,
            text=True,
            env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo"},
        )
        assert there.stdout.split() == here


def test_every_paper_of_the_gallery_is_built_so() -> None:
    """What does not depend on what is printed, over everything that is printed: designs, pages, logos, marks, links."""
    every = list(papers())
    assert len(every) > 140
    for paper in every:
        with opened(paper.pdf) as document:
            test_the_file_is_pdf_1_7_with_a_binary_comment(paper.pdf)
            test_the_file_is_whole_and_not_encrypted(paper.pdf, document)
            test_a_line_feed_stands_before_each_endstream_and_is_not_counted(paper.pdf)
            test_the_output_intent_is_srgb(document)
            test_every_font_is_embedded_and_none_is_a_standard_one(paper.pdf, document)
            test_widths_in_the_file_are_those_of_the_embedded_glyphs(document)
            xmp = ET.fromstring(document.Root.Metadata.read_bytes())  # noqa: S314 - our own bytes
            said = [xmp.findtext(f".//pdfaid:{name}", namespaces=NAMESPACES) for name in ("part", "conformance")]
            assert said == ["3", "B"], paper.name
            assert xmp.findtext(".//dc:title//rdf:li", namespaces=NAMESPACES) == str(document.docinfo.Title)


def test_another_invoice_gives_another_file() -> None:
    assert RENDERER.render(issued(), logo=None) != RENDERER.render(issued(purchase_order="BC-1"), logo=None)
