"""Money of a payment at Stripe is given back by Stripe: recorded as asked for, asked under a key of its facts, recorded
as answered. Whoever dies in between leaves a request that the next one, the webhook or the sweep finishes.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from billing.domain.access import Caller, Permission
from billing.domain.checkout import CheckoutBook, ComingBack, GivenBackElsewhere
from billing.domain.currency import EURO
from billing.domain.dates import civil_date
from billing.domain.errors import (
    BillingError,
    DependencyUnavailable,
    FieldError,
    FieldErrors,
    IdempotencyKeyReused,
    NotFound,
    PaymentByStripe,
    PaymentDisputed,
    RefundExceedsPayment,
    RefundRefused,
    StaleVersion,
    UnknownReference,
)
from billing.domain.events import Event, EventType
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import PaymentMethod
from billing.domain.payments import Payment, refund_beyond
from billing.domain.stripe_inbox import InboxState
from billing.domain.stripe_payment import (
    GIVEN_BACK_MEANWHILE,
    REQUEST_KEY,
    PaperRefund,
    RefundElsewhere,
    RefundRequest,
    RequestState,
    StripePayment,
)
from billing.domain.stripe_words import explain_refund_refusal
from billing.domain.typography import amount_words
from billing.ports.clock import Clock, Ids
from billing.ports.idempotency import AlreadyAnswered, IdempotentRequest
from billing.ports.payments import PaymentContext, Payments
from billing.ports.repositories import Invoices
from billing.ports.stripe import NO_ACCESS, RefundWanted, StripeRefused
from billing.ports.stripe_inbox import SHARDS
from billing.ports.stripe_payments import StripeFacts, StripeNews
from billing.usecases.contention import judged_anew
from billing.usecases.payments import (
    Correction,
    RefundInput,
    context_of,
    issued_of,
    refund_payment,
)
from billing.usecases.stripe_events import StripeDesk, settle_stripe_payment
from billing.usecases.stripe_ledger import STRIPE, DoesNotFit
from billing.usecases.turns import Turns, turning

FINISHED_AFTER = timedelta(minutes=5)  # a request of somebody who is still there is left to them
SWEPT_AT_ONCE = 50  # of a shard
KEY_REMEMBERED = timedelta(days=29)  # of thirty: a key that was forgotten asks for nothing under its old name
AWAY_FOR = timedelta(days=1)  # of an account that is not ours to ask: it stands before nobody meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeRefundInput:
    """``reason`` is the company's own; ``credit_note_id`` of the note that says why, when there is one."""

    reason: str = ""
    credit_note_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundSweep:
    finished: int = 0
    failed: int = 0


def refund_by_its_means(
    caller: Caller,
    payment_id: str,
    wanted: RefundInput,
    online: StripeRefundInput,
    *,
    once: IdempotentRequest,
    payments: Payments,
    invoices: Invoices,
    stripe: Callable[[], StripeDesk],
    clock: Clock,
    ids: Ids,
) -> Payment:
    """Record a refund that was made elsewhere; of a payment at Stripe, have Stripe make it unless a means is named.

    ``stripe`` is called for what came through it alone.

    Raises: NotFound, PaymentReversed, PaymentFromCredit, RefundExceedsPayment, FieldErrors,
        UnknownReference (the credit note), RefundRefused, PaymentDisputed,
        DependencyUnavailable (asked for, and finished later), Busy.
    """
    try:
        return refund_payment(
            caller,
            payment_id,
            wanted,
            reason=online.reason,
            once=once,
            payments=payments,
            clock=clock,
            ids=ids,
        )
    except PaymentByStripe:
        asking = _Asking(caller, payment_id, wanted.amount_minor, online, invoices, stripe())
        if _is_elsewhere(wanted):
            return judged_anew(lambda: asking.given_back_elsewhere(wanted, once), clock=clock, ids=ids)
        with contextlib.suppress(AlreadyAnswered):  # by the same request, a moment ago
            judged_anew(lambda: asking.record(once), clock=clock, ids=ids)
            return _answer(caller, payment_id, _request_id(caller, payment_id, once), stripe(), first=True)
    except AlreadyAnswered:  # by Stripe perhaps not yet: whoever asks again goes on
        if wanted.method is not None or not payments.read(caller, payment_id).payment_intent_id:
            raise
    return _answer(caller, payment_id, _request_id(caller, payment_id, once), stripe(), first=False)


