"""Who belongs to which tenant."""

from __future__ import annotations

from datetime import datetime

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, item, number, text
from billing.adapters.dynamodb.table import Table
from billing.domain.access import NOWHERE, Caller, Membership, Origin, Role
from billing.domain.errors import MembershipChanged, StaleVersion
from billing.domain.events import membership_created


class Memberships:
    """Port Memberships: a pointer from the user to the tenant, and the membership under the tenant."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def of_user(self, user_id: str) -> Membership | None:
        pointer = self._table.get(keys.user(user_id))
        if pointer is None:
            return None
        stored = self._table.get(keys.membership(text(pointer, "tenant_id"), user_id))
        return _from_item(stored) if stored else None

    def found(self, membership: Membership, *, at: datetime, origin: Origin = NOWHERE) -> Membership:
        tenant_id, event = membership.tenant_id, membership_created(membership, at)
        pointer, member = keys.user(membership.user_id), keys.membership(membership.tenant_id, membership.user_id)
        try:
            self._table.write(
                None,
                self._table.create(
                    item(
                        pk=pointer.pk,
                        sk=pointer.sk,
                        entity="user",
                        schema_version=SCHEMA_VERSION,
                        tenant_id=membership.tenant_id,
                    ),
                    lambda _: StaleVersion(),
                ),
                self._table.create(
                    item(
                        pk=member.pk,
                        sk=member.sk,
                        entity="membership",
                        schema_version=SCHEMA_VERSION,
                        tenant_id=membership.tenant_id,
                        user_id=membership.user_id,
                        role=membership.role.value,
                        version=membership.version,
                        created_at=at.isoformat(),
                    ),
                    lambda _: StaleVersion(),
                ),
                self._table.event(
                    keys.membership_event(tenant_id, membership.user_id, event.event_id), tenant_id, event
                ),
                origin=origin,
            )
        except StaleVersion:
            existing = self.of_user(membership.user_id)
            if existing is None:
                raise
            return existing
        return membership

    def read(self, caller: Caller) -> Membership:
        stored = self._table.get(keys.membership(caller.tenant_id, caller.user_id))
        if stored is None or number(stored, "version") != caller.membership_version:
            raise MembershipChanged
        return _from_item(stored)


def _from_item(stored: Item) -> Membership:
    return Membership(
        tenant_id=text(stored, "tenant_id"),
        user_id=text(stored, "user_id"),
        role=Role(text(stored, "role")),
        version=number(stored, "version"),
    )
