"""POST /v1/auth/sign-in — open a session."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.accounts import SessionResponse, SignInRequest
from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.problems import install
from billing.runtime.identity import identity
from billing.usecases.auth import sign_in

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/auth/sign-in",
    operation_id="signIn",
    tags=["auth"],
    security=[],
    responses=documented(
        200,
        SessionResponse,
        "The tokens of the session",
        refused={403: "`email-not-confirmed`", 409: "`sign-in-challenge-required`"},
    ),
)
def open_session(body: Annotated[SignInRequest, Body()]) -> Response[str]:
    session = sign_in(email=body.email, password=body.password, identity=identity())
    return respond(answer(200, SessionResponse.of(session)))


handler = entry_point(app)
