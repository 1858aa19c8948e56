"""Payment terms in requests and answers: a rule and its days."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictInt

from billing.api.answers import Reply, Request
from billing.domain.errors import FieldError
from billing.domain.payment_terms import MAX_TERMS_DAYS, PaymentTerms, TermsRule


class PaymentTermsRequest(Request):
    """`days_then_end_of_month` adds the days and finishes the month; `end_of_month_then_days` does the contrary."""

    rule: TermsRule
    days: Annotated[StrictInt, Field(ge=0, le=MAX_TERMS_DAYS, examples=[45])] = 0

    def terms(self, pointer: str, errors: list[FieldError]) -> PaymentTerms | None:
        """The terms, or None and what is wrong with them."""
        try:
            return PaymentTerms(rule=self.rule, days=self.days)
        except ValueError:
            errors.append(
                FieldError(f"{pointer}/days", "Cette règle ne compte pas de jours.", "This rule counts no days.")
            )
            return None


class PaymentTermsResponse(Reply):
    rule: TermsRule
    days: int
    wording: Annotated[str, Field(description="As it is printed in French", examples=["45 jours fin de mois"])]

    @classmethod
    def of(cls, terms: PaymentTerms) -> PaymentTermsResponse:
        return cls(rule=terms.rule, days=terms.days, wording=terms.wording_fr)


def only_one(terms: PaymentTermsRequest | None, days: int | None, errors: list[FieldError]) -> None:
    """The rule and the plain number of days say the same thing: one of them at most."""
    if terms is not None and days is not None:
        errors.append(
            FieldError(
                "/payment_terms_days",
                "Donnez une règle de paiement ou un nombre de jours, pas les deux.",
                "Give a payment rule or a number of days, not both.",
            )
        )
