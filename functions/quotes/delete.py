"""DELETE /v1/quotes/{quote_id} — delete a draft."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, no_content
from billing.api.entry import entry_point
from billing.api.fields import QuoteId
from billing.api.identity import caller
from billing.api.preconditions import IfMatch, expected_version
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.quotes import delete_quote

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.delete(
    "/v1/quotes/<quote_id>",
    operation_id="deleteQuote",
    tags=["quotes"],
    description="Only a draft that never had a number can go.",
    responses=documented(204, None, "The draft is gone", refused={409: "`quote-already-sent`"}),
)
def delete(quote_id: QuoteId, if_match: IfMatch) -> Response[str]:
    delete_quote(
        caller(app),
        quote_id,
        expected_version=expected_version(if_match),
        quotes=table.quotes(),
        clock=clock,
        ids=ids,
    )
    return no_content()


handler = entry_point(app)
