"""GET /v1/operations/usage — read how the web app is used, by sums of days."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.identity import operator
from billing.api.problems import install
from billing.api.usage import UsageFrom, UsageResponse, UsageTo
from billing.runtime import usage
from billing.runtime.clock import clock
from billing.usecases.usage import read_usage

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/operations/usage",
    operation_id="readUsage",
    tags=["operations"],
    description="Visitors are those of a day: they are known by a keyed hash that is gone at midnight, so visitors of "
    "several days cannot be added up to a number of people. Who objected to being counted is in none of the sums.",
    responses=documented(200, UsageResponse, "The sums"),
)
def read(*, from_date: UsageFrom = None, to_date: UsageTo = None) -> Response[str]:
    operator(app)
    found = read_usage(from_date, to_date, book=usage.usage_book(), clock=clock)
    return respond(answer(200, UsageResponse.of(found)))


handler = entry_point(app)
