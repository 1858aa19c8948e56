"""The two embedded fonts: parsed once per process, cut to the glyphs of each document.

ReportLab's own subsets hold 256 characters each and turn U+00A0 into a space. These are embedded as one composite font
(Type 0, Identity-H) whose character codes are the glyph numbers of the subset, in order of first use.
"""

from __future__ import annotations

import functools
import struct
import unicodedata
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.pdfdoc import PDFArray, PDFDictionary, PDFDocument, PDFName, PDFStream, PDFZCompress
from reportlab.pdfbase.ttfonts import TTFont

from billing.domain.errors import InvalidInput

REGULAR = "Inter-Regular"
SEMIBOLD = "Inter-SemiBold"
_FOLDER = Path(__file__).parent / "fonts"
_SYMBOLIC = 4  # PDF 32000-1 table 123: the glyphs are chosen by number, not by a standard encoding


class _Subset(dict[str, bytes]):
    """Character → two-byte code, given on first use. Code 0 is ``.notdef`` and never given."""

    def __init__(self, char_to_glyph: dict[int, int]) -> None:
        super().__init__()
        self.glyphs = [0]
        self.characters = [""]
        self._char_to_glyph = char_to_glyph

    def __missing__(self, character: str) -> bytes:
        glyph = self._char_to_glyph.get(ord(character), 0)
        if not glyph:
            name = unicodedata.name(character, "?")
            raise InvalidInput(
                f"Le caractère « {character} » (U+{ord(character):04X}, {name}) ne peut pas être imprimé.",
                f"The character “{character}” (U+{ord(character):04X}, {name}) cannot be printed.",
            )
        code = struct.pack(">H", len(self.glyphs))
        self.glyphs.append(glyph)
        self.characters.append(character)
        self[character] = code
        return code


class EmbeddedFont(TTFont):  # type: ignore[misc]  # reportlab ships no types
    """A TrueType font without composite glyphs, written as a composite PDF font."""

    def __init__(self, name: str, path: Path) -> None:
        super().__init__(name, str(path), shapable=False)
        face = self.face
        count = struct.unpack(">H", face.get_table("maxp")[4:6])[0]
        long_offsets = struct.unpack(">h", face.get_table("head")[50:52])[0]
        loca = face.get_table("loca")
        offsets = (
            struct.unpack(f">{count + 1}L", loca)
            if long_offsets
            else [2 * offset for offset in struct.unpack(f">{count + 1}H", loca[: 2 * count + 2])]
        )
        outlines = face.get_table("glyf")
        self._outlines = [_padded(outlines[start:end]) for start, end in pairwise(offsets)]
        metrics = face.get_table("hmtx")
        if len(metrics) != 4 * count:
            raise ValueError("the font must give a width to every glyph")
        self._metrics = [metrics[4 * glyph : 4 * glyph + 4] for glyph in range(count)]

    def splitString(self, text: str, doc: PDFDocument, encoding: str = "utf-8") -> list[tuple[int, bytes]]:  # noqa: ARG002, N802
        """ReportLab's hook: one run of two-byte codes. Raises: InvalidInput for a missing glyph."""
        codes = self._subset(doc)
        return [(0, b"".join([codes[character] for character in text]))]

    def getSubsetInternalName(self, subset: int, doc: PDFDocument) -> str:  # noqa: ARG002, N802
        """ReportLab's hook: the resource name of the font, which is noted for embedding on first use."""
        if self.fontName not in doc.fontMapping:
            doc.fontMapping[self.fontName] = f"/F{len(doc.fontMapping) + 1}"
            doc.delayedFonts.append(self)
        return str(doc.fontMapping[self.fontName])

    def addObjects(self, doc: PDFDocument) -> None:  # noqa: N802
        """ReportLab's hook: embed what the document used."""
        subset = self._subset(doc)
        name = doc.fontMapping[self.fontName][1:]
        tag = "".join(chr(ord("A") + (len(subset.glyphs) * 7 + 5 * place + ord(name[1])) % 26) for place in range(6))
        base_font = PDFName(f"{tag}+{self.fontName}")
        face = self.face
        file = PDFStream(content=self._font_file(subset.glyphs), filters=[PDFZCompress])
        file.dictionary["Length1"] = len(file.content)
        descriptor = PDFDictionary(
            {
                "Type": PDFName("FontDescriptor"),
                "FontName": base_font,
                "Flags": _SYMBOLIC,
                "FontBBox": PDFArray([round(edge) for edge in face.bbox]),
                "ItalicAngle": 0,
                "Ascent": round(face.ascent),
                "Descent": round(face.descent),
                "CapHeight": round(face.capHeight),
                "StemV": round(face.stemV),
                "FontFile2": doc.Reference(file, f"fontFile:{self.fontName}"),
            }
        )
        widths = [face.defaultWidth, *(face.charWidths[ord(character)] for character in subset.characters[1:])]
        descendant = PDFDictionary(
            {
                "Type": PDFName("Font"),
                "Subtype": PDFName("CIDFontType2"),
                "BaseFont": base_font,
                "CIDSystemInfo": "<< /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>",
                "CIDToGIDMap": PDFName("Identity"),
                "DW": round(face.defaultWidth),
                "W": f"[0 [{' '.join(map(str, widths))}]]",
                "FontDescriptor": doc.Reference(descriptor, f"fontDescriptor:{self.fontName}"),
            }
        )
        unicode_map = PDFStream(content=_to_unicode(subset.characters), filters=[PDFZCompress])
        doc.idToObject["BasicFonts"].dict[name] = PDFDictionary(
            {
                "Type": PDFName("Font"),
                "Subtype": PDFName("Type0"),
                "BaseFont": base_font,
                "Encoding": PDFName("Identity-H"),
                "DescendantFonts": PDFArray([doc.Reference(descendant, f"cidFont:{self.fontName}")]),
                "ToUnicode": doc.Reference(unicode_map, f"toUnicode:{self.fontName}"),
            }
        )
        del self.state[doc]

    def _subset(self, doc: PDFDocument) -> _Subset:
        subset = self.state.get(doc)
        if subset is None:
            subset = self.state[doc] = _Subset(self.face.charToGlyph)
        return subset  # type: ignore[no-any-return]

    def _font_file(self, glyphs: list[int]) -> bytes:
        outlines = [self._outlines[glyph] for glyph in glyphs]
        offsets = [0, *accumulate(map(len, outlines))]
        head = bytearray(self.face.get_table("head"))
        struct.pack_into(">L", head, 8, 0)  # checkSumAdjustment, computed over the whole file below
        struct.pack_into(">h", head, 50, 1)
        hhea = bytearray(self.face.get_table("hhea"))
        struct.pack_into(">H", hhea, 34, len(glyphs))
        maxp = bytearray(self.face.get_table("maxp"))
        struct.pack_into(">H", maxp, 4, len(glyphs))
        return _sfnt(
            {
                b"glyf": b"".join(outlines),
                b"head": bytes(head),
                b"hhea": bytes(hhea),
                b"hmtx": b"".join([self._metrics[glyph] for glyph in glyphs]),
                b"loca": struct.pack(f">{len(offsets)}L", *offsets),
                b"maxp": bytes(maxp),
            }
        )


