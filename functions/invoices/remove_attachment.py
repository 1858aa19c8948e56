"""DELETE /v1/invoices/{invoice_id}/attachments/{attachment_id} — take a file off a draft."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.attachments import AttachmentId
from billing.api.entry import entry_point
from billing.api.fields import InvoiceId
from billing.api.identity import caller
from billing.api.invoices import InvoiceResponse, invoice_answer
from billing.api.preconditions import IfMatch, expected_version
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.attachments import remove_invoice_attachment

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.delete(
    "/v1/invoices/<invoice_id>/attachments/<attachment_id>",
    operation_id="removeInvoiceAttachment",
    tags=["invoices"],
    description="Only from a draft: an issued invoice keeps its files.",
    responses=documented(
        200, InvoiceResponse, "The draft without the file", versioned=True, refused={409: "`invoice-already-issued`"}
    ),
)
def remove_attachment(invoice_id: InvoiceId, attachment_id: AttachmentId, if_match: IfMatch) -> Response[str]:
    draft = remove_invoice_attachment(
        caller(app),
        invoice_id,
        attachment_id,
        expected_version=expected_version(if_match),
        invoices=table.invoices(),
        clock=clock,
        ids=ids,
    )
    return respond(invoice_answer(draft, clock.today()))


handler = entry_point(app)
