"""What the endpoints at Stripe have to be told is what the code handles, and what the runbook says."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from billing.domain.stripe_inbox import MAX_ATTEMPTS, SWEPT_AFTER, InboxState
from billing.usecases.stripe_events import OF_ACCOUNTS, OF_PLATFORM
from local.layout import PROJECT
from tests.usecases.conftest import Shop
from tests.usecases.stripe_desk import Till
from tests.usecases.test_subscriptions import Office

RUNBOOK = (PROJECT / "docs" / "runbook.md").read_text(encoding="utf-8")
SOURCES = sorted((PROJECT / "local" / "stripe").glob("*.py"))
SPOKEN = r'emit\(\w+, "([a-z_.]+)"'
# Others tell the same facts, or what nobody waits for; the local Stripe sends them all the same, as Stripe would not.
NOT_NEEDED = {
    "charge.failed",
    "charge.pending",
    "charge.refund.updated",
    "charge.succeeded",
    "invoice.created",
    "invoice.finalized",
    "invoice.payment_succeeded",
    "payment_intent.created",
    "payout.created",
    "payout.updated",
}


@pytest.mark.parametrize(("title", "wanted"), [("Connect", OF_ACCOUNTS), ("Account", OF_PLATFORM)])
def test_the_runbook_names_them_all(title: str, wanted: tuple[str, ...]) -> None:
    found = re.search(rf"^- {title}, [^:]+: (.*?)\.\n(?=- |\n)", RUNBOOK, re.MULTILINE | re.DOTALL)
    assert found

    assert tuple(re.findall(r"`([^`]+)`", found[1])) == wanted
    assert [*wanted] == sorted(set(wanted))


@pytest.mark.parametrize("event_type", OF_ACCOUNTS)
def test_each_of_an_account_is_looked_into(shop: Shop, event_type: str) -> None:
    till = Till(shop)
    about = {"account": till.account_id, "payout": "po_unknown", "checkout": "cs_unknown", "refund": "re_unknown"}
    object_id = about.get(event_type.partition(".")[0], "pi_unknown")
    asked: list[str] = []
    real = till.stripe

    class Watched:
        def __getattr__(self, name: str) -> object:
            asked.append(name)
            return getattr(real, name)

    till.process(till.told(event_type, object_id), stripe=Watched())

    assert asked, "an event that nobody handles is ended without a look at Stripe"


@pytest.mark.parametrize("event_type", OF_PLATFORM)
def test_each_of_the_platform_is_looked_into(shop: Shop, event_type: str) -> None:
    office = Office(shop)
    held = office.confirm()
    assert office.read().held is None

    assert office.tell(event_type, held.customer_id).state is InboxState.DONE

    assert office.read().held == held


def test_what_stripe_may_say_is_enabled_or_known_not_to_be_needed() -> None:
    spoken = {one for source in SOURCES for one in re.findall(SPOKEN, Path(source).read_text(encoding="utf-8"))}

    assert len(spoken) > 20
    assert spoken - set(OF_ACCOUNTS) - set(OF_PLATFORM) <= NOT_NEEDED
    assert NOT_NEEDED.isdisjoint({*OF_ACCOUNTS, *OF_PLATFORM})


def test_what_cannot_be_processed_is_tried_for_as_long_as_the_runbook_says() -> None:
    tried = sum(SWEPT_AFTER[:MAX_ATTEMPTS], timedelta())

    assert f"ever more rarely, for {round(tried / timedelta(hours=1))} hours." in RUNBOOK
