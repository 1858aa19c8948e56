"""What draws documents."""

from __future__ import annotations

from functools import cache

from billing.adapters.pdf.receipt import PdfReceiptRenderer
from billing.adapters.pdf.renderer import PdfInvoiceRenderer


@cache
def renderer() -> PdfInvoiceRenderer:
    return PdfInvoiceRenderer()


@cache
def receipt_renderer() -> PdfReceiptRenderer:
    return PdfReceiptRenderer()
