"""POST /v1/operations/dead-letters/{letter_id}/decide — have a dead letter replayed anew, or dropped."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.identity import operator
from billing.api.operations import DeadLetterResponse, DecideDeadLetterRequest, LetterId, decided_letter_answer
from billing.api.preconditions import IdempotencyKey, idempotent_of
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.dead_letters import decide_dead_letter

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/operations/dead-letters/<letter_id>/decide",
    operation_id="decideDeadLetter",
    tags=["operations"],
    description="The next run, within five minutes, replays it or takes it out of its queue. A replay counts anew: "
    "three tries, with longer and longer pauses.",
    responses=documented(
        200, DeadLetterResponse, "The letter", refused={409: "`dead-letter-ended`: it was replayed or dropped"}
    ),
)
def decide(
    letter_id: LetterId, body: Annotated[DecideDeadLetterRequest, Body()], idempotency_key: IdempotencyKey
) -> Response[str]:
    by = operator(app)
    decided = decide_dead_letter(
        letter_id,
        body.decision,
        by=by,
        note=body.note,
        once=idempotent_of(by, app, idempotency_key, decided_letter_answer),
        book=table.letter_book(),
        clock=clock,
        ids=ids,
    )
    return respond(decided_letter_answer(decided))


handler = entry_point(app)
