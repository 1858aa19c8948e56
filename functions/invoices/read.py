"""GET /v1/invoices/{invoice_id} — read a draft or an issued invoice."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import InvoiceId
from billing.api.identity import caller
from billing.api.invoices import ReadInvoiceResponse, read_invoice_answer
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock
from billing.usecases.invoices import read_invoice

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/invoices/<invoice_id>",
    operation_id="readInvoice",
    tags=["invoices"],
    responses=documented(200, ReadInvoiceResponse, "The invoice", versioned=True),
)
def read(invoice_id: InvoiceId) -> Response[str]:
    found = read_invoice(caller(app), invoice_id, invoices=table.invoices())
    return respond(read_invoice_answer(found, clock.today()))


handler = entry_point(app)
