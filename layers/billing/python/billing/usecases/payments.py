"""Payments of customers: recorded, spread over invoices, reversed, refunded; and the credit that customers hold.

Whatever is recorded stays: a correction is one more movement. Two at once are judged one after the other, so that no
invoice is ever paid beyond its balance and no credit spent twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from billing.domain.access import Caller, Permission
from billing.domain.checkout import CheckoutBook
from billing.domain.currency import EURO
from billing.domain.customer_credit import (
    CreditEntryKind,
    CreditMovement,
    CustomerCredit,
    CustomerCreditEntry,
)
from billing.domain.errors import (
    CustomerCreditExceeded,
    FieldError,
    FieldErrors,
    InvoiceNotIssued,
    NotFound,
    PaymentByStripe,
    PaymentExceedsBalance,
    RefundExceedsPayment,
    UnknownReference,
)
from billing.domain.events import Event, EventType
from billing.domain.invoice import DraftInvoice, Invoice, IssuedInvoice
from billing.domain.ledger import EntryKind, LedgerEntry, PaymentMethod
from billing.domain.money import to_major
from billing.domain.parties import Customer, CustomerDescription
from billing.domain.payment_in_progress import hold_in_progress
from billing.domain.payments import (
    MAX_ALLOCATIONS,
    Allocation,
    PaidInvoice,
    Payment,
    PaymentExcess,
    PaymentRefund,
    PaymentReversal,
    RefundCause,
    RefundReturn,
    WantedAllocation,
    allocate_payment,
    common_currency,
    hold_cash_limit,
    hold_credit_in_euros,
)
from billing.domain.printing import unprintable_errors
from billing.domain.stripe_payment import StripePayment
from billing.domain.typography import agreeing, amount_words, format_euros
from billing.ports.clock import Clock, Ids
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.payments import LedgerMove, PaymentContext, PaymentQuery, Payments, PaymentSummary
from billing.ports.repositories import Invoices
from billing.ports.stripe_payments import StripeFacts, StripePayments
from billing.usecases.contention import judged_anew

MOST_PAID_ONLINE = 11  # of the invoices of one refund or reversal: a transaction has its limit


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentInput:
    """What came in; ``paid_on`` is today unless said."""

    amount_minor: int
    method: PaymentMethod
    paid_on: date | None = None
    reference: str = ""
    confirm_cash_above_limit: bool = False
    confirm_payment_in_progress: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundInput:
    """``method`` None: by Stripe for what came through it, else by transfer.

    ``confirm_disputed``: it was given back although a bank has not decided on its payment yet.
    """

    amount_minor: int
    method: PaymentMethod | None = None
    refunded_on: date | None = None
    reference: str = ""
    confirm_disputed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """How a recorded payment is corrected: the id, day, instant, means and cause of the movement."""

    entry_id: str
    on: date
    at: datetime
    method: PaymentMethod | None = None
    cause: RefundCause = RefundCause.REQUEST


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCredit:
    """What a customer has with the company, and a page of how it came to it, latest first."""

    credit: CustomerCredit
    entries: Page[CustomerCreditEntry]


def record_payment(
    caller: Caller,
    customer_id: str,
    wanted: PaymentInput,
    allocations: tuple[WantedAllocation, ...],
    excess: PaymentExcess,
    *,
    once: IdempotentRequest,
    payments: Payments,
    clock: Clock,
    ids: Ids,
) -> Payment:
    """A payment over up to twenty invoices of one customer; what none of them is owed is refused or becomes credit.

    Raises: UnknownReference, InvoiceNotIssued, FieldErrors, PaymentExceedsBalance, CashAboveLimit, PaymentInProgress,
        Busy.
    """
    caller.require(Permission.RECORD_PAYMENTS)
    _refuse_future("/paid_on", wanted.paid_on, clock)
    _refuse_unprintable("/reference", wanted.reference)
    _refuse_malformed(allocations)

    def attempt() -> Payment:
        context = payments.load(caller, customer_id, tuple(one.invoice_id for one in allocations), once=once)
        if context.customer is None:
            raise UnknownReference((FieldError("/customer_id", "Client inconnu.", "Unknown customer."),))
        customer = context.customer
        named = _named_invoices(context, customer, allocations)
        hold_cash_limit(
            wanted.method,
            tuple(invoice for _, invoice in named),
            wanted.amount_minor,
            confirmed=wanted.confirm_cash_above_limit,
        )
        currency = common_currency(tuple(invoice for _, invoice in named))
        parts, left = allocate_payment(wanted.amount_minor, named, excess, on=wanted.paid_on or clock.today())
        if not wanted.confirm_payment_in_progress:
            hold_in_progress(parts, _with_checkouts(context, named))
        if left:
            hold_credit_in_euros(currency, "/excess")
        payment = _payment(
            caller,
            customer.customer_id,
            customer.description,
            wanted,
            parts,
            left,
            currency=currency,
            clock=clock,
            ids=ids,
        )
        write_new_payment(caller, payment, context, once=once, answered=payment, payments=payments, ids=ids)
        return payment

    return judged_anew(attempt, clock=clock, ids=ids)


def record_invoice_payment(
    caller: Caller,
    invoice_id: str,
    wanted: PaymentInput,
    *,
    once: IdempotentRequest,
    invoices: Invoices,
    payments: Payments,
    clock: Clock,
    ids: Ids,
) -> PaidInvoice:
    """A payment of one invoice, received outside ZenBilling; two at once never pay more than the balance.

    Raises: NotFound, InvoiceNotIssued, PaymentExceedsBalance, CashAboveLimit, PaymentInProgress, FieldErrors, Busy.
    """
    caller.require(Permission.RECORD_PAYMENTS)
    _refuse_future("/paid_on", wanted.paid_on, clock)
    _refuse_unprintable("/reference", wanted.reference)

    def attempt() -> PaidInvoice:
        read = invoices.read_with_checkouts(caller, invoice_id, once=once)
        invoice = issued_of(read.invoice)
        hold_cash_limit(wanted.method, (invoice,), wanted.amount_minor, confirmed=wanted.confirm_cash_above_limit)
        named = ((WantedAllocation(invoice_id=invoice_id, amount_minor=wanted.amount_minor), invoice),)
        parts, left = allocate_payment(
            wanted.amount_minor,
            named,
            PaymentExcess.REFUSE,
            on=wanted.paid_on or clock.today(),
            pointer="/amount_minor",
        )
        if not wanted.confirm_payment_in_progress:
            hold_in_progress(parts, {invoice_id: (invoice, read.checkouts)})
        customer_id = invoice.document.customer_id
        payment = _payment(
            caller,
            customer_id,
            invoice.document.buyer,
            wanted,
            parts,
            left,
            currency=invoice.document.currency,
            clock=clock,
            ids=ids,
        )
        move = ledger_move(caller, invoice, parts[0], payment, EntryKind.PAYMENT, ids)
        paid = PaidInvoice(invoice=move.invoice, payment_id=payment.payment_id)
        payments.write(
            caller,
            payment,
            moves=(move,),
            movement=None,
            event=payment_event(caller, payment, EventType.PAYMENT_RECEIVED, ids),
            once=once,
            answered=paid,
        )
        return paid

    return judged_anew(attempt, clock=clock, ids=ids)


def list_payments(
    caller: Caller, query: PaymentQuery, page: PageRequest, *, payments: Payments
) -> Page[PaymentSummary]:
    return payments.list(caller, query, page)


def read_payment(caller: Caller, payment_id: str, *, payments: Payments) -> Payment:
    """Raises: NotFound."""
    return payments.read(caller, payment_id)


def read_payment_online(
    caller: Caller, payment_id: str, *, payments: Payments, stripe_payments: StripePayments
) -> StripePayment:
    """How a payment that came through Stripe stands there. Raises: NotFound."""
    caller.require(Permission.READ)
    payment = payments.read(caller, payment_id)
    record = stripe_payments.read(caller, payment.payment_intent_id) if payment.payment_intent_id else None
    if record is None:
        raise NotFound
    return record


def reverse_payment(
    caller: Caller,
    payment_id: str,
    reason: str,
    *,
    once: IdempotentRequest,
    payments: Payments,
    clock: Clock,
    ids: Ids,
) -> Payment:
    """Take a recorded payment back, whole: its invoices are owed again, its credit is gone or, if it was paid from
    credit, there again. The payment itself stays, and says why.

    Of what refunds at Stripe are to take, that which its invoices keep no longer is promised of the credit.

    Raises: NotFound, PaymentReversed, PaymentByStripe, FieldErrors, Busy; CustomerCreditExceeded: what became credit
        was spent, or is too little for what refunds at Stripe are to take.
    """
    caller.require(Permission.RECORD_PAYMENTS)
    _refuse_unprintable("/reason", reason)

    def attempt() -> Payment:
        payment = payments.read(caller, payment_id, once=once)
        if payment.payment_intent_id:
            raise PaymentByStripe(
                "L'argent est chez Stripe : remboursez ce paiement au lieu de l'annuler.",
                "The money is at Stripe: refund this payment instead of reversing it.",
            )
        now, today = clock.now(), clock.today()
        reversed_payment = payment.reversed(
            PaymentReversal(reason=reason, reversed_on=today, reversed_at=now, reversed_by=caller.user_id)
        )
        context = context_of(caller, payment, payments)
        _hold_unspent(context.credit, payment)
        made = Correction(entry_id=ids.new("ent"), on=today, at=now)
        moves = tuple(
            ledger_move(
                caller,
                issued_of(context.invoices[part.invoice_id]),
                part,
                payment,
                EntryKind.REVERSAL,
                ids,
                correction=made,
            )
            for part in payment.allocations
        )
        kind, amount_minor = CreditEntryKind.PAYMENT_REVERSED, payment.credited_minor
        if payment.method is None:
            kind, amount_minor = CreditEntryKind.APPLICATION_REVERSED, payment.amount_minor
        movement = credit_movement(caller, context.credit, kind, amount_minor, payment, on=today, ids=ids, at=now)
        credit = _bearing(context, moves, movement.credit if movement else context.credit, payment.currency)
        promise = None if movement else credit.next_after(context.credit)
        payments.write(
            caller,
            reversed_payment,
            moves=_judged_with_online(context, moves, reversing=True),
            movement=replace(movement, credit=credit) if movement else None,
            event=payment_event(caller, reversed_payment, EventType.PAYMENT_REVERSED, ids, at=now),
            once=once,
            answered=reversed_payment,
            told=StripeFacts(credit=promise) if promise else None,
        )
        return reversed_payment

    return judged_anew(attempt, clock=clock, ids=ids)


def refund_payment(
    caller: Caller,
    payment_id: str,
    wanted: RefundInput,
    *,
    reason: str = "",
    once: IdempotentRequest,
    payments: Payments,
    clock: Clock,
    ids: Ids,
) -> Payment:
    """Give money of a payment back: the invoices it settled last are owed again. ``reason`` is the company's own.

    Raises: NotFound, PaymentReversed, PaymentFromCredit, PaymentByStripe, RefundExceedsPayment, FieldErrors, Busy.
    """
    caller.require(Permission.RECORD_PAYMENTS)
    _refuse_future("/refunded_on", wanted.refunded_on, clock)

    def attempt() -> Payment:
        payment = payments.read(caller, payment_id, once=once)
        if payment.payment_intent_id:
            raise PaymentByStripe(
                "Stripe rembourse lui-même ce qui est passé par lui.", "Stripe itself refunds what came through it."
            )
        payment.hold_refundable(wanted.amount_minor)
        on, method = wanted.refunded_on or clock.today(), wanted.method or PaymentMethod.TRANSFER
        payment.hold_after_payment(wanted.refunded_on)
        refund = PaymentRefund(
            refund_id=ids.new("rfd"),
            amount_minor=wanted.amount_minor,
            method=method,
            refunded_on=on,
            reference=wanted.reference,
            allocations=payment.refund_parts(wanted.amount_minor),
            refunded_at=clock.now(),
            refunded_by=caller.user_id,
            reason=reason,
        )
        refunded = payment.refunded(refund)
        context = context_of(caller, payment, payments)
        _hold_kept(context, refund.allocations, payment.currency)
        made = Correction(entry_id=refund.refund_id, on=on, at=refund.refunded_at, method=method)
        moves = tuple(
            ledger_move(
                caller,
                issued_of(context.invoices[part.invoice_id]),
                part,
                payment,
                EntryKind.REFUND,
                ids,
                correction=made,
            )
            for part in refund.allocations
        )
        payments.write(
            caller,
            refunded,
            moves=_judged_with_online(context, moves),
            movement=None,
            event=payment_event(caller, refunded, EventType.PAYMENT_REFUNDED, ids, at=refund.refunded_at),
            once=once,
            answered=refunded,
        )
        return refunded

    return judged_anew(attempt, clock=clock, ids=ids)


def read_customer_credit(caller: Caller, customer_id: str, page: PageRequest, *, payments: Payments) -> HeldCredit:
    """Raises: NotFound."""
    context = payments.load(caller, customer_id, ())
    current_id = _customer(context).customer_id
    return HeldCredit(credit=context.credit, entries=payments.credit_entries(caller, current_id, page))


def apply_customer_credit(
    caller: Caller,
    customer_id: str,
    allocations: tuple[WantedAllocation, ...],
    *,
    confirm_payment_in_progress: bool = False,
    once: IdempotentRequest,
    payments: Payments,
    clock: Clock,
    ids: Ids,
) -> Payment:
    """Pay invoices from the customer's credit: a payment without a method, which can be reversed like any other.

    Raises: NotFound, UnknownReference, InvoiceNotIssued, FieldErrors, PaymentExceedsBalance, PaymentInProgress,
        CustomerCreditExceeded, Busy.
    """
    caller.require(Permission.RECORD_PAYMENTS)
    _refuse_malformed(allocations)
    if not allocations:
        raise FieldErrors((FieldError("/allocations", "Nommez une facture.", "Name an invoice."),))

    def attempt() -> Payment:
        context = payments.load(caller, customer_id, tuple(one.invoice_id for one in allocations), once=once)
        customer = _customer(context)
        named = _named_invoices(context, customer, allocations)
        hold_credit_in_euros(common_currency(tuple(invoice for _, invoice in named)), "/allocations")
        today = clock.today()
        amount_minor = _applicable(context.credit, named, today)
        parts, _ = allocate_payment(amount_minor, named, PaymentExcess.REFUSE, on=today)
        if not confirm_payment_in_progress:
            hold_in_progress(parts, _with_checkouts(context, named))
        payment = Payment(
            tenant_id=caller.tenant_id,
            payment_id=ids.new("pay"),
            version=1,
            customer_id=customer.customer_id,
            customer_name=customer.description.name,
            customer_address=customer.description.billing_address,
            currency=EURO,
            amount_minor=amount_minor,
            method=None,
            paid_on=today,
            reference="",
            allocations=parts,
            recorded_at=clock.now(),
            recorded_by=caller.user_id,
        )
        write_new_payment(caller, payment, context, once=once, answered=payment, payments=payments, ids=ids)
        return payment

    return judged_anew(attempt, clock=clock, ids=ids)


def refund_customer_credit(
    caller: Caller,
    customer_id: str,
    wanted: RefundInput,
    *,
    once: IdempotentRequest,
    payments: Payments,
    clock: Clock,
    ids: Ids,
) -> CustomerCredit:
    """Give a customer's credit back in money. Raises: NotFound, CustomerCreditExceeded, FieldErrors, Busy."""
    caller.require(Permission.RECORD_PAYMENTS)
    _refuse_future("/refunded_on", wanted.refunded_on, clock)

    def attempt() -> CustomerCredit:
        context = payments.load(caller, customer_id, (), once=once)
        customer = _customer(context)
        context.credit.hold_free(wanted.amount_minor, "/amount_minor")
        credit, entry = context.credit.moved(
            CreditEntryKind.REFUND,
            wanted.amount_minor,
            entry_id=ids.new("rfd"),
            source_id="",
            on=wanted.refunded_on or clock.today(),
            at=clock.now(),
            by=caller.user_id,
            method=wanted.method or PaymentMethod.TRANSFER,
            reference=wanted.reference,
        )
        event = Event(
            event_id=ids.new("evt"),
            event_type=EventType.CUSTOMER_CREDIT_REFUNDED,
            occurred_at=clock.now(),
            actor=caller.user_id,
            data={
                "customer_id": customer.customer_id,
                "entry_id": entry.entry_id,
                "amount_minor": entry.amount_minor,
                "balance_minor": credit.balance_minor,
            },
        )
        payments.move_credit(caller, CreditMovement(credit=credit, entry=entry), event=event, once=once)
        return credit

    return judged_anew(attempt, clock=clock, ids=ids)


