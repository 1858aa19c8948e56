"""POST /v1/invoices/{invoice_id}/duplicate — write a draft like an existing invoice."""

from functools import partial

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import InvoiceId
from billing.api.identity import caller
from billing.api.invoices import InvoiceResponse, created_invoice_answer
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.invoices import duplicate_invoice

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/invoices/<invoice_id>/duplicate",
    operation_id="duplicateInvoice",
    tags=["invoices"],
    description="Lines, prices, terms, references and texts are taken over; dates and the order number of the "
    "buyer are not.",
    responses=documented(
        201,
        InvoiceResponse,
        "The new draft",
        versioned=True,
        created=True,
        refused={409: "`not-duplicable`: a credit note, a deposit or a final invoice"},
    ),
)
def duplicate(invoice_id: InvoiceId, idempotency_key: IdempotencyKey) -> Response[str]:
    shape = partial(created_invoice_answer, today=clock.today())
    draft = duplicate_invoice(
        caller(app),
        invoice_id,
        once=idempotent(app, idempotency_key, shape),
        invoices=table.invoices(),
        clock=clock,
        ids=ids,
    )
    return respond(shape(draft))


handler = entry_point(app)
