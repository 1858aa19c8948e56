"""GET /v1/operations/dead-letters — list dead letters and what was done about them."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.identity import operator
from billing.api.operations import DeadLetterPageResponse, DeadLetterResponse, LettersOfYear
from billing.api.paging import DEFAULT_LIMIT, Limit, PageToken, operator_pages
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.dead_letters import list_dead_letters

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/operations/dead-letters",
    operation_id="listDeadLetters",
    tags=["operations"],
    description="Those that wait for a replay or for an operator, the oldest first; with a year, all that were sent "
    "in it, latest first.",
    responses=documented(200, DeadLetterPageResponse, "A page of dead letters"),
)
def list_page(
    *, year: LettersOfYear = None, limit: Limit = DEFAULT_LIMIT, page_token: PageToken = None
) -> Response[str]:
    operator(app)
    book = operator_pages(app, year=year)
    page = list_dead_letters(year, book.request(limit, page_token), book=table.letter_book())
    rows = [DeadLetterResponse.of(record) for record in page.items]
    return respond(answer(200, DeadLetterPageResponse(items=rows, next_page_token=book.token(page.position))))


handler = entry_point(app)
