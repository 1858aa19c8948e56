"""The public side of an invoice: whoever holds its link sees it, takes its PDF, and pays."""

from __future__ import annotations

from billing.domain.checkout import CheckoutSite
from billing.domain.errors import NotFound, PdfNotReady
from billing.domain.invoice import IssuedInvoice
from billing.domain.links import LinkToken
from billing.ports.checkouts import Checkouts, LinkSecrets
from billing.ports.clock import Clock, Ids
from billing.ports.delivery import Documents, DownloadLink
from billing.ports.invoice_links import InvoiceLinks, SharedInvoice
from billing.ports.stripe import StripeGateway
from billing.usecases.checkouts import CheckoutPage, open_checkout


def read_portal_invoice(token: str, *, links: InvoiceLinks, clock: Clock) -> SharedInvoice:
    """Unknown, expired and revoked links are all the same. Raises: NotFound."""
    return _opened(token, links, clock)


def download_portal_invoice(token: str, *, links: InvoiceLinks, documents: Documents, clock: Clock) -> DownloadLink:
    """A short-lived address of the stored PDF. Raises: NotFound, PdfNotReady."""
    invoice = _opened(token, links, clock).issued
    pdf = invoice.delivery.pdf
    if pdf is None:
        raise PdfNotReady
    return documents.link(pdf.key, file_name=f"{invoice.document.number}.pdf", now=clock.now())


def pay_portal_invoice(
    token: str,
    amount_minor: int | None,
    *,
    site: CheckoutSite,
    links: InvoiceLinks,
    checkouts: Checkouts,
    stripe: StripeGateway,
    secrets: LinkSecrets,
    clock: Clock,
    ids: Ids,
) -> CheckoutPage:
    """Where to pay what is left, or a part of it. Raises: NotFound, and as ``open_checkout``."""
    opened = _opened(token, links, clock)
    invoice, read = opened.issued, [opened]

    def links_at() -> int:
        """By what was read just now; once that has moved the link may be revoked: it is judged again."""
        return (read.pop() if read else _opened(token, links, clock)).links.version

    return open_checkout(
        invoice.tenant_id,
        invoice.invoice_id,
        amount_minor,
        site=site,
        checkouts=checkouts,
        stripe=stripe,
        secrets=secrets,
        clock=clock,
        ids=ids,
        links_at=links_at,
    )


def _opened(token: str, links: InvoiceLinks, clock: Clock) -> SharedInvoice:
    parsed = LinkToken.parse(token)
    if parsed is None:
        raise NotFound
    opened, secret, now = links.open(parsed.tenant_id, parsed.document_id), parsed.secret, clock.now()
    if not isinstance(opened.invoice, IssuedInvoice):
        raise NotFound
    if opened.links.opens(secret, now, checkouts=opened.checkouts):
        return opened
    if opened.links.may_be_paying(secret, now, checkouts=opened.checkouts):
        # To who was on that page; of the invoice it says nothing.
        raise NotFound(
            "Ce lien n'est plus valable. Si vous venez de payer, votre paiement est pris en charge : ne payez pas une "
            "seconde fois, et demandez un autre lien à l'entreprise pour le voir.",
            "This link is not valid any more. If you have just paid, your payment is being handled: do not pay twice, "
            "and ask the company for another link to see it.",
        )
    raise NotFound