def _applicable(credit: CustomerCredit, named: tuple[tuple[WantedAllocation, IssuedInvoice], ...], today: date) -> int:
    """What is taken of the credit: the named amounts, and for the others as much as there is and is payable."""
    fixed = sum(one.amount_minor or 0 for one, _ in named)
    open_minor = sum(max(invoice.payable_minor(today), 0) for one, invoice in named if one.amount_minor is None)
    free = credit.free_minor()
    amount_minor = fixed + min(open_minor, max(free - fixed, 0))
    if not amount_minor and free:
        raise PaymentExceedsBalance(
            "Rien n'est à payer aujourd'hui sur ces factures.",
            "Nothing is to be paid today on these invoices.",
            pointer="/allocations",
        )
    if not amount_minor or amount_minor > free:
        raise credit.exceeded("/allocations")
    return amount_minor


def _with_checkouts(
    context: PaymentContext, named: tuple[tuple[WantedAllocation, IssuedInvoice], ...]
) -> dict[str, tuple[IssuedInvoice, CheckoutBook]]:
    """By id, the named invoices and the attempts to pay them online."""
    return {invoice.invoice_id: (invoice, context.checkouts[invoice.invoice_id]) for _, invoice in named}


def _refuse_future(pointer: str, day: date | None, clock: Clock) -> None:
    if day is not None and day > clock.today():
        raise FieldErrors((FieldError(pointer, "Cette date est dans le futur.", "This date is in the future."),))


