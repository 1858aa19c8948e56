"""PUT /v1/stripe-account — say what customers may do on the page where they pay."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.preconditions import IfMatch, expected_version
from billing.api.problems import install
from billing.api.stripe_account import EditStripeAccountRequest, StripeAccountResponse, stripe_account_answer
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.stripe_account import edit_stripe_account

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.put(
    "/v1/stripe-account",
    operation_id="editStripeAccount",
    tags=["stripe_account"],
    description='It can be said before an account is connected, with `If-Match: "0"`.',
    responses=documented(200, StripeAccountResponse, "The account", versioned=True),
)
def edit(body: Annotated[EditStripeAccountRequest, Body()], if_match: IfMatch) -> Response[str]:
    connection = edit_stripe_account(
        caller(app),
        allows_partial_payments=body.allows_partial_payments,
        expected_version=expected_version(if_match),
        connections=table.stripe_connections(),
        clock=clock,
        ids=ids,
    )
    return respond(stripe_account_answer(connection))


handler = entry_point(app)
