"""What a bank decides twice is written twice: on the table, which has no event a second time."""

from __future__ import annotations

import pytest

from billing.domain.crediting import Excess
from billing.domain.stripe_inbox import InboxState
from billing.usecases.stripe_events import settle_stripe_payment
from tests.faults.house import House
from tests.usecases.test_credit_notes import credit, part

pytestmark = pytest.mark.engine


def test_dispute_of_a_note_is_won_twice(house: House) -> None:
    house.found()
    intent = house.paid()
    credit(house.shop, house.invoice.invoice_id, part(10_000), excess=Excess.REFUND)
    bank, store = house.stripe.bank, house.stripe.store
    charge = bank.take(house.account_id, "payment_intent", intent)["latest_charge"]
    dispute_id = bank.dispute(house.account_id, charge, None, reason="fraudulent", inquiry=False)["id"]
    for status in ("lost", "won", "lost", "won"):
        decided = bank.take(house.account_id, "dispute", dispute_id)
        decided["status"] = status
        with store.writing():
            store.put(house.account_id, decided)

        told = settle_stripe_payment(house.invoice.tenant_id, house.account_id, intent, desk=house.desk)

        assert told.state is InboxState.DONE
    assert house.book.by_notes_minor == 0
