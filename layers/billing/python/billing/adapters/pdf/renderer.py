"""The renderer of documents: a frozen document in, the bytes of its PDF/A-3b out."""

from __future__ import annotations

from billing.adapters.pdf import archive, wording
from billing.adapters.pdf.archive import Archival, Attachment
from billing.adapters.pdf.layout import InvoiceLayout
from billing.adapters.pdf.logo import prepare_logo
from billing.adapters.pdf.sheet import draw, one_line
from billing.adapters.pdf.theme import theme_of
from billing.domain.deliverable import Printable
from billing.domain.quote import Quote
from billing.domain.template import Template
from billing.ports.delivery import XmlWriter

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
        theme = theme_of(Template.of(document.template_version), document.seller.accent_colour)
        prepared = prepare_logo(logo, theme.logo_height) if logo is not None else None
        canvas = draw(InvoiceLayout(document, theme, prepared).pages())
        title = wording.numbered_title(document)
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
