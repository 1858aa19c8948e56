"""Public links to invoices, and what such a link opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from billing.domain.access import Caller
from billing.domain.checkout import CheckoutBook
from billing.domain.errors import NotFound
from billing.domain.events import Event
from billing.domain.invoice import Invoice, IssuedInvoice
from billing.domain.invoice_links import InvoiceLinkBook
from billing.domain.ledger import LedgerEntry
from billing.domain.stripe_connection import StripeConnection
from billing.ports.idempotency import IdempotentRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkContext:
    """What a mail or a person needs to make a link, or to take them back. ``invoice`` None when there is none."""

    invoice: Invoice | None
    links: InvoiceLinkBook
    connection: StripeConnection
    checkouts: CheckoutBook


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedInvoice:
    """An invoice as its customer sees it; ``entries``: the last hundred of its ledger, oldest first."""

    invoice: Invoice | None
    links: InvoiceLinkBook
    checkouts: CheckoutBook
    connection: StripeConnection
    entries: tuple[LedgerEntry, ...]

    @property
    def issued(self) -> IssuedInvoice:
        """Raises: NotFound, for a draft and for nothing alike."""
        if not isinstance(self.invoice, IssuedInvoice):
            raise NotFound
        return self.invoice


class InvoiceLinks(Protocol):
    def read(self, caller: Caller, invoice_id: str, *, once: IdempotentRequest | None = None) -> LinkContext:
        """One request. Raises: with ``once`` AlreadyAnswered, IdempotencyKeyReused."""
        ...

    def save(
        self,
        caller: Caller,
        links: InvoiceLinkBook,
        *,
        checkouts: CheckoutBook | None = None,
        event: Event,
        once: IdempotentRequest,
        answered: object,
    ) -> None:
        """The next version, with the event on the timeline of the invoice. ``checkouts``: where they change with it.

        Raises: StaleVersion.
        """
        ...

    def stored(self, tenant_id: str, invoice_id: str) -> LinkContext:
        """For what has no caller. One request."""
        ...

    def record(self, links: InvoiceLinkBook) -> None:
        """The next version, of a mail: that it was sent is what is told. Raises: StaleVersion."""
        ...

    def open(self, tenant_id: str, invoice_id: str) -> SharedInvoice:
        """For the public side: whoever asks judges the link. One request, two where the ledger is long."""
        ...
