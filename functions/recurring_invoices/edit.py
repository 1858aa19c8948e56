"""PUT /v1/recurring-invoices/{recurring_invoice_id} — write a template anew."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import RecurringInvoiceId
from billing.api.identity import caller
from billing.api.preconditions import IfMatch, expected_version
from billing.api.problems import install
from billing.api.recurring_invoices import (
    EditRecurringInvoiceRequest,
    RecurringInvoiceResponse,
    recurring_invoice_answer,
)
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.recurring_invoices import edit_recurring_invoice
from recurring_invoices import recurring_input

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.put(
    "/v1/recurring-invoices/<recurring_invoice_id>",
    operation_id="editRecurringInvoice",
    tags=["recurring_invoices"],
    description="For the periods to come; what was made stays.",
    responses=documented(
        200, RecurringInvoiceResponse, "The template", versioned=True, refused={409: "`recurring-invoice-ended`"}
    ),
)
def edit(
    recurring_invoice_id: RecurringInvoiceId, body: Annotated[EditRecurringInvoiceRequest, Body()], if_match: IfMatch
) -> Response[str]:
    recurring = edit_recurring_invoice(
        caller(app),
        recurring_invoice_id,
        recurring_input(body),
        expected_version=expected_version(if_match),
        recurring_invoices=table.recurring_invoices(),
        invoices=table.invoices(),
        clock=clock,
        ids=ids,
    )
    return respond(recurring_invoice_answer(recurring, today=clock.today()))


handler = entry_point(app)
