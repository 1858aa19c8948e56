"""A ReportLab document written as PDF/A-3b (ISO 19005-3) in one pass.

ReportLab knows nothing of PDF/A. Written here instead of by it: the catalogue with output intent, XMP and attachments,
the line break before ``endstream`` (6.1.7.1), the file identifier (6.1.3), dates that come from the document.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

from PIL import ImageCms
from reportlab.pdfbase.pdfdoc import (
    PDFArray,
    PDFDictionary,
    PDFDocument,
    PDFIndirectObject,
    PDFName,
    PDFStream,
    PDFString,
    PDFZCompress,
)

_HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
_STREAM_END = b"endstream\nendobj\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    name: str
    content: bytes
    media_type: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Archival:
    """What the file says of itself. ``identifier`` is 16 bytes; ``xmp`` holds further ``rdf:Description`` elements,
    such as the extension schema of Factur-X."""

    title: str
    author: str
    subject: str
    creator: str
    producer: str
    at: datetime
    identifier: bytes
    attachments: tuple[Attachment, ...] = ()
    xmp: tuple[str, ...] = ()
    language: str = "fr-FR"


def write(document: PDFDocument, archival: Archival) -> bytes:
    """The bytes of the file; the same document and description give the same bytes."""
    for font in document.delayedFonts:
        font.addObjects(document)
    root = document.Reference(_catalogue(document, archival), "Catalogue")
    info = document.Reference(_information(archival), "Information")
    chunks = [_HEADER]
    offsets = []
    position = len(_HEADER)
    for chunk in _objects(document):
        offsets.append(position)
        chunks.append(chunk)
        position += len(chunk)
    entries = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    identifier = archival.identifier.hex().upper()
    chunks.append(
        (
            f"xref\n0 {len(offsets) + 1}\n0000000000 65535 f \n{entries}"
            f"trailer\n<< /Size {len(offsets) + 1} /Root {_number(document, root)} /Info {_number(document, info)}"
            f" /ID [<{identifier}> <{identifier}>] >>\nstartxref\n{position}\n%%EOF\n"
        ).encode("ascii")
    )
    return b"".join(chunks)


def _objects(document: PDFDocument) -> Iterator[bytes]:
    """Each indirect object; writing one may register further ones."""
    number = 1
    while (name := document.numberToId.get(number)) is not None:
        chunk: bytes = PDFIndirectObject(name, document.idToObject[name]).format(document)
        if chunk.endswith(_STREAM_END):  # even where the data itself happens to end with a line feed
            chunk = b"%s\n%s" % (chunk[: -len(_STREAM_END)], _STREAM_END)
        yield chunk
        number += 1


def _number(document: PDFDocument, reference: object) -> str:
    number, generation = document.idToObjectNumberAndVersion[reference.name]  # type: ignore[attr-defined]
    return f"{number} {generation} R"


def _catalogue(document: PDFDocument, archival: Archival) -> PDFDictionary:
    metadata = PDFStream(PDFDictionary({"Type": PDFName("Metadata"), "Subtype": PDFName("XML")}), _xmp(archival))
    profile = PDFStream(PDFDictionary({"N": 3}), _srgb_profile(), filters=[PDFZCompress])
    intent = PDFDictionary(
        {
            "Type": PDFName("OutputIntent"),
            "S": PDFName("GTS_PDFA1"),
            "OutputConditionIdentifier": PDFString("sRGB IEC61966-2.1"),
            "Info": PDFString("sRGB IEC61966-2.1"),
            "DestOutputProfile": document.Reference(profile, "ColourProfile"),
        }
    )
    entries = {
        "Type": PDFName("Catalog"),
        "Pages": document.Reference(document.Pages),
        "Lang": PDFString(archival.language),
        "Metadata": document.Reference(metadata, "Metadata"),
        "OutputIntents": PDFArray([intent]),
        "ViewerPreferences": PDFDictionary({"DisplayDocTitle": "true"}),
    }
    if archival.attachments:
        files = [_file_specification(document, attachment, archival.at) for attachment in archival.attachments]
        by_name = sorted(zip((attachment.name for attachment in archival.attachments), files, strict=True))
        names = PDFArray([entry for name, file in by_name for entry in (PDFString(name), file)])
        entries["AF"] = PDFArray(files)
        entries["Names"] = PDFDictionary({"EmbeddedFiles": PDFDictionary({"Names": names})})
        entries["PageMode"] = PDFName("UseAttachments")
    return PDFDictionary(entries)


def _file_specification(document: PDFDocument, attachment: Attachment, at: datetime) -> object:
    stream = PDFStream(
        PDFDictionary(
            {
                "Type": PDFName("EmbeddedFile"),
                "Subtype": PDFName(attachment.media_type.replace("/", "#2F")).replace("#232F", "#2F"),
                "Params": PDFDictionary({"Size": len(attachment.content), "ModDate": PDFString(_pdf_date(at))}),
            }
        ),
        attachment.content,
        filters=[PDFZCompress],
    )
    embedded = document.Reference(stream, f"attachment:{attachment.name}")
    specification = PDFDictionary(
        {
            "Type": PDFName("Filespec"),
            "F": PDFString(attachment.name),
            "UF": PDFString(attachment.name),
            "Desc": PDFString(attachment.description),
            "AFRelationship": PDFName("Alternative"),  # the same content for machines
            "EF": PDFDictionary({"F": embedded, "UF": embedded}),
        }
    )
    return document.Reference(specification, f"fileSpecification:{attachment.name}")


def _information(archival: Archival) -> PDFDictionary:
    """Says the same as the XMP, which PDF/A demands (6.6.3)."""
    return PDFDictionary(
        {
            "Title": PDFString(archival.title),
            "Author": PDFString(archival.author),
            "Subject": PDFString(archival.subject),
            "Creator": PDFString(archival.creator),
            "Producer": PDFString(archival.producer),
            "CreationDate": PDFString(_pdf_date(archival.at)),
            "ModDate": PDFString(_pdf_date(archival.at)),
        }
    )


def _pdf_date(at: datetime) -> str:
    return at.strftime("D:%Y%m%d%H%M%S+00'00'")


def _xmp(archival: Archival) -> bytes:
    at = archival.at.strftime("%Y-%m-%dT%H:%M:%S+00:00")
    extensions = "".join(archival.xmp)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        '<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">'
        "<pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance></rdf:Description>\n"
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<dc:format>application/pdf</dc:format>"
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(archival.title)}</rdf:li></rdf:Alt></dc:title>'
        f"<dc:creator><rdf:Seq><rdf:li>{escape(archival.author)}</rdf:li></rdf:Seq></dc:creator>"
        f'<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{escape(archival.subject)}</rdf:li></rdf:Alt>'
        f"</dc:description><dc:language><rdf:Bag><rdf:li>{archival.language}</rdf:li></rdf:Bag></dc:language>"
        "</rdf:Description>\n"
        '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/">'
        f"<xmp:CreatorTool>{escape(archival.creator)}</xmp:CreatorTool>"
        f"<xmp:CreateDate>{at}</xmp:CreateDate><xmp:ModifyDate>{at}</xmp:ModifyDate>"
        f"<xmp:MetadataDate>{at}</xmp:MetadataDate></rdf:Description>\n"
        '<rdf:Description rdf:about="" xmlns:pdf="http://ns.adobe.com/pdf/1.3/">'
        f"<pdf:Producer>{escape(archival.producer)}</pdf:Producer></rdf:Description>\n"
        f'{extensions}</rdf:RDF></x:xmpmeta>\n<?xpacket end="w"?>'
    ).encode()


@functools.cache
def _srgb_profile() -> bytes:
    """The 588 bytes that Little CMS makes, with the date of making blanked so that bytes never differ."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes((7, 208, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0))  # 2000-01-01 00:00:00
    return bytes(profile)
