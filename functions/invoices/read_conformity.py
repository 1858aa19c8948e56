"""GET /v1/invoices/{invoice_id}/conformity — read what the rules of electronic invoicing say of an invoice."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.conformity import ConformityResponse, conformity_answer
from billing.api.entry import entry_point
from billing.api.fields import InvoiceId
from billing.api.identity import caller
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.documents import documents
from billing.usecases.conformity import read_invoice_conformity

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/invoices/<invoice_id>/conformity",
    operation_id="readInvoiceConformity",
    tags=["invoices"],
    description="XSD, EN 16931, BR-FR and PDF/A, judged once before anything is sent, and kept beside the document.",
    responses=documented(200, ConformityResponse, "The report", refused={409: "`pdf-not-ready` for a moment"}),
)
def read_conformity(invoice_id: InvoiceId) -> Response[str]:
    report = read_invoice_conformity(caller(app), invoice_id, invoices=table.invoices(), documents=documents())
    return respond(conformity_answer(report))


handler = entry_point(app)
