"""Who acts, for which tenant, and what their role allows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Final

from billing.domain.errors import Forbidden


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    ACCOUNTANT = "accountant"
    MEMBER = "member"
    VIEWER = "viewer"


class Permission(Enum):
    READ = auto()
    READ_EVENTS = auto()
    READ_AUDIT = auto()
    WRITE_DOCUMENTS = auto()  # customers, products, drafts, issue, send
    RECORD_PAYMENTS = auto()
    VERIFY_LEDGER = auto()
    MANAGE_COMPANY = auto()


_GRANTED: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.ADMIN: frozenset(Permission),
    Role.ACCOUNTANT: frozenset(
        {Permission.READ, Permission.READ_EVENTS, Permission.RECORD_PAYMENTS, Permission.VERIFY_LEDGER}
    ),
    Role.MEMBER: frozenset({Permission.READ, Permission.READ_EVENTS, Permission.WRITE_DOCUMENTS}),
    Role.VIEWER: frozenset({Permission.READ}),
}


_SYSTEM = "system:"  # a person's id is a UUID of Cognito


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a request came from, for the audit alone: the address is personal data and stands nowhere else."""

    ip_address: str = ""
    correlation_id: str = ""


NOWHERE: Final = Origin()  # what runs by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A signed-in person, as the verified token says; the membership record says whether still."""

    tenant_id: str
    user_id: str
    role: Role
    membership_version: int
    origin: Origin = NOWHERE

    @classmethod
    def system(cls, tenant_id: str, job: str, *, correlation_id: str = "") -> Caller:
        """What runs by the clock acts in a tenant without a person: no token makes such a caller."""
        return cls(
            tenant_id=tenant_id,
            user_id=f"{_SYSTEM}{job}",
            role=Role.MEMBER,
            membership_version=0,
            origin=Origin(correlation_id=correlation_id),
        )

    @property
    def is_system(self) -> bool:
        return self.user_id.startswith(_SYSTEM)

    def require(self, permission: Permission) -> None:
        """Raises Forbidden unless the role grants the permission."""
        if permission not in _GRANTED[self.role]:
            raise Forbidden(f"Le rôle « {self.role} » ne suffit pas.", f"The role '{self.role}' is not enough.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """The right of a user in a tenant. Its version is in the token: a change invalidates the token."""

    tenant_id: str
    user_id: str
    role: Role
    version: int
