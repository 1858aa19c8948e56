"""Customers of a tenant."""

from __future__ import annotations

from dataclasses import replace

from billing.domain.access import Caller, Permission
from billing.domain.errors import FieldError, FieldErrors, StaleVersion, VatNumberMissing
from billing.domain.events import Event, EventType
from billing.domain.parties import Customer, CustomerDescription, VatCheck
from billing.domain.printing import customer_texts, refuse_unprintable
from billing.domain.search import query_words
from billing.ports.clock import Clock, Ids
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.repositories import Companies, Customers, CustomerSummary, DuplicateCustomer
from billing.ports.vat_numbers import VatNumberRegister


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
    customers.create(
        caller, customer, event=customer_event(EventType.CUSTOMER_CREATED, caller, customer, ids), once=once
    )
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
    """Issued documents keep the customer as they froze it.

    Raises: NotFound, CustomerMerged, StaleVersion, FieldErrors.
    """
    caller.require(Permission.WRITE_DOCUMENTS)
    refuse_unprintable(customer_texts(description))
    current = customers.read(caller, customer_id)
    current.require_current()
    if current.version != expected_version:
        raise StaleVersion
    customer = replace(current, version=current.version + 1, description=description, updated_at=clock.now())
    event = customer_event(EventType.CUSTOMER_EDITED, caller, customer, ids)
    customers.save(caller, customer, previous=current, event=event)
    return customer


def check_customer_vat_number(
    caller: Caller,
    customer_id: str,
    *,
    once: IdempotentRequest,
    customers: Customers,
    companies: Companies,
    register: VatNumberRegister,
    clock: Clock,
    ids: Ids,
) -> Customer:
    """Ask the register, and keep what it says with its date. A register that is down changes nothing.

    Raises: NotFound, CustomerMerged, VatNumberMissing, StaleVersion (the number was changed meanwhile), Busy.
    """
    caller.require(Permission.WRITE_DOCUMENTS)
    asked = customers.read(caller, customer_id, once=once)
    asked.require_current()
    vat_number = asked.description.vat_number
    if vat_number is None:
        raise VatNumberMissing
    company = companies.read(caller)
    found = register.consult(vat_number, requester=company.description.vat_number if company else None)
    current = customers.read(caller, customer_id)  # asking takes seconds
    if found is None:
        return current
    current.require_current()
    if current.description.vat_number != vat_number:
        raise StaleVersion
    check = VatCheck(
        vat_number=vat_number,
        valid=found.valid,
        checked_at=clock.now(),
        consultation_number=found.consultation_number,
        name=found.name,
        address=found.address,
    )
    customer = replace(current, version=current.version + 1, vat_check=check, updated_at=check.checked_at)
    event = customer_event(EventType.CUSTOMER_VAT_NUMBER_CHECKED, caller, customer, ids)
    told: dict[str, str | int] = {"valid": int(found.valid), "consultation_number": found.consultation_number or ""}
    customers.save(caller, customer, previous=current, event=replace(event, data={**event.data, **told}), once=once)
    return customer


def find_duplicate_customers(
    caller: Caller, customer_id: str, *, customers: Customers
) -> tuple[DuplicateCustomer, ...]:
    """Others that may be the same customer, the likeliest first. Raises: NotFound."""
    caller.require(Permission.READ)
    customer = customers.read(caller, customer_id)
    if customer.merged_into is not None:
        return ()
    found = customers.alike(caller, customer)
    return tuple(sorted(found, key=lambda one: (-len(one.likenesses), one.customer.name, one.customer.customer_id)))


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


def customer_event(event_type: EventType, caller: Caller, customer: Customer, ids: Ids) -> Event:
    return Event(
        event_id=ids.new("evt"),
        event_type=event_type,
        occurred_at=customer.updated_at,
        actor=caller.user_id,
        data={"customer_id": customer.customer_id, "version": customer.version},
    )
