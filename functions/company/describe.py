"""PUT /v1/company — describe the company: legal identity, VAT regime, bank details, numbering."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.companies import CompanyResponse, DescribeCompanyRequest, company_answer
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.preconditions import IfMatch, expected_version
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.company import describe_company

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.put(
    "/v1/company",
    operation_id="describeCompany",
    tags=["company"],
    description='The first description is made with `If-Match: "0"`. Issued invoices keep the company as it was.',
    responses=documented(200, CompanyResponse, "The company", versioned=True),
)
def describe(body: Annotated[DescribeCompanyRequest, Body()], if_match: IfMatch) -> Response[str]:
    company = describe_company(
        caller(app),
        body.description(),
        expected_version=expected_version(if_match),
        companies=table.companies(),
        clock=clock,
        ids=ids,
    )
    return respond(company_answer(company, clock.today()))


handler = entry_point(app)
