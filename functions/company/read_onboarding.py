"""GET /v1/company/onboarding — say which onboarding step is next."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.companies import CompanyOnboardingResponse, onboarding_answer
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.company import read_company_onboarding

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/company/onboarding",
    operation_id="readCompanyOnboarding",
    tags=["company"],
    responses=documented(200, CompanyOnboardingResponse, "The step that is next"),
)
def read_onboarding() -> Response[str]:
    return respond(onboarding_answer(read_company_onboarding(caller(app), companies=table.companies())))


handler = entry_point(app)
