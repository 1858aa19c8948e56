"""GET /v1/invoices/verifications/{verification_id} — read the progress and result of a proof."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import VerificationId
from billing.api.identity import caller
from billing.api.problems import install
from billing.api.verifications import InvoiceVerificationResponse, verification_answer
from billing.runtime import table
from billing.usecases.verifications import read_invoice_verification

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/invoices/verifications/<verification_id>",
    operation_id="readInvoiceVerification",
    tags=["invoices"],
    responses=documented(200, InvoiceVerificationResponse, "The verification"),
)
def read_verification(verification_id: VerificationId) -> Response[str]:
    verification = read_invoice_verification(caller(app), verification_id, verifications=table.verifications())
    return respond(verification_answer(verification))


handler = entry_point(app)