def _refuse_unprintable(pointer: str, text: str) -> None:
    """A receipt prints it. Raises: FieldErrors."""
    errors = tuple(unprintable_errors(((pointer, text),)))
    if errors:
        raise FieldErrors(errors)


def _refuse_malformed(allocations: tuple[WantedAllocation, ...]) -> None:
    if len(allocations) > MAX_ALLOCATIONS:
        raise FieldErrors(
            (
                FieldError(
                    "/allocations", f"Au plus {MAX_ALLOCATIONS} factures.", f"At most {MAX_ALLOCATIONS} invoices."
                ),
            )
        )
    seen: set[str] = set()
    errors = []
    for index, one in enumerate(allocations):
        if one.invoice_id in seen:
            errors.append(
                FieldError(f"/allocations/{index}/invoice_id", "Facture nommée deux fois.", "Invoice named twice.")
            )
        seen.add(one.invoice_id)
    if errors:
        raise FieldErrors(tuple(errors))


def _customer(context: PaymentContext) -> Customer:
    if context.customer is None:
        raise NotFound
    return context.customer


def issued_of(invoice: Invoice) -> IssuedInvoice:
    if isinstance(invoice, DraftInvoice):
        raise InvoiceNotIssued
    if invoice.document.document_type.is_credit_note:
        raise NotFound
    return invoice