def _is_elsewhere(wanted: RefundInput) -> bool:
    """Whether the company gave money of a payment at Stripe back by means of its own: Stripe is not to make it again.

    Raises: FieldErrors, where that cannot be told.
    """
    if wanted.method in {PaymentMethod.CARD, PaymentMethod.DIRECT_DEBIT}:
        french = "Par carte ou par prélèvement, c'est Stripe qui rembourse : n'indiquez pas de moyen."
        english = "By card or direct debit it is Stripe that refunds: name no means."
        raise FieldErrors((FieldError("/method", french, english),))
    if wanted.method is None and (wanted.refunded_on or wanted.reference):
        raise FieldErrors(
            (
                FieldError(
                    "/method",
                    "Si vous avez déjà rendu cet argent vous-même, indiquez par quel moyen. Si Stripe doit le "
                    "rembourser, n'indiquez ni date ni référence.",
                    "If you gave this money back yourself, name the means. If Stripe is to refund it, give neither "
                    "a date nor a reference.",
                ),
            )
        )
    return wanted.method is not None


def finish_stripe_refund(
    tenant_id: str, payment_intent_id: str, request_id: str, *, desk: StripeDesk, first: bool = False
) -> StripePayment:
    """A request that was recorded is answered by Stripe, and what follows is in the ledger. Safe to run again.

    ``first``: nobody can have asked Stripe for it before. Raises: DependencyUnavailable, Busy, StripeRefused: the
    account is not ours to ask any more, and whether the refund was made before nobody can say: it stays asked for.
    Once the account is back, what was made is in the ledger, and what was not is refused: its company was told to look
    at Stripe, and may have made it there. What nobody asked Stripe for yet, and the books bear no longer, is refused.
    """
    record = _stored(tenant_id, payment_intent_id, desk)
    try:
        # What Stripe did already says so: its own memory of a key ends after a day, that of a refund never.
        settled = settle_stripe_payment(tenant_id, record.account_id, payment_intent_id, desk=desk)
        record = _stored(tenant_id, payment_intent_id, desk)
        request = record.request(request_id)
        if request is None or request.state is not RequestState.REQUESTED:
            return record
        if settled.state is not InboxState.DONE and _is_made(record, request_id, desk):
            raise DependencyUnavailable  # at Stripe, and not in the books before a person settled the cause
        if request.again_at is not None:
            return _given_up(record, request, request.again_at, desk)
    except StripeRefused as refused:
        if refused.code != NO_ACCESS or not first:
            raise
        if not _is_released(record, request_id, desk):
            raise
        return _stored(tenant_id, payment_intent_id, desk)
    if _is_to_be_asked(record, request_id, desk, first=first):
        _ask_for(record, request, desk, first=first)
    return _stored(tenant_id, payment_intent_id, desk)


def _given_up(record: StripePayment, request: RefundRequest, again_at: datetime, desk: StripeDesk) -> StripePayment:
    """It was not made while the account was away. Raises: StripeRefused, while whoever asked before may be asking."""
    if desk.clock.now() < again_at - AWAY_FOR + FINISHED_AFTER:
        raise StripeRefused(NO_ACCESS, status=403)
    tenant_id, payment_intent_id, request_id = record.tenant_id, record.payment_intent_id, request.request_id
    judged_anew(
        lambda: _refuse(_stored(tenant_id, payment_intent_id, desk), request_id, NO_ACCESS, desk),
        clock=desk.clock,
        ids=desk.ids,
    )
    return _stored(tenant_id, payment_intent_id, desk)


def _ask_for(record: StripePayment, request: RefundRequest, desk: StripeDesk, *, first: bool) -> None:
    tenant_id, payment_intent_id, request_id = record.tenant_id, record.payment_intent_id, request.request_id
    wanted = RefundWanted(
        payment_intent_id=payment_intent_id,
        amount_minor=request.amount_minor,
        reason="requested_by_customer",
        refund_application_fee=record.application_fee_minor > 0,  # Stripe refuses to give back a fee that nobody took
        metadata={REQUEST_KEY: request_id, "tenant_id": tenant_id, "credit_note_id": request.credit_note_id},
    )
    key = f"refund-{tenant_id}-{payment_intent_id}-{request_id}"
    try:
        desk.stripe.create_refund(record.account_id, wanted, idempotency_key=key)
    except StripeRefused as refused:
        if refused.code == NO_ACCESS:
            if not first or not _is_released(record, request_id, desk):
                raise
            return
        code = refused.code
        judged_anew(
            lambda: _refuse(_stored(tenant_id, payment_intent_id, desk), request_id, code, desk),
            clock=desk.clock,
            ids=desk.ids,
        )
    else:
        settle_stripe_payment(tenant_id, record.account_id, payment_intent_id, desk=desk)


