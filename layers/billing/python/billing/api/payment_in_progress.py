"""A payment that a customer confirmed online and whose bank has not answered yet, in words."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from billing.api.answers import Reply
from billing.domain.checkout import CheckoutAttempt
from billing.domain.payment_in_progress import explain_in_progress


class PaymentInProgressResponse(Reply):
    """Confirmed online by the customer; the bank has not answered yet, and may refuse."""

    amount_minor: int
    currency: str
    method: Annotated[
        str | None,
        Field(description="Stripe's type of the means of payment; null until Stripe says", examples=["sepa_debit"]),
    ]
    since: Annotated[datetime, Field(description="When the customer confirmed, as we learnt it")]
    detail_fr: str
    detail_en: str

    @classmethod
    def of_attempt(cls, online: CheckoutAttempt | None) -> PaymentInProgressResponse | None:
        if online is None:
            return None
        explained = explain_in_progress(online)
        return cls(
            amount_minor=online.amount_minor,
            currency=online.currency,
            method=online.method or None,
            since=online.in_progress_since,
            detail_fr=explained.french,
            detail_en=explained.english,
        )
