"""POST /v1/invoices/{invoice_id}/credit-notes — take an issued invoice back, in full or in part."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.credit_notes import CreditNoteResponse, IssueCreditNoteRequest, issued_credit_note_answer
from billing.api.entry import entry_point
from billing.api.events import correlation_id
from billing.api.fields import InvoiceId
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.runtime.observability import count
from billing.usecases.credit_notes import issue_credit_note

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/invoices/<invoice_id>/credit-notes",
    operation_id="issueCreditNote",
    tags=["credit_notes"],
    description="One atomic step: the next number of the series of credit notes, the frozen document, and what it "
    "takes back written on the invoice's ledger. Never more than what remains, per VAT treatment and in total. It is "
    "set against the balance due first; the rest becomes the customer's credit, or is refunded by one who may record "
    "payments. An invoice that is fully credited is `cancelled`.",
    responses=documented(
        201,
        CreditNoteResponse,
        "The issued credit note",
        versioned=True,
        created=True,
        refused={409: "`credit-exceeds-remaining`, `invoice-not-issued` or `recipient-missing`"},
    ),
)
def issue(
    invoice_id: InvoiceId, body: Annotated[IssueCreditNoteRequest, Body()], idempotency_key: IdempotencyKey
) -> Response[str]:
    note = issue_credit_note(
        caller(app),
        invoice_id,
        body.wanted(),
        send=body.send,
        correlation_id=correlation_id(app.current_event.raw_event),
        once=idempotent(app, idempotency_key, issued_credit_note_answer),
        credit_notes=table.credit_notes(),
        clock=clock,
        ids=ids,
    )
    count("CreditNoteIssued")
    return respond(issued_credit_note_answer(note))


handler = entry_point(app)