def _named_invoices(
    context: PaymentContext, customer: Customer, allocations: tuple[WantedAllocation, ...]
) -> tuple[tuple[WantedAllocation, IssuedInvoice], ...]:
    """The invoices that a payment names: issued, and this customer's under any of its ids."""
    missing = tuple(
        FieldError(f"/allocations/{index}/invoice_id", "Facture inconnue.", "Unknown invoice.")
        for index, one in enumerate(allocations)
        if one.invoice_id not in context.invoices
    )
    if missing:
        raise UnknownReference(missing)
    named = tuple((one, issued_of(context.invoices[one.invoice_id])) for one in allocations)
    foreign = tuple(
        FieldError(
            f"/allocations/{index}/invoice_id",
            "Cette facture est d'un autre client.",
            "This invoice is another customer's.",
        )
        for index, (_, invoice) in enumerate(named)
        if invoice.document.customer_id not in customer.ids
    )
    if foreign:
        raise FieldErrors(foreign)
    return named


def _payment(
    caller: Caller,
    customer_id: str,
    described: CustomerDescription,
    wanted: PaymentInput,
    allocations: tuple[Allocation, ...],
    credited_minor: int,
    *,
    currency: str,
    clock: Clock,
    ids: Ids,
) -> Payment:
    return Payment(
        tenant_id=caller.tenant_id,
        payment_id=ids.new("pay"),
        version=1,
        customer_id=customer_id,
        customer_name=described.name,
        customer_address=described.billing_address,
        currency=currency,
        amount_minor=wanted.amount_minor,
        method=wanted.method,
        paid_on=wanted.paid_on or clock.today(),
        reference=wanted.reference,
        allocations=allocations,
        credited_minor=credited_minor,
        recorded_at=clock.now(),
        recorded_by=caller.user_id,
    )


