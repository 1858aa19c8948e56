"""Statements of account over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from billing.api.answers import Reply
from billing.api.fields import IsoDate
from billing.domain.customer_account import Ageing, CurrencyStatement, MovementKind, Statement, StatementLine
from billing.domain.ledger import PaymentMethod

StatementFrom = Annotated[
    IsoDate | None, Query(alias="from", description="The first day of the month two months before `to` unless said")
]
StatementTo = Annotated[IsoDate | None, Query(alias="to", description="Today unless said")]


class StatementLineResponse(Reply):
    kind: MovementKind
    day: date
    reference: str
    source_id: Annotated[str, Field(description="The invoice, credit note or payment behind it")]
    method: PaymentMethod | None
    due_date: date | None
    amount_minor: Annotated[int, Field(description="What moved, in cents")]
    owed_minor: Annotated[int, Field(description="What it adds to what is owed; 0 when credit pays an invoice")]
    balance_minor: Annotated[int, Field(description="What is owed after it; negative: in the customer's favour")]

    @classmethod
    def of(cls, line: StatementLine) -> StatementLineResponse:
        movement = line.movement
        return cls(
            kind=movement.kind,
            day=movement.day,
            reference=movement.reference,
            source_id=movement.source_id,
            method=movement.method,
            due_date=movement.due_date,
            amount_minor=movement.amount_minor,
            owed_minor=movement.owed_minor,
            balance_minor=line.balance_minor,
        )


class AgeingResponse(Reply):
    """What invoices are owed today, by the days since they were due."""

    not_due_minor: int
    days_1_to_30_minor: int
    days_31_to_60_minor: int
    days_61_to_90_minor: int
    beyond_90_days_minor: int
    overdue_minor: int

    @classmethod
    def of(cls, ageing: Ageing) -> AgeingResponse:
        return cls(
            not_due_minor=ageing.not_due_minor,
            days_1_to_30_minor=ageing.until_30_minor,
            days_31_to_60_minor=ageing.until_60_minor,
            days_61_to_90_minor=ageing.until_90_minor,
            beyond_90_days_minor=ageing.beyond_90_minor,
            overdue_minor=ageing.overdue_minor,
        )


class AccountResponse(Reply):
    currency: str
    opening_minor: int
    charged_minor: int
    settled_minor: int
    closing_minor: int
    lines: list[StatementLineResponse]
    ageing: AgeingResponse
    credit_minor: Annotated[int, Field(description="What the customer has today, not used yet; not in `ageing`")]

    @classmethod
    def of(cls, account: CurrencyStatement) -> AccountResponse:
        return cls(
            currency=account.currency,
            opening_minor=account.opening_minor,
            charged_minor=account.charged_minor,
            settled_minor=account.settled_minor,
            closing_minor=account.closing_minor,
            lines=[StatementLineResponse.of(line) for line in account.lines],
            ageing=AgeingResponse.of(account.ageing),
            credit_minor=account.credit_minor,
        )


class CustomerStatementResponse(Reply):
    customer_id: str
    customer_name: str
    from_date: date
    to_date: date
    aged_on: Annotated[date, Field(description="The day at which what is overdue was judged")]
    accounts: Annotated[list[AccountResponse], Field(description="One per currency, the euro first")]

    @classmethod
    def of(cls, statement: Statement) -> CustomerStatementResponse:
        return cls(
            customer_id=statement.customer.customer_id,
            customer_name=statement.customer.description.name,
            from_date=statement.period.first,
            to_date=statement.period.last,
            aged_on=statement.today,
            accounts=[AccountResponse.of(account) for account in statement.accounts],
        )
