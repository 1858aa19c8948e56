"""POST /v1/portal/quotes/{token}/answer — accept or decline a quote."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.fields import QuoteToken
from billing.api.identity import origin
from billing.api.problems import install
from billing.api.quotes import AnswerPortalQuoteRequest, PortalQuoteResponse
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.portal import PortalAnswer, answer_portal_quote

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/portal/quotes/<token>/answer",
    operation_id="answerPortalQuote",
    tags=["portal"],
    security=[],
    description="Once: the answer is kept with its name, instant, address and the hash of what was shown, and locks "
    "the quote. The same answer again changes nothing.",
    responses=documented(
        200,
        PortalQuoteResponse,
        "The quote with its answer",
        refused={409: "`quote-already-answered`, `quote-expired`, `quote-superseded`"},
    ),
)
def answer_quote(token: QuoteToken, body: Annotated[AnswerPortalQuoteRequest, Body()]) -> Response[str]:
    quote = answer_portal_quote(
        token,
        PortalAnswer(
            answer=body.answer,
            name=body.name,
            comment=body.comment,
            document_hash=body.document_hash,
            origin=origin(app),
        ),
        quotes=table.quotes(),
        clock=clock,
        ids=ids,
    )
    return respond(answer(200, PortalQuoteResponse.of_quote(quote, superseded=False, today=clock.today())))


handler = entry_point(app)
