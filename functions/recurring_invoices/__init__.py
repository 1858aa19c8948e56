"""Recurring invoices: templates that make invoices by a calendar."""

from billing.api.drafts import draft_input
from billing.api.recurring_invoices import RecurringInvoiceRequest, refuse_supply_date
from billing.usecases.recurring_invoices import RecurringInput


def recurring_input(wanted: RecurringInvoiceRequest) -> RecurringInput:
    """What the use cases take of a template. Raises: FieldErrors."""
    refuse_supply_date(wanted)
    return RecurringInput(
        name=wanted.name,
        draft=draft_input(wanted),
        recurrence=wanted.recurrence.recurrence(),
        mode=wanted.mode,
    )
