"""POST /v1/invoices/{invoice_id}/links — make a public link to an issued invoice."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import InvoiceId
from billing.api.identity import caller
from billing.api.portal_invoices import InvoiceLinkResponse, invoice_link_answer
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.runtime.settings import portal_invoices_url
from billing.usecases.invoice_links import create_invoice_link

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/invoices/<invoice_id>/links",
    operation_id="createInvoiceLink",
    tags=["invoices"],
    description="For whoever holds it: read, download, pay. Shown once; only a hash of it is kept. It leads to a page "
    "of a site or app, which reads the operations of `portal` with the token at its end.",
    responses=documented(201, InvoiceLinkResponse, "The link", refused={409: "`invoice-not-issued`"}),
)
def create_link(invoice_id: InvoiceId, idempotency_key: IdempotencyKey) -> Response[str]:
    once = idempotent(app, idempotency_key, invoice_link_answer)
    links, token = create_invoice_link(
        caller(app), invoice_id, once=once, links=table.invoice_links(), clock=clock, ids=ids
    )
    return respond(invoice_link_answer(links, url=f"{portal_invoices_url()}/{token.text}"))


handler = entry_point(app)
