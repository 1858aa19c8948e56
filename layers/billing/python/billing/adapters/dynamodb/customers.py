"""Customers: one item each, a listing by name, and one search record per word."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, dump, item, load, load_all, text
from billing.adapters.dynamodb.table import Row, Table, Write, refuse_with
from billing.domain.access import Caller
from billing.domain.duplicates import Likeness, LikenessKey, likeness_keys
from billing.domain.errors import Busy, NotFound, StaleVersion
from billing.domain.events import Event
from billing.domain.parties import Customer
from billing.domain.search import fold, words
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.repositories import MAX_ALIKE, CustomerSummary, DuplicateCustomer

LIKENESS = "customer_likeness"
Rows = list[Row]


def summary_of(customer: Customer) -> CustomerSummary:
    description = customer.description
    return CustomerSummary(
        customer_id=customer.customer_id,
        kind=description.kind,
        name=description.name,
        email=description.email,
        city=description.billing_address.city,
        siren=description.siren,
    )


def to_item(customer: Customer) -> Item:
    key = keys.customer(customer.tenant_id, customer.customer_id)
    return item(
        pk=key.pk,
        sk=key.sk,
        entity="customer",
        schema_version=SCHEMA_VERSION,
        tenant_id=customer.tenant_id,
        version=customer.version,
        body=dump(customer),
        summary=dump(summary_of(customer)),
        merged_into=customer.merged_into,
        **_listed(customer),
    )


def _listed(customer: Customer) -> dict[str, str]:
    """By name; a duplicate that was merged is in no list."""
    if customer.merged_into is not None:
        return {}
    order = f"{fold(customer.description.name)[:100]}#{customer.customer_id}"
    return {"listing_pk": keys.customer_listing(customer.tenant_id), "listing_sk": order}


def from_item(stored: Item) -> Customer:
    return load(Customer, text(stored, "body"))


def current(table: Table, tenant_id: str, stored: Item | None) -> Customer | None:
    """A customer as it was read, or the one that it became; another request for each time it was merged."""
    customer = from_item(stored) if stored else None
    while customer is not None and customer.merged_into is not None:
        key = keys.customer(tenant_id, customer.merged_into)
        stored = table.batch([key]).get(key)
        customer = from_item(stored) if stored else None
    return customer


def successors(table: Table, tenant_id: str, customer_ids: Iterable[str]) -> dict[str, Customer]:
    """Of the duplicates among some customers, by their ids, what they became: one request, or two where there are any
    (merges point at the customer that goes on, whatever was merged before)."""
    found: dict[str, Customer] = {}
    wanted = {one: one for one in customer_ids}
    while wanted:
        at = {keys.customer(tenant_id, current_id): current_id for current_id in wanted.values()}
        stored = {at[key]: from_item(row) for key, row in table.batch(list(at), only=("body",)).items()}
        known = {one: stored[current_id] for one, current_id in wanted.items() if current_id in stored}
        found |= {one: customer for one, customer in known.items() if customer.customer_id != one}
        wanted = {one: customer.merged_into for one, customer in known.items() if customer.merged_into is not None}
    return found


def list_of(
    table: Table,
    caller: Caller,
    customer_id: str | None,
    of_customer: Callable[[str, str], str],
    otherwise: tuple[str, str],
) -> tuple[str, tuple[str, ...]]:
    """Index and partitions of a list, once the membership is held: of a customer, one partition for each of its ids,
    whose request holds the membership too; ``otherwise`` index and partition of what is not a customer's."""
    if customer_id is None:
        table.trust(caller)
        index, partition = otherwise
        return index, (partition,)
    key = keys.customer(caller.tenant_id, customer_id)
    customer = current(table, caller.tenant_id, table.read(caller, key).get(key))
    ids = customer.ids if customer else (customer_id,)
    return "ByCustomer", tuple(of_customer(caller.tenant_id, one) for one in ids)


