"""GET /v1/portal/invoices/{token} — see the invoice that a public link opens."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.fields import BackFromPaying, InvoiceToken
from billing.api.portal_invoices import PortalInvoiceResponse
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock
from billing.usecases.portal_invoices import read_portal_invoice

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/portal/invoices/<token>",
    operation_id="readPortalInvoice",
    tags=["portal"],
    security=[],
    description="Unknown, expired and revoked links are all 404. After a payment the page asks here what became of it.",
    responses=documented(200, PortalInvoiceResponse, "The invoice as its customer sees it"),
)
def read_invoice(token: InvoiceToken, *, paiement: BackFromPaying = None) -> Response[str]:
    del paiement
    opened = read_portal_invoice(token, links=table.invoice_links(), clock=clock)
    return respond(answer(200, PortalInvoiceResponse.of_shared(opened, clock.today())))


handler = entry_point(app)