def finish_stripe_refunds(*, desk: StripeDesk) -> RefundSweep:
    """Every request that nobody waits for any more; and whether the books can bear by now what they could not.

    Raises: what went wrong for one, once every other had its turn.
    """
    turns, finished, failed = Turns(), 0, 0
    before = desk.clock.now() - FINISHED_AFTER
    for shard in turning(SHARDS, desk.ids.jitter()):
        for tenant_id, payment_intent_id in desk.stripe_payments.asked(shard, before, SWEPT_AT_ONCE):
            with turns.one():
                record = desk.stripe_payments.stored(tenant_id, payment_intent_id)
                request = record.open_request if record else None
                if record is not None and (request is None or request.due_at > before):
                    failed += not _looked_again(record, desk)
                    continue
                if record is None or request is None:
                    continue
                try:
                    finish_stripe_refund(tenant_id, payment_intent_id, request.request_id, desk=desk)
                except (BillingError, StripeRefused) as error:  # another one's turn; this one's comes again
                    failed += 1
                    if isinstance(error, StripeRefused) and error.code == NO_ACCESS:
                        with contextlib.suppress(StaleVersion):
                            _note_away(record, desk)
                else:
                    finished += 1
    turns.end()
    return RefundSweep(finished=finished, failed=failed)


def _looked_again(record: StripePayment, desk: StripeDesk) -> bool:
    """What the books can bear by now is in them; else it has its turn another day. False: nobody could read it."""
    now, read = desk.clock.now(), True
    if record.look_again_at is None or record.look_again_at > now:
        return True  # an event came meanwhile
    try:
        settle_stripe_payment(record.tenant_id, record.account_id, record.payment_intent_id, desk=desk)
    except (BillingError, StripeRefused):
        read = False
    current = _stored(record.tenant_id, record.payment_intent_id, desk)
    if current.look_again_at is not None and current.look_again_at <= now:
        facts = StripeFacts(record=current.looked_at(now).next_after(current))
        with contextlib.suppress(StaleVersion):
            desk.stripe_payments.write(Caller.system(record.tenant_id, STRIPE), facts)
    return read


@dataclass(frozen=True, slots=True)
class _Bearable:
    """What a refund was judged by; what of it credit notes gave back on paper, and whether the one named did."""

    payment: Payment
    record: StripePayment
    book: CheckoutBook
    by_note: bool
    by_notes_minor: int
    credit_minor: int  # of it, what the note named left as credit
    context: PaymentContext | None  # None: the note moved all of it already


