"""That an issued invoice is settled: what a marked duplicate says, for the original keeps what it said at issue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import EntryKind, InvoiceStatus, LedgerEntry, PaymentMethod

_BACK = frozenset({EntryKind.REVERSAL, EntryKind.REFUND, EntryKind.RELEASE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquittal:
    """Nothing is left to pay since ``on``.

    ``methods``: of the payments that are kept, each once, None for the customer's credit; ``credited``: a credit note
    took a part.
    """

    on: date
    methods: tuple[PaymentMethod | None, ...]
    credited: bool = False


def acquittal_of(invoice: IssuedInvoice, entries: tuple[LedgerEntry, ...]) -> Acquittal | None:
    """None while something is left to pay, of a credit note, and of what was credited and never paid.

    ``entries`` are of its ledger, oldest first; the earliest may be missing.
    """
    ledger = invoice.ledger
    if invoice.document.document_type.is_credit_note or ledger.status is not InvoiceStatus.PAID:
        return None
    kept = _kept(entries)
    if not kept:
        return None
    settling = [*kept, *(entry for entry in entries if entry.kind is EntryKind.CREDIT)]
    return Acquittal(
        on=max(entry.entry_date for entry in settling),
        methods=tuple(dict.fromkeys(entry.method for entry in kept)),
        credited=bool(ledger.credited_minor),
    )


def _kept(entries: tuple[LedgerEntry, ...]) -> list[LedgerEntry]:
    """Payments of which something was not given back; what a credit note gives back names no payment."""
    back: dict[str, int] = {}
    for entry in entries:
        if entry.kind in _BACK:
            back[entry.source_id] = back.get(entry.source_id, 0) + entry.amount_minor
        elif entry.kind is EntryKind.REFUND_RETURNED:
            back[entry.source_id] = back.get(entry.source_id, 0) - entry.amount_minor
    return [
        entry
        for entry in entries
        if entry.kind is EntryKind.PAYMENT and entry.amount_minor > back.get(entry.source_id or entry.entry_id, 0)
    ]
