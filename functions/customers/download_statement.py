"""GET /v1/customers/{customer_id}/statement/pdf — get a short-lived address of a customer's statement."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.customer_accounts import StatementFrom, StatementTo
from billing.api.entry import entry_point
from billing.api.fields import CustomerId
from billing.api.identity import caller
from billing.api.invoices import InvoiceDownloadResponse
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock
from billing.runtime.documents import documents
from billing.runtime.pdf import statement_renderer
from billing.usecases.customer_accounts import download_customer_statement

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/customers/<customer_id>/statement/pdf",
    operation_id="downloadCustomerStatement",
    tags=["customers"],
    description="The statement as a PDF/A-3b in French, drawn once and stored for as long as it says the same.",
    responses=documented(200, InvoiceDownloadResponse, "Where to download the statement"),
)
def download_statement(
    customer_id: CustomerId, from_date: StatementFrom = None, to_date: StatementTo = None
) -> Response[str]:
    link = download_customer_statement(
        caller(app),
        customer_id,
        from_date,
        to_date,
        accounts=table.customer_accounts(),
        documents=documents(),
        renderer=statement_renderer(),
        clock=clock,
    )
    return respond(answer(200, InvoiceDownloadResponse.of(link)))


handler = entry_point(app)
