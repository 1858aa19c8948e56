"""A company with a long history, written straight into the local table: issued invoices as the product stores them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import Item, item
from billing.adapters.dynamodb.invoices import issued_to_item, series_to_item
from billing.domain.invoice import DraftInvoice, InvoiceContent, IssuedInvoice, check_content, freeze
from billing.domain.numbering import DEFAULT_PATTERNS, Series, SeriesState, allocate
from billing.domain.parties import Company, Customer
from billing.domain.totals import Line
from billing.domain.vat import VatCategory, VatTreatment

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_BATCH = 25
_LINE = Line(
    description="Prestation d'exemple",
    quantity=Decimal(2),
    unit="HUR",
    unit_price=Decimal(50),
    vat=VatTreatment(category=VatCategory.STANDARD, rate=Decimal(20)),
)


def history(company: Company, customer: Customer, count: int, until: datetime) -> Iterator[Item]:
    """The items of ``count`` issued invoices, chained, spread over the weeks before an instant."""
    state = SeriesState.untouched(Series.INVOICE)
    start = until - timedelta(days=200)
    content = InvoiceContent(customer_id=customer.customer_id, lines=(_LINE,))
    totals = check_content(content, company.description.vat_regime)
    for position in range(count):
        at = start + (until - start) * position / count
        draft = DraftInvoice(
            tenant_id=company.tenant_id,
            invoice_id=f"inv_{position:026d}",
            version=1,
            content=content,
            customer_name=customer.description.name,
            totals=totals,
            created_at=at,
            updated_at=at,
        )
        allocation = allocate(state, DEFAULT_PATTERNS[Series.INVOICE], at.date())
        issued = freeze(draft, company=company, customer=customer, allocation=allocation, issued_at=at)
        state = SeriesState(
            series=Series.INVOICE,
            year=allocation.year,
            last_rank=allocation.rank,
            last_date=allocation.issue_date,
            last_hash=issued.document_hash,
        )
        yield issued_to_item(issued)
        yield _rank(issued)
        yield _number(issued)
    yield series_to_item(company.tenant_id, state)


def write(client: DynamoDBClient, table: str, items: Iterator[Item]) -> None:
    """Put items in batches until the table took all of them."""
    while batch := list(islice(items, _BATCH)):
        pending: Any = {table: [{"PutRequest": {"Item": one}} for one in batch]}
        while pending:
            pending = client.batch_write_item(RequestItems=pending)["UnprocessedItems"]


def now() -> datetime:
    return datetime.now(UTC)


def _rank(issued: IssuedInvoice) -> Item:
    document = issued.document
    key = keys.rank(issued.tenant_id, document.series.value, document.year, document.rank)
    return item(
        pk=key.pk,
        sk=key.sk,
        entity="rank",
        schema_version=1,
        tenant_id=issued.tenant_id,
        year=document.year,
        rank=document.rank,
        number=document.number,
        invoice_id=issued.invoice_id,
        document_hash=issued.document_hash,
    )


def _number(issued: IssuedInvoice) -> Item:
    key = keys.number(issued.tenant_id, issued.document.number)
    return item(
        pk=key.pk,
        sk=key.sk,
        entity="number",
        schema_version=1,
        tenant_id=issued.tenant_id,
        series=issued.document.series.value,
        invoice_id=issued.invoice_id,
    )
