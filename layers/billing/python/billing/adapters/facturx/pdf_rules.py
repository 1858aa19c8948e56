"""The judge of the PDF around the XML: PDF/A-3b as our files are written, and nothing else.

Not a validator of PDF/A, which takes an engine of its own: what our writer makes is proven against one, and this holds
that a file is of that making. What a file of ours never has (scripts, forms, other colours, other attachments) is
refused because it is there, not because it is known to be bad.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lxml import etree
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from billing.adapters.facturx.embedding import CONFORMANCE_LEVEL, FILE_NAME
from billing.domain.conformity import Judge, Violation

_CATALOGUE: Final = frozenset(
    {
        "/Type",
        "/Pages",
        "/Lang",
        "/Metadata",
        "/OutputIntents",
        "/ViewerPreferences",
        "/AF",
        "/Names",
        "/PageMode",
    }
)
_PAGE: Final = frozenset({"/Type", "/Parent", "/MediaBox", "/Contents", "/Resources", "/Rotate", "/Trans", "/Annots"})
_LINK: Final = frozenset({"/Type", "/Subtype", "/Rect", "/Border", "/F", "/A"})
_PRINTED = 4  # PDF/A wants of an annotation that it is printed and not hidden
_RESOURCES: Final = frozenset({"/Font", "/ProcSet", "/ExtGState", "/XObject"})
_IMAGE: Final = frozenset(
    {"/Type", "/Subtype", "/BitsPerComponent", "/ColorSpace", "/Filter", "/DecodeParms", "/Width", "/Height", "/Length"}
)
_FILE: Final = frozenset({"/Type", "/F", "/UF", "/Desc", "/AFRelationship", "/EF"})
_EMBEDDED: Final = frozenset({"/Type", "/Subtype", "/Params", "/Filter", "/Length"})
# Text, rectangles, curves, images and colours of RGB.
_OPERATORS: Final = frozenset(b"cm rg n m l c h f* re BT Tm Tf TL Tj ET q f Q gs Do W W*".split())
_STRINGS = re.compile(rb"\((?:\\.|[^\\()])*\)|<[0-9A-Fa-f\s]*>", re.DOTALL)
_NUMBER_OR_NAME = re.compile(rb"[-+.0-9/].*")
_SUBSETTED: Final = frozenset({b"cvt ", b"fpgm", b"glyf", b"head", b"hhea", b"hmtx", b"loca", b"maxp", b"prep"})
_NEEDED: Final = frozenset({b"glyf", b"head", b"hhea", b"hmtx", b"loca", b"maxp"})
_SAFE = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
_XMP: Final = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "pdfaid": "http://www.aiim.org/pdfa/ns/id/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "pdf": "http://ns.adobe.com/pdf/1.3/",
    "schema": "http://www.aiim.org/pdfa/ns/schema#",
    "property": "http://www.aiim.org/pdfa/ns/property#",
    "fx": "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#",
}
_SAID: Final = {
    "pdfaid:part": "3",
    "pdfaid:conformance": "B",
    "fx:DocumentType": "INVOICE",
    "fx:DocumentFileName": FILE_NAME,
    "fx:Version": "1.0",
    "fx:ConformanceLevel": CONFORMANCE_LEVEL,
    "schema:namespaceURI": _XMP["fx"],
}
# Where the information dictionary and the XMP say the same (ISO 19005-3, 6.6.3).
_SAID_TWICE: Final = {
    "/Title": "dc:title/rdf:Alt/rdf:li",
    "/Author": "dc:creator/rdf:Seq/rdf:li",
    "/Subject": "dc:description/rdf:Alt/rdf:li",
    "/Creator": "xmp:CreatorTool",
    "/Producer": "pdf:Producer",
}


def judge_pdf(pdf: bytes, xml: bytes) -> tuple[Violation, ...]:
    """PDF/A-3 as far as its structure says, and that the XML inside is the one that was judged."""
    try:
        reader = PdfReader(io.BytesIO(pdf), strict=True)
        return tuple(_violations(reader, pdf, xml))
    except (
        PyPdfError,
        etree.XMLSyntaxError,
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
        RecursionError,
        struct.error,
    ) as error:
        return (_broken("PDF-01", "/", f"the file cannot be read: {type(error).__name__}"),)


def _violations(reader: PdfReader, pdf: bytes, xml: bytes) -> Iterator[Violation]:
    root: Any = reader.trailer["/Root"].get_object()
    if not pdf.startswith(b"%PDF-1.7\n%") or pdf.count(b"%%EOF") != 1 or not pdf.rstrip().endswith(b"%%EOF"):
        yield _broken("PDF-02", "/", "header or end of file")
    if reader.is_encrypted or "/ID" not in reader.trailer:
        yield _broken("PDF-03", "/trailer", "encrypted, or without an identifier")
    if not _has_srgb_profile(root):
        yield _broken("PDF-04", "/OutputIntents", "no output intent with an RGB profile")
    yield from _metadata(root, reader)
    yield from _attachments(root, xml)
    yield from _unknown(root, _CATALOGUE, "/Root")
    yield from _unknown(root.get("/Names", {}), {"/EmbeddedFiles"}, "/Root/Names")
    if not reader.pages:
        yield _broken("PDF-09", "/Pages", "no page")
    for number, page in enumerate(reader.pages, start=1):
        yield from _page(page, f"/Pages/{number}")


def _has_srgb_profile(root: Any) -> bool:
    intents = root.get("/OutputIntents", [])
    if len(intents) != 1 or intents[0].get_object().get("/S") != "/GTS_PDFA1":
        return False
    profile = intents[0].get_object().get("/DestOutputProfile")
    if profile is None or profile.get_object().get("/N") != 3:
        return False
    held = profile.get_object().get_data()
    return len(held) == int.from_bytes(held[:4]) and held[16:20] == b"RGB " and held[36:40] == b"acsp"


def _metadata(root: Any, reader: PdfReader) -> Iterator[Violation]:
    held: Any = root["/Metadata"].get_object() if "/Metadata" in root else {}
    if (held.get("/Type"), held.get("/Subtype")) != ("/Metadata", "/XML"):
        yield _broken("PDF-05", "/Metadata", "no XMP")
        return
    try:
        tree = etree.fromstring(held.get_data(), _SAFE)
    except etree.XMLSyntaxError as error:
        yield _broken("PDF-05", "/Metadata", f"the XMP cannot be read: {error.msg}")
        return
    for name, value in _SAID.items():
        if [each.text for each in tree.iterfind(f".//{name}", _XMP)] != [value]:
            yield _broken("PDF-05", "/Metadata", f"{name} is not {value}")
    described = {each.text for each in tree.iterfind(".//property:name", _XMP)}
    if missing := {name.partition(":")[2] for name in _SAID if name.startswith("fx:")} - described:
        yield _broken("PDF-05", "/Metadata", f"the extension schema lacks {', '.join(sorted(missing))}")
    information: Any = reader.trailer.get("/Info", {})
    for key, name in _SAID_TWICE.items():
        if tree.findtext(f".//{name}", None, _XMP) != information.get(key):
            yield _broken("PDF-05", f"/Info{key}", "the XMP says otherwise")


def _attachments(root: Any, xml: bytes) -> Iterator[Violation]:
    """The XML alone is attached, once under its name, well described, and it is the one that was judged."""
    files, names = root.get("/AF", []), root.get("/Names", {}).get("/EmbeddedFiles", {}).get("/Names", [])
    if len(files) != 1 or len(names) != 2 or names[0] != FILE_NAME or names[1] != files[0]:
        yield _broken("PDF-06", "/AF", f"{FILE_NAME} is not attached, or not alone")
        return
    file = files[0].get_object()
    yield from _unknown(file, _FILE, "/AF")
    said = [file.get(name) for name in ("/Type", "/F", "/UF", "/AFRelationship")]
    if said != ["/Filespec", FILE_NAME, FILE_NAME, "/Alternative"]:
        yield _broken("PDF-06", "/AF", f"{FILE_NAME} is not attached as the alternative of the document")
    contents = file["/EF"]
    if set(contents) != {"/F", "/UF"} or contents.raw_get("/F") != contents.raw_get("/UF"):
        yield _broken("PDF-06", "/AF", "several contents under one name")
    embedded = contents["/F"].get_object()
    yield from _unknown(embedded, _EMBEDDED, "/AF")
    described = (embedded.get("/Type"), embedded.get("/Subtype"), "/ModDate" in embedded.get("/Params", {}))
    if described != ("/EmbeddedFile", "/text/xml", True):
        yield _broken("PDF-06", "/AF", "the attached file is not described as XML of a date")
    if embedded.get_data() != xml:
        yield _broken("PDF-07", "/AF", "the XML inside is another one")


def _page(page: Any, where: str) -> Iterator[Violation]:
    yield from _unknown(page, _PAGE, where)
    yield from _links(page, where)
    resources: Any = page["/Resources"].get_object()
    yield from _unknown(resources, _RESOURCES, where)
    for font in resources.get("/Font", {}).values():
        yield from _font(font.get_object(), where)
    for drawn in resources.get("/XObject", {}).values():
        image = drawn.get_object()
        yield from _unknown(image, _IMAGE, where)
        if (image.get("/Subtype"), image.get("/ColorSpace")) not in {
            ("/Image", "/DeviceRGB"),
            ("/Image", "/DeviceGray"),
        }:
            yield _broken("PDF-11", where, "something else than an image of RGB or grey")
    for state in resources.get("/ExtGState", {}).values():
        yield from _unknown(state.get_object(), {"/ca"}, where)
    contents = page.get_contents()
    operators = set(_operators(contents.get_data())) if contents is not None else set()
    if unknown := operators - _OPERATORS:
        said = b", ".join(sorted(unknown)[:5]).decode("latin-1")
        yield _broken("PDF-11", where, f"drawn by other means than ours: {said}")
    if b"Tj" not in operators:
        yield _broken("PDF-09", where, "a page without text")


def _links(page: Any, where: str) -> Iterator[Violation]:
    """The only annotation is the address where the document can be paid."""
    for each in page.get("/Annots", []):
        link = each.get_object()
        action = link.get("/A", {})
        yield from _unknown(link, _LINK, where)
        yield from _unknown(action, {"/Type", "/S", "/URI"}, where)
        said = (link.get("/Subtype"), link.get("/F"), action.get("/S"))
        if said != ("/Link", _PRINTED, "/URI") or not str(action.get("/URI")).startswith(("https://", "http://")):
            yield _broken("PDF-12", where, "an annotation that is no link of ours")


def _operators(content: bytes) -> Iterator[bytes]:
    return (token for token in _STRINGS.sub(b" ", content).split() if not _NUMBER_OR_NAME.fullmatch(token))


def _font(font: Any, where: str) -> Iterator[Violation]:
    """A subset of TrueType, embedded, whose widths are those that the page was set with."""
    if font.get("/Subtype") != "/Type0" or font.get("/Encoding") != "/Identity-H" or "/ToUnicode" not in font:
        yield _broken("PDF-08", where, "a font that is not embedded with its characters")
        return
    (described,) = (each.get_object() for each in font["/DescendantFonts"])
    file = described["/FontDescriptor"].get_object().get("/FontFile2")
    if file is None:
        yield _broken("PDF-08", where, "a font is not embedded")
        return
    tables = _tables(file.get_object().get_data())
    if not tables.keys() >= _NEEDED:
        yield _broken("PDF-08", where, "the file of a font is damaged")
    elif not _widths_agree(described, tables):
        yield _broken("PDF-08", where, "the widths of a font are not those of its file")


def _tables(sfnt: bytes) -> dict[bytes, bytes]:
    """Those of a TrueType file that lie within it."""
    if sfnt[:4] != b"\0\1\0\0":
        return {}
    found = {}
    for rank in range(int.from_bytes(sfnt[4:6])):
        tag, _, offset, length = struct.unpack_from(">4sIII", sfnt, 12 + 16 * rank)
        if tag in _SUBSETTED and offset + length <= len(sfnt):
            found[tag] = sfnt[offset : offset + length]
    return found


def _widths_agree(described: Any, tables: Mapping[bytes, bytes]) -> bool:
    """``/W`` (ISO 32000-1, 9.7.4.3) against ``hmtx``, in thousandths of an em, within one."""
    per_em = int.from_bytes(tables[b"head"][18:20])
    count = int.from_bytes(tables[b"hhea"][34:36])
    advances = [struct.unpack_from(">H", tables[b"hmtx"], 4 * rank)[0] for rank in range(count)]
    said = described["/W"]
    for first, widths in zip(said[::2], said[1::2], strict=True):
        for glyph, width in enumerate(widths.get_object(), start=int(first)):
            advance = advances[min(glyph, count - 1)]
            if abs(float(width) - 1000 * advance / per_em) > 1:
                return False
    return True


def _unknown(held: Mapping[str, Any], known: frozenset[str] | set[str], where: str) -> Iterator[Violation]:
    for name in held:
        if name not in known:
            yield _broken("PDF-10", where, f"{name} is in no file of ours")


def _broken(rule: str, location: str, text: str) -> Violation:
    return Violation(judge=Judge.PDF, rule=rule, location=location, text=text)
