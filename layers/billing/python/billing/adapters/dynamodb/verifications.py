"""Verification jobs, and the pages of documents that they prove."""

from __future__ import annotations

from dataclasses import replace

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, dump, item, load, number, text
from billing.adapters.dynamodb.customer_credits import credit_of
from billing.adapters.dynamodb.customer_credits import entry_from_item as credit_entry_from_item
from billing.adapters.dynamodb.customer_credits import from_item as credit_from_item
from billing.adapters.dynamodb.invoices import entry_from_item, issued_from_item, series_from_item
from billing.adapters.dynamodb.series import start_from_item
from billing.adapters.dynamodb.table import Table, Write, refuse_with
from billing.domain.access import Caller, Origin
from billing.domain.customer_credit import CustomerCredit, CustomerCreditEntry
from billing.domain.errors import Busy, DependencyUnavailable, NotFound, StaleVersion
from billing.domain.events import Event
from billing.domain.invoice import InvoiceDocument, IssuedInvoice
from billing.domain.ledger import EntryKind, LedgerEntry
from billing.domain.numbering import Series, SeriesState
from billing.domain.verification import (
    ChainedDocument,
    ChainLink,
    ChainPosition,
    CreditPage,
    CreditPosition,
    MissingDocument,
    SeriesEnding,
    Verification,
    VerificationState,
    verification_ended,
    verification_started,
)
from billing.ports.idempotency import IdempotentRequest

VERIFICATION_REQUEST = "verification_request"
_WITHOUT_GAPS = (Series.INVOICE, Series.CREDIT_NOTE)
_ATTEMPTS = 5  # issuing and paying go on while a page is read


def to_item(verification: Verification) -> Item:
    key = keys.verification(verification.tenant_id, verification.verification_id)
    waiting = verification.state is VerificationState.RUNNING
    return item(
        pk=key.pk,
        sk=key.sk,
        entity=VERIFICATION_REQUEST,
        schema_version=SCHEMA_VERSION,
        tenant_id=verification.tenant_id,
        subject_id=verification.verification_id,
        attempt=1,
        executions=verification.executions,
        correlation_id=verification.correlation_id,
        settled=not waiting,
        version=verification.version,
        body=dump(verification),
        outbox_pk=keys.outbox(verification.tenant_id) if waiting else None,
        outbox_sk=keys.outbox_order(verification.updated_at) if waiting else None,
    )


def from_item(stored: Item) -> Verification:
    return replace(load(Verification, text(stored, "body")), executions=number(stored, "executions"))


