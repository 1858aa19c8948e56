"""How an invoice is paid online: one attempt at a time, each a Checkout session at Stripe.

An attempt is recorded before Stripe is asked and its id is the key of the request, so that whoever dies in between
leaves nothing that the next one cannot find again. While one is ``processing`` there is no other.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from billing.domain.canonical import LATER
from billing.domain.errors import TooManyPaymentPages
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import EntryKind, LedgerEntry, PaymentMethod
from billing.domain.stripe import CheckoutSession
from billing.domain.stripe_connection import StripeConnection

SESSION_LIFE = timedelta(hours=23)  # Stripe: 30 minutes to 24 hours
LEAST_LIFE_SHOWN = timedelta(minutes=5)  # a session that ends sooner is not offered any more
SETTLED_AFTER = timedelta(hours=1)  # what was confirmed is asked for at Stripe, whatever its events do
ASKED_FOR = timedelta(days=40)  # the longest debit ends within fourteen; then it is asked for once a week
ASKED_AGAIN_AFTER, ASKED_LATER_AFTER = timedelta(days=1), timedelta(days=7)
# What cannot be read any more holds the invoice no longer: it is old, and could not be read on so many days in a row.
LOST_AFTER, LOST_DAYS = timedelta(days=30), 7
HISTORY = 20
WITHDRAWN = -1  # no ledger has that rank
# Pages at Stripe of an invoice; whoever holds a link may ask for them. All that is owed can be paid when parts cannot.
PACE_OF_PARTS, PACE_OF_ALL, PACE_WITHIN = 10, 15, timedelta(hours=1)
LEAST_MINOR = 50  # Stripe's, in euros
_MADE_AT_STRIPE = frozenset({PaymentMethod.CARD, PaymentMethod.DIRECT_DEBIT})
_CARDS = frozenset({"card", "card_present", "link"})
_DEBITS = frozenset({"sepa_debit", "bacs_debit", "au_becs_debit", "acss_debit", "us_bank_account", "nz_bank_account"})


def method_of(charge_type: str) -> PaymentMethod:
    """Stripe's type of a means of payment as a person knows it."""
    if charge_type in _CARDS:
        return PaymentMethod.CARD
    return PaymentMethod.DIRECT_DEBIT if charge_type in _DEBITS else PaymentMethod.TRANSFER


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutSite:
    """Of the deployment: the page that shows an invoice to its customer, and what the platform takes."""

    invoices_url: str
    fee_basis_points: int = 0

    def fee_minor(self, amount_minor: int) -> int:
        return amount_minor * self.fee_basis_points // 10_000


class AttemptState(StrEnum):
    OPENING = "opening"  # recorded; Stripe was asked, or is about to be
    OPEN = "open"
    PROCESSING = "processing"  # the customer confirmed; the bank takes days
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # the bank refused after the customer confirmed
    EXPIRED = "expired"  # nobody paid in time, or it was closed
    REFUSED = "refused"  # Stripe never opened it

    @property
    def rank(self) -> int:
        """States only go up: what arrives late changes nothing."""
        return _RANKS[self]

    @property
    def is_live(self) -> bool:
        """Whether money can still come of it."""
        return self in {AttemptState.OPENING, AttemptState.OPEN, AttemptState.PROCESSING}


