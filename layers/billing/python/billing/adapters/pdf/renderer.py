"""The renderer of documents: a frozen document in, the bytes of its PDF/A-3b out."""

from __future__ import annotations

import hashlib

from billing.adapters.pdf import archive, wording
from billing.adapters.pdf.archive import Archival, Attachment
from billing.adapters.pdf.layout import InvoiceLayout
from billing.adapters.pdf.logo import prepare_logo
from billing.adapters.pdf.marks import stamp, watermark
from billing.adapters.pdf.sheet import draw, one_line
from billing.domain.canonical import canonical_json
from billing.domain.deliverable import Printable
from billing.domain.quote import Quote
from billing.ports.delivery import Mark, MarkKind, XmlWriter

_CREATOR = "ZenBilling"
_PRODUCER = "ZenBilling (ReportLab)"
_IDENTIFIER_BYTES = 16


class PdfDocumentRenderer:
    """Draws a document in one pass, with the XML that ``xml`` writes of it inside. A quote has none."""

    def __init__(self, xml: XmlWriter) -> None:
        self._xml = xml

    def render(self, issued: Printable, *, logo: bytes | None) -> bytes:
        """The PDF/A-3b of an issued document; the same document and logo give the same bytes.

        Raises:
            InvalidInput: a character that the fonts lack, or a logo that cannot be read.
        """
        document = issued.frozen if isinstance(issued, Quote) else issued.document
        embedded = None if isinstance(issued, Quote) else self._xml(issued.document)
        prepared = prepare_logo(logo) if logo is not None else None
        canvas = draw(InvoiceLayout(document, prepared).pages())
        title = f"{wording.title(document)} {document.number}"
        attachments: tuple[Attachment, ...] = ()
        if embedded is not None:
            attachments = (
                Attachment(
                    name=embedded.name,
                    content=embedded.content,
                    media_type="text/xml",
                    description=embedded.description,
                ),
            )
        return archive.write(
            canvas._doc,  # noqa: SLF001 - ReportLab writes no PDF/A, so its document is written here
            Archival(
                title=title,
                author=one_line(document.seller.display_name),
                subject=f"{title} – {one_line(document.buyer.name)}",
                creator=_CREATOR,
                producer=_PRODUCER,
                at=document.issued_at,
                identifier=bytes.fromhex(issued.document_hash)[:_IDENTIFIER_BYTES],
                attachments=attachments,
                language="en" if document.particulars.tongue.is_english else "fr-FR",
                xmp=(embedded.metadata,) if embedded is not None else (),
            ),
        )

    def render_marked(self, issued: Printable, mark: Mark, *, logo: bytes | None) -> bytes:
        """The pages of ``render`` under a mark: no XML, hence no Factur-X, and its own file identifier.

        Raises:
            InvalidInput: a character that the fonts lack, or a logo that cannot be read.
        """
        document = issued.frozen if isinstance(issued, Quote) else issued.document
        prepared = prepare_logo(logo) if logo is not None else None
        pages = InvoiceLayout(document, prepared, instead_of_code=wording.instead_of_code(mark, document)).pages()
        stamp(pages, wording.acquitted(mark, document))
        canvas = draw(pages, watermark(wording.mark_word(mark, document)))
        title = f"{wording.title(document)} {document.number}"
        if mark.kind is MarkKind.DUPLICATE:
            title = f"{title} – {wording.mark_word(mark, document)}"
        identified = f"{issued.document_hash} {canonical_json(mark)}"
        return archive.write(
            canvas._doc,  # noqa: SLF001 - as above
            Archival(
                title=title,
                author=one_line(document.seller.display_name),
                subject=f"{title} – {one_line(document.buyer.name)}",
                creator=_CREATOR,
                producer=_PRODUCER,
                at=document.issued_at,
                identifier=hashlib.sha256(identified.encode()).digest()[:_IDENTIFIER_BYTES],
                language="en" if document.particulars.tongue.is_english else "fr-FR",
            ),
        )
