"""PUT /v1/company/logo — upload the picture printed on documents."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.bodies import raw_body
from billing.api.companies import LOGO_BODY, CompanyResponse, company_answer
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.preconditions import IfMatch, expected_version
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.runtime.documents import documents
from billing.runtime.images import logo_checker
from billing.usecases.company import upload_company_logo

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.put(
    "/v1/company/logo",
    operation_id="uploadCompanyLogo",
    tags=["company"],
    description="The bytes of a PNG, JPEG, GIF, WebP, TIFF or BMP picture, at most 4 MB and 25 million pixels, one "
    "side at most 25 times the other. It is contained in 200 × 80 points with its proportions, never enlarged. Of an "
    "animation the first picture is printed. Documents issued before keep their logo.",
    openapi_extensions=LOGO_BODY,
    responses=documented(200, CompanyResponse, "The company with its logo", versioned=True),
)
def upload_logo(if_match: IfMatch) -> Response[str]:
    company = upload_company_logo(
        caller(app),
        raw_body(app.current_event.raw_event),
        expected_version=expected_version(if_match),
        companies=table.companies(),
        documents=documents(),
        checker=logo_checker(),
        clock=clock,
        ids=ids,
    )
    return respond(company_answer(company, clock.today()))


handler = entry_point(app)
