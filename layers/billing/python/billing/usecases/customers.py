"""Customers of a tenant."""

from __future__ import annotations

from dataclasses import replace

from billing.domain.access import Caller, Permission
from billing.domain.errors import FieldError, FieldErrors, StaleVersion
from billing.domain.events import Event, EventType
from billing.domain.parties import Customer, CustomerDescription
from billing.domain.printing import customer_texts, refuse_unprintable
from billing.domain.search import query_words
from billing.ports.clock import Clock, Ids
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.repositories import Customers, CustomerSummary


def create_customer(
    caller: Caller,
    description: CustomerDescription,
    *,
    once: IdempotentRequest,
    customers: Customers,
    clock: Clock,
    ids: Ids,
) -> Customer:
    """Raises: FieldErrors."""
    caller.require(Permission.WRITE_DOCUMENTS)
    refuse_unprintable(customer_texts(description))
    now = clock.now()
    customer = Customer(
        tenant_id=caller.tenant_id,
        customer_id=ids.new("cus"),
        version=1,
        description=description,
        created_at=now,
        updated_at=now,
    )
    customers.create(caller, customer, event=_event(EventType.CUSTOMER_CREATED, caller, customer, ids), once=once)
    return customer


def read_customer(caller: Caller, customer_id: str, *, customers: Customers) -> Customer:
    """Raises: NotFound."""
    return customers.read(caller, customer_id)


def edit_customer(
    caller: Caller,
    customer_id: str,
    description: CustomerDescription,
    *,
    expected_version: int,
    customers: Customers,
    clock: Clock,
    ids: Ids,
) -> Customer:
    """Issued documents keep the customer as they froze it. Raises: NotFound, StaleVersion, FieldErrors."""
    caller.require(Permission.WRITE_DOCUMENTS)
    refuse_unprintable(customer_texts(description))
    current = customers.read(caller, customer_id)
    if current.version != expected_version:
        raise StaleVersion
    customer = replace(current, version=current.version + 1, description=description, updated_at=clock.now())
    event = _event(EventType.CUSTOMER_EDITED, caller, customer, ids)
    customers.save(caller, customer, previous=current, event=event)
    return customer


def list_customers(caller: Caller, page: PageRequest, *, customers: Customers) -> Page[CustomerSummary]:
    return customers.list(caller, page)


def search_customers(caller: Caller, query: str, page: PageRequest, *, customers: Customers) -> Page[CustomerSummary]:
    """Customers whose name, contact, city or identifiers have a word beginning with each word of the query."""
    words = query_words(query)
    if not words:
        raise FieldErrors(
            (FieldError("/q", "Saisissez au moins une lettre ou un chiffre.", "Type at least a letter or a digit."),)
        )
    return customers.search(caller, words, page)


def _event(event_type: EventType, caller: Caller, customer: Customer, ids: Ids) -> Event:
    return Event(
        event_id=ids.new("evt"),
        event_type=event_type,
        occurred_at=customer.updated_at,
        actor=caller.user_id,
        data={"customer_id": customer.customer_id, "version": customer.version},
    )
