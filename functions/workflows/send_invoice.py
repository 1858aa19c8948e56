"""Task of the delivery workflow — mail the PDF, once whatever is retried."""

from typing import Any

from billing.api.entry import task_point
from billing.runtime.clock import clock
from billing.runtime.documents import documents
from billing.runtime.mailer import mailer
from billing.runtime.observability import count
from billing.runtime.table import deliveries
from billing.usecases.deliveries import mail_invoice


def send_invoice(event: dict[str, Any]) -> dict[str, Any]:
    claim = mail_invoice(
        event["tenant_id"],
        event["invoice_id"],
        event["attempt"],
        deliveries=deliveries(),
        documents=documents(),
        mailer=mailer(),
        clock=clock,
    )
    count("MailSent")
    return {"state": claim.state.value}


handler = task_point(send_invoice)
