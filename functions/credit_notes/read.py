"""GET /v1/credit-notes/{credit_note_id} — read a credit note."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.credit_notes import CreditNoteResponse, credit_note_answer
from billing.api.entry import entry_point
from billing.api.fields import CreditNoteId
from billing.api.identity import caller
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.credit_notes import read_credit_note

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/credit-notes/<credit_note_id>",
    operation_id="readCreditNote",
    tags=["credit_notes"],
    responses=documented(200, CreditNoteResponse, "The credit note", versioned=True),
)
def read(credit_note_id: CreditNoteId) -> Response[str]:
    return respond(credit_note_answer(read_credit_note(caller(app), credit_note_id, invoices=table.invoices())))


handler = entry_point(app)