def write_new_payment(
    caller: Caller,
    payment: Payment,
    context: PaymentContext,
    *,
    once: IdempotentRequest | None,
    answered: object,
    payments: Payments,
    ids: Ids,
    told: StripeFacts | None = None,
) -> None:
    """A payment with the ledgers it settles, and the credit it adds to or is paid from."""
    moves = tuple(
        ledger_move(caller, issued_of(context.invoices[part.invoice_id]), part, payment, EntryKind.PAYMENT, ids)
        for part in payment.allocations
    )
    kind, amount_minor = CreditEntryKind.OVER_PAYMENT, payment.credited_minor
    if payment.method is None:
        kind, amount_minor = CreditEntryKind.APPLICATION, payment.amount_minor
    payments.write(
        caller,
        payment,
        moves=moves,
        movement=credit_movement(caller, context.credit, kind, amount_minor, payment, on=payment.paid_on, ids=ids),
        event=payment_event(caller, payment, EventType.PAYMENT_RECEIVED, ids),
        once=once,
        answered=answered,
        told=told,
    )


def context_of(caller: Caller, payment: Payment, payments: Payments) -> PaymentContext:
    """What a recorded payment touched, as it is now. The customer itself may be gone."""
    return payments.load(caller, payment.customer_id, tuple(part.invoice_id for part in payment.allocations))


