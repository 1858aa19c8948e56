"""POST /v1/recurring-invoices/{recurring_invoice_id}/skip — pass over one of the next dates."""

from functools import partial
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import RecurringInvoiceId
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.recurring_invoices import (
    RecurringInvoiceResponse,
    SkipRecurringInvoiceRequest,
    recurring_invoice_answer,
)
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.recurring_invoices import skip_recurring_invoice

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/recurring-invoices/<recurring_invoice_id>/skip",
    operation_id="skipRecurringInvoice",
    tags=["recurring_invoices"],
    responses=documented(
        200,
        RecurringInvoiceResponse,
        "The template without that date",
        versioned=True,
        refused={409: "`recurring-invoice-ended`"},
    ),
)
def skip(
    recurring_invoice_id: RecurringInvoiceId,
    body: Annotated[SkipRecurringInvoiceRequest, Body()],
    idempotency_key: IdempotencyKey,
) -> Response[str]:
    shape = partial(recurring_invoice_answer, today=clock.today())
    recurring = skip_recurring_invoice(
        caller(app),
        recurring_invoice_id,
        body.date,
        once=idempotent(app, idempotency_key, shape),
        recurring_invoices=table.recurring_invoices(),
        clock=clock,
        ids=ids,
    )
    return respond(shape(recurring))


handler = entry_point(app)
