"""POST /v1/invoices/{invoice_id}/revoke-links — close every public link of an invoice."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import InvoiceId
from billing.api.identity import caller
from billing.api.portal_invoices import InvoiceLinksResponse, invoice_links_answer
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.invoice_links import revoke_invoice_links

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/invoices/<invoice_id>/revoke-links",
    operation_id="revokeInvoiceLinks",
    tags=["invoices"],
    description="Also those of mails and reminders. A new one can be made at any time. A page to pay that is open is "
    "closed within moments; whoever pays before has paid.",
    responses=documented(200, InvoiceLinksResponse, "No open link", refused={409: "`invoice-not-issued`"}),
)
def revoke_links(invoice_id: InvoiceId, idempotency_key: IdempotencyKey) -> Response[str]:
    closed = revoke_invoice_links(
        caller(app),
        invoice_id,
        once=idempotent(app, idempotency_key, invoice_links_answer),
        links=table.invoice_links(),
        clock=clock,
        ids=ids,
    )
    return respond(invoice_links_answer(closed))


handler = entry_point(app)
