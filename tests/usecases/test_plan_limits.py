"""Beyond the margin of the free plan no new invoice is issued; what the law demands of those there are goes on."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.api.subscription import subscription_use_answer
from billing.domain.bulk import BulkOperation, BulkOutcome
from billing.domain.errors import PlanLimitReached
from billing.domain.invoice import DraftInvoice, IssuedInvoice
from billing.domain.ledger import InvoiceStatus
from billing.domain.plans import AFTERWARDS, DUNNING, FREE, PLANS
from billing.domain.stripe import SubscriptionStatus
from billing.domain.subscription import PlanUse, Subscription
from billing.ports.drafts import LineInput
from billing.usecases.invoices import edit_invoice
from tests import factories
from tests.usecases.conftest import Shop
from tests.usecases.test_bulk_jobs import Bulk
from tests.usecases.test_credit_notes import credit
from tests.usecases.test_duplicates import duplicate
from tests.usecases.test_quote_billing import Site
from tests.usecases.test_recurring_invoices import START, Planner

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
STOPS_AT = FREE.stops_at or 0


@pytest.fixture
def full(shop: Shop) -> Shop:
    """A company on the free plan that issued all that it holds this month, margin included."""
    fill(shop, STOPS_AT)
    return shop


def fill(shop: Shop, count: int) -> None:
    customer_id = shop.customer().customer_id
    for _ in range(count):
        shop.issue(shop.draft(shop.wanted(customer_id)))


def test_the_file_of_the_plans_holds_the_free_one_alone() -> None:
    assert [(plan.plan_id.value, plan.near, plan.stops_at) for plan in PLANS] == [("free", 16, 24), ("pro", 800, None)]


@pytest.mark.parametrize(
    ("issued", "use"),
    [
        (0, "within"),
        (15, "within"),
        (16, "near"),
        (20, "near"),
        (21, "above"),
        (23, "above"),
        (24, "full"),
        (99, "full"),
    ],
)
def test_a_company_is_told_before_anything_is_refused(issued: int, use: str) -> None:
    free, pro = Subscription(tenant_id="ten_1"), factories.pro_subscription()

    assert free.use_of(issued, NOON) is PlanUse(use)
    assert pro.use_of(issued, NOON) is PlanUse.WITHIN
    assert (pro.use_of(800, NOON), pro.use_of(5_000, NOON)) == (PlanUse.NEAR, PlanUse.ABOVE)


def test_one_more_than_the_margin_is_refused_and_stays_a_draft(full: Shop) -> None:
    draft = full.draft()
    before = len(full.repositories.store.unplaced)

    with pytest.raises(PlanLimitReached) as refused:
        full.issue(draft)

    assert full.repositories.invoices.read(full.caller, draft.invoice_id) == draft
    assert len(full.repositories.store.unplaced) == before
    said = refused.value.detail_fr
    assert said.startswith(
        "L'offre gratuite est prévue pour 20 factures par mois, et 24 sont déjà datées de ce mois-ci."
    )
    assert "passez à l'offre Pro (page Abonnement, 14 jours d'essai gratuits)" in said
    assert "à partir du 01/12/2026" in said


def test_next_month_it_is_issued(full: Shop) -> None:
    draft = full.draft()
    full.clock.set(datetime(2026, 12, 1, 9, tzinfo=UTC))

    assert full.issue(draft).document.number == "F2026-00025"


def test_with_another_plan_the_same_request_is_answered(full: Shop) -> None:
    draft, once = full.draft(), full.once("issueInvoice")
    with pytest.raises(PlanLimitReached):
        full.issue(draft, once=once)

    full.subscribe()

    assert full.issue(draft, once=once).document.rank == 25


def test_what_was_issued_is_sent_paid_credited_and_read_to_its_end(full: Shop) -> None:
    one, other, *_ = (each for each in full.repositories.store.invoices.values() if isinstance(each, IssuedInvoice))

    full.send(one.invoice_id)
    full.pay(one.invoice_id, 12_000)
    note = credit(full, other.invoice_id)

    assert note.document.number == "A2026-00001"
    assert full.stored(one).ledger.status is InvoiceStatus.PAID
    assert full.stored(other).ledger.status is InvoiceStatus.CANCELLED


def test_an_invoice_that_replaces_one_that_was_credited_whole_is_issued(full: Shop) -> None:
    wrong, other, *_ = (each for each in full.repositories.store.invoices.values() if isinstance(each, IssuedInvoice))
    credit(full, wrong.invoice_id)

    replacing = duplicate(full, wrong.invoice_id)
    corrected = edit_invoice(
        full.caller,
        replacing.invoice_id,
        full.wanted(wrong.document.customer_id),
        expected_version=replacing.version,
        invoices=full.repositories.invoices,
        clock=full.clock,
        ids=full.ids,
    )

    assert full.issue(corrected).document.rank == STOPS_AT + 1
    with pytest.raises(PlanLimitReached):
        full.issue(duplicate(full, other.invoice_id))


def copied(shop: Shop, wrong: IssuedInvoice, customer_id: str) -> DraftInvoice:
    draft = duplicate(shop, wrong.invoice_id)
    return edit_invoice(
        shop.caller,
        draft.invoice_id,
        shop.wanted(customer_id),
        expected_version=draft.version,
        invoices=shop.repositories.invoices,
        clock=shop.clock,
        ids=shop.ids,
    )


def credited(shop: Shop) -> IssuedInvoice:
    wrong = next(one for one in shop.repositories.store.invoices.values() if isinstance(one, IssuedInvoice))
    credit(shop, wrong.invoice_id)
    return wrong


def test_a_credited_invoice_is_replaced_once(full: Shop) -> None:
    wrong = credited(full)
    first, second = (copied(full, wrong, wrong.document.customer_id) for _ in range(2))

    assert full.issue(first).document.rank == STOPS_AT + 1
    with pytest.raises(PlanLimitReached):
        full.issue(second)
    assert full.repositories.invoices.read(full.caller, second.invoice_id) == second


def test_a_credited_invoice_is_replaced_for_its_customer_only(full: Shop) -> None:
    wrong = credited(full)
    other = copied(full, wrong, full.customer().customer_id)

    with pytest.raises(PlanLimitReached):
        full.issue(other)

    assert full.issue(copied(full, wrong, wrong.document.customer_id)).document.rank == STOPS_AT + 1


def test_within_the_plan_a_second_copy_is_an_invoice_like_any_other(shop: Shop) -> None:
    fill(shop, 1)
    wrong = credited(shop)

    copies = [shop.issue(copied(shop, wrong, wrong.document.customer_id)) for _ in range(2)]

    assert [one.document.rank for one in copies] == [2, 3]
    assert shop.repositories.store.replaced == {(shop.caller.tenant_id, wrong.invoice_id): copies[0].invoice_id}


def test_what_replaces_within_the_plan_was_replaced_beyond_it(shop: Shop) -> None:
    fill(shop, STOPS_AT - 1)
    wrong = credited(shop)
    shop.issue(copied(shop, wrong, wrong.document.customer_id))

    with pytest.raises(PlanLimitReached):
        shop.issue(copied(shop, wrong, wrong.document.customer_id))


def test_of_many_copies_at_once_one_replaces(full: Shop) -> None:
    wrong = credited(full)
    copies = [copied(full, wrong, wrong.document.customer_id) for _ in range(6)]

    def issue(draft: DraftInvoice) -> int | None:
        try:
            return full.issue(draft).document.rank
        except PlanLimitReached:
            return None

    with ThreadPoolExecutor(6) as pool:
        ranks = list(pool.map(issue, copies))

    assert [rank for rank in ranks if rank] == [STOPS_AT + 1]


def test_the_rest_of_what_was_invoiced_in_part_is_issued() -> None:
    site = Site().accept()
    site.issue("deposit", percent=Decimal(30))
    fill(site.shop, STOPS_AT - 1)

    assert site.issue("rest").document.rank == STOPS_AT + 1
    with pytest.raises(PlanLimitReached):
        site.shop.issue()


def test_a_quote_of_which_nothing_was_issued_opens_nothing() -> None:
    """Anybody writes a quote, and accepts it for the customer."""
    site = Site().accept()
    fill(site.shop, STOPS_AT)
    whole = site.bill("rest")

    with pytest.raises(PlanLimitReached):
        site.shop.issue(whole)

    site.shop.subscribe()
    assert site.shop.issue(whole).document.rank == STOPS_AT + 1


def test_no_deposit_of_a_new_quote_is_issued() -> None:
    site = Site().accept()
    fill(site.shop, STOPS_AT)

    with pytest.raises(PlanLimitReached):
        site.issue("deposit", percent=Decimal(30))


@pytest.mark.parametrize("how", [("part", {"percent": Decimal(20)}), ("deposit", {"percent": Decimal(5)})])
def test_what_goes_on_after_a_deposit_is_issued(how: tuple[str, dict[str, Any]]) -> None:
    site = Site().accept()
    site.issue("deposit", percent=Decimal(30))
    fill(site.shop, STOPS_AT - 1)

    assert site.issue(how[0], **how[1]).document.rank == STOPS_AT + 1
    assert site.issue("rest").document.rank == STOPS_AT + 2


def test_what_goes_on_is_made_no_other_customers() -> None:
    site = Site(("1", "1000", "20")).accept()
    site.issue("deposit", percent=Decimal(30))
    fill(site.shop, STOPS_AT - 1)
    draft = site.bill("part", percent=Decimal(20))
    lines = tuple(
        LineInput(description=one.description, quantity=one.quantity, unit_price=one.unit_price, vat=one.vat)
        for one in draft.content.lines
    )

    other = edit_invoice(
        site.shop.caller,
        draft.invoice_id,
        site.shop.wanted(site.shop.customer(name="Une autre").customer_id, *lines),
        expected_version=draft.version,
        invoices=site.held.invoices,
        clock=site.shop.clock,
        ids=site.shop.ids,
    )

    with pytest.raises(PlanLimitReached):
        site.shop.issue(other)


@pytest.mark.parametrize(
    "held",
    [
        {"status": SubscriptionStatus.TRIALING},
        {"status": SubscriptionStatus.ACTIVE},
        {"status": SubscriptionStatus.PAST_DUE, "unpaid_since": NOON - timedelta(days=40)},
        {"status": SubscriptionStatus.UNPAID, "unpaid_since": NOON - DUNNING - AFTERWARDS + timedelta(minutes=1)},
        {"status": SubscriptionStatus.CANCELED, "ended_at": NOON - AFTERWARDS + timedelta(minutes=1)},
        {"status": SubscriptionStatus.PAUSED, "current_period_end": NOON - timedelta(days=1)},
    ],
)
def test_a_trial_a_paid_plan_and_the_days_after_it_hold_nothing(held: dict[str, Any]) -> None:
    assert factories.pro_subscription(**held).stops_at(NOON) is None


@pytest.mark.parametrize(
    "held",
    [
        {"status": SubscriptionStatus.UNPAID, "unpaid_since": NOON - DUNNING - AFTERWARDS},
        {"status": SubscriptionStatus.CANCELED, "ended_at": NOON - AFTERWARDS},
        {"status": SubscriptionStatus.PAUSED, "current_period_end": NOON - AFTERWARDS},
        {"status": SubscriptionStatus.INCOMPLETE},
        {"status": SubscriptionStatus.INCOMPLETE_EXPIRED},
    ],
)
def test_what_never_began_or_is_long_over_is_the_free_plan(held: dict[str, Any]) -> None:
    assert factories.pro_subscription(**held).stops_at(NOON) == FREE.stops_at


def test_a_series_whose_month_is_not_counted_yet_holds_nothing(full: Shop) -> None:
    store = full.repositories.store
    for key, state in store.series.items():
        store.series[key] = replace(state, month_opening=None)

    assert full.issue().document.rank == 25


def test_many_at_once_take_what_is_left_and_no_more(shop: Shop) -> None:
    customer_id = shop.customer().customer_id
    drafts = [shop.draft(shop.wanted(customer_id)) for _ in range(STOPS_AT + 10)]

    def issue(draft: DraftInvoice) -> int | None:
        try:
            return shop.issue(draft).document.rank
        except PlanLimitReached:
            return None

    with ThreadPoolExecutor(8) as pool:
        ranks = list(pool.map(issue, drafts))

    assert sorted(rank for rank in ranks if rank) == list(range(1, STOPS_AT + 1))
    assert ranks.count(None) == 10


def test_a_job_refuses_those_beyond_and_says_why(shop: Shop) -> None:
    bulk = Bulk(shop)
    customer_id = shop.customer().customer_id
    chosen = [shop.draft(shop.wanted(customer_id)).invoice_id for _ in range(STOPS_AT + 2)]

    job = bulk.start(BulkOperation.ISSUE, *chosen)
    bulk.run(job)

    assert [one.outcome for one in bulk.results(job)].count(BulkOutcome.DONE) == STOPS_AT
    assert [*bulk.refusals(job).values()] == ["plan-limit-reached"] * 2


def test_a_recurring_invoice_waits_as_a_draft_and_goes_on_next_month(shop: Shop) -> None:
    planner = Planner(shop)
    recurring = planner.create()
    planner.go_to(START)
    fill(shop, STOPS_AT)

    assert (planner.run().parked, planner.read(recurring).error) == (1, "plan-limit-reached")
    planner.go_to(START + timedelta(days=1))
    assert planner.run().parked == 1
    planner.go_to((START + timedelta(days=31)).replace(day=1))

    assert planner.run().issued == 2
    assert planner.read(recurring).error == ""


@pytest.mark.parametrize(("issued", "said"), [
    (15, None),
    (16, "16 factures sont datées de ce mois-ci, sur 20 prévues par l'offre gratuite. 24 au plus sont émises par mois"),
    (21, "21 factures sont datées de ce mois-ci"),
    (24, "Aucune autre n'est émise avant le 01/12/2026, sauf si vous passez à l'offre Pro (page Abonnement, 14 jours"),
])  # fmt: skip
def test_what_a_month_used_is_said_in_words(issued: int, said: str | None) -> None:
    body = json.loads(subscription_use_answer(Subscription(tenant_id="ten_1"), now=NOON, invoices=issued).body)

    assert body["use_fr"] is None if said is None else said in body["use_fr"]
    assert (body["use_fr"] is None) is (body["use_en"] is None)


def test_a_plan_that_holds_nobody_says_that_everything_goes_on() -> None:
    body = json.loads(subscription_use_answer(factories.pro_subscription(), now=NOON, invoices=1_001).body)

    assert body["use_fr"].endswith("sur 1000 prévues par l'offre Pro. Tout continue de fonctionner.")


def test_who_had_the_paid_plan_is_offered_no_second_trial() -> None:
    held = factories.pro_subscription().held
    assert held is not None
    over = replace(held, status=SubscriptionStatus.CANCELED, ended_at=NOON - timedelta(days=60))
    body = json.loads(subscription_use_answer(Subscription(tenant_id="ten_1", held=over), now=NOON, invoices=24).body)

    assert (body["use"], "essai" in body["use_fr"]) == ("full", False)
