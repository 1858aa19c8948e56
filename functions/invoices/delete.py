"""DELETE /v1/invoices/{invoice_id} — delete a draft."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, no_content
from billing.api.entry import entry_point
from billing.api.fields import InvoiceId
from billing.api.identity import caller
from billing.api.preconditions import IfMatch, expected_version
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.invoices import delete_invoice

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.delete(
    "/v1/invoices/<invoice_id>",
    operation_id="deleteInvoice",
    tags=["invoices"],
    description="Only a draft can go. Issued invoices are never deleted.",
    responses=documented(204, None, "The draft is gone", refused={409: "`invoice-already-issued`"}),
)
def delete(invoice_id: InvoiceId, if_match: IfMatch) -> Response[str]:
    delete_invoice(
        caller(app),
        invoice_id,
        expected_version=expected_version(if_match),
        invoices=table.invoices(),
        quotes=table.quotes(),
        clock=clock,
        ids=ids,
    )
    return no_content()


handler = entry_point(app)
