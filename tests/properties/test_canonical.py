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
from tests import factories
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
    holding = factories.content(*lines, discount=discount, notes=notes, purchase_order=order)
    draft = factories.draft(holding=holding)
    buyer = factories.customer_description(name=name, vat_number="BE0123456749")  # every VAT case is open to it
    invoice, _, _ = factories.issued_after(UNTOUCHED, draft, to=buyer)
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
        (Company, factories.company()),
        (Customer, factories.customer()),
        (Product, factories.product()),
        (LedgerEntry, factories.entry(1, 5)),
        (Delivery, Delivery()),
        (DeliveryRequest, factories.delivery_request()),
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
