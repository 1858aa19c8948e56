"""Two customers become one: nothing of either is lost, moved twice or stuck, whoever acts at the same time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest

from billing.domain.access import Role
from billing.domain.customer_credit import CreditEntryKind
from billing.domain.errors import (
    CustomerCreditExceeded,
    CustomerMerged,
    FieldErrors,
    Forbidden,
    NotFound,
    UnknownReference,
)
from billing.domain.events import EventType
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import InvoiceStatus
from billing.domain.parties import Contact, Customer, CustomerKind
from billing.domain.payments import PaymentExcess, WantedAllocation
from billing.ports.credit_notes import CreditNoteQuery
from billing.ports.idempotency import AlreadyAnswered
from billing.ports.paging import PageRequest
from billing.ports.payments import PaymentQuery
from billing.ports.quotes import QuoteQuery
from billing.ports.repositories import InvoiceQuery
from billing.usecases import customer_accounts, customers, reminders
from billing.usecases.customer_merges import merge_customer
from tests import factories
from tests.fakes.crashes import Crashed, CrashPoint
from tests.usecases.conftest import Shop
from tests.usecases.test_credit_notes import credit, verified
from tests.usecases.test_payments import CREDIT, Till
from tests.usecases.test_quotes import Desk
from tests.usecases.test_recurring_invoices import Planner
from tests.usecases.test_reminders import Dunning

PAGE = PageRequest(limit=100)
NAMELESS: dict[str, Any] = {"siren": None, "siret": None, "vat_number": None}


class Pair:
    """A customer and its duplicate, each with an invoice of 120 euros."""

    def __init__(self, shop: Shop, **changes: Any) -> None:
        self.shop = shop
        self.held = shop.repositories
        self.kept, self.gone = Till(shop), Till(shop, **NAMELESS | changes)

    @property
    def kept_id(self) -> str:
        return self.kept.customer_id

    @property
    def gone_id(self) -> str:
        return self.gone.customer_id

    def merge(self, into: str | None = None, duplicate: str | None = None, **changes: Any) -> Customer:
        values: dict[str, Any] = {
            "once": self.shop.once("mergeCustomer"),
            "merges": self.held.customer_merges,
            "clock": self.shop.clock,
            "ids": self.shop.ids,
        }
        caller = changes.pop("caller", self.shop.caller)
        return merge_customer(caller, into or self.kept_id, duplicate or self.gone_id, **values | changes)

    def customer(self, customer_id: str) -> Customer:
        return self.held.customers.read(self.shop.caller, customer_id)

    def owed(self, customer_id: str) -> int:
        statement = customer_accounts.read_customer_statement(
            self.shop.caller, customer_id, None, None, accounts=self.held.accounts, clock=self.shop.clock
        )
        [account] = statement.accounts
        return account.closing_minor


@pytest.fixture
def pair(shop: Shop) -> Pair:
    return Pair(shop)


def test_what_was_the_duplicates_is_the_customers_from_then_on(pair: Pair) -> None:
    shop, desk = pair.shop, Desk(pair.shop)
    quote = desk.draft(customer_id=pair.gone_id)
    note = credit(shop, pair.gone.invoices[0].invoice_id)
    paid = pair.kept.pay(5_000, 5_000)

    pair.merge()

    for customer_id in (pair.kept_id, pair.gone_id):
        shown = pair.held.invoices.list(shop.caller, InvoiceQuery(customer_id=customer_id), PAGE)
        assert {one.invoice_id for one in shown.items} == {
            pair.kept.invoices[0].invoice_id,
            pair.gone.invoices[0].invoice_id,
        }
        on = shop.clock.today()
        quotes = pair.held.quotes.list(shop.caller, QuoteQuery(on=on, customer_id=customer_id), PAGE)
        assert [one.quote_id for one in quotes.items] == [quote.quote_id]
        notes = pair.held.credit_notes.list(shop.caller, CreditNoteQuery(customer_id=customer_id), PAGE)
        assert [one.credit_note_id for one in notes.items] == [note.invoice_id]
        received = pair.held.payments.list(shop.caller, PaymentQuery(customer_id=customer_id), PAGE)
        assert [one.payment_id for one in received.items] == [paid.payment_id]
        assert pair.owed(customer_id) == 12_000 - 5_000
    assert verified(shop).findings == ()


def test_a_duplicate_is_in_no_list_no_search_and_no_likeness_but_can_be_read(pair: Pair) -> None:
    shop = pair.shop
    before = pair.customer(pair.gone_id)

    kept = pair.merge()

    gone = pair.customer(pair.gone_id)
    assert (kept.merged_ids, kept.merged_into) == ((pair.gone_id,), None)
    assert (gone.merged_into, gone.description, gone.version) == (pair.kept_id, before.description, 2)
    listed = customers.list_customers(shop.caller, PAGE, customers=pair.held.customers).items
    found = customers.search_customers(shop.caller, "atelier", PAGE, customers=pair.held.customers).items
    assert [one.customer_id for one in listed] == [one.customer_id for one in found] == [pair.kept_id]
    alike = customers.find_duplicate_customers(shop.caller, pair.kept_id, customers=pair.held.customers)
    assert alike == ()


def test_what_the_customer_lacks_comes_from_the_duplicate_and_mail_goes_where_it_went(shop: Shop) -> None:
    books = Contact(name="Comptabilité", email="compta3@client.exemple.test", receives_invoices=True)
    kept = shop.customer(**NAMELESS, phone="", notes="Appeler le matin.")
    gone = shop.customer(
        phone="+33 4 00 00 00 00", contacts=(books,), email="autre@client.exemple.test", notes="Grand compte."
    )
    pair = Pair(shop)

    merged = pair.merge(kept.customer_id, gone.customer_id).description

    assert (merged.siren, merged.vat_number, merged.phone) == (
        gone.description.siren,
        gone.description.vat_number,
        gone.description.phone,
    )
    assert merged.notes == "Appeler le matin.\nGrand compte."
    assert [one.name for one in merged.contacts] == ["Comptabilité"]
    assert merged.invoice_email == kept.description.email


def test_each_identifier_that_lacks_comes_along(shop: Shop) -> None:
    kept = shop.customer(siret=None, vat_number=None)

    merged = Pair(shop).merge(kept.customer_id, shop.customer().customer_id).description

    assert (merged.siret, merged.vat_number) == (factories.BUYER_SIRET, "FR14987654324")


def test_issued_documents_keep_the_customer_as_it_was(pair: Pair) -> None:
    invoice = pair.gone.invoices[0]

    pair.merge()

    assert pair.shop.stored(invoice).document == invoice.document


def test_a_draft_of_the_duplicate_is_issued_to_the_customer(pair: Pair) -> None:
    shop = pair.shop
    draft = shop.draft(shop.wanted(pair.gone_id))

    pair.merge()

    issued = shop.issue(draft)
    assert issued.document.customer_id == pair.kept_id
    assert issued.document.buyer.siren == factories.BUYER_SIREN
    assert pair.owed(pair.kept_id) == 3 * 12_000


def test_whoever_names_the_duplicate_names_the_customer(pair: Pair) -> None:
    shop = pair.shop
    desk, planner = Desk(shop), Planner(shop)
    planner.customer_id = pair.gone_id
    recurring = planner.create()
    quote = desk.draft(customer_id=pair.gone_id)
    pair.merge()

    assert shop.draft(shop.wanted(pair.gone_id)).content.customer_id == pair.kept_id
    assert desk.draft(customer_id=pair.gone_id).content.customer_id == pair.kept_id
    sent = desk.send(quote)
    assert sent.document is not None
    assert sent.document.customer_id == pair.kept_id
    planner.go_to(recurring.next_date or date.max)
    planner.run()
    assert planner.documents[-1].document.customer_id == pair.kept_id
    paid = pair.gone.pay(24_000, None, allocations=(_all(pair.kept.invoices[0]), _all(pair.gone.invoices[0])))
    assert paid.customer_id == pair.kept_id
    assert [shop.stored(one).ledger.status for one in (*pair.kept.invoices, *pair.gone.invoices)] == [
        InvoiceStatus.PAID
    ] * 2


def _all(invoice: IssuedInvoice) -> WantedAllocation:
    return WantedAllocation(invoice_id=invoice.invoice_id, amount_minor=None)


def test_the_credit_of_both_is_one(pair: Pair) -> None:
    pair.kept.pay(1_000, excess=CREDIT)
    pair.gone.pay(500, excess=CREDIT)

    pair.merge()

    assert (pair.kept.credit, pair.gone.credit) == (1_500, 1_500)
    entries = pair.held.payments.credit_entries(pair.shop.caller, pair.gone_id, PAGE).items
    assert (entries[0].kind, entries[0].amount_minor, entries[0].balance_minor, entries[0].source_id) == (
        CreditEntryKind.MERGED_OUT,
        500,
        0,
        pair.kept_id,
    )
    # The duplicate's invoice is paid from what the customer has, and given back to it.
    applied = pair.gone.apply(1_200)
    assert (pair.kept.credit, pair.gone.balances()) == (300, [10_800])
    pair.gone.reverse(applied)
    assert (pair.kept.credit, pair.gone.balances()) == (1_500, [12_000])
    assert pair.gone.give_back(1_500) == 0
    assert verified(pair.shop).findings == ()


def test_what_moved_on_the_duplicates_credit_is_taken_back_from_the_customers(pair: Pair) -> None:
    over = pair.gone.pay(13_000, 12_000, excess=CREDIT)
    spent = pair.gone.pay(700, excess=CREDIT)
    pair.merge()

    pair.gone.reverse(over)
    assert (pair.kept.credit, pair.gone.balances()) == (700, [12_000])
    pair.kept.give_back(700)
    with pytest.raises(CustomerCreditExceeded):
        pair.gone.reverse(spent)
    pair.gone.pay(12_000, 12_000)
    credit(pair.shop, pair.gone.invoices[0].invoice_id)
    assert pair.kept.credit == 12_000
    assert verified(pair.shop).findings == ()


def test_an_empty_credit_is_closed_too(pair: Pair) -> None:
    """Else a payment that was read before the merge would leave credit where nobody finds it."""
    before = pair.held.payments.load(pair.shop.caller, pair.gone_id, ()).credit

    pair.merge()

    [closing] = pair.held.payments.credit_entries(pair.shop.caller, pair.gone_id, PAGE).items
    assert (closing.kind, closing.amount_minor, closing.rank) == (CreditEntryKind.MERGED_OUT, 0, before.entry_count + 1)
    assert verified(pair.shop).findings == ()


def test_merges_flow_together(shop: Shop) -> None:
    pair = Pair(shop)
    last = Till(shop, **NAMELESS)
    pair.gone.pay(500, excess=CREDIT)
    pair.merge()

    merged = pair.merge(last.customer_id, pair.kept_id)

    assert merged.merged_ids == (pair.kept_id, pair.gone_id)
    assert [pair.customer(one).merged_into for one in merged.merged_ids] == [last.customer_id] * 2
    assert (pair.owed(pair.gone_id), last.credit) == (3 * 12_000 - 500, 500)
    assert merged.description.siren == factories.BUYER_SIREN
    assert verified(shop).findings == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"siren": "732829320", "siret": None, "vat_number": None}, "SIREN"),
        ({"siren": None, "siret": None, "vat_number": "FR44732829320"}, "SIREN"),
        ({"siren": None, "siret": None, "vat_number": "BE0428759497"}, "TVA"),
        ({"siren": factories.BUYER_SIREN, "siret": "98765432400027", "vat_number": None}, "SIRET"),
        ({"kind": CustomerKind.INDIVIDUAL}, "particulier"),
        ({"contacts": tuple(Contact(name=f"Contact {n}") for n in range(20))}, "contacts"),
        ({"notes": "x" * 2000}, "notes"),
    ],
)
def test_two_that_cannot_be_one_are_refused(shop: Shop, changes: dict[str, Any], said: str) -> None:
    pair = Pair(shop, **changes)
    last = shop.customer(contacts=(Contact(name="Direction"),), notes="Grand compte.")

    with pytest.raises(FieldErrors) as refused:
        pair.merge(last.customer_id)

    assert [one.pointer for one in refused.value.errors] == ["/duplicate_id"]
    assert said in refused.value.errors[0].detail_fr
    assert pair.customer(pair.gone_id).merged_into is None


def test_not_with_itself_nor_with_what_is_not_there(pair: Pair, shop: Shop) -> None:
    with pytest.raises(FieldErrors):
        pair.merge(pair.kept_id, pair.kept_id)
    with pytest.raises(NotFound):
        pair.merge("cus_none")
    with pytest.raises(UnknownReference):
        pair.merge(duplicate="cus_none")
    with pytest.raises(Forbidden):
        pair.merge(caller=shop.person(Role.VIEWER))


def test_a_duplicate_is_changed_no_more(pair: Pair) -> None:
    pair.merge()
    third = pair.shop.customer(**NAMELESS).customer_id

    for into, duplicate in ((pair.gone_id, third), (third, pair.gone_id), (pair.kept_id, pair.gone_id)):
        with pytest.raises(CustomerMerged) as refused:
            pair.merge(into, duplicate)
        assert pair.kept_id in refused.value.detail_fr
        at = [] if into == pair.gone_id else ["/duplicate_id"]
        assert [one.pointer for one in refused.value.errors] == at
    assert customers.find_duplicate_customers(pair.shop.caller, pair.gone_id, customers=pair.held.customers) == ()
    gone = pair.customer(pair.gone_id)
    with pytest.raises(CustomerMerged):
        customers.edit_customer(
            pair.shop.caller,
            pair.gone_id,
            gone.description,
            expected_version=gone.version,
            customers=pair.held.customers,
            clock=pair.shop.clock,
            ids=pair.shop.ids,
        )


def test_at_most_six_ids_are_one_customer(shop: Shop) -> None:
    pair = Pair(shop)
    pair.merge()
    for _ in range(4):
        pair.merge(duplicate=shop.customer(**NAMELESS).customer_id)

    with pytest.raises(FieldErrors):
        pair.merge(duplicate=shop.customer(**NAMELESS).customer_id)

    assert len(pair.customer(pair.kept_id).merged_ids) == 5


def test_reminders_ask_the_customer_and_keep_the_longer_pause(shop: Shop) -> None:
    dunning = Dunning(shop)
    pair = Pair(shop, email="ancien@client.exemple.test")
    until = shop.clock.today() + timedelta(days=90)
    reminders.pause_reminder(shop.caller, pair.gone_id, until=until, once=shop.once("pauseReminder"), **dunning.ports)

    pair.merge()

    invoice = pair.gone.invoices[0]
    context = pair.held.reminders.load(shop.caller, invoice.invoice_id)
    assert context.customer is not None
    assert context.customer.customer_id == pair.kept_id
    assert (context.pause.customer_id, context.pause.until) == (pair.kept_id, until)
    reminders.resume_reminder(shop.caller, pair.gone_id, once=shop.once("resumeReminder"), **dunning.ports)
    assert not pair.held.reminders.load(shop.caller, invoice.invoice_id).pause.paused


def test_a_longer_pause_of_the_customer_stays(shop: Shop) -> None:
    dunning, pair = Dunning(shop), Pair(shop)
    today = shop.clock.today()
    for customer_id, until in ((pair.kept_id, None), (pair.gone_id, today + timedelta(days=9))):
        reminders.pause_reminder(
            shop.caller, customer_id, until=until, once=shop.once("pauseReminder"), **dunning.ports
        )

    pair.merge()

    assert reminders.read_reminder_pause(shop.caller, pair.gone_id, reminders=pair.held.reminders).until is None


def test_both_ways_at_once_one_wins(shop: Shop) -> None:
    pair = Pair(shop)
    pair.kept.pay(1_000, excess=CREDIT)
    pair.gone.pay(500, excess=CREDIT)
    ways = [(pair.kept_id, pair.gone_id), (pair.gone_id, pair.kept_id)] * 4
    barrier, once = threading.Barrier(len(ways)), [shop.once("mergeCustomer") for _ in ways]

    def attempt(rank: int) -> str:
        barrier.wait()
        try:
            pair.merge(*ways[rank], once=once[rank])
        except CustomerMerged:
            return "refused"
        return "merged"

    with ThreadPoolExecutor(len(ways)) as pool:
        said = list(pool.map(attempt, range(len(ways))))

    assert sorted(said) == ["merged"] + ["refused"] * 7
    assert (pair.kept.credit, pair.gone.credit) == (1_500, 1_500)
    heads = [pair.customer(one) for one in (pair.kept_id, pair.gone_id)]
    assert sorted(len(one.merged_ids) for one in heads) == [0, 1]
    assert verified(shop).findings == ()


def test_payments_during_a_merge_leave_nothing_behind(shop: Shop) -> None:
    pair = Pair(shop)
    barrier = threading.Barrier(9)

    def pay() -> None:
        barrier.wait()
        pair.gone.pay(100, excess=PaymentExcess.CUSTOMER_CREDIT)

    def merge() -> None:
        barrier.wait()
        pair.merge()

    with ThreadPoolExecutor(9) as pool:
        for done in [pool.submit(merge), *(pool.submit(pay) for _ in range(8))]:
            done.result()

    assert (pair.kept.credit, pair.gone.credit) == (800, 800)
    assert pair.owed(pair.kept_id) == 24_000 - 800
    assert verified(shop).findings == ()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [1, 2])
def test_a_crash_anywhere_and_the_same_request_again_merge_once(shop: Shop, at: int, after: bool) -> None:
    pair = Pair(shop)
    pair.gone.pay(500, excess=CREDIT)
    once = shop.once("mergeCustomer")
    crash = CrashPoint(at=at, after=after)
    with pytest.raises(Crashed):
        pair.merge(once=once, merges=crash.watch(pair.held.customer_merges))

    if (at, after) == (2, True):
        with pytest.raises(AlreadyAnswered):
            pair.merge(once=once)
    else:
        pair.merge(once=once)

    assert (pair.kept.credit, pair.customer(pair.kept_id).version) == (500, 2)


def test_both_customers_tell_of_it(pair: Pair) -> None:
    pair.gone.pay(500, excess=CREDIT)

    pair.merge()

    for customer_id in (pair.kept_id, pair.gone_id):
        event = pair.held.store.events[pair.shop.caller.tenant_id, customer_id][-1]
        assert event.event_type is EventType.CUSTOMER_MERGED
        assert (event.data["merged_id"], event.data["into_id"]) == (pair.gone_id, pair.kept_id)
        assert event.data["credit_minor"] == 500