@dataclass(frozen=True, slots=True)
class _Asking:
    """One refund that somebody asks for."""

    caller: Caller
    payment_id: str
    amount_minor: int
    online: StripeRefundInput
    invoices: Invoices
    desk: StripeDesk

    def record(self, once: IdempotentRequest) -> None:
        """What is asked for, once it is sure that our own books can bear it."""
        caller, desk, judged = self.caller, self.desk, self._bearable(_hold_refundable)
        payment, record, book = judged.payment, judged.record, judged.book
        request_id = _request_id(caller, self.payment_id, once)
        known = record.request(request_id)
        if known is not None and known.requested_at < desk.clock.now() - KEY_REMEMBERED:
            raise IdempotencyKeyReused
        request = RefundRequest(
            request_id=request_id,
            amount_minor=self.amount_minor,
            reason=self.online.reason,
            requested_at=desk.clock.now(),
            requested_by=caller.user_id,
            credit_note_id=self.online.credit_note_id,
            by_note=judged.by_note,
            by_notes_minor=judged.by_notes_minor,
            credit_minor=judged.credit_minor,
            asked=False,
        )
        requested = record.requested(request).next_after(record)
        news = _news(desk, requested, request, EventType.PAYMENT_REFUND_REQUESTED, caller.user_id)
        # Always, so that of two payments of one invoice one is asked for after the other.
        moved = replace(
            book.with_coming_back(requested.coming_back(), requested.named),
            version=book.version + 1,
        )
        credit = None
        if judged.context is not None:
            promising = desk.ledger.promising(caller, requested, payment, judged.context, moved)
            credit = promising.next_after(judged.context.credit)
        facts = StripeFacts(record=requested, book=moved, news=(news,), credit=credit)
        desk.stripe_payments.write(caller, facts, once=once, answered=payment)

    def given_back_elsewhere(self, wanted: RefundInput, once: IdempotentRequest) -> Payment:
        """What the company gave back itself is in the ledger, as far as no credit note says it there already.

        What does not fit there though it was judged to is judged once more: something may have moved in between.
        """
        with contextlib.suppress(DoesNotFit):
            return self._given_back_elsewhere(wanted, once)
        try:
            return self._given_back_elsewhere(wanted, once)
        except DoesNotFit as unfit:
            raise RefundExceedsPayment(
                "Les factures et le crédit du client ne gardent plus ce montant de ce paiement. Consultez ce que ses "
                "remboursements et ses litiges ont déjà rendu au client.",
                "The invoices and the customer's credit do not keep this amount of this payment any more. See what "
                "its refunds and disputes gave back to the customer already.",
            ) from unfit

    def _given_back_elsewhere(self, wanted: RefundInput, once: IdempotentRequest) -> Payment:
        """Raises: DoesNotFit."""
        caller, desk = self.caller, self.desk
        judged = self._bearable(_hold_undisputed if not wanted.confirm_disputed else None)
        payment, record = judged.payment, judged.record
        payment.hold_after_payment(wanted.refunded_on)
        given = GivenBackElsewhere(
            payment_intent_id=record.payment_intent_id,
            amount_minor=self.amount_minor,
            by_notes_minor=judged.by_notes_minor,
            credit_note_id=self.online.credit_note_id,
            method=wanted.method,
        )
        assert wanted.method is not None  # noqa: S101 - else Stripe makes it
        said = RefundElsewhere(
            refund_id=desk.ids.new("rfd"),
            amount_minor=self.amount_minor,
            method=wanted.method,
            refunded_on=wanted.refunded_on or desk.clock.today(),
            reference=wanted.reference,
            reason=self.online.reason,
            credit_note_id=self.online.credit_note_id,
            by_notes_minor=judged.by_notes_minor,
            recorded_at=desk.clock.now(),
            recorded_by=caller.user_id,
        )
        made = Correction(entry_id=said.refund_id, on=said.refunded_on, at=said.recorded_at, method=said.method)
        news = _news_of_notes(desk, record, said) if said.by_notes_minor else None
        # Both, so that nothing of what it was judged by has moved.
        told = StripeFacts(
            record=record.given_back_elsewhere(said).next_after(record),
            book=judged.book.given_back_elsewhere(given),
            news=(news,) if news is not None else (),
        )
        moving = self.amount_minor - given.by_notes_minor
        if moving:
            return desk.ledger.give_back(
                caller,
                payment,
                moving,
                made,
                reference=said.reference,
                reason=said.reason,
                credit_first=judged.credit_minor,
                told=told,
                once=once,
            )
        desk.stripe_payments.write(caller, told, once=once, answered=payment)
        return payment

    def _bearable(self, hold: Callable[[StripePayment], None] | None) -> _Bearable:
        """``hold``: what a payment that a bank has not decided on refuses. Raises: as ``refund_by_its_means``."""
        caller, desk = self.caller, self.desk
        caller.require(Permission.RECORD_PAYMENTS)
        payment = desk.payments.read(caller, self.payment_id)
        record = _stored(caller.tenant_id, payment.payment_intent_id, desk)
        # Before what is judged by: whoever writes of another payment of the invoice meanwhile is judged with.
        book = desk.checkouts.book(caller.tenant_id, record.invoice_id)
        if hold is not None and record.is_contested:
            hold(record)
        left = payment.amount_minor - record.reserved_minor
        left -= sum(one.amount_minor for one in book.elsewhere_of(record.payment_intent_id))
        if self.amount_minor > left:
            raise refund_beyond(left, payment.currency)
        note = self._note(payment, record)
        credit_minor = self._credit_of(note, record, book) if note is not None else 0
        by_note = note is not None and self._by_note(note, record, book)
        by_notes_minor, context = self.amount_minor if by_note else 0, None
        if not by_note:
            asked = _Judged.read(self, payment, record, book)
            if not self.online.credit_note_id:
                asked.hold_not_given_back()
                by_notes_minor = asked.by_notes_minor
            asked.hold_bearable()
            context = asked.context
        return _Bearable(
            payment,
            record,
            book,
            by_note=by_note,
            by_notes_minor=by_notes_minor,
            credit_minor=credit_minor,
            context=context,
        )

    def _by_note(self, note: IssuedInvoice, record: StripePayment, book: CheckoutBook) -> bool:
        """Whether a credit note gave this money back in the ledger already, and Stripe did not, nor is about to.

        Raises: RefundExceedsPayment.
        """
        settlement = note.document.settlement
        if settlement is None or not settlement.refunded_minor:
            return False
        left = min(
            settlement.refunded_minor - self._asked_by(note, record, book),
            self.desk.ledger.unasked_by_notes(self.caller, (record,), book),
        )
        self._hold_of_note(left, record.currency)
        return True

    def _credit_of(self, note: IssuedInvoice, record: StripePayment, book: CheckoutBook) -> int:
        """Of a refund, what the note that says why left as credit of the customer, instead of refunding it.

        Raises: RefundExceedsPayment: it is more than the note took off the invoice.
        """
        settlement = note.document.settlement
        if settlement is None or settlement.refunded_minor:
            return 0
        asked = self._asked_by(note, record, book)
        self._hold_of_note(settlement.total_minor - asked, record.currency)
        return min(self.amount_minor, max(settlement.customer_credit_minor - asked, 0))

    def _hold_of_note(self, left_minor: int, currency: str) -> None:
        if self.amount_minor > left_minor:
            if left_minor <= 0:
                raise RefundExceedsPayment(
                    "Il ne reste rien à rembourser de cet avoir.", "Nothing of this credit note is left to refund."
                )
            amount, english = amount_words(left_minor, currency)
            raise RefundExceedsPayment(
                f"Cet avoir rembourse encore {amount}.", f"This credit note still refunds {english}."
            )

    def _asked_by(self, note: IssuedInvoice, record: StripePayment, book: CheckoutBook) -> int:
        """What refunds of any payment of the invoice name this note for."""
        paid = tuple(one.payment_intent_id for one in book.paid if one.payment_intent_id)
        others = (
            self.desk.stripe_payments.stored(record.tenant_id, payment_intent_id)
            for payment_intent_id in paid
            if payment_intent_id != record.payment_intent_id
        )
        named = sum(one.asked_by(note.invoice_id) for one in (record, *others) if one is not None)
        named += book.named_for(note.invoice_id, besides=(record.payment_intent_id, *paid))
        return named + book.elsewhere_for(note.invoice_id)

    def _note(self, payment: Payment, record: StripePayment) -> IssuedInvoice | None:
        """The credit note that is named, on an invoice that the payment was for. Raises: UnknownReference."""
        note_id = self.online.credit_note_id
        if not note_id:
            return None
        paid = {record.invoice_id, *(part.invoice_id for part in payment.allocations)}
        with contextlib.suppress(NotFound):
            note = self.invoices.read(self.caller, note_id)
            is_note = isinstance(note, IssuedInvoice) and note.document.document_type.is_credit_note
            if isinstance(note, IssuedInvoice) and is_note and paid & _preceding(note):
                return note
        french = "Avoir inconnu pour la facture de ce paiement."
        english = "This credit note is unknown for the invoice of this payment."
        raise UnknownReference((FieldError("/credit_note_id", french, english),))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """A refund that no credit note gave back for itself, and what it is judged by.

    ``own``, ``others``: what is about to be given back of its payment, and of the others of the invoice.
    """

    amount_minor: int
    payment: Payment
    invoice: IssuedInvoice
    own: ComingBack
    others: tuple[ComingBack, ...]
    on_paper_minor: int  # what credit notes gave back there, and Stripe did not yet
    by_notes_minor: int  # of the refund, what becomes that
    kept: dict[str, int]  # of what was paid, by invoice
    context: PaymentContext

    @classmethod
    def read(cls, asking: _Asking, payment: Payment, record: StripePayment, book: CheckoutBook) -> _Judged:
        caller, desk = asking.caller, asking.desk
        context = context_of(caller, payment, desk.payments)
        invoice = issued_of(asking.invoices.read(caller, record.invoice_id))
        named = bool(asking.online.credit_note_id)  # one that left credit: the others' is not its own
        unasked = 0 if named else desk.ledger.unasked_by_notes(caller, (record,), book)
        share = desk.ledger.note_share(caller, record, book) if unasked else 0
        return cls(
            amount_minor=asking.amount_minor,
            payment=payment,
            invoice=invoice,
            own=record.coming_back(),
            others=book.coming_besides(record.payment_intent_id),
            on_paper_minor=desk.ledger.given_back_on_paper(caller, invoice) - book.noted_minor,
            by_notes_minor=min(asking.amount_minor, unasked, share),
            kept={invoice_id: issued_of(one).ledger.kept_minor for invoice_id, one in context.invoices.items()},
            context=context,
        )

    def hold_not_given_back(self) -> None:
        """Where credit notes say what is to be given back, a refund that names none is theirs.

        Judged by the sums of what was credited, paid and given back, so that it does not matter in which order: a
        refund may come before the note that explains it. What only takes the customer's credit is no matter of theirs.
        Raises: RefundExceedsPayment: the customer has, or is about to have, all that they say.
        """
        ledger = self.invoice.ledger
        # Whatever was given back and is not owed again is what notes explain: on paper before it, or against it after.
        noted = ledger.refunded_minor - ledger.balance_minor
        if not ledger.credited_minor or noted <= 0 or not self._of_invoices:
            return
        coming = self.own.total_minor + sum(one.total_minor for one in self.others)
        if noted <= ledger.refunded_minor - self.on_paper_minor + coming:
            raise RefundExceedsPayment(
                "Ce que les avoirs de cette facture rendent au client, Stripe l'a déjà remboursé. Pour rendre "
                "davantage, émettez un autre avoir et indiquez-le (credit_note_id).",
                "What the credit notes on this invoice give back, Stripe refunded already. To give back more, issue "
                "another credit note and name it (credit_note_id).",
            )

    def hold_bearable(self) -> None:
        """Invoices and credit together keep so much, beside what is on its way. Raises: RefundExceedsPayment."""
        held = self.context.credit
        elsewhere, here = held.unpromised(self.others), self.invoice.ledger.kept_minor
        kept = self.kept | {self.invoice.invoice_id: max(here - elsewhere, 0)}
        free = held.free_minor(besides=self.payment.payment_intent_id) if self.payment.currency == EURO else 0
        credit = max(free - max(elsewhere - here, 0), 0)
        moving = self.amount_minor - self.by_notes_minor
        _, left = self.payment.kept_parts(moving + self.own.moving_minor, kept)
        if left > credit:
            bearable = max(self.amount_minor - left + credit, 0)
            amount, english = amount_words(bearable, self.payment.currency)
            raise RefundExceedsPayment(
                f"Les factures et le crédit du client ne gardent que {amount} de ce paiement. Si un avoir a déjà "
                "enregistré ce remboursement, indiquez-le (credit_note_id).",
                f"The invoices and the customer's credit keep only {english} of this payment. If a credit note "
                "recorded this refund already, name it (credit_note_id).",
            )

    @property
    def _of_invoices(self) -> int:
        """What of it invoices would owe again, beside what is on its way of this payment."""
        coming = self.own.moving_minor
        _, before = self.payment.kept_parts(coming, self.kept)
        _, after = self.payment.kept_parts(coming + self.amount_minor, self.kept)
        return self.amount_minor - (after - before)


