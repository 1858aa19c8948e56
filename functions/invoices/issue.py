"""POST /v1/invoices/{invoice_id}/issue — number a draft and freeze it."""

from functools import partial
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.events import correlation_id
from billing.api.fields import InvoiceId
from billing.api.identity import caller
from billing.api.invoices import InvoiceResponse, IssueInvoiceRequest, invoice_answer
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.runtime.observability import count
from billing.runtime.settings import portal_invoices_url
from billing.usecases.invoices import issue_invoice

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/invoices/<invoice_id>/issue",
    operation_id="issueInvoice",
    tags=["invoices"],
    description="One atomic step: the next number of the series, a full snapshot of seller, buyer and lines, and the "
    "hash of the previous document. The PDF follows; with `send`, so does the mail.",
    responses=documented(
        200,
        InvoiceResponse,
        "The issued invoice",
        versioned=True,
        refused={
            409: "`company-not-described`, `invoice-already-issued`, `issue-date-too-early`, `recipient-missing`, "
            "`number-taken`, `plan-limit-reached` (its detail says what to do)"
        },
    ),
)
def issue(
    invoice_id: InvoiceId, body: Annotated[IssueInvoiceRequest, Body()], idempotency_key: IdempotencyKey
) -> Response[str]:
    shape = partial(invoice_answer, today=clock.today())
    invoice = issue_invoice(
        caller(app),
        invoice_id,
        expected_version=body.version,
        issue_date=body.issue_date,
        send=body.send,
        correlation_id=correlation_id(app.current_event.raw_event),
        once=idempotent(app, idempotency_key, shape),
        invoices=table.invoices(),
        customers=table.customers(),
        clock=clock,
        ids=ids,
        payment_page=portal_invoices_url(),
    )
    count("InvoiceIssued")
    return respond(shape(invoice))


handler = entry_point(app)
