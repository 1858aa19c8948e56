"""GET /v1/company — read the company's description."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.companies import CompanyResponse, company_answer
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock
from billing.usecases.company import read_company

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/company",
    operation_id="readCompany",
    tags=["company"],
    description="Before it is described the answer is a 409 of type `/problems/company-not-described`.",
    responses=documented(200, CompanyResponse, "The company", versioned=True, refused={409: "`company-not-described`"}),
)
def read() -> Response[str]:
    return respond(company_answer(read_company(caller(app), companies=table.companies()), clock.today()))


handler = entry_point(app)
