"""What is hashed is what is stored: text → value → the same text."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from billing.domain.canonical import canonical_json
from billing.domain.delivery import Delivery, DeliveryRequest
from billing.domain.events import Event, EventType
from billing.domain.invoice import DraftInvoice, InvoiceDocument, document_hash
from billing.domain.ledger import LedgerEntry
from billing.domain.numbering import Series, SeriesState
from billing.domain.parties import Company, Customer, Product
from billing.domain.totals import Discount, Line, Totals
from tests.fakes import samples
from tests.fakes.clock import MORNING
from tests.properties.strategies import PRINTED_TEXT, TEXT, documents, examined

DRAFTS, FROZEN = TypeAdapter(DraftInvoice), TypeAdapter(InvoiceDocument)
UNTOUCHED = SeriesState.untouched(Series.INVOICE)


@examined
@given(documents(), PRINTED_TEXT, PRINTED_TEXT, PRINTED_TEXT)
def test_an_issued_document_survives_storage_to_the_letter(
    document: tuple[tuple[Line, ...], Discount | None, Totals], name: str, order: str, notes: str
) -> None:
    lines, discount, _ = document
    holding = samples.content(*lines, discount=discount, notes=notes, purchase_order=order)
    draft = samples.draft(holding=holding)
    invoice, _, _ = samples.issued(draft, after=UNTOUCHED, to=samples.buyer(name=name))
    text = invoice.document.canonical()

    loaded = FROZEN.validate_json(text)

    assert loaded == invoice.document
    assert loaded.canonical() == text
    assert document_hash(loaded.canonical()) == invoice.document_hash
    assert DRAFTS.validate_json(canonical_json(draft)) == draft


@examined
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | TEXT,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
        max_leaves=20,
    )
)
def test_canonical_text_is_json_and_stable(value: object) -> None:
    text = canonical_json(value)

    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text


def test_every_stored_kind_survives_storage() -> None:
    kinds: list[tuple[type, object]] = [
        (Company, samples.company()),
        (Customer, samples.customer()),
        (Product, samples.product()),
        (LedgerEntry, samples.entry(1, 5)),
        (Delivery, Delivery()),
        (DeliveryRequest, samples.delivery_request()),
        (
            Event,
            Event(
                event_id="e",
                event_type=EventType.INVOICE_SENT,
                occurred_at=MORNING,
                actor="u",
                data={"total_minor": 5, "number": "F2026-00001", "attempt": "5"},
            ),
        ),
    ]

    for kind, value in kinds:
        assert TypeAdapter(kind).validate_json(canonical_json(value)) == value
