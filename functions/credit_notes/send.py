"""POST /v1/credit-notes/{credit_note_id}/send — mail a credit note to its customer."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.credit_notes import CreditNoteResponse, SendCreditNoteRequest, credit_note_answer
from billing.api.entry import entry_point
from billing.api.events import correlation_id
from billing.api.fields import CreditNoteId
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.credit_notes import send_credit_note

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/credit-notes/<credit_note_id>/send",
    operation_id="sendCreditNote",
    tags=["credit_notes"],
    description="Opens the next delivery attempt; `delivery` of the credit note tells how it goes. One at a time.",
    responses=documented(200, CreditNoteResponse, "The credit note, its delivery in progress", versioned=True),
)
def send(
    credit_note_id: CreditNoteId, body: Annotated[SendCreditNoteRequest, Body()], idempotency_key: IdempotencyKey
) -> Response[str]:
    note = send_credit_note(
        caller(app),
        credit_note_id,
        recipient=body.recipient,
        correlation_id=correlation_id(app.current_event.raw_event),
        once=idempotent(app, idempotency_key, credit_note_answer),
        invoices=table.invoices(),
        customers=table.customers(),
        clock=clock,
        ids=ids,
    )
    return respond(credit_note_answer(note))


handler = entry_point(app)
