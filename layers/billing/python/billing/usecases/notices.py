"""Mails to the company itself: addressed here, written with the fact that they tell of, sent as documents are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from billing.domain.access import Caller
from billing.domain.notices import CompanyNotice, MoneyFact
from billing.ports.repositories import Companies


def addressed(
    caller: Caller, facts: Sequence[MoneyFact], *named: str, companies: Companies, at: datetime
) -> tuple[CompanyNotice, ...]:
    """To the company's own address; none while it has not described itself. A request where there are facts.

    ``named``: what tells these facts from others of their kinds.
    """
    company = companies.read(caller) if facts else None
    if company is None:
        return ()
    recipient = company.description.email
    return tuple(CompanyNotice.of(caller.tenant_id, fact, *named, recipient=recipient, at=at) for fact in facts)
