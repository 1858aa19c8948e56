"""POST /v1/auth/sign-up — open an account, owner of a new company."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.accounts import SignUpRequest, SignUpResponse
from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.identity import origin
from billing.api.problems import install
from billing.runtime.clock import clock
from billing.runtime.identity import identity
from billing.runtime.table import memberships
from billing.usecases.auth import sign_up

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/auth/sign-up",
    operation_id="signUp",
    tags=["auth"],
    security=[],
    description="A code to confirm the e-mail address is mailed to it.",
    responses=documented(
        201, SignUpResponse, "The account is there, to be confirmed", refused={409: "`account-exists`"}
    ),
)
def create_account(body: Annotated[SignUpRequest, Body()]) -> Response[str]:
    sign_up(
        email=body.email,
        password=body.password,
        full_name=body.full_name,
        identity=identity(),
        memberships=memberships(),
        clock=clock,
        origin=origin(app),
    )
    return respond(answer(201, SignUpResponse(email=body.email)))


handler = entry_point(app)
