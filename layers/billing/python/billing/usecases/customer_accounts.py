"""Statements of account: what a customer owed, what moved, what it owes."""

from __future__ import annotations

import hashlib
from datetime import date

from billing.domain.access import Caller, Permission
from billing.domain.canonical import canonical_json
from billing.domain.customer_account import Statement, StatementPeriod, state_accounts
from billing.domain.errors import CompanyNotDescribed
from billing.ports.clock import Clock
from billing.ports.customer_accounts import CustomerAccounts, StatementRenderer
from billing.ports.delivery import Documents, DownloadLink
from billing.usecases.logos import read_logo


def read_customer_statement(
    caller: Caller,
    customer_id: str,
    first: date | None,
    last: date | None,
    *,
    accounts: CustomerAccounts,
    clock: Clock,
) -> Statement:
    """Raises: NotFound, CompanyNotDescribed, FieldErrors, StatementTooLong."""
    caller.require(Permission.READ)
    today = clock.today()
    period = StatementPeriod.of(first, last, today=today)
    extract = accounts.extract(caller, customer_id, period)
    if extract.company is None:
        raise CompanyNotDescribed
    return Statement(
        customer=extract.customer,
        company=extract.company,
        period=period,
        today=today,
        accounts=state_accounts(
            extract.opening, extract.movements, extract.still_open, today=today, credit_minor=extract.credit_minor
        ),
    )


def download_customer_statement(
    caller: Caller,
    customer_id: str,
    first: date | None,
    last: date | None,
    *,
    accounts: CustomerAccounts,
    documents: Documents,
    renderer: StatementRenderer,
    clock: Clock,
) -> DownloadLink:
    """A short-lived address of the statement as a PDF. The same statement is drawn once.

    Raises: NotFound, CompanyNotDescribed, FieldErrors, StatementTooLong, InvalidInput (what cannot be printed).
    """
    statement = read_customer_statement(caller, customer_id, first, last, accounts=accounts, clock=clock)
    mark = hashlib.sha256(canonical_json(statement).encode()).hexdigest()
    key = f"{caller.tenant_id}/statements/{customer_id}/{mark}.pdf"
    if documents.get(key) is None:
        logo = read_logo(statement.company.logo, documents)
        documents.put(key, renderer.render(statement, logo=logo), media_type="application/pdf")
    period = statement.period
    name = f"Releve-{period.first.isoformat()}-{period.last.isoformat()}.pdf"
    return documents.link(key, file_name=name, now=clock.now())
