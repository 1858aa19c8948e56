"""The renderer of documents: a frozen document in, the bytes of its PDF/A-3b out."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from billing.adapters.pdf import archive, wording
from billing.adapters.pdf.archive import Archival, Attachment
from billing.adapters.pdf.layout import InvoiceLayout
from billing.adapters.pdf.logo import prepare_logo
from billing.adapters.pdf.marks import stamp, watermark
from billing.adapters.pdf.sheet import Page, draw, one_line
from billing.adapters.pdf.theme import theme_of
from billing.domain.canonical import canonical_json
from billing.domain.deliverable import Printable, frozen
from billing.domain.invoice import InvoiceDocument
from billing.domain.quote import Quote, QuoteDocument
from billing.domain.template import Template
from billing.ports.delivery import Mark, MarkKind, XmlWriter

_CREATOR = "ZenBilling"
_PRODUCER = "ZenBilling (ReportLab)"
_IDENTIFIER_BYTES = 16


class PdfDocumentRenderer:
    """Draws a document in one pass, with the XML that ``xml`` writes of it inside. A quote has none."""

    def __init__(self, xml: XmlWriter) -> None:
        self._xml = xml

    def render(self, issued: Printable, *, logo: bytes | None, pay_url: str = "") -> bytes:
        """The PDF/A-3b of an issued document; the same document and logo give the same bytes.

        Raises:
            InvalidInput: a character that the fonts lack, or a logo that cannot be read.
        """
        document = frozen(issued)
        embedded = None if isinstance(issued, Quote) else self._xml(issued.document)
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
        archival = _archival(document, wording.numbered_title(document), identifier=bytes.fromhex(issued.document_hash))
        return archive.write(
            draw(_pages(document, logo, pay_url=pay_url))._doc,  # noqa: SLF001 - ReportLab writes no PDF/A, so its document is written here
            replace(archival, attachments=attachments, xmp=(embedded.metadata,) if embedded is not None else ()),
        )

    def render_marked(self, issued: Printable, mark: Mark, *, logo: bytes | None) -> bytes:
        """The pages of ``render`` under a mark: no XML, hence no Factur-X, and its own file identifier.

        Raises:
            InvalidInput: a character that the fonts lack, or a logo that cannot be read.
        """
        document = frozen(issued)
        pages = _pages(document, logo, instead_of_code=wording.instead_of_code(mark, document))
        stamp(pages[0], wording.acquitted(mark, document))
        title = wording.numbered_title(document)
        if mark.kind is MarkKind.DUPLICATE:
            title = f"{title} – {wording.mark_word(mark, document)}"
        identified = hashlib.sha256(f"{issued.document_hash} {canonical_json(mark)}".encode())
        canvas = draw(pages, watermark(wording.mark_word(mark, document)))
        return archive.write(
            canvas._doc,  # noqa: SLF001 - as above
            _archival(document, title, identifier=identified.digest()),
        )


def _pages(
    document: InvoiceDocument | QuoteDocument,
    logo: bytes | None,
    *,
    instead_of_code: list[str] | None = None,
    pay_url: str = "",
) -> list[Page]:
    theme = theme_of(Template.of(document.template_version), document.seller.accent_colour)
    prepared = prepare_logo(logo, theme.logo_height) if logo is not None else None
    return InvoiceLayout(document, theme, prepared, instead_of_code=instead_of_code, pay_url=pay_url).pages()


def _archival(document: InvoiceDocument | QuoteDocument, title: str, *, identifier: bytes) -> Archival:
    return Archival(
        title=title,
        author=one_line(document.seller.display_name),
        subject=f"{title} – {one_line(document.buyer.name)}",
        creator=_CREATOR,
        producer=_PRODUCER,
        at=document.issued_at,
        identifier=identifier[:_IDENTIFIER_BYTES],
        language="en" if document.particulars.tongue.is_english else "fr-FR",
    )
