"""GET /v1/company/series — where each number series stands."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.problems import install
from billing.api.series import CompanySeriesListResponse
from billing.runtime import table
from billing.runtime.clock import clock
from billing.usecases.series import list_company_series

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/company/series",
    operation_id="listCompanySeries",
    tags=["company"],
    responses=documented(200, CompanySeriesListResponse, "The series of invoices, credit notes and quotes"),
)
def list_series() -> Response[str]:
    book = list_company_series(caller(app), series=table.series())
    return respond(answer(200, CompanySeriesListResponse.of(book, clock.today())))


handler = entry_point(app)