def _hold_refundable(_: StripePayment) -> None:
    """Stripe holds the money of a disputed payment. Raises: RefundRefused."""
    why = explain_refund_refusal("charge_disputed")
    raise RefundRefused(why.french, why.english)


def _hold_undisputed(record: StripePayment) -> None:
    """Whoever gives it back besides the bank may give it back twice. Raises: PaymentDisputed."""
    amount, english = amount_words(record.contested_minor, record.currency)
    raise PaymentDisputed(
        f"Le client conteste {amount} de ce paiement auprès de sa banque, qui n'a pas encore décidé : si elle lui "
        "donne raison, elle lui rend cet argent, et il aurait deux fois ce que vous rendez. Répondez au litige, ou "
        "acceptez-le, dans Stripe ; si vous avez déjà rendu cet argent vous-même, confirmez-le (confirm_disputed).",
        f"The customer contests {english} of this payment at the bank, which has not decided yet: if it decides for "
        "the customer it gives that money back, and they have twice what you give back. Answer the dispute, or accept "
        "it, at Stripe; if you gave this money back yourself already, confirm it (confirm_disputed).",
    )


def _is_made(record: StripePayment, request_id: str, desk: StripeDesk) -> bool:
    made = desk.stripe.list_refunds(record.account_id, record.payment_intent_id)
    return any(one.metadata.get(REQUEST_KEY) == request_id for one in made)


