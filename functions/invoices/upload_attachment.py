"""PUT /v1/invoices/{invoice_id}/attachments — add a file to a draft."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from billing.api.answers import documented, respond
from billing.api.attachments import ATTACHMENT_BODY
from billing.api.bodies import raw_body
from billing.api.entry import entry_point
from billing.api.fields import InvoiceId, Text
from billing.api.identity import caller
from billing.api.invoices import InvoiceResponse, invoice_answer
from billing.api.preconditions import IfMatch, expected_version
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.runtime.documents import documents
from billing.usecases.attachments import upload_invoice_attachment

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.put(
    "/v1/invoices/<invoice_id>/attachments",
    operation_id="uploadInvoiceAttachment",
    tags=["invoices"],
    description="The bytes of a PDF, PNG, JPEG, CSV or XLSX file, at most 4 MB, ten files and 8 MB together. It is "
    "frozen with the invoice and mailed along. The same bytes stand once.",
    openapi_extensions=ATTACHMENT_BODY,
    responses=documented(
        200,
        InvoiceResponse,
        "The draft with its attachments",
        versioned=True,
        refused={409: "`invoice-already-issued`"},
    ),
)
def upload_attachment(
    invoice_id: InvoiceId,
    name: Annotated[str, Text(100, min_length=1), Query(description="Name of the file", examples=["plan.pdf"])],
    if_match: IfMatch,
) -> Response[str]:
    draft = upload_invoice_attachment(
        caller(app),
        invoice_id,
        raw_body(app.current_event.raw_event),
        name=name,
        expected_version=expected_version(if_match),
        invoices=table.invoices(),
        documents=documents(),
        clock=clock,
        ids=ids,
    )
    return respond(invoice_answer(draft, clock.today()))


handler = entry_point(app)
