"""The invoices that are printed, and their texts for engines that know nothing of ours."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import Any

from billing.adapters.pdf import wording
from billing.domain.invoice import InvoiceDocument, IssuedInvoice
from tests.factories import issued, many_lines, sample_lines

Texts = dict[str, Any]

FONTS = "layers/billing/python/billing/adapters/pdf/fonts"


def invoice(lines: int, rank: int) -> IssuedInvoice:
    """An invoice of its own for each rank: no engine may answer from what it remembers of the one before."""
    chosen = many_lines(lines) if lines else sample_lines()
    made = issued(lines=tuple(replace(line, description=f"{line.description} – lot {rank}") for line in chosen))
    return replace(made, document=replace(made.document, number=f"F2026-{rank:05d}"))


def texts_of(document: InvoiceDocument) -> Texts:
    """What our page says, but for the carried totals and the payment code, which only it has."""
    tongue, seller, buyer = document.particulars.tongue, document.seller, document.buyer
    payment = [row for rows in wording.payment_columns(document) for row in rows]
    return {
        "title": wording.title(document),
        "number": document.number,
        "seller": [
            seller.display_name,
            *wording.seller_lines(seller),
            *wording.seller_identifiers(seller),
            *wording.seller_contacts(seller),
        ],
        "buyer": [
            wording.buyer_title(document),
            buyer.name,
            *wording.buyer_lines(buyer),
            *wording.buyer_identifiers(document),
        ],
        "facts": wording.facts(document),
        "due": [*wording.due_label(document), tongue.money(wording.payable_minor(document))],
        "columns": ["Désignation", "Quantité", "Unité", "Prix unitaire HT", "Remise", "TVA", "Total HT"],
        "rows": [
            [item.line.description, wording.line_details(item), *wording.line_cells(item)]
            for item in document.totals.lines
        ],
        "groups": [
            [wording.vat_group(group.vat), tongue.amount(group.taxable_minor), tongue.amount(group.vat_minor)]
            for group in document.totals.vat_breakdown
        ],
        "totals": wording.totals(document),
        "payment": [wording.payment_title(document), *payment],
        "mentions": wording.printed_mentions(document),
        "legal": " · ".join(wording.legal_parts(seller)),
    }


STYLE = """
@page { size: A4; margin: 40pt 45pt 60pt }
* { box-sizing: border-box }
body { margin: 0; font: 8.5pt/12pt Inter; color: #1c242e }
h1 { font: 600 22pt/26pt Inter; margin: 0 } h2 { font: 600 15pt/18pt Inter; color: #0a5c5e; margin: 0 }
.head, .band, .payment { display: flex; flex-wrap: wrap; gap: 12pt 24pt; margin-bottom: 12pt } .head > * { flex: 1 }
.groups { float: left; width: 55% } .totals { float: right; width: 41% } .payment { clear: both }
.band, .payment { background: #f4f7f7; padding: 10pt 14pt; border-radius: 4pt }
.due { margin-left: auto; font-weight: 600 }
small, .details { font-size: 7.5pt; color: #616b78 } b { font-weight: 600 }
table { width: 100%; border-collapse: collapse; margin-bottom: 10pt }
th { font-size: 7pt; text-align: right; color: #616b78 }
thead { display: table-header-group } tr { break-inside: avoid; border-bottom: 0.6pt solid #dee3e6 }
td { padding: 4.5pt 0 4.5pt 10pt; text-align: right; vertical-align: top; white-space: nowrap }
td:first-child, th:first-child { text-align: left; padding-left: 0; white-space: normal; width: 40% }
p { margin: 0; font-size: 7pt; line-height: 10pt } footer { margin-top: 10pt; text-align: center; font-size: 6.5pt }
"""


def html_of(texts: Texts, *, style: str = STYLE) -> str:
    """The same invoice as a web page would be written for a browser to print."""
    rows = "".join(
        f"<tr><td>{escape(description)}<div class=details>{escape(details)}</div></td>{_cells(cells)}</tr>"
        for description, details, *cells in texts["rows"]
    )
    return (
        f"<!doctype html><html lang=fr><meta charset=utf-8><title>{escape(texts['number'])}</title>"
        f"<style>{style}</style>"
        f"<div class=head><div><h2>{escape(texts['seller'][0])}</h2>{_lines(texts['seller'])}</div>"
        f"<div><h1>{escape(texts['title'])}</h1><b>{escape(texts['number'])}</b><br>{_lines(texts['buyer'])}</div></div>"
        f"<div class=band>{_pairs(texts['facts'])}<div class=due>{_lines(texts['due'])}</div></div>"
        f"<table><thead><tr>{''.join(f'<th>{escape(title)}' for title in texts['columns'])}</tr></thead>{rows}</table>"
        f"<table class=groups>{_table(texts['groups'])}</table><table class=totals>{_table(texts['totals'])}</table>"
        f"<div class=payment><b>{escape(texts['payment'][0])}</b>{_pairs(texts['payment'][1:])}</div>"
        f"{''.join(f'<p>{escape(text)}</p>' for text in texts['mentions'])}<footer>{escape(texts['legal'])}</footer>"
    )


def font_faces(folder: str) -> str:
    """Our fonts, for engines that read style sheets."""
    return "".join(
        f"@font-face {{ font-family: Inter; font-weight: {weight}; src: url('file://{folder}/Inter-{name}.ttf') }}"
        for name, weight in (("Regular", 400), ("SemiBold", 600))
    )


def _lines(texts: list[str]) -> str:
    return "<br>".join(escape(text) for text in texts)


def _cells(texts: list[str]) -> str:
    return "".join(f"<td>{escape(text)}</td>" for text in texts)


def _table(rows: list[list[str]]) -> str:
    return "".join(f"<tr>{_cells(row)}</tr>" for row in rows)


def _pairs(pairs: list[tuple[str, str]]) -> str:
    return "".join(f"<div><small>{escape(label)}</small><br><b>{escape(value)}</b></div>" for label, value in pairs)
