"""POST /v1/portal/invoices/{token}/checkout — get the page where an invoice is paid."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.fields import InvoiceToken
from billing.api.portal_invoices import PayPortalInvoiceRequest, PortalCheckoutResponse
from billing.api.problems import install
from billing.runtime import checkouts, stripe, table
from billing.runtime.clock import clock, ids
from billing.runtime.links import link_secrets
from billing.runtime.observability import count
from billing.usecases.portal_invoices import pay_portal_invoice

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/portal/invoices/<token>/checkout",
    operation_id="payPortalInvoice",
    tags=["portal"],
    security=[],
    description="One page at a time, for what is owed at that moment: asked for again it is the same page, for another "
    "amount the one before is closed. While a payment is in progress there is none.",
    responses=documented(
        200,
        PortalCheckoutResponse,
        "Where to pay",
        refused={
            409: "`nothing-left-to-pay`, `online-payment-unavailable`, `payment-in-progress`, "
            "`payment-exceeds-balance`, `checkout-refused`",
            429: "`too-many-payment-pages`: ten other pages were asked for within the hour; `Retry-After` says when",
        },
    ),
)
def pay_invoice(token: InvoiceToken, body: Annotated[PayPortalInvoiceRequest, Body()]) -> Response[str]:
    page = pay_portal_invoice(
        token,
        body.amount_minor,
        site=checkouts.site(),
        links=table.invoice_links(),
        checkouts=table.checkouts(),
        stripe=stripe.gateway(),
        secrets=link_secrets(),
        clock=clock,
        ids=ids,
    )
    if page.fresh:
        count("CheckoutOpened")
    reply = PortalCheckoutResponse(
        url=page.url, amount_minor=page.amount_minor, currency=page.currency, expires_at=page.expires_at
    )
    return respond(answer(200, reply))


handler = entry_point(app)
