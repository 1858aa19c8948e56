"""DELETE /v1/company/logo — print the name again where the picture stood."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.companies import CompanyResponse, company_answer
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.preconditions import IfMatch, expected_version
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.company import remove_company_logo

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.delete(
    "/v1/company/logo",
    operation_id="removeCompanyLogo",
    tags=["company"],
    description="Documents issued before keep their logo. Without one, nothing changes.",
    responses=documented(200, CompanyResponse, "The company without a logo", versioned=True),
)
def remove_logo(if_match: IfMatch) -> Response[str]:
    company = remove_company_logo(
        caller(app), expected_version=expected_version(if_match), companies=table.companies(), clock=clock, ids=ids
    )
    return respond(company_answer(company, clock.today()))


handler = entry_point(app)
