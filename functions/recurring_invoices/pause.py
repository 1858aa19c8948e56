"""POST /v1/recurring-invoices/{recurring_invoice_id}/pause — make nothing until it is resumed."""

from functools import partial

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import RecurringInvoiceId
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.recurring_invoices import RecurringInvoiceResponse, recurring_invoice_answer
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.recurring_invoices import pause_recurring_invoice

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/recurring-invoices/<recurring_invoice_id>/pause",
    operation_id="pauseRecurringInvoice",
    tags=["recurring_invoices"],
    responses=documented(
        200, RecurringInvoiceResponse, "The paused template", versioned=True, refused={409: "`recurring-invoice-ended`"}
    ),
)
def pause(recurring_invoice_id: RecurringInvoiceId, idempotency_key: IdempotencyKey) -> Response[str]:
    shape = partial(recurring_invoice_answer, today=clock.today())
    recurring = pause_recurring_invoice(
        caller(app),
        recurring_invoice_id,
        once=idempotent(app, idempotency_key, shape),
        recurring_invoices=table.recurring_invoices(),
        clock=clock,
        ids=ids,
    )
    return respond(shape(recurring))


handler = entry_point(app)
