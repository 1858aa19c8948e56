"""What each role may do (product rules, tenancy)."""

from __future__ import annotations

import pytest

from billing.domain.access import Permission, Role
from billing.domain.errors import BillingError, Forbidden
from tests.factories import caller

GRANTED = {
    "owner": {
        "READ", "READ_EVENTS", "READ_AUDIT", "WRITE_DOCUMENTS", "RECORD_PAYMENTS", "VERIFY_LEDGER", "MANAGE_COMPANY",
    },
    "admin": {
        "READ", "READ_EVENTS", "READ_AUDIT", "WRITE_DOCUMENTS", "RECORD_PAYMENTS", "VERIFY_LEDGER", "MANAGE_COMPANY",
    },
    "accountant": {"READ", "READ_EVENTS", "RECORD_PAYMENTS", "VERIFY_LEDGER"},
    "member": {"READ", "READ_EVENTS", "WRITE_DOCUMENTS"},
    "viewer": {"READ"},
}  # fmt: skip


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("permission", list(Permission))
def test_a_role_allows_what_the_table_says_and_no_more(role: Role, permission: Permission) -> None:
    person = caller(role=role)

    if permission.name in GRANTED[role.value]:
        person.require(permission)
    else:
        with pytest.raises(Forbidden):
            person.require(permission)


def _tree(error: type[BillingError]) -> list[type[BillingError]]:
    return [error, *(found for child in error.__subclasses__() for found in _tree(child))]


def test_every_refusal_has_a_slug_of_its_own_and_titles_in_both_languages() -> None:
    errors = _tree(BillingError)[1:]
    slugs = [error.slug for error in errors]

    assert len(set(slugs)) == len(slugs)
    assert all(slug == slug.lower() and " " not in slug for slug in slugs)
    assert all(error.title_fr and error.title_en for error in errors)
