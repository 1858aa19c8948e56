"""POST /v1/auth/resend-code — mail the confirmation code again."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.accounts import ResendCodeRequest
from billing.api.answers import documented, no_content
from billing.api.entry import entry_point
from billing.api.problems import install
from billing.runtime.identity import identity
from billing.usecases.auth import resend_code

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/auth/resend-code",
    operation_id="resendCode",
    tags=["auth"],
    security=[],
    description="The answer is the same whether the address is known or not.",
    responses=documented(204, None, "The code is on its way, if the address waits for one"),
)
def resend(body: Annotated[ResendCodeRequest, Body()]) -> Response[str]:
    resend_code(email=body.email, identity=identity())
    return no_content()


handler = entry_point(app)
