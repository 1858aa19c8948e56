"""Disputes of payments at Stripe as a company sees them: which come first, and their codes in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from billing.domain.stripe import DASHBOARD, DisputeStatus
from billing.domain.stripe_payment import StripePayment

LAST: Final = 9_999_999_999  # seconds: after every instant
_ENDED: Final = frozenset(
    {DisputeStatus.WON, DisputeStatus.LOST, DisputeStatus.WARNING_CLOSED, DisputeStatus.PREVENTED}
)
_STATUS_WORDS: Final = {
    DisputeStatus.WARNING_NEEDS_RESPONSE: (
        "La banque du client demande des explications : répondez avant l'échéance.",
        "The customer's bank inquires: answer before the deadline.",
    ),
    DisputeStatus.WARNING_UNDER_REVIEW: (
        "La banque du client examine votre réponse.",
        "The customer's bank looks at your answer.",
    ),
    DisputeStatus.WARNING_CLOSED: (
        "La demande de la banque est close, sans litige.",
        "The bank's inquiry is closed, without a dispute.",
    ),
    DisputeStatus.NEEDS_RESPONSE: (
        "Vos justificatifs sont attendus avant l'échéance.",
        "Your evidence is awaited before the deadline.",
    ),
    DisputeStatus.UNDER_REVIEW: (
        "La banque du client examine vos justificatifs.",
        "The customer's bank looks at your evidence.",
    ),
    DisputeStatus.WON: ("Litige gagné : l'argent vous est rendu.", "Won: the money is yours again."),
    DisputeStatus.LOST: ("Litige perdu : l'argent est rendu au client.", "Lost: the customer has the money back."),
    DisputeStatus.PREVENTED: ("Le litige a été évité.", "The dispute was prevented."),
    DisputeStatus.UNKNOWN: (
        "Voyez où en est le litige dans le tableau de bord de Stripe.",
        "See how the dispute stands in Stripe's dashboard.",
    ),
}
_REASON_WORDS: Final = {
    "bank_cannot_process": ("la banque n'a pas pu traiter le paiement", "the bank could not process the payment"),
    "check_returned": ("le chèque a été rejeté", "the cheque was returned"),
    "credit_not_processed": (
        "le client dit attendre un remboursement ou un avoir",
        "the customer says that a refund or credit was not made",
    ),
    "customer_initiated": ("le client a contesté auprès de sa banque", "the customer asked their bank"),
    "debit_not_authorized": (
        "le client dit ne pas avoir autorisé le prélèvement",
        "the customer says that the debit was not authorised",
    ),
    "duplicate": ("le client dit avoir payé deux fois", "the customer says that they paid twice"),
    "fraudulent": (
        "le titulaire dit ne pas être à l'origine du paiement",
        "the cardholder says that they did not make the payment",
    ),
    "general": ("motif général", "a general reason"),
    "incorrect_account_details": ("coordonnées bancaires incorrectes", "incorrect account details"),
    "insufficient_funds": ("provision insuffisante", "insufficient funds"),
    "noncompliant": ("règles du réseau de carte non respectées", "the rules of the card network were not followed"),
    "product_not_received": ("le client dit n'avoir rien reçu", "the customer says that nothing was received"),
    "product_unacceptable": (
        "le client dit que la prestation n'est pas conforme",
        "the customer says that it is not as described",
    ),
    "subscription_canceled": ("le client dit avoir résilié", "the customer says that they had cancelled"),
    "unrecognized": ("le client ne reconnaît pas ce paiement", "the customer does not recognise the payment"),
}


def status_words(status: DisputeStatus) -> tuple[str, str]:
    """In French and in English."""
    return _STATUS_WORDS[status]


def reason_words(code: str) -> tuple[str, str]:
    """A reason of Stripe's in French and in English; one that is new has its code."""
    return _REASON_WORDS.get(code, (f"motif indiqué par la banque ({code})", f"the bank's reason ({code})"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDispute:
    """A dispute in the company's list. Amounts in cents of ``currency``; number and customer are the invoice's."""

    dispute_id: str
    account_id: str
    payment_id: str
    invoice_id: str
    invoice_number: str
    customer_name: str
    amount_minor: int
    currency: str
    fee_minor: int
    reason: str
    status: DisputeStatus
    opened_at: datetime
    evidence_due_by: datetime | None
    awaits_answer: bool

    @property
    def order(self) -> tuple[int, int]:
        """What waits for the company, by its deadline; then what a bank decides; then what ended, latest first."""
        if self.awaits_answer:
            return 0, int(self.evidence_due_by.timestamp()) if self.evidence_due_by else LAST
        return 2 if self.status in _ENDED else 1, LAST - int(self.opened_at.timestamp())

    @property
    def answer_url(self) -> str:
        """Where evidence is handed in, and the dispute is accepted."""
        return f"{DASHBOARD}/{self.account_id}/disputes/{self.dispute_id}"


def listed_dispute(record: StripePayment, dispute_id: str) -> ListedDispute:
    dispute = record.dispute(dispute_id)
    return ListedDispute(
        dispute_id=dispute_id,
        account_id=record.account_id,
        payment_id=record.derived_payment_id,
        invoice_id=record.invoice_id,
        invoice_number=record.invoice_number,
        customer_name=record.customer_name,
        amount_minor=dispute.amount_minor,
        currency=dispute.currency or record.currency,
        fee_minor=dispute.fee_minor,
        reason=dispute.reason,
        status=dispute.status,
        opened_at=dispute.created,
        evidence_due_by=dispute.evidence_due_by,
        awaits_answer=dispute.awaits_answer,
    )
