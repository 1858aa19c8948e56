"""POST /v1/invoices/verifications — start the proof of everything issued so far."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.events import correlation_id
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.verifications import InvoiceVerificationResponse, started_verification_answer
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.verifications import start_invoice_verification

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/invoices/verifications",
    operation_id="startInvoiceVerification",
    tags=["invoices"],
    description="Proves that numbers are dense, the chain of hashes unbroken, totals right and ledgers settled. It "
    "runs by itself: read its progress and result at the `Location`.",
    responses=documented(202, InvoiceVerificationResponse, "The verification has started", created=True),
)
def start_verification(idempotency_key: IdempotencyKey) -> Response[str]:
    verification = start_invoice_verification(
        caller(app),
        correlation_id=correlation_id(app.current_event.raw_event),
        once=idempotent(app, idempotency_key, started_verification_answer),
        verifications=table.verifications(),
        clock=clock,
        ids=ids,
    )
    return respond(started_verification_answer(verification))


handler = entry_point(app)
