"""A payment of a customer: what came in, which invoices it settled, what became credit.

What was recorded never changes (CGI art. 286, I, 3° bis): corrections by plus and minus are added to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from billing.domain.canonical import LATER
from billing.domain.currency import EURO
from billing.domain.dates import format_french
from billing.domain.errors import (
    CashAboveLimit,
    FieldError,
    FieldErrors,
    PaymentExceedsBalance,
    PaymentFromCredit,
    PaymentReversed,
    RefundExceedsPayment,
)
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import PaymentMethod
from billing.domain.money import to_major
from billing.domain.parties import Address
from billing.domain.thresholds import cash_limit_minor
from billing.domain.typography import agreeing, amount_words, format_euros

MAX_ALLOCATIONS = 20


class PaymentExcess(StrEnum):
    """What becomes of an amount beyond what the named invoices are owed."""

    REFUSE = "refuse"
    CUSTOMER_CREDIT = "customer_credit"


class PaymentState(StrEnum):
    RECORDED = "recorded"
    REFUNDED = "refunded"  # in full
    REVERSED = "reversed"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedAllocation:
    """An invoice to settle; at most ``amount_minor`` of it, or as much as there is."""

    invoice_id: str
    amount_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Cents of a payment that settled an invoice."""

    invoice_id: str
    number: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReversal:
    """Why a recorded payment turned out not to be one: a cheque that bounced, a mistake."""

    reason: str
    reversed_on: date
    reversed_at: datetime
    reversed_by: str