def _answer(caller: Caller, payment_id: str, request_id: str, desk: StripeDesk, *, first: bool) -> Payment:
    """The payment once Stripe answered. Raises: RefundRefused, RefundExceedsPayment, DependencyUnavailable."""
    payment = desk.payments.read(caller, payment_id)
    try:
        record = finish_stripe_refund(caller.tenant_id, payment.payment_intent_id, request_id, desk=desk, first=first)
    except StripeRefused as refused:
        if refused.code != NO_ACCESS:
            raise
        # Before it is said: from then on the company may make it at Stripe itself.
        record = _stored(caller.tenant_id, payment.payment_intent_id, desk)
        judged_anew(lambda: _note_away(record, desk, besides=request_id), clock=desk.clock, ids=desk.ids)
        raise RefundRefused(
            "Votre compte Stripe n'est plus relié à ZenBilling, et cette demande a pu y arriver avant. Voyez dans "
            "Stripe si ce remboursement y est ; sinon, faites-le là : ZenBilling ne le fera plus. Reliez ensuite le "
            "compte à nouveau : ce que Stripe a remboursé sera enregistré.",
            "Your Stripe account is no longer linked to ZenBilling, and this request may have reached it before. See "
            "at Stripe whether it is there; if it is not, make it there: ZenBilling makes it no more. Then link the "
            "account again: what Stripe refunded will be recorded.",
        ) from refused
    except DependencyUnavailable as error:
        raise DependencyUnavailable(
            "Votre demande est enregistrée et sera faite dès que Stripe répondra : ne la refaites pas.",
            "Your request is recorded and will be made as soon as Stripe answers: do not ask again.",
        ) from error
    request = record.request(request_id)
    if request is not None and request.state is RequestState.REFUSED:
        why = explain_refund_refusal(request.refusal)
        if request.refusal == GIVEN_BACK_MEANWHILE:
            raise RefundExceedsPayment(why.french, why.english)
        raise RefundRefused(why.french, why.english)
    return desk.payments.read(caller, payment_id)


