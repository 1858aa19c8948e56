"""POST /v1/auth/sign-out — end every session of the user."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, no_content
from billing.api.entry import entry_point
from billing.api.identity import access_token
from billing.api.problems import install
from billing.runtime.identity import identity
from billing.usecases.auth import sign_out

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/auth/sign-out",
    operation_id="signOut",
    tags=["auth"],
    description="Refresh tokens are revoked everywhere; an access token still lives until it expires.",
    responses=documented(204, None, "The sessions are over"),
)
def end_sessions() -> Response[str]:
    sign_out(access_token=access_token(app), identity=identity())
    return no_content()


handler = entry_point(app)