class RefundCause(StrEnum):
    REQUEST = "request"  # the company gave it back
    DISPUTE = "dispute"  # the bank took it, after the customer contested the payment


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRefund:
    """Money of a payment that was given back, and the invoices that are owed again by it.

    ``from_credit_minor`` of it was not kept for an invoice any more, and is taken off the customer's credit.
    """

    refund_id: str
    amount_minor: int
    method: PaymentMethod
    refunded_on: date
    reference: str
    allocations: tuple[Allocation, ...]
    refunded_at: datetime
    refunded_by: str
    cause: RefundCause = field(default=RefundCause.REQUEST, metadata=LATER)
    from_credit_minor: int = field(default=0, metadata=LATER)
    reason: str = field(default="", metadata=LATER)  # the company's own

    def __post_init__(self) -> None:
        if sum(part.amount_minor for part in self.allocations) + self.from_credit_minor != self.amount_minor:
            raise ValueError("a refund is what invoices are owed again and what the customer's credit loses")


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundReturn:
    """A refund that the bank sent back: invoices that are owed it settle again, the rest is credit of the customer.

    A part of it, where a lost dispute has the rest; that comes back by another, should the dispute be won after all.
    ``version`` of the payment that it made.
    """

    refund_id: str
    amount_minor: int
    allocations: tuple[Allocation, ...]
    credited_minor: int
    version: int
    returned_on: date
    returned_at: datetime
    returned_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Amounts in cents. ``method`` is None when the customer's credit paid; ``credited_minor`` became credit."""

    tenant_id: str
    payment_id: str
    version: int
    customer_id: str
    customer_name: str
    currency: str
    amount_minor: int
    method: PaymentMethod | None
    paid_on: date
    reference: str
    allocations: tuple[Allocation, ...]
    credited_minor: int = 0
    recorded_at: datetime
    recorded_by: str
    reversal: PaymentReversal | None = field(default=None, metadata=LATER)
    refunds: tuple[PaymentRefund, ...] = field(default=(), metadata=LATER)
    customer_address: Address | None = field(default=None, metadata=LATER)  # as the customer was when it was recorded
    payment_intent_id: str = field(default="", metadata=LATER)  # at Stripe, where the money came in
    fee_minor: int | None = field(default=None, metadata=LATER)  # what Stripe and the platform kept of it
    net_minor: int | None = field(default=None, metadata=LATER)  # of the charge: no refund or dispute is taken off
    returns: tuple[RefundReturn, ...] = field(default=(), metadata=LATER)

    def __post_init__(self) -> None:
        if self.amount_minor != self.allocated_minor + self.credited_minor or self.amount_minor <= 0:
            raise ValueError("a payment is what it settled and what became credit")

    @property
    def allocated_minor(self) -> int:
        return sum(allocation.amount_minor for allocation in self.allocations)

    @property
    def refunded_minor(self) -> int:
        """What was given back, and did not come back."""
        return sum(one.amount_minor for one in self.refunds) - sum(one.amount_minor for one in self.returns)

    @property
    def last_return(self) -> RefundReturn | None:
        """The return of a refund, where it is the last thing that happened."""
        last = self.returns[-1] if self.returns else None
        return last if last is not None and last.version == self.version else None

    @property
    def state(self) -> PaymentState:
        if self.reversal is not None:
            return PaymentState.REVERSED
        return PaymentState.REFUNDED if self.refunded_minor == self.amount_minor else PaymentState.RECORDED

    def reversed(self, reversal: PaymentReversal) -> Payment:
        """Raises: PaymentReversed, when it was already, or when some of it was given back."""
        if self.reversal is not None or self.refunds:
            raise PaymentReversed
        return replace(self, version=self.version + 1, reversal=reversal)

    def refunded(self, refund: PaymentRefund) -> Payment:
        """Raises: PaymentReversed, PaymentFromCredit, RefundExceedsPayment."""
        self.hold_refundable(refund.amount_minor)
        return replace(self, version=self.version + 1, refunds=(*self.refunds, refund))

    def mirrored(self, refund: PaymentRefund) -> Payment:
        """With a refund that was made elsewhere, of what became credit too. Raises: RefundExceedsPayment."""
        if self.method is None or self.reversal is not None or refund.amount_minor > self.amount_minor:
            raise RefundExceedsPayment
        return replace(self, version=self.version + 1, refunds=(*self.refunds, refund))

    def returned(self, returned: RefundReturn) -> Payment:
        """Raises: ValueError, for a refund that is none of this payment's or came back already."""
        refund = next((one for one in self.refunds if one.refund_id == returned.refund_id), None)
        left = refund.amount_minor - self.came_back_minor(refund.refund_id) if refund else 0
        if not 0 < returned.amount_minor <= left:
            raise ValueError("no more of a refund comes back than was given back")
        if returned.version != self.version + 1:
            raise ValueError("a return makes the next version")
        return replace(self, version=self.version + 1, returns=(*self.returns, returned))

    def came_back_minor(self, refund_id: str) -> int:
        """What of a refund the bank sent back."""
        return sum(one.amount_minor for one in self.returns if one.refund_id == refund_id)

    def still_taken_by(self, refund: PaymentRefund) -> tuple[Allocation, ...]:
        """What invoices are owed again by a refund, less what came back of it to them."""
        back: Counter[str] = Counter()
        for returned in self.returns:
            for part in returned.allocations if returned.refund_id == refund.refund_id else ():
                back[part.invoice_id] += part.amount_minor
        left = (replace(one, amount_minor=one.amount_minor - back[one.invoice_id]) for one in refund.allocations)
        return tuple(one for one in left if one.amount_minor)

    def return_id(self, returned: RefundReturn) -> str:
        """Of what a return writes in ledgers and accounts."""
        mine = [one for one in self.returns if one.refund_id == returned.refund_id]
        earlier = mine.index(returned)
        return f"{returned.refund_id}.returned{f'.{earlier}' if earlier else ''}"

    def hold_refundable(self, amount_minor: int) -> None:
        """What became credit is refunded as the customer's credit.

        Raises: PaymentReversed, PaymentFromCredit, RefundExceedsPayment.
        """
        if self.reversal is not None:
            raise PaymentReversed
        if self.method is None:
            raise PaymentFromCredit(
                "Aucun argent n'est entré par ce paiement : annulez-le (reverse), et son montant revient au crédit du "
                "client.",
                "No money came in by this payment: reverse it, and its amount is the customer's credit again.",
            )
        left = self.allocated_minor - sum(self._given_back().values())
        if amount_minor > left:
            raise refund_beyond(left, self.currency)

    def hold_after_payment(self, refunded_on: date | None) -> None:
        """Raises: FieldErrors, for a refund that is dated before the money came."""
        if refunded_on is not None and refunded_on < self.paid_on:
            day = format_french(self.paid_on)
            raise FieldErrors(
                (
                    FieldError(
                        "/refunded_on",
                        f"Ce paiement est du {day} : son remboursement ne peut pas être daté d'avant.",
                        f"This payment is of {self.paid_on}: its refund cannot be dated before.",
                    ),
                )
            )

    def refund_parts(self, amount_minor: int) -> tuple[Allocation, ...]:
        """Which invoices a refund reopens: those settled last first."""
        given_back = self._given_back()
        parts, left = [], amount_minor
        for allocation in reversed(self.allocations):
            amount = min(left, allocation.amount_minor - given_back.get(allocation.invoice_id, 0))
            if amount > 0:
                parts.append(replace(allocation, amount_minor=amount))
                left -= amount
        return tuple(parts)

    def kept_parts(self, amount_minor: int, kept: Mapping[str, int]) -> tuple[tuple[Allocation, ...], int]:
        """Of a refund that was made elsewhere: which invoices are owed again, of what each ``kept`` of its payments,
        and what is left, which is not kept for an invoice any more."""
        given_back = self._given_back()
        parts, left = [], amount_minor
        for allocation in reversed(self.allocations):
            invoice_id = allocation.invoice_id
            amount = min(left, allocation.amount_minor - given_back.get(invoice_id, 0), kept.get(invoice_id, 0))
            if amount > 0:
                parts.append(replace(allocation, amount_minor=amount))
                left -= amount
        return tuple(parts), left

    def _given_back(self) -> dict[str, int]:
        """By invoice: what refunds took from it, less what came back to it."""
        given_back: dict[str, int] = {}
        for sign, parts in (
            *((1, refund.allocations) for refund in self.refunds),
            *((-1, returned.allocations) for returned in self.returns),
        ):
            for part in parts:
                given_back[part.invoice_id] = given_back.get(part.invoice_id, 0) + sign * part.amount_minor
        return given_back


