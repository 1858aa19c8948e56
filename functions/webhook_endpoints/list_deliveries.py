"""GET /v1/webhook-endpoints/{endpoint_id}/deliveries — list what was sent to an endpoint and what came of it."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.fields import WebhookEndpointId
from billing.api.identity import caller
from billing.api.paging import DEFAULT_LIMIT, Limit, PageToken, pages
from billing.api.problems import install
from billing.api.webhook_endpoints import WebhookDeliveryPageResponse, WebhookDeliveryResponse
from billing.runtime import table
from billing.usecases.webhooks import list_webhook_endpoint_deliveries

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/webhook-endpoints/<endpoint_id>/deliveries",
    operation_id="listWebhookEndpointDeliveries",
    tags=["webhook_endpoints"],
    description="Latest event first; kept for a month after the last attempt.",
    responses=documented(200, WebhookDeliveryPageResponse, "A page of deliveries"),
)
def list_deliveries(
    endpoint_id: WebhookEndpointId, limit: Limit = DEFAULT_LIMIT, page_token: PageToken = None
) -> Response[str]:
    member = caller(app)
    book = pages(app, member, endpoint_id=endpoint_id)
    page = list_webhook_endpoint_deliveries(
        member, endpoint_id, book.request(limit, page_token), webhooks=table.webhooks()
    )
    rows = [WebhookDeliveryResponse.of(row) for row in page.items]
    return respond(answer(200, WebhookDeliveryPageResponse(items=rows, next_page_token=book.token(page.position))))


handler = entry_point(app)
