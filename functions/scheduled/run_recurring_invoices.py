"""Every hour — make the recurring invoices that are due, once per period."""

from typing import Any

from billing.api.entry import task_point
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.runtime.observability import count
from billing.runtime.settings import portal_invoices_url
from billing.usecases import recurring_invoices as usecases


def run_recurring_invoices(_event: dict[str, Any]) -> dict[str, int]:
    result = usecases.run_recurring_invoices(
        recurring_invoices=table.recurring_invoices(),
        invoices=table.invoices(),
        customers=table.customers(),
        clock=clock,
        ids=ids,
        payment_page=portal_invoices_url(),
        left_alone=table.left_alone(),
    )
    count("RecurringInvoicesRun")
    for name, value in (
        ("RecurringInvoiceMade", result.made),
        ("InvoiceIssued", result.issued),
        ("RecurringInvoiceParked", result.parked),
    ):
        if value:
            count(name, value)
    return {"made": result.made, "issued": result.issued, "parked": result.parked}


handler = task_point(run_recurring_invoices)
