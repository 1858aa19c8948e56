"""Task of the delivery workflow — mail the PDF, or a notice, once whatever is retried."""

from typing import Any

from billing.api.entry import task_point
from billing.domain.delivery import ClaimState
from billing.domain.links import Portal
from billing.runtime.clock import clock, ids
from billing.runtime.documents import documents
from billing.runtime.mailer import mailer
from billing.runtime.observability import count
from billing.runtime.settings import (
    mail_from_address,
    portal_invoices_url,
    portal_quotes_url,
    subscription_return_url,
)
from billing.runtime.table import deliveries, invoice_links
from billing.usecases.deliveries import House, mail_invoice


def send_invoice(event: dict[str, Any]) -> dict[str, Any]:
    claim = mail_invoice(
        event["tenant_id"],
        event["invoice_id"],
        event["attempt"],
        deliveries=deliveries(),
        documents=documents(),
        mailer=mailer(),
        links=invoice_links(),
        portal=Portal(quotes_url=portal_quotes_url(), invoices_url=portal_invoices_url()),
        house=House(reply_to=mail_from_address(), subscription_url=subscription_return_url()),
        clock=clock,
        ids=ids,
    )
    count("ReminderDropped" if claim.state is ClaimState.ABANDONED else "MailSent")
    return {"state": claim.state.value}


handler = task_point(send_invoice)
