"""What richer invoices hold comes back as it was written, as a draft and issued."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from billing.domain.particulars import BillingPeriod, Particulars
from billing.domain.parties import Address
from billing.domain.payment_terms import PaymentTerms, TermsRule
from billing.domain.totals import Adjustment, Charge, Discount
from tests import factories
from tests.contracts.conftest import World

PARTICULARS = Particulars(
    buyer_reference="SERVICE-7",
    contract="C-1",
    project="P-1",
    period=BillingPeriod(start=date(2026, 10, 1), end=date(2026, 10, 31)),
    delivery_name="Annexe",
    delivery_address=Address(line1="4 quai Exemple", postal_code="33000", city="Bordeaux"),
    header_text="Bonjour",
    footer_text="« Merci »",
)


def test_a_rich_invoice_is_read_back_whole(world: World) -> None:
    holding = factories.content(
        factories.priced("100", discount=Discount(percent=Decimal(5)), charge=Charge(amount_minor=250)),
        allowances=(Adjustment(percent=Decimal("2.5"), reason="Fidélité", reason_code="95", vat=factories.VAT_20),),
        charges=(Adjustment(amount_minor=800, reason="Port", reason_code="FC", vat=factories.VAT_5_5),),
        payment_terms=PaymentTerms(rule=TermsRule.DAYS_THEN_END_OF_MONTH, days=45),
        particulars=PARTICULARS,
        private_notes="Entre nous",
    )
    draft = world.add_draft(holding=holding)
    assert world.repositories.invoices.read(world.caller, draft.invoice_id) == draft

    issued = world.issue(draft)

    assert world.repositories.invoices.read(world.caller, draft.invoice_id) == issued
    assert (issued.private_notes, issued.document.particulars) == ("Entre nous", PARTICULARS)
    assert "Entre nous" not in issued.document.canonical()
