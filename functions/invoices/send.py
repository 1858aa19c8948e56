"""POST /v1/invoices/{invoice_id}/send — mail an issued invoice to its customer."""

from functools import partial
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.events import correlation_id
from billing.api.fields import InvoiceId
from billing.api.identity import caller
from billing.api.invoices import InvoiceResponse, SendInvoiceRequest, invoice_answer
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.invoices import send_invoice

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/invoices/<invoice_id>/send",
    operation_id="sendInvoice",
    tags=["invoices"],
    description="Opens the next delivery attempt; `delivery` of the invoice tells how it goes. One at a time.",
    responses=documented(200, InvoiceResponse, "The invoice, its delivery in progress", versioned=True),
)
def send(
    invoice_id: InvoiceId, body: Annotated[SendInvoiceRequest, Body()], idempotency_key: IdempotencyKey
) -> Response[str]:
    shape = partial(invoice_answer, today=clock.today())
    invoice = send_invoice(
        caller(app),
        invoice_id,
        recipient=body.recipient,
        correlation_id=correlation_id(app.current_event.raw_event),
        once=idempotent(app, idempotency_key, shape),
        invoices=table.invoices(),
        customers=table.customers(),
        clock=clock,
        ids=ids,
    )
    return respond(shape(invoice))


handler = entry_point(app)
