"""POST /v1/auth/confirm-email — confirm an e-mail address by the code that was mailed to it."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.accounts import ConfirmEmailRequest
from billing.api.answers import documented, no_content
from billing.api.entry import entry_point
from billing.api.problems import install
from billing.runtime.identity import identity
from billing.usecases.auth import confirm_email

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/auth/confirm-email",
    operation_id="confirmEmail",
    tags=["auth"],
    security=[],
    responses=documented(204, None, "The address is confirmed"),
)
def confirm(body: Annotated[ConfirmEmailRequest, Body()]) -> Response[str]:
    confirm_email(email=body.email, code=body.code, identity=identity())
    return no_content()


handler = entry_point(app)
