"""Public links to an invoice: whoever holds one sees it, takes its PDF, and pays. Only hashes are kept."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from billing.domain.checkout import CheckoutAttempt, CheckoutBook
from billing.domain.links import hash_of_secret

LINK_LIFE = timedelta(days=365)
RETURN_LIFE = timedelta(days=30)  # of the address that Stripe leads the customer back to
MAX_LINKS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLink:
    """The SHA-256 (hex) of its secret, never the secret."""

    secret_hash: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLinkBook:
    """Every link to one invoice, beside it: the invoice itself never changes by it."""

    tenant_id: str
    invoice_id: str
    version: int = 0  # 0: not stored yet
    links: tuple[InvoiceLink, ...] = ()
    revoked_at: datetime | None = None  # what was given before opens nothing

    def with_link(self, secret: str, at: datetime) -> InvoiceLinkBook:
        """One more; the oldest go when there are many."""
        link = InvoiceLink(secret_hash=hash_of_secret(secret), created_at=at, expires_at=at + LINK_LIFE)
        return replace(self, version=self.version + 1, links=(*self.links, link)[-MAX_LINKS:])

    def revoked(self, at: datetime) -> InvoiceLinkBook:
        return replace(self, version=self.version + 1, links=(), revoked_at=at)

    def opens(self, secret: str, at: datetime, *, checkouts: CheckoutBook) -> bool:
        """Whether a secret opens the invoice: one of a link, or of the way back from a page of Stripe.

        Compared in constant time.
        """
        given = hash_of_secret(secret)
        found = [link for link in self.links if hmac.compare_digest(link.secret_hash, given)]
        if any(at < link.expires_at for link in found):
            return True
        attempt = checkouts.opened_for(given)
        return attempt is not None and not self._took_back(attempt) and at < attempt.opened_at + RETURN_LIFE

    def may_be_paying(self, secret: str, at: datetime, *, checkouts: CheckoutBook) -> bool:
        """Whether a secret that opens nothing any more is of a page that was taken back, and that may have been paid.

        Who holds it was on that page. It is no right to see the invoice.
        """
        attempt = checkouts.opened_for(hash_of_secret(secret))
        return (
            attempt is not None
            and self._took_back(attempt)
            and attempt.may_be_paid
            and at < attempt.opened_at + RETURN_LIFE
        )

    def _took_back(self, attempt: CheckoutAttempt) -> bool:
        return self.revoked_at is not None and attempt.opened_at <= self.revoked_at
