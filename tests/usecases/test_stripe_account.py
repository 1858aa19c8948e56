"""A company connects its account at Stripe: made once whatever dies, shown as Stripe tells it, let go."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from billing.domain.errors import (
    CompanyNotDescribed,
    DependencyUnavailable,
    OnlinePaymentUnavailable,
    StaleVersion,
    StripeAccountNotConnected,
    StripeAccountRefused,
)
from billing.domain.events import EventType
from billing.domain.parties import OnboardingStep
from billing.domain.stripe_connection import ConnectionState, StripeConnection
from billing.domain.stripe_words import explain_connection, explain_reason, explain_requirement, explain_requirements
from billing.ports.idempotency import AlreadyAnswered
from billing.ports.stripe import StripeRefused
from billing.usecases import stripe_account
from billing.usecases.stripe_account import ConnectionLink
from tests.fakes.crashes import Crashed, CrashPoint
from tests.fakes.stripe import FakeStripe
from tests.usecases.conftest import Shop
from tests.usecases.test_checkouts import Counter

RETURN_URL = "https://app.exemple.test/paiements"


class Office:
    """A described company that has not connected anything yet."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.held = shop.repositories
        self.stripe = FakeStripe(clock=shop.clock)

    def ports(self, operation: str, **changes: Any) -> dict[str, Any]:
        return {
            "once": self.shop.once(operation),
            "connections": self.held.stripe_connections,
            "stripe": self.stripe,
            "clock": self.shop.clock,
            "ids": self.shop.ids,
        } | changes

    def connect(self, **changes: Any) -> ConnectionLink:
        ports = self.ports("connect") | {"companies": self.held.companies, "return_url": RETURN_URL} | changes
        return stripe_account.connect_stripe_account(self.shop.caller, **ports)

    def link(self, **changes: Any) -> ConnectionLink:
        ports = self.ports("link", return_url=RETURN_URL, **changes)
        return stripe_account.create_stripe_account_link(self.shop.caller, **ports)

    def refresh(self) -> StripeConnection:
        return stripe_account.refresh_stripe_account(self.shop.caller, **self.ports("refresh"))

    def disconnect(self) -> StripeConnection:
        ports = self.ports("disconnect")
        del ports["stripe"]
        return stripe_account.disconnect_stripe_account(self.shop.caller, **ports)

    def edit(self, *, version: int, allowed: bool = True) -> StripeConnection:
        return stripe_account.edit_stripe_account(
            self.shop.caller,
            allows_partial_payments=allowed,
            expected_version=version,
            connections=self.held.stripe_connections,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def read(self) -> StripeConnection:
        return stripe_account.read_stripe_account(self.shop.caller, connections=self.held.stripe_connections)

    @property
    def told(self) -> list[EventType]:
        kinds = (waiting.event.event_type for waiting in self.held.store.unplaced.values())
        return [kind for kind in kinds if kind.value.startswith("stripe_account.")]


@pytest.fixture
def office(shop: Shop) -> Office:
    return Office(shop)


def test_connecting_makes_an_account_and_leads_to_stripe(office: Office) -> None:
    made = office.connect()

    (account_id,) = office.stripe.accounts
    assert made.connection == office.read()
    assert (made.connection.state, made.connection.accepts_payments) == (ConnectionState.CONNECTED, False)
    assert account_id in made.link.url
    assert f"{RETURN_URL}?compte=retour" in made.link.url
    assert office.held.stripe_connections.tenant_of(account_id) == office.shop.caller.tenant_id
    ((wanted, _),) = office.stripe.answered.values()
    assert (wanted.country, wanted.metadata) == ("FR", {"tenant_id": office.shop.caller.tenant_id})
    assert office.told == [EventType.STRIPE_ACCOUNT_CONNECTED]


def test_connecting_leaves_the_onboarding_step_of_payments(office: Office) -> None:
    company = office.held.companies.read(office.shop.caller)
    assert company is not None
    assert company.onboarding is OnboardingStep.PAYMENTS

    office.connect()

    connected = office.held.companies.read(office.shop.caller)
    assert connected is not None
    assert connected.onboarding is OnboardingStep.FINISHED


def test_connecting_again_leads_to_the_same_account(office: Office) -> None:
    first = office.connect()

    second = office.connect()

    assert second.connection.account == first.connection.account
    assert len(office.stripe.accounts) == 1


def test_a_company_says_who_it_is_before_it_connects() -> None:
    with pytest.raises(CompanyNotDescribed):
        Office(Shop()).connect()


def test_two_at_once_make_one_account(office: Office) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: office.connect(), range(8)))

    assert len(office.stripe.accounts) == 1
    assert office.read().state is ConnectionState.CONNECTED


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_anywhere_while_connecting_makes_one_account(after: bool) -> None:
    for at in itertools.count(1):
        shop = Shop()
        shop.describe()
        office = Office(shop)
        once = shop.once("connect")
        crash = CrashPoint(at=at, after=after)
        try:
            office.connect(
                once=once,
                connections=crash.watch(office.held.stripe_connections),
                companies=crash.watch(office.held.companies),
                stripe=crash.watch(office.stripe),
            )
        except Crashed:
            pass
        else:
            assert at > 6
            return
        try:
            office.connect(once=once)
        except AlreadyAnswered:
            assert after
        (account_id,) = office.stripe.accounts
        account = office.read().account
        assert account is not None
        assert account.account_id == account_id
        company = office.held.companies.read(shop.caller)
        assert company is not None
        assert company.onboarding is OnboardingStep.FINISHED


