"""POST /v1/company/onboarding/advance — leave an onboarding step behind."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.companies import AdvanceCompanyOnboardingRequest, CompanyOnboardingResponse, onboarding_answer
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.company import advance_company_onboarding

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/company/onboarding/advance",
    operation_id="advanceCompanyOnboarding",
    tags=["company"],
    description="Payments can be skipped and set up later; the company step ends by describing the company.",
    responses=documented(200, CompanyOnboardingResponse, "The step that is next"),
)
def advance_onboarding(
    body: Annotated[AdvanceCompanyOnboardingRequest, Body()], idempotency_key: IdempotencyKey
) -> Response[str]:
    step = advance_company_onboarding(
        caller(app),
        body.step,
        once=idempotent(app, idempotency_key, onboarding_answer),
        companies=table.companies(),
        clock=clock,
        ids=ids,
    )
    return respond(onboarding_answer(step))


handler = entry_point(app)