def refund_beyond(left_minor: int, currency: str) -> RefundExceedsPayment:
    """Of a payment of which so much is left to refund."""
    if left_minor <= 0:
        return RefundExceedsPayment(
            "Ce paiement est déjà remboursé en entier, ou sur le point de l'être.",
            "This payment is refunded in full already, or about to be.",
        )
    amount, english = amount_words(left_minor, currency)
    return RefundExceedsPayment(
        f"Il reste {amount} à rembourser de ce paiement.", f"{english} of this payment is left to refund."
    )


def common_currency(invoices: tuple[IssuedInvoice, ...]) -> str:
    """The one currency of what is paid together; the euro where no invoice is named.

    Raises:
        FieldErrors: the invoices are in several currencies.
    """
    currencies = {invoice.document.currency for invoice in invoices} or {EURO}
    if len(currencies) > 1:
        raise FieldErrors(
            (
                FieldError(
                    "/allocations",
                    "Un paiement règle des factures d'une seule devise.",
                    "A payment settles invoices of one currency.",
                ),
            )
        )
    return currencies.pop()


def hold_credit_in_euros(currency: str, pointer: str) -> None:
    """A customer's credit is in euros.

    Raises:
        FieldErrors: the money is in another currency.
    """
    if currency != EURO:
        raise FieldErrors(
            (
                FieldError(
                    pointer,
                    "Le crédit d'un client est en euros : une autre devise se rembourse ou se règle au juste montant.",
                    "A customer's credit is in euros: another currency is refunded, or paid to the exact amount.",
                ),
            )
        )


def allocate_payment(
    amount_minor: int,
    wanted: tuple[tuple[WantedAllocation, IssuedInvoice], ...],
    excess: PaymentExcess,
    *,
    on: date,
    pointer: str = "",
) -> tuple[tuple[Allocation, ...], int]:
    """What each invoice gets, in the order given, and what is left over. Together they are the amount.

    Where no amount is named, an invoice gets what is payable ``on`` the day of the payment: a retention of guarantee is
    paid before its day by naming it. ``pointer`` is of the amount, where there is one for all. Where the excess becomes
    credit, an invoice gets no more than it is owed, whoever paid it meanwhile.

    Raises:
        FieldErrors: the named amounts exceed the payment.
        PaymentExceedsBalance: with ``refuse``, an invoice would get more than it is owed, or something is left over.
    """
    named = sum(one.amount_minor or 0 for one, _ in wanted)
    if named > amount_minor:
        raise FieldErrors(
            (
                FieldError(
                    "/allocations",
                    "Les montants affectés dépassent le paiement.",
                    "The allocated amounts exceed the payment.",
                ),
            )
        )
    unnamed_minor = amount_minor - named
    allocations = []
    for index, (one, invoice) in enumerate(wanted):
        balance = max(invoice.ledger.balance_minor, 0)
        if one.amount_minor is None:
            amount = min(unnamed_minor, max(invoice.payable_minor(on), 0))
            unnamed_minor -= amount
        elif one.amount_minor > balance and excess is PaymentExcess.REFUSE:
            raise _exceeds(invoice, pointer or f"/allocations/{index}/amount_minor")
        else:
            amount = min(one.amount_minor, balance)
        if amount:
            allocations.append(
                Allocation(invoice_id=invoice.invoice_id, number=invoice.document.number, amount_minor=amount)
            )
    left = amount_minor - sum(allocation.amount_minor for allocation in allocations)
    if left and excess is PaymentExcess.REFUSE:
        raise _left_over(wanted, tuple(allocations), left, on)
    return tuple(allocations), left