def _is_to_be_asked(record: StripePayment, request_id: str, desk: StripeDesk, *, first: bool) -> bool:
    """Whether Stripe is asked for a request: from then on nobody can say that it never was. Raises: Busy."""
    with contextlib.suppress(StaleVersion):
        return _begun(record, request_id, desk, first=first)
    return judged_anew(
        lambda: _begun(
            _stored(record.tenant_id, record.payment_intent_id, desk),
            request_id,
            desk,
            first=first,
        ),
        clock=desk.clock,
        ids=desk.ids,
    )


def _begun(current: StripePayment, request_id: str, desk: StripeDesk, *, first: bool) -> bool:
    """It is noted before it is done. The first time it is judged again, by what the books say now.

    What Stripe told since it was recorded asked no promise, and may have taken the same money. Raises: StaleVersion.
    """
    request = current.request(request_id)
    if request is None or request.state is not RequestState.REQUESTED:
        return False
    caller, credit = Caller.system(current.tenant_id, STRIPE), None
    noted = current.asking(request_id, again=not first).next_after(current)
    if request.may_be_made:
        if first or request.asked_again:
            return True
    else:
        payment = desk.payments.read(caller, current.payment_id)
        context = context_of(caller, payment, desk.payments)
        book = context.checkouts.get(current.invoice_id)
        book = book or desk.checkouts.book(current.tenant_id, current.invoice_id)
        if not desk.ledger.is_borne(caller, current, request, payment, context, book):
            _refuse(current, request_id, GIVEN_BACK_MEANWHILE, desk)
            return False
        credit = desk.ledger.promising(caller, current, payment, context, book).next_after(context.credit)
    desk.stripe_payments.write(caller, StripeFacts(record=noted, credit=credit))
    return True


def _note_away(record: StripePayment, desk: StripeDesk, *, besides: str = "") -> None:
    """Nobody can ask for what is asked for. ``besides``: who asked for that one knows it already."""
    current = _stored(record.tenant_id, record.payment_intent_id, desk)
    noted = current.away(desk.clock.now() + AWAY_FOR)
    known = current.request(besides)
    if noted == current or (known is not None and known.again_at is not None):
        return
    facts = StripeFacts(record=noted.next_after(current))
    desk.stripe_payments.write(Caller.system(record.tenant_id, STRIPE), facts)


