"""POST /v1/invoices/{invoice_id}/reminders/preview — show the mail of a reminder without sending it."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.fields import InvoiceId
from billing.api.identity import caller
from billing.api.problems import install
from billing.api.reminders import PreviewReminderRequest, ReminderPreviewResponse
from billing.runtime import table
from billing.runtime.clock import clock
from billing.usecases.reminders import preview_reminder

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/invoices/<invoice_id>/reminders/preview",
    operation_id="previewReminder",
    tags=["reminders"],
    responses=documented(
        200,
        ReminderPreviewResponse,
        "The mail",
        refused={409: "`nothing-left-to-pay`, `payment-in-progress`, `reminder-not-due`"},
    ),
)
def preview(invoice_id: InvoiceId, body: Annotated[PreviewReminderRequest, Body()]) -> Response[str]:
    reminder, mail, recipient = preview_reminder(
        caller(app), invoice_id, body.wanted(), reminders=table.reminders(), clock=clock
    )
    return respond(answer(200, ReminderPreviewResponse.of_mail(reminder, mail, recipient)))


handler = entry_point(app)
