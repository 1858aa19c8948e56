"""The proofs of an export: the frozen texts, the extract of the chain that tells of them, and the heads within it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from billing.domain import export_proof
from billing.domain.bulk import BulkJob
from billing.domain.chain_head import ChainHead
from billing.domain.errors import DependencyUnavailable, NotFound
from billing.domain.events import EventType
from billing.domain.export_proof import ProvenDocument, manifest
from billing.domain.feed import FeedHead, PlacedEvent, genesis_hash, unbroken
from billing.ports.bulk_jobs import ArchivedText
from billing.ports.chains import Chains
from billing.ports.delivery import Documents
from billing.usecases.chain_heads import locked_text

TEXTS_AT_ONCE = 20  # of up to 300 KB each
PLACES_AT_ONCE = 500
HEADS_AT_ONCE = 1000
MAX_HEADS = 400  # each is read from the store; the last one pins the chain before it, whatever is left out
CLOCKS_APART = timedelta(hours=1)  # far more than two clocks ever are
PLACED_WITHIN = timedelta(minutes=15)  # the sweeper comes every minute
_ISSUED = frozenset({EventType.INVOICE_ISSUED, EventType.CREDIT_NOTE_ISSUED})
_RENDERED = frozenset({EventType.PDF_RENDERED, EventType.QUOTE_PDF_RENDERED})


class ExportProofs:
    """The texts of one export, in the order in which they are written: each needs what those before it found."""

    def __init__(
        self,
        job: BulkJob,
        documents: Sequence[ProvenDocument],
        *,
        chains: Chains,
        store: Documents,
        verifier: str,
    ) -> None:
        self._job = job
        self._documents = documents
        self._chains = chains
        self._store = store
        self._verifier = verifier
        self._first = min((one.result.pdf_rendered_at for one in documents if one.result.pdf_rendered_at), default=None)
        self._last = FeedHead()

    def texts(self, now: datetime) -> Iterator[ArchivedText]:
        """Raises: NotFound when a frozen text is gone; DependencyUnavailable while an event has no place yet.

        ChainHeadDiffers when the stored head of a day is gone, or is another one than the table says.
        """
        issued = [one for one in self._documents if one.text]
        for start in range(0, len(issued), TEXTS_AT_ONCE):
            yield from self._frozen(issued[start : start + TEXTS_AT_ONCE])
        after = self._anchor()
        heads = self._heads(after.day or date.min)
        yield ArchivedText(export_proof.CHAIN, self._extract(after, heads, now))
        within = [head for head in heads if after.sequence <= head.sequence <= self._last.sequence]
        yield ArchivedText(export_proof.HEADS, self._locked(within))
        yield ArchivedText(export_proof.MANIFEST, [manifest(self._job, self._documents, after=after, last=self._last)])
        yield ArchivedText(export_proof.VERIFIER, [self._verifier])
        yield ArchivedText(export_proof.READ_ME, [export_proof.READ_ME_TEXT])

    def _frozen(self, group: Sequence[ProvenDocument]) -> Iterator[ArchivedText]:
        found = self._chains.texts(self._job.tenant_id, [one.result.document_id for one in group])
        for one in group:
            text = found.get(one.result.document_id)
            if text is None:
                raise NotFound
            issued_at = datetime.fromisoformat(json.loads(text)["issued_at"])
            self._first = min(self._first or issued_at, issued_at)
            yield ArchivedText(one.text, [text])

    def _anchor(self) -> FeedHead:
        """Where the extract begins: at the last head that was kept before the first document, else with the chain."""
        begins = min(self._first or self._job.started_at, self._job.started_at) - CLOCKS_APART
        head = self._chains.before(self._job.tenant_id, begins)
        if head is None:
            return FeedHead(chain_hash=genesis_hash(self._job.tenant_id))
        return FeedHead(sequence=head.sequence, chain_hash=head.chain_hash, day=head.day)

    def _heads(self, day: date) -> list[ChainHead]:
        """Those that were there when the export was asked for, from a day on: never others on a retry."""
        found: list[ChainHead] = []
        while page := self._chains.from_day(self._job.tenant_id, day, limit=HEADS_AT_ONCE):
            found += [head for head in page if head.fixed_at < self._job.started_at]
            day = page[-1].day + timedelta(days=1)
        return found

    def _locked(self, within: Sequence[ChainHead]) -> Iterator[str]:
        """The first head and the last ones, as they are in the store: one request each, whatever the time."""
        for head in (*within[:1], *within[1:][-(MAX_HEADS - 1) :]):
            yield f"{locked_text(head, self._store)}\n"

    def _extract(self, after: FeedHead, heads: Sequence[ChainHead], now: datetime) -> Iterator[str]:
        """Each place as the text that is hashed, up to the first head behind all that is proven, or as far as needed.

        Where it ends depends on nothing that still moves: a retry writes the same.
        """
        wanted = {one.result.pdf_sha256 for one in self._documents}
        wanted |= {one.result.document_id for one in self._documents if one.text}
        end: int | None = None
        for place in self._places(after.sequence):
            yield f"{place.canonical()}\n"
            self._last = FeedHead(sequence=place.sequence, chain_hash=place.chain_hash)
            if place.event.event_type in _RENDERED:
                wanted.discard(str(place.event.data["sha256"]))
            elif place.event.event_type in _ISSUED:
                wanted.discard(place.subject_id)
            if not wanted and end is None:
                end = next((head.sequence for head in heads if head.sequence >= place.sequence), place.sequence)
            if end is not None and place.sequence >= end:
                return
        if now - self._job.started_at < PLACED_WITHIN:
            raise DependencyUnavailable  # an event of the last minutes: it gets its place in a moment

    def _places(self, after: int) -> Iterator[PlacedEvent]:
        while page := unbroken(
            self._chains.places(self._job.tenant_id, after=after, limit=PLACES_AT_ONCE), after=after
        ):
            yield from page
            after = page[-1].sequence