def _hold_unspent(credit: CustomerCredit, payment: Payment) -> None:
    """What a payment left as credit is still there, to go with it. The refusal says how it comes back."""
    if payment.credited_minor <= credit.balance_minor:
        credit.hold_free(payment.credited_minor)
    missing = payment.credited_minor - credit.balance_minor
    if payment.credited_minor and missing > 0:
        used = agreeing(missing, "a servi", "ont servi")
        raise CustomerCreditExceeded(
            f"{format_euros(missing)} du crédit venu de ce paiement {used}. Annulez d'abord les paiements faits "
            "avec ce crédit (liste des paiements du client, sans moyen de paiement), puis celui-ci. S'il a été "
            "remboursé, réclamez la somme au client, enregistrez son versement en gardant l'excédent en crédit, puis "
            "annulez.",
            f"€{to_major(missing):,} of the credit that came from this payment was used. First reverse the payments "
            "made from that credit (in the customer's payments, those without a method), then this one. If it was "
            "refunded, claim it from the customer, record what comes in with its excess kept as credit, then reverse.",
        )


def _hold_kept(context: PaymentContext, parts: tuple[Allocation, ...], currency: str) -> None:
    """What a credit note released or refunded already is not given back a second time.

    Nor is what the invoice keeps for what comes back of a payment online, and no credit is promised to.
    """
    for part in parts:
        kept = issued_of(context.invoices[part.invoice_id]).ledger.kept_minor
        coming = context.credit.unpromised(context.checkouts[part.invoice_id].coming_back)
        if part.amount_minor <= kept - coming:
            continue
        (amount, english), (back, back_english) = (
            amount_words(max(minor, 0), currency) for minor in (kept - coming, coming)
        )
        if coming:
            raise RefundExceedsPayment(
                f"La facture {part.number} ne garde que {amount} de ses paiements, à côté de {back} que Stripe ou une "
                "banque rend au client et qui ne sont pas encore dans vos comptes.",
                f"The invoice {part.number} keeps only {english} of its payments, beside {back_english} that Stripe or "
                "a bank gives back to the customer and that is not in your books yet.",
            )
        raise RefundExceedsPayment(
            f"La facture {part.number} ne garde que {amount} de ses paiements.",
            f"The invoice {part.number} keeps only {english} of its payments.",
        )


