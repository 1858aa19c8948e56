"""Due dates: each rule at month ends, leap days and the turn of the year."""

from __future__ import annotations

from datetime import date

import pytest

from billing.domain.payment_terms import PaymentTerms, TermsRule
from tests import factories
from tests.factories import ISSUED_ON, issued

RECEIPT, NET, MONTH = TermsRule.ON_RECEIPT, TermsRule.NET_DAYS, TermsRule.END_OF_MONTH
THEN_MONTH, THEN_DAYS = TermsRule.DAYS_THEN_END_OF_MONTH, TermsRule.END_OF_MONTH_THEN_DAYS


@pytest.mark.parametrize(
    ("rule", "days", "issued_on", "due"),
    [
        (RECEIPT, 0, "2026-12-31", "2026-12-31"),
        (NET, 0, "2026-12-31", "2026-12-31"),
        (NET, 30, "2026-12-31", "2027-01-30"),
        (NET, 30, "2027-01-31", "2027-03-02"),
        (NET, 30, "2028-01-31", "2028-03-01"),
        (NET, 60, "2027-12-31", "2028-02-29"),
        (NET, 365, "2028-02-29", "2029-02-28"),
        (MONTH, 0, "2026-11-30", "2026-11-30"),
        (MONTH, 0, "2028-02-01", "2028-02-29"),
        (MONTH, 0, "2027-02-28", "2027-02-28"),
        # Both ways of counting 45 days end of month (Code de commerce L441-10, I).
        (THEN_MONTH, 45, "2027-01-31", "2027-03-31"),
        (THEN_DAYS, 45, "2027-01-31", "2027-03-17"),
        (THEN_MONTH, 45, "2028-01-15", "2028-02-29"),
        (THEN_DAYS, 45, "2028-01-15", "2028-03-16"),
        (THEN_MONTH, 45, "2026-11-16", "2026-12-31"),
        (THEN_MONTH, 45, "2026-11-17", "2027-01-31"),
        (THEN_DAYS, 45, "2026-11-01", "2027-01-14"),
        (THEN_DAYS, 45, "2026-11-30", "2027-01-14"),
        (THEN_MONTH, 30, "2028-02-29", "2028-03-31"),
        (THEN_DAYS, 30, "2028-02-29", "2028-03-30"),
    ],
)
def test_a_rule_gives_its_due_date(rule: TermsRule, days: int, issued_on: str, due: str) -> None:
    terms = PaymentTerms(rule=rule, days=days)

    assert terms.due_date(date.fromisoformat(issued_on)) == date.fromisoformat(due)


def test_both_ways_of_counting_have_their_own_words() -> None:
    ways = [PaymentTerms(rule=rule, days=45) for rule in (THEN_MONTH, THEN_DAYS)]

    assert [terms.wording_fr for terms in ways] == ["45\u00a0jours fin de mois", "fin de mois + 45\u00a0jours"]
    assert [terms.wording_en for terms in ways] == ["45\u00a0days then end of month", "end of month + 45\u00a0days"]


@pytest.mark.parametrize(("rule", "days"), [(RECEIPT, 1), (MONTH, 30), (NET, -1), (NET, 366)])
def test_impossible_terms_cannot_be_built(rule: TermsRule, days: int) -> None:
    with pytest.raises(ValueError, match="payment terms"):
        PaymentTerms(rule=rule, days=days)


MONTHLY = PaymentTerms(rule=MONTH)
FORTY_FIVE = PaymentTerms(rule=THEN_MONTH, days=45)


def test_the_documents_terms_go_before_the_customers_and_those_before_the_companys() -> None:
    seller = factories.company(description=factories.company_description(payment_terms=MONTHLY))
    buyer = factories.customer(description=factories.customer_description(payment_terms=FORTY_FIVE))
    plain = factories.customer(description=factories.customer_description(payment_terms_days=None))

    own = issued(seller=seller, buyer=buyer, payment_terms=PaymentTerms.net(10)).document
    customers = issued(seller=seller, buyer=buyer).document
    companys = issued(seller=seller, buyer=plain).document

    assert own.payment_terms == PaymentTerms.net(10)
    assert (customers.payment_terms, customers.due_date) == (FORTY_FIVE, FORTY_FIVE.due_date(ISSUED_ON))
    assert (companys.payment_terms, companys.due_date) == (MONTHLY, MONTHLY.due_date(ISSUED_ON))


def test_a_due_date_that_was_given_stands_without_terms() -> None:
    document = issued(due_date=date(2027, 1, 4), payment_terms=FORTY_FIVE).document

    assert (document.due_date, document.payment_terms) == (date(2027, 1, 4), None)
