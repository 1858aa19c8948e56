"""The Stripe account of a company: connected by the company, as Stripe tells it, let go by the company."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from billing.domain.access import Caller, Permission
from billing.domain.errors import (
    CompanyNotDescribed,
    StaleVersion,
    StripeAccountNotConnected,
    StripeAccountRefused,
)
from billing.domain.events import Event, EventType
from billing.domain.parties import CompanyDescription, OnboardingStep
from billing.domain.stripe import StripeAccount, StripeLink
from billing.domain.stripe_connection import ConnectionState, StripeConnection
from billing.domain.stripe_words import explain_failure
from billing.ports.checkouts import StripeConnections
from billing.ports.clock import Clock, Ids
from billing.ports.idempotency import IdempotentRequest
from billing.ports.repositories import Companies
from billing.ports.stripe import AccountWanted, StripeGateway, StripeRefused
from billing.usecases.contention import judged_anew


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLink:
    """A connection and, once, the page of Stripe where the company goes on."""

    connection: StripeConnection
    link: StripeLink


def read_stripe_account(caller: Caller, *, connections: StripeConnections) -> StripeConnection:
    """As Stripe last told it."""
    caller.require(Permission.MANAGE_COMPANY)
    return connections.read(caller)


def connect_stripe_account(
    caller: Caller,
    *,
    return_url: str,
    once: IdempotentRequest,
    connections: StripeConnections,
    companies: Companies,
    stripe: StripeGateway,
    clock: Clock,
    ids: Ids,
) -> ConnectionLink:
    """An account is made, or the one that was let go taken again; its company goes on at Stripe.

    That it is being made is written first, under what key too: whoever dies leaves no second account behind. The
    onboarding step of payments is left by it.

    Raises: Forbidden, CompanyNotDescribed, StripeAccountRefused, DependencyUnavailable.
    """
    caller.require(Permission.MANAGE_COMPANY)
    linking = _Linking(return_url, once, connections, stripe, clock, ids)

    def attempt() -> ConnectionLink:
        connection = connections.read(caller, once=once)
        if connection.state is ConnectionState.CONNECTED:
            return linking(caller, connection)
        company = companies.read(caller)
        if company is None:
            raise CompanyNotDescribed
        account = _former(connection, stripe)
        if account is None:
            if connection.state is not ConnectionState.CREATING:
                connection = connection.creating()
                connections.save(caller, connection)
            account = _made(caller, connection, company.description, connections=connections, stripe=stripe)
        link = _link(stripe, account, return_url)
        if company.onboarding is OnboardingStep.PAYMENTS:
            finished = replace(
                company, version=company.version + 1, onboarding=OnboardingStep.FINISHED, updated_at=clock.now()
            )
            data: dict[str, str | int] = {"version": finished.version, "onboarding": finished.onboarding.value}
            companies.save(caller, finished, event=_event(EventType.COMPANY_DESCRIBED, caller, data, clock, ids))
        connected = connection.connected(account, clock.now())
        connections.save(
            caller,
            connected,
            event=_told(EventType.STRIPE_ACCOUNT_CONNECTED, caller, connected, clock, ids),
            once=once,
            answered=connected,
        )
        return ConnectionLink(connection=connected, link=link)

    return judged_anew(attempt, clock=clock, ids=ids)


def create_stripe_account_link(
    caller: Caller,
    *,
    return_url: str,
    once: IdempotentRequest,
    connections: StripeConnections,
    stripe: StripeGateway,
    clock: Clock,
    ids: Ids,
) -> ConnectionLink:
    """Another page of Stripe to go on at: each serves once, within minutes.

    Raises: Forbidden, StripeAccountNotConnected, StripeAccountRefused, DependencyUnavailable.
    """
    caller.require(Permission.MANAGE_COMPANY)
    linking = _Linking(return_url, once, connections, stripe, clock, ids)
    return judged_anew(lambda: linking(caller, connections.read(caller, once=once)), clock=clock, ids=ids)


def refresh_stripe_account(
    caller: Caller,
    *,
    once: IdempotentRequest,
    connections: StripeConnections,
    stripe: StripeGateway,
    clock: Clock,
    ids: Ids,
) -> StripeConnection:
    """The account as Stripe tells it now; let go when Stripe does not show it to us any more.

    Raises: Forbidden, StripeAccountNotConnected, DependencyUnavailable.
    """
    moving = _Moving(connections, clock, ids)

    def change(connection: StripeConnection) -> StripeConnection:
        account = _account_of(connection)
        found = stripe.read_account(account.account_id)
        return connection.refreshed(found, clock.now()) if found else connection.disconnected(clock.now())

    return moving(caller, change, once, EventType.STRIPE_ACCOUNT_REFRESHED)


def disconnect_stripe_account(
    caller: Caller,
    *,
    once: IdempotentRequest,
    connections: StripeConnections,
    clock: Clock,
    ids: Ids,
) -> StripeConnection:
    """No payment is taken any more, and open pages are closed; what was paid stays, and what becomes of it is booked.

    Raises: Forbidden, StripeAccountNotConnected.
    """
    moving = _Moving(connections, clock, ids)

    def change(connection: StripeConnection) -> StripeConnection:
        _account_of(connection)
        return connection.disconnected(clock.now())

    return moving(caller, change, once, EventType.STRIPE_ACCOUNT_DISCONNECTED)


def edit_stripe_account(
    caller: Caller,
    *,
    allows_partial_payments: bool,
    expected_version: int,
    connections: StripeConnections,
    clock: Clock,
    ids: Ids,
) -> StripeConnection:
    """What the company allows its customers. Raises: Forbidden, StaleVersion."""
    caller.require(Permission.MANAGE_COMPANY)
    connection = connections.read(caller)
    if connection.version != expected_version:
        raise StaleVersion
    edited = connection.allowing_partial_payments(allows_partial_payments)
    connections.save(caller, edited, event=_told(EventType.STRIPE_ACCOUNT_EDITED, caller, edited, clock, ids))
    return edited


@dataclass(frozen=True, slots=True)
class _Linking:
    """A page of Stripe for an account that is connected, and the account as Stripe tells it now."""

    return_url: str
    once: IdempotentRequest
    connections: StripeConnections
    stripe: StripeGateway
    clock: Clock
    ids: Ids

    def __call__(self, caller: Caller, connection: StripeConnection) -> ConnectionLink:
        account = self.stripe.read_account(_account_of(connection).account_id)
        if account is None:
            raise StripeAccountNotConnected
        link = _link(self.stripe, account, self.return_url)
        refreshed = connection.refreshed(account, self.clock.now())
        event = _told(EventType.STRIPE_ACCOUNT_REFRESHED, caller, refreshed, self.clock, self.ids)
        self.connections.save(caller, refreshed, event=event, once=self.once, answered=refreshed)
        return ConnectionLink(connection=refreshed, link=link)


@dataclass(frozen=True, slots=True)
class _Moving:
    connections: StripeConnections
    clock: Clock
    ids: Ids

    def __call__(
        self,
        caller: Caller,
        change: Callable[[StripeConnection], StripeConnection],
        once: IdempotentRequest,
        told: EventType,
    ) -> StripeConnection:
        caller.require(Permission.MANAGE_COMPANY)

        def attempt() -> StripeConnection:
            moved = change(self.connections.read(caller, once=once))
            gone = moved.state is ConnectionState.DISCONNECTED
            kind = EventType.STRIPE_ACCOUNT_DISCONNECTED if gone else told
            event = _told(kind, caller, moved, self.clock, self.ids)
            self.connections.save(caller, moved, event=event, once=once, answered=moved)
            return moved

        return judged_anew(attempt, clock=self.clock, ids=self.ids)


def _account_of(connection: StripeConnection) -> StripeAccount:
    if connection.state is not ConnectionState.CONNECTED or connection.account is None:
        raise StripeAccountNotConnected
    return connection.account


def _former(connection: StripeConnection, stripe: StripeGateway) -> StripeAccount | None:
    """The account that was let go, when it is still ours to ask."""
    if connection.state is not ConnectionState.DISCONNECTED or connection.account is None:
        return None
    return stripe.read_account(connection.account.account_id)


def _made(
    caller: Caller,
    connection: StripeConnection,
    company: CompanyDescription,
    *,
    connections: StripeConnections,
    stripe: StripeGateway,
) -> StripeAccount:
    """Raises: StripeAccountRefused; the next request then asks under another key."""
    wanted = AccountWanted(
        email=company.email,
        country="FR",  # a SIREN is French, overseas too
        business_name=company.display_name,
        metadata={"tenant_id": caller.tenant_id},
    )
    try:
        return stripe.create_account(wanted, idempotency_key=connection.account_key)
    except StripeRefused as refused:
        with contextlib.suppress(StaleVersion):
            connections.save(caller, connection.creating())
        raise _refusal(refused) from refused


def _link(stripe: StripeGateway, account: StripeAccount, return_url: str) -> StripeLink:
    try:
        return stripe.create_account_link(
            account.account_id, return_url=f"{return_url}?compte=retour", refresh_url=f"{return_url}?compte=lien-expire"
        )
    except StripeRefused as refused:
        raise _refusal(refused) from refused


def _refusal(refused: StripeRefused) -> StripeAccountRefused:
    why = explain_failure(refused.code)
    return StripeAccountRefused(why.french, why.english)


def _told(kind: EventType, caller: Caller, connection: StripeConnection, clock: Clock, ids: Ids) -> Event:
    data: dict[str, str | int] = {"version": connection.version, "state": connection.state.value}
    if connection.account is not None:
        data["account_id"] = connection.account.account_id
    return _event(kind, caller, data, clock, ids)


def _event(kind: EventType, caller: Caller, data: dict[str, str | int], clock: Clock, ids: Ids) -> Event:
    return Event(event_id=ids.new("evt"), event_type=kind, occurred_at=clock.now(), actor=caller.user_id, data=data)
