"""POST /v1/auth/refresh — renew the tokens of a session, and the rights in them."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.accounts import RefreshSessionRequest, SessionResponse
from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.problems import install
from billing.runtime.identity import identity
from billing.usecases.auth import refresh_session

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/auth/refresh",
    operation_id="refreshSession",
    tags=["auth"],
    security=[],
    responses=documented(200, SessionResponse, "The renewed tokens; `refresh_token` is null when it stays the same"),
)
def refresh(body: Annotated[RefreshSessionRequest, Body()]) -> Response[str]:
    session = refresh_session(refresh_token=body.refresh_token, identity=identity())
    return respond(answer(200, SessionResponse.of(session)))


handler = entry_point(app)