def search_words(customer: Customer) -> tuple[str, ...]:
    description = customer.description
    return words(
        description.name,
        description.contact_name,
        description.billing_address.city,
        description.siren or "",
        description.siret or "",
        description.vat_number or "",
        (description.email or "").partition("@")[0],
        *(contact.name for contact in description.contacts),
    )


class Customers:
    """Port Customers."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self, caller: Caller, customer_id: str, *, once: IdempotentRequest | None = None) -> Customer:
        key = keys.customer(caller.tenant_id, customer_id)
        stored = self._table.read(caller, key, once=once).get(key)
        if stored is None:
            raise NotFound
        return from_item(stored)

    def current(self, caller: Caller, customer_id: str) -> Customer:
        key = keys.customer(caller.tenant_id, customer_id)
        customer = current(self._table, caller.tenant_id, self._table.read(caller, key).get(key))
        if customer is None:
            raise NotFound
        return customer

    def create(self, caller: Caller, customer: Customer, *, event: Event, once: IdempotentRequest) -> None:
        self._table.write(
            caller,
            self._table.create(to_item(customer), refuse_with(Busy)),
            *(self._word(customer, word) for word in search_words(customer)),
            *(self._alike(customer, alike) for alike in likeness_keys(customer.description)),
            self._event(customer, event),
            once=once,
            answered=customer,
        )

    def save(
        self,
        caller: Caller,
        customer: Customer,
        *,
        previous: Customer,
        event: Event,
        once: IdempotentRequest | None = None,
    ) -> None:
        self._table.write(caller, *self.replaced(customer, previous, event=event), once=once, answered=customer)

    def replaced(self, customer: Customer, previous: Customer, *, event: Event) -> tuple[Write, ...]:
        """Part of a transaction: the customer as it becomes, and the records by which it is found."""
        found = customer.merged_into is None
        kept = search_words(customer) if found else ()
        gone = [word for word in search_words(previous) if word not in kept]
        alikes = likeness_keys(customer.description) if found else ()
        no_longer = [alike for alike in likeness_keys(previous.description) if alike not in alikes]
        return (
            self.head(customer, previous),
            *(self._word(customer, word) for word in kept),
            *(self._forget(customer, word, previous.version) for word in gone),
            *(self._alike(customer, alike) for alike in alikes),
            *(self._differs(customer, alike, previous.version) for alike in no_longer),
            self._event(customer, event),
        )

    def head(self, customer: Customer, previous: Customer) -> Write:
        return self._table.replace(
            to_item(customer), expected_version=previous.version, refused=refuse_with(StaleVersion)
        )

    def list(self, caller: Caller, page: PageRequest) -> Page[CustomerSummary]:
        rows, position = self._listed(caller, page)
        return Page(items=load_all(CustomerSummary, [row.summary for row in rows]), position=position)

    def whole(self, caller: Caller, page: PageRequest) -> Page[Customer]:
        rows, position = self._listed(caller, page)
        wanted = [keys.customer(caller.tenant_id, row.resource_id) for row in rows]
        stored = self._table.batch(wanted, only=("body",))
        bodies = [text(stored[key], "body") for key in wanted if key in stored]
        return Page(items=load_all(Customer, bodies), position=position)

    def _listed(self, caller: Caller, page: PageRequest) -> tuple[Rows, str | None]:
        self._table.trust(caller)
        return self._table.page(
            "Listing",
            keys.customer_listing(caller.tenant_id),
            page,
            base_key=lambda customer_id: keys.customer(caller.tenant_id, customer_id),
        )

    def alike(self, caller: Caller, customer: Customer) -> tuple[DuplicateCustomer, ...]:
        self._table.trust(caller)
        found: dict[str, tuple[str, list[Likeness]]] = {}
        for key in likeness_keys(customer.description):
            first = keys.customer_likeness(caller.tenant_id, key.likeness.value, key.value, "")
            rows, _ = self._table.query(
                first.pk, low=first.sk, high=f"{first.sk}{keys.HIGHEST}", limit=MAX_ALIKE + 1, consistent=False
            )
            others = [row for row in rows if text(row, "customer_id") != customer.customer_id]
            for row in others[:MAX_ALIKE]:
                found.setdefault(text(row, "customer_id"), (text(row, "summary"), []))[1].append(key.likeness)
        summaries = load_all(CustomerSummary, [summary for summary, _ in found.values()])
        return tuple(
            DuplicateCustomer(customer=summary, likenesses=tuple(likenesses))
            for summary, (_, likenesses) in zip(summaries, found.values(), strict=True)
        )

    def search(self, caller: Caller, searched: tuple[str, ...], page: PageRequest) -> Page[CustomerSummary]:
        """The longest word is looked up; the others are held against the record's own words."""
        self._table.trust(caller)
        prefix = searched[0]
        partition = keys.customer_word(caller.tenant_id, "", "").pk
        found, position = self._table.query(
            partition,
            low=prefix,
            high=f"{prefix}{keys.HIGHEST}",
            limit=page.limit,
            after=page.position,
            consistent=False,
        )
        summaries = [text(stored, "summary") for stored in found if _matches(stored, searched)]
        return Page(items=load_all(CustomerSummary, summaries), position=position)

    def _word(self, customer: Customer, word: str) -> Write:
        key = keys.customer_word(customer.tenant_id, word, customer.customer_id)
        content = item(
            pk=key.pk,
            sk=key.sk,
            entity="customer_word",
            schema_version=SCHEMA_VERSION,
            tenant_id=customer.tenant_id,
            version=customer.version,
            words=" ".join(search_words(customer)),
            summary=dump(summary_of(customer)),
        )
        # The customer's own version guards the whole edit; a record only ever gives way to a later one.
        request = self._table.put(
            content,
            only_if="attribute_not_exists(pk) OR version < :version",
            values={":version": customer.version},
        )
        return Write("Put", request, refuse_with(StaleVersion))

    def _forget(self, customer: Customer, word: str, version: int) -> Write:
        return self._table.delete(
            keys.customer_word(customer.tenant_id, word, customer.customer_id),
            refused=refuse_with(StaleVersion),
            only_if="attribute_not_exists(pk) OR (entity = :entity AND version <= :version)",
            values={":entity": "customer_word", ":version": version},
        )

    def _alike(self, customer: Customer, alike: LikenessKey) -> Write:
        key = keys.customer_likeness(customer.tenant_id, alike.likeness.value, alike.value, customer.customer_id)
        content = item(
            pk=key.pk,
            sk=key.sk,
            entity=LIKENESS,
            schema_version=SCHEMA_VERSION,
            tenant_id=customer.tenant_id,
            customer_id=customer.customer_id,
            version=customer.version,
            summary=dump(summary_of(customer)),
        )
        request = self._table.put(
            content,
            only_if="attribute_not_exists(pk) OR version < :version",
            values={":version": customer.version},
        )
        return Write("Put", request, refuse_with(StaleVersion))

    def _differs(self, customer: Customer, alike: LikenessKey, version: int) -> Write:
        return self._table.delete(
            keys.customer_likeness(customer.tenant_id, alike.likeness.value, alike.value, customer.customer_id),
            refused=refuse_with(StaleVersion),
            only_if="attribute_not_exists(pk) OR (entity = :entity AND version <= :version)",
            values={":entity": LIKENESS, ":version": version},
        )

    def _event(self, customer: Customer, event: Event) -> Write:
        key = keys.customer_event(customer.tenant_id, customer.customer_id, event.event_id)
        return self._table.event(key, customer.tenant_id, event)


def _matches(stored: Item, searched: tuple[str, ...]) -> bool:
    """Every word of the query begins a word of the record; only its first such record counts, so none repeats."""
    held = text(stored, "words").split()
    if not all(any(word.startswith(prefix) for word in held) for prefix in searched):
        return False
    own = text(stored, "sk").partition("#")[0]
    return own == min(word for word in held if word.startswith(searched[0]))