def _bearing(
    context: PaymentContext, moves: tuple[LedgerMove, ...], credit: CustomerCredit, currency: str
) -> CustomerCredit:
    """The credit with what comes back of payments online promised of it, as far as invoices will keep it no longer.

    What the books cannot bear as they are, they need not bear after: the company was told, and sets it right later.
    ``credit`` as it becomes. Raises: CustomerCreditExceeded, where it does not suffice.
    """
    borne = credit
    for move in moves:
        coming = tuple(
            one.besides_unborne(borne.promised_to(one.payment_intent_id))
            for one in context.checkouts[move.invoice.invoice_id].coming_back
        )
        kept = max(move.invoice.ledger.kept_minor, 0)
        borne = borne.bearing(coming, borne.unpromised(coming) - kept)
    more = sum(one.amount_minor for one in borne.promised) - sum(one.amount_minor for one in credit.promised)
    missing = more - (credit.free_minor() if currency == EURO else 0)
    if more and missing > 0:
        amount, english = amount_words(missing, currency)
        raise CustomerCreditExceeded(
            f"Stripe est en train de rendre de l'argent au client : sans ce paiement, il manquerait {amount} à ses "
            "factures et à son crédit. Annulez-le une fois ce remboursement terminé.",
            "Stripe is about to give money back to the customer: without this payment, its invoices and the "
            f"customer's credit would be {english} short. Reverse it once that refund has ended.",
        )
    return borne


def _judged_with_online(
    context: PaymentContext, moves: tuple[LedgerMove, ...], *, reversing: bool = False
) -> tuple[LedgerMove, ...]:
    """The book of what was paid online moves along: of a refund there at the same time one is judged after the other.

    A refund can be made in parts, a reversal cannot: the books that do not fit into its transaction stay, if nothing
    comes back of them. What Stripe is asked for at that same moment and is not borne then is told, and heals.

    Raises: FieldErrors, where those that have to move are more than fit.
    """
    books = {move.invoice.invoice_id: context.checkouts[move.invoice.invoice_id].moved_along() for move in moves}
    known = sorted((one for one in books.values() if one), key=lambda one: not one.awaits)
    if sum(one.awaits or not reversing for one in known) > MOST_PAID_ONLINE:
        if reversing:
            french = f"Stripe est en train de rendre de l'argent de plus de {MOST_PAID_ONLINE} de ses factures : "
            english = f"Stripe is about to give back money of more than {MOST_PAID_ONLINE} of its invoices: "
            french += "annulez-le une fois ces remboursements terminés."
            english += "reverse it once those refunds have ended."
        else:
            french = f"Plus de {MOST_PAID_ONLINE} de ses factures ont été payées en ligne aussi : "
            english = f"More than {MOST_PAID_ONLINE} of its invoices were paid online, too: "
            french, english = f"{french}remboursez en deux fois.", f"{english}refund in two parts."
        raise FieldErrors((FieldError("" if reversing else "/amount_minor", french, english),))
    moving = {one.invoice_id for one in known[:MOST_PAID_ONLINE]}
    return tuple(
        replace(move, book=books[move.invoice.invoice_id] if move.invoice.invoice_id in moving else None)
        for move in moves
    )