def test_what_stripe_refuses_is_told_and_can_be_asked_again(office: Office) -> None:
    office.stripe.refused["create_account"] = StripeRefused("email_invalid", status=400)
    with pytest.raises(StripeAccountRefused, match="email_invalid"):
        office.connect()
    key = office.read().account_key
    office.stripe.refused.clear()

    office.connect()

    assert [one for _, one in office.stripe.answered] == [key]
    assert office.read().state is ConnectionState.CONNECTED


def test_while_stripe_is_away_nothing_is_connected(office: Office) -> None:
    office.stripe.down = True
    with pytest.raises(DependencyUnavailable):
        office.connect()
    assert office.read().state is ConnectionState.CREATING
    office.stripe.down = False

    office.connect()

    assert len(office.stripe.accounts) == 1


def test_the_account_is_as_stripe_tells_it_now(office: Office) -> None:
    made = office.connect().connection
    assert made.account is not None
    office.stripe.enable(made.account.account_id)
    assert not office.read().accepts_payments

    assert office.refresh().accepts_payments
    assert office.read().accepts_payments


def test_an_account_that_stripe_does_not_show_any_more_is_let_go(office: Office) -> None:
    office.connect()
    office.stripe.accounts.clear()

    assert office.refresh().state is ConnectionState.DISCONNECTED
    assert office.told[-1] is EventType.STRIPE_ACCOUNT_DISCONNECTED


def test_another_link_tells_how_the_account_stands(office: Office) -> None:
    made = office.connect().connection
    assert made.account is not None
    office.stripe.enable(made.account.account_id)

    again = office.link()

    assert made.account.account_id in again.link.url
    assert again.connection.accepts_payments


def test_what_is_not_connected_has_no_link_and_cannot_be_let_go(office: Office) -> None:
    for act in (office.link, office.refresh, office.disconnect):
        with pytest.raises(StripeAccountNotConnected):
            act()
    office.connect()
    office.disconnect()
    for act in (office.link, office.refresh, office.disconnect):
        with pytest.raises(StripeAccountNotConnected):
            act()


def test_an_account_that_was_let_go_is_taken_again(office: Office) -> None:
    first = office.connect().connection
    office.disconnect()

    second = office.connect().connection

    assert second.state is ConnectionState.CONNECTED
    assert second.account == first.account
    assert len(office.stripe.accounts) == 1


def test_an_account_out_of_reach_is_replaced_by_another(office: Office) -> None:
    first = office.connect().connection.account
    office.disconnect()
    office.stripe.accounts.clear()

    second = office.connect().connection.account

    assert first is not None
    assert second is not None
    assert second.account_id != first.account_id
    assert office.held.stripe_connections.tenant_of(first.account_id) == office.shop.caller.tenant_id


def test_nobody_pays_once_the_account_is_let_go(shop: Shop) -> None:
    counter = Counter(shop)
    counter.open()
    office = Office(shop)

    office.disconnect()

    with pytest.raises(OnlinePaymentUnavailable):
        counter.open()
    counter.sweep()
    assert counter.payable == []


def test_settings_are_kept_and_rest_on_what_was_read(office: Office) -> None:
    edited = office.edit(version=0)
    assert edited.allows_partial_payments
    with pytest.raises(StaleVersion):
        office.edit(version=0)

    connected = office.connect().connection

    assert connected.allows_partial_payments
    assert not office.edit(version=connected.version, allowed=False).allows_partial_payments
    assert office.told == [
        EventType.STRIPE_ACCOUNT_EDITED,
        EventType.STRIPE_ACCOUNT_CONNECTED,
        EventType.STRIPE_ACCOUNT_EDITED,
    ]


@pytest.mark.parametrize(("code", "french"), [
    ("external_account", "Stripe attend le compte bancaire qui recevra vos virements."),
    ("individual.verification.document", "Stripe attend une pièce d'identité du dirigeant."),
    ("individual.verification.additional_document", "Stripe attend un justificatif de domicile du dirigeant."),
    ("person_1Oabc.dob.day", "Stripe attend la date de naissance d'une personne de l'entreprise."),
    ("owners.first_name", "Stripe attend le prénom d'un bénéficiaire effectif."),
    ("company.tax_id", "Stripe attend le numéro SIREN de l'entreprise."),
    ("quelque.chose", "Stripe demande une information (quelque.chose) : ouvrez le tableau de bord de Stripe."),
])  # fmt: skip
def test_what_stripe_wants_to_know_is_said_in_french(code: str, french: str) -> None:
    assert explain_requirement(code).french == french


def test_why_an_account_is_held_back_is_said_in_french() -> None:
    assert explain_reason("") is None
    told = [explain_reason(code) for code in ("requirements.past_due", "rejected.fraud", "autre")]
    assert [one.french for one in told if one] == [
        "Des informations demandées par Stripe manquent.",
        "Stripe a refusé le compte : voyez son assistance.",
        "Stripe limite le compte (autre).",
    ]


def test_an_account_that_charged_before_charges_no_more(office: Office) -> None:
    made = office.connect().connection
    assert made.account is not None
    account_id = made.account.account_id
    never = explain_connection(office.refresh()).french
    office.stripe.enable(account_id)
    office.refresh()
    charging = office.stripe.accounts[account_id]
    office.stripe.accounts[account_id] = replace(charging, charges_enabled=False)

    held = [explain_connection(office.refresh()).french for _ in range(2)]

    assert "n'encaisse pas encore" in never
    assert all("n'encaisse plus" in said for said in held)


def test_what_two_requirements_say_is_said_once() -> None:
    codes = ("tos_acceptance.date", "tos_acceptance.ip", "external_account")

    assert [one.code for one in explain_requirements(codes)] == ["tos_acceptance.date", "external_account"]
