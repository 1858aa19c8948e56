"""What draws documents."""

from __future__ import annotations

from functools import cache

from billing.adapters.facturx.embedding import factur_x
from billing.adapters.pdf.receipt import PdfReceiptRenderer
from billing.adapters.pdf.renderer import PdfDocumentRenderer
from billing.adapters.pdf.statement import PdfStatementRenderer


@cache
def renderer() -> PdfDocumentRenderer:
    return PdfDocumentRenderer(factur_x)


@cache
def receipt_renderer() -> PdfReceiptRenderer:
    return PdfReceiptRenderer()


@cache
def statement_renderer() -> PdfStatementRenderer:
    return PdfStatementRenderer()