def _padded(table: bytes) -> bytes:
    return table + b"\0" * (-len(table) % 4)


def _checksum(data: bytes) -> int:
    words: tuple[int, ...] = struct.unpack(f">{len(data) // 4}L", data)
    return sum(words) & 0xFFFFFFFF


def _sfnt(tables: dict[bytes, bytes]) -> bytes:
    """A TrueType file of these tables, sorted by tag as the format asks."""
    count = len(tables)
    power = count.bit_length() - 1
    directory = struct.pack(">LHHHH", 0x00010000, count, 16 << power, power, 16 * count - (16 << power))
    position = len(directory) + 16 * count
    body = b""
    head_at = 0
    for tag, table in tables.items():
        padded = _padded(table)
        if tag == b"head":
            head_at = position
        directory += struct.pack(">4sLLL", tag, _checksum(padded), position, len(table))
        body += padded
        position += len(padded)
    file = bytearray(directory + body)
    struct.pack_into(">L", file, head_at + 8, (0xB1B0AFBA - _checksum(bytes(file))) & 0xFFFFFFFF)
    return bytes(file)


def _to_unicode(characters: list[str]) -> bytes:
    """The CMap that gives text back to whoever selects or searches it."""
    pairs = [
        f"<{code:04X}> <{character.encode('utf-16-be').hex().upper()}>"
        for code, character in enumerate(characters)
        if character
    ]
    blocks = [pairs[start : start + 100] for start in range(0, len(pairs), 100)]
    mapping = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
        f"{mapping}\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
    ).encode("ascii")


@functools.cache
def embedded_font(name: str) -> Any:
    """The font, registered with ReportLab under its name on first use in this process."""
    font = EmbeddedFont(name, _FOLDER / f"{name}.ttf")
    pdfmetrics.registerFont(font)
    return font
