"""POST /v1/webhooks/stripe — keep an event of Stripe and acknowledge it at once."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.problems import install
from billing.api.stripe_events import StripeEventReceivedResponse, stripe_event
from billing.domain.errors import InvalidInput
from billing.domain.stripe import STRIPE_API_VERSION
from billing.domain.stripe_inbox import InboxState
from billing.domain.stripe_signature import stripe_signature_holds
from billing.runtime import stripe_queue, stripe_webhooks, table
from billing.runtime.clock import clock
from billing.runtime.observability import count, logger
from billing.runtime.settings import stripe_livemode
from billing.usecases.stripe_inbox import receive_stripe_event

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/webhooks/stripe",
    operation_id="receiveStripeEvent",
    tags=["webhooks"],
    security=[],
    description="Called by Stripe alone. The event is kept once, whatever its order and however often it comes, and is "
    "processed later.",
    openapi_extensions={
        "requestBody": {
            "required": True,
            "description": "Stripe's event; `Stripe-Signature` signs these very bytes",
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    },
    responses=documented(
        200,
        StripeEventReceivedResponse,
        "The event is kept",
        refused={
            400: "`stripe-signature-refused`: not signed, or signed more than five minutes before or after now",
            413: "`body-too-large`: beyond 256 KB",
        },
    ),
)
def receive() -> Response[str]:
    secrets = stripe_webhooks.signing_secrets()
    try:
        told = stripe_event(
            app.current_event.raw_event,
            lambda body, given: secrets.held_by(
                lambda known: stripe_signature_holds(body, given, known, now=clock.now())
            ),
        )
    except InvalidInput:
        count("StripeEventRefused")
        raise
    entry = receive_stripe_event(
        told,
        api_version=STRIPE_API_VERSION,
        of_our_mode=told.livemode is stripe_livemode(),
        inbox=table.stripe_inbox(),
        queue=stripe_queue.event_queue(),
        clock=clock,
    )
    if entry.state is InboxState.PARKED:
        logger.warning("event parked", event_id=told.event_id, event_type=told.event_type, reason=entry.reason)
    elif entry.state is InboxState.IGNORED and entry.reason is not None:
        logger.info("event ignored", event_id=told.event_id, event_type=told.event_type, reason=entry.reason)
    return respond(answer(200, StripeEventReceivedResponse()))


handler = entry_point(app)