_RANKS = {
    AttemptState.OPENING: 0,
    AttemptState.OPEN: 1,
    AttemptState.PROCESSING: 2,
    AttemptState.EXPIRED: 3,
    AttemptState.REFUSED: 3,
    AttemptState.FAILED: 3,
    AttemptState.SUCCEEDED: 4,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteRefunded:
    """Of what a credit note gave back on paper, what refunds at Stripe that name it gave back, and are giving back."""

    credit_note_id: str
    given_minor: int
    coming_minor: int = field(default=0, metadata=LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutAttempt:
    """``amount_minor`` of the invoice as it stood at ``ledger_rank`` (the entries it had)."""

    number: int  # counts from 1 within the invoice
    state: AttemptState
    account_id: str
    amount_minor: int
    currency: str
    ledger_rank: int
    opened_at: datetime
    expires_at: datetime
    application_fee_minor: int = 0
    session_id: str | None = None
    url: str | None = None
    payment_intent_id: str | None = None
    ended_at: datetime | None = None
    failure_code: str = ""
    return_hash: str = ""  # of the secret in the address that Stripe leads the customer back to
    confirmed_at: datetime | None = field(default=None, metadata=LATER)  # when we learnt that the customer did
    method: str = field(default="", metadata=LATER)  # Stripe's type of it, once they did
    charged_at: datetime | None = field(default=None, metadata=LATER)  # of a card; a debit has come when we learn it
    # Of a payment that succeeded: what the customer has back, since when, and what is on its way to them.
    given_back_minor: int = field(default=0, metadata=LATER)
    given_back_at: datetime | None = field(default=None, metadata=LATER)
    coming_back_minor: int = field(default=0, metadata=LATER)
    credited_minor: int = field(default=0, metadata=LATER)  # of it, what the invoice did not owe when it came
    unread_days: int = field(default=0, metadata=LATER)  # on which its payment could not be read, one after the other
    unread_on: date | None = field(default=None, metadata=LATER)  # the latest of them
    for_notes: tuple[NoteRefunded, ...] = field(default=(), metadata=LATER)  # of what is given back, whose it is
    # Of what was given back, what banks took after disputes and credit notes had given back on paper.
    contested_for_notes_minor: int = field(default=0, metadata=LATER)
    contested: bool = field(default=False, metadata=LATER)  # a bank has not decided on it yet: Stripe refunds nothing

    @property
    def paid_at(self) -> datetime:
        """Of one that succeeded: as its payment is dated."""
        return self.charged_at or self.ended_at or self.opened_at

    @property
    def means(self) -> PaymentMethod | None:
        """As a person knows it; None while Stripe did not say."""
        return method_of(self.method) if self.method else None

    @property
    def settled_minor(self) -> int:
        """Of one that succeeded: what the invoice owed when it came."""
        return self.amount_minor - self.credited_minor

    @property
    def kept_minor(self) -> int:
        """Of one that succeeded: what is neither given back nor on its way."""
        return max(self.amount_minor - self.given_back_minor - self.coming_back_minor, 0)

    @property
    def may_be_paid(self) -> bool:
        """Whether money came of it, or may have come just now."""
        return self.state.is_live or self.state is AttemptState.SUCCEEDED

    @property
    def in_progress_since(self) -> datetime:
        return self.confirmed_at or self.opened_at

    def is_of(self, session: CheckoutSession, named: Mapping[str, str]) -> bool:
        """Whether a session is this attempt's: the one that was recorded, or while none is, the one we asked for.

        ``named``: the metadata that we asked with.
        """
        if self.session_id is not None:
            return session.session_id == self.session_id
        if self.state is AttemptState.REFUSED:
            return False
        asked = (self.amount_minor, self.currency, self.expires_at)
        told = (session.amount_minor, session.currency, session.expires_at)
        return asked == told and named.items() <= session.metadata.items()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComingBack:
    """What a payment of an invoice is about to give back, and the ledger does not have yet; in cents.

    ``by_notes_minor``: kept for what credit notes gave back on paper. ``open_minor``: theirs, too, as far as they gave
    back more by the time it is booked. ``own_minor``: never theirs. ``unborne_minor``: of these two, what has ended at
    Stripe and the books cannot bear, as was told: it waits for them.
    """

    payment_intent_id: str
    by_notes_minor: int = 0
    open_minor: int = 0
    own_minor: int = 0
    unborne_minor: int = field(default=0, metadata=LATER)

    @property
    def for_notes_minor(self) -> int:
        """What may be what credit notes gave back on paper."""
        return self.by_notes_minor + self.open_minor

    @property
    def moving_minor(self) -> int:
        """What the ledger is to bear besides what credit notes moved in it."""
        return self.open_minor + self.own_minor

    @property
    def total_minor(self) -> int:
        return self.by_notes_minor + self.moving_minor

    def besides_unborne(self, promised_minor: int) -> ComingBack:
        """Without what the books cannot bear anyway. ``promised_minor``: of credit, to that first."""
        waiting = max(self.unborne_minor - promised_minor, 0)
        return replace(self, open_minor=0, own_minor=max(self.moving_minor - waiting, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedNote:
    """What Stripe was asked to give back of a payment for a credit note that was named, and did not refuse; in cents.

    Kept in the book: it remembers its last payments only, and a note is named once whatever it was.
    """

    payment_intent_id: str
    credit_note_id: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenBackElsewhere:
    """What a company gave back of a payment by means of its own, and Stripe not; in cents.

    ``by_notes_minor`` of it credit notes had given back on paper: that moved no ledger again.
    """

    payment_intent_id: str
    amount_minor: int
    by_notes_minor: int = 0
    credit_note_id: str = ""  # that was named
    method: PaymentMethod | None = field(default=None, metadata=LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperRefundStanding:
    """What became of a refund that a credit note recorded; in cents.

    ``awaited_minor``: what the customer does not have yet. ``as_recorded_minor``: of what they have, that which the
    note alone says was given back. ``method``: of what is awaited, else of what was given back; None of several means,
    or where nobody knows. ``contested``: banks gave it back, after disputes.
    """

    awaited_minor: int
    as_recorded_minor: int
    method: PaymentMethod | None
    contested: bool = False


@dataclass(frozen=True, slots=True)
class _Means:
    """How money came back; ``contested``: a bank took it after a dispute."""

    method: PaymentMethod | None
    contested: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutBook:
    """Every attempt to pay one invoice online that is remembered, latest last; ``made`` counts them all.

    ``check_at``: when its page is looked at, where that is before its end: what it rests on may have changed.
    ``by_notes_minor``: of what credit notes gave back on paper, how much Stripe gave back. ``coming_back``: of each
    payment that is about to give something back, written with its record: its payments share what the notes say.
    ``elsewhere``: what was given back of them besides Stripe. ``named``: for which notes refunds at Stripe were asked.
    """

    tenant_id: str
    invoice_id: str
    version: int = 0  # 0: not stored yet
    made: int = 0
    attempts: tuple[CheckoutAttempt, ...] = ()
    check_at: datetime | None = None
    by_notes_minor: int = field(default=0, metadata=LATER)
    coming_back: tuple[ComingBack, ...] = field(default=(), metadata=LATER)
    elsewhere: tuple[GivenBackElsewhere, ...] = field(default=(), metadata=LATER)
    named: tuple[NamedNote, ...] = field(default=(), metadata=LATER)

    @property
    def awaits(self) -> bool:
        """Whether something comes back that the books are to bear."""
        return any(one.total_minor > one.unborne_minor for one in self.coming_back)

    @property
    def noted_minor(self) -> int:
        """Of what credit notes gave back on paper, what the customer has: from Stripe, or by other means."""
        return self.by_notes_minor + sum(one.by_notes_minor for one in self.elsewhere)

    def elsewhere_of(self, payment_intent_id: str) -> tuple[GivenBackElsewhere, ...]:
        return tuple(one for one in self.elsewhere if one.payment_intent_id == payment_intent_id)

    def elsewhere_for(self, credit_note_id: str) -> int:
        """What was given back so for which this credit note was named."""
        return sum(one.amount_minor for one in self.elsewhere if one.credit_note_id == credit_note_id)

    def given_back_elsewhere(self, given: GivenBackElsewhere) -> CheckoutBook:
        """With one more of them; those of one payment, one note and one means are one."""
        same = given.payment_intent_id, given.credit_note_id, given.method
        known = tuple(one for one in self.elsewhere if (one.payment_intent_id, one.credit_note_id, one.method) == same)
        together = replace(
            given,
            amount_minor=given.amount_minor + sum(one.amount_minor for one in known),
            by_notes_minor=given.by_notes_minor + sum(one.by_notes_minor for one in known),
        )
        others = tuple(one for one in self.elsewhere if one not in known)
        return replace(self, version=self.version + 1, elsewhere=(*others, together))

    def moving_of(self, payment_intent_id: str) -> int:
        """What of a payment is about to come back, and no credit note moved already."""
        return sum(one.moving_minor for one in self.coming_back if one.payment_intent_id == payment_intent_id)

    def coming_besides(self, *payment_intent_ids: str) -> tuple[ComingBack, ...]:
        """Of every other payment."""
        return tuple(one for one in self.coming_back if one.payment_intent_id not in payment_intent_ids)

    def free_on_paper(self, given_back_minor: int) -> int:
        """Of what credit notes gave back on paper, that which the customer lacks, and is kept for nothing."""
        kept = sum(one.by_notes_minor for one in self.coming_back)
        return max(given_back_minor - self.noted_minor - kept, 0)

    def named_for(self, credit_note_id: str, *, besides: tuple[str, ...]) -> int:
        """What refunds at Stripe of other payments than these were asked for in the name of a credit note."""
        return sum(
            one.amount_minor
            for one in self.named
            if one.credit_note_id == credit_note_id and one.payment_intent_id not in besides
        )

    def with_coming_back(self, coming: ComingBack, named: tuple[NamedNote, ...] | None = None) -> CheckoutBook:
        """With what one payment is about to give back now, and for which notes; the same book when that is known."""
        known = tuple(one for one in self.coming_back if one.payment_intent_id == coming.payment_intent_id)
        before = tuple(one for one in self.named if one.payment_intent_id == coming.payment_intent_id)
        wanted, named = (coming,) if coming.total_minor else (), before if named is None else named
        if (known, before) == (wanted, named):
            return self
        others = tuple(one for one in self.named if one not in before)
        return replace(
            self,
            version=self.version + 1,
            coming_back=(*self.coming_besides(coming.payment_intent_id), *wanted),
            named=(*others, *named),
        )

    def given_back_by_notes(self, amount_minor: int) -> CheckoutBook:
        """Stripe gave back so much more of what credit notes had given back on paper; less when it failed."""
        if not amount_minor:
            return self
        return replace(self, version=self.version + 1, by_notes_minor=self.by_notes_minor + amount_minor)

    @property
    def current(self) -> CheckoutAttempt | None:
        return self.attempts[-1] if self.attempts else None

    @property
    def live(self) -> CheckoutAttempt | None:
        """The attempt that money can still come of; there is never more than one."""
        current = self.current
        return current if current is not None and current.state.is_live else None

    @property
    def closable(self) -> CheckoutAttempt | None:
        """The attempt whose page the customer may still be on, or come to; none once they confirmed."""
        live = self.live
        return live if live is not None and live.state is not AttemptState.PROCESSING else None

    @property
    def in_progress(self) -> CheckoutAttempt | None:
        """The attempt that the customer confirmed and whose bank has not answered yet."""
        live = self.live
        return live if live is not None and live.state is AttemptState.PROCESSING else None

    @property
    def settled_at(self) -> datetime | None:
        """When the payment of its attempt is asked for at Stripe again; None unless one is on its way."""
        live = self.in_progress
        if live is None or live.payment_intent_id is None:
            return None
        return self.check_at or live.expires_at

    @property
    def due_at(self) -> datetime | None:
        """When its page has to be looked at; None without one."""
        return (self.check_at or self.closable.expires_at) if self.closable else None

    def to_check(self, at: datetime) -> CheckoutBook:
        """Its page is looked at as soon as ``at``; the same book when it is already, or has none."""
        due = self.due_at
        return self if due is None or due <= at else replace(self, version=self.version + 1, check_at=at)

    def withdrawn(self, at: datetime) -> CheckoutBook:
        """The links that led to its page are taken back: it rests on nothing any more; the same book without one."""
        page = self.closable
        if page is None:
            return self
        return replace(self._changed(page.number, page.state, ledger_rank=WITHDRAWN), check_at=at)

    def postponed(self, at: datetime) -> CheckoutBook:
        """Its page could not be closed, its payment has not ended: it is looked at again then, after the others."""
        return replace(self, version=self.version + 1, check_at=at)

    def asked_again(self, at: datetime, *, unread_on: date | None = None) -> CheckoutBook:
        """Its payment was asked for at Stripe and has not ended: it is asked for another day.

        ``unread_on``: the day on which Stripe did not show it; each day counts once, and one that shows it ends them.
        """
        live = self.live
        if live is None:
            return self
        days = live.unread_days + (unread_on != live.unread_on) if unread_on else 0
        after = ASKED_AGAIN_AFTER if days or at - live.opened_at < ASKED_FOR else ASKED_LATER_AFTER
        book = self._changed(live.number, live.state, unread_days=days, unread_on=unread_on)
        return replace(book, check_at=at + after)

    def is_lost(self, at: datetime) -> bool:
        """Whether the payment of its attempt holds the invoice no longer."""
        live = self.live
        return live is not None and live.unread_days >= LOST_DAYS and at - live.opened_at >= LOST_AFTER

    def checked(self) -> CheckoutBook:
        """Its page may stay until its end."""
        return replace(self, version=self.version + 1, check_at=None)

    def hold_pace(self, at: datetime, *, of_all: bool) -> None:
        """One more attempt begins. Those of the last hour are all remembered. Raises: TooManyPaymentPages."""
        recent = [one.opened_at for one in self.attempts if one.opened_at > at - PACE_WITHIN]
        pace = PACE_OF_ALL if of_all else PACE_OF_PARTS
        if len(recent) >= pace:
            left = recent[-pace] + PACE_WITHIN - at
            raise TooManyPaymentPages(
                max(1, -(-left // timedelta(seconds=1))), all_can_be_paid=len(recent) < PACE_OF_ALL
            )

    def opened_for(self, secret_hash: str) -> CheckoutAttempt | None:
        """The attempt whose customer is led back with a secret."""
        return next((one for one in self.attempts if hmac.compare_digest(one.return_hash, secret_hash)), None)

    def attempt(self, number: int) -> CheckoutAttempt | None:
        return next((one for one in self.attempts if one.number == number), None)

    def idempotency_key(self, attempt: CheckoutAttempt) -> str:
        """Of the request that opens its session: from what it is about, never from chance."""
        facts = (self.tenant_id, self.invoice_id, attempt.number, attempt.amount_minor, attempt.currency)
        return "-".join(("checkout", *map(str, facts)))

    def beginning(self, attempt: CheckoutAttempt) -> CheckoutBook:
        """With one more attempt. Raises: ValueError while another one is live."""
        if self.live is not None or attempt.number != self.made + 1 or attempt.state is not AttemptState.OPENING:
            raise ValueError("one attempt at a time, each numbered after the one before")
        return replace(
            self,
            version=self.version + 1,
            made=attempt.number,
            attempts=(*self.attempts, attempt)[-HISTORY:],
            check_at=None,
        )

    def opened(self, number: int, session: CheckoutSession) -> CheckoutBook:
        return self._changed(number, AttemptState.OPEN, session_id=session.session_id, url=session.url)

    def moved(
        self,
        number: int,
        state: AttemptState,
        at: datetime,
        *,
        payment_intent_id: str | None = None,
        failure_code: str = "",
    ) -> CheckoutBook:
        """The attempt in a later state; the same book when it is there already or further."""
        known = self.attempt(number)
        if known is None or state.rank <= known.state.rank:
            return self
        moved = self._changed(
            number,
            state,
            payment_intent_id=payment_intent_id or known.payment_intent_id,
            ended_at=None if state.is_live else at,
            failure_code=failure_code,
            url=known.url if state is AttemptState.OPEN else None,
            confirmed_at=at if state is AttemptState.PROCESSING else known.confirmed_at,
        )
        return replace(moved, check_at=at + SETTLED_AFTER) if state is AttemptState.PROCESSING else moved

    def paid_by(self, number: int, method: str, *, charged_at: datetime | None = None) -> CheckoutBook:
        """The means that a customer confirmed with, which Stripe may say later; the same book when it is known."""
        known = self.attempt(number)
        if known is None:
            return self
        told = method or known.method, charged_at or known.charged_at
        if told == (known.method, known.charged_at):
            return self
        return self._changed(number, known.state, method=told[0], charged_at=told[1])

    def credited(self, number: int, amount_minor: int) -> CheckoutBook:
        """With what of a payment became credit, in the version that makes it succeed."""
        attempts = tuple(
            replace(one, credited_minor=amount_minor) if one.number == number else one for one in self.attempts
        )
        return replace(self, attempts=attempts)

    def given_back(
        self,
        number: int,
        amount_minor: int,
        at: datetime | None,
        *,
        coming_minor: int,
        for_notes: tuple[NoteRefunded, ...] = (),
        contested_for_notes_minor: int = 0,
        contested: bool = False,
    ) -> CheckoutBook:
        """What became of the money of an attempt that succeeded; the same book when that is known."""
        known = self.attempt(number)
        if known is None:
            return self
        told = replace(
            known,
            given_back_minor=amount_minor,
            given_back_at=at,
            coming_back_minor=coming_minor,
            for_notes=for_notes,
            contested_for_notes_minor=contested_for_notes_minor,
            contested=contested,
        )
        if told == known:
            return self
        attempts = tuple(told if one is known else one for one in self.attempts)
        return replace(self, version=self.version + 1, attempts=attempts)

    @property
    def paid(self) -> tuple[CheckoutAttempt, ...]:
        """Those that succeeded, as far as they are remembered."""
        return tuple(one for one in self.attempts if one.state is AttemptState.SUCCEEDED)

    def moved_along(self) -> CheckoutBook | None:
        """One version further with the ledger, where something was paid online: None where nothing was.

        What comes back of it is judged by both: of two at once one is judged after the other. What was forgotten may
        have been paid.
        """
        if not (self.paid or self.coming_back or self.made > len(self.attempts)):
            return None
        return replace(self, version=self.version + 1)

    @property
    def kept_minor(self) -> int:
        """Of those, what is neither given back nor on its way."""
        return sum(one.kept_minor for one in self.paid) - sum(one.amount_minor for one in self.elsewhere)

    def means_of(self, kept_minor: int) -> PaymentMethod | None:
        """How an invoice that keeps so much of its payments gives it back; None where not all of that was paid here."""
        held = {one: self._held_of(one) for one in self.paid}
        if kept_minor <= 0 or sum(held.values()) < kept_minor:
            return None
        return next(one.means for one in reversed(self.paid) if held[one])

    def _held_of(self, paid: CheckoutAttempt) -> int:
        """Of a payment, what the invoice owed and Stripe holds."""
        otherwise = sum(one.amount_minor for one in self.elsewhere_of(paid.payment_intent_id or ""))
        return max(min(paid.kept_minor - otherwise, paid.settled_minor), 0)

    def released_back(self, entries: tuple[LedgerEntry, ...]) -> dict[str, int]:
        """By the id of its entry, what the customer has back of what a credit note left them as credit.

        Whatever they have back of payments online was credit, where neither notes that refund say so nor an invoice is
        owed it again. Of an invoice that other money was refunded of, only what is sure; nothing without all entries.
        """
        if not entries or entries[0].rank > 1:
            return {}
        notes = {one.source_id for one in entries if one.kind is EntryKind.CREDIT}
        signs = {EntryKind.REFUND: 1, EntryKind.REFUND_RETURNED: -1}
        owed_again = sum(signs.get(one.kind, 0) * one.amount_minor for one in entries if one.source_id not in notes)
        given = sum(one.given_back_minor for one in self.paid) + sum(one.amount_minor for one in self.elsewhere)
        left, back = max(given - self.noted_minor - owed_again, 0), {}
        for entry in entries:
            if entry.kind is EntryKind.RELEASE:
                back[entry.entry_id] = min(left, entry.amount_minor)
                left -= back[entry.entry_id]
        return back

    @property
    def contested_minor(self) -> int:
        """Of what is kept, what banks have not decided on: the invoice's payments that Stripe does not refund."""
        return sum(one.kept_minor for one in self.paid if one.contested)

    def paper_refunds(self, entries: tuple[LedgerEntry, ...]) -> dict[str, PaperRefundStanding]:
        """By the id of its entry, how what a credit note gave back on paper stands; none where nothing was paid here.

        A refund that names a note is that note's. The others are of those by card or debit, which Stripe alone makes,
        the oldest first; then of the rest.
        """
        if not self.paid:
            return {}
        notes = {one.source_id for one in entries if one.kind is EntryKind.CREDIT}
        found = [one for one in entries if one.kind is EntryKind.REFUND and one.source_id in notes]
        left = {one.entry_id: one.amount_minor for one in found}
        means: dict[str, set[_Means]] = {one.entry_id: set() for one in found}

        def taken(
            entry: LedgerEntry, amount_minor: int, method: PaymentMethod | None, *, contested: bool = False
        ) -> int:
            part = min(left[entry.entry_id], amount_minor)
            if part > 0:
                left[entry.entry_id] -= part
                means[entry.entry_id].add(_Means(method, contested=contested))
            return part

        unnamed = self.noted_minor - sum(
            taken(entry, amount_minor, method)
            for entry in found
            for amount_minor, method in self._given_for(entry.source_id)
        )
        by_banks = min(sum(one.contested_for_notes_minor for one in self.paid), max(unnamed, 0))
        unnamed -= by_banks
        vague = any(one.by_notes_minor and not one.credit_note_id for one in self.elsewhere)
        for entry in sorted(found, key=lambda one: one.method not in _MADE_AT_STRIPE):
            known = entry.method in _MADE_AT_STRIPE and not vague
            unnamed -= taken(entry, max(unnamed, 0), entry.method if known else None)
            by_banks -= taken(entry, by_banks, entry.method if known else None, contested=True)
        return {one.entry_id: self._standing(one, left[one.entry_id], means[one.entry_id]) for one in found}

    def _given_for(self, credit_note_id: str) -> list[tuple[int, PaymentMethod | None]]:
        """What was given back for a note that was named, and by which means."""
        at_stripe = [
            (noted.given_minor, one.means)
            for one in self.paid
            for noted in one.for_notes
            if noted.credit_note_id == credit_note_id
        ]
        return at_stripe + [
            (one.by_notes_minor, one.method) for one in self.elsewhere if one.credit_note_id == credit_note_id
        ]

    def _standing(self, entry: LedgerEntry, left: int, given: set[_Means]) -> PaperRefundStanding:
        coming = [
            (noted.coming_minor, one.means)
            for one in self.paid
            for noted in one.for_notes
            if noted.credit_note_id == entry.source_id and noted.coming_minor
        ]
        awaited = left if entry.method in _MADE_AT_STRIPE else min(left, sum(amount for amount, _ in coming))
        recorded = left - awaited
        means = given | ({_Means(entry.method)} if recorded else set())
        if awaited:
            means = {_Means(method) for _, method in coming} or {_Means(entry.method)}
        one = next(iter(means)) if len(means) == 1 else _Means(None)
        return PaperRefundStanding(
            awaited_minor=awaited, as_recorded_minor=recorded, method=one.method, contested=one.contested
        )

    @property
    def refused(self) -> tuple[CheckoutAttempt, ...]:
        """Those that failed once the customer had confirmed, as far as they are remembered."""
        return tuple(one for one in self.attempts if one.state is AttemptState.FAILED)

    def _changed(self, number: int, state: AttemptState, **changes: object) -> CheckoutBook:
        attempts = tuple(
            replace(one, state=state, **changes) if one.number == number else one  # type: ignore[arg-type]
            for one in self.attempts
        )
        return replace(self, version=self.version + 1, attempts=attempts)


class WhyNotOnline(StrEnum):
    """What keeps an invoice from being paid online, as it stands."""

    NOTHING_LEFT = "nothing_left"
    NOT_ACCEPTED = "not_accepted"  # the company has no account that charges
    BELOW_MINIMUM = "below_minimum"
    IN_PROGRESS = "in_progress"  # a payment whose bank has not answered yet


def why_not_online(
    invoice: IssuedInvoice, connection: StripeConnection, book: CheckoutBook, *, payable_minor: int
) -> WhyNotOnline | None:
    """None: it can be paid online. A credit note asks for nothing."""
    if book.in_progress is not None:
        return WhyNotOnline.IN_PROGRESS
    if payable_minor <= 0 or invoice.document.document_type.is_credit_note:
        return WhyNotOnline.NOTHING_LEFT
    if not connection.accepts_payments:
        return WhyNotOnline.NOT_ACCEPTED
    return WhyNotOnline.BELOW_MINIMUM if payable_minor < LEAST_MINOR else None