def _left_over(
    wanted: tuple[tuple[WantedAllocation, IssuedInvoice], ...],
    allocations: tuple[Allocation, ...],
    left_minor: int,
    on: date,
) -> PaymentExceedsBalance:
    """Why something is left: it is owed nowhere, or it is a retention that nobody named."""
    given = {one.invoice_id: one.amount_minor for one in allocations}
    retained_minor = sum(
        max(invoice.ledger.balance_minor - given.get(invoice.invoice_id, 0), 0)
        for one, invoice in wanted
        if one.amount_minor is None and invoice.retained_minor(on)
    )
    owed_nowhere = left_minor - retained_minor
    currency = wanted[0][1].document.currency if wanted else EURO
    (amount, english), (nowhere, english_nowhere) = (
        amount_words(minor, currency) for minor in (left_minor, max(owed_nowhere, 0))
    )
    if retained_minor and owed_nowhere <= 0:
        due = agreeing(left_minor, "n'est pas encore dû", "ne sont pas encore dus")
        return PaymentExceedsBalance(
            f"{amount} {due} au {format_french(on)} (retenue de garantie). Pour "
            "payer la retenue dès maintenant, indiquez le montant affecté à la facture.",
            f"{english} is not due yet on {on} (retention of guarantee). To pay it now, name the "
            "amount that the invoice gets.",
        )
    if len(wanted) == 1 and not retained_minor:
        return _exceeds(wanted[0][1])
    owed = agreeing(owed_nowhere, "n'est dû", "ne sont dus")
    return PaymentExceedsBalance(
        f"{nowhere} {owed} sur aucune des factures nommées.",
        f"{english_nowhere} is owed on none of the invoices named.",
    )


def _exceeds(invoice: IssuedInvoice, pointer: str = "") -> PaymentExceedsBalance:
    balance = invoice.ledger.balance_minor
    if balance <= 0:
        return PaymentExceedsBalance("La facture est déjà réglée.", "The invoice is already settled.", pointer=pointer)
    amount, english = amount_words(balance, invoice.document.currency)
    return PaymentExceedsBalance(f"Il reste {amount} à payer.", f"{english} is left to pay.", pointer=pointer)


def hold_cash_limit(
    method: PaymentMethod, invoices: tuple[IssuedInvoice, ...], amount_minor: int, *, confirmed: bool
) -> None:
    """Per debt, whatever part of it is paid in cash; without a debt, of the payment itself.

    Raises:
        CashAboveLimit: unless a person confirmed it.
    """
    if method is not PaymentMethod.CASH or confirmed:
        return
    for invoice in invoices:
        if invoice.document.totals.total_minor > (limit := cash_limit_minor(invoice.document.buyer)):
            raise _above(limit)
    if not invoices and amount_minor > (limit := cash_limit_minor(None)):
        raise _above(limit)


def _above(limit_minor: int) -> CashAboveLimit:
    euros = format_euros(limit_minor).replace(",00", "")
    return CashAboveLimit(
        f"Une dette de plus de {euros} ne peut pas être payée en espèces, même en partie "
        "(Code monétaire et financier, L112-6 et D112-3). Si vous savez que ce paiement est permis, confirmez-le "
        "(confirm_cash_above_limit).",
        f"A debt above €{to_major(limit_minor).to_integral_value():,} may not be paid in cash, not even in part "
        "(Code monétaire et financier, L112-6 and D112-3). If you know that this payment is allowed, confirm it "
        "(confirm_cash_above_limit).",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidInvoice:
    """An invoice after a payment, and which one."""

    invoice: IssuedInvoice
    payment_id: str
