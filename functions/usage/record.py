"""POST /v1/usage — count a view of a page of the web app."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, no_content
from billing.api.entry import entry_point
from billing.api.problems import install
from billing.api.usage import RecordUsageRequest, countable_viewer
from billing.domain.errors import Busy, DependencyUnavailable
from billing.runtime import usage
from billing.runtime.clock import clock, ids
from billing.runtime.observability import logger
from billing.runtime.settings import viewer_headers_kind, web_origin_urls
from billing.usecases.usage import record_usage

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/usage",
    operation_id="recordUsage",
    tags=["usage"],
    security=[],
    description="Sums of days are all that is kept: no cookie, nothing on the device, no address, no user. The answer "
    "is the same when nothing is counted: for whoever sends `DNT: 1` or `Sec-GPC: 1`, for bots, and for pages of other "
    "sites. The same JSON is taken as `text/plain`, which is how `navigator.sendBeacon` gets it here.",
    responses=documented(204, None, "Counted, or not", refused={413: "`body-too-large`: beyond 1,000 characters"}),
)
def record(body: Annotated[RecordUsageRequest, Body()]) -> Response[str]:
    origins = web_origin_urls()
    viewer = countable_viewer(app.current_event.raw_event, origins=origins, headers_kind=viewer_headers_kind())
    if viewer is not None:
        try:
            record_usage(body.view(origins), viewer, book=usage.usage_book(), clock=clock, ids=ids)
        except (Busy, DependencyUnavailable) as error:
            # The page cannot do anything about it, and nobody is to be woken over a view.
            logger.warning("page view lost", problem=error.slug)
    return no_content()


handler = entry_point(app)
