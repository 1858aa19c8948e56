"""POST /v1/recurring-invoices — write a template that makes invoices by a calendar."""

from functools import partial
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.recurring_invoices import (
    CreateRecurringInvoiceRequest,
    RecurringInvoiceResponse,
    created_recurring_invoice_answer,
)
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.recurring_invoices import create_recurring_invoice
from recurring_invoices import recurring_input

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/recurring-invoices",
    operation_id="createRecurringInvoice",
    tags=["recurring_invoices"],
    description="Texts of lines and notes may hold {month}, {year}, {quarter}, {period_start} and {period_end}. A "
    "start in the past makes what it missed at once: `due_dates` names those dates, and a warning says when they are "
    "issued.",
    responses=documented(
        201, RecurringInvoiceResponse, "The template with its next dates", versioned=True, created=True
    ),
)
def create(body: Annotated[CreateRecurringInvoiceRequest, Body()], idempotency_key: IdempotencyKey) -> Response[str]:
    shape = partial(created_recurring_invoice_answer, today=clock.today())
    recurring = create_recurring_invoice(
        caller(app),
        recurring_input(body),
        once=idempotent(app, idempotency_key, shape),
        recurring_invoices=table.recurring_invoices(),
        invoices=table.invoices(),
        clock=clock,
        ids=ids,
    )
    return respond(shape(recurring))


handler = entry_point(app)