class Verifications:
    """Port Verifications."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def series_heads(self, caller: Caller) -> tuple[SeriesState, ...]:
        heads = {series: keys.series(caller.tenant_id, series.value) for series in _WITHOUT_GAPS}
        starts = {series: keys.series_start(caller.tenant_id, series.value) for series in _WITHOUT_GAPS}
        found = self._table.read(caller, *heads.values(), *starts.values())
        return tuple(
            replace(
                series_from_item(series, found.get(heads[series])),
                start=start_from_item(series, found.get(starts[series])),
            )
            for series in _WITHOUT_GAPS
        )

    def start(self, caller: Caller, verification: Verification, *, once: IdempotentRequest) -> None:
        head = self._table.create(to_item(verification), refuse_with(Busy))
        event = self._event(verification, verification_started(verification, caller.user_id))
        self._table.write(caller, head, event, once=once, answered=verification)

    def read(self, caller: Caller, verification_id: str) -> Verification:
        key = keys.verification(caller.tenant_id, verification_id)
        stored = self._table.read(caller, key).get(key)
        if stored is None:
            raise NotFound
        return from_item(stored)

    def load(self, tenant_id: str, verification_id: str) -> Verification:
        stored = self._table.get(keys.verification(tenant_id, verification_id))
        if stored is None:
            raise NotFound
        return from_item(stored)

    def page(
        self, tenant_id: str, position: ChainPosition, target: SeriesState, *, limit: int
    ) -> tuple[ChainLink, ...]:
        name = target.series.value
        if (position.year, position.rank) >= (target.year, target.last_rank):
            return ()
        after = keys.rank_sort(position.year, position.rank)
        ranks, _ = self._table.query(
            keys.rank_partition(tenant_id, name),
            low=f"{after}!",  # "!" sorts before every digit: strictly after the position
            high=keys.rank_sort(target.year, target.last_rank),
            limit=limit,
        )
        invoice_keys = [keys.invoice(tenant_id, text(row, "invoice_id")) for row in ranks]
        heads = self._table.batch(invoice_keys)
        invoices = {key: invoice for key, stored in heads.items() if (invoice := _readable(stored)) is not None}
        entries = self._entries(list(invoices.values()))
        notes, credited = self._notes(entries, tenant_id), self._credited(list(invoices.values()))
        page: list[ChainLink] = []
        for row, key in zip(ranks, invoice_keys, strict=True):
            invoice = invoices.get(key)
            if invoice is None:
                page.append(_missing(row, "cannot be read" if key in heads else "is not there"))
                continue
            head, ledger = invoice, entries[invoice.invoice_id]
            if len(ledger) != head.ledger.entry_count:
                head, ledger = self._settled_pair(head)
                notes |= self._notes({head.invoice_id: ledger}, tenant_id)
            page.append(
                ChainedDocument(
                    year=number(row, "year"),
                    rank=number(row, "rank"),
                    number=text(row, "number"),
                    canonical=text(heads[key], "document"),
                    invoice=head,
                    entries=ledger,
                    credit_notes=tuple(notes[one.source_id] for one in ledger if one.source_id in notes),
                    credited=credited.get(head.invoice_id, ()),
                )
            )
        return tuple(page)

    def ending(self, tenant_id: str, series: Series) -> SeriesEnding:
        name = series.value
        for _ in range(_ATTEMPTS):
            before = self._table.get(keys.series(tenant_id, name))
            places, _ = self._table.query(
                keys.rank_partition(tenant_id, name), low="0", high=keys.HIGHEST, limit=1, forward=False
            )
            if before == self._table.get(keys.series(tenant_id, name)):
                state = series_from_item(series, before)
                last = (
                    (number(places[0], "year"), number(places[0], "rank"))
                    if places
                    else self._started(tenant_id, series)
                )
                return SeriesEnding(head=(state.year, state.last_rank), last_place=last)
        raise DependencyUnavailable

    def _started(self, tenant_id: str, series: Series) -> tuple[int, int]:
        """The last place of a series without documents: where it goes on from, or none."""
        start = start_from_item(series, self._table.get(keys.series_start(tenant_id, series.value)))
        return (start.last_date.year, start.last_rank) if start else (0, 0)

    def credit_page(self, tenant_id: str, position: CreditPosition, *, limit: int) -> CreditPage | None:
        head = self._credit_head(tenant_id, position)
        if head is None:
            return None
        after = position.rank if position.customer_id == head.customer_id else 0
        for _ in range(_ATTEMPTS):
            first = keys.customer_credit_entry(tenant_id, head.customer_id, after + 1)
            stored, more = self._table.query(first.pk, low=first.sk, high=f"ENTRY#{keys.HIGHEST}", limit=limit)
            again = self._table.get(keys.customer_credit(tenant_id, head.customer_id))
            entries = tuple(entry for one in stored if (entry := _readable_credit_entry(one)) is not None)
            now = credit_of(tenant_id, head.customer_id, again)
            if more or now == head:
                return CreditPage(head=head, entries=entries, complete=not more)
            head = now
        raise DependencyUnavailable

    def _credit_head(self, tenant_id: str, position: CreditPosition) -> CustomerCredit | None:
        """The customer at the position unless it is done, else the next one."""
        of = keys.customer_credit(tenant_id, position.customer_id)
        low = f"{of.sk}!" if position.complete else of.sk  # "!" sorts before everything that an id is made of
        stored, _ = self._table.query(of.pk, low=low, high=keys.HIGHEST, limit=1)
        return credit_from_item(stored[0]) if stored else None

    def _notes(self, entries: dict[str, tuple[LedgerEntry, ...]], tenant_id: str) -> dict[str, InvoiceDocument]:
        """The credit notes that these ledgers name. They were written with their entries, so they must be there."""
        named = {
            entry.source_id: keys.invoice(tenant_id, entry.source_id)
            for ledger in entries.values()
            for entry in ledger
            if entry.kind is EntryKind.CREDIT and entry.source_id
        }
        found = self._table.batch(list(named.values())) if named else {}
        return {
            note_id: note.document
            for note_id, key in named.items()
            if key in found and (note := _readable(found[key])) is not None
        }

    def _credited(self, documents: list[IssuedInvoice]) -> dict[str, tuple[LedgerEntry, ...]]:
        """By credit note, what the ledger of the invoice that it corrects holds."""
        corrected = {
            note.invoice_id: keys.invoice(note.tenant_id, note.document.preceding[0].invoice_id)
            for note in documents
            if note.document.document_type.is_credit_note and note.document.preceding
        }
        found = self._table.batch(list(dict.fromkeys(corrected.values()))) if corrected else {}
        heads = {key: head for key, stored in found.items() if (head := _readable(stored)) is not None}
        entries = self._entries(list(heads.values())) if heads else {}
        return {note_id: entries[heads[key].invoice_id] for note_id, key in corrected.items() if key in heads}

    def save(self, verification: Verification) -> bool:
        ended = verification.state is not VerificationState.RUNNING
        events = [self._event(verification, verification_ended(verification))] if ended else []
        origin = Origin(correlation_id=verification.correlation_id)
        for _ in range(_ATTEMPTS):
            try:
                self._table.write(None, self._checkpoint(verification), *events, origin=origin)
            except _CountedMeanwhile as counted:
                verification = replace(verification, executions=counted.executions)
            except StaleVersion:
                return False
            else:
                return True
        raise DependencyUnavailable

    def _checkpoint(self, verification: Verification) -> Write:
        """The whole item again; executions are counted on it whatever its version, so both must be as they were."""
        expected = verification.version - 1

        def refused(stored: Item | None) -> Exception:
            if stored is not None and number(stored, "version") == expected:
                return _CountedMeanwhile(number(stored, "executions"))
            return StaleVersion()

        request = self._table.put(
            to_item(verification),
            only_if="version = :expected AND executions = :counted",
            values={":expected": expected, ":counted": verification.executions},
        )
        return Write("Put", request, refused)

    def _event(self, verification: Verification, event: Event) -> Write:
        tenant_id = verification.tenant_id
        key = keys.verification_event(tenant_id, verification.verification_id, event.event_id)
        return self._table.event(key, tenant_id, event)

    def _entries(self, invoices: list[IssuedInvoice]) -> dict[str, tuple[LedgerEntry, ...]]:
        """The entries of each ledger, and the one after the last counted, which must not exist."""
        wanted = {
            keys.ledger_entry(invoice.tenant_id, invoice.invoice_id, rank): invoice.invoice_id
            for invoice in invoices
            for rank in range(1, invoice.ledger.entry_count + 2)
        }
        found = self._table.batch(list(wanted))
        entries: dict[str, list[LedgerEntry]] = {invoice.invoice_id: [] for invoice in invoices}
        for key, invoice_id in wanted.items():
            if key in found and (entry := _readable_entry(found[key])) is not None:
                entries[invoice_id].append(entry)
        return {invoice_id: tuple(listed) for invoice_id, listed in entries.items()}

    def _settled_pair(self, invoice: IssuedInvoice) -> tuple[IssuedInvoice, tuple[LedgerEntry, ...]]:
        """Head and entries as one moment saw them: a payment may land between two reads."""
        for _ in range(_ATTEMPTS):
            entries = self._entries([invoice])[invoice.invoice_id]
            stored = self._table.get(keys.invoice(invoice.tenant_id, invoice.invoice_id))
            if stored is None or number(stored, "version") == invoice.version:
                return invoice, entries
            invoice = issued_from_item(stored)
        raise DependencyUnavailable


class _CountedMeanwhile(Exception):
    """The sweeper counted an execution between the reading of a job and its checkpoint."""

    def __init__(self, executions: int) -> None:
        self.executions = executions
        super().__init__("an execution was counted meanwhile")


def _readable(stored: Item) -> IssuedInvoice | None:
    """None for an item that is no issued invoice any more: a proof says so, it does not stop."""
    try:
        return issued_from_item(stored)
    except (KeyError, ValueError):
        return None


def _readable_entry(stored: Item) -> LedgerEntry | None:
    try:
        return entry_from_item(stored)
    except (KeyError, ValueError):
        return None


def _readable_credit_entry(stored: Item) -> CustomerCreditEntry | None:
    try:
        return credit_entry_from_item(stored)
    except (KeyError, ValueError):
        return None


def _missing(row: Item, what: str) -> MissingDocument:
    return MissingDocument(
        year=number(row, "year"),
        rank=number(row, "rank"),
        number=text(row, "number"),
        document_hash=text(row, "document_hash"),
        detail=f"the invoice {text(row, 'invoice_id')} {what}",
    )