_MOVE_EVENTS = {
    EntryKind.PAYMENT: EventType.PAYMENT_RECORDED,
    EntryKind.REVERSAL: EventType.PAYMENT_REVERSED_ON_INVOICE,
    EntryKind.REFUND: EventType.PAYMENT_REFUNDED_ON_INVOICE,
    EntryKind.REFUND_RETURNED: EventType.PAYMENT_REFUND_RETURNED_ON_INVOICE,
}


def ledger_move(
    caller: Caller,
    invoice: IssuedInvoice,
    part: Allocation,
    payment: Payment,
    kind: EntryKind,
    ids: Ids,
    *,
    correction: Correction | None = None,
) -> LedgerMove:
    """The movement of an invoice that a payment makes, or its correction."""
    entry = LedgerEntry(
        entry_id=correction.entry_id if correction else payment.payment_id,
        rank=invoice.ledger.entry_count + 1,
        kind=kind,
        amount_minor=part.amount_minor,
        entry_date=correction.on if correction else payment.paid_on,
        method=correction.method if correction else payment.method,
        reference=payment.reference,
        recorded_at=correction.at if correction else payment.recorded_at,
        recorded_by=caller.user_id,
        source_id=payment.payment_id,
        contested=correction is not None and correction.cause is RefundCause.DISPUTE,
    )
    moved = invoice.with_entry(entry)
    event = Event(
        event_id=ids.new("evt"),
        event_type=_MOVE_EVENTS[kind],
        occurred_at=entry.recorded_at,
        actor=caller.user_id,
        data={
            "invoice_id": invoice.invoice_id,
            "number": invoice.document.number,
            "payment_id": payment.payment_id,
            "entry_id": entry.entry_id,
            "amount_minor": entry.amount_minor,
            "method": entry.method.value if entry.method else "customer_credit",
            "balance_minor": moved.ledger.balance_minor,
        },
    )
    return LedgerMove(invoice=moved, entry=entry, event=event)


def credit_movement(
    caller: Caller,
    credit: CustomerCredit,
    kind: CreditEntryKind,
    amount_minor: int,
    payment: Payment,
    *,
    on: date,
    ids: Ids,
    at: datetime | None = None,
) -> CreditMovement | None:
    if not amount_minor:
        return None
    moved, entry = credit.moved(
        kind,
        amount_minor,
        entry_id=ids.new("ent"),
        source_id=payment.payment_id,
        on=on,
        at=at or payment.recorded_at,
        by=caller.user_id,
        reference=payment.reference,
    )
    return CreditMovement(credit=moved, entry=entry)


def payment_event(
    caller: Caller, payment: Payment, event_type: EventType, ids: Ids, *, at: datetime | None = None
) -> Event:
    return Event(
        event_id=ids.new("evt"),
        event_type=event_type,
        occurred_at=at or payment.recorded_at,
        actor=caller.user_id,
        data={
            "payment_id": payment.payment_id,
            "customer_id": payment.customer_id,
            "amount_minor": payment.amount_minor,
            "credited_minor": payment.credited_minor,
            "refunded_minor": payment.refunded_minor,
            "method": payment.method.value if payment.method else "customer_credit",
            "invoices": len(payment.allocations),
            **_moved_back(payment, event_type),
        },
    )


def _moved_back(payment: Payment, event_type: EventType) -> dict[str, str | int]:
    """The refund that an event is about, or that came back: ``amount_minor`` is the whole payment."""
    latest: PaymentRefund | RefundReturn
    if event_type is EventType.PAYMENT_REFUNDED:
        latest = payment.refunds[-1]
    elif event_type is EventType.PAYMENT_REFUND_RETURNED:
        latest = payment.returns[-1]
    else:
        return {}
    return {"refund_id": latest.refund_id, "refund_amount_minor": latest.amount_minor}
