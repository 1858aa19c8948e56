"""What the facts of a payment at Stripe do to the ledger. Each is one transaction, with what Stripe told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from billing.domain.access import Caller
from billing.domain.checkout import CheckoutBook, ComingBack, method_of
from billing.domain.currency import EURO
from billing.domain.customer_credit import CreditEntryKind, CustomerCredit
from billing.domain.dates import civil_date
from billing.domain.errors import StaleVersion
from billing.domain.events import Event, EventType, derived_event_id
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import EntryKind, PaymentMethod, given_back_on_paper
from billing.domain.notices import MoneyFact, NoticeKind
from billing.domain.payments import (
    Allocation,
    Payment,
    PaymentExcess,
    PaymentRefund,
    RefundCause,
    RefundReturn,
    WantedAllocation,
    allocate_payment,
)
from billing.domain.stripe import StripeRefundStatus
from billing.domain.stripe_inbox import ParkReason
from billing.domain.stripe_payment import (
    Booking,
    BookingKind,
    MirroredDispute,
    MirroredRefund,
    RefundRequest,
    StripePayment,
)
from billing.ports.clock import Clock, Ids
from billing.ports.idempotency import IdempotentRequest
from billing.ports.payments import LedgerMove, PaymentContext, Payments
from billing.ports.repositories import Companies, Invoices
from billing.ports.stripe_payments import StripeFacts, StripeNews, StripePayments
from billing.usecases.notices import addressed
from billing.usecases.payments import (
    Correction,
    context_of,
    credit_movement,
    issued_of,
    ledger_move,
    payment_event,
    write_new_payment,
)

STRIPE = "stripe"


class DoesNotFit(Exception):
    """A fact that the ledger cannot bear: a person has to look at it. ``missing_minor``: what the credit lacks."""

    def __init__(self, reason: ParkReason, missing_minor: int = 0) -> None:
        self.reason = reason
        self.missing_minor = missing_minor
        super().__init__(reason.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeLedger:
    """Books one fact at a time.

    Raises: DoesNotFit, before anything is written; StaleVersion, when another writer came first.
    """

    payments: Payments
    stripe_payments: StripePayments
    invoices: Invoices
    companies: Companies
    clock: Clock
    ids: Ids

    def book(
        self, caller: Caller, record: StripePayment, booking: Booking, invoice: IssuedInvoice, facts: StripeFacts
    ) -> CheckoutBook | None:
        """The book as it is written, where it is."""
        match booking.kind:
            case BookingKind.PAYMENT:
                return self._payment(caller, record, invoice, facts)
            case BookingKind.FEES:
                payment = self.payments.read(caller, record.payment_id)
                known = replace(
                    payment, version=payment.version + 1, fee_minor=record.fee_minor, net_minor=record.net_minor
                )
                self.stripe_payments.write(caller, replace(facts, payment=known))
            case BookingKind.REFUND:
                self._refund(caller, record, booking, facts)
            case BookingKind.DISPUTE_LOST:
                dispute = record.dispute(booking.subject)
                if dispute.by_note_minor and not dispute.moved_minor:  # the ledger has it by the notes
                    self.stripe_payments.write(caller, facts)
                else:
                    self._given_back(caller, record, booking, dispute.moved_minor, RefundCause.DISPUTE, facts)
            case BookingKind.DISPUTE_REST:
                rest_minor = record.dispute(booking.subject).rest_minor
                if not rest_minor:  # credit notes moved the ledger when they were issued
                    self.stripe_payments.write(caller, facts)
                else:
                    self._given_back(caller, record, booking, rest_minor, RefundCause.DISPUTE, facts)
            case BookingKind.REFUND_RETURNED | BookingKind.DISPUTE_RETURNED | BookingKind.DISPUTE_REST_RETURNED:
                self._returned(caller, record, booking, facts)
        return facts.book

    def _payment(
        self, caller: Caller, record: StripePayment, invoice: IssuedInvoice, facts: StripeFacts
    ) -> CheckoutBook | None:
        """The money is here, whatever became of the invoice: what it no longer owes is credit of the customer."""
        document = invoice.document
        context = self.payments.load(caller, document.customer_id, (invoice.invoice_id,))
        current = issued_of(context.invoices[invoice.invoice_id])
        wanted = WantedAllocation(invoice_id=invoice.invoice_id, amount_minor=record.amount_minor)
        method, now = method_of(record.method), self.clock.now()
        # A card is charged at once; of a debit we only know that it has come by now.
        paid_on = civil_date((record.charged_at or now) if method is PaymentMethod.CARD else now)
        parts, left = allocate_payment(
            record.amount_minor, ((wanted, current),), PaymentExcess.CUSTOMER_CREDIT, on=paid_on
        )
        if left and record.currency != EURO:
            raise DoesNotFit(ParkReason.EXCESS_IN_OTHER_CURRENCY)
        described = context.customer.description if context.customer else document.buyer
        payment = Payment(
            tenant_id=record.tenant_id,
            payment_id=record.derived_payment_id,
            version=1,
            customer_id=context.customer.customer_id if context.customer else document.customer_id,
            customer_name=described.name,
            customer_address=described.billing_address,
            currency=record.currency,
            amount_minor=record.amount_minor,
            method=method,
            paid_on=paid_on,
            reference=document.number,
            allocations=parts,
            credited_minor=left,
            recorded_at=now,
            recorded_by=caller.user_id,
            payment_intent_id=record.payment_intent_id,
            fee_minor=record.fee_minor,
            net_minor=record.net_minor,
        )
        beyond = MoneyFact(
            kind=NoticeKind.PAID_BEYOND,
            subject=record.payment_intent_id,
            amount_minor=left,
            currency=record.currency,
            invoice_id=invoice.invoice_id,
            invoice_number=document.number,
            customer_name=described.name,
            received_minor=record.amount_minor,
        )
        notices = addressed(caller, (beyond,) if left else (), companies=self.companies, at=now)
        book = facts.book.credited(record.attempt, left) if facts.book is not None and left else facts.book
        credit = self.promising(caller, record, payment, context, book, gained=parts)
        write_new_payment(
            caller,
            payment,
            replace(context, credit=credit),
            once=None,
            answered=None,
            payments=self.payments,
            ids=self.ids,
            told=replace(
                facts,
                book=book,
                notices=(*facts.notices, *notices),
                credit=None if left else credit.next_after(context.credit),
            ),
        )
        return book

    def _refund(self, caller: Caller, record: StripePayment, booking: Booking, facts: StripeFacts) -> None:
        refund = record.refund(booking.subject)
        if not refund.moved_minor:  # the credit note moved the ledger when it was issued
            news = self.given_back_news(record, booking, refund.amount_minor)
            self.stripe_payments.write(caller, replace(facts, news=(*facts.news, news)))
            return
        request = record.request(refund.request_id)
        first, reason = (request.credit_minor, request.reason) if request is not None else (0, "")
        moved, cause = refund.moved_minor, RefundCause.REQUEST
        self._given_back(caller, record, booking, moved, cause, facts, credit_first=first, reason=reason)

    def given_back_news(self, record: StripePayment, booking: Booking, amount_minor: int) -> StripeNews:
        """That a fact gave back so much which credit notes had recorded: the ledger moved with them."""
        return self._news(record, EventType.PAYMENT_REFUNDED, booking, amount_minor, self.clock.now())

    def parts_of_dispute(
        self, caller: Caller, record: StripePayment, dispute: MirroredDispute, book: CheckoutBook
    ) -> tuple[int, int]:
        """Of a lost dispute: what credit notes had given back on paper, and what nothing keeps any more.

        A bank may take what was refunded already. Where nothing at all of it is kept, nothing is short: that fits in
        no part.
        """
        coming = (record.coming_back(), *book.coming_besides(record.payment_intent_id))
        left = self._on_paper(caller, book) - sum(one.by_notes_minor for one in coming)
        noted = max(min(left, dispute.amount_minor, self.note_share(caller, record, book)), 0)
        payment = self.payments.read(caller, record.payment_id)
        moving = dispute.amount_minor - noted
        _, from_credit, credit_minor = self._parts(payment, moving, context_of(caller, payment, self.payments))
        kept = payment.amount_minor - payment.refunded_minor - record.noted_minor - noted
        kept -= sum(one.by_notes_minor for one in book.elsewhere_of(record.payment_intent_id))
        # What was refunded besides is no less refunded by the notes: they bear more than the payment keeps.
        borne = min(moving - max(from_credit - credit_minor, 0), max(kept, 0))
        return noted, moving - borne if noted or borne > 0 else 0

    def rest_of_dispute(
        self, caller: Caller, record: StripePayment, dispute_id: str, book: CheckoutBook
    ) -> tuple[int, int]:
        """Of what the ledger lacks of a lost dispute: what credit notes give back on paper by now, or the rest.

        First the notes', as when it was lost; then the rest, whole, once the payment itself keeps so much.
        """
        lacking = record.rest_of(dispute_id)
        coming = (record.coming_back(), *book.coming_besides(record.payment_intent_id))
        left = self._on_paper(caller, book) - sum(one.by_notes_minor for one in coming)
        noted = max(min(left, lacking, self.note_share(caller, record, book)), 0)
        if noted:
            return noted, 0
        payment = self.payments.read(caller, record.payment_id)
        kept = payment.amount_minor - payment.refunded_minor - record.noted_minor
        kept -= sum(one.by_notes_minor for one in book.elsewhere_of(record.payment_intent_id))
        return 0, lacking if lacking <= kept else 0

    def by_notes(self, caller: Caller, record: StripePayment, refund: MirroredRefund, book: CheckoutBook) -> int:
        """What of a refund credit notes on the invoice had given back on paper, and Stripe not yet: it is that one.

        What was kept for a request when it was recorded stays its own, and is never another's. One that names a note
        takes no more, unless a note that came since took what it would have moved.
        """
        request = record.request(refund.request_id)
        if request is not None and request.by_note and request.by_notes_minor is None:
            return refund.amount_minor
        coming = (record.coming_back(besides=refund.request_id), *book.coming_besides(record.payment_intent_id))
        left = self._on_paper(caller, book) - sum(one.by_notes_minor for one in coming)
        left = min(max(left, 0), refund.amount_minor)
        kept = min(request.kept_by_notes_minor, left) if request is not None else 0
        free = max(min(left, self.note_share(caller, record, book, besides=refund.request_id)), kept)
        if request is not None and request.is_decided and free > kept:
            return min(free, kept + self._not_borne(caller, record, refund.amount_minor - kept))
        return free

    def _not_borne(self, caller: Caller, record: StripePayment, amount_minor: int) -> int:
        """Of what a refund would move, that which neither invoices nor the customer's credit keep."""
        payment = self.payments.read(caller, record.payment_id)
        _, from_credit, credit_minor = self._parts(payment, amount_minor, context_of(caller, payment, self.payments))
        return max(from_credit - credit_minor, 0)

    def _parts(
        self, payment: Payment, amount_minor: int, context: PaymentContext, credit_first: int = 0
    ) -> tuple[tuple[Allocation, ...], int, int]:
        """What invoices keep of a refund, what is left for the customer's credit, and what there is of that."""
        kept = {invoice_id: issued_of(one).ledger.kept_minor for invoice_id, one in context.invoices.items()}
        credit_minor = context.credit.balance_minor if payment.currency == EURO else 0
        free = context.credit.free_minor(besides=payment.payment_intent_id)
        first = min(credit_first, amount_minor, credit_minor, free)
        parts, from_credit = payment.kept_parts(amount_minor - first, kept)
        return parts, first + from_credit, credit_minor

    def promise_of(
        self, caller: Caller, record: StripePayment, before: CheckoutBook, after: CheckoutBook
    ) -> CustomerCredit | None:
        """The customer's credit with what is promised of it, where no movement is written; None while it stays so.

        ``before``: the book with what was about to come back of the payment until now. Nothing is read while no more
        and no less is.
        """
        if not record.payment_id or before.moving_of(record.payment_intent_id) == record.coming_minor:
            return None
        payment = self.payments.read(caller, record.payment_id)
        context = context_of(caller, payment, self.payments)
        return self.promising(caller, record, payment, context, after).next_after(context.credit)

    def promising(
        self,
        caller: Caller,
        record: StripePayment,
        payment: Payment,
        context: PaymentContext,
        book: CheckoutBook | None,
        *,
        gained: tuple[Allocation, ...] = (),
        lost: tuple[Allocation, ...] = (),
        of_any_currency: bool = False,
    ) -> CustomerCredit:
        """The customer's credit with what is promised of it: what comes back, and neither invoices nor notes bear.

        ``payment`` and ``record`` as they become; ``gained``, ``lost``: what moves in the ledgers with it. ``book`` as
        it becomes, where it moves. There is credit in euros alone; ``of_any_currency``: what it would have to be.
        """
        if payment.currency != EURO and not of_any_currency:
            return context.credit
        credit, coming = context.credit, record.coming_back()
        book = book or context.checkouts.get(record.invoice_id)
        kept = {invoice_id: issued_of(one).ledger.kept_minor for invoice_id, one in context.invoices.items()}
        for sign, parts in ((1, gained), (-1, lost)):
            for part in parts:
                kept[part.invoice_id] += sign * part.amount_minor
        others = book.coming_besides(record.payment_intent_id) if book and record.invoice_id in kept else ()
        if not (coming.moving_minor or others or credit.promised):
            return credit
        here, elsewhere = kept.get(record.invoice_id, 0), credit.unpromised(others)
        short, still_open = elsewhere - here, sum(one.open_minor for one in others)
        if short > 0 and still_open and book is not None:
            short -= min(still_open, self._free_by_notes(caller, coming, others, book))
        credit = credit.bearing(others, short)
        beside = kept | {record.invoice_id: max(here - elsewhere, 0)}
        first = min(record.credit_first_minor, coming.moving_minor, credit.free_minor(besides=record.payment_intent_id))
        _, left = payment.kept_parts(coming.moving_minor - first, beside)
        if left and coming.open_minor and book is not None:
            noted = max(self._free_by_notes(caller, coming, others, book) - still_open, 0)
            noted = min(noted, coming.open_minor, _note_share(payment, record, book))
            _, left = payment.kept_parts(coming.moving_minor - first - noted, beside)
        return credit.promising(record.payment_intent_id, first + left)

    def is_borne(
        self,
        caller: Caller,
        record: StripePayment,
        request: RefundRequest,
        payment: Payment,
        context: PaymentContext,
        book: CheckoutBook,
    ) -> bool:
        """Whether a refund that nobody asked Stripe for yet fits into the books as they are now, in full.

        It has to fit beside all else that comes back, as it would be booked: what came of Stripe's facts since it was
        recorded asked no promise.
        """
        left = payment.amount_minor - record.reserved_minor + request.amount_minor
        left -= sum(one.amount_minor for one in book.elsewhere_of(record.payment_intent_id))
        if request.amount_minor > left:
            return False
        if not self._short_of(caller, record, payment, context, book):
            return True
        as_made = MirroredRefund(
            refund_id="",
            status=StripeRefundStatus.SUCCEEDED,
            amount_minor=request.amount_minor,
            created=request.requested_at,
            request_id=request.request_id,
        )
        noted = self.by_notes(caller, record, as_made, book)
        as_booked = record.request_by_notes(request.request_id, noted)
        before = record.without_request(request.request_id)  # what was asked of Stripe may be short by itself
        return self._short_of(caller, as_booked, payment, context, book) <= self._short_of(
            caller, before, payment, context, book
        )

    def _short_of(
        self, caller: Caller, record: StripePayment, payment: Payment, context: PaymentContext, book: CheckoutBook
    ) -> int:
        """Of what comes back of a payment, that which neither invoices nor notes nor the customer's credit bear."""
        if payment.currency != EURO:  # of which there is no credit
            context = replace(context, credit=replace(context.credit, balance_minor=0, promised=()))
        credit = self.promising(caller, record, payment, context, book, of_any_currency=True)
        promised = credit.promised_to(record.payment_intent_id)
        return max(promised - credit.free_minor(besides=record.payment_intent_id), 0)

    def _free_by_notes(
        self, caller: Caller, coming: ComingBack, others: tuple[ComingBack, ...], book: CheckoutBook
    ) -> int:
        """What credit notes gave back on paper, and is kept for nothing that comes back."""
        return max(self._on_paper(caller, book) - sum(one.by_notes_minor for one in (coming, *others)), 0)

    def left_by_notes(self, caller: Caller, records: tuple[StripePayment, ...], book: CheckoutBook) -> int:
        """What credit notes on an invoice gave back of these payments of it, and nobody asked Stripe to."""
        left = self.unasked_by_notes(caller, records, book)
        return min(left, sum(self.note_share(caller, one, book) for one in records)) if left else 0

    def unasked_by_notes(self, caller: Caller, records: tuple[StripePayment, ...], book: CheckoutBook) -> int:
        """What credit notes on an invoice gave back on paper, and nothing that comes back of any payment may be.

        Nor has to be: a note that came since may have taken from under a refund what it was to take.
        ``records``: payments of it that are known better than the book knows them.
        """
        known = tuple(one.payment_intent_id for one in records)
        coming = (*(one.coming_back() for one in records), *book.coming_besides(*known))
        invoice = issued_of(self.invoices.read(caller, book.invoice_id))
        left = self.given_back_on_paper(caller, invoice) - book.noted_minor
        left -= sum(one.for_notes_minor for one in coming)
        return max(left - self._short_of_own(caller, invoice, coming), 0) if left > 0 else 0

    def _short_of_own(self, caller: Caller, invoice: IssuedInvoice, coming: tuple[ComingBack, ...]) -> int:
        """Of what was to be no note's, that which neither its invoice keeps nor credit is promised to.

        No more is read where the invoice keeps all of it.
        """
        short = sum(one.own_minor for one in coming) - max(invoice.ledger.kept_minor, 0)
        if short <= 0:
            return 0
        document = invoice.document
        if document.currency != EURO:
            return short
        credit = self.payments.load(caller, document.customer_id, ()).credit
        return max(short - credit.held_for(coming), 0)

    def beyond_notes(self, caller: Caller, book: CheckoutBook) -> int:
        """What Stripe gave back for credit notes on an invoice beyond what they say: it is in no ledger."""
        return max(-self._on_paper(caller, book), 0)

    def _on_paper(self, caller: Caller, book: CheckoutBook) -> int:
        """What notes on the invoice of a book gave back in the ledger, and the customer does not have yet."""
        invoice = issued_of(self.invoices.read(caller, book.invoice_id))
        return self.given_back_on_paper(caller, invoice) - book.noted_minor

    def note_share(self, caller: Caller, record: StripePayment, book: CheckoutBook, *, besides: str = "") -> int:
        """A note gives back what the invoice was paid with: never what a payment left as credit of the customer."""
        return _note_share(self.payments.read(caller, record.payment_id), record, book, besides=besides)

    def given_back_on_paper(self, caller: Caller, invoice: IssuedInvoice) -> int:
        """What credit notes on an invoice say was given back, at Stripe or not."""
        if not invoice.ledger.refunded_minor:
            return 0
        return given_back_on_paper(self.invoices.last_entries(caller, invoice))

    def _given_back(
        self,
        caller: Caller,
        record: StripePayment,
        booking: Booking,
        amount_minor: int,
        cause: RefundCause,
        facts: StripeFacts,
        *,
        credit_first: int = 0,
        reason: str = "",
    ) -> None:
        """Raises: DoesNotFit."""
        payment = self.payments.read(caller, record.payment_id)
        entry_id = record.entry_id(booking.subject, rest=booking.kind.is_of_rest)
        if any(one.refund_id == entry_id for one in payment.refunds):
            raise StaleVersion  # another told of it a moment ago: the version of the record would say so, too
        now, today = self.clock.now(), self.clock.today()
        method = payment.method or PaymentMethod.TRANSFER
        made = Correction(entry_id=entry_id, on=today, at=now, method=method, cause=cause)
        self.give_back(caller, payment, amount_minor, made, reason=reason, credit_first=credit_first, told=facts)

    def give_back(
        self,
        caller: Caller,
        payment: Payment,
        amount_minor: int,
        made: Correction,
        *,
        reference: str = "",
        reason: str = "",
        credit_first: int = 0,
        told: StripeFacts,
        once: IdempotentRequest | None = None,
    ) -> Payment:
        """Money of a payment left, by whatever means: first what invoices keep of it, then the customer's credit.

        ``credit_first``: of it, what comes off that before. Raises: DoesNotFit.
        """
        context = context_of(caller, payment, self.payments)
        parts, from_credit, credit_minor = self._parts(payment, amount_minor, context, credit_first)
        if once is not None:  # a person's, who is told; what Stripe did is done
            credit_minor = min(credit_minor, context.credit.free_minor(besides=payment.payment_intent_id))
        if from_credit > credit_minor or payment.refunded_minor + amount_minor > payment.amount_minor:
            raise DoesNotFit(ParkReason.NOTHING_TO_REFUND, max(from_credit - credit_minor, 0))
        refund = PaymentRefund(
            refund_id=made.entry_id,
            amount_minor=amount_minor,
            method=made.method or PaymentMethod.TRANSFER,
            refunded_on=made.on,
            reference=reference,
            allocations=parts,
            refunded_at=made.at,
            refunded_by=caller.user_id,
            cause=made.cause,
            from_credit_minor=from_credit,
            reason=reason,
        )
        refunded = payment.mirrored(refund)
        credit = context.credit
        if told.record is not None:
            credit = self.promising(caller, told.record, refunded, context, told.book, lost=parts)
        self.payments.write(
            caller,
            refunded,
            moves=self._moves(caller, context, refund.allocations, payment, EntryKind.REFUND, made),
            movement=credit_movement(
                caller,
                credit,
                CreditEntryKind.REFUND,
                from_credit,
                payment,
                on=made.on,
                ids=self.ids,
                at=made.at,
            ),
            event=payment_event(caller, refunded, EventType.PAYMENT_REFUNDED, self.ids, at=made.at),
            once=once,
            answered=refunded,
            told=told if from_credit else replace(told, credit=credit.next_after(context.credit)),
        )
        return refunded

    def _returned(self, caller: Caller, record: StripePayment, booking: Booking, facts: StripeFacts) -> None:
        """The company has the money again: invoices that still owe it settle, the rest is credit of the customer."""
        payment = self.payments.read(caller, record.payment_id)
        refund_id = record.entry_id(booking.subject, rest=booking.kind.is_of_rest)
        is_refund = booking.kind is BookingKind.REFUND_RETURNED
        told = record.refund(booking.subject) if is_refund else record.dispute(booking.subject)
        refund = next((one for one in payment.refunds if one.refund_id == refund_id), None)
        standing = told.standing_minor if isinstance(told, MirroredRefund) else 0
        moved_minor = told.moved_minor
        if booking.kind.is_of_rest:
            moved_minor = refund.amount_minor if refund else 0
        moving = moved_minor - standing - payment.came_back_minor(refund_id)
        # What notes gave back they still say: it can be asked for again, and the night says if it is not. What a lost
        # dispute had taken besides is with the bank.
        if not moving:
            event_type = EventType.PAYMENT_REFUND_RETURNED
            news = self._news(record, event_type, booking, told.amount_minor, self.clock.now())
            self.stripe_payments.write(caller, replace(facts, news=(*facts.news, news)))
            return
        if refund is None:
            raise DoesNotFit(ParkReason.RETURN_OF_NOTE)
        if moving < 0:
            raise StaleVersion  # another told of it a moment ago
        context = context_of(caller, payment, self.payments)
        parts, left = [], moving
        for part in payment.still_taken_by(refund):
            ledger = issued_of(context.invoices[part.invoice_id]).ledger
            amount_minor = min(part.amount_minor, max(ledger.balance_minor, 0), left)
            if amount_minor:
                parts.append(replace(part, amount_minor=amount_minor))
                left -= amount_minor
        credited = left
        if credited and payment.currency != EURO:
            raise DoesNotFit(ParkReason.EXCESS_IN_OTHER_CURRENCY)
        now, today = self.clock.now(), self.clock.today()
        returned = payment.returned(
            RefundReturn(
                refund_id=refund_id,
                amount_minor=moving,
                allocations=tuple(parts),
                credited_minor=credited,
                version=payment.version + 1,
                returned_on=today,
                returned_at=now,
                returned_by=caller.user_id,
            )
        )
        made = Correction(entry_id=returned.return_id(returned.returns[-1]), on=today, at=now, method=refund.method)
        credit = self.promising(caller, record, returned, context, facts.book, gained=tuple(parts))
        self.payments.write(
            caller,
            returned,
            moves=self._moves(caller, context, tuple(parts), payment, EntryKind.REFUND_RETURNED, made),
            movement=credit_movement(
                caller,
                credit,
                CreditEntryKind.REFUND_RETURNED,
                credited,
                payment,
                on=today,
                ids=self.ids,
                at=now,
            ),
            event=payment_event(caller, returned, EventType.PAYMENT_REFUND_RETURNED, self.ids, at=now),
            told=facts if credited else replace(facts, credit=credit.next_after(context.credit)),
        )

    def _moves(
        self,
        caller: Caller,
        context: PaymentContext,
        parts: tuple[Allocation, ...],
        payment: Payment,
        kind: EntryKind,
        made: Correction,
    ) -> tuple[LedgerMove, ...]:
        return tuple(
            ledger_move(
                caller,
                issued_of(context.invoices[part.invoice_id]),
                part,
                payment,
                kind,
                self.ids,
                correction=made,
            )
            for part in parts
        )

    def _news(
        self, record: StripePayment, event_type: EventType, booking: Booking, amount_minor: int, at: datetime
    ) -> StripeNews:
        # By the version that it is told on: a dispute is won, and what it had of a refund comes back, more than once.
        facts = (record.payment_intent_id, booking.kind, booking.subject, str(record.version))
        event = Event(
            event_id=derived_event_id("stripe", *facts),
            event_type=event_type,
            occurred_at=at,
            actor=f"system:{STRIPE}",
            data={
                "payment_id": record.payment_id,
                "amount_minor": amount_minor,
                "refund_amount_minor": amount_minor,
            },
        )
        return StripeNews(event=event, invoice_id=record.invoice_id)


def _note_share(payment: Payment, record: StripePayment, book: CheckoutBook, *, besides: str = "") -> int:
    """What the payment settled of its invoice, and is no note's yet."""
    noted = record.noted_minor + sum(one.by_notes_minor for one in book.elsewhere_of(record.payment_intent_id))
    noted += record.coming_back(besides=besides).by_notes_minor
    settled = sum(part.amount_minor for part in payment.allocations if part.invoice_id == record.invoice_id)
    return max(settled - noted, 0)
