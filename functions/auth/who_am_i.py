"""GET /v1/auth/me — say who is signed in, for which company and with which role."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.accounts import WhoAmIResponse
from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.problems import install
from billing.runtime.table import memberships
from billing.usecases.auth import who_am_i

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/auth/me",
    operation_id="whoAmI",
    tags=["auth"],
    responses=documented(200, WhoAmIResponse, "The membership behind the token"),
)
def me() -> Response[str]:
    membership = who_am_i(caller(app), memberships=memberships())
    return respond(answer(200, WhoAmIResponse.of(membership)))


handler = entry_point(app)