def _is_released(record: StripePayment, request_id: str, desk: StripeDesk) -> bool:
    """Whether a request that could not reach the account is refused. Raises: Busy."""
    return judged_anew(lambda: _refuse_first(record, request_id, desk), clock=desk.clock, ids=desk.ids)


def _refuse_first(record: StripePayment, request_id: str, desk: StripeDesk) -> bool:
    """Refused for want of access by who recorded it, unless somebody else asked meanwhile: it may be made then."""
    current = _stored(record.tenant_id, record.payment_intent_id, desk)
    request = current.request(request_id)
    if request is not None and request.asked_again:
        return False
    # The company is told to make this one itself: whatever else was asked for of the payment it may make as well.
    _refuse(current, request_id, NO_ACCESS, desk, others_until=desk.clock.now() + AWAY_FOR)
    return True


def _refuse(
    current: StripePayment, request_id: str, code: str, desk: StripeDesk, *, others_until: datetime | None = None
) -> None:
    """``others_until``: nobody can ask for any other of the payment until then."""
    refused = current.refused(request_id, code)
    request = refused.request(request_id)
    if refused == current or request is None:
        return
    if others_until is not None:
        refused = refused.away(others_until)
    news = _news(desk, refused, request, EventType.PAYMENT_REFUND_REFUSED, f"system:{STRIPE}")
    caller = Caller.system(current.tenant_id, STRIPE)
    today, subject = desk.clock.today(), request.credit_note_id or request_id
    # The night of the note's day took it for what was on its way.
    hidden = request.kept_by_notes_minor > 0 and civil_date(request.requested_at) < today
    paper = PaperRefund(day=today, subject=subject, invoice_id=current.invoice_id)
    on_paper = (paper,) if request.by_note or hidden else ()
    book = desk.checkouts.book(current.tenant_id, current.invoice_id)
    moved = book.with_coming_back(refused.coming_back(), refused.named)
    facts = StripeFacts(
        record=refused.next_after(current),
        book=moved if moved is not book else None,
        news=(news,),
        on_paper=on_paper,
        credit=desk.ledger.promise_of(caller, refused, book, moved),
    )
    desk.stripe_payments.write(caller, facts)


def _news(
    desk: StripeDesk, record: StripePayment, request: RefundRequest, event_type: EventType, actor: str
) -> StripeNews:
    event = Event(
        event_id=desk.ids.new("evt"),
        event_type=event_type,
        occurred_at=desk.clock.now(),
        actor=actor,
        data={
            "payment_id": record.payment_id,
            "request_id": request.request_id,
            "amount_minor": request.amount_minor,
            "credit_note_id": request.credit_note_id,
            "refusal": request.refusal,
        },
    )
    return StripeNews(event=event, invoice_id=record.invoice_id)


def _news_of_notes(desk: StripeDesk, record: StripePayment, said: RefundElsewhere) -> StripeNews:
    """What credit notes gave back on paper was given back by other means than Stripe."""
    event = Event(
        event_id=desk.ids.new("evt"),
        event_type=EventType.PAYMENT_REFUNDED,
        occurred_at=said.recorded_at,
        actor=said.recorded_by,
        data={
            "payment_id": record.payment_id,
            "refund_id": said.refund_id,
            "amount_minor": said.by_notes_minor,
            "refund_amount_minor": said.by_notes_minor,
            "credit_note_id": said.credit_note_id,
            "method": said.method.value,
            "refunded_on": said.refunded_on.isoformat(),
        },
    )
    return StripeNews(event=event, invoice_id=record.invoice_id)


def _preceding(note: IssuedInvoice) -> set[str]:
    return {one.invoice_id for one in note.document.preceding}


def _request_id(caller: Caller, payment_id: str, once: IdempotentRequest) -> str:
    """Of the same request, however often it is sent."""
    facts = f"{caller.tenant_id}|{payment_id}|{once.key}"
    return f"rrq_{hashlib.sha256(facts.encode()).hexdigest()[:26]}"


def _stored(tenant_id: str, payment_intent_id: str, desk: StripeDesk) -> StripePayment:
    record = desk.stripe_payments.stored(tenant_id, payment_intent_id)
    if record is None:
        raise NotFound
    return record
