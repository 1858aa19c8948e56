"""Days at Stripe held against the ledger, as they are shown."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from billing.api.answers import Reply
from billing.api.paging import PageReply
from billing.domain.reconciliation import Difference, DifferenceKind, Reconciliation, ReconciliationState

_KINDS: dict[DifferenceKind, tuple[str, str]] = {
    DifferenceKind.MISSING: (
        (
            "Stripe a ce mouvement, et vos comptes ne l'ont pas : comparez-le au paiement (payment_id) et à votre "
            "tableau de bord Stripe. ZenBilling a été alerté et regarde pourquoi."
        ),
        (
            "Stripe has this movement, and your books do not: compare it with the payment (payment_id) and your Stripe "
            "dashboard. ZenBilling was alerted and looks into it."
        ),
    ),
    DifferenceKind.NOT_BORNE: (
        (
            "Cette somme a été rendue au client par Stripe ou reprise par sa banque, et vos comptes n'ont pas pu la "
            "suivre en entier : le crédit du client a été dépensé, ou il a déjà été remboursé autrement. Annulez les "
            "paiements faits avec ce crédit : ZenBilling enregistre alors le reste de lui-même, au plus tard le "
            "lendemain. Si le client a cet argent deux fois, réclamez-le-lui."
        ),
        (
            "Stripe gave this amount back to the customer, or their bank took it, and your books could not follow all "
            "of it: the customer's credit was spent, or they were refunded otherwise already. Reverse the payments "
            "made from that credit: ZenBilling then records the rest by itself, by the next day. If the customer has "
            "this money twice, claim it."
        ),
    ),
    DifferenceKind.OTHER_AMOUNT: (
        "Stripe et vos comptes ont ce mouvement, avec des montants différents.",
        "Stripe and your books have this movement, with different amounts.",
    ),
    DifferenceKind.OTHER_FEE: (
        "Les frais de Stripe diffèrent de ceux de vos comptes.",
        "Stripe's fee differs from that in your books.",
    ),
    DifferenceKind.UNKNOWN: (
        "Stripe ne dit pas à quoi se rapporte ce mouvement : regardez-le dans votre tableau de bord Stripe.",
        "Stripe does not say what this movement belongs to: look at it in your Stripe dashboard.",
    ),
    DifferenceKind.NOT_AT_STRIPE: (
        "Vos comptes ont ce mouvement, et Stripe ne l'a jamais fait.",
        "Your books have this movement, and Stripe never made it.",
    ),
    DifferenceKind.ON_PAPER: (
        (
            "Un avoir dit que cette somme est remboursée, et Stripe ne l'a pas rendue : remboursez le paiement en "
            "indiquant l'avoir, sauf si vous l'avez rendue par un autre moyen."
        ),
        (
            "A credit note says that this amount was given back, and Stripe did not do it: refund the payment naming "
            "the note, unless you gave it back by other means."
        ),
    ),
}


class PaymentDifferenceResponse(Reply):
    kind: DifferenceKind
    detail_fr: str
    detail_en: str
    source_id: Annotated[str, Field(description="The charge, refund or dispute at Stripe; a credit note without one")]
    stripe_minor: int
    ours_minor: int
    payment_id: str | None

    @classmethod
    def of(cls, difference: Difference) -> PaymentDifferenceResponse:
        french, english = _KINDS[difference.kind]
        return cls(
            kind=difference.kind,
            detail_fr=french,
            detail_en=english,
            source_id=difference.source_id,
            stripe_minor=difference.stripe_minor,
            ours_minor=difference.ours_minor,
            payment_id=difference.payment_id or None,
        )


class PaymentReconciliationResponse(Reply):
    """A day in Paris; cents, as Stripe moved them.

    A difference ``missing`` is at Stripe and not in the ledger, ``not_at_stripe`` the reverse. ``not_borne``: money was
    given back, or lost in a dispute, beyond what the books can bear: ``ours_minor`` of it is in the ledger, the rest
    follows by itself once the payments made from the customer's credit are reversed. ``on_paper``: a credit
    note says that the money was given back, and Stripe did not give it back: refund the payment naming the note, unless
    you gave it back by other means. A day ``unread`` could not be read: the account is not linked any more; it is read
    once the account is back. A day that differs is judged again each night for a week, then each week for three months,
    and is ``balanced`` once it agrees.
    """

    day: date
    account_id: str
    state: ReconciliationState
    movements: int
    foreign: Annotated[int, Field(description="Movements of payments that ZenBilling did not ask for")]
    booked: Annotated[int, Field(description="Payments, refunds and lost disputes that the ledger has of that day")]
    repaired: Annotated[int, Field(description="Facts that had not been told, and are in the ledger now")]
    paid_minor: int
    given_back_minor: int
    fee_minor: int
    payout_minor: int
    differences: list[PaymentDifferenceResponse]
    ended_at: Annotated[datetime | None, Field(description="When it was last judged")]
    differed_at: Annotated[
        datetime | None, Field(description="When it was first found to differ, of a day that was judged again")
    ]

    @classmethod
    def of(cls, report: Reconciliation) -> PaymentReconciliationResponse:
        return cls(
            day=report.day,
            account_id=report.account_id,
            state=report.state,
            movements=report.movements,
            foreign=report.foreign,
            booked=report.booked,
            repaired=report.repaired,
            paid_minor=report.paid_minor,
            given_back_minor=report.given_back_minor,
            fee_minor=report.fee_minor,
            payout_minor=report.payout_minor,
            differences=[PaymentDifferenceResponse.of(one) for one in report.differences],
            ended_at=report.ended_at,
            differed_at=report.differed_at,
        )


class PaymentReconciliationPageResponse(PageReply):
    items: list[PaymentReconciliationResponse]
