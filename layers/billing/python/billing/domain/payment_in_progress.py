"""Other money for an invoice that its customer is paying online: a debit takes days, and nobody pays twice."""

from __future__ import annotations

from collections.abc import Mapping

from billing.domain.checkout import CheckoutAttempt, CheckoutBook
from billing.domain.currency import EURO
from billing.domain.dates import civil_date, format_french
from billing.domain.errors import PaymentInProgress
from billing.domain.invoice import IssuedInvoice
from billing.domain.payments import Allocation
from billing.domain.stripe_words import Explained, answer_words, method_words
from billing.domain.typography import amount_words


def hold_in_progress(parts: tuple[Allocation, ...], paid: Mapping[str, tuple[IssuedInvoice, CheckoutBook]]) -> None:
    """Other money for an invoice leaves room for what its customer confirmed online already.

    ``paid``: by id, the invoices of these parts of a payment.

    Raises:
        PaymentInProgress: unless a person says that this money did arrive.
    """
    for part in parts:
        invoice, book = paid[part.invoice_id]
        online = book.in_progress
        if online is None:
            continue
        room = max(invoice.ledger.balance_minor - online.amount_minor, 0)
        if part.amount_minor > room:
            raise _beside(online, part, room)


def explain_in_progress(online: CheckoutAttempt) -> Explained:
    """What was confirmed, by which means and since when; and what to do meanwhile."""
    amount, english = amount_words(online.amount_minor, online.currency)
    means, since = method_words(online.method), civil_date(online.in_progress_since)
    answer = answer_words(online.method)
    return Explained(
        code=online.state.value,
        french=f"Le client a confirmé en ligne {amount} ({means.french}) le {format_french(since)} ; {answer[0]}.",
        english=f"The customer confirmed {english} online ({means.english}) on {since.isoformat()}; {answer[1]}.",
    )


def _beside(online: CheckoutAttempt, part: Allocation, room_minor: int) -> PaymentInProgress:
    said = explain_in_progress(online)
    room, english_room = amount_words(room_minor, online.currency)
    # A customer's credit is in euros.
    over = ("deviendra un crédit du client", "becomes the customer's credit")
    if online.currency != EURO:
        over = ("sera à rembourser au client", "is to be refunded to the customer")
    free = (
        f"D'ici là, aucun autre paiement ne peut être affecté à la facture {part.number}, qu'il couvre entièrement.",
        f"Until then no other payment can go to the invoice {part.number}, which it covers in full.",
    )
    if room_minor:
        free = (
            f"D'ici là, un autre paiement peut être affecté à la facture {part.number} jusqu'à {room}.",
            f"Until then at most {english_room} of another payment can go to the invoice {part.number}.",
        )
    return PaymentInProgress(
        f"{said.french} {free[0]} Attendez la réponse ; si l'argent que vous enregistrez est bien arrivé "
        f"en plus, confirmez-le (confirm_payment_in_progress) : ce qui dépassera {over[0]}.",
        f"{said.english} {free[1]} Wait for the answer; if the money that you record did arrive as well, confirm it "
        f"(confirm_payment_in_progress): what exceeds the invoice {over[1]}.",
        pointer="/confirm_payment_in_progress",
    )
