"""A PDF that is not of our making, or was altered since, is refused by a rule that has a name."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from billing.adapters.facturx.embedding import factur_x
from billing.adapters.facturx.pdf_rules import judge_pdf
from billing.adapters.pdf.renderer import PdfDocumentRenderer
from tests import logos
from tests.documents import SAMPLES
from tests.factories import issued
from tests.papers import papers

XML = factur_x(issued().document).content
PDF = PdfDocumentRenderer(factur_x).render(issued(), logo=None)
Edit = Callable[[pikepdf.Pdf], None]


def edited(edit: Edit, **options: Any) -> bytes:
    with pikepdf.open(io.BytesIO(PDF)) as document:
        edit(document)
        out = io.BytesIO()
        document.save(out, fix_metadata_version=False, force_version="1.7", **options)
    return out.getvalue()


def replaced(old: bytes, new: bytes) -> Edit:
    """In the XMP."""

    def edit(document: pikepdf.Pdf) -> None:
        held = document.Root.Metadata.read_bytes()
        assert old in held
        document.Root.Metadata.write(held.replace(old, new))

    return edit


def without_extension_schema(document: pikepdf.Pdf) -> None:
    held = document.Root.Metadata.read_bytes()
    start, end = held.index(b"<pdfaExtension:schemas>"), held.index(b"</pdfaExtension:schemas>")
    document.Root.Metadata.write(held[:start] + held[end + len(b"</pdfaExtension:schemas>") :])


def without(path: str) -> Edit:
    def edit(document: pikepdf.Pdf) -> None:
        *parents, last = path.split(".")
        held = document.Root
        for name in parents:
            held = held[f"/{name}"]
            held = held[0] if isinstance(held, Array) else held
        del held[f"/{last}"]

    return edit


def embedded(document: pikepdf.Pdf, content: bytes, *, name: str = "factur-x.xml") -> pikepdf.Object:
    stream = document.make_stream(content)
    stream.Type = Name.EmbeddedFile
    return document.make_indirect(
        Dictionary(
            Type=Name.Filespec,
            F=String(name),
            UF=String(name),
            EF=Dictionary(F=stream, UF=stream),
            AFRelationship=Name.Alternative,
        )
    )


def with_another_xml_under_its_name(document: pikepdf.Pdf) -> None:
    document.Root.Names.EmbeddedFiles.Names = Array([String("factur-x.xml"), embedded(document, XML + b" ")])


def with_another_xml_for_some_readers(document: pikepdf.Pdf) -> None:
    document.Root.AF[0].EF.UF = document.make_indirect(document.make_stream(XML + b" "))


def with_a_program(document: pikepdf.Pdf) -> None:
    document.Root.AF.append(embedded(document, b"MZ", name="facture.exe"))


def with_another_xml(document: pikepdf.Pdf) -> None:
    document.Root.AF[0].EF.F.write(XML.replace(b"EUR", b"USD"))


def of_another_relationship(document: pikepdf.Pdf) -> None:
    document.Root.AF[0].AFRelationship = Name.Unspecified


def of_another_media_type(document: pikepdf.Pdf) -> None:
    document.Root.AF[0].EF.F.Subtype = Name("/application/octet-stream")


def of_another_intent(document: pikepdf.Pdf) -> None:
    document.Root.OutputIntents[0].S = Name.GTS_PDFX


def with_a_script(document: pikepdf.Pdf) -> None:
    document.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))


def with_a_form(document: pikepdf.Pdf) -> None:
    document.Root.AcroForm = Dictionary(XFA=String("x"), Fields=Array([]))


def with_an_annotation(document: pikepdf.Pdf) -> None:
    document.pages[0].Annots = Array([Dictionary(Type=Name.Annot, Subtype=Name.Movie, Rect=Array([0, 0, 1, 1]))])


def linked(**changes: Any) -> Edit:
    """With a link as ours, but for what is changed in it."""

    def edit(document: pikepdf.Pdf) -> None:
        uri = {"Type": Name.Action, "S": Name.URI, "URI": String("https://app.exemple.test/factures/x")}
        action = Dictionary(**{**uri, **changes.pop("A", {})})
        said = {"Type": Name.Annot, "Subtype": Name.Link, "Rect": Array([0, 0, 9, 9]), "F": 4, "A": action}
        document.pages[0].Annots = Array([Dictionary(**{**said, **changes})])

    return edit


def with_a_group_of_cmyk(document: pikepdf.Pdf) -> None:
    document.pages[0].Group = Dictionary(S=Name.Transparency, CS=Name.DeviceCMYK)


def with_a_form_of_another_font(document: pikepdf.Pdf) -> None:
    drawn = document.make_stream(b"BT /H 12 Tf (x) Tj ET")
    drawn.Type, drawn.Subtype, drawn.BBox = Name.XObject, Name.Form, Array([0, 0, 99, 99])
    document.pages[0].Resources.XObject = Dictionary(X=drawn)


def with_cmyk(document: pikepdf.Pdf) -> None:
    held = document.pages[0].Contents.read_bytes()
    document.pages[0].Contents = document.make_stream(held + b"\n0 0 0 1 k 0 0 10 10 re f\n")


def with_nothing_drawn(document: pikepdf.Pdf) -> None:
    document.pages[0].Contents = document.make_stream(b"")


def without_text(document: pikepdf.Pdf) -> None:
    held = document.pages[0].Contents.read_bytes()
    document.pages[0].Contents = document.make_stream(held.replace(b" Tj", b" TL"))


def with_another_title(document: pikepdf.Pdf) -> None:
    document.docinfo.Title = "Autre chose"


def each_font(change: Callable[[pikepdf.Object], None]) -> Edit:
    def edit(document: pikepdf.Pdf) -> None:
        for font in document.pages[0].Resources.Font.values():
            change(font)

    return edit


def without_its_file(font: pikepdf.Object) -> None:
    del font.DescendantFonts[0].FontDescriptor.FontFile2


def without_its_characters(font: pikepdf.Object) -> None:
    del font.ToUnicode


def with_a_damaged_file(font: pikepdf.Object) -> None:
    font.DescendantFonts[0].FontDescriptor.FontFile2.write(b"garbage")


def with_other_widths(font: pikepdf.Object) -> None:
    font.DescendantFonts[0].W = Array([0, Array([1] * 200)])


DAMAGED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "PDF-01"),
    "cut": (PDF[: len(PDF) // 2], "PDF-01"),
    "without a table of references": (PDF.replace(b"xref", b"xxxx"), "PDF-01"),
    "behind something else": (b"<html>" + PDF, "PDF-01"),
    "without its end": (PDF[: PDF.rindex(b"%%EOF")], "PDF-01"),
    "of another version": (PDF.replace(b"%PDF-1.7", b"%PDF-1.3"), "PDF-02"),
    "with something after its end": (PDF + b"%%EOF\n", "PDF-02"),
    "without an identifier": (PDF.replace(b"/ID [", b"/IX ["), "PDF-03"),
    "encrypted": (
        edited(lambda _: None, encryption=pikepdf.Encryption(owner="o", user="", R=3, aes=False, metadata=False)),
        "PDF-03",
    ),
    "without a page": (edited(lambda document: document.pages.__delitem__(slice(None))), "PDF-09"),
    "of another intent": (edited(of_another_intent), "PDF-04"),
    "without an output intent": (edited(without("OutputIntents")), "PDF-04"),
    "without a colour profile": (edited(without("OutputIntents.DestOutputProfile")), "PDF-04"),
    "without metadata": (edited(without("Metadata")), "PDF-05"),
    "with metadata of no type": (edited(without("Metadata.Type")), "PDF-05"),
    "with metadata that is no XML": (edited(replaced(b"</rdf:RDF>", b"<")), "PDF-05"),
    "of another part": (edited(replaced(b"<pdfaid:part>3<", b"<pdfaid:part>1<")), "PDF-05"),
    "of another level": (edited(replaced(b"conformance>B<", b"conformance>A<")), "PDF-05"),
    "of no level": (edited(replaced(b"<pdfaid:conformance>B</pdfaid:conformance>", b"")), "PDF-05"),
    "of no version of Factur-X": (edited(replaced(b"<fx:Version>1.0</fx:Version>", b"")), "PDF-05"),
    "of no type of Factur-X": (edited(replaced(b"<fx:DocumentType>INVOICE</fx:DocumentType>", b"")), "PDF-05"),
    "of another profile": (edited(replaced(b"Level>EN 16931<", b"Level>BASIC<")), "PDF-05"),
    "without the extension schema": (edited(without_extension_schema), "PDF-05"),
    "with another title": (edited(with_another_title), "PDF-05"),
    "without an attachment": (edited(without("AF")), "PDF-06"),
    "without the name of its attachment": (edited(without("Names")), "PDF-06"),
    "with another XML under its name": (edited(with_another_xml_under_its_name), "PDF-06"),
    "with another XML for some readers": (edited(with_another_xml_for_some_readers), "PDF-06"),
    "with a program": (edited(with_a_program), "PDF-06"),
    "of another relationship": (edited(of_another_relationship), "PDF-06"),
    "of another media type": (edited(of_another_media_type), "PDF-06"),
    "with another XML": (edited(with_another_xml), "PDF-07"),
    "without the files of its fonts": (edited(each_font(without_its_file)), "PDF-08"),
    "without the characters of its fonts": (edited(each_font(without_its_characters)), "PDF-08"),
    "with damaged fonts": (edited(each_font(with_a_damaged_file)), "PDF-08"),
    "with other widths": (edited(each_font(with_other_widths)), "PDF-08"),
    "with nothing drawn": (edited(with_nothing_drawn), "PDF-09"),
    "without text": (edited(without_text), "PDF-09"),
    "with a script": (edited(with_a_script), "PDF-10"),
    "with a form": (edited(with_a_form), "PDF-10"),
    "with an annotation": (edited(with_an_annotation), "PDF-12"),
    "with a link to a file": (edited(linked(A={"URI": String("file:///etc/passwd")})), "PDF-12"),
    "with a link that runs a script": (edited(linked(A={"S": Name.JavaScript})), "PDF-12"),
    "with a link that is hidden": (edited(linked(F=2)), "PDF-12"),
    "with a link that does more": (edited(linked(AA=Dictionary())), "PDF-10"),
    "with a group of CMYK": (edited(with_a_group_of_cmyk), "PDF-10"),
    "with a form of another font": (edited(with_a_form_of_another_font), "PDF-11"),
    "with CMYK": (edited(with_cmyk), "PDF-11"),
}


@pytest.mark.parametrize(("pdf", "rule"), DAMAGED.values(), ids=list(DAMAGED))
def test_an_altered_pdf_is_refused_by_name(pdf: bytes, rule: str) -> None:
    assert rule in {violation.rule for violation in judge_pdf(pdf, XML)}


def test_no_paper_of_the_gallery_is_refused() -> None:
    refused = {paper.name: judge_pdf(paper.pdf, paper.xml) for paper in papers() if paper.xml is not None}

    assert len(refused) > 100
    assert {name: broken for name, broken in refused.items() if broken} == {}


def test_a_link_to_a_page_is_not_refused() -> None:
    assert judge_pdf(edited(linked()), XML) == ()


def test_what_is_only_written_again_is_not_refused() -> None:
    assert judge_pdf(edited(lambda _: None), XML) == ()


@pytest.mark.parametrize("kind", logos.FORMATS)
def test_a_logo_is_no_reason_to_refuse(kind: str) -> None:
    logo = logos.encoded(logos.wide(), kind)

    assert judge_pdf(PdfDocumentRenderer(factur_x).render(issued(), logo=logo), XML) == ()


def test_the_pdf_of_another_document_is_not_its_own() -> None:
    other = PdfDocumentRenderer(factur_x).render(SAMPLES["one-service"](), logo=None)

    assert [violation.rule for violation in judge_pdf(other, XML)] == ["PDF-07"]
